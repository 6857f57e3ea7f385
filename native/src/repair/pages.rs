//! Pre-images as files in a data directory: each whole, or not there.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};

use rollsnap_core::feedback::Notice;
use rollsnap_core::members::PvmKind;
use rollsnap_core::{Code, Feedback, Problem, Result};
use rustix::fs::{Mode, fchmod};

use super::pre_images::Name;
use crate::dir::{Dir, Entry, Kind, adopt, sync_file};
use crate::io::problem;
use crate::replay::pre_images::{MAX_PRE_IMAGE, blake2b};

/// A pre-image until it is complete.
const DRAFT: &str = ".rollsnap-pre-image";

/// The directory of the pre-images, made as the data directory is where there is none.
pub(super) fn directory(root: &Dir, kind: PvmKind) -> Result<Dir> {
    if let Some(dir) = root.enter(kind.as_str())? {
        return Ok(dir);
    }
    let place = root.place(kind.as_str());
    let made = root.make(kind.as_str()).map_err(|err| problem("create the directory", &place, err))?;
    let mode = Mode::from_raw_mode(root.about()?.mode & 0o777);
    fchmod(&made, mode).map_err(|err| problem("change the mode of", &place, err.into()))?;
    if let Some(owner) = adopt(root)? {
        owner.adopts(&made, &place)?;
    }
    root.sync()?;
    Ok(made)
}

/// Removes what a repair that was killed has left.
pub(super) fn sweep(dir: &Dir, feedback: &mut dyn Feedback) -> Result<()> {
    let place = dir.place(DRAFT);
    match dir.look(DRAFT)? {
        None => return Ok(()),
        Some(found) if found.kind == Kind::Directory => {
            return Err(Problem::new(Code::IoOther)
                .headline(format!("{} is in the way", place.display()))
                .because("it is a directory, which no repair leaves"));
        }
        Some(_) => {}
    }
    match dir.unlink(DRAFT) {
        Ok(()) => {
            let text = format!("Removed {}, which an interrupted repair had left", place.display());
            feedback.notice(Notice::Removed(&text));
            Ok(())
        }
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(()),
        Err(err) => Err(problem("remove", &place, err)),
    }
}

/// Writes one, which a crash leaves whole or not at all.
pub(super) fn write(dir: &Dir, name: Name, content: &[u8]) -> Result<()> {
    let place = dir.place(DRAFT);
    let failed = |doing: &str, err| problem(doing, &place, err);
    let about: Entry = dir.about()?;
    // Who may list the directory may read what is in it.
    let mode = about.mode & 0o666;
    let mut file: File = dir.create(DRAFT, 0o600).map_err(|err| failed("create", err))?;
    let mut write = || -> Result<()> {
        file.write_all(content).map_err(|err| failed("write", err))?;
        fchmod(&file, Mode::from_raw_mode(mode)).map_err(|err| failed("change the mode of", err.into()))?;
        if let Some(owner) = adopt(dir)? {
            owner.adopts(&file, &place)?;
        }
        sync_file(&file).map_err(|err| failed("sync", err))?;
        dir.move_over(DRAFT, dir, name.file()).map_err(|err| failed("rename", err))
    };
    write().inspect_err(|_| drop(dir.unlink(DRAFT)))?;
    dir.sync()
}

/// Whether a pre-image is there, and is what its name says.
pub(super) fn is_there(dir: &Dir, name: Name) -> Result<bool> {
    if name.0 == blake2b(&[]) {
        return Ok(true);
    }
    let Some(file) = dir.read(&name.file())? else { return Ok(false) };
    let mut content = Vec::new();
    let read = file.take(MAX_PRE_IMAGE + 1).read_to_end(&mut content);
    read.map_err(|err| problem("read", &dir.place(name.file()), err))?;
    Ok(content.len() as u64 <= MAX_PRE_IMAGE && blake2b(&content) == name.0)
}

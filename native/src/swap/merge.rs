//! Takes the operator's own pre-images over into the staged directory.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rollsnap_core::{Feedback, Result};
use rustix::fs::{AtFlags, fchmod, fchown, linkat, readlinkat, symlinkat};
use rustix::io::Errno;

use crate::dir::{Dir, Entry, Kind, sync_file};
use crate::io::problem;

/// What [`merge`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Files and links that were taken over.
    pub kept: u64,
    /// How many entries were not, because they are FIFOs, sockets or devices. The swap deletes them.
    pub skipped: u64,
    /// The first of those, and what it is.
    pub first_skipped: Option<(PathBuf, &'static str)>,
}

/// How deep directories below are followed. Nodes make none at all.
const DEPTH: usize = 16;

/// Takes over, from the directory `existing` into the staged one, everything that the staged one lacks: files and
/// links as hard links, or as copies where that cannot be; directories below with all that is in them. Links are
/// taken as they are, not followed.
///
/// # Errors
/// `io.*`, `cancelled`. The existing directory is never changed.
pub fn merge(existing: &Dir, staged: &Dir, feedback: &mut dyn Feedback) -> Result<Merged> {
    let mut merged = Merged::default();
    take_over(existing, staged, DEPTH, How::Linked, &mut merged, feedback)?;
    Ok(merged)
}

/// Copies everything in a directory, which stays as it is, into an empty one; FIFOs, sockets and devices are counted.
///
/// # Errors
/// As [`merge`].
pub(crate) fn copy_all(existing: &Dir, copy: &Dir, feedback: &mut dyn Feedback) -> Result<Merged> {
    let mut merged = Merged::default();
    take_over(existing, copy, DEPTH, How::Copied, &mut merged, feedback)?;
    let place = |error| problem("copy", copy.path(), error);
    like(copy, &existing.about()?).map_err(place)?;
    copy.sync()?;
    Ok(merged)
}

/// What becomes of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// They get another name, where the file system can do that.
    Linked,
    /// They are there twice.
    Copied,
}

fn take_over(
    existing: &Dir,
    staged: &Dir,
    depth: usize,
    how: How,
    merged: &mut Merged,
    feedback: &mut dyn Feedback,
) -> Result<()> {
    for name in existing.names()? {
        feedback.checkpoint()?;
        let name = Path::new(&name);
        let Some(found) = existing.look(name)? else { continue };
        let there = staged.look(name)?;
        let failed = |error| problem("take over", &existing.place(name), error);
        match found.kind {
            Kind::Directory if depth > 0 => {
                let inner = match there.map(|there| there.kind) {
                    None => Some(staged.make(name).map_err(failed)?),
                    Some(Kind::Directory) => staged.enter(name)?,
                    // The snapshot brings something else of this name.
                    Some(_) => None,
                };
                match (existing.enter(name)?, inner) {
                    (Some(from), Some(to)) => {
                        take_over(&from, &to, depth - 1, how, merged, feedback)?;
                        if how == How::Copied {
                            to.sync()?;
                        }
                        if there.is_none() {
                            like(&to, &found).map_err(failed)?;
                        }
                    }
                    _ => merged.skip(existing, name, found.kind),
                }
            }
            _ if there.is_some() => {}
            Kind::File if how == How::Copied => {
                copy(existing, staged, name).map_err(failed)?;
                merged.kept += 1;
            }
            Kind::File => {
                link_or(existing, staged, name, || copy(existing, staged, name)).map_err(failed)?;
                merged.kept += 1;
            }
            Kind::Link => {
                link_or(existing, staged, name, || {
                    let target = readlinkat(existing, name, Vec::new())?;
                    Ok(symlinkat(&*target, staged, name)?)
                })
                .map_err(failed)?;
                merged.kept += 1;
            }
            _ => merged.skip(existing, name, found.kind),
        }
    }
    Ok(())
}

impl Merged {
    fn skip(&mut self, dir: &Dir, name: &Path, kind: Kind) {
        self.skipped += 1;
        self.first_skipped.get_or_insert_with(|| (dir.place(name), kind.words()));
    }
}

/// A hard link, of a link to the link itself; or something else where the file system has none.
fn link_or(from: &Dir, to: &Dir, name: &Path, otherwise: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    match linkat(from, name, to, name, AtFlags::empty()).map_err(io::Error::from) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => otherwise(),
        linked => linked,
    }
}

/// The copy is whose the file is, so that nobody can read in it what he could not read before.
fn copy(from: &Dir, to: &Dir, name: &Path) -> io::Result<()> {
    let Some(mut file) = from.file(name).map_err(io::Error::other)? else {
        return Err(ErrorKind::NotFound.into());
    };
    let mut new = to.create(name, 0o600)?;
    io::copy(&mut file, &mut new)?;
    like(&new, &Entry::of_file(&file)?)?;
    set_time(&new, &file);
    sync_file(&new)
}

/// Owner and mode of what was taken over, as far as they can be given.
pub(crate) fn like(new: impl std::os::fd::AsFd, old: &Entry) -> io::Result<()> {
    use rustix::fs::{Gid, Mode, Uid};
    let new = new.as_fd();
    if !old.is_ours() {
        // Only root can, and only root has to: everybody else could read the file.
        match fchown(new, Some(Uid::from_raw(old.user)), Some(Gid::from_raw(old.group))) {
            Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS | Errno::INVAL) => {}
            other => other?,
        }
    }
    match fchmod(new, Mode::from_raw_mode(old.mode & 0o777)) {
        Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS | Errno::INVAL) => Ok(()),
        other => Ok(other?),
    }
}

/// For the eye only: pre-images are named by their content.
fn set_time(new: &File, old: &File) {
    if let Ok(time) = old.metadata().and_then(|metadata| metadata.modified()) {
        let _ = new.set_modified(time);
    }
}

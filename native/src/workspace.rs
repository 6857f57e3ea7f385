//! The hidden directory in which a command works: beside what it makes, or where temporary files go.
//!
//! It goes when the job ends, however it ends. Only a crash leaves one behind, and the next command that works
//! there removes it, unless an extraction can go on in it ([`crate::resume`]). What it may remove is not told by a name, which anybody can give to anything, but by what only
//! the maker of the directory can have put there: the directory is held open, belongs to the same user and is closed
//! to all others, and so does the empty file `owner` in it, on which a living job holds a lock. That file comes first
//! and goes last: a directory without it is empty, and is removed only as such. Everything else of this name is left
//! alone, with a line.

use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::{Error, ErrorKind};
use std::path::Path;

use rollsnap_core::feedback::Notice;
use rollsnap_core::{Code, Feedback, Problem, Result};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::dir::{Dir, Entry, Kind, MadeDirs};
use crate::io;
use crate::resume::Kept;

const PREFIX: &str = ".rollsnap-work-";
const OWNER: &str = "owner";

/// How a plan names a working directory before there is one.
pub(crate) const PLANNED: &str = ".rollsnap-work-*";

/// How often a directory may be taken for abandoned by another job before it is locked, or a name be taken.
const ATTEMPTS: u32 = 100;

/// A working directory; dropping it removes it.
#[derive(Debug)]
pub(crate) struct Workspace {
    parent: Dir,
    name: String,
    dir: Dir,
    removed: bool,
    /// What was made for it; goes after it.
    made: Option<MadeDirs>,
    /// Locked while the job lives.
    _owner: File,
}

impl Workspace {
    /// Makes one in the directory `parent`, which is made if missing.
    pub(crate) fn create(parent: &Path, feedback: &mut dyn Feedback) -> Result<Self> {
        let made = MadeDirs::create(parent)?;
        let mut workspace = Self::within(made.dir(), feedback)?;
        workspace.made = Some(made);
        Ok(workspace)
    }

    /// Makes one for temporary files: in this directory, or in the system's.
    pub(crate) fn temporary(place: Option<&Path>, feedback: &mut dyn Feedback) -> Result<Self> {
        let place = place.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let failed = |err: Problem| match err.code() {
            // Nothing that was to be read is missing.
            Code::IoNotFound => Problem::new(Code::IoOther)
                .headline(format!("cannot create a working directory in {}", place.display()))
                .because(err.cause().unwrap_or_default()),
            _ => err,
        };
        Self::within(&Dir::open(&place).map_err(failed)?, feedback)
    }

    /// Removes what interrupted commands have left where [`Workspace::temporary`] would make one.
    pub(crate) fn sweep_temporary(place: Option<&Path>, feedback: &mut dyn Feedback) {
        let place = place.map_or_else(std::env::temp_dir, Path::to_path_buf);
        // What is wrong with the place is told when it is needed.
        if let Ok(place) = Dir::open(&place) {
            sweep(&place, feedback);
        }
    }

    /// Makes one in a directory.
    pub(crate) fn within(parent: &Dir, feedback: &mut dyn Feedback) -> Result<Self> {
        sweep(parent, feedback);
        let create = || {
            for _ in 0..ATTEMPTS {
                let name = format!("{PREFIX}{:016x}", RandomState::new().hash_one(std::process::id()));
                let dir = match parent.make(&name) {
                    // The sweep of another job can remove it before it is marked.
                    Err(err) if matches!(err.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => {
                        continue;
                    }
                    other => other?,
                };
                match own(&dir) {
                    Ok(Some(owner)) => return Ok((name, dir, owner)),
                    Ok(None) => {}
                    Err(err) => {
                        // What goes wrong with it is told.
                        let _ = parent.remove_held(&name, &dir);
                        return Err(err);
                    }
                }
            }
            Err(Error::other("others keep removing it"))
        };
        let (name, dir, owner) =
            create().map_err(|err| io::problem("create a working directory in", parent.path(), err))?;
        Ok(Self { parent: parent.clone(), name, dir, removed: false, made: None, _owner: owner })
    }

    /// Takes over one in a directory that an interrupted command has left, if `fits` says so.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(crate) fn adopt(parent: &Dir, mut fits: impl FnMut(&Dir) -> bool) -> Result<Option<Self>> {
        for name in parent.names()? {
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
            let Ok(Ok((dir, owner))) = abandoned(parent, name) else { continue };
            if fits(&dir) {
                let (parent, name) = (parent.clone(), name.into());
                return Ok(Some(Self { parent, name, dir, removed: false, made: None, _owner: owner }));
            }
        }
        Ok(None)
    }

    /// Leaves it for a command that goes on in it.
    pub(crate) fn keep(mut self) {
        self.removed = true;
    }

    /// Its path, for what can only be told a path: the database engine.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn held(&self) -> &Dir {
        &self.dir
    }

    /// The directory in which it was made.
    pub(crate) fn parent(&self) -> &Dir {
        &self.parent
    }

    /// Removes it after the job is done, and says so if that fails.
    pub(crate) fn remove(mut self, feedback: &mut dyn Feedback) {
        self.removed = true;
        if let Some(made) = self.made.take() {
            made.keep();
        }
        if let Err(problem) = clear(&self.parent, &self.name, &self.dir) {
            feedback.notice(Notice::NotRemoved(&format!(
                "What was to be done is done, but the working directory {} could not be removed: {problem}. \
                 The next command that works there tries again",
                self.dir.path().display()
            )));
        }
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if !self.removed {
            // Nobody is there to be told; the next job tries again.
            let _ = clear(&self.parent, &self.name, &self.dir);
        }
    }
}

/// Marks a new directory. `None` when the sweep of another job has been faster.
fn own(dir: &Dir) -> std::io::Result<Option<File>> {
    let owner = match dir.create(OWNER, 0o600) {
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    match flock(&owner, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => return Ok(None),
        // Where there are no locks, nobody who looks can take it either, and so nobody removes the directory.
        other => without_locks(other)?,
    }
    Ok((Entry::of_file(&owner)?.links > 0).then_some(owner))
}

/// A lock that is not there harms nobody but what a killed command leaves, which stays.
fn without_locks(result: Result<(), Errno>) -> std::io::Result<()> {
    match result {
        Err(Errno::NOLCK | Errno::NOSYS | Errno::NOTSUP | Errno::INVAL) => Ok(()),
        other => Ok(other?),
    }
}

/// Removes the directory that is held, the marked file last.
fn clear(parent: &Dir, name: &str, dir: &Dir) -> Result<()> {
    dir.clear(Some(OWNER))?;
    parent.remove_held(name, dir)
}

/// Removes what interrupted jobs left in a directory. Whatever cannot be removed stays: it is
/// in nobody's way.
fn sweep(parent: &Dir, feedback: &mut dyn Feedback) {
    let Ok(names) = parent.names() else { return };
    for name in names.iter().filter_map(|name| name.to_str()).filter(|name| name.starts_with(PREFIX)) {
        let path = parent.place(name);
        match remove_abandoned(parent, name) {
            Leftover::Removed => {
                feedback.notice(Notice::Removed(&format!(
                    "Removed {}, left by an interrupted command",
                    path.display()
                )));
            }
            Leftover::Foreign(why) => {
                feedback.notice(Notice::Kept(&format!("Left {} alone: {why}", path.display())));
            }
            Leftover::InUse => {}
        }
    }
}

/// What has the name of a working directory.
enum Leftover {
    /// It was abandoned, and is gone.
    Removed,
    /// A job works in it, or it is gone already.
    InUse,
    /// It is not what a command of this user has made.
    Foreign(String),
}

fn remove_abandoned(parent: &Dir, name: &str) -> Leftover {
    judge(parent, name).unwrap_or_else(|problem| Leftover::Foreign(problem.to_string()))
}

fn judge(parent: &Dir, name: &str) -> Result<Leftover> {
    let (dir, _owner) = match abandoned(parent, name)? {
        Ok(abandoned) => abandoned,
        Err(leftover) => return Ok(leftover),
    };
    if let Some(kept) = Kept::find(&dir)? {
        let what = &kept.record.snapshot.name;
        return Ok(Leftover::Foreign(format!(
            "an interrupted command on {what} can go on there (--restart removes it)"
        )));
    }
    clear(parent, name, &dir)?;
    Ok(Leftover::Removed)
}

/// One that no job works in, with its lock, if a command of this user has made it.
fn abandoned(parent: &Dir, name: &str) -> Result<Result<(Dir, File), Leftover>> {
    let foreign = |why: &str| Ok(Err(Leftover::Foreign(why.to_owned())));
    match parent.look(name)? {
        None => return Ok(Err(Leftover::InUse)),
        Some(found) if found.kind != Kind::Directory => {
            return foreign(&format!("it is {}", found.kind.words()));
        }
        // Where everybody keeps things of his own, those of others are nothing to speak of.
        Some(found) if !found.is_ours() && parent.about()?.mode & 0o1000 != 0 => {
            return Ok(Err(Leftover::InUse));
        }
        Some(found) if !found.is_ours() => return foreign("it belongs to another user"),
        Some(_) => {}
    }
    let Some(dir) = parent.enter(name)? else { return Ok(Err(Leftover::InUse)) };
    if !parent.keeps_private(&dir.about()?) {
        return foreign("others may write to it");
    }
    match dir.look(OWNER)? {
        // If a job is just about to mark it, it makes another.
        None if dir.names()?.is_empty() => {
            let is_removed = parent.remove_held(name, &dir).is_ok();
            return Ok(Err(if is_removed { Leftover::Removed } else { Leftover::InUse }));
        }
        None => return foreign("no command has marked it as its own"),
        Some(owner) if owner.kind != Kind::File => {
            return foreign(&format!("the file {OWNER} in it is {}", owner.kind.words()));
        }
        Some(_) => {}
    }
    let Some(owner) = dir.file(OWNER)? else { return Ok(Err(Leftover::InUse)) };
    let about = Entry::of_file(&owner).map_err(|err| io::problem("look at", &dir.place(OWNER), err))?;
    if !parent.keeps_private(&about) || about.links > 1 || about.len > 0 {
        return foreign(&format!("the file {OWNER} in it is not what a command makes"));
    }
    // Without a name it was removed, by whoever made it.
    if about.links == 0 || flock(&owner, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(Err(Leftover::InUse));
    }
    Ok(Ok((dir, owner)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use rollsnap_core::feedback::Phase;

    use super::*;

    #[derive(Default)]
    struct Notes(Vec<String>);

    impl Feedback for Notes {
        fn phase(&mut self, _: Phase) {}
        fn advance(&mut self, _: u64) {}
        fn note(&mut self, text: &str) {
            self.0.push(text.into());
        }
    }

    #[test]
    fn a_living_job_keeps_its_directory_and_a_dead_one_does_not() {
        let temp = tempfile::tempdir().unwrap();
        let mut notes = Notes::default();
        let living = Workspace::create(temp.path(), &mut notes).unwrap();
        fs::write(living.dir().join("data"), "x").unwrap();
        let dead = temp.path().join(".rollsnap-work-dead");
        fs::create_dir_all(dead.join("deep")).unwrap();
        fs::write(dead.join("owner"), "").unwrap();
        fs::write(dead.join("deep/data"), "x").unwrap();
        fs::create_dir(temp.path().join(".rollsnap-work-empty")).unwrap();
        let another = Workspace::create(temp.path(), &mut notes).unwrap();
        assert!(!dead.exists() && living.dir().join("data").exists());
        assert_eq!(notes.0.len(), 2, "{:?}", notes.0);
        assert!(notes.0.iter().all(|note| note.contains("left by an interrupted command")));
        let mode = fs::metadata(another.dir()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        drop((living, another));
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0);
    }

    /// Each of these stays, with a line, and so does what it leads to.
    #[test]
    fn what_is_not_proved_to_be_ours_is_left_alone() {
        type Plant = fn(&Path, &Path);
        let plants: [(&str, Plant); 8] = [
            ("a symbolic link", |at, victim| symlink(victim, at).unwrap()),
            ("a regular file", |at, _| fs::write(at, "x").unwrap()),
            ("no command has marked it", |at, _| {
                fs::create_dir(at).unwrap();
                fs::write(at.join("data"), "x").unwrap();
            }),
            ("is a symbolic link", |at, victim| {
                fs::create_dir(at).unwrap();
                symlink(victim.join("file"), at.join("owner")).unwrap();
            }),
            ("is a directory", |at, _| fs::create_dir_all(at.join("owner")).unwrap()),
            ("is not what a command makes", |at, victim| {
                fs::create_dir(at).unwrap();
                fs::hard_link(victim.join("empty"), at.join("owner")).unwrap();
            }),
            ("is not what a command makes", |at, _| {
                fs::create_dir(at).unwrap();
                fs::write(at.join("owner"), "mine").unwrap();
            }),
            ("others may write to it", |at, _| {
                fs::create_dir(at).unwrap();
                fs::write(at.join("owner"), "").unwrap();
                fs::set_permissions(at, fs::Permissions::from_mode(0o777)).unwrap();
            }),
        ];
        for (why, plant) in plants {
            let temp = tempfile::tempdir().unwrap();
            let (here, victim) = (temp.path().join("here"), temp.path().join("victim"));
            fs::create_dir(&here).unwrap();
            fs::create_dir(&victim).unwrap();
            fs::write(victim.join("file"), "precious").unwrap();
            fs::write(victim.join("empty"), "").unwrap();
            let at = here.join(".rollsnap-work-planted");
            plant(&at, &victim);
            let mut notes = Notes::default();
            drop(Workspace::create(&here, &mut notes).unwrap());
            assert!(at.symlink_metadata().is_ok(), "{why}");
            assert!(notes.0.len() == 1 && notes.0[0].contains(why), "{why}: {:?}", notes.0);
            assert_eq!(fs::read_dir(&victim).unwrap().count(), 2, "{why}");
        }
    }

    #[test]
    fn a_fifo_in_the_place_of_the_owner_is_not_waited_for() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap().make(".rollsnap-work-fifo").unwrap();
        rustix::fs::mknodat(&dir, "owner", rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
        let mut notes = Notes::default();
        drop(Workspace::create(temp.path(), &mut notes).unwrap());
        assert!(notes.0[0].contains("is a FIFO"), "{:?}", notes.0);
    }
}

//! A directory that a job needs, with what was made for it.

use std::ffi::OsString;
use std::path::Path;

use rollsnap_core::{Code, Problem, Result};
use rustix::fs::{Mode, mkdirat};
use rustix::io::Errno;

use super::{Dir, Owner};
use crate::io::{not_an_address, problem};

/// A directory that a job needs. What was made for it is removed again, as far as it is empty, when this is
/// dropped, unless it is kept.
#[derive(Debug)]
pub struct MadeDirs {
    dir: Dir,
    /// Those that were made, the outermost first: where, under which name, and itself.
    made: Vec<(Dir, OsString, Dir)>,
}

impl MadeDirs {
    /// Opens the directory that the operator names; it and those above it are made as far as they are missing.
    ///
    /// # Errors
    /// [`Code::Usage`](rollsnap_core::Code::Usage) for an address, any `io.*` code.
    pub fn create(path: &Path) -> Result<Self> {
        not_an_address(path)?;
        let mut made = Vec::new();
        match make(path, &mut made) {
            Ok(dir) => Ok(Self { dir, made }),
            Err(problem) => {
                remove(&made);
                Err(problem)
            }
        }
    }

    /// The directory.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// The directory in which the outermost one was made; `None` when nothing was made.
    pub(crate) fn made_in(&self) -> Option<&Dir> {
        self.made.first().map(|(above, _, _)| above)
    }

    /// Gives what was made to somebody else; `asked`: because the user has said so.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(crate) fn give(&self, owner: &Owner, asked: bool) -> Result<()> {
        self.made.iter().try_for_each(|(_, _, made)| match asked {
            true => owner.takes(made, made.path()),
            false => owner.adopts(made, made.path()),
        })
    }

    /// The directories stay.
    pub fn keep(mut self) {
        self.made.clear();
    }
}

impl Drop for MadeDirs {
    fn drop(&mut self) {
        remove(&self.made);
    }
}

fn remove(made: &[(Dir, OsString, Dir)]) {
    for (above, name, _) in made.iter().rev() {
        // Stops at the first that is not empty, and all above it are not either.
        if above.rmdir(name).is_err() {
            break;
        }
    }
}

fn make(path: &Path, made: &mut Vec<(Dir, OsString, Dir)>) -> Result<Dir> {
    let failed = |err: Errno| problem("create the directory", path, err.into());
    match Dir::open_if_there(path) {
        Ok(Some(dir)) => return Ok(dir),
        Ok(None) => {}
        Err(problem) => {
            return Err(match problem.cause() {
                Some(cause) => Problem::new(problem.code())
                    .headline(format!("cannot create the directory {}", path.display()))
                    .because(cause),
                None => problem,
            });
        }
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(refused(path, Errno::NOENT));
    };
    let above = make(parent, made)?;
    match mkdirat(&above, Path::new(name), Mode::from_raw_mode(0o755)) {
        // A link that leads nowhere, or another job has made it at this moment.
        Err(Errno::EXIST) => return above.enter(name)?.ok_or_else(|| refused(path, Errno::NOENT)),
        Err(Errno::NOENT) => return Err(refused(path, Errno::NOENT)),
        other => other.map_err(failed)?,
    }
    let dir = above.enter(name)?.ok_or_else(|| refused(path, Errno::NOENT))?;
    made.push((above, name.into(), dir.clone()));
    Ok(dir)
}

/// Nothing that was to be read is missing: the system does not allow it.
fn refused(path: &Path, err: Errno) -> Problem {
    Problem::new(Code::IoOther)
        .headline(format!("cannot create the directory {}", path.display()))
        .because(std::io::Error::from(err))
}

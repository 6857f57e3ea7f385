//! Steps 4 to 6: the renames, forwards and back. Every step looks first whether it is done.

use std::io::{Error, ErrorKind};
use std::path::Path;

use rollsnap_core::{Code, Problem, Result};

use super::home::{DONE, Home, JOURNAL};
use super::journal::Entry;
use crate::dir::Dir;
use crate::io::problem;

/// Which state the moves have led to.
pub(super) enum Settled {
    /// Everything new is in place; the marker `done` allows to delete what it replaced.
    New,
    /// A move was refused, for this reason: everything is as before and the journal is gone.
    Old(Problem),
}

/// Carries the plan out, or takes it back if the operating system refuses a step. An error means
/// that both failed and that the journal is still in force.
pub(super) fn carry_out(at: &Home, entries: &[Entry]) -> Result<Settled> {
    let refusal = match forwards(at, entries) {
        Ok(()) => return at.dir.sync().map(|()| Settled::New).map_err(unfinished),
        Err(refusal) => refusal,
    };
    match backwards(at, entries).and_then(|()| drop_journal(at)) {
        Ok(()) => Ok(Settled::Old(refusal)),
        Err(_) => Err(unfinished(refusal)),
    }
}

/// Takes the journal out of force. Only while nothing is moved.
pub(super) fn drop_journal(at: &Home) -> Result<()> {
    let failed = |error| problem("delete the journal", &at.dir.place(JOURNAL), error);
    at.dir.unlink(JOURNAL).map_err(failed)?;
    at.dir.sync()
}

fn forwards(at: &Home, entries: &[Entry]) -> Result<()> {
    let Home { root, dir, .. } = at;
    let (new, old) = (at.new_dir()?, at.old_dir()?);
    for entry in entries {
        let name = entry.change.name();
        let waits = !entry.replaces() || new.has(name)?;
        if waits && entry.was_there() && !old.has(name)? && root.has(name)? {
            rename(root, old, name)?;
        }
    }
    old.sync()?;
    root.sync()?;
    for entry in entries {
        let name = entry.change.name();
        if entry.replaces() && new.has(name)? {
            rename(new, root, name)?;
        }
    }
    root.sync()?;
    new.sync()?;
    dir.move_to_new(JOURNAL, dir, DONE).map_err(|error| refused(&dir.place(JOURNAL), error))
}

fn backwards(at: &Home, entries: &[Entry]) -> Result<()> {
    let Home { root, .. } = at;
    let (new, old) = (at.new_dir()?, at.old_dir()?);
    for entry in entries {
        let name = entry.change.name();
        if entry.replaces() && !new.has(name)? && (old.has(name)? || !entry.was_there()) {
            rename(root, new, name)?;
        }
    }
    new.sync()?;
    root.sync()?;
    for entry in entries {
        let name = entry.change.name();
        if old.has(name)? {
            rename(old, root, name)?;
        }
    }
    root.sync()?;
    old.sync()
}

/// Moves an entry to where nothing has its name.
fn rename(from: &Dir, to: &Dir, name: &str) -> Result<()> {
    from.move_to_new(name, to, name).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Problem::new(Code::IoOther)
            .headline("something has appeared at the place of an imported entry")
            .path(to.place(name).display()),
        _ => refused(&from.place(name), error),
    })
}

fn refused(from: &Path, error: Error) -> Problem {
    let advice = match error.kind() {
        ErrorKind::ResourceBusy | ErrorKind::CrossesDevices => {
            Some(format!("{error}; is it a mount point? Then unmount it, or empty it by hand"))
        }
        _ => None,
    };
    let found = problem("move", from, error);
    match advice {
        Some(advice) => found.because(advice),
        None => found,
    }
}

fn unfinished(refusal: Problem) -> Problem {
    Problem::new(Code::ImportUnfinished)
        .headline("it stopped half-way, and the next run goes on with it")
        .because(refusal)
}

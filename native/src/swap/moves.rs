//! Steps 4 to 6: the renames, forwards and back. Every step looks first whether it is done.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use rollsnap_core::{Code, Problem, Result};

use super::Layout;
use super::files::{exists, problem, sync_dir};
use super::journal::Entry;

/// Which state the moves have led to.
pub(super) enum Settled {
    /// Everything new is in place; the marker `done` allows to delete what it replaced.
    New,
    /// A move was refused, for this reason: everything is as before and the journal is gone.
    Old(Problem),
}

/// Carries the plan out, or takes it back if the operating system refuses a step. An error means
/// that both failed and that the journal is still in force.
pub(super) fn settle(at: &Layout, entries: &[Entry]) -> Result<Settled> {
    let refusal = match forwards(at, entries) {
        Ok(()) => return sync_dir(&at.home).map(|()| Settled::New).map_err(unfinished),
        Err(refusal) => refusal,
    };
    match backwards(at, entries).and_then(|()| drop_journal(at)) {
        Ok(()) => Ok(Settled::Old(refusal)),
        Err(_) => Err(unfinished(refusal)),
    }
}

/// Takes the journal out of force. Only while nothing is moved.
pub(super) fn drop_journal(at: &Layout) -> Result<()> {
    fs::remove_file(&at.journal).map_err(|error| problem("delete the journal", &at.journal, &error))?;
    sync_dir(&at.home)
}

fn forwards(at: &Layout, entries: &[Entry]) -> Result<()> {
    for entry in entries {
        let (root, new, old) = at.places(entry);
        let waits = !entry.replaces() || exists(&new)?;
        if waits && entry.was_there() && !exists(&old)? && exists(&root)? {
            rename(&root, &old)?;
        }
    }
    sync_dir(&at.old)?;
    sync_dir(&at.root)?;
    for entry in entries {
        let (root, new, _) = at.places(entry);
        if entry.replaces() && exists(&new)? {
            if exists(&root)? {
                return Err(Problem::new(Code::IoOther)
                    .headline("something has appeared at the place of an imported entry")
                    .path(root.display()));
            }
            rename(&new, &root)?;
        }
    }
    sync_dir(&at.root)?;
    sync_dir(&at.new)?;
    rename(&at.journal, &at.done)
}

fn backwards(at: &Layout, entries: &[Entry]) -> Result<()> {
    for entry in entries {
        let (root, new, old) = at.places(entry);
        if entry.replaces() && !exists(&new)? && (exists(&old)? || !entry.was_there()) {
            rename(&root, &new)?;
        }
    }
    sync_dir(&at.new)?;
    sync_dir(&at.root)?;
    for entry in entries {
        let (root, _, old) = at.places(entry);
        if exists(&old)? {
            if exists(&root)? {
                return Err(Problem::new(Code::IoOther).path(root.display()));
            }
            rename(&old, &root)?;
        }
    }
    sync_dir(&at.root)?;
    sync_dir(&at.old)
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|error| {
        let found = problem("move", from, &error);
        match error.kind() {
            ErrorKind::ResourceBusy | ErrorKind::CrossesDevices => {
                found.because(format!("{error}; is it a mount point? Then unmount it, or empty it by hand"))
            }
            _ => found,
        }
    })
}

fn unfinished(refusal: Problem) -> Problem {
    Problem::new(Code::ImportUnfinished)
        .headline("the import stopped half-way, and the next run goes on with it")
        .because(refusal)
}

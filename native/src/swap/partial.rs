//! An entry that took long to make, kept when an import ends before it is complete: the next one goes on with it.
//!
//! It is the context, whose commits are computed one by one, and which is whole after each of them. The file `partial`
//! says what it belongs to, in words of the import. As long as it is there, `new/context`, or `kept` if that is there,
//! is worth keeping:
//!
//! | found                      | which one counts | when                                            |
//! |----------------------------|------------------|-------------------------------------------------|
//! | `partial`, `new/context`   | that one         | while it is made, and until it is put in place  |
//! | `partial`, `kept`          | `kept`           | after the run was interrupted, and while the next one extracts its own |
//! | no `partial`               | none             | everything else                                 |
//!
//! What was unpacked of a snapshot can be gone on with as well ([`crate::resume`]): as long as the file `resume` is there, all of
//! the staging directory stays as it is.
//!
//! Each step between these is one rename or one deletion, and `partial` is written and synced after what it speaks of,
//! and deleted before it.

use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use rollsnap_core::feedback::Notice;
use rollsnap_core::members::CONTEXT;
use rollsnap_core::{Feedback, Result};

use super::home::{DRAFT, Home, KEPT, NEW, OLD, PARTIAL};
use super::state::{self, State};
use super::{STAGING_NAME, Staging, find, moves, recover};
use crate::dir::{Dir, sync_file};
use crate::io::problem;
use crate::resume::{Kept, RECORD};

/// Longest text that says what is kept, in bytes.
const MAX_TEXT: u64 = 4096;

impl Home {
    /// Opens what holds a kept entry and nothing else; or makes an empty one.
    pub(super) fn partial_or_new(root: Dir) -> Result<Self> {
        match Self::find(root.clone())? {
            Some(at) if at.dir.names()? == [KEPT, PARTIAL] || at.is_unpacked()? => Ok(at),
            _ => Self::make(root),
        }
    }

    /// Whether a job can go on with what was unpacked.
    pub(super) fn is_unpacked(&self) -> Result<bool> {
        Ok(self.new.is_some() && self.dir.has(RECORD)?)
    }

    /// Deletes what was made for a plan that was not carried out.
    fn take_back_plan(&self) -> Result<()> {
        unlink(&self.dir, DRAFT)?;
        match &self.old {
            Some(old) if self.nothing_is_old()? => self.dir.remove_held(OLD, old),
            _ => Ok(()),
        }
    }

    /// Deletes it, but for an entry that is worth keeping, or all that was unpacked. It has no journal in force.
    pub(super) fn discard_or_keep(&self) -> Result<()> {
        if self.is_unpacked()? || self.set_aside()? { Ok(()) } else { self.discard() }
    }

    /// Moves the entry that is worth keeping to `kept`, and deletes all else; whether there is one.
    fn set_aside(&self) -> Result<bool> {
        if !self.dir.has(PARTIAL)? {
            return Ok(false);
        }
        if !self.dir.has(KEPT)? {
            let Some(new) = &self.new else { return Ok(false) };
            if !new.has(CONTEXT)? {
                return Ok(false);
            }
            let moved = new.move_to_new(CONTEXT, &self.dir, KEPT);
            moved.map_err(|error| problem("move", &new.place(CONTEXT), error))?;
            self.dir.sync()?;
        }
        for (name, held) in [(NEW, &self.new), (OLD, &self.old)] {
            if let Some(held) = held {
                self.dir.remove_held(name, held)?;
            }
        }
        unlink(&self.dir, DRAFT)?;
        self.dir.sync()?;
        Ok(true)
    }

    /// Nothing is worth keeping any more.
    pub(super) fn forget_partial(&self) -> Result<()> {
        if !self.dir.has(PARTIAL)? {
            return Ok(());
        }
        unlink(&self.dir, PARTIAL)?;
        self.dir.sync()
    }
}

impl Staging {
    /// The staged context is worth keeping from now on, whatever happens but a call of [`Staging::forget`]: it is of
    /// what the text says.
    ///
    /// # Errors
    /// `io.*`.
    pub fn keep(&mut self, text: &str, feedback: &dyn Feedback) -> Result<()> {
        self.durable.sync_one(&self.new, CONTEXT, feedback)?;
        let place = self.at.dir.place(PARTIAL);
        let failed = |error| problem("write", &place, error);
        unlink(&self.at.dir, PARTIAL)?;
        let mut file = self.at.dir.create(PARTIAL, 0o600).map_err(failed)?;
        self.partial = true;
        file.write_all(text.as_bytes()).map_err(failed)?;
        sync_file(&file).map_err(failed)?;
        self.at.dir.sync()
    }

    /// What an earlier run has kept: the text, and the entry.
    ///
    /// # Errors
    /// `io.*`.
    pub fn kept(&self) -> Result<Option<(String, Dir)>> {
        let (Some(kept), Some(file)) = (self.at.dir.enter(KEPT)?, self.at.dir.file(PARTIAL)?) else {
            return Ok(None);
        };
        let mut text = Vec::new();
        let read = file.take(MAX_TEXT).read_to_end(&mut text);
        read.map_err(|error| problem("read", &self.at.dir.place(PARTIAL), error))?;
        Ok(Some((String::from_utf8_lossy(&text).into_owned(), kept)))
    }

    /// What an earlier run has kept takes the place of the staged one.
    ///
    /// # Errors
    /// `io.*`.
    pub fn use_kept(&mut self) -> Result<()> {
        if let Some(staged) = self.new.enter(CONTEXT)? {
            self.new.remove_held(CONTEXT, &staged)?;
        }
        let moved = self.at.dir.move_to_new(KEPT, &self.new, CONTEXT);
        moved.map_err(|error| problem("move", &self.at.dir.place(KEPT), error))?;
        self.partial = true;
        self.new.sync()?;
        self.at.dir.sync()
    }

    /// What an earlier run has kept is of no use.
    ///
    /// # Errors
    /// `io.*`.
    pub fn drop_kept(&mut self) -> Result<()> {
        self.at.forget_partial()?;
        if let Some(kept) = self.at.dir.enter(KEPT)? {
            self.at.dir.remove_held(KEPT, &kept)?;
        }
        self.at.dir.sync()
    }

    /// What is kept is in its place already, where an earlier run has rebuilt it: whether it is of what the text says.
    ///
    /// # Errors
    /// `io.*`.
    pub fn is_in_place(&mut self, text: &str) -> Result<bool> {
        let Some(file) = self.at.dir.file(PARTIAL)?.filter(|_| self.unpacked) else { return Ok(false) };
        let mut its = Vec::new();
        let read = file.take(MAX_TEXT).read_to_end(&mut its);
        read.map_err(|error| problem("read", &self.at.dir.place(PARTIAL), error))?;
        self.partial = its == text.as_bytes();
        Ok(self.partial)
    }

    /// Whether an entry of this run is kept if it fails.
    pub fn is_kept(&self) -> bool {
        self.partial
    }

    /// What this run has made is not worth keeping.
    ///
    /// # Errors
    /// `io.*`.
    pub fn forget(&mut self) -> Result<()> {
        if !core::mem::take(&mut self.partial) {
            return Ok(());
        }
        self.at.forget_partial()
    }
}

/// Like [`recover`], but what is worth keeping of an interrupted run is kept for the one that follows, which finds it in
/// [`Staging::kept`]. Whether anything is.
///
/// # Errors
/// As [`recover`].
pub fn recover_but_partial(root: &Path, feedback: &mut dyn Feedback) -> Result<bool> {
    let Some(at) = find(root)? else { return Ok(false) };
    if at.new.is_some() && Kept::find(&at.dir)?.is_some() {
        let state = state::look(&at)?;
        // It was about to put in place what is all there.
        if matches!(state, State::Untouched) {
            moves::drop_journal(&at)?;
        }
        if matches!(state, State::Uncommitted | State::Untouched) {
            at.take_back_plan()?;
            return Ok(true);
        }
    }
    if at.dir.has(RECORD)? {
        Kept::forget(&at.dir)?;
    }
    if matches!(state::look(&at)?, State::Uncommitted) && at.set_aside()? {
        feedback.notice(Notice::Recovered(&format!(
            "An earlier import into {} was interrupted before it changed anything; what it had rebuilt of the context \
             is still in {STAGING_NAME}",
            root.display()
        )));
        return Ok(true);
    }
    recover(root, feedback)?;
    Ok(false)
}

fn unlink(dir: &Dir, name: &str) -> Result<()> {
    match dir.unlink(name) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(problem("remove", &dir.place(name), error)),
        _ => Ok(()),
    }
}

//! What the rules ask of a store, whatever it lies in: a database read by an engine or without
//! one, or the files of an older version.

use alloc::string::String;
use core::fmt;

use super::{RawValue, Side, State, Walked};
use crate::chain::{Block, Chain};
use crate::feedback::Feedback;
use crate::hash::{CommitmentHash, ContextHash};
use crate::problem::Result;

/// A store that can be read. Every method fails when the store cannot be read, or says something
/// there that no node writes.
pub trait Rows {
    /// Looks at all of the store, before anything in it is believed: that it hangs together, and that no value is longer
    /// than a node writes it.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`](crate::Code::StoreDamaged), [`Code::StoreValue`](crate::Code::StoreValue),
    /// [`Code::Cancelled`](crate::Code::Cancelled).
    fn examine(&mut self, feedback: &dyn Feedback) -> Result<()> {
        feedback.checkpoint()
    }

    /// The newest block (rule E5).
    ///
    /// # Errors
    /// [`Code::StoreNoHead`](crate::Code::StoreNoHead).
    fn head(&self) -> Result<Block>;

    /// The oldest level whose block has a context on disk (rule E6).
    ///
    /// # Errors
    /// [`Code::StoreNoContext`](crate::Code::StoreNoContext).
    fn first_available(&self) -> Result<i32>;

    /// What the node remembers about where it is.
    ///
    /// # Errors
    /// As above.
    fn state(&self) -> Result<State>;

    /// The block that the index of levels names at a level.
    ///
    /// # Errors
    /// As above.
    fn block_at(&self, level: i32) -> Result<Option<Block>>;

    /// The highest level in the index of levels.
    ///
    /// # Errors
    /// As above.
    fn top_level(&self) -> Result<Option<i32>>;

    /// The lowest level in the index of levels.
    ///
    /// # Errors
    /// As above.
    fn lowest_level(&self) -> Result<Option<i32>> {
        self.first_available().map(Some)
    }

    /// Every block of the index of levels that has a context: its level, and the commit.
    ///
    /// # Errors
    /// As above.
    fn contexts(&self, each: &mut dyn FnMut(i32, ContextHash)) -> Result<()> {
        let (first, top) = (self.first_available()?, self.top_level()?.unwrap_or(i32::MIN));
        let mut missing = 0;
        for level in first..=top {
            missing += 1;
            if let Some(block) = self.block_at(level)? {
                missing = 0;
                block.context.into_iter().for_each(|context| each(level, context));
            }
            // Levels are contiguous: after a gap like this the last one was invented.
            if missing == 1000 {
                break;
            }
        }
        Ok(())
    }

    /// Every record of a publication, in any order.
    ///
    /// # Errors
    /// As above.
    fn publications(&self, each: &mut dyn FnMut(Publication)) -> Result<()>;

    /// Every row of a table beside the chain, in any order: the values of [`Side::columns`], and what [`Side`] says is
    /// added. Of tables that the chain names rows of, only those that it does not name where it was walked.
    ///
    /// # Errors
    /// As above, those of `each`, and [`Code::Cancelled`](crate::Code::Cancelled).
    fn side(
        &mut self,
        side: Side,
        walked: Walked,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(&[RawValue<'_>]) -> Result<()>,
    ) -> Result<()>;

    /// Whether it lies in files, as before version 5.
    fn is_in_files(&self) -> bool {
        false
    }

    /// Lets `read` follow the blocks of the store.
    ///
    /// # Errors
    /// Those of `read`.
    fn with_chain<T>(&mut self, read: impl FnOnce(&mut dyn Chain) -> Result<T>) -> Result<T>;
}

/// What names a commitment. The text of a hash costs more than all that is checked about its publication, so it is made
/// where it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitmentName {
    /// Its hash.
    Hash(CommitmentHash),
    /// What stands in the place of its hash; empty where there is nothing.
    Text(String),
}

impl CommitmentName {
    /// Whether it is the commitment of this hash, which has this text.
    pub(super) fn is(&self, hash: &CommitmentHash, text: &str) -> bool {
        match self {
            Self::Hash(own) => own == hash,
            Self::Text(own) => own == text,
        }
    }
}

impl fmt::Display for CommitmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hash(hash) => hash.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// The record that a commitment was published. A level that is not recorded is `None`, and so is
/// one that no level can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The commitment.
    pub commitment: CommitmentName,
    /// The level at which layer 1 first saw it.
    pub first_level: Option<i32>,
    /// The level at which this operator published it.
    pub own_level: Option<i32>,
    /// Whether the commitment is in the store.
    pub known: bool,
    /// Its inbox level, if it is.
    pub inbox_level: Option<i32>,
}

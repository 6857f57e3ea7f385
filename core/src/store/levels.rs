//! The levels of a store, one by one: what is at each, as the store says it.
//!
//! Nothing is judged here; that is *Consistent*. Memory: one level.

use alloc::format;
use alloc::string::{String, ToString};

use serde::Serialize;

use super::{Mark, Rows};
use crate::chain::{Chain, Entry, Found, Stored};
use crate::code::Code;
use crate::feedback::Feedback;
use crate::hash::{BlockHash, CommitmentHash, ContextHash, InboxHash, StateHash};
use crate::problem::{Place, Problem, Result};

/// So many levels in a row without a block are no part of a chain: the last one was invented.
const MAX_GAP: u32 = 1000;

/// What a store has at a level.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Level {
    /// The level.
    pub level: i32,
    /// The block that the index of levels names.
    pub block: Option<BlockHash>,
    /// The block before it.
    pub predecessor: Option<BlockHash>,
    /// The commit of its context, where one was written to disk. Whether it is still there, the context knows.
    pub context: Option<ContextHash>,
    /// Whether this is the first level whose block has a context.
    pub first_context: bool,
    /// The hash of the PVM state after it: as recorded, else that of its commitment.
    pub state_hash: Option<StateHash>,
    /// Tick at which its evaluation starts, in decimal digits.
    pub initial_tick: Option<String>,
    /// How many ticks it takes.
    pub ticks: Option<i64>,
    /// Its inbox.
    pub inbox: Option<InboxHash>,
    /// The level of the inbox.
    pub inbox_level: Option<i32>,
    /// How many messages it has, those of the protocol as well.
    pub messages: Option<u64>,
    /// How many bytes they have.
    pub message_bytes: Option<u64>,
    /// The commitment made at it.
    pub commitment: Option<CommitmentHash>,
    /// Whether that is cemented, as far as the node knows.
    pub cemented: bool,
    /// Whether layer 1 will not take the block back, as far as the node knows.
    pub finalized: bool,
    /// What of it is missing or cannot be read, in words.
    pub problem: Option<String>,
}

/// Which levels, in which order, and what is known of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first of them.
    pub first: i32,
    /// The last of them.
    pub last: i32,
    first_context: Option<i32>,
    finalized: Option<i32>,
    cemented: Option<i32>,
}

impl Span {
    /// The levels of a store from its lowest one to its head, or those of them between two levels.
    ///
    /// # Errors
    /// [`Code::LevelUnavailable`] when there is none of them; [`Code::StoreNoHead`], and what the store reports.
    pub fn of<S: Rows>(store: &S, from: Option<i32>, to: Option<i32>) -> Result<Self> {
        let state = store.state()?;
        let head = store.head()?.level;
        let lowest = store.lowest_level()?.unwrap_or(head).min(head);
        let (first, last) = (from.unwrap_or(lowest).max(lowest), to.unwrap_or(head).min(head));
        if first > last {
            return Err(Problem::new(Code::LevelUnavailable)
                .headline("the store has none of these levels")
                .expected(format_args!("levels between {lowest} and {head}"))
                .found(format_args!("{} to {}", from.unwrap_or(lowest), to.unwrap_or(head))));
        }
        let first_context = match store.first_available() {
            Ok(level) => Some(level),
            Err(problem) if problem.code() == Code::StoreNoContext => None,
            Err(problem) => return Err(problem),
        };
        let level = |mark: Option<Mark<BlockHash>>| mark.map(|mark| mark.level);
        let cemented = state.lcc.map(|mark| mark.level);
        Ok(Self { first, last, first_context, finalized: level(state.finalized), cemented })
    }

    /// Gives them, the lowest first.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`] where a thousand of them in a row are not there; those of `each` and of the store;
    /// [`Code::Cancelled`].
    pub fn read<S: Rows, E: From<Problem>>(
        &self,
        store: &mut S,
        feedback: &dyn Feedback,
        mut each: impl FnMut(Level) -> Result<(), E>,
    ) -> Result<(), E> {
        // A failure of `each` stops the reading, and goes out as it is.
        let mut stopped = None;
        let read = store.with_chain(|chain| {
            let mut gap = 0;
            for level in self.first..=self.last {
                feedback.checkpoint()?;
                let row = self.level(chain, level)?;
                gap = if row.block.is_some() { 0 } else { gap + 1 };
                if gap > MAX_GAP {
                    return Err(Problem::new(Code::StoreDamaged)
                        .headline("the levels of the store have a gap of more than a thousand")
                        .at(Place::Level(level)));
                }
                if let Err(problem) = each(row) {
                    stopped = Some(problem);
                    break;
                }
            }
            Ok(())
        });
        match stopped {
            Some(problem) => Err(problem),
            None => Ok(read?),
        }
    }

    fn level(&self, chain: &mut dyn Chain, level: i32) -> Result<Level> {
        let at_most = |mark: Option<i32>| mark.is_some_and(|mark| level <= mark);
        let row = Level { level, first_context: self.first_context == Some(level), ..Level::default() };
        let Some(hash) = chain.named_at(level.into())? else {
            return Ok(Level { problem: Some("the index of levels names no block".into()), ..row });
        };
        let row = Level { block: Some(hash), finalized: at_most(self.finalized), ..row };
        match chain.find(&hash)? {
            None => Ok(Level { problem: Some("the block is not there".into()), ..row }),
            Some(Found { level: other, .. }) if other != i64::from(level) => {
                let problem = format!("the block is one of level {other}");
                Ok(Level { problem: Some(problem), ..row })
            }
            Some(Found { entry: Stored::Found(entry), .. }) => {
                let cemented = entry.block.commitment.is_some() && at_most(self.cemented);
                Ok(Level { cemented, ..row.with(&entry) })
            }
            Some(Found { entry: Stored::Missing, .. }) => {
                Ok(Level { problem: Some("the block is not there".into()), ..row })
            }
            Some(Found { entry: Stored::Malformed(why), .. }) => {
                Ok(Level { problem: Some(format!("the block cannot be read: {why}")), ..row })
            }
        }
    }
}

impl Level {
    fn with(self, entry: &Entry<'_>) -> Self {
        let (block, evaluation) = (&entry.block, &entry.evaluation);
        let mut row = Self {
            predecessor: Some(block.predecessor),
            context: block.context,
            commitment: block.commitment,
            initial_tick: Some(evaluation.initial_tick.to_string()),
            ticks: Some(evaluation.num_ticks),
            inbox: Some(evaluation.inbox_hash),
            state_hash: evaluation.state_hash,
            ..self
        };
        match &entry.messages {
            Stored::Found(messages) => {
                let list = messages.list.messages();
                row.messages = Some(list.len() as u64);
                row.message_bytes = Some(list.iter().map(|message| message.len() as u64).sum());
            }
            other => row.lacks("the messages", other),
        }
        match &entry.inbox {
            Stored::Found(inbox) => row.inbox_level = Some(inbox.level),
            other => row.lacks("the inbox", other),
        }
        match &entry.commitment {
            _ if block.commitment.is_none() => {}
            Stored::Found(commitment) => {
                row.state_hash = row.state_hash.or(Some(commitment.compressed_state))
            }
            other => row.lacks("the commitment", other),
        }
        row
    }

    /// Says what is not there.
    fn lacks<T>(&mut self, what: &str, stored: &Stored<T>) {
        let problem = match stored {
            Stored::Malformed(why) => format!("{what} cannot be read: {why}"),
            _ => format!("there is no record of {what}"),
        };
        self.problem.get_or_insert(problem);
    }
}

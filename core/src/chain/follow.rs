//! Feeds the walk: which block is looked up next, also where the chain of a store has holes.

use alloc::string::ToString;
use core::cell::Cell;

use super::walk::Stray;
use super::{Entry, Marks, Stored, Summary, Walk, Work};
use crate::code::Code;
use crate::context::Contexts;
use crate::feedback::Feedback;
use crate::hash::BlockHash;
use crate::problem::{Place, Problem, Result};

/// The blocks of a store, each with everything that hangs on it.
pub trait Chain {
    /// The block of this hash; `None` without one. The walk asks for one block after the other, the
    /// newest first: a reader may guess which one comes next.
    ///
    /// # Errors
    /// When the store cannot be read; a block that is not as it should be is no error.
    fn find(&mut self, hash: &BlockHash) -> Result<Option<Found<'_>>>;

    /// The block that the index of levels names at this level.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn named_at(&mut self, level: i64) -> Result<Option<BlockHash>>;

    /// The highest block below this level that the index of levels names and the store holds at the
    /// level that the index says.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn named_below(&mut self, level: i64) -> Result<Option<BlockHash>>;
}

/// A block that was found in a store.
#[derive(Debug)]
pub struct Found<'a> {
    /// The level that it is stored with; [`i64::MAX`] where there is none.
    pub level: i64,
    /// The block, or why it cannot be read.
    pub entry: Stored<Entry<'a>>,
    /// Whether the status of its PVM is recorded as no bytes at all.
    pub empty_status: bool,
}

/// How many blocks are reported at once.
const STRIDE: u64 = 1000;

/// Walks a chain from the head to the first available block, and looks every context up in
/// `contexts` where they are known. Every problem goes to `sink`; progress is told in blocks.
///
/// Where the chain comes from a file ([`Feedback::allowance`] knows its length), it may have as much in it as such a
/// file can.
///
/// # Errors
/// Those of the chain, [`Code::ChainWork`], [`Code::MessagesWork`], and [`Code::Cancelled`].
pub fn follow(
    chain: &mut dyn Chain,
    marks: Marks,
    contexts: Option<&Contexts>,
    feedback: &mut dyn Feedback,
    mut sink: impl FnMut(Problem),
) -> Result<Summary> {
    let faults = Cell::new(0);
    let mut sink = |problem| {
        faults.set(faults.get() + 1);
        sink(problem);
    };
    let mut walk = Walk::new(marks, contexts);
    let mut work = feedback.allowance().file_bytes().map(Work::of);
    // Level of the block that was taken last: what comes must be below it, so the walk ends.
    let mut position = i64::MAX;
    let mut done = 0;
    while let Some(wanted) = walk.wanted() {
        // A single block can bring a million messages.
        feedback.checkpoint()?;
        let passed = match chain.find(wanted)? {
            Some(found) if found.level < position => {
                position = found.level;
                if let Some(work) = &mut work {
                    work.block()?;
                    work.messages_of(&found.entry);
                    work.check()?;
                    work.check_faults(faults.get())?;
                }
                let malformed = matches!(found.entry, Stored::Malformed(_));
                walk.take(found.entry, &mut sink);
                if found.empty_status {
                    sink(empty_status(position));
                }
                done += 1;
                if done % STRIDE == 0 {
                    feedback.advance(STRIDE);
                }
                if malformed && let Some(hash) = chain.named_at(position.saturating_sub(1))? {
                    walk.resume(hash);
                }
                continue;
            }
            Some(found) => Some(found.level),
            None => None,
        };
        match passed {
            Some(level) => walk.take_misplaced(level.try_into().unwrap_or(i32::MAX), &mut sink),
            None => walk.take(Stored::Missing, &mut sink),
        }
        let Some(hash) = chain.named_below(position.min(walk.expected_level().into()))? else { break };
        walk.resume(hash);
    }
    feedback.advance(done % STRIDE);
    for stray in walk.strays() {
        judge(&stray, chain, &mut walk, &mut sink)?;
    }
    Ok(walk.finish(&mut sink))
}

/// A row that names a block of its level, or one that is not in the store, is what a killed node leaves.
fn judge(
    stray: &Stray,
    chain: &mut dyn Chain,
    walk: &mut Walk<'_>,
    sink: &mut impl FnMut(Problem),
) -> Result<()> {
    let named = match stray.named {
        Some(named) => Some(named),
        None => chain.named_at(stray.level.into())?,
    };
    let Some(named) = named else {
        sink(stray.problem(Code::LevelsChain, stray.level.to_string()));
        return Ok(());
    };
    match chain.find(&named)?.map(|found| found.level) {
        Some(level) if level != i64::from(stray.level) => {
            let found = match stray.named {
                Some(named) => named.to_string(),
                None => stray.level.to_string(),
            };
            sink(stray.problem(Code::LevelsChain, found));
        }
        _ => walk.leave(stray.problem(Code::LevelsLeft, named.to_string())),
    }
    Ok(())
}

/// The nodes cannot decode a status without its first byte.
fn empty_status(level: i64) -> Problem {
    Problem::new(Code::StoreValue)
        .at(Place::Level(level.try_into().unwrap_or_default()))
        .expected("pvm_status: at least one byte")
        .found("none")
}

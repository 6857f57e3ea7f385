//! What a store says of a block, and whether that is what came of running it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::outbox::Outbox;
use crate::chain::{Entry, Stored};
use crate::code::Code;
use crate::hash::StateHash;
use crate::problem::{Place, Problem, Result};
use crate::pvm::LevelOutcome;

/// What nodes record of a WASM rollup that waits for the messages of the next level, which it always does between two
/// blocks, also when it is stuck: "Waiting for input message".
const WAITING: &[u8] = &[2];

/// A block with all that a store records of what its evaluation came to.
#[derive(Clone, Debug)]
pub struct Recorded<'a> {
    /// The block, its messages, its commitment.
    pub entry: Entry<'a>,
    /// The tick at which the block of the previous commitment ends; `None` where the store does not have that block.
    pub previous_tick: Option<u128>,
    /// What the machine does after it, in bytes; `None` where that is not recorded.
    pub status: Option<Vec<u8>>,
    /// The outbox of its level.
    pub outbox: Outbox,
}

impl<'a> Recorded<'a> {
    /// Its level.
    pub fn level(&self) -> i32 {
        self.entry.block.level
    }

    /// The messages to run: those that its witness stands for.
    ///
    /// # Errors
    /// [`Code::ChainMessages`], [`Code::StoreValue`], [`Code::MessagesLevel`], [`Code::MessagesForm`],
    /// [`Code::MessagesWitness`]; [`Code::ReplayMessages`] for a list that a very old node stored without layer 1's own.
    pub fn messages(&self) -> Result<&[&'a [u8]]> {
        let stored = match &self.entry.messages {
            Stored::Found(stored) => stored,
            Stored::Missing => {
                return Err(self.wrong(Code::ChainMessages).found(self.entry.evaluation.inbox_witness));
            }
            Stored::Malformed(why) => return Err(self.wrong(Code::StoreValue).found(why)),
        };
        if let Some(level) = stored.inbox_level.filter(|level| *level != self.level()) {
            return Err(self.wrong(Code::MessagesLevel).expected(self.level()).found(level));
        }
        let Some(witness) = stored.list.witness() else {
            return Err(self.wrong(Code::MessagesForm).expected("messages").found("an empty list"));
        };
        if stored.predecessor.is_some() && !stored.list.is_whole() {
            return Err(self.wrong(Code::ReplayMessages));
        }
        let expected = self.entry.evaluation.inbox_witness;
        if witness != expected {
            return Err(self.wrong(Code::MessagesWitness).expected(expected).found(witness));
        }
        Ok(stored.list.messages())
    }

    /// Compares the state before the block.
    ///
    /// # Errors
    /// [`Code::ReplayInitialTick`].
    pub(super) fn check_before(&self, tick: u128) -> Result<()> {
        let expected = self.entry.evaluation.initial_tick;
        if tick == expected {
            return Ok(());
        }
        Err(self.wrong(Code::ReplayInitialTick).expected(expected).found(tick))
    }

    /// Compares the state that a replay begins with, which is that after this block. `genesis`: the origination, whose
    /// commitment may be to another state than the stored one, which some nodes patch.
    ///
    /// # Errors
    /// As [`Recorded::check_after`].
    pub(super) fn check_state(&self, tick: u128, state: StateHash, genesis: bool) -> Result<()> {
        let evaluation = &self.entry.evaluation;
        if evaluation.final_tick() != Some(tick) {
            let expected = evaluation.final_tick().map_or_else(|| "a tick".into(), |tick| format!("{tick}"));
            return Err(self
                .wrong(Code::ReplayTicks)
                .headline("the state in the context is not at the tick at which its block ends")
                .expected(expected)
                .found(tick));
        }
        self.check_hash(state)?;
        match &self.entry.commitment {
            Stored::Found(content) if !genesis && content.compressed_state != state => {
                Err(self.wrong(Code::ReplayCommitment).expected(content.compressed_state).found(state))
            }
            _ => Ok(()),
        }
    }

    /// Compares what came of the block with what is recorded.
    ///
    /// # Errors
    /// The first difference: [`Code::ReplayTicks`], [`Code::ReplayOutbox`], [`Code::ReplayStatus`],
    /// [`Code::ReplayState`], [`Code::ReplayCommitment`]; [`Code::ChainCommitment`], [`Code::StoreValue`] for a
    /// commitment that cannot be looked at.
    pub(super) fn check_after(&self, outcome: &LevelOutcome, state: StateHash) -> Result<()> {
        let evaluation = &self.entry.evaluation;
        if i128::try_from(outcome.num_ticks) != Ok(i128::from(evaluation.num_ticks)) {
            return Err(self
                .wrong(Code::ReplayTicks)
                .expected(evaluation.num_ticks)
                .found(outcome.num_ticks));
        }
        let messages = outcome.outbox.as_deref().unwrap_or_default();
        let left = self.outbox.is_left(messages, evaluation.state_hash.is_some());
        if let Err((expected, found)) = self.outbox.check(messages)
            && !left
        {
            return Err(self.wrong(Code::ReplayOutbox).expected(expected).found(found));
        }
        if let Some(status) = self.status.as_deref().filter(|status| *status != WAITING) {
            let expected = status_words(status);
            return Err(self.wrong(Code::ReplayStatus).expected(expected).found(status_words(WAITING)));
        }
        self.check_hash(state)?;
        self.check_commitment(outcome, state)
    }

    fn check_hash(&self, state: StateHash) -> Result<()> {
        match self.entry.evaluation.state_hash.filter(|recorded| *recorded != state) {
            Some(recorded) => Err(self.wrong(Code::ReplayState).expected(recorded).found(state)),
            None => Ok(()),
        }
    }

    fn check_commitment(&self, outcome: &LevelOutcome, state: StateHash) -> Result<()> {
        let Some(hash) = self.entry.block.commitment else { return Ok(()) };
        let content = match &self.entry.commitment {
            Stored::Found(content) => content,
            Stored::Missing => return Err(self.wrong(Code::ChainCommitment).found(hash)),
            Stored::Malformed(why) => return Err(self.wrong(Code::StoreValue).found(why)),
        };
        let differs = || self.wrong(Code::ReplayCommitment);
        if content.compressed_state != state {
            return Err(differs().expected(content.compressed_state).found(state));
        }
        let tick = outcome.initial_tick.saturating_add(outcome.num_ticks);
        let ticks = self.previous_tick.and_then(|previous| tick.checked_sub(previous));
        if let Some(ticks) =
            ticks.filter(|ticks| i128::try_from(*ticks) != Ok(content.number_of_ticks.into()))
        {
            let expected = format!("{} ticks", content.number_of_ticks);
            return Err(differs().expected(expected).found(format!("{ticks} ticks")));
        }
        let made = content.hash();
        if made != hash {
            return Err(self.wrong(Code::CommitmentHash).expected(hash).found(made));
        }
        Ok(())
    }

    /// Something is wrong at the level of this block.
    pub(super) fn wrong(&self, code: Code) -> Problem {
        Problem::new(code).at(Place::Level(self.level()))
    }
}

/// The word for a recorded status: a tag, or a text.
fn status_words(status: &[u8]) -> String {
    let word = match status {
        [1] => "Computing",
        [2] => "Waiting for input message",
        [3] => "Waiting for metadata",
        [4] => "Waiting for DAL parameters",
        [5] => "Halted",
        [6] => "Parsing",
        [7] => "Evaluating",
        [8] => "WaitingForInput",
        [9] => "WaitingForReveal",
        [0, text @ ..] | text => return String::from_utf8_lossy(text).chars().take(80).collect(),
    };
    word.into()
}

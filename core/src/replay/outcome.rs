//! What came of a replay.

use alloc::string::{String, ToString};
use core::time::Duration;

use super::outbox::{Names, Outbox};
use super::recorded::Recorded;
use crate::chain::Block;
use crate::hash::BlockHash;
use crate::problem::Problem;
use crate::pvm::{LevelOutcome, Phase};
use crate::report::{ReplayInfo, Share};

/// A block that was run again and agrees with what is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockRun {
    /// Its level.
    pub level: i32,
    /// The tick that it begins at.
    pub initial_tick: u128,
    /// How many ticks it takes.
    pub ticks: u128,
    /// How often the kernel was run.
    pub runs: u64,
    /// What the machine does after it.
    pub phase: Phase,
    /// Whether the store names a context for it, which was compared.
    pub has_context: bool,
    /// Whether the store records its state, which was compared.
    pub has_state: bool,
    /// Whether a commitment was made at it, which was compared.
    pub has_commitment: bool,
    /// Whether the store records outboxes of its level, so that this one was compared.
    pub has_outbox: bool,
    /// Whether messages came out that the store does not record.
    pub lacks_outbox: bool,
    /// Whether the store records messages, as an older node leaves them, and none came out.
    pub left_outbox: bool,
    /// Which messages the recorded outbox names, where layer 1 cannot read some of them.
    pub names: Option<Names>,
    /// How long it took.
    pub time: Duration,
}

impl BlockRun {
    /// What came of a block, as it is recorded.
    pub fn of(recorded: &Recorded<'_>, outcome: &LevelOutcome, time: Duration) -> Self {
        let outbox = outcome.outbox.as_deref().unwrap_or_default();
        let has_state = recorded.entry.evaluation.state_hash.is_some();
        let left_outbox = recorded.outbox.is_left(outbox, has_state);
        Self {
            level: recorded.level(),
            initial_tick: outcome.initial_tick,
            ticks: outcome.num_ticks,
            runs: outcome.runs.len() as u64,
            phase: outcome.phase,
            has_context: recorded.entry.block.context.is_some(),
            has_state,
            has_commitment: recorded.entry.block.commitment.is_some(),
            has_outbox: recorded.outbox != Outbox::NotRecorded && !left_outbox,
            lacks_outbox: recorded.outbox.lacks(outbox),
            left_outbox,
            names: recorded.outbox.names(outbox),
            time,
        }
    }
}

/// What came of a replay.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// The level of the first context that is there.
    pub first: i32,
    /// The level of the newest block.
    pub head: i32,
    /// The newest block.
    pub head_block: Option<BlockHash>,
    /// The levels of the share, where several machines share the work.
    pub share: Option<(i32, i32)>,
    /// How many blocks there are from the first context to the head.
    pub of: u64,
    /// How many of them were to be run.
    pub planned: u64,
    /// How many were run and agree.
    pub blocks: u64,
    /// How many ticks they take.
    pub ticks: u128,
    /// How often kernels were run.
    pub runs: u64,
    /// How many contexts were compared.
    pub contexts: u64,
    /// How many recorded states were compared.
    pub states: u64,
    /// How many commitments were compared.
    pub commitments: u64,
    /// How many recorded outboxes were compared.
    pub outboxes: u64,
    /// Of how many blocks messages came out that the store does not record.
    pub outboxes_missing: u64,
    /// Of how many blocks the store records messages, as an older node leaves them, where none came out.
    pub outboxes_left: u64,
    /// What ended it before its end: the first block that does not agree, or what kept it from going on.
    pub stopped: Option<Problem>,
    /// How long all of it took.
    pub time: Duration,
}

impl Outcome {
    /// Nothing was run yet: `first` is the level of the first context, `planned` how many blocks are to be run.
    pub fn new(first: i32, head: &Block, planned: u64) -> Self {
        Self {
            first,
            head: head.level,
            head_block: Some(head.hash),
            of: u64::try_from(i64::from(head.level) - i64::from(first)).unwrap_or(0),
            planned,
            ..Self::default()
        }
    }

    /// A block was run and agrees.
    pub fn count(&mut self, run: &BlockRun) {
        self.blocks += 1;
        self.ticks = self.ticks.saturating_add(run.ticks);
        self.runs = self.runs.saturating_add(run.runs);
        self.contexts += u64::from(run.has_context);
        self.states += u64::from(run.has_state);
        self.commitments += u64::from(run.has_commitment);
        self.outboxes += u64::from(run.has_outbox);
        self.outboxes_missing += u64::from(run.lacks_outbox);
        self.outboxes_left += u64::from(run.left_outbox);
    }

    /// What it says in a report. `scope`: which blocks were to be run, as the user said it; `share`: the number of the
    /// share, and how many there are.
    pub fn info(&self, scope: String, share: Option<(u32, u32)>) -> ReplayInfo {
        let share = share.zip(self.share).map(|((number, of), (first_level, last_level))| Share {
            number,
            of,
            first_level,
            last_level,
        });
        ReplayInfo {
            scope,
            first_level: self.first,
            head_level: self.head,
            head: self.head_block.unwrap_or(BlockHash::new([0; 32])),
            of: self.of,
            planned: self.planned,
            blocks: self.blocks,
            ticks: self.ticks.to_string(),
            runs: self.runs,
            contexts: self.contexts,
            states: self.states,
            commitments: self.commitments,
            outboxes: self.outboxes,
            outboxes_missing: self.outboxes_missing,
            outboxes_left: self.outboxes_left,
            share,
        }
    }

    /// Whether all blocks that were to be run were run and agree.
    pub fn is_complete(&self) -> bool {
        self.stopped.is_none() && self.blocks == self.planned
    }
}

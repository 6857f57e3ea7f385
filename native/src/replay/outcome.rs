//! What came of a replay.

use std::time::Duration;

use rollsnap_core::Problem;
use rollsnap_core::pvm::Phase;

use super::plan::Plan;

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
    /// Whether messages came out that the store does not record.
    pub lacks_outbox: bool,
    /// How long it took.
    pub time: Duration,
}

/// What came of a replay.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// The level of the first context that is there.
    pub first: i32,
    /// The level of the newest block.
    pub head: i32,
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
    /// Of how many blocks messages came out that the store does not record.
    pub outboxes_missing: u64,
    /// What ended it before its end: the first block that does not agree, or what kept it from going on.
    pub stopped: Option<Problem>,
    /// How long all of it took.
    pub time: Duration,
}

impl Outcome {
    pub(super) fn of(plan: &Plan) -> Self {
        Self { first: plan.first, head: plan.head, of: plan.of(), planned: plan.blocks(), ..Self::default() }
    }

    pub(super) fn count(&mut self, run: &BlockRun) {
        self.blocks += 1;
        self.ticks = self.ticks.saturating_add(run.ticks);
        self.runs = self.runs.saturating_add(run.runs);
        self.contexts += u64::from(run.has_context);
        self.states += u64::from(run.has_state);
        self.commitments += u64::from(run.has_commitment);
        self.outboxes_missing += u64::from(run.lacks_outbox);
    }

    /// Whether all blocks that were to be run were run and agree.
    pub fn is_complete(&self) -> bool {
        self.stopped.is_none() && self.blocks == self.planned
    }
}

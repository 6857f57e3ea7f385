//! The machine: a state, and the levels that it goes through.

use alloc::vec::Vec;

use super::engine::Engine;
use super::genesis::{self, Constants};
use super::input::Message;
use super::migration::Family;
use super::output;
use super::phase::Phase;
use super::reveal::{Revealed, Rollup, SharedReveal};
use super::run::{Kernels, Means, Ran};
use super::state::State;
use super::version::Version;
use crate::context::edit::{Effects, ObjectStore, Tree};
use crate::feedback::Feedback;
use crate::hash::StateHash;
use crate::problem::{Place, Problem, Result};

/// A rollup's machine between two levels.
///
/// ```text
/// let mut machine = Machine::load(tree, rollup, Family::Octez)?;
/// for block in blocks {
///     let outcome = machine.level(block.level, &block.messages, &mut engine, &reveal, &feedback)?;
///     assert_eq!(outcome.state_hash, block.state_hash);
/// }
/// ```
///
/// A level that fails leaves it as it was.
#[derive(Clone, Debug)]
pub struct Machine {
    state: State,
    rollup: Rollup,
    family: Family,
    kernels: Kernels,
}

/// What a level did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LevelOutcome {
    /// Tick of the state before.
    pub initial_tick: u128,
    /// Ticks that passed.
    pub num_ticks: u128,
    /// The messages in the outbox of the level; `None` when it has no outbox.
    pub outbox: Option<Vec<Vec<u8>>>,
    /// What the kernel asked for and got.
    pub revealed: Vec<Revealed>,
    /// How each run of the kernel ended.
    pub runs: Vec<Ran>,
    /// What the machine does now.
    pub phase: Phase,
}

impl Machine {
    /// The machine of a rollup that was originated just now. `boot_sector` is the kernel: the bytes
    /// that the hexadecimal text of the origination stands for.
    ///
    /// Its hash is the state of the genesis commitment.
    ///
    /// # Errors
    /// None that a tree in memory can meet.
    pub fn genesis(
        boot_sector: &[u8],
        constants: &Constants,
        rollup: Rollup,
        family: Family,
    ) -> Result<Self> {
        let state = genesis::genesis(boot_sector, constants)?;
        Ok(Self { state, rollup, family, kernels: Kernels::default() })
    }

    /// Makes the change that nodes make to the genesis state of some rollups (Etherlink mainnet)
    /// before they store it. It is no part of the genesis commitment.
    ///
    /// # Errors
    /// As [`Machine::genesis`].
    pub fn patch_genesis(&mut self) -> Result<()> {
        genesis::patch(&mut self.state, &self.rollup)
    }

    /// The machine whose state is stored: the directory `pvm_state` of a context.
    ///
    /// # Errors
    /// [`Code::PvmState`](crate::Code::PvmState) when it is malformed,
    /// [`Code::PvmRefusedPhase`](crate::Code::PvmRefusedPhase) when no state between two blocks looks
    /// so, [`Code::PvmRefusedVersion`](crate::Code::PvmRefusedVersion); whatever reading reports.
    pub fn load(tree: Tree, rollup: Rollup, family: Family) -> Result<Self> {
        Ok(Self { state: State::load(tree)?, rollup, family, kernels: Kernels::default() })
    }

    /// The state, as it is stored under `pvm_state`.
    pub fn tree(&self) -> &Tree {
        &self.state.tree
    }

    /// The hash of the state.
    ///
    /// Nodes compute it after each level. That is not only a question: it can change the order in
    /// which kernels see the children of keys.
    ///
    /// # Errors
    /// Whatever reading the tree reports.
    pub fn state_hash(&self) -> Result<StateHash> {
        self.state.tree.hash().map(StateHash::new)
    }

    /// Tells the machine that its tree was stored, which changes the order in which kernels see the
    /// children of keys.
    ///
    /// # Errors
    /// Whatever reading the tree reports.
    pub fn committed(&mut self) -> Result<()> {
        self.state.committed()
    }

    /// Forgets what can be loaded again from this store, if trees have loaded more than `budget` bytes of it
    /// ([`Tree::shrink`]); whether it did. Between two levels only.
    ///
    /// # Errors
    /// Whatever reading the tree reports.
    pub fn shrink(&mut self, objects: &ObjectStore, budget: u64) -> Result<bool> {
        self.state.shrink(objects, budget)
    }

    /// The tick of the state.
    pub fn current_tick(&self) -> u128 {
        self.state.counters.current_tick
    }

    /// What the machine does: [`Phase::Collect`] or [`Phase::Stuck`].
    pub fn phase(&self) -> Phase {
        self.state.counters.phase
    }

    /// The version of the state.
    ///
    /// # Errors
    /// [`Code::PvmRefusedVersion`](crate::Code::PvmRefusedVersion) when it is unknown.
    pub fn version(&self) -> Result<Version> {
        self.state.version()
    }

    /// Goes through a level with all its messages, in order.
    ///
    /// # Errors
    /// * `pvm.refused.…` where only a node can tell the next state;
    /// * [`Code::PvmRaises`](crate::Code::PvmRaises) where nodes fail, too;
    /// * [`Code::PvmState`](crate::Code::PvmState) when the state is malformed;
    /// * whatever the engine, the reveals and reading the tree report.
    ///
    /// After any of them the machine is as it was before.
    pub fn level<M: AsRef<[u8]>>(
        &mut self,
        level: i32,
        messages: &[M],
        engine: &mut dyn Engine,
        reveal: &SharedReveal,
        feedback: &dyn Feedback,
    ) -> Result<LevelOutcome> {
        let mut state = self.state.clone();
        // The state that is left shares with this one what remembers questions.
        let effects = Effects::new();
        state.durable.0 = core::mem::take(&mut state.durable.0).noting(Some(effects.clone()));
        let mut walk =
            Walk { level, engine, reveal, feedback, kernels: &mut self.kernels, rollup: self.rollup };
        let outcome = walk.level(&mut state, messages, self.family).map_err(|problem| {
            effects.undo();
            at(level, problem)
        })?;
        state.durable.0 = core::mem::take(&mut state.durable.0).noting(None);
        self.state = state;
        Ok(outcome)
    }
}

struct Walk<'w> {
    level: i32,
    engine: &'w mut dyn Engine,
    reveal: &'w SharedReveal,
    feedback: &'w dyn Feedback,
    kernels: &'w mut Kernels,
    rollup: Rollup,
}

impl Walk<'_> {
    fn level<M: AsRef<[u8]>>(
        &mut self,
        state: &mut State,
        messages: &[M],
        family: Family,
    ) -> Result<LevelOutcome> {
        let initial_tick = state.counters.current_tick;
        let (mut runs, mut revealed) = (Vec::new(), Vec::new());
        for (counter, payload) in (0..).zip(messages) {
            let message = Message { level: self.level, counter, payload: payload.as_ref().into() };
            state.feed(message, family)?;
            while state.counters.phase == Phase::Padding {
                state.end_of_cycle()?;
                if state.counters.phase == Phase::Snapshot {
                    self.feedback.checkpoint()?;
                    let means = Means {
                        engine: &mut *self.engine,
                        reveal: self.reveal,
                        kernels: &mut *self.kernels,
                        rollup: self.rollup,
                    };
                    runs.push(state.run(self.level, means, &mut revealed)?);
                }
            }
        }
        state.save()?;
        Ok(LevelOutcome {
            initial_tick,
            num_ticks: state.counters.current_tick - initial_tick,
            outbox: if state.output.is_empty(self.level) {
                Some(Vec::new())
            } else {
                output::messages(&state.tree, self.level)?
            },
            revealed,
            runs,
            phase: state.counters.phase,
        })
    }
}

/// Says at which level it was, unless it says already where it is.
fn at(level: i32, problem: Problem) -> Problem {
    if problem.place().is_some() { problem } else { problem.at(Place::Level(level)) }
}

//! The one way in which a long job tells how far it is and learns that it should stop.

use crate::code::Code;
use crate::problem::{Problem, Result};

/// One named stretch of a job, such as "2/4 Checking context".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase {
    /// Its number, from 1.
    pub index: u32,
    /// How many phases the job has.
    pub of: u32,
    /// What is done in it.
    pub name: &'static str,
    /// How much there is to do, in `unit`s; `None` when nobody can know (a pipe).
    pub total: Option<u64>,
    /// What is counted.
    pub unit: Unit,
}

/// What the progress of a phase counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes read or written.
    Bytes,
    /// Files.
    Files,
    /// L2 blocks.
    Blocks,
}

/// What a job tells while it runs. Jobs call it a few times a second at most per step of work;
/// the receiver decides what becomes visible.
pub trait Feedback {
    /// A phase begins; the one before it is complete.
    fn phase(&mut self, phase: Phase);

    /// So much more of the current phase is done, in its unit.
    fn advance(&mut self, done: u64);

    /// A remark for the user: what is being waited for, what was cleaned up.
    fn note(&mut self, text: &str);

    /// Whether the user wants the job to stop.
    fn cancelled(&self) -> bool {
        false
    }

    /// `Err` when the user wants the job to stop; jobs call it between steps.
    fn checkpoint(&self) -> Result<()> {
        if self.cancelled() { Err(Problem::new(Code::Cancelled)) } else { Ok(()) }
    }
}

/// Listens to nothing and never stops.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Feedback for Silent {
    fn phase(&mut self, _: Phase) {}
    fn advance(&mut self, _: u64) {}
    fn note(&mut self, _: &str) {}
}

//! How much memory and time a kernel gets, and the wish to stop it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rollsnap_core::{Code, Problem, Result};

/// What one run of a kernel may take. To go beyond is an error and never a result: a `memory.grow` that the budget
/// forbids ends the run, where −1 would be another state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of linear memory and tables together. WebAssembly itself allows 4 GiB of memory.
    pub memory: u64,
    /// How long one run may take.
    pub time: Duration,
    /// Ends a run within a second of becoming true.
    pub stop: Arc<AtomicBool>,
}

/// 1 GiB and ten minutes. The kernels that exist take some tens of MiB and a second.
impl Default for Limits {
    fn default() -> Self {
        Self { memory: 1 << 30, time: Duration::from_secs(600), stop: Arc::default() }
    }
}

impl Limits {
    /// With so many bytes of memory.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// With so much time.
    pub fn time(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// With this wish to stop.
    pub fn stop(mut self, stop: Arc<AtomicBool>) -> Self {
        self.stop = stop;
        self
    }

    /// The watch over a run that begins now.
    pub(super) fn watch(&self) -> Watch {
        Watch { begun: Instant::now(), time: self.time, stop: Arc::clone(&self.stop) }
    }
}

/// The watch over one run.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    begun: Instant,
    time: Duration,
    stop: Arc<AtomicBool>,
}

impl Watch {
    /// To be asked several times a second.
    pub(super) fn check(&self) -> Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Problem::new(Code::Cancelled));
        }
        if self.begun.elapsed() > self.time {
            return Err(
                Problem::new(Code::PvmTime).expected(format!("at most {} s", self.time.as_secs_f64()))
            );
        }
        Ok(())
    }
}

/// The memory that one run has, and what it may have.
#[derive(Debug)]
pub(super) struct Budget {
    limit: u64,
    memory: u64,
    tables: u64,
    /// What the last growth of a table added.
    last: u64,
    /// Set when it wanted more.
    pub(super) exceeded: Option<Problem>,
}

/// What an element of a table takes, in bytes.
const ELEMENT: u64 = 16;

/// The most bytes of memory and elements of a table that WebAssembly allows.
const MOST: usize = u32::MAX as usize;

/// The budget does not allow it.
#[derive(Debug)]
pub(super) struct Exceeded;

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { limit: limits.memory, memory: 0, tables: 0, last: 0, exceeded: None }
    }

    /// The memory is to grow: `Ok(false)` when WebAssembly does not allow it.
    pub(super) fn memory(&mut self, desired: usize, maximum: Option<usize>) -> Result<bool, Exceeded> {
        if desired.saturating_sub(1) > MOST || maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.memory = desired.try_into().unwrap_or(u64::MAX);
        self.settle()
    }

    /// A table is to grow.
    pub(super) fn table(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, Exceeded> {
        if desired > MOST || maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let more: u64 = desired.saturating_sub(current).try_into().unwrap_or(u64::MAX);
        self.last = ELEMENT.saturating_mul(more);
        self.tables = self.tables.saturating_add(self.last);
        self.settle()
    }

    /// The last growth of a table did not take place.
    pub(super) fn undo_table(&mut self) {
        self.tables = self.tables.saturating_sub(core::mem::take(&mut self.last));
    }

    /// The operating system gave less than what the budget allows.
    pub(super) fn failed(&mut self, why: impl ToString) -> Exceeded {
        self.exceeded = Some(Problem::new(Code::PvmMemory).because(why));
        Exceeded
    }

    fn settle(&mut self) -> Result<bool, Exceeded> {
        let wanted = self.memory.saturating_add(self.tables);
        if wanted <= self.limit {
            return Ok(true);
        }
        let (limit, found) = (format!("at most {} bytes", self.limit), format!("{wanted} bytes"));
        self.exceeded = Some(Problem::new(Code::PvmMemory).expected(limit).found(found));
        Err(Exceeded)
    }
}

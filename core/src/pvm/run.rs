//! One run of the kernel, from [`Phase::Snapshot`] to [`Phase::Padding`].

use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::cycle::stuck;
use super::durable::{CHUNK, Durable};
use super::engine::{Admission, Ended, Engine, Invalid, Kernel, Trap, Uninstantiable, frames};
use super::flags::{FALLBACK, KERNEL, STUCK, UPGRADE_ERROR};
use super::host::{Run, Stop};
use super::kernel;
use super::output::Output;
use super::phase::Phase;
use super::reveal::{Revealed, Rollup, SharedReveal};
use super::state::State;
use super::version::Version;
use crate::code::Code;
use crate::problem::{Problem, Result};

/// Fewer ticks than any run was ever seen with: the nodes' interpreter may need more for one run, and
/// gets stuck then.
const MIN_TICKS: u128 = 5000;
/// Their interpreter needs more than a tick for each byte of a kernel, to begin with.
const TICKS_PER_BYTE: u128 = 8;

/// How every module begins.
const MAGIC: &[u8] = b"\0asm";

/// How many kernels are kept.
const KEPT: usize = 4;

/// Kernels that were admitted before, or found invalid: the last one first.
#[derive(Clone, Debug, Default)]
pub(super) struct Kernels(Vec<([u8; 32], Version, Admission)>);

/// What a run needs from outside the state.
pub(super) struct Means<'m> {
    pub(super) engine: &'m mut dyn Engine,
    pub(super) reveal: &'m SharedReveal,
    pub(super) kernels: &'m mut Kernels,
    pub(super) rollup: Rollup,
}

/// How a run ended, as far as the state tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    /// The kernel returned.
    Returned,
    /// The kernel trapped; what it did before stays.
    Trapped(Trap),
    /// The kernel is invalid, and the one before came back.
    Recovered(Invalid),
}

impl Kernels {
    /// The kernel of a state, whose value has this hash.
    fn get(&mut self, durable: &Durable, hash: Option<[u8; 32]>, version: Version) -> Result<Admission> {
        let Some(hash) = hash else { return kernel::admit(None, version) };
        let known = self.0.iter().position(|(known, by, _)| *known == hash && *by == version);
        if let Some(at) = known {
            let entry = self.0.remove(at);
            let admission = entry.2.clone();
            self.0.insert(0, entry);
            return Ok(admission);
        }
        let bytes = match durable.value(KERNEL)? {
            None => return kernel::admit(None, version),
            Some(value) => {
                // What is no module at all is not read as a whole, nor what is too large.
                let first = value.read(0, CHUNK as u64)?;
                let limit = kernel::MAX_BYTES as u64 + 1;
                if first.starts_with(MAGIC) { value.read(0, limit)? } else { first }
            }
        };
        let admission = kernel::admit(Some(&bytes), version)?;
        self.0.insert(0, (hash, version, admission.clone()));
        self.0.truncate(KEPT);
        Ok(admission)
    }
}

impl State {
    /// Runs the kernel once.
    pub(super) fn run(
        &mut self,
        level: i32,
        mut means: Means<'_>,
        revealed: &mut Vec<Revealed>,
    ) -> Result<Ran> {
        let (version, hash) = (self.version()?, self.durable.value_hash(KERNEL)?);
        let kernel = match means.kernels.get(&self.durable, hash, version)? {
            Admission::Admitted(kernel) => kernel,
            Admission::Invalid(why) => return self.recover(why),
        };
        let least = MIN_TICKS.max(TICKS_PER_BYTE * kernel.bytes.len() as u128);
        if self.counters.max_nb_ticks < least {
            let found = format!("{} ticks", self.counters.max_nb_ticks);
            return Err(Problem::new(Code::PvmRefusedTicks)
                .expected(format!("at least {least}"))
                .found(found));
        }
        let before = (self.clone(), revealed.len());
        let (mut ended, mut stop) = self.execute(&kernel, level, &mut means, revealed)?;
        if ended.is_overflow()
            && (kernel.version > Version::V0 || kernel.deep_frames > frames(kernel.version))
            && let Some(engine) = means.engine.deeper(&kernel)
        {
            *self = before.0.clone();
            revealed.truncate(before.1);
            let mut means =
                Means { engine, reveal: means.reveal, kernels: means.kernels, rollup: means.rollup };
            (ended, stop) = self.execute(&kernel, level, &mut means, revealed)?;
            // Whatever stops their compiler there, the nodes begin again with an interpreter that does not go so deep.
            if kernel.version == Version::V0 && stop.is_none() && ended != Ended::Returned {
                return Err(refused_trap(Trap::StackOverflow));
            }
        }
        let invalid = match (stop, ended) {
            (Some(Stop::Problem(problem)), _) => return Err(problem),
            (Some(Stop::StartCalledHost), _) => Some(Invalid::StartCalledHost),
            (None, Ended::Halted) => return Err(engine_fault("the engine halts by itself")),
            (None, Ended::NotInstantiated(why)) => Some(Invalid::Uninstantiable(why)),
            _ => None,
        };
        if let Some(why) = invalid {
            if why == Invalid::Uninstantiable(Uninstantiable::Start(Trap::StackOverflow)) {
                return Err(refused_trap(Trap::StackOverflow));
            }
            self.durable = before.0.durable;
            return self.recover(why);
        }
        self.end_of_run(&kernel, ended)
    }

    /// Lets an engine run the kernel on this state: how that ended, and why the host stopped it if it did.
    fn execute(
        &mut self,
        kernel: &Kernel,
        level: i32,
        means: &mut Means<'_>,
        revealed: &mut Vec<Revealed>,
    ) -> Result<(Ended, Option<Stop>)> {
        self.save_fallback()?;
        let host = Run {
            durable: core::mem::take(&mut self.durable),
            input: core::mem::take(&mut self.input),
            output: core::mem::replace(&mut self.output, Output::new(1, 0)),
            revealed: core::mem::take(revealed),
            stop: None,
            level,
            rollup: means.rollup,
            reveal: means.reveal.clone(),
        };
        let host = Rc::new(RefCell::new(host));
        let ended = means.engine.run(kernel, host.clone())?;
        let host =
            Rc::try_unwrap(host).map_err(|_| engine_fault("the engine keeps the host after the run"))?;
        let mut host = host.into_inner();
        *revealed = core::mem::take(&mut host.revealed);
        (self.durable, self.input, self.output) = (host.durable, host.input, host.output);
        Ok((ended, host.stop))
    }

    fn end_of_run(&mut self, kernel: &Kernel, ended: Ended) -> Result<Ran> {
        self.counters.phase = Phase::Padding;
        match ended {
            Ended::Trapped(trap) => match trap {
                Trap::Unreachable
                | Trap::MemoryOutOfBounds
                | Trap::DivisionByZero
                | Trap::IntegerOverflow
                | Trap::IndirectCallType => {
                    self.durable.touch(STUCK)?;
                    Ok(Ran::Trapped(trap))
                }
                Trap::TableOutOfBounds | Trap::NullElement | Trap::StackOverflow => Err(refused_trap(trap)),
            },
            Ended::NoEntry => {
                let why = format!("what the kernel exports as its entry: {}", kernel.entry.words());
                Err(Problem::new(Code::PvmRefusedStuck).because(why))
            }
            Ended::Returned | Ended::Halted | Ended::NotInstantiated(_) => {
                for flag in [STUCK, UPGRADE_ERROR] {
                    if self.durable.has_value(flag)? {
                        self.durable.delete(flag)?;
                    }
                }
                Ok(Ran::Returned)
            }
        }
    }

    /// Keeps a kernel that could be instantiated, to fall back to.
    fn save_fallback(&mut self) -> Result<()> {
        if self.durable.value_hash(FALLBACK)? != self.durable.value_hash(KERNEL)? {
            self.durable.copy(KERNEL, FALLBACK)?;
        }
        Ok(())
    }

    /// Falls back to the last kernel that could be instantiated. The cycle passes without a run.
    fn recover(&mut self, why: Invalid) -> Result<Ran> {
        let fallback = self.durable.value_hash(FALLBACK)?;
        if fallback.is_none() || fallback == self.durable.value_hash(KERNEL)? {
            return Err(stuck("the kernel is invalid, and there is none to fall back to").found(why.words()));
        }
        self.durable.copy(FALLBACK, KERNEL)?;
        self.durable.touch(UPGRADE_ERROR)?;
        self.counters.phase = Phase::Padding;
        Ok(Ran::Recovered(why))
    }
}

fn refused_trap(trap: Trap) -> Problem {
    Problem::new(Code::PvmRefusedTrap).found(trap.words())
}

fn engine_fault(why: &'static str) -> Problem {
    Problem::new(Code::PvmRefusedKernel).because(why)
}

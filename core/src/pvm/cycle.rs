//! What happens in a cycle of ticks: messages come in, the kernel runs, the level ends or the
//! kernel asks for another run.

use alloc::format;

use super::flags::{REBOOT, REBOOT_COUNTER, TOO_MANY_REBOOT, VERSION};
use super::input::Message;
use super::migration::{Family, Kind, Migration, TICKS_V4, VALIDITY_V4, migration};
use super::phase::Phase;
use super::state::State;
use super::version::Version;
use crate::code::Code;
use crate::context::edit::Tree;
use crate::context::path;
use crate::problem::{Problem, Result};

impl State {
    /// Takes a message. The last one of a level moves the machine to [`Phase::Padding`].
    ///
    /// # Errors
    /// [`Code::PvmRefusedStuck`], [`Code::PvmRefusedMigration`].
    pub(super) fn feed(&mut self, message: Message, family: Family) -> Result<()> {
        let place = (message.level, message.counter);
        if self.counters.phase == Phase::Collect {
            self.take(message, family)?;
        }
        self.counters.current_tick += 1;
        self.counters.input = Some(place);
        Ok(())
    }

    fn take(&mut self, message: Message, family: Family) -> Result<()> {
        let order = |message: &Message| (message.level, message.counter);
        if self.input.last().is_some_and(|last| order(last) >= order(&message)) {
            return Err(stuck("a message does not come after the one before it"));
        }
        let (level, payload) = (message.level, message.payload.clone());
        self.input.push(message);
        match Kind::of(&payload) {
            Kind::StartOfLevel => self.output.start_of_level(level, &mut self.tree),
            Kind::EndOfLevel => {
                self.counters.phase = Phase::Padding;
                Ok(())
            }
            Kind::Migration(name) => self.migrate(name, family),
            Kind::IllFormed => Err(stuck("the name of a protocol is no text")),
            Kind::Other => Ok(()),
        }
    }

    fn migrate(&mut self, name: &[u8], family: Family) -> Result<()> {
        match migration(family, name) {
            Migration::Nothing => {}
            Migration::Unknown => {
                return Err(Problem::new(Code::PvmRefusedMigration).found(path::show_step(name)));
            }
            Migration::To(version) => {
                self.durable.set(VERSION, version.as_str().as_bytes())?;
                if version == Version::V4 {
                    self.counters.max_nb_ticks = TICKS_V4;
                    self.output.validity_period = VALIDITY_V4;
                }
            }
        }
        Ok(())
    }

    /// Lets the rest of the cycle pass: from [`Phase::Padding`] to a run, or to the next level.
    ///
    /// # Errors
    /// [`Code::PvmRefusedTicks`] when the cycle is over already.
    pub(super) fn end_of_cycle(&mut self) -> Result<()> {
        let end = self.counters.last_top_level_call + self.counters.max_nb_ticks;
        if self.counters.current_tick >= end {
            let wanted = format!("fewer than {} messages", self.counters.max_nb_ticks);
            return Err(Problem::new(Code::PvmRefusedTicks).expected(wanted));
        }
        self.counters.current_tick = end;
        self.counters.last_top_level_call = end;
        // What the level began with, which it mostly ends with.
        let flags = self.flags.take().unwrap_or_else(|| Flags {
            reboot: self.durable.directory_of(REBOOT),
            reboot_counter: self.durable.directory_of(REBOOT_COUNTER),
        });
        let wants_reboot = self.durable.has_value(REBOOT)?;
        if wants_reboot && self.counters.reboot_counter > 0 {
            self.counters.phase = Phase::Snapshot;
            self.counters.reboot_counter -= 1;
            self.durable.delete(REBOOT)?;
        } else {
            self.counters.phase = Phase::Collect;
            self.counters.reboot_counter = self.counters.max_reboots + 1;
            if wants_reboot {
                self.durable.touch(TOO_MANY_REBOOT)?;
            } else {
                self.durable.delete(TOO_MANY_REBOOT)?;
            }
            self.durable.write_again(REBOOT, &[], flags.reboot.as_ref())?;
            self.input.reset();
        }
        self.durable.delete(REBOOT_COUNTER)?;
        let counter = u32::try_from(self.counters.reboot_counter).unwrap_or(u32::MAX).to_le_bytes();
        self.durable.write_again(REBOOT_COUNTER, &counter, flags.reboot_counter.as_ref())?;
        self.flags = (self.counters.phase == Phase::Snapshot).then_some(flags);
        Ok(())
    }
}

/// The directories of values that each level deletes and writes.
#[derive(Clone, Debug)]
pub(super) struct Flags {
    reboot: Option<Tree>,
    reboot_counter: Option<Tree>,
}

/// The nodes' machine gets stuck here.
pub(super) fn stuck(why: &'static str) -> Problem {
    Problem::new(Code::PvmRefusedStuck).because(why)
}

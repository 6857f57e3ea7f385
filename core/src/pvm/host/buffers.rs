//! Reading messages and writing to the outbox.

use super::memory::{View, address};
use super::{Errno, Outcome, Run};
use crate::pvm::output::MAX_MESSAGE;

/// Most bytes of a message that a kernel gets.
const MAX_INPUT: i32 = 4096;

impl Run {
    /// Takes the next message, also where the kernel has less room than it needs.
    pub(super) fn read_input(&mut self, memory: &mut View<'_>, info: i32, to: i32, max: i32) -> Outcome<i64> {
        let size = memory.len();
        // The nodes want one byte more than is written, here and below.
        if address(info) + 8 >= size {
            return Err(Errno::MemoryAccess.into());
        }
        let Ok(max) = usize::try_from(max.min(MAX_INPUT)) else { return Err(Errno::MemoryAccess.into()) };
        if address(to) + max as u64 >= size {
            return Err(Errno::MemoryAccess.into());
        }
        let Some(message) = self.input.pop() else { return Ok(0) };
        let part = message.payload.get(..max).unwrap_or(&message.payload);
        memory.store(to, part)?;
        let mut about = [0; 8];
        let (level, counter) = about.split_at_mut(4);
        level.copy_from_slice(&message.level.to_le_bytes());
        counter.copy_from_slice(&(message.counter as u32).to_le_bytes());
        memory.store(info, &about)?;
        Ok(part.len() as i64)
    }

    /// Appends a message to the outbox of the level.
    pub(super) fn write_output(&mut self, memory: &View<'_>, from: i32, len: i32) -> Outcome<i64> {
        if len > MAX_MESSAGE {
            return Err(Errno::IoTooLarge.into());
        }
        let message = memory.load(from, len)?;
        match self.output.room() {
            None => Err(Errno::Generic.into()),
            Some(false) => Err(Errno::OutboxFull.into()),
            Some(true) => {
                self.output.push(message.into());
                Ok(0)
            }
        }
    }
}

//! The host functions, carried out on a state in memory.
//!
//! Each function checks its arguments in the order in which the nodes do: the first check that fails
//! decides the code that the kernel gets.

mod buffers;
mod memory;
mod reveals;
mod store;

use alloc::vec::Vec;

use super::durable::Durable;
use super::engine::{Halt, Host, Memory};
use super::function::{HostFunction, Value};
use super::input::Input;
use super::output::Output;
use super::reveal::{Revealed, Rollup, SharedReveal};
use crate::code::Code;
use crate::problem::Problem;
use memory::View;

/// What a run works on, and what it leaves.
pub(super) struct Run {
    pub(super) durable: Durable,
    pub(super) input: Input,
    pub(super) output: Output,
    /// The answers that the kernel got.
    pub(super) revealed: Vec<Revealed>,
    /// Why the host halted the kernel.
    pub(super) stop: Option<Stop>,
    /// The level whose messages are read.
    pub(super) level: i32,
    pub(super) rollup: Rollup,
    pub(super) reveal: SharedReveal,
}

/// Why the host halts a kernel.
#[derive(Debug)]
pub(super) enum Stop {
    /// No state follows.
    Problem(Problem),
    /// The start function called a function that needs the memory: the kernel is invalid.
    StartCalledHost,
}

/// The codes that kernels get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Errno {
    KeyTooLarge = -1,
    InvalidKey = -2,
    NotAValue = -3,
    InvalidOffset = -4,
    ValueSize = -5,
    MemoryAccess = -6,
    IoTooLarge = -7,
    Generic = -8,
    ReadOnly = -9,
    NotANode = -10,
    OutboxFull = -11,
    InvalidIndex = -12,
    ValueExists = -13,
}

/// Why a function does not do what it was asked for.
enum Fail {
    /// The kernel gets this code.
    Errno(Errno),
    /// The kernel is halted.
    Stop(Problem),
}

type Outcome<T> = Result<T, Fail>;

impl From<Problem> for Fail {
    fn from(problem: Problem) -> Self {
        Self::Stop(problem)
    }
}

impl From<Errno> for Fail {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl Host for Run {
    fn call(
        &mut self,
        function: HostFunction,
        args: &[Value],
        memory: Option<&mut dyn Memory>,
    ) -> Result<Option<Value>, Halt> {
        let result = match memory {
            // Says something to nobody, with or without a memory.
            _ if function == HostFunction::WriteDebug => return Ok(None),
            // These do not ask for the memory first: what comes of it is the affair of the nodes' interpreter.
            None if function == HostFunction::RevealMetadata || function.is_nds() => {
                let why = "its start function calls what no start function is known to call";
                self.stop = Some(Stop::Problem(Problem::new(Code::PvmRefusedKernel).because(why)));
                return Err(Halt);
            }
            None => {
                self.stop = Some(Stop::StartCalledHost);
                return Err(Halt);
            }
            Some(memory) => self.carry_out(function, args, &mut View(memory)),
        };
        let number = match result {
            Ok(number) => number,
            Err(Fail::Errno(errno)) => errno as i64,
            Err(Fail::Stop(problem)) => {
                self.stop = Some(Stop::Problem(problem));
                return Err(Halt);
            }
        };
        // No number of a function of 32 bits has more.
        Ok(Some(if function == HostFunction::StoreListSize {
            Value::I64(number)
        } else {
            Value::I32(number as i32)
        }))
    }
}

impl Run {
    fn carry_out(&mut self, function: HostFunction, args: &[Value], memory: &mut View<'_>) -> Outcome<i64> {
        use HostFunction as F;
        use Value::{I32, I64};
        match (function, args) {
            (F::ReadInput, &[I32(info), I32(to), I32(max)]) => self.read_input(memory, info, to, max),
            (F::WriteOutput, &[I32(from), I32(len)]) => self.write_output(memory, from, len),
            (F::StoreHas, &[I32(key), I32(len)]) => self.store_has(memory, key, len),
            (F::StoreListSize, &[I32(key), I32(len)]) => self.store_list_size(memory, key, len),
            (F::StoreValueSize, &[I32(key), I32(len)]) => self.store_value_size(memory, key, len),
            (F::StoreExists, &[I32(key), I32(len)]) => self.store_exists(memory, key, len),
            (F::StoreDelete, &[I32(key), I32(len)]) => self.store_delete(memory, key, len),
            (F::StoreDeleteValue, &[I32(key), I32(len)]) => self.store_delete_value(memory, key, len),
            (F::StoreCreate, &[I32(key), I32(len), I32(size)]) => self.store_create(memory, key, len, size),
            (F::StoreCopy, &[I32(from), I32(from_len), I32(to), I32(to_len)]) => {
                self.store_copy(memory, [from, from_len], [to, to_len])
            }
            (F::StoreMove, &[I32(from), I32(from_len), I32(to), I32(to_len)]) => {
                self.store_move(memory, [from, from_len], [to, to_len])
            }
            (F::StoreRead, &[I32(key), I32(len), I32(offset), I32(to), I32(max)]) => {
                self.store_read(memory, [key, len], offset, to, max)
            }
            (F::StoreWrite, &[I32(key), I32(len), I32(offset), I32(from), I32(size)]) => {
                self.store_write(memory, [key, len], offset, from, size)
            }
            (F::StoreGetNthKey, &[I32(key), I32(len), I64(index), I32(to), I32(max)]) => {
                self.store_get_nth_key(memory, [key, len], index, to, max)
            }
            (F::StoreGetHash, &[I32(key), I32(len), I32(to), I32(max)]) => {
                self.store_get_hash(memory, [key, len], to, max)
            }
            (F::RevealPreimage, &[I32(hash), I32(len), I32(to), I32(max)]) => {
                self.reveal_preimage(memory, hash, len, to, max)
            }
            (F::RevealMetadata, &[I32(to), I32(max)]) => self.reveal_metadata(memory, to, max),
            (F::Reveal, &[I32(request), I32(len), I32(to), I32(max)]) => {
                self.reveal(memory, request, len, to, max)
            }
            _ if function.is_nds() => Err(raises("it calls a function of the NDS").into()),
            _ => {
                let why = "the engine passes other arguments than declared";
                Err(Problem::new(Code::PvmRefusedKernel).because(why).into())
            }
        }
    }
}

/// The PVM of the nodes raises an exception there, so they cannot evaluate the block.
fn raises(why: &'static str) -> Problem {
    Problem::new(Code::PvmRaises).because(why)
}

//! How the machine runs a kernel: an [`Engine`] executes it, and all that it may call is a [`Host`].
//!
//! The machine admits a kernel first ([`Admission`]) and hands over only what was admitted. An
//! engine then does one thing: a fresh instance, the start function if there is one, one call of
//! [`ENTRY`], and a word on how it ended. Nothing survives in the engine but compiled code.

use alloc::rc::Rc;
use alloc::sync::Arc;
use core::cell::RefCell;

use super::function::{HostFunction, Value};
use super::version::Version;
use crate::problem::Result;

#[cfg(doc)]
use super::function::ENTRY;

/// The linear memory of a running kernel: the first memory that it exports.
pub trait Memory {
    /// Its current length, in bytes. At most 2^32.
    fn len(&self) -> u64;

    /// Whether it has no page at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies the bytes from `at` on into `out`, all or none of them. Needs `at + out.len() <= len()`,
    /// also when `out` is empty.
    ///
    /// # Errors
    /// When they are not all inside.
    fn read(&self, at: u64, out: &mut [u8]) -> Result<(), OutOfBounds>;

    /// Writes `bytes` from `at` on, all or none of them. Needs `at + bytes.len() <= len()`, also when
    /// `bytes` is empty.
    ///
    /// # Errors
    /// When they do not all fit.
    fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), OutOfBounds>;
}

/// An access outside the linear memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfBounds;

/// Stop the kernel now: the host knows why and tells the machine itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halt;

/// What a kernel can call.
pub trait Host {
    /// Carries out one call. `args` has the types of [`HostFunction::params`], the answer the type of
    /// [`HostFunction::result`]. `memory` is `None` while the module is being instantiated, that is,
    /// in calls of the start function.
    ///
    /// # Errors
    /// [`Halt`]: the engine unwinds the kernel at once, without running any more of it, and
    /// returns [`Ended::Halted`].
    fn call(
        &mut self,
        function: HostFunction,
        args: &[Value],
        memory: Option<&mut dyn Memory>,
    ) -> Result<Option<Value>, Halt>;
}

/// The host, shared for the time of one run. An engine drops its share before it returns.
///
/// It is owned and not borrowed, because engines keep it in stores and closures that must be
/// `'static`.
pub type SharedHost = Rc<RefCell<dyn Host>>;

/// Something that executes kernels.
///
/// The three outcomes must not be confused: [`Ended`] is what every correct engine finds; an `Err` is
/// what only this one met (a limit, a cancel), and no state follows from it.
///
/// * Features: integers, bulk memory, multi-value, sign extension, reference types, mutable globals,
///   SIMD. Floats are excluded by admission, but for a few SIMD instructions.
/// * Imports: [`HostFunction::find`] of the kernel's version, nothing else.
/// * `memory.grow` succeeds up to the declared maximum or 65,536 pages, unless a budget forbids it:
///   then the run ends with an `Err`, not with −1.
/// * The stack ends where the nodes' engines might not agree any more: no later than at [`frames`].
/// * A run looks at the clock and at the user's wish to stop: it ends within a second of both.
pub trait Engine {
    /// Its name and version, for reports and caches: `wasmi 1.0.0`.
    fn name(&self) -> &str;

    /// Instantiates the kernel and calls its entry.
    ///
    /// # Errors
    /// [`Code::PvmTime`](crate::Code::PvmTime), [`Code::PvmMemory`](crate::Code::PvmMemory),
    /// [`Code::Cancelled`](crate::Code::Cancelled);
    /// [`Code::PvmRefusedKernel`](crate::Code::PvmRefusedKernel) when the engine does not take a
    /// module that was admitted.
    fn run(&mut self, kernel: &Kernel, host: SharedHost) -> Result<Ended>;

    /// An engine that allows deeper recursion, for a run that ended with [`Trap::StackOverflow`] in this one: the
    /// machine begins the run again with it, as nodes do. `None` when there is none.
    ///
    /// From version 1 on it ends at [`frames`], too. In version 0 it stands for the nodes' compiler alone, and ends
    /// at [`Kernel::deep_frames`].
    fn deeper(&mut self, kernel: &Kernel) -> Option<&mut dyn Engine> {
        let _ = kernel;
        None
    }
}

/// How many frames, one in another, every node allows in a state of this version: the limit of their interpreter, which
/// has the last word, less a few that it may count otherwise.
pub const fn frames(version: Version) -> usize {
    match version {
        Version::V0 => 300 - 10,
        _ => 60_000 - 1000,
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The entry returned; its results do not matter.
    Returned,
    /// The entry trapped.
    Trapped(Trap),
    /// The module could not be instantiated, or its start function failed.
    NotInstantiated(Uninstantiable),
    /// It was instantiated, but there is no entry to call: [`Kernel::entry`] says why.
    NoEntry,
    /// The host said [`Halt`], from the start function or from the entry.
    Halted,
}

/// Why a module cannot be instantiated although it was admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uninstantiable {
    /// A data segment outside the memory, or an element segment outside the table.
    Segment,
    /// The start function trapped.
    Start(Trap),
}

/// What can end a kernel at an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// `unreachable`.
    Unreachable,
    /// A load, store or bulk operation outside the memory.
    MemoryOutOfBounds,
    /// Division or remainder by zero.
    DivisionByZero,
    /// The quotient of the least number and −1; also a conversion out of range.
    IntegerOverflow,
    /// An indirect call of a function of another type.
    IndirectCallType,
    /// An indirect call or a table operation outside the table.
    TableOutOfBounds,
    /// An indirect call of an element that holds no function.
    NullElement,
    /// Too deep a recursion, for this engine.
    StackOverflow,
}

impl Ended {
    /// Whether the recursion was too deep for the engine.
    pub(super) fn is_overflow(self) -> bool {
        matches!(
            self,
            Self::Trapped(Trap::StackOverflow)
                | Self::NotInstantiated(Uninstantiable::Start(Trap::StackOverflow))
        )
    }
}

impl Trap {
    /// What happened, in a few words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable executed",
            Self::MemoryOutOfBounds => "out of bounds memory access",
            Self::DivisionByZero => "division by zero",
            Self::IntegerOverflow => "integer overflow",
            Self::IndirectCallType => "indirect call of another type",
            Self::TableOutOfBounds => "out of bounds table access",
            Self::NullElement => "uninitialized table element",
            Self::StackOverflow => "stack overflow",
        }
    }
}

/// A kernel that may be run.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The module.
    pub bytes: Arc<[u8]>,
    /// Blake2b-256 of the module: the key under which an engine keeps what it compiled. The version
    /// is not part of it: what differs by version was settled by admission.
    pub hash: [u8; 32],
    /// The version of the state that it runs in.
    pub version: Version,
    /// Name of the exported memory that host functions use: the first one in the list of exports.
    pub memory: Arc<str>,
    /// Name of the export that is its start function. The module itself has no start section any more: so an
    /// engine calls it as it calls the entry, with the same watch over it.
    pub start: Option<Arc<str>>,
    /// Whether its entry can be called.
    pub entry: Entry,
    /// In version 0, how many frames the nodes' compiler has room for, whatever machine code it makes; 0 when it does not
    /// run all of the kernel, or where nobody asks.
    pub deep_frames: usize,
}

/// What a module exports as [`ENTRY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A function without parameters, with any results.
    Function,
    /// A function with parameters. It cannot be called.
    Parameters,
    /// Nothing, or no function.
    Missing,
}

impl Entry {
    /// What is exported, in a few words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Function => "a function that can be called",
            Self::Parameters => "a function with parameters",
            Self::Missing => "nothing, or no function",
        }
    }
}

/// What admission finds. That admission cannot tell is a [`Problem`](crate::Problem) instead.
#[derive(Clone, Debug)]
pub enum Admission {
    /// It may run.
    Admitted(Kernel),
    /// Every node finds it invalid, and falls back to the kernel before.
    Invalid(Invalid),
}

/// Why a kernel is invalid for sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// There is no value, or an empty one.
    Missing,
    /// It does not begin with the magic number and version of WebAssembly.
    Magic,
    /// It mentions a float type or a forbidden float instruction.
    Float,
    /// It imports what the version does not know.
    Import,
    /// It imports a known function with another type.
    ImportType,
    /// It exports no memory.
    NoMemory,
    /// It cannot be instantiated.
    Uninstantiable(Uninstantiable),
    /// Its start function called a host function.
    StartCalledHost,
}

impl Invalid {
    /// What is wrong, in a few words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Missing => "there is no kernel",
            Self::Magic => "it is not WebAssembly",
            Self::Float => "it uses floats",
            Self::Import => "it imports something that this version does not know",
            Self::ImportType => "it imports a function with another type",
            Self::NoMemory => "it exports no memory",
            Self::Uninstantiable(Uninstantiable::Segment) => "a segment lies outside its memory or table",
            Self::Uninstantiable(Uninstantiable::Start(_)) => "its start function traps",
            Self::StartCalledHost => "its start function calls a host function",
        }
    }
}

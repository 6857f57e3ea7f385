//! From an engine to the host functions: the same for every engine.

use rollsnap_core::pvm::engine::{Memory, OutOfBounds, SharedHost};
use rollsnap_core::pvm::{HostFunction, Value};

/// The linear memory, as the bytes that the engine lends for one call.
struct Bytes<'a>(&'a mut [u8]);

impl Bytes<'_> {
    fn place(&self, at: u64, length: usize) -> Result<core::ops::Range<usize>, OutOfBounds> {
        let at = usize::try_from(at).map_err(|_| OutOfBounds)?;
        let end = at.checked_add(length).ok_or(OutOfBounds)?;
        Ok(at..end)
    }
}

impl Memory for Bytes<'_> {
    fn len(&self) -> u64 {
        self.0.len().try_into().unwrap_or(u64::MAX)
    }

    fn read(&self, at: u64, out: &mut [u8]) -> Result<(), OutOfBounds> {
        let bytes = self.0.get(self.place(at, out.len())?).ok_or(OutOfBounds)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), OutOfBounds> {
        let place = self.place(at, bytes.len())?;
        self.0.get_mut(place).ok_or(OutOfBounds)?.copy_from_slice(bytes);
        Ok(())
    }
}

/// One call of a host function, with the memory if the instance shows one; `None` when the kernel is to be halted.
pub(super) fn answer<T: Answer>(
    host: &SharedHost,
    memory: Option<&mut [u8]>,
    function: HostFunction,
    args: &[Value],
) -> Option<T> {
    let mut host = host.try_borrow_mut().ok()?;
    let answer = match memory {
        None => host.call(function, args, None),
        Some(memory) => host.call(function, args, Some(&mut Bytes(memory))),
    };
    T::of(answer.ok()?)
}

/// What a host function returned, as the Rust type of its result.
pub(super) trait Answer: Sized {
    /// `None` when it is of another type, which the table of host functions excludes.
    fn of(value: Option<Value>) -> Option<Self>;
}

impl Answer for () {
    fn of(value: Option<Value>) -> Option<Self> {
        value.is_none().then_some(())
    }
}

impl Answer for i32 {
    fn of(value: Option<Value>) -> Option<Self> {
        match value? {
            Value::I32(value) => Some(value),
            Value::I64(_) => None,
        }
    }
}

impl Answer for i64 {
    fn of(value: Option<Value>) -> Option<Self> {
        match value? {
            Value::I64(value) => Some(value),
            Value::I32(_) => None,
        }
    }
}

/// Defines every host function in a linker, as a closure of its own type: that is several times as fast as one
/// closure for all of them. `$call` takes the caller, the function and its arguments.
macro_rules! define {
    ($linker:expr, $caller:ty, $error:ty, $call:path) => {{
        let linker = $linker;
        for &function in HostFunction::ALL {
            let name = function.import();
            crate::engine::calls::shapes! { linker, name, function, $caller, $error, $call:
                (I32 I32) none
                (I32 I32) I32
                (I32 I32) I64
                (I32 I32 I32) I32
                (I32 I32 I32 I32) I32
                (I32 I32 I32 I32 I32) I32
                (I32 I32 I64 I32 I32) I32
                (I64) I32
                (I64 I64) I32
                (I64 I32 I32) I32
                (I64 I32 I32 I32 I32) I32
                (I64 I32 I32 I64 I32 I32) I32
            }
        }
    }};
}

macro_rules! shapes {
    ($linker:ident, $name:ident, $function:ident, $caller:ty, $error:ty, $call:path:
     $(($($kind:ident)*) $result:ident)*) => {
        match ($function.params(), $function.result()) {
            $(([$(ValueType::$kind),*], crate::engine::calls::result!($result)) => {
                crate::engine::calls::closure!($linker, $name, $function, $caller, $error, $call;
                    $result; [$($kind)*] [a b c d e f] []);
            })*
            _ => return Err(Problem::new(Code::PvmRefusedKernel).because("a host function of an unknown type")),
        }
    };
}

/// Gives each parameter a name, then makes the closure.
macro_rules! closure {
    ($linker:ident, $name:ident, $function:ident, $caller:ty, $error:ty, $call:path; $result:ident;
     [$kind:ident $($kinds:ident)*] [$letter:ident $($letters:ident)*] [$($done:tt)*]) => {
        crate::engine::calls::closure!($linker, $name, $function, $caller, $error, $call; $result;
            [$($kinds)*] [$($letters)*] [$($done)* ($letter $kind)])
    };
    ($linker:ident, $name:ident, $function:ident, $caller:ty, $error:ty, $call:path; $result:ident;
     [] [$($letters:ident)*] [$(($letter:ident $kind:ident))*]) => {
        $linker.func_wrap(
            MODULE,
            $name,
            move |caller: $caller, $($letter: crate::engine::calls::rust!($kind)),*|
                -> Result<crate::engine::calls::rust!($result), $error> {
                $call(caller, $function, &[$(Value::$kind($letter)),*])
            },
        ).map_err(|error| Problem::new(Code::PvmRefusedKernel).because(error))?
    };
}

macro_rules! result {
    (none) => {
        None
    };
    ($kind:ident) => {
        Some(ValueType::$kind)
    };
}

macro_rules! rust {
    (none) => {
        ()
    };
    (I32) => {
        i32
    };
    (I64) => {
        i64
    };
}

pub(super) use {closure, define, result, rust, shapes};

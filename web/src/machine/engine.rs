//! Kernels in the `WebAssembly` of the browser or of Node.
//!
//! It tells neither when it refuses memory nor how deep a recursion is, so kernels watch themselves ([`watched`]).
//!
//! Nothing can interrupt a kernel here but the end of its worker: who runs kernels does so in one, and terminates it
//! when it takes too long. A module that failed half-way through a call of the host is of no more use, because the
//! engine leaves its stack without another word: it says so from then on.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use js_sys::{Array, BigInt, Function, Object, Reflect, Uint8Array, WebAssembly};
use rollsnap_core::pvm::Version;
use rollsnap_core::pvm::engine::{
    Ended, Engine, Entry, Halt, Kernel, Memory, OutOfBounds, SharedHost, Trap, Uninstantiable, frames,
};
use rollsnap_core::pvm::function::{ENTRY, HostFunction, MODULE, Value, ValueType};
use rollsnap_core::pvm::kernel::watched;
use rollsnap_core::{Code, Problem, Result};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::traps;

/// How many compiled kernels are kept.
const KEPT: usize = 4;

/// No host function has more parameters.
const MAX_PARAMS: usize = 6;

/// A host function, as the engine calls it: it leaves out the parameters that the function does not have.
type Import = Closure<
    dyn Fn(JsValue, JsValue, JsValue, JsValue, JsValue, JsValue) -> core::result::Result<JsValue, JsValue>,
>;

/// The engine of the host.
pub(super) struct HostEngine {
    shared: Rc<Shared>,
    imports: Object,
    /// What `imports` refers to.
    _functions: Vec<Import>,
    /// The last one first.
    modules: Vec<([u8; 32], u32, Compiled)>,
    /// Whether the next run may go as deep as the nodes' compiler does.
    deep: bool,
    broken: bool,
}

/// A kernel that was compiled.
#[derive(Clone)]
struct Compiled {
    module: WebAssembly::Module,
    /// Name of the global that says why it ended itself.
    flag: String,
}

/// What belongs to the run that goes on.
#[derive(Default)]
struct Shared {
    host: RefCell<Option<SharedHost>>,
    memory: RefCell<Option<WebAssembly::Memory>>,
    halted: Cell<bool>,
    /// Whether a host function is being carried out.
    inside: Cell<bool>,
}

impl HostEngine {
    /// Defines the host functions.
    pub(super) fn new() -> core::result::Result<Self, JsValue> {
        let shared = Rc::<Shared>::default();
        let (names, mut functions) = (Object::new(), Vec::new());
        for &function in HostFunction::ALL {
            let of_run = Rc::clone(&shared);
            let import: Import =
                Closure::new(move |a, b, c, d, e, f| of_run.call(function, &[a, b, c, d, e, f]));
            Reflect::set(&names, &function.import().into(), import.as_ref())?;
            functions.push(import);
        }
        let imports = Object::new();
        Reflect::set(&imports, &MODULE.into(), &names)?;
        Ok(Self { shared, imports, _functions: functions, modules: Vec::new(), deep: false, broken: false })
    }

    fn module(&mut self, kernel: &Kernel, frames: u32) -> Result<Compiled> {
        if let Some(at) =
            self.modules.iter().position(|(hash, most, _)| *hash == kernel.hash && *most == frames)
        {
            let kept = self.modules.remove(at);
            let module = kept.2.clone();
            self.modules.insert(0, kept);
            return Ok(module);
        }
        let watched = watched::watched(&kernel.bytes, frames)?;
        let module = WebAssembly::Module::new(&Uint8Array::from(&watched.bytes[..]));
        let module = module.map_err(|thrown| traps::not_instantiated(&thrown))?;
        let compiled = Compiled { module, flag: watched.flag };
        self.modules.truncate(KEPT - 1);
        self.modules.insert(0, (kernel.hash, frames, compiled.clone()));
        Ok(compiled)
    }

    fn start(&mut self, kernel: &Kernel, frames: u32) -> Result<Ended> {
        let Compiled { module, flag } = self.module(kernel, frames)?;
        let instance = WebAssembly::Instance::new(&module, &self.imports);
        let exports = instance.map_err(|thrown| traps::not_instantiated(&thrown))?.exports();
        if let Some(start) = &kernel.start {
            match self.enter(&exports, start, &flag)? {
                Ended::Returned => {}
                Ended::Trapped(trap) => return Ok(Ended::NotInstantiated(Uninstantiable::Start(trap))),
                other => return Ok(other),
            }
        }
        if kernel.entry != Entry::Function {
            return Ok(Ended::NoEntry);
        }
        let memory = export::<WebAssembly::Memory>(&exports, &kernel.memory)?;
        *self.shared.memory.borrow_mut() = Some(memory);
        self.enter(&exports, ENTRY, &flag)
    }

    fn enter(&mut self, exports: &Object, name: &str, flag: &str) -> Result<Ended> {
        let function = export::<Function>(exports, name)?;
        let Err(thrown) = function.apply(&JsValue::UNDEFINED, &Array::new()) else {
            return Ok(Ended::Returned);
        };
        if self.shared.inside.get() {
            // The stack of the engine ended while the host was at work, whose state is lost.
            self.broken = true;
            return Err(broken());
        }
        let flag = export::<WebAssembly::Global>(exports, flag)?.value().as_f64().map(|flag| flag as i32);
        match flag {
            Some(watched::MEMORY) => {
                return Err(Problem::new(Code::PvmMemory).because("the memory of the kernel could not grow"));
            }
            Some(watched::DEPTH) => return Ok(Ended::Trapped(Trap::StackOverflow)),
            _ => {}
        }
        if self.shared.halted.get() { Ok(Ended::Halted) } else { traps::ended(&thrown) }
    }
}

impl Engine for HostEngine {
    fn name(&self) -> &str {
        "WebAssembly of the host"
    }

    fn run(&mut self, kernel: &Kernel, host: SharedHost) -> Result<Ended> {
        if self.broken {
            return Err(broken());
        }
        self.shared.halted.set(false);
        *self.shared.host.borrow_mut() = Some(host);
        let deep = core::mem::take(&mut self.deep);
        let frames = if deep { kernel.deep_frames } else { frames(kernel.version) };
        let ended = self.start(kernel, u32::try_from(frames).unwrap_or(u32::MAX));
        if !self.broken {
            self.shared.host.borrow_mut().take();
            self.shared.memory.borrow_mut().take();
        }
        ended
    }

    /// What the nodes' compiler runs in version 0 has no limit there but the stack.
    fn deeper(&mut self, kernel: &Kernel) -> Option<&mut dyn Engine> {
        self.deep = kernel.version == Version::V0;
        if self.deep { Some(self) } else { None }
    }
}

impl Shared {
    /// Carries out one call; what it throws ends the kernel.
    fn call(
        &self,
        function: HostFunction,
        given: &[JsValue; MAX_PARAMS],
    ) -> core::result::Result<JsValue, JsValue> {
        self.inside.set(true);
        let answer = self.answer(function, given);
        self.inside.set(false);
        answer.map_err(|Halt| {
            self.halted.set(true);
            JsValue::UNDEFINED
        })
    }

    fn answer(
        &self,
        function: HostFunction,
        given: &[JsValue; MAX_PARAMS],
    ) -> core::result::Result<JsValue, Halt> {
        let mut args = [Value::I32(0); MAX_PARAMS];
        for ((arg, kind), value) in args.iter_mut().zip(function.params()).zip(given) {
            *arg = match kind {
                ValueType::I32 => Value::I32(value.as_f64().ok_or(Halt)? as i32),
                ValueType::I64 => Value::I64(i64::try_from(value.clone()).map_err(|_| Halt)?),
            };
        }
        let args = args.get(..function.params().len()).ok_or(Halt)?;
        let host = self.host.try_borrow().map_err(|_| Halt)?.clone().ok_or(Halt)?;
        let memory = self.memory.try_borrow().map_err(|_| Halt)?.clone();
        let mut memory = memory.map(Linear::of);
        let memory = memory.as_mut().map(|memory| -> &mut dyn Memory { memory });
        let mut host = host.try_borrow_mut().map_err(|_| Halt)?;
        Ok(match host.call(function, args, memory)? {
            None => JsValue::UNDEFINED,
            Some(Value::I32(value)) => value.into(),
            Some(Value::I64(value)) => BigInt::from(value).into(),
        })
    }
}

/// The linear memory, as it is during one call.
struct Linear {
    buffer: JsValue,
    len: u64,
}

impl Linear {
    fn of(memory: WebAssembly::Memory) -> Self {
        let buffer = memory.buffer();
        // Of 4 GiB the typed getter would say 0.
        let len = Reflect::get(&buffer, &"byteLength".into()).ok().and_then(|len| len.as_f64());
        Self { buffer, len: len.map_or(0, |len| len as u64) }
    }

    fn view(&self, at: u64, len: usize) -> core::result::Result<Option<Uint8Array>, OutOfBounds> {
        let end = at.checked_add(len as u64).filter(|end| *end <= self.len).ok_or(OutOfBounds)?;
        if end == at {
            return Ok(None);
        }
        let at = u32::try_from(at).map_err(|_| OutOfBounds)?;
        let len = u32::try_from(len).map_err(|_| OutOfBounds)?;
        Ok(Some(Uint8Array::new_with_byte_offset_and_length(&self.buffer, at, len)))
    }
}

impl Memory for Linear {
    fn len(&self) -> u64 {
        self.len
    }

    fn read(&self, at: u64, out: &mut [u8]) -> core::result::Result<(), OutOfBounds> {
        if let Some(view) = self.view(at, out.len())? {
            view.copy_to(out);
        }
        Ok(())
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> core::result::Result<(), OutOfBounds> {
        if let Some(view) = self.view(at, bytes.len())? {
            view.copy_from(bytes);
        }
        Ok(())
    }
}

/// An export, which admission has seen.
fn export<T: JsCast>(exports: &Object, name: &str) -> Result<T> {
    let found = Reflect::get(exports, &name.into()).ok().and_then(|found| found.dyn_into::<T>().ok());
    found.ok_or_else(|| Problem::new(Code::PvmRefusedKernel).because(format!("the export {name:?} is gone")))
}

fn broken() -> Problem {
    Problem::new(Code::PvmRefusedTrap)
        .found("a recursion so deep that it ended inside the host")
        .because("this machine is of no more use: begin again in another worker")
}

//! The engine for heavy kernels: wasmtime, which compiles to machine code with Cranelift.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rollsnap_compiled::Cache;
use rollsnap_core::pvm::Version;
use rollsnap_core::pvm::engine::{Ended, Engine, Entry, Kernel, SharedHost, Trap, Uninstantiable, frames};
use rollsnap_core::pvm::function::{ENTRY, HostFunction, MODULE, Value, ValueType};
use rollsnap_core::{Code, Problem, Result};
use wasmtime::{
    Caller, Config, Error, Func, InstancePre, Linker, Module, ResourceLimiter, Store, UpdateDeadline, Val,
};

use super::Interpreter;
use super::calls::{self, Answer};
use super::kept::Kept;
use super::limits::{Budget, Limits, Watch};

/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(100);

/// Bytes of stack. No frame of machine code is smaller than 16 bytes, so what fits here is not deeper than every node
/// allows.
const STACK: usize = frames(Version::V4) * 16;

/// Runs kernels as machine code.
///
/// Not those of version 0, where it is frames that count and not bytes: they are interpreted.
pub struct Compiler {
    limits: Limits,
    cache: Option<PathBuf>,
    engine: Option<Prepared>,
    /// For version 0, and for recursion that machine code has no stack for.
    interpreter: Option<Interpreter>,
}

/// An engine, the host functions in it, and the kernels that it compiled.
struct Prepared {
    engine: wasmtime::Engine,
    linker: Linker<Run>,
    modules: Kept<InstancePre<Run>>,
    cache: Option<Cache>,
    /// Dropped, it ends the thread that ticks.
    _ticking: mpsc::Sender<()>,
}

/// What belongs to one run.
struct Run {
    host: SharedHost,
    memory: Option<wasmtime::Memory>,
    budget: Budget,
    stopped: Option<Problem>,
    halted: bool,
}

/// A compilation in a thread of its own.
pub(super) struct Compiling(mpsc::Receiver<Result<Module>>);

impl Compiler {
    /// A compiler that keeps its code in memory only.
    pub fn new(limits: Limits) -> Self {
        Self { limits, cache: None, engine: None, interpreter: None }
    }

    /// Keeps code on the disk, too, in the directory where caches of this user are.
    ///
    /// It is used only where nobody else can write it; see the crate `rollsnap-compiled`.
    pub fn cached(mut self) -> Self {
        self.cache = Cache::usual_path();
        self
    }

    /// Keeps code in this directory, which is made when it is not there.
    pub fn cached_in(mut self, directory: PathBuf) -> Self {
        self.cache = Some(directory);
        self
    }

    fn prepared(&mut self) -> Result<&mut Prepared> {
        match &mut self.engine {
            Some(engine) => Ok(engine),
            engine => Ok(engine.insert(Prepared::new(self.cache.as_deref().and_then(Cache::open))?)),
        }
    }

    fn interpreter(&mut self) -> Result<&mut Interpreter> {
        match &mut self.interpreter {
            Some(interpreter) => Ok(interpreter),
            interpreter => Ok(interpreter.insert(Interpreter::new(self.limits.clone())?)),
        }
    }

    /// Begins to compile a kernel, unless it is there already.
    pub(super) fn begin(&mut self, kernel: &Kernel) -> Result<Option<Compiling>> {
        let engine = self.prepared()?;
        Ok(if engine.is_ready(kernel)? { None } else { Some(engine.compile(kernel)) })
    }

    /// Takes what a compilation made, if it is done: `false` when it goes on.
    pub(super) fn finish(&mut self, kernel: &Kernel, compiling: &Compiling) -> Result<bool> {
        match compiling.0.try_recv() {
            Ok(module) => self.prepared()?.keep(kernel, &module?).map(|()| true),
            Err(mpsc::TryRecvError::Empty) => Ok(false),
            Err(mpsc::TryRecvError::Disconnected) => Err(refused("the compiler gave up")),
        }
    }
}

impl Prepared {
    fn new(cache: Option<Cache>) -> Result<Self> {
        let mut config = Config::new();
        config
            .wasm_multi_memory(false)
            .wasm_tail_call(false)
            .wasm_extended_const(false)
            .wasm_relaxed_simd(false)
            .wasm_memory64(false)
            .wasm_backtrace(false)
            .epoch_interruption(true)
            .max_wasm_stack(STACK);
        let engine = wasmtime::Engine::new(&config).map_err(unable)?;
        let mut linker = Linker::new(&engine);
        calls::define!(&mut linker, Caller<'_, Run>, Error, call);
        let (ticking, ended) = mpsc::channel::<()>();
        let weak = engine.weak();
        thread::Builder::new()
            .name("kernel clock".into())
            .spawn(move || {
                while let (Err(RecvTimeoutError::Timeout), Some(engine)) =
                    (ended.recv_timeout(TICK), weak.upgrade())
                {
                    engine.increment_epoch();
                }
            })
            .map_err(crate::io::no_thread)?;
        Ok(Self { engine, linker, modules: Kept::default(), cache, _ticking: ticking })
    }

    /// Whether a kernel can be run at once, maybe from the disk.
    fn is_ready(&mut self, kernel: &Kernel) -> Result<bool> {
        if self.modules.get(&kernel.hash).is_some() {
            return Ok(true);
        }
        let Some(module) = self.cache.as_ref().and_then(|cache| cache.load(&self.engine, &kernel.hash))
        else {
            return Ok(false);
        };
        let module = self.linker.instantiate_pre(&module).map_err(unable)?;
        self.modules.put(kernel.hash, module);
        Ok(true)
    }

    /// Compiles in another thread, because that can neither be interrupted nor is it bounded in time.
    fn compile(&self, kernel: &Kernel) -> Compiling {
        let (sender, receiver) = mpsc::channel();
        let (engine, bytes) = (self.engine.clone(), kernel.bytes.clone());
        let failed = sender.clone();
        let thread = thread::Builder::new().name("kernel compiler".into()).spawn(move || {
            let _ = sender.send(Module::new(&engine, &bytes).map_err(unable));
        });
        if let Err(error) = thread {
            let _ = failed.send(Err(crate::io::no_thread(error)));
        }
        Compiling(receiver)
    }

    fn keep(&mut self, kernel: &Kernel, module: &Module) -> Result<()> {
        if let Some(cache) = &self.cache {
            cache.store(&self.engine, &kernel.hash, module);
        }
        let module = self.linker.instantiate_pre(module).map_err(unable)?;
        self.modules.put(kernel.hash, module);
        Ok(())
    }

    /// The kernel, compiled now if need be.
    fn module(&mut self, kernel: &Kernel, watch: &Watch) -> Result<InstancePre<Run>> {
        if !self.is_ready(kernel)? {
            let compiling = self.compile(kernel);
            let module = loop {
                match compiling.0.recv_timeout(TICK) {
                    Ok(module) => break module?,
                    Err(RecvTimeoutError::Timeout) => watch.check()?,
                    Err(RecvTimeoutError::Disconnected) => return Err(refused("the compiler gave up")),
                }
            };
            self.keep(kernel, &module)?;
        }
        self.modules.get(&kernel.hash).cloned().ok_or_else(|| refused("the module is gone"))
    }

    fn run(&mut self, kernel: &Kernel, host: SharedHost, limits: &Limits) -> Result<Ended> {
        let watch = limits.watch();
        let module = self.module(kernel, &watch)?;
        let run = Run { host, memory: None, budget: Budget::new(limits), stopped: None, halted: false };
        let mut store = Store::new(&self.engine, run);
        store.limiter(|run| &mut run.budget);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |mut store| match watch.check() {
            Ok(()) => Ok(UpdateDeadline::Continue(1)),
            Err(problem) => {
                let error = Error::msg(problem.to_string());
                store.data_mut().stopped = Some(problem);
                Err(error)
            }
        });
        let instance = match module.instantiate(&mut store) {
            Ok(instance) => instance,
            Err(error) => return Err(store.into_data().budget.exceeded.unwrap_or_else(|| unable(error))),
        };
        if let Some(start) = &kernel.start {
            let start =
                instance.get_func(&mut store, start).ok_or_else(|| refused("the start function is gone"))?;
            match enter(&mut store, start)? {
                Ended::Returned => {}
                Ended::Trapped(trap) => return Ok(Ended::NotInstantiated(Uninstantiable::Start(trap))),
                other => return Ok(other),
            }
        }
        if kernel.entry != Entry::Function {
            return Ok(Ended::NoEntry);
        }
        let memory =
            instance.get_memory(&mut store, &kernel.memory).ok_or_else(|| refused("the memory is gone"))?;
        store.data_mut().memory = Some(memory);
        let entry = instance.get_func(&mut store, ENTRY).ok_or_else(|| refused("the entry is gone"))?;
        enter(&mut store, entry)
    }
}

impl Engine for Compiler {
    fn name(&self) -> &str {
        "wasmtime 36"
    }

    fn run(&mut self, kernel: &Kernel, host: SharedHost) -> Result<Ended> {
        if kernel.version == Version::V0 {
            return self.interpreter()?.run(kernel, host);
        }
        let limits = self.limits.clone();
        self.prepared()?.run(kernel, host, &limits)
    }

    /// The interpreter counts frames instead of bytes.
    fn deeper(&mut self, kernel: &Kernel) -> Option<&mut dyn Engine> {
        let interpreter = self.interpreter().ok()?;
        if kernel.version == Version::V0 { interpreter.deeper(kernel) } else { Some(interpreter) }
    }
}

/// Calls a function without parameters.
fn enter(store: &mut Store<Run>, function: Func) -> Result<Ended> {
    let kinds = function.ty(&*store);
    let mut results: Vec<Val> = kinds.results().map(|_| Val::I32(0)).collect();
    match function.call(&mut *store, &[], &mut results) {
        Ok(()) => Ok(Ended::Returned),
        Err(error) => failed(store.data_mut(), error),
    }
}

/// What an error of the engine means.
fn failed(run: &mut Run, error: Error) -> Result<Ended> {
    if let Some(problem) = run.stopped.take().or_else(|| run.budget.exceeded.take()) {
        return Err(problem);
    }
    if run.halted {
        return Ok(Ended::Halted);
    }
    Ok(Ended::Trapped(match error.downcast_ref::<wasmtime::Trap>() {
        Some(wasmtime::Trap::UnreachableCodeReached) => Trap::Unreachable,
        Some(wasmtime::Trap::MemoryOutOfBounds) => Trap::MemoryOutOfBounds,
        Some(wasmtime::Trap::TableOutOfBounds) => Trap::TableOutOfBounds,
        Some(wasmtime::Trap::IndirectCallToNull) => Trap::NullElement,
        Some(wasmtime::Trap::IntegerDivisionByZero) => Trap::DivisionByZero,
        Some(wasmtime::Trap::IntegerOverflow) => Trap::IntegerOverflow,
        Some(wasmtime::Trap::StackOverflow) => Trap::StackOverflow,
        Some(wasmtime::Trap::BadSignature) => Trap::IndirectCallType,
        _ => return Err(refused(error)),
    }))
}

/// One call of a host function.
fn call<T: Answer>(mut caller: Caller<'_, Run>, function: HostFunction, args: &[Value]) -> Result<T, Error> {
    let Run { host, memory, .. } = caller.data();
    let (host, memory) = (Rc::clone(host), *memory);
    let memory = memory.map(|memory| memory.data_mut(&mut caller));
    calls::answer(&host, memory, function, args).ok_or_else(|| {
        caller.data_mut().halted = true;
        Error::msg("halted by the host")
    })
}

/// Why a kernel could not be made ready: the engine does not take it, or the machine did not let the engine work, which
/// says nothing of the kernel.
fn unable(error: Error) -> Problem {
    let is_of_machine = |cause: &(dyn std::error::Error + 'static)| {
        cause.is::<rustix::io::Errno>() || cause.is::<std::io::Error>()
    };
    if error.chain().any(is_of_machine) {
        let text = format!("{error:#}");
        return Problem::new(Code::IoOther)
            .headline("the compiler of kernels cannot work here")
            .because(text);
    }
    refused(error)
}

fn refused(reason: impl ToString) -> Problem {
    Problem::new(Code::PvmRefusedKernel).because(reason)
}

impl ResourceLimiter for Budget {
    fn memory_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> Result<bool, Error> {
        self.memory(desired, maximum).map_err(|_| denied())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, Error> {
        self.table(current, desired, maximum).map_err(|_| denied())
    }

    fn memory_grow_failed(&mut self, error: Error) -> Result<(), Error> {
        let _ = self.failed(&error);
        Err(error)
    }

    fn table_grow_failed(&mut self, error: Error) -> Result<(), Error> {
        let _ = self.failed(&error);
        Err(error)
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        usize::MAX
    }

    fn memories(&self) -> usize {
        1
    }
}

fn denied() -> Error {
    Error::msg("more memory than the budget")
}

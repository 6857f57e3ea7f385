//! The engine that is always there: wasmi, in Rust without unsafe code of ours, which takes microseconds to begin.

use std::rc::Rc;

use rollsnap_core::pvm::Version;
use rollsnap_core::pvm::engine::{Ended, Engine, Entry, Kernel, SharedHost, Trap, Uninstantiable, frames};
use rollsnap_core::pvm::function::{ENTRY, HostFunction, MODULE, Value, ValueType};
use rollsnap_core::pvm::kernel::counted_selects;
use rollsnap_core::{Code, Problem, Result};
use wasmi::errors::{HostError, MemoryError, TableError};
use wasmi::{
    Caller, CompilationMode, Config, CustomFuelCosts, Error, Func, Linker, Module, ResourceLimiter,
    ResumableCall, Store, TrapCode, Val,
};
use wasmi_core::LimiterError;

use super::calls::{self, Answer};
use super::kept::Kept;
use super::limits::{Budget, Limits, Watch};

const NAME: &str = "wasmi 2.0.0";

/// Instructions between two looks at the clock: some tens of milliseconds.
const SLICE: u64 = 20_000_000;

/// Bytes of values on the stack: 128 values for each of the most frames.
const STACK: usize = frames(Version::V4) * 1024;

/// Runs kernels instruction by instruction.
pub struct Interpreter {
    limits: Limits,
    /// For version 0, and for all later ones.
    engines: [Prepared; 2],
    deep: Option<Deep>,
}

/// For recursions in version 0 that only the nodes' compiler allows.
struct Deep {
    limits: Limits,
    frames: usize,
    engine: Prepared,
}

/// An engine, the host functions in it, and the kernels that it translated.
struct Prepared {
    engine: wasmi::Engine,
    linker: Linker<Run>,
    modules: Kept<Module>,
}

/// What belongs to one run.
struct Run {
    host: SharedHost,
    memory: Option<wasmi::Memory>,
    budget: Budget,
    halted: bool,
}

/// The host wants no more.
#[derive(Debug)]
struct Halted;

impl core::fmt::Display for Halted {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("halted by the host")
    }
}

impl HostError for Halted {}

impl Interpreter {
    /// # Errors
    /// None that depends on the caller.
    pub fn new(limits: Limits) -> Result<Self> {
        let engine = |version| Prepared::new(frames(version), STACK);
        Ok(Self { limits, engines: [engine(Version::V0)?, engine(Version::V4)?], deep: None })
    }
}

impl Prepared {
    fn new(frames: usize, stack: usize) -> Result<Self> {
        let mut config = Config::default();
        config
            .wasm_multi_memory(false)
            .wasm_tail_call(false)
            .wasm_extended_const(false)
            .wasm_relaxed_simd(false)
            .ignore_custom_sections(true)
            .compilation_mode(CompilationMode::Lazy)
            .consume_fuel(true)
            // Translation is no instruction of the kernel's.
            .fuel_cost(CustomFuelCosts {
                bytes_copied_per_fuel: 64,
                fuel_per_bytes_translated: 0,
                fuel_per_bytes_validated: 0,
            })
            .set_max_recursion_depth(frames)
            .set_max_stack_height(stack);
        let engine = wasmi::Engine::new(&config);
        let mut linker = Linker::new(&engine);
        calls::define!(&mut linker, Caller<'_, Run>, Error, call);
        Ok(Self { engine, linker, modules: Kept::default() })
    }

    fn module(&mut self, kernel: &Kernel) -> Result<Module> {
        if let Some(module) = self.modules.get(&kernel.hash) {
            return Ok(module.clone());
        }
        let bytes = counted_selects(&kernel.bytes)?;
        let module = Module::new(&self.engine, &bytes).map_err(refused)?;
        self.modules.put(kernel.hash, module.clone());
        Ok(module)
    }

    fn run(&mut self, kernel: &Kernel, host: SharedHost, limits: &Limits) -> Result<Ended> {
        let watch = limits.watch();
        let module = self.module(kernel)?;
        let run = Run { host, memory: None, budget: Budget::new(limits), halted: false };
        let mut store = Store::new(&self.engine, run);
        store.limiter(|run| &mut run.budget);
        let instance = match self.linker.instantiate_and_start(&mut store, &module) {
            Ok(instance) => instance,
            Err(error) => return Err(store.into_data().budget.exceeded.unwrap_or_else(|| refused(error))),
        };
        if let Some(start) = &kernel.start {
            let function =
                instance.get_func(&store, start).ok_or_else(|| refused("the start function is gone"))?;
            match enter(&mut store, function, &watch)? {
                Ended::Returned => {}
                Ended::Trapped(trap) => return Ok(Ended::NotInstantiated(Uninstantiable::Start(trap))),
                other => return Ok(other),
            }
        }
        if kernel.entry != Entry::Function {
            return Ok(Ended::NoEntry);
        }
        let memory =
            instance.get_memory(&store, &kernel.memory).ok_or_else(|| refused("the memory is gone"))?;
        store.data_mut().memory = Some(memory);
        let function = instance.get_func(&store, ENTRY).ok_or_else(|| refused("the entry is gone"))?;
        enter(&mut store, function, &watch)
    }
}

impl Engine for Interpreter {
    fn name(&self) -> &str {
        NAME
    }

    fn run(&mut self, kernel: &Kernel, host: SharedHost) -> Result<Ended> {
        let [first, later] = &mut self.engines;
        let engine = if kernel.version == Version::V0 { first } else { later };
        engine.run(kernel, host, &self.limits)
    }

    fn deeper(&mut self, kernel: &Kernel) -> Option<&mut dyn Engine> {
        if kernel.version > Version::V0 {
            return None;
        }
        let frames = kernel.deep_frames;
        if self.deep.as_ref().is_none_or(|deep| deep.frames != frames) {
            let engine = Prepared::new(frames, STACK).ok()?;
            self.deep = Some(Deep { limits: self.limits.clone(), frames, engine });
        }
        self.deep.as_mut().map(|deep| deep as &mut dyn Engine)
    }
}

impl Engine for Deep {
    fn name(&self) -> &str {
        NAME
    }

    fn run(&mut self, kernel: &Kernel, host: SharedHost) -> Result<Ended> {
        self.engine.run(kernel, host, &self.limits)
    }
}

/// Calls a function without parameters, with a look at the clock now and then.
fn enter(store: &mut Store<Run>, function: Func, watch: &Watch) -> Result<Ended> {
    let mut results: Vec<Val> =
        function.ty(&*store).results().iter().map(|kind| Val::default_for_ty(*kind)).collect();
    store.set_fuel(SLICE).map_err(refused)?;
    let mut call = function.call_resumable(&mut *store, &[], &mut results);
    loop {
        match call {
            Ok(ResumableCall::Finished) => return Ok(Ended::Returned),
            Ok(ResumableCall::OutOfFuel(rest)) => {
                watch.check()?;
                store.set_fuel(SLICE.max(rest.required_fuel())).map_err(refused)?;
                call = rest.resume(&mut *store, &mut results);
            }
            Ok(ResumableCall::HostTrap(trap)) => return failed(store, trap.into_host_error()),
            Err(error) => return failed(store, error),
        }
    }
}

/// What an error of the engine means.
fn failed(store: &mut Store<Run>, error: Error) -> Result<Ended> {
    let run = store.data_mut();
    if let Some(problem) = run.budget.exceeded.take() {
        return Err(problem);
    }
    if run.halted {
        return Ok(Ended::Halted);
    }
    let Some(code) = error.as_trap_code() else { return Err(refused(error)) };
    Ok(Ended::Trapped(match code {
        TrapCode::UnreachableCodeReached => Trap::Unreachable,
        TrapCode::MemoryOutOfBounds => Trap::MemoryOutOfBounds,
        TrapCode::TableOutOfBounds => Trap::TableOutOfBounds,
        TrapCode::IndirectCallToNull => Trap::NullElement,
        TrapCode::IntegerDivisionByZero => Trap::DivisionByZero,
        TrapCode::IntegerOverflow => Trap::IntegerOverflow,
        TrapCode::StackOverflow => Trap::StackOverflow,
        TrapCode::BadSignature => Trap::IndirectCallType,
        TrapCode::OutOfSystemMemory | TrapCode::GrowthOperationLimited => {
            return Err(Problem::new(Code::PvmMemory).because(error));
        }
        TrapCode::BadConversionToInteger | TrapCode::OutOfFuel => return Err(refused(error)),
    }))
}

/// One call of a host function.
fn call<T: Answer>(mut caller: Caller<'_, Run>, function: HostFunction, args: &[Value]) -> Result<T, Error> {
    let Run { host, memory, .. } = caller.data();
    let (host, memory) = (Rc::clone(host), *memory);
    let memory = memory.map(|memory| memory.data_mut(&mut caller));
    calls::answer(&host, memory, function, args).ok_or_else(|| {
        caller.data_mut().halted = true;
        Error::host(Halted)
    })
}

fn refused(reason: impl ToString) -> Problem {
    Problem::new(Code::PvmRefusedKernel).because(reason)
}

impl ResourceLimiter for Budget {
    fn memory_growing(
        &mut self,
        _: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, LimiterError> {
        self.memory(desired, maximum).map_err(|_| LimiterError::ResourceLimiterDeniedAllocation)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, LimiterError> {
        self.table(current, desired, maximum).map_err(|_| LimiterError::ResourceLimiterDeniedAllocation)
    }

    fn memory_grow_failed(&mut self, error: &MemoryError) -> Result<(), LimiterError> {
        match error {
            MemoryError::OutOfFuel { .. } => Ok(()),
            _ => Err(self.denied(error)),
        }
    }

    fn table_grow_failed(&mut self, error: &TableError) -> Result<(), LimiterError> {
        match error {
            // It is tried again.
            TableError::OutOfFuel { .. } => {
                self.undo_table();
                Ok(())
            }
            _ => Err(self.denied(error)),
        }
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

impl Budget {
    fn denied(&mut self, error: impl ToString) -> LimiterError {
        let _ = self.failed(error);
        LimiterError::ResourceLimiterDeniedAllocation
    }
}

//! The nodes' own engine: wasmer 3.3.0 with Cranelift, configured as the nodes do, behind the same trait as ours.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::{Duration, Instant};

use rollsnap_core::pvm::engine::{
    Ended, Engine, Entry, Halt, Kernel, Memory, OutOfBounds, SharedHost, Trap, Uninstantiable,
};
use rollsnap_core::pvm::function::{ENTRY, HostFunction, MODULE, Value, ValueType};
use rollsnap_core::{Code, Problem, Result};
use wasmer::{
    Cranelift, EngineBuilder, Features, Function, FunctionEnv, FunctionEnvMut, FunctionType, Imports,
    Instance, MemoryView, Module, RuntimeError, Store, Type, Value as Val,
};
use wasmer_types::TrapCode;

/// Runs kernels as a node's fast path does.
#[derive(Default)]
pub struct Nodes {
    /// The kernel that was compiled last.
    ready: Option<([u8; 32], wasmer::Engine, Module)>,
}

thread_local! {
    /// The host of the run. What wasmer keeps must be `Send`, which ours is not.
    static HOST: RefCell<Option<SharedHost>> = const { RefCell::new(None) };
    /// When the run has to end: only a call of the host can stop it.
    static END: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// How long a run may take.
const TIME: Duration = Duration::from_secs(10);

/// What a host function of wasmer knows.
struct Env {
    memory: Option<wasmer::Memory>,
}

/// The host wants no more.
#[derive(Debug)]
struct Halted;

impl fmt::Display for Halted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("halted by the host")
    }
}

impl std::error::Error for Halted {}

/// The engine as a node configures it: with each call, and in this order (`src/lib_wasmer/config.ml`). Reference types
/// switch bulk memory on again.
pub fn engine() -> wasmer::Engine {
    let mut features = Features::new();
    features
        .bulk_memory(false)
        .memory64(false)
        .module_linking(false)
        .multi_memory(false)
        .multi_value(false)
        .reference_types(true)
        .simd(true)
        .tail_call(false)
        .threads(false);
    EngineBuilder::new(Cranelift::default()).set_features(Some(features)).engine().into()
}

impl Nodes {
    fn module(&mut self, kernel: &Kernel) -> Result<(wasmer::Engine, Module)> {
        if let Some((hash, engine, module)) = &self.ready
            && *hash == kernel.hash
        {
            return Ok((engine.clone(), module.clone()));
        }
        let engine = engine();
        let module = Module::new(&engine, &kernel.bytes).map_err(refused)?;
        self.ready = Some((kernel.hash, engine.clone(), module.clone()));
        Ok((engine, module))
    }
}

impl Engine for Nodes {
    fn name(&self) -> &str {
        "wasmer 3.3.0"
    }

    fn run(&mut self, kernel: &Kernel, host: SharedHost) -> Result<Ended> {
        let (engine, module) = self.module(kernel)?;
        HOST.set(Some(host));
        let end = Instant::now() + TIME;
        END.set(Some(end));
        let mut ended = run(&engine, &module, kernel);
        if matches!(ended, Ok(Ended::Halted)) && Instant::now() > end {
            ended = Err(Problem::new(Code::PvmTime));
        }
        HOST.set(None);
        ended
    }
}

fn run(engine: &wasmer::Engine, module: &Module, kernel: &Kernel) -> Result<Ended> {
    let mut store = Store::new(engine.clone());
    let env = FunctionEnv::new(&mut store, Env { memory: None });
    let mut imports = Imports::new();
    for &function in HostFunction::ALL {
        if function.since() <= kernel.version {
            let kinds: Vec<Type> = function.params().iter().copied().map(kind).collect();
            let results: Vec<Type> = function.result().into_iter().map(kind).collect();
            let call = move |env: FunctionEnvMut<'_, Env>, args: &[Val]| call(env, function, args);
            let wrapped = Function::new_with_env(&mut store, &env, FunctionType::new(kinds, results), call);
            imports.define(MODULE, function.import(), wrapped);
        }
    }
    let instance = match Instance::new(&mut store, module, &imports) {
        Ok(instance) => instance,
        Err(error) => return Err(refused(error)),
    };
    if let Some(start) = &kernel.start {
        let start = instance.exports.get_function(start).map_err(refused)?;
        match ended(start.call(&mut store, &[]))? {
            Ended::Returned => {}
            Ended::Trapped(trap) => return Ok(Ended::NotInstantiated(Uninstantiable::Start(trap))),
            other => return Ok(other),
        }
    }
    if kernel.entry != Entry::Function {
        return Ok(Ended::NoEntry);
    }
    let memory = instance.exports.get_memory(&kernel.memory).map_err(refused)?.clone();
    env.as_mut(&mut store).memory = Some(memory);
    let entry = instance.exports.get_function(ENTRY).map_err(refused)?;
    ended(entry.call(&mut store, &[]))
}

fn kind(kind: ValueType) -> Type {
    match kind {
        ValueType::I32 => Type::I32,
        ValueType::I64 => Type::I64,
    }
}

fn ended(result: Result<Box<[Val]>, RuntimeError>) -> Result<Ended> {
    let Err(error) = result else { return Ok(Ended::Returned) };
    if error.is::<Halted>() {
        return Ok(Ended::Halted);
    }
    let message = error.message();
    Ok(Ended::Trapped(match error.to_trap() {
        Some(TrapCode::UnreachableCodeReached) => Trap::Unreachable,
        Some(TrapCode::HeapAccessOutOfBounds) => Trap::MemoryOutOfBounds,
        Some(TrapCode::TableAccessOutOfBounds) => Trap::TableOutOfBounds,
        Some(TrapCode::IndirectCallToNull) => Trap::NullElement,
        Some(TrapCode::IntegerDivisionByZero) => Trap::DivisionByZero,
        Some(TrapCode::IntegerOverflow) => Trap::IntegerOverflow,
        Some(TrapCode::StackOverflow) => Trap::StackOverflow,
        Some(TrapCode::BadSignature) => Trap::IndirectCallType,
        _ => return Err(refused(message)),
    }))
}

/// The linear memory for one call.
struct Bytes<'a>(MemoryView<'a>);

impl Memory for Bytes<'_> {
    fn len(&self) -> u64 {
        self.0.data_size()
    }

    fn read(&self, at: u64, out: &mut [u8]) -> Result<(), OutOfBounds> {
        self.0.read(at, out).map_err(|_| OutOfBounds)
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), OutOfBounds> {
        self.0.write(at, bytes).map_err(|_| OutOfBounds)
    }
}

fn call(
    env: FunctionEnvMut<'_, Env>,
    function: HostFunction,
    args: &[Val],
) -> Result<Vec<Val>, RuntimeError> {
    let args: Vec<Value> = args
        .iter()
        .map(|value| match value {
            Val::I32(value) => Value::I32(*value),
            Val::I64(value) => Value::I64(*value),
            other => panic!("no host function takes {other:?}"),
        })
        .collect();
    if END.get().is_some_and(|end| Instant::now() > end) {
        return Err(RuntimeError::user(Box::new(Halted)));
    }
    let host = HOST.with_borrow(Clone::clone).expect("a run has a host");
    let memory = env.data().memory.clone();
    let answer = match &memory {
        None => host.borrow_mut().call(function, &args, None),
        Some(memory) => host.borrow_mut().call(function, &args, Some(&mut Bytes(memory.view(&env)))),
    };
    match answer {
        Ok(value) => Ok(value
            .into_iter()
            .map(|value| match value {
                Value::I32(value) => Val::I32(value),
                Value::I64(value) => Val::I64(value),
            })
            .collect()),
        Err(Halt) => Err(RuntimeError::user(Box::new(Halted))),
    }
}

fn refused(reason: impl ToString) -> Problem {
    Problem::new(Code::PvmRefusedKernel).because(reason)
}

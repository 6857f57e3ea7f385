//! The choice between the engines, by what runs cost.

#[cfg(feature = "jit")]
use std::time::{Duration, Instant};

use rollsnap_core::Result;
#[cfg(feature = "jit")]
use rollsnap_core::pvm::Version;
use rollsnap_core::pvm::engine::{Ended, Engine, Kernel, SharedHost};

#[cfg(feature = "jit")]
use super::compiler::{Compiler, Compiling};
#[cfg(feature = "jit")]
use super::kept::Kept;
use super::{Interpreter, Limits};

/// Interprets a kernel until its runs have cost more than to compile it would; then it is compiled, in a thread of its
/// own, and interpreted until that is done. Kernels whose runs are short are never compiled: machine code takes longer
/// to begin than they take.
///
/// Without the feature `jit` it is the interpreter.
pub struct Auto {
    interpreter: Interpreter,
    #[cfg(feature = "jit")]
    compiler: Compiler,
    #[cfg(feature = "jit")]
    costs: Kept<Cost>,
}

/// What is known about a kernel.
#[cfg(feature = "jit")]
#[derive(Default)]
struct Cost {
    runs: u32,
    time: Duration,
    stage: Stage,
}

#[cfg(feature = "jit")]
#[derive(Default)]
enum Stage {
    #[default]
    Interpreted,
    Compiling(Compiling),
    Compiled,
    /// The compiler does not take it.
    Refused,
}

/// A run that takes less in the interpreter would gain nothing.
#[cfg(feature = "jit")]
const SHORT: Duration = Duration::from_micros(150);

/// What it takes to compile: so much for a kernel, and so much for each byte of it.
#[cfg(feature = "jit")]
const COMPILING: (Duration, Duration) = (Duration::from_millis(5), Duration::from_nanos(2000));

impl Auto {
    /// # Errors
    /// None that depends on the caller.
    pub fn new(limits: Limits) -> Result<Self> {
        Ok(Self {
            interpreter: Interpreter::new(limits.clone())?,
            #[cfg(feature = "jit")]
            compiler: Compiler::new(limits).cached(),
            #[cfg(feature = "jit")]
            costs: Kept::default(),
        })
    }
}

#[cfg(not(feature = "jit"))]
impl Engine for Auto {
    fn name(&self) -> &str {
        self.interpreter.name()
    }

    fn run(&mut self, kernel: &Kernel, host: SharedHost) -> Result<Ended> {
        self.interpreter.run(kernel, host)
    }

    fn deeper(&mut self, kernel: &Kernel) -> Option<&mut dyn Engine> {
        self.interpreter.deeper(kernel)
    }
}

#[cfg(feature = "jit")]
impl Engine for Auto {
    fn name(&self) -> &str {
        concat!("wasmi 2.0.0", ", wasmtime 36")
    }

    fn run(&mut self, kernel: &Kernel, host: SharedHost) -> Result<Ended> {
        // The compiler does not run them either.
        if kernel.version == Version::V0 {
            return self.interpreter.run(kernel, host);
        }
        if self.costs.get(&kernel.hash).is_none() {
            self.costs.put(kernel.hash, Cost::default());
        }
        let Some(cost) = self.costs.get(&kernel.hash) else { return self.interpreter.run(kernel, host) };
        cost.consider(kernel, &mut self.compiler);
        if matches!(cost.stage, Stage::Compiled) {
            return self.compiler.run(kernel, host);
        }
        let begun = Instant::now();
        let ended = self.interpreter.run(kernel, host);
        cost.runs = cost.runs.saturating_add(1);
        cost.time = cost.time.saturating_add(begun.elapsed());
        ended
    }

    fn deeper(&mut self, kernel: &Kernel) -> Option<&mut dyn Engine> {
        let compiled = matches!(self.costs.get(&kernel.hash), Some(Cost { stage: Stage::Compiled, .. }));
        if compiled && kernel.version > Version::V0 {
            self.compiler.deeper(kernel)
        } else {
            self.interpreter.deeper(kernel)
        }
    }
}

#[cfg(feature = "jit")]
impl Cost {
    /// Goes on to the next stage when it is time.
    fn consider(&mut self, kernel: &Kernel, compiler: &mut Compiler) {
        let next = match &self.stage {
            Stage::Interpreted if self.is_worth_it(kernel) => match compiler.begin(kernel) {
                Ok(Some(compiling)) => Stage::Compiling(compiling),
                Ok(None) => Stage::Compiled,
                Err(_) => Stage::Refused,
            },
            Stage::Compiling(compiling) => match compiler.finish(kernel, compiling) {
                Ok(false) => return,
                Ok(true) => Stage::Compiled,
                Err(_) => Stage::Refused,
            },
            _ => return,
        };
        self.stage = next;
    }

    fn is_worth_it(&self, kernel: &Kernel) -> bool {
        let (base, byte) = COMPILING;
        let bytes = u32::try_from(kernel.bytes.len()).unwrap_or(u32::MAX);
        let compiling = base.saturating_add(byte.saturating_mul(bytes));
        self.time > compiling && self.time.checked_div(self.runs).is_some_and(|run| run > SHORT)
    }
}

//! How blocks are run again.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rollsnap_core::Result;
use rollsnap_core::pvm::Engine;
use rollsnap_core::replay::Outcome;
use rollsnap_core::report::ReplayInfo;

use super::scope::{Scope, Shard};
use crate::engine::{Auto, Interpreter, Limits};
use crate::store::Family;

/// What runs kernels. All come to the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineKind {
    /// The interpreter, and the compiler where that pays, if this rollsnap has one.
    #[default]
    Auto,
    /// The interpreter.
    Interpreter,
    /// The compiler.
    #[cfg(feature = "jit")]
    Compiler,
}

impl EngineKind {
    pub(super) fn make(self, limits: Limits) -> Result<Box<dyn Engine>> {
        Ok(match self {
            Self::Auto => Box::new(Auto::new(limits)?),
            Self::Interpreter => Box::new(Interpreter::new(limits)?),
            #[cfg(feature = "jit")]
            Self::Compiler => Box::new(crate::engine::Compiler::new(limits)),
        })
    }
}

/// How to replay.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Which blocks.
    pub scope: Scope,
    /// Which share of them, where several machines share the work.
    pub shard: Option<Shard>,
    /// What runs kernels.
    pub engine: EngineKind,
    /// How long one run of a kernel may take.
    pub kernel_time: Duration,
    /// Bytes of memory that one run of a kernel may take.
    pub kernel_memory: u64,
    /// RPC address of a layer 1 node, for the constants of protocols that are not known here.
    pub endpoint: Option<String>,
    /// RPC address of a DAL node, for the pages that kernels read.
    pub dal_node: Option<String>,
    /// Whose store it is; `None`: whose is there.
    pub family: Option<Family>,
    /// How many threads; as many as the machine runs at once if `None`.
    pub threads: Option<NonZeroUsize>,
    /// Bytes of memory for what is loaded of the context.
    pub memory: u64,
}

impl Default for Options {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            scope: Scope::All,
            shard: None,
            engine: EngineKind::Auto,
            kernel_time: limits.time,
            kernel_memory: limits.memory,
            endpoint: None,
            dal_node: None,
            family: None,
            threads: None,
            memory: 128 << 20,
        }
    }
}

impl Options {
    /// What came of a replay of these blocks, for a report.
    pub fn info(&self, outcome: &Outcome) -> ReplayInfo {
        outcome.info(self.scope.to_string(), self.shard.map(|shard| (shard.number(), shard.of())))
    }

    pub(super) fn limits(&self, stop: &Arc<AtomicBool>) -> Limits {
        Limits::default().memory(self.kernel_memory).time(self.kernel_time).stop(stop.clone())
    }
}

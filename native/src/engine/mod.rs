//! What runs kernels on this machine: an interpreter, a compiler, and a choice between them by what runs cost.
//!
//! All of them are [`rollsnap_core::pvm::Engine`]s and find the same. A kernel is hostile code: it gets the host
//! functions and nothing else, a limit of memory and one of time, and stops within a second of a wish to stop.
//!
//! * [`Interpreter`]: always there; takes microseconds to begin;
//! * [`Compiler`]: with the feature `jit`; several times as fast where kernels compute for long;
//! * [`Auto`]: begins with the interpreter, and compiles what is worth it.

mod auto;
mod calls;
#[cfg(feature = "jit")]
mod compiler;
mod interpreter;
mod kept;
mod limits;

pub use auto::Auto;
#[cfg(feature = "jit")]
pub use compiler::Compiler;
pub use interpreter::Interpreter;
pub use limits::Limits;

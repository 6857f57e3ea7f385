//! The WASM PVM (`wasm_2_0_0`): the machine that turns a state and a level's messages into the next
//! state, hash for hash as the nodes do.
//!
//! The machine itself does no I/O and contains no WebAssembly engine. It asks for both:
//!
//! * [`engine`]: how a kernel is run, and what it may call;
//! * [`kernel`]: which values are kernels at all;
//! * [`version`]: the versions of the machine, and which functions each one knows.

pub mod engine;
pub mod function;
pub mod kernel;
pub mod version;

pub use engine::{Engine, Host, Memory};
pub use function::{HostFunction, Value, ValueType};
pub use version::Version;

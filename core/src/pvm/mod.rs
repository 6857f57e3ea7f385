//! The WASM PVM (`wasm_2_0_0`): the machine that turns a state and a level's messages into the next
//! state, hash for hash as the nodes do.
//!
//! The machine itself does no I/O and contains no WebAssembly engine. It asks for both. In reading
//! order:
//!
//! * [`machine`]: a state, and the levels that it goes through;
//! * [`genesis`]: what a protocol gives to a new rollup;
//! * [`origination`]: whether a state is the one that the origination gave;
//! * [`reveal`]: data that kernels ask for and that is not in the state;
//! * [`pages`]: pre-images that name others;
//! * [`engine`]: how a kernel is run, and what it may call;
//! * [`kernel`]: which values are kernels at all;
//! * [`version`]: the versions of the machine, and which functions each one knows;
//! * [`view`]: a state for people.

mod codec;
mod counters;
mod cycle;
mod durable;
pub mod engine;
mod flags;
pub mod function;
pub mod genesis;
mod host;
mod input;
pub mod kernel;
pub mod machine;
pub mod migration;
pub mod origination;
mod output;
pub mod pages;
mod phase;
pub mod reveal;
mod run;
mod state;
pub mod version;
pub mod view;

pub use engine::{Engine, Host, Memory};
pub use function::{HostFunction, Value, ValueType};
pub use genesis::Constants;
pub use machine::{LevelOutcome, Machine};
pub use migration::Family;
pub use origination::Origination;
pub use output::messages as outbox;
pub use phase::Phase;
pub use reveal::{DalPage, DalParameters, Request, Reveal, Revealed, Rollup, SharedReveal};
pub use run::Ran;
pub use version::Version;
pub use view::StateView;

#[cfg(test)]
mod tests;

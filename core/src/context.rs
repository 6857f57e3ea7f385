//! The context: the rollup's state, commit by commit (`docs/FORMAT.md`, section 9).
//!
//! It is an irmin-pack store, or for the kind `riscv` a directory of files named by their hashes.
//! [`Context`] reads one at random; [`pack`] knows its records byte for byte, [`layout`] where an
//! offset is.

pub mod index;
pub mod layout;
pub mod pack;

mod commits;
mod open;

pub use commits::{Contexts, Found, INDEX_FILES};
pub use layout::Layout;
pub use open::Context;

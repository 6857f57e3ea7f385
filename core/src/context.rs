//! The context: the rollup's state, commit by commit (`docs/FORMAT.md`, section 9).

pub mod index;

mod commits;

pub use commits::{Contexts, INDEX_FILES};

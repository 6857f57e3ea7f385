//! The context: the rollup's state, commit by commit (`docs/FORMAT.md`, section 9).

pub mod index;

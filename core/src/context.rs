//! The context: the rollup's state, commit by commit (`docs/FORMAT.md`, section 9).
//!
//! It is an irmin-pack store, or for the kind `riscv` a directory of files named by their hashes.
//! [`Context`] reads one at random: [`Context::commits`] lists what there is, [`Context::checkout`]
//! and [`Context::tree`] lead to a [`Tree`]. [`pack`] knows its records byte for byte, [`layout`]
//! where an offset is. [`edit`] changes trees, [`append`] adds commits of them, [`write`](mod@write) makes
//! contexts anew.

pub mod append;
pub mod checkout;
pub mod diff;
pub mod durable;
pub mod edit;
pub mod index;
pub mod layout;
pub mod listing;
pub mod pack;
pub mod path;
pub mod proof;
pub mod riscv;
pub mod stat;
pub mod stats;
pub mod tree;
pub mod verify;
pub mod walk;
pub mod write;

mod beginning;
mod commits;
mod entries;
mod entry_at;
mod falling;
mod findings;
mod open;
mod parts;

pub use beginning::{Beginning, pvm_state};
pub use checkout::{Commit, Listed, State};
pub use commits::{Contexts, Found, INDEX_FILES};
pub use diff::{Change, Diff};
pub(crate) use entries::{MAX_BITS, earlier};
pub use findings::second_half;
pub use index::Index;
pub use layout::Layout;
pub use open::Context;
pub(crate) use open::no_entry;
pub use parts::{Linked, Named};
pub use proof::Proof;
pub use riscv::Riscv;
pub use stat::Stat;
pub use tree::{Contents, Directory, Link, Object};
pub use walk::Walk;

use crate::read_at::Files;

/// The tree of a commit, or any part of one. It knows where its root is; all else is read when
/// asked for.
pub struct Tree<'c, F: Files> {
    context: &'c Context<F>,
    root: Directory,
}

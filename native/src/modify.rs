//! Offline changes of a data directory: what the nodes call `with_modify_data_dir`.
//!
//! [`run`] takes the lock of the node, opens store and context, finds the head, and asks whether there is anything to
//! do. Only then the caller's function changes the store, in one transaction; everything is closed and the lock let go
//! on every path. When the function fails, or there was nothing to do, nothing is changed.
//!
//! The program `native/examples/modify.rs` takes back what a store remembers as its last published commitment:
//!
//! ```no_run
//! use rollsnap::modify::{self, Modified};
//!
//! let lpc = |store: &rollsnap::modify::Head<'_>| Ok(store.state()?.lpc.is_none());
//! let modified = modify::run("data-dir".as_ref(), lpc, |change| {
//!     change.execute("DELETE FROM rollup_node_state WHERE name = 'lpc'", &[])
//! })?;
//! assert!(matches!(modified, Modified::Done(1) | Modified::Skipped));
//! # Ok::<(), rollsnap_core::Problem>(())
//! ```

use std::path::{Path, PathBuf};

#[cfg(doc)]
use rollsnap_core::Code;
use rollsnap_core::Result;
use rollsnap_core::chain::Block;
use rollsnap_core::context::Context;
use rollsnap_core::store::{Metadata, State};

use crate::context::Moment;
use crate::data_dir::{DataDir, Lock, metadata};
use crate::files::FileSet;
use crate::store::{AnyStore, Editing, Family, Rows, close_any, open_any};

pub use crate::store::Parameter;

/// What a data directory is, before anything is changed.
#[derive(Debug)]
pub struct Head<'m> {
    /// The directory.
    pub root: &'m Path,
    /// Which rollup it belongs to.
    pub metadata: Metadata,
    /// The newest block.
    pub head: Block,
    /// The context, as it is now.
    pub context: Context<Moment>,
    store: AnyStore,
}

/// A change under way.
#[derive(Debug)]
pub struct Change<'m> {
    root: &'m Path,
    /// Which rollup it is.
    pub metadata: Metadata,
    /// The newest block, as it was when the change began.
    pub head: Block,
    store: Editing,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modified<T> {
    /// There was nothing to do; nothing was changed.
    Skipped,
    /// It was made, and this is what the function gave.
    Done(T),
}

/// Changes a data directory. `skip` is asked first whether there is nothing to do; then `change` works on the store in a
/// transaction, which is committed when it succeeds. The store must be of version 5, and no node may be running.
///
/// A context is append-only: whoever makes commits in `change` ([`Change::context`]) writes them so that they count only
/// once they are whole, and before the store speaks of them.
///
/// # Errors
/// [`Code::LockHeld`] when a node runs; [`Code::StoreVersion`], [`Code::StoreMissing`], [`Code::StoreMigrations`],
/// [`Code::StoreJournal`], [`Code::StoreNoHead`], [`Code::MetadataMissing`]; those of opening the context; those of `skip`
/// and `change`: the directory is then as it was. [`Code::StoreDamaged`] and any `io.*` code when the transaction cannot
/// be committed: the store is then as before, or as `change` left it, never between.
pub fn run<T>(
    root: &Path,
    skip: impl FnOnce(&Head<'_>) -> Result<bool>,
    change: impl FnOnce(&mut Change<'_>) -> Result<T>,
) -> Result<Modified<T>> {
    let lock = Lock::try_node(root)?;
    let modified = locked(root, skip, change);
    // A lock file of ours goes with a change that was refused or not needed.
    match &modified {
        Ok(Modified::Done(_)) => drop(lock),
        _ => lock.discard()?,
    }
    modified
}

fn locked<T>(
    root: &Path,
    skip: impl FnOnce(&Head<'_>) -> Result<bool>,
    change: impl FnOnce(&mut Change<'_>) -> Result<T>,
) -> Result<Modified<T>> {
    DataDir::new(root).require_v5()?;
    let store = open_any(root, Some(Family::Octez))?;
    let head = store.head()?;
    let metadata = metadata::require(root)?;
    let context = Context::open(Moment::take(&FileSet::context_of(root))?)?;
    let view = Head { root, metadata, head, context, store };
    let skipped = skip(&view);
    close_any(view.store)?;
    if skipped? {
        return Ok(Modified::Skipped);
    }
    let mut editing = Change { root, metadata, head, store: Editing::begin(&DataDir::new(root).store())? };
    let done = change(&mut editing);
    match done {
        Ok(value) => editing.store.commit().map(|()| Modified::Done(value)),
        Err(problem) => {
            editing.store.roll_back()?;
            Err(problem)
        }
    }
}

impl Head<'_> {
    /// What the store remembers about where the node is.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], any `io.*` code.
    pub fn state(&self) -> Result<State> {
        self.store.state()
    }

    /// The store, for reading.
    pub fn store(&self) -> &AnyStore {
        &self.store
    }
}

impl Change<'_> {
    /// Executes a statement; how many rows it changes.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], any `io.*` code.
    pub fn execute(&mut self, statement: &str, parameters: &[&dyn Parameter]) -> Result<usize> {
        self.store.execute(statement, parameters)
    }

    /// The directory of the context, to which commits can be appended.
    pub fn context(&self) -> PathBuf {
        self.root.join(rollsnap_core::members::CONTEXT)
    }
}

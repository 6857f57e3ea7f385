//! The context of a snapshot, of a data directory, or on its own, opened for reading at random,
//! or for commits to be added.
//!
//! * [`moment`]: the files of a directory that a node may be writing to, as they are at one moment;
//! * [`threads`] and [`spool`]: what its check needs of this machine;
//! * `states`: the PVM states of many commits;
//! * [`target`]: what the user named, with the store beside it where there is one;
//! * [`append`]: commits added to the context in a directory;
//! * [`reindex`]: its index, made anew of the commits that are there.

use std::path::Path;

use rollsnap_core::Result;
use rollsnap_core::context::edit::Tree;
use rollsnap_core::context::{self, Context};
use rollsnap_core::hash::ContextHash;

use crate::files::FileSet;

pub mod append;
pub mod moment;
pub mod reindex;
pub mod spool;
mod states;
pub mod target;
pub mod threads;

pub use append::{ContextWriter, Flushing};
pub use moment::{FrozenFile, Moment};
pub(crate) use moment::{MAX_FILES, too_many_files};
pub use reindex::Reindex;
pub use spool::TempSpool;
pub(crate) use states::States;
pub use target::{Levels, Target, is_context};
pub use threads::Threads;

/// The PVM state of a commit in the context of a data directory; `None` when the commit has none.
///
/// # Errors
/// Those of [`context::pvm_state`], and any `io.*` code.
pub(crate) fn pvm_state(root: &Path, commit: &ContextHash) -> Result<Option<Tree>> {
    let moment = Moment::take(&FileSet::context_of(root))?;
    context::pvm_state(Context::open(moment)?, commit, None)
}

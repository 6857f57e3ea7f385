//! The store of a data directory, or of an extracted snapshot, whatever its version: what verify,
//! import and the commands about a context ask of one.

use std::path::Path;

use rollsnap_core::chain::{Block, Stored};
use rollsnap_core::hash::{BlockHash, CommitmentHash};
use rollsnap_core::members::DATABASE;
use rollsnap_core::nodes::export::commitment_not_stored;
use rollsnap_core::store::Opened;
use rollsnap_core::{Code, Problem, Result};

use super::family::Family;
use super::read::Store;
use super::schema::Accept;
use crate::data_dir::DataDir;
use crate::files::{FileSet, Part};

/// A store that is open for reading: version 5 by the database engine. What it was opened in is left as it was.
pub type AnyStore = Opened<Store, Part>;

/// Opens the store in a directory: that of the family if one is given, else the one that is there.
///
/// # Errors
/// [`Code::StoreMissing`]; [`Code::StoreVersion`] with the texts of the nodes, and for two stores in one
/// directory; [`Code::StoreDamaged`], [`Code::StoreMigrations`], any `io.*` code.
pub fn open_any(root: &Path, family: Option<Family>) -> Result<AnyStore> {
    let family = match family {
        Some(family) => family,
        None => Family::of(root)?.unwrap_or(Family::Octez),
    };
    match family {
        Family::Octez => {
            let directory = DataDir::new(root);
            directory.require_v5()?;
            Store::open(&directory.store(), Accept::Older).map(AnyStore::Database)
        }
        Family::Mavkit => match AnyStore::of_files(&FileSet::Directory(root.into())) {
            Err(problem) if problem.code() == Code::StoreMissing && root.join(DATABASE).exists() => {
                Err(Problem::new(Code::StoreVersion)
                    .headline("the store has version 5, which no Mavkit node reads")
                    .path(root.join(DATABASE).display()))
            }
            other => other,
        },
    }
}

/// Closes a store. Dropping it does the same, but cannot say what goes wrong.
///
/// # Errors
/// [`Code::StoreDamaged`], any `io.*` code.
pub fn close_any(store: AnyStore) -> Result<()> {
    match store {
        AnyStore::Database(store) => store.close(),
        AnyStore::Files(_) => Ok(()),
    }
}

/// The block of a hash.
///
/// # Errors
/// [`Code::StoreDamaged`], any `io.*` code.
pub fn block_of(store: &AnyStore, hash: &BlockHash) -> Result<Option<Block>> {
    match store {
        AnyStore::Database(store) => store.block(hash),
        AnyStore::Files(store) => match store.block(hash)? {
            Stored::Found((block, _)) => Ok(Some(block)),
            _ => Ok(None),
        },
    }
}

/// About when a commitment was published: the level that the store records, else its inbox level
/// (rule P3).
///
/// # Errors
/// [`Code::StoreCommitment`], [`Code::StoreDamaged`].
pub fn publication_hint(store: &AnyStore, hash: &CommitmentHash) -> Result<i32> {
    match store {
        AnyStore::Database(store) => store.publication_hint(hash),
        AnyStore::Files(store) => match (store.published(hash)?, store.commitment(hash)?) {
            (Some(published), _) => Ok(published.first),
            (None, Stored::Found(commitment)) => Ok(commitment.inbox_level),
            (None, _) => Err(commitment_not_stored(hash)),
        },
    }
}

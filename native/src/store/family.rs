//! Whose store it is, and so whose rules and words apply.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rollsnap_core::Result;
use rollsnap_core::members::DATABASE_LOG;
use rollsnap_core::store::v4::{Layout, has_files, layout, two_stores};

use super::any::AnyStore;
use crate::data_dir::DataDir;
use crate::files::FileSet;
use crate::io;

/// The two families of nodes, which part at the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Tezos' nodes since Octez v21: version 5, in `store.sqlite`.
    Octez,
    /// Mavryk's nodes, and Octez before v21: version 4 or older, in files below `storage/`.
    Mavkit,
}

impl Family {
    /// Whose store is in a data directory (or in the directory that a snapshot was extracted to); `None`
    /// where there is none. The database is not opened: that could cost a connection its locks.
    ///
    /// # Errors
    /// [`StoreVersion`](rollsnap_core::Code::StoreVersion) for two stores in one directory, and for a version that nobody
    /// knows; [`StoreMissing`](rollsnap_core::Code::StoreMissing) where `storage/version` speaks of a database that is not
    /// there; any `io.*` code.
    pub fn of(root: &Path) -> Result<Option<Self>> {
        if Self::are_both_in(root)? {
            return Err(two_stores().path(root.display()));
        }
        if has_database(root)? {
            return Ok(Some(Self::Octez));
        }
        Ok(match layout(&FileSet::Directory(root.into()))? {
            Layout::Files(_) => Some(Self::Mavkit),
            Layout::Sqlite => Some(Self::Octez),
            Layout::Nothing => None,
        })
    }

    /// Whose store this is.
    pub fn of_store(store: &AnyStore) -> Self {
        match store {
            AnyStore::Database(_) => Self::Octez,
            AnyStore::Files(_) => Self::Mavkit,
        }
    }

    /// Whether both have a store in a data directory, so that nothing tells which one counts. What is left
    /// of an older store where a node has upgraded it to version 5 is nobody's.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn are_both_in(root: &Path) -> Result<bool> {
        if !has_database(root)? || !has_files(&FileSet::Directory(root.into()))? {
            return Ok(false);
        }
        match DataDir::new(root).recorded_version() {
            Err(problem) if !problem.code().is_about_contents() => Err(problem),
            recorded => Ok(!matches!(recorded, Ok(Some(5)))),
        }
    }

    /// The nodes that go on from there.
    pub const fn nodes(self) -> &'static str {
        match self {
            Self::Octez => "Octez nodes since v21",
            Self::Mavkit => "Mavkit nodes",
        }
    }
}

/// Whether there is a database, as [`layout`] has it.
fn has_database(root: &Path) -> Result<bool> {
    let len = |path: PathBuf| match fs::metadata(&path) {
        Ok(found) => Ok(Some(found.len()).filter(|len| *len > 0 || !found.is_file())),
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(None),
        Err(err) => Err(io::problem("look at", &path, err)),
    };
    let database = DataDir::new(root).store();
    if len(database.clone())?.is_some() {
        return Ok(true);
    }
    let exists = database.try_exists().map_err(|err| io::problem("look at", &database, err))?;
    Ok(exists && (!has_files(&FileSet::Directory(root.into()))? || len(root.join(DATABASE_LOG))?.is_some()))
}

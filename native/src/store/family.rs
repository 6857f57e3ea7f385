//! Whose store it is, and so whose rules and words apply.

use std::fmt;
use std::path::Path;

use rollsnap_core::store::v4::{Layout, has_files, layout, two_stores};
use rollsnap_core::{Problem, Result};

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
        let files = FileSet::Directory(root.into());
        let database = DataDir::new(root).store();
        if database.try_exists().map_err(|err| io::problem("look at", &database, err))? {
            return if has_files(&files)? { Err(mixed(root)) } else { Ok(Some(Self::Octez)) };
        }
        Ok(match layout(&files)? {
            Layout::Files(_) => Some(Self::Mavkit),
            Layout::Sqlite => Some(Self::Octez),
            Layout::Nothing => None,
        })
    }

    /// The nodes that go on from there.
    pub const fn nodes(self) -> &'static str {
        match self {
            Self::Octez => "Octez nodes since v21",
            Self::Mavkit => "Mavkit nodes",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Octez => "octez",
            Self::Mavkit => "mavkit",
        })
    }
}

fn mixed(root: &Path) -> Problem {
    two_stores().path(root.display())
}

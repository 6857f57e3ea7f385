//! The data directory of a rollup node (`docs/FORMAT.md`, section 6): what it says about its rollup, its
//! locks, and the files that a snapshot takes from it.

use std::path::{Path, PathBuf};

use rollsnap_core::members::{CONTEXT, DATABASE, STORAGE, TOP_LEVEL, VERSION};
use rollsnap_core::nodes::export::unversioned_store;
use rollsnap_core::store::{MAX_VERSION, check_version, parse_version};
use rollsnap_core::{Code, Problem, Result};

use crate::dir::{Dir, read_small};
use crate::io;

pub mod files;
pub mod lock;
pub mod metadata;

pub use files::{Listing, SourceFile, Top};
pub use lock::{Lock, Name};
pub use metadata::{Metadata, PvmKind};

/// The directory in which an import makes what it will put in place.
pub(crate) const STAGING: &str = ".rollsnap-import";

/// A data directory, which need not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// The data directory at this path.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// `$HOME/.tezos-smart-rollup-node`, where every node keeps its data unless told otherwise;
    /// `None` without a home directory.
    pub fn default_path() -> Option<PathBuf> {
        std::env::home_dir().filter(|home| !home.as_os_str().is_empty()).map(|home| home.join(DEFAULT_NAME))
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Its database of store version 5, which need not exist.
    pub fn store(&self) -> PathBuf {
        self.root.join(DATABASE)
    }

    /// A path that leads nowhere, or to something else, says nothing of any data.
    ///
    /// # Errors
    /// [`Code::IoNotFound`], [`Code::DataDirNone`] for a directory that has nothing of a data directory, any other `io.*`
    /// code.
    pub fn require(&self) -> Result<()> {
        let dir = Dir::open(&self.root)?;
        for name in TOP_LEVEL {
            if dir.has(name)? {
                return Ok(());
            }
        }
        let none = Problem::new(Code::DataDirNone).path(self.root.display());
        Err(match dir.has(STAGING)? {
            true => {
                none.because("an import into it was interrupted: the same import goes on, or begins anew")
            }
            false => none,
        })
    }

    /// Rule E1: the store is of version 5, and `storage/version` does not contradict.
    ///
    /// # Errors
    /// [`Code::StoreVersion`] with the texts of the nodes, [`Code::StoreMissing`], any `io.*` code.
    pub fn require_v5(&self) -> Result<()> {
        check_version(self.recorded_version()?)?;
        if exists(&self.store())? {
            return Ok(());
        }
        if io::is_dir(&self.root.join("storage/messages"))? {
            return Err(unversioned_store().because("there is no store.sqlite beside it"));
        }
        Err(Problem::new(Code::StoreMissing).path(self.store().display()))
    }

    /// Rule I1 turned round: whether a node would call this directory populated, because `storage`
    /// or `context` is a directory in it. `store.sqlite` alone does not count.
    ///
    /// # Errors
    /// Any `io.*` code: what cannot be looked at is not taken for missing.
    pub fn is_populated(&self) -> Result<bool> {
        Ok(io::is_dir(&self.root.join(STORAGE))? || io::is_dir(&self.root.join(CONTEXT))?)
    }

    /// What `storage/version` says.
    pub(crate) fn recorded_version(&self) -> Result<Option<i64>> {
        let Some(bytes) = read_small(&self.root, VERSION, MAX_VERSION)? else {
            return Ok(None);
        };
        parse_version(&bytes, &self.root.join(VERSION).display().to_string()).map(Some)
    }
}

const DEFAULT_NAME: &str = ".tezos-smart-rollup-node";

fn exists(path: &Path) -> Result<bool> {
    path.try_exists().map_err(|err| io::problem("look at", path, err))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn with_version(text: &str) -> (tempfile::TempDir, DataDir) {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir(temp.path().join("storage")).unwrap();
        fs::write(temp.path().join("storage/version"), text).unwrap();
        let dir = DataDir::new(temp.path());
        (temp, dir)
    }

    #[test]
    fn a_version_file_beside_the_database_must_say_5() {
        for (text, expected) in [
            (r#"{ "store_version": 5 }"#, None),
            (r#"{"store_version":4}"#, Some("Retired store version 4, recover from snapshot")),
            (r#"{"store_version":0}"#, Some("Retired store version 0, recover from snapshot")),
            (
                r#"{"store_version":6}"#,
                Some("Incompatible store version v6, expected v5_sqlite. Cannot produce snapshot."),
            ),
        ] {
            let (_temp, dir) = with_version(text);
            for store in [false, true] {
                if store {
                    fs::write(dir.store(), b"").unwrap();
                }
                match (dir.require_v5(), expected) {
                    (Ok(()), None) => assert!(store),
                    (Err(problem), None) => {
                        assert_eq!((store, problem.code()), (false, Code::StoreMissing), "{text}");
                    }
                    (result, Some(expected)) => {
                        let problem = result.unwrap_err();
                        assert_eq!(problem.to_string(), expected);
                        assert_eq!(problem.code(), Code::StoreVersion);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_store_of_version_5() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::new(temp.path());
        assert_eq!(dir.require_v5().unwrap_err().code(), Code::StoreMissing);
        assert!(!dir.is_populated().unwrap());
        fs::create_dir_all(temp.path().join("storage/messages")).unwrap();
        assert_eq!(dir.require_v5().unwrap_err().title(), "Unversionned store, cannot produce snapshot.");
        assert!(dir.is_populated().unwrap());
        fs::write(dir.store(), b"").unwrap();
        dir.require_v5().unwrap();
    }

    #[test]
    fn a_version_file_of_another_form_is_refused() {
        for text in ["", "5", "{}", r#"{"store_version":"5"}"#, r#"{"store_version":5"#] {
            let (_temp, dir) = with_version(text);
            assert_eq!(dir.require_v5().unwrap_err().code(), Code::StoreVersion, "{text}");
        }
    }
}

//! What a pass over a snapshot keeps of it for later, in a temporary directory: metadata and store.
//! They lie there as in a data directory.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use rollsnap_core::tar::Member;
use rollsnap_core::{Report, Result};
use tempfile::TempDir;

use crate::data_dir::STORE;
use crate::io;

/// Metadata and store of a snapshot. The directory is made when the first of them comes, and goes when
/// this is dropped.
#[derive(Debug)]
pub(crate) struct Kept {
    parent: PathBuf,
    directory: Option<TempDir>,
    open: Option<(PathBuf, File)>,
    has_metadata: bool,
    has_database: bool,
    /// Length of all files of the store.
    store: u64,
}

impl Kept {
    /// Waits for the first member. The directory is made in `temp_dir`, or in the system's directory for
    /// temporary files.
    pub(crate) fn new(temp_dir: Option<&Path>) -> Self {
        Self {
            parent: temp_dir.map_or_else(std::env::temp_dir, Path::to_path_buf),
            directory: None,
            open: None,
            has_metadata: false,
            has_database: false,
            store: 0,
        }
    }

    /// The directory; `None` before anything was kept.
    pub(crate) fn root(&self) -> Option<&Path> {
        self.directory.as_ref().map(TempDir::path)
    }

    /// Begins a member; `false` when it is none that is kept. Names come from an inspector, which lets only
    /// those pass that stay inside.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(crate) fn begin(&mut self, member: &Member) -> Result<bool> {
        let is_store = member.name == STORE || member.name.starts_with("storage/");
        if !is_store && member.name != "metadata" {
            return Ok(false);
        }
        let path = self.made()?.join(&member.name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|err| io::problem("create the directory", parent, err))?;
        }
        let file = File::create_new(&path).map_err(|err| io::problem("create", &path, err))?;
        self.open = Some((path, file));
        self.store += if is_store { member.size } else { 0 };
        Ok(true)
    }

    /// The next bytes of the member that was begun.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(crate) fn data(&mut self, data: &[u8]) -> Result<()> {
        match &mut self.open {
            Some((path, file)) => file.write_all(data).map_err(|err| io::problem("write", path, err)),
            None => Ok(()),
        }
    }

    /// The member is complete.
    pub(crate) fn end(&mut self, member: &Member) {
        self.open = None;
        self.has_metadata |= member.name == "metadata";
        self.has_database |= member.name == STORE;
    }

    /// Whether metadata and store came whole, also of a file that is damaged. A store in files is many
    /// members, in any order: it is whole when the archive is.
    pub(crate) fn has_everything(&self, report: &Report) -> bool {
        self.has_metadata && (self.has_database || report.members.complete)
    }

    /// What it takes, for the user.
    pub(crate) fn note(&self) -> Option<String> {
        let place = self.directory.as_ref().map(|_| self.parent.display())?;
        (self.store > 0).then(|| {
            format!("The store takes {} of temporary space in {place}", indicatif::BinaryBytes(self.store))
        })
    }

    fn made(&mut self) -> Result<&Path> {
        let failed = |err| io::problem("create a working directory in", &self.parent, err);
        let directory = match &mut self.directory {
            Some(directory) => directory,
            none => {
                let made = tempfile::Builder::new().prefix("rollsnap-verify-").tempdir_in(&self.parent);
                none.insert(made.map_err(failed)?)
            }
        };
        Ok(directory.path())
    }
}

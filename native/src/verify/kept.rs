//! What a pass over a snapshot keeps of it for later, in a temporary directory: metadata and store.
//! They lie there as in a data directory.

use std::path::{Path, PathBuf};

use rollsnap_core::feedback::Silent;
use rollsnap_core::tar::Member;
use rollsnap_core::{Feedback, Report, Result};

use crate::data_dir::STORE;
use crate::dir::Tree;
use crate::workspace::Workspace;

/// Metadata and store of a snapshot. The directory is made when the first of them comes, and goes when
/// this is dropped.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The place that the user names; the system's if `None`.
    place: Option<PathBuf>,
    directory: Option<(Workspace, Tree)>,
    is_open: bool,
    /// How many bytes of the snapshot were read.
    read: u64,
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
            place: temp_dir.map(Path::to_path_buf),
            directory: None,
            is_open: false,
            read: 0,
            has_metadata: false,
            has_database: false,
            store: 0,
        }
    }

    /// Removes what interrupted commands have left in the place, and says so.
    pub(crate) fn prepare(&self, feedback: &mut dyn Feedback) {
        Workspace::sweep_temporary(self.place.as_deref(), feedback);
    }

    /// The directory; `None` before anything was kept.
    pub(crate) fn root(&self) -> Option<&Path> {
        self.directory.as_ref().map(|(work, _)| work.dir())
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
        self.made()?.create(member.name.clone(), 0o600, member.size)?;
        self.is_open = true;
        self.store += if is_store { member.size } else { 0 };
        Ok(true)
    }

    /// The next bytes of the member that was begun.
    ///
    /// # Errors
    /// Any `io.*` code; [`LimitSpace`](rollsnap_core::Code::LimitSpace) for more than the file can need.
    pub(crate) fn data(&mut self, data: &[u8]) -> Result<()> {
        match &mut self.directory {
            Some((_, tree)) if self.is_open => tree.write(data),
            _ => Ok(()),
        }
    }

    /// So many bytes of the snapshot were read by now.
    pub(crate) fn read(&mut self, bytes: u64) {
        self.read = bytes;
        if let Some((_, tree)) = &mut self.directory {
            tree.read(bytes);
        }
    }

    /// The member is complete.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(crate) fn end(&mut self, member: &Member) -> Result<()> {
        if std::mem::take(&mut self.is_open)
            && let Some((_, tree)) = &mut self.directory
        {
            tree.complete(None)?;
        }
        self.has_metadata |= member.name == "metadata";
        self.has_database |= member.name == STORE;
        Ok(())
    }

    /// Whether metadata and store came whole, also of a file that is damaged. A store in files is many
    /// members, in any order: it is whole when the archive is.
    pub(crate) fn has_everything(&self, report: &Report) -> bool {
        self.has_metadata && (self.has_database || report.members.complete)
    }

    /// What it takes, for the user.
    pub(crate) fn note(&self) -> Option<String> {
        let place = self.directory.as_ref().map(|(work, _)| work.parent().path().display())?;
        (self.store > 0).then(|| {
            format!("The store takes {} of temporary space in {place}", indicatif::BinaryBytes(self.store))
        })
    }

    fn made(&mut self) -> Result<&mut Tree> {
        let (_, tree) = match &mut self.directory {
            Some(directory) => directory,
            none => {
                let work = Workspace::temporary(self.place.as_deref(), &mut Silent)?;
                let mut tree = Tree::below(work.held());
                tree.read(self.read);
                none.insert((work, tree))
            }
        };
        Ok(tree)
    }
}

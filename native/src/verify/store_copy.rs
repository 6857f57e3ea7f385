//! What a pass over a snapshot keeps of it for later, in a temporary directory: metadata and store.
//! They lie there as in a data directory.

use std::path::{Path, PathBuf};

use rollsnap_core::feedback::Silent;
use rollsnap_core::members::MemberKind;
use rollsnap_core::store::MemberStore;
use rollsnap_core::tar::Member;
use rollsnap_core::{Feedback, Result};

use crate::dir::Tree;
use crate::size::Size;
use crate::workspace::Workspace;

/// Metadata and store of a snapshot. The directory is made when the first of them comes, and goes when
/// this is dropped.
#[derive(Debug)]
pub(crate) struct StoreCopy {
    /// The place that the user names; the system's if `None`.
    place: Option<PathBuf>,
    directory: Option<(Workspace, Tree)>,
    is_open: bool,
    /// How many bytes of the snapshot were read.
    read: u64,
    /// Length of all files of the store.
    store: u64,
}

impl StoreCopy {
    /// Waits for the first member. The directory is made in `temp_dir`, or in the system's directory for
    /// temporary files.
    pub(crate) fn new(temp_dir: Option<&Path>) -> Self {
        Self { place: temp_dir.map(Path::to_path_buf), directory: None, is_open: false, read: 0, store: 0 }
    }

    /// Removes what interrupted commands have left in the place, and says so.
    pub(crate) fn prepare(&self, feedback: &mut dyn Feedback) {
        Workspace::sweep_temporary(self.place.as_deref(), feedback);
    }

    /// The directory; `None` before anything was kept.
    pub(crate) fn root(&self) -> Option<&Path> {
        self.directory.as_ref().map(|(work, _)| work.dir())
    }

    /// What it takes, for the user.
    pub(crate) fn note(&self) -> Option<String> {
        let place = self.directory.as_ref().map(|(work, _)| work.parent().path().display())?;
        (self.store > 0)
            .then(|| format!("The store takes {} of temporary space in {place}", Size(self.store)))
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

impl MemberStore for StoreCopy {
    fn begin(&mut self, kind: MemberKind<'_>, member: &Member) -> Result<()> {
        self.is_open = kind == MemberKind::Metadata || kind.is_of_store();
        if self.is_open {
            self.made()?.create(member.name.clone(), 0o600, member.size)?;
            self.store += if kind.is_of_store() { member.size } else { 0 };
        }
        Ok(())
    }

    fn data(&mut self, data: &[u8]) -> Result<()> {
        match &mut self.directory {
            Some((_, tree)) if self.is_open => tree.write(data),
            _ => Ok(()),
        }
    }

    fn end(&mut self) -> Result<()> {
        match &mut self.directory {
            Some((_, tree)) if std::mem::take(&mut self.is_open) => tree.complete(None),
            _ => Ok(()),
        }
    }

    fn read(&mut self, bytes: u64) {
        self.read = bytes;
        if let Some((_, tree)) = &mut self.directory {
            tree.read(bytes);
        }
    }
}

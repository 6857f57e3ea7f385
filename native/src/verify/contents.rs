//! What a pass over a snapshot keeps for later: metadata, store, names of contexts; and what it
//! checks on the way: pre-images.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use rollsnap_core::tar::{self, Member};
use rollsnap_core::{Code, Problem, Result};
use tempfile::TempDir;

use super::{PreImages, pre_images};
use crate::contexts::{self, Contexts};
use crate::data_dir::{DataDir, STORE};
use crate::{data_dir, io};

/// Where the parts of a snapshot or of a data directory are found.
#[derive(Debug)]
pub struct Contents {
    /// The data directory, or a temporary directory with `metadata`, `storage/version` and
    /// `store.sqlite` of a snapshot.
    root: PathBuf,
    /// The name that the user knows it by.
    shown: PathBuf,
    is_data_dir: bool,
    temporary: Option<TempDir>,
    temp_parent: Option<PathBuf>,
    contexts: Contexts,
    pre_images: PreImages,
    problems: Vec<Problem>,
    old_store: bool,
    file: Option<(PathBuf, File)>,
    complete: Vec<String>,
}

impl Contents {
    /// For a snapshot that will stream by. `shown` is the name that the user knows it by.
    pub(super) fn new(shown: &Path, temp_parent: Option<&Path>) -> Self {
        Self {
            root: PathBuf::new(),
            shown: shown.into(),
            is_data_dir: false,
            temporary: None,
            temp_parent: temp_parent.map(Into::into),
            contexts: Contexts::default(),
            pre_images: PreImages::default(),
            problems: Vec::new(),
            old_store: false,
            file: None,
            complete: Vec::new(),
        }
    }

    /// Of a data directory.
    pub(super) fn of_data_dir(root: &Path) -> Result<Self> {
        let mut contents = Self::new(root, None);
        contents.root = root.into();
        contents.is_data_dir = true;
        contents.contexts = contexts::read(root)?;
        contents.old_store = matches!(
            DataDir::new(root).layout(),
            Ok(data_dir::Layout::Versioned(0..=4) | data_dir::Layout::Unversioned)
        );
        contents.pre_images = pre_images::read(root)?;
        Ok(contents)
    }

    /// Where `metadata` and `store.sqlite` are.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// How messages name it.
    pub(super) fn shown(&self) -> &Path {
        &self.shown
    }

    pub(super) fn contexts(&self) -> &Contexts {
        &self.contexts
    }

    /// Whether there is a store, but not of version 5.
    pub(super) fn has_old_store(&self) -> bool {
        self.old_store && !self.root.join(STORE).exists()
    }

    /// Whether this is a directory, not what was kept of a snapshot.
    pub(super) fn is_data_dir(&self) -> bool {
        self.is_data_dir
    }

    /// Whether metadata and store came whole.
    pub(super) fn has_everything(&self) -> bool {
        ["metadata", STORE].iter().all(|needed| self.complete.iter().any(|name| name == needed))
    }

    pub(super) fn pre_images(&self) -> &PreImages {
        &self.pre_images
    }

    /// What was wrong with other members.
    pub(super) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub(super) fn begin(&mut self, member: &Member, notes: &mut Vec<String>) -> Result<()> {
        let name = &*member.name;
        match name {
            "metadata" | "store.sqlite" | "storage/version" => self.begin_file(member, notes)?,
            _ if name.starts_with("context/") => self.contexts.begin(name),
            _ if name.starts_with("storage/") => self.old_store = true,
            _ if !tar::belongs_in_a_snapshot(name) => {
                self.problems.push(Problem::new(Code::SnapshotMember).member(name));
            }
            _ => self.pre_images.begin(name),
        }
        Ok(())
    }

    pub(super) fn data(&mut self, data: &[u8]) -> Result<()> {
        self.contexts.data(data);
        self.pre_images.data(data);
        match &mut self.file {
            Some((path, file)) => file.write_all(data).map_err(|err| io::problem("write", path, err)),
            None => Ok(()),
        }
    }

    pub(super) fn end(&mut self, member: &Member) -> Result<()> {
        self.contexts.end();
        if self.file.take().is_some() {
            self.complete.push(member.name.clone());
        }
        self.pre_images.end(&member.name, member.size);
        Ok(())
    }

    pub(super) fn complete(mut self) -> Self {
        self.contexts = std::mem::take(&mut self.contexts).complete();
        self
    }

    fn begin_file(&mut self, member: &Member, notes: &mut Vec<String>) -> Result<()> {
        if member.name == STORE {
            let place = self.temp_parent.clone().unwrap_or_else(std::env::temp_dir);
            notes.push(format!(
                "The store takes {} of temporary space in {}",
                indicatif::BinaryBytes(member.size),
                place.display()
            ));
        }
        if self.temporary.is_none() {
            let parent = self.temp_parent.clone().unwrap_or_else(std::env::temp_dir);
            let made = tempfile::Builder::new().prefix("rollsnap-verify-").tempdir_in(&parent);
            let made = made.map_err(|err| io::problem("create a working directory in", &parent, err))?;
            self.root = made.path().into();
            self.temporary = Some(made);
        }
        let path = self.root.join(&member.name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)
                .map_err(|err| io::problem("create the directory", parent, err))?;
        }
        let file = File::create_new(&path).map_err(|err| io::problem("create", &path, err))?;
        self.file = Some((path, file));
        Ok(())
    }
}

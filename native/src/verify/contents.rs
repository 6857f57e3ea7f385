//! What a pass over a snapshot keeps for later: metadata, store, names of contexts; and what it
//! checks on the way: pre-images.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use blake2b_simd::{Params, State};
use rollsnap_core::tar::{self, Member};
use rollsnap_core::{Code, Problem, Result};
use tempfile::TempDir;

use crate::contexts::Contexts;
use crate::data_dir::{DataDir, PvmKind, STORE};
use crate::{data_dir, io};

/// Longest pre-image that the PVM can reveal, in bytes.
const MAX_PRE_IMAGE: u64 = 4096;

/// Where the parts of a snapshot or of a data directory are found.
#[derive(Debug)]
pub struct Contents {
    /// The data directory, or a temporary directory with `metadata`, `storage/version` and
    /// `store.sqlite` of a snapshot.
    root: PathBuf,
    /// The name that the user knows it by; that of the snapshot is empty.
    shown: PathBuf,
    temporary: Option<TempDir>,
    temp_parent: Option<PathBuf>,
    contexts: Contexts,
    pre_images: u64,
    unknown_names: u64,
    problems: Vec<Problem>,
    old_store: bool,
    file: Option<(PathBuf, File)>,
    pre_image: Option<State>,
    complete: Vec<String>,
}

impl Contents {
    /// For a snapshot that will stream by.
    pub(super) fn new(temp_parent: Option<&Path>) -> Self {
        Self {
            root: PathBuf::new(),
            shown: PathBuf::new(),
            temporary: None,
            temp_parent: temp_parent.map(Into::into),
            contexts: Contexts::default(),
            pre_images: 0,
            unknown_names: 0,
            problems: Vec::new(),
            old_store: false,
            file: None,
            pre_image: None,
            complete: Vec::new(),
        }
    }

    /// Of a data directory.
    pub(super) fn of_data_dir(root: &Path) -> Result<Self> {
        let mut contents = Self::new(None);
        contents.root = root.into();
        contents.shown = root.into();
        contents.contexts = Contexts::read(root)?;
        contents.old_store = !matches!(DataDir::new(root).layout(), Ok(data_dir::Layout::V5Sqlite));
        for kind in PvmKind::ALL {
            contents.read_pre_images(&root.join(kind.as_str()), kind.as_str())?;
        }
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
        self.temporary.is_none() && !self.shown.as_os_str().is_empty()
    }

    /// Whether metadata and store came whole.
    pub(super) fn has_everything(&self) -> bool {
        ["metadata", STORE].iter().all(|needed| self.complete.iter().any(|name| name == needed))
    }

    /// How many pre-images were checked, and how many files beside them have other names.
    pub(super) fn pre_images(&self) -> (u64, u64) {
        (self.pre_images, self.unknown_names)
    }

    /// What was wrong with pre-images.
    pub(super) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub(super) fn begin(&mut self, member: &Member, notes: &mut Vec<String>) -> Result<()> {
        let name = &*member.name;
        match name {
            "metadata" | "store.sqlite" | "storage/version" => self.begin_file(member, notes)?,
            _ if name.starts_with("context/") => self.contexts.begin(name),
            _ if name.starts_with("storage/") => self.old_store = true,
            _ if is_pre_image(name) => self.pre_image = Some(hasher()),
            _ if !tar::belongs_in_a_snapshot(name) => {
                self.problems.push(Problem::new(Code::SnapshotMember).member(name));
            }
            _ => self.unknown_names += 1,
        }
        Ok(())
    }

    pub(super) fn data(&mut self, data: &[u8]) -> Result<()> {
        self.contexts.data(data);
        if let Some(state) = &mut self.pre_image {
            state.update(data);
        }
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
        if let Some(state) = self.pre_image.take() {
            self.judge(&member.name, member.size, &state);
        }
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

    fn read_pre_images(&mut self, directory: &Path, kind: &str) -> Result<()> {
        let Ok(entries) = std::fs::read_dir(directory) else { return Ok(()) };
        for entry in entries {
            let path = entry.map_err(|err| io::problem("read the directory", directory, err))?.path();
            let failed = |err| io::problem("read", &path, err);
            let metadata = std::fs::metadata(&path).map_err(failed)?;
            let name = format!("{kind}/{}", path.file_name().unwrap_or_default().to_string_lossy());
            if !metadata.is_file() || !is_pre_image(&name) {
                self.unknown_names += u64::from(metadata.is_file());
                continue;
            }
            let mut state = hasher();
            let mut file = File::open(&path).map_err(failed)?;
            std::io::copy(&mut file, &mut state).map_err(failed)?;
            self.judge(&name, metadata.len(), &state);
        }
        Ok(())
    }

    /// A pre-image has the hash that it is named by, and at most the length that can be revealed.
    fn judge(&mut self, name: &str, size: u64, state: &State) {
        self.pre_images += 1;
        let expected = name.rsplit('/').next().unwrap_or_default();
        let found = format!("00{}", state.finalize().to_hex());
        if found != expected {
            self.problems.push(Problem::new(Code::PreImageHash).member(name).found(found));
        }
        if size > MAX_PRE_IMAGE {
            self.problems.push(Problem::new(Code::PreImageSize).member(name).found(size));
        }
    }
}

fn hasher() -> State {
    Params::new().hash_length(32).to_state()
}

/// Whether a file in a pre-image directory is named as one: scheme byte `00` and a hash.
fn is_pre_image(name: &str) -> bool {
    let (directory, file) = name.split_once('/').unwrap_or_default();
    PvmKind::ALL.iter().any(|kind| kind.as_str() == directory)
        && file.len() == 66
        && file.starts_with("00")
        && file.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

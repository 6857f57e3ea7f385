//! What a pass over a snapshot keeps for later: metadata, store, names of contexts; and what it
//! checks on the way: pre-images.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use rollsnap_core::context::verify::{Audit, Audited};
use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::store::Rows;
use rollsnap_core::tar::{self, Member};
use rollsnap_core::{Code, Feedback, Problem, Result};
use tempfile::TempDir;

use super::{ContextScope, Options, PreImages, Reading, pre_images};
use crate::context::{TempSpool, Threads};
use crate::data_dir::{DataDir, STORE};
use crate::jobs::Phases;
use crate::store::{Accept, Store};
use crate::{data_dir, io};

/// What the names of the files of the context begin with.
const CONTEXT: &str = "context/";

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
    audit: Option<Audit<Threads, TempSpool>>,
    audited: Audited,
    pre_images: PreImages,
    problems: Vec<Problem>,
    old_store: bool,
    in_context: bool,
    file: Option<(PathBuf, File)>,
    complete: Vec<String>,
}

impl Contents {
    /// For a snapshot that will stream by. `shown` is the name that the user knows it by.
    pub(super) fn new(shown: &Path, temp_parent: Option<&Path>, scope: ContextScope) -> Self {
        let place = temp_parent.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let audit = match scope {
            ContextScope::None => Audit::index_only(),
            // What streams by cannot be followed from the head, so all of it is read.
            ContextScope::All | ContextScope::Head => {
                Audit::new(Threads::of_this_machine(), TempSpool::new(place))
            }
        };
        Self {
            root: PathBuf::new(),
            shown: shown.into(),
            is_data_dir: false,
            temporary: None,
            temp_parent: temp_parent.map(Into::into),
            audit: Some(audit),
            audited: Audited::default(),
            pre_images: PreImages::default(),
            problems: Vec::new(),
            old_store: false,
            in_context: false,
            file: None,
            complete: Vec::new(),
        }
    }

    /// Of a data directory.
    pub(super) fn of_data_dir(
        root: &Path,
        options: &Options,
        phases: &mut Phases,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {
        let mut contents = Self::new(root, options.temp_dir.as_deref(), options.context);
        contents.root = root.into();
        contents.is_data_dir = true;
        contents.audit = None;
        let phase = match options.context {
            ContextScope::Head => phases.next_two("Checking context"),
            _ => phases.next("Checking context"),
        };
        let head = Store::open(&root.join(STORE), Accept::Older).and_then(|store| store.head());
        let head = head.ok().and_then(|head| head.context);
        let reading = Reading { scope: options.context, head, temp_dir: options.temp_dir.as_deref() };
        contents.audited = reading.directory(&root.join("context"), phase, feedback)?;
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

    /// What is known of the context.
    pub(super) fn audited(&self) -> &Audited {
        &self.audited
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
            _ if name.starts_with(CONTEXT) => {
                if let Some(audit) = &mut self.audit {
                    audit.begin(&name[CONTEXT.len()..], member.size);
                    self.in_context = true;
                }
            }
            _ if name.starts_with("storage/") => self.old_store = true,
            _ if !tar::belongs_in_a_snapshot(name) => {
                self.problems.push(Problem::new(Code::SnapshotMember).member(name));
            }
            _ => self.pre_images.begin(name),
        }
        Ok(())
    }

    pub(super) fn data(&mut self, data: &[u8]) -> Result<()> {
        if self.in_context
            && let Some(audit) = &mut self.audit
        {
            return audit.data(data);
        }
        self.pre_images.data(data);
        match &mut self.file {
            Some((path, file)) => file.write_all(data).map_err(|err| io::problem("write", path, err)),
            None => Ok(()),
        }
    }

    pub(super) fn end(&mut self, member: &Member) -> Result<()> {
        if std::mem::take(&mut self.in_context)
            && let Some(audit) = &mut self.audit
        {
            audit.end();
            return Ok(());
        }
        if self.file.take().is_some() {
            self.complete.push(member.name.clone());
        }
        self.pre_images.end(&member.name, member.size);
        Ok(())
    }

    /// Everything has come: what was put off in the context is checked now.
    pub(super) fn complete(&mut self, phase: Phase, feedback: &mut dyn Feedback) -> Result<()> {
        if let Some(audit) = self.audit.take() {
            let total = Some(audit.put_off());
            feedback.phase(Phase { total, unit: Unit::Bytes, ..phase });
            self.audited = audit.finish(feedback)?;
        }
        Ok(())
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

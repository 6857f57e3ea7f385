//! What a pass over a snapshot keeps for later: metadata, store, names of contexts; and what it
//! checks on the way: pre-images.

use std::path::{Path, PathBuf};

use rollsnap_core::context::Beginning;
use rollsnap_core::context::verify::{Audit, Audited};
use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::hash::ContextHash;
use rollsnap_core::report::MAX_CHECKS;
use rollsnap_core::store::Rows;
use rollsnap_core::tar::{self, Member};
use rollsnap_core::{Code, Feedback, Problem, Report, Result};

use super::consistent::Streamed;
use super::kept::Kept;
use super::{ContextScope, Options, PreImages, Reading, pre_images};
use crate::context::{TempSpool, Threads};
use crate::jobs::Phases;
use crate::store::{AnyStore, Family, open_any};

/// What the names of the files of the context begin with.
const CONTEXT: &str = "context/";

/// Where the parts of a snapshot or of a data directory are found.
#[derive(Debug)]
pub struct Contents {
    /// The data directory; `None` of a snapshot.
    data_dir: Option<PathBuf>,
    /// Metadata and store of a snapshot.
    kept: Kept,
    /// The name that the user knows it by.
    shown: PathBuf,
    family: Option<Family>,
    audit: Option<Audit<Threads, TempSpool>>,
    audited: Audited,
    beginning: Beginning,
    pre_images: PreImages,
    problems: Vec<Problem>,
    in_context: bool,
}

impl Contents {
    /// For a snapshot that will stream by. `shown` is the name that the user knows it by.
    pub(super) fn new(shown: &Path, options: &Options) -> Self {
        let place = options.temp_dir.clone().unwrap_or_else(std::env::temp_dir);
        let audit = match options.context {
            ContextScope::None => Audit::index_only(),
            // What streams by cannot be followed from the head, so all of it is read.
            ContextScope::All | ContextScope::Head => {
                Audit::new(Threads::of_this_machine(), TempSpool::new(place))
            }
        };
        Self {
            data_dir: None,
            kept: Kept::new(options.temp_dir.as_deref()),
            shown: shown.into(),
            family: options.family,
            audit: Some(audit),
            audited: Audited::default(),
            beginning: Beginning::default(),
            pre_images: PreImages::default(),
            problems: Vec::new(),
            in_context: false,
        }
    }

    /// Takes no more memory than the user allows, and removes what interrupted commands have left where the store will
    /// be kept.
    pub(super) fn prepare(&mut self, feedback: &mut dyn Feedback) {
        let allowance = feedback.allowance();
        self.audit = self.audit.take().map(|audit| audit.within(allowance));
        self.kept.prepare(feedback);
    }

    /// Of a data directory.
    pub(super) fn of_data_dir(
        root: &Path,
        options: &Options,
        phases: &mut Phases,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {
        let mut contents = Self::new(root, options);
        contents.data_dir = Some(root.into());
        contents.audit = None;
        let phase = match options.context {
            ContextScope::Head => phases.next_two("Checking context"),
            _ => phases.next("Checking context"),
        };
        let head = head_context(contents.store())?;
        let reading = Reading { scope: options.context, head, temp_dir: options.temp_dir.as_deref() };
        contents.audited = reading.of_data_dir(root, phase, feedback)?;
        contents.pre_images = pre_images::read(root, feedback)?;
        Ok(contents)
    }

    /// Where `metadata` and the store are; nowhere for a snapshot that had neither.
    pub(super) fn root(&self) -> &Path {
        self.data_dir.as_deref().or_else(|| self.kept.root()).unwrap_or(Path::new(""))
    }

    /// The store, opened.
    ///
    /// # Errors
    /// Those of [`open_any`].
    pub(super) fn store(&self) -> Result<AnyStore> {
        open_any(self.root(), self.family)
    }

    /// How messages name it.
    pub(super) fn shown(&self) -> &Path {
        &self.shown
    }

    /// What is known of the context.
    pub(super) fn audited(&self) -> &Audited {
        &self.audited
    }

    /// Whether this is a directory, not what was kept of a snapshot.
    pub(super) fn is_data_dir(&self) -> bool {
        self.data_dir.is_some()
    }

    /// Whether metadata and store came whole.
    pub(super) fn has_everything(&self, report: &Report) -> bool {
        self.kept.has_everything(report)
    }

    /// What was kept of the context of a snapshot.
    pub(super) fn beginning(&self) -> Option<Streamed<'_>> {
        self.data_dir.is_none().then_some((&self.beginning, self.audited.first))
    }

    pub(super) fn pre_images(&self) -> &PreImages {
        &self.pre_images
    }

    /// What was wrong with other members.
    pub(super) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// So many bytes of the snapshot were read by now.
    pub(super) fn read(&mut self, bytes: u64) {
        if let Some(audit) = &mut self.audit {
            audit.read(bytes);
        }
        self.kept.read(bytes);
    }

    pub(super) fn begin(&mut self, member: &Member) -> Result<()> {
        let name = &*member.name;
        if !tar::belongs_in_a_snapshot(name) {
            if self.problems.len() < MAX_CHECKS {
                self.problems.push(Problem::new(Code::SnapshotMember).member(name));
            }
            return Ok(());
        }
        if let Some(below) = name.strip_prefix(CONTEXT) {
            if let Some(audit) = &mut self.audit {
                audit.begin(below, member.size);
                self.beginning.begin(below, member.size);
                self.in_context = true;
            }
            return Ok(());
        }
        let is_kept = self.kept.begin(member)?;
        if !is_kept {
            self.pre_images.begin(name);
        }
        Ok(())
    }

    pub(super) fn data(&mut self, data: &[u8]) -> Result<()> {
        if self.in_context
            && let Some(audit) = &mut self.audit
        {
            self.beginning.data(data);
            return audit.data(data);
        }
        self.pre_images.data(data);
        self.kept.data(data)
    }

    pub(super) fn end(&mut self, member: &Member) -> Result<()> {
        if std::mem::take(&mut self.in_context)
            && let Some(audit) = &mut self.audit
        {
            audit.end();
            self.beginning.end();
            return Ok(());
        }
        self.kept.end(member)?;
        self.pre_images.end(&member.name, member.size);
        Ok(())
    }

    /// Everything has come: what was put off in the context is checked now.
    pub(super) fn complete(&mut self, phase: Phase, feedback: &mut dyn Feedback) -> Result<()> {
        if let Some(note) = self.kept.note() {
            feedback.note(&note);
        }
        if let Some(audit) = self.audit.take() {
            let total = Some(audit.put_off());
            feedback.phase(Phase { total, unit: Unit::Bytes, ..phase });
            self.audited = audit.finish(feedback)?;
        }
        Ok(())
    }
}

/// The commit of the head, if the store has one. What is wrong with the store is told where it is checked; what
/// keeps it from being read ends the command.
///
/// # Errors
/// Codes that are not about the contents: `io.*`, [`Code::LockHeld`].
pub(crate) fn head_context(store: Result<AnyStore>) -> Result<Option<ContextHash>> {
    match store.and_then(|store| store.head()) {
        Ok(head) => Ok(head.context),
        Err(problem) if problem.code().is_about_contents() => Ok(None),
        Err(problem) => Err(problem),
    }
}

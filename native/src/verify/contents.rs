//! What a snapshot or a data directory holds: where its metadata and its store are, and what is known of all else.

use std::path::{Path, PathBuf};

use rollsnap_core::context::Beginning;
use rollsnap_core::context::layout::Layout;
use rollsnap_core::context::pack::Dict;
use rollsnap_core::context::verify::{Audit, AuditedShare};
use rollsnap_core::hash::ContextHash;
use rollsnap_core::report::{ContextShare, Evidence};
use rollsnap_core::store::{Came, Checked, Findings, Rows, SnapshotChecker};
use rollsnap_core::{Feedback, Report, Result};

use super::consistent::Streamed;
use super::share::whole;
use super::store_copy::StoreCopy;
use super::{ContextScope, Options, PreImages, Reading, pre_images};
use crate::context::{TempSpool, Threads};
use crate::files::FileSet;
use crate::jobs::Stages;
use crate::replay::Place;
use crate::scratch::TempFile;
use crate::store::{AnyStore, Family, open_any};

/// Checks a snapshot that streams by. Metadata and store go to temporary files.
pub(super) type Checker = SnapshotChecker<StoreCopy, Threads, TempSpool>;

/// Waits for a snapshot, of whose context the small files may be `known` before they come. Takes no more memory than the user allows, and removes what interrupted commands have left
/// where the store will be kept.
pub(super) fn checker(
    options: &Options,
    scope: ContextScope,
    known: Option<(Layout, Dict)>,
    feedback: &mut dyn Feedback,
) -> Checker {
    let place = options.temp_dir.clone().unwrap_or_else(std::env::temp_dir);
    let audit = match scope {
        ContextScope::None => Audit::index_only(),
        // What streams by cannot be followed from the head, so all of it is read.
        ContextScope::All | ContextScope::Head => {
            let spilled = Box::new(TempFile::new(place.clone()));
            let (threads, spool) = (Threads::of_this_machine(), TempSpool::new(place));
            let audit = match known {
                Some((layout, dict)) => Audit::knowing(threads, spool, layout, dict),
                None => Audit::new(threads, spool),
            };
            audit.spilling(spilled)
        }
    };
    let kept = StoreCopy::new(options.temp_dir.as_deref());
    kept.prepare(feedback);
    SnapshotChecker::new(kept, audit).within(feedback.allowance())
}

/// The parts of a snapshot or of a data directory.
#[derive(Debug)]
pub struct Contents {
    home: Home,
    /// The name that the user knows it by.
    shown: PathBuf,
    family: Option<Family>,
    findings: Findings,
    /// What is checked of the context, where that is divided.
    share: Option<ContextShare>,
    /// A copy of a snapshot that can be read at any offset.
    copy: Option<Place>,
}

/// Where metadata and store are.
#[derive(Debug)]
enum Home {
    DataDir(PathBuf),
    /// They were kept of a snapshot, as was the beginning of its context.
    Snapshot(Box<StoreCopy>, Beginning, Came),
}

impl Contents {
    /// Of a snapshot that was read. `shown` is the name that the user knows it by.
    pub(super) fn of_snapshot(checked: Checked<StoreCopy>, shown: &Path, options: &Options) -> Self {
        let Checked { members, findings, beginning, came } = checked;
        let home = Home::Snapshot(Box::new(members), beginning, came);
        Self { home, shown: shown.into(), family: options.family, findings, share: None, copy: None }
    }

    /// Of a data directory, whose context and pre-images are read.
    pub(super) fn of_data_dir(
        root: &Path,
        options: &Options,
        stages: &mut Stages,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {
        let (phase, mut listening) = stages.listen(options.context.stage(), feedback);
        let head = head_context_of(open_any(root, options.family))?;
        let reading = Reading { scope: options.context, head, temp_dir: options.temp_dir.as_deref() };
        let (audited, share) = match options.context_shard() {
            Some(shard) => {
                let files = FileSet::context_of(root);
                let AuditedShare { audited, context } =
                    reading.share_or_whole(&files, shard, phase, &mut listening)?;
                (audited, Some(context))
            }
            None if options.is_first() => (reading.of_data_dir(root, phase, &mut listening)?, None),
            None => Default::default(),
        };
        let pre_images =
            if options.is_first() { pre_images::read(root, feedback)? } else { PreImages::default() };
        Ok(Self {
            home: Home::DataDir(root.into()),
            shown: root.into(),
            family: options.family,
            findings: Findings { audited, pre_images, others: Evidence::default() },
            share,
            copy: None,
        })
    }

    /// Of a snapshot, a part of whose context was checked from a copy.
    pub(super) fn with_share(mut self, copy: Place, found: AuditedShare) -> Self {
        self.findings.audited = found.audited;
        Self { share: Some(found.context), copy: Some(copy), ..self }
    }

    /// Of a snapshot whose context could not be divided.
    pub(super) fn with_whole(self) -> Self {
        Self { share: Some(whole(String::new(), 0)), ..self }
    }

    /// What is checked of the context, where that is divided.
    pub(super) fn share(&self) -> Option<&ContextShare> {
        self.share.as_ref()
    }

    /// The copy of a snapshot that can be read at any offset, if there is one. It is given away.
    pub(super) fn take_copy(&mut self) -> Option<Place> {
        self.copy.take()
    }

    /// Where `metadata` and the store are; nowhere for a snapshot that had neither.
    pub(super) fn root(&self) -> &Path {
        match &self.home {
            Home::DataDir(root) => root,
            Home::Snapshot(kept, ..) => kept.root().unwrap_or(Path::new("")),
        }
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

    /// What is known of all but the store.
    pub(super) fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Whether this is a directory, not what was kept of a snapshot.
    pub(super) fn is_data_dir(&self) -> bool {
        matches!(self.home, Home::DataDir(_))
    }

    /// Whether metadata and store came whole.
    pub(super) fn has_everything(&self, report: &Report) -> bool {
        match self.home {
            Home::DataDir(_) => true,
            Home::Snapshot(_, _, came) => came.everything(report),
        }
    }

    /// What was kept of the context of a snapshot.
    pub(super) fn beginning(&self) -> Option<Streamed<'_>> {
        match &self.home {
            Home::DataDir(_) => None,
            Home::Snapshot(_, beginning, _) => Some((beginning, self.findings.audited.first)),
        }
    }
}

/// The commit of the head, if the store has one. What is wrong with the store is told where it is checked; what
/// keeps it from being read ends the command.
///
/// # Errors
/// Codes that are not about the contents: `io.*`, [`LockHeld`](rollsnap_core::Code::LockHeld).
fn head_context_of(store: Result<AnyStore>) -> Result<Option<ContextHash>> {
    match store {
        Ok(store) => head_context(&store),
        Err(problem) if problem.code().is_about_contents() => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// The same of a store that is open.
///
/// # Errors
/// As above.
pub(crate) fn head_context(store: &AnyStore) -> Result<Option<ContextHash>> {
    match store.head() {
        Ok(head) => Ok(head.context),
        Err(problem) if problem.code().is_about_contents() => Ok(None),
        Err(problem) => Err(problem),
    }
}

//! *Consistent*: everything that metadata, store and the walk over its chain can say.

use std::collections::BTreeMap;
use std::path::Path;

use rollsnap_core::context::Beginning;
use rollsnap_core::context::edit::Tree;
use rollsnap_core::feedback::Phase;
use rollsnap_core::hash::ContextHash;
use rollsnap_core::report::{ContextStats, Evidence, ShareInfo};
use rollsnap_core::store::{self, Genesis};
use rollsnap_core::{Code, Feedback, Header, Report, Result, Verdict};

use super::{Contents, Options};
use crate::context::pvm_state;
use crate::contexts::Contexts;
use crate::data_dir::metadata;
use crate::jobs::{self, Stages};
use crate::store::{AnyStore, close_any};

/// What is checked, beside the store.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The directory with `metadata`.
    pub root: &'a Path,
    /// The directory or snapshot that the user knows, for messages.
    pub shown: &'a Path,
    /// What the header of the snapshot claims.
    pub header: Option<&'a Header>,
    /// The contexts that are there.
    pub contexts: Option<&'a Contexts>,
    /// What was kept of a context that streamed by, and its first commit with the offset; `None`: it is below the
    /// directory.
    pub beginning: Option<Streamed<'a>>,
    /// Whether a conversion has just made the store, so that lists of messages may be those of a very old node.
    pub old_lists: bool,
}

/// The beginning of a context that streamed by, and its first commit with the offset.
pub type Streamed<'a> = (&'a Beginning, Option<(ContextHash, u64)>);

impl Subject<'_> {
    /// The PVM state of a commit; `None` when the commit has none.
    fn state(&self, commit: &ContextHash) -> Result<Option<Tree>> {
        match self.beginning {
            Some((beginning, first)) => beginning.pvm_state(first, commit),
            None => pvm_state(self.root, commit),
        }
    }

    fn genesis(&self, store: &AnyStore) -> Result<Genesis> {
        let metadata = metadata::read(self.root)?;
        let states = |commit: &ContextHash| self.state(commit);
        Ok(Genesis::find(metadata.as_ref(), store, self.contexts, Some(&states)))
    }
}

pub(super) fn check(
    contents: &Contents,
    header: Option<&Header>,
    options: &Options,
    report: &mut Report,
    stages: &mut Stages,
    feedback: &mut dyn Feedback,
) -> Result<()> {
    let whole = contents.is_data_dir() || report.verdicts.intact == Verdict::Yes;
    if !whole && !contents.has_everything(report) {
        report.add(store::cut_store());
        return Ok(());
    }
    let findings = contents.findings();
    report.context = findings.audited.totals.as_ref().map(ContextStats::from);
    let subject = Subject {
        root: contents.root(),
        shown: contents.shown(),
        header,
        contexts: Some(&findings.audited.contexts),
        beginning: contents.beginning(),
        old_lists: false,
    };
    let store = contents.store();
    report.store = store.as_ref().ok().map(AnyStore::info);
    let checked = if options.is_first() {
        check_store(subject, store, stages.next(jobs::CHAIN), feedback)?
    } else {
        Evidence::default()
    };
    let mut evidence = findings.with(checked);
    if options.fail_fast {
        evidence.keep_first_problem();
    }
    match options.share_info() {
        Some(share) => {
            let share = ShareInfo { context: contents.share().cloned(), ..share };
            share.conclude(evidence, report, whole);
        }
        None => evidence.conclude(report, whole),
    }
    Ok(())
}

/// Checks metadata, store and chain of a directory, and closes the store.
///
/// # Errors
/// [`Code::Cancelled`], and an I/O error that leaves everything open.
pub fn check_store(
    subject: Subject<'_>,
    mut store: Result<AnyStore>,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<Evidence> {
    let states = |commit: &ContextHash| subject.state(commit);
    let judged = store::Subject {
        metadata: metadata::read(subject.root),
        store: store.as_mut().map_err(|problem| problem.clone()),
        shown: &subject.shown.display().to_string(),
        header: subject.header,
        contexts: subject.contexts,
        states: Some(&states),
        old_lists: subject.old_lists,
    };
    let mut evidence = AnyStore::check(judged, phase, feedback)?;
    match store.map_or(Ok(()), close_any) {
        // What was read is of no moment that there ever was: it accuses nobody.
        Err(problem) if problem.code() == Code::SourceChanged => Ok(problem.into()),
        closed => {
            evidence.problems.extend(closed.err());
            Ok(evidence)
        }
    }
}

/// What is known of the origination that a directory is of.
///
/// # Errors
/// Those of reading metadata.
pub(crate) fn genesis(root: &Path, store: &AnyStore, contexts: &Contexts) -> Result<Genesis> {
    Subject { root, shown: root, header: None, contexts: Some(contexts), beginning: None, old_lists: false }
        .genesis(store)
}

/// What is known of the origination of what was read.
///
/// # Errors
/// Those of reading metadata and store.
pub(super) fn genesis_of(contents: &Contents) -> Result<Genesis> {
    let contexts = Some(&contents.findings().audited.contexts);
    let (root, shown, beginning) = (contents.root(), contents.shown(), contents.beginning());
    let store = contents.store()?;
    let genesis =
        Subject { root, shown, header: None, contexts, beginning, old_lists: false }.genesis(&store)?;
    close_any(store)?;
    Ok(genesis)
}

/// How often each code is among the checks that do not hold.
pub fn counts(report: &Report) -> BTreeMap<Code, u64> {
    let mut counts = BTreeMap::new();
    for check in report.failures() {
        *counts.entry(check.code).or_default() += 1;
    }
    counts
}

//! *Consistent*: everything that metadata, store and the walk over its chain can say.

use std::collections::BTreeMap;
use std::path::Path;

use rollsnap_core::chain::Marks;
use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::report::Check;
use rollsnap_core::store::{self, head_context, header_against_store, is_compact};
use rollsnap_core::{Code, Feedback, Header, Problem, Report, Result, Verdict};

use super::{Contents, Options};
use crate::contexts::Contexts;
use crate::data_dir::{DataDir, Metadata, STORE, metadata};
use crate::jobs::Phases;
use crate::store::{Accept, Store};

/// What is checked.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The directory with `metadata`.
    pub root: &'a Path,
    /// The database.
    pub store: &'a Path,
    /// The directory that the user knows, for messages.
    pub shown: &'a Path,
    /// What the header of the snapshot claims.
    pub header: Option<&'a Header>,
    /// The contexts that are there.
    pub contexts: Option<&'a Contexts>,
}

pub(super) fn check(
    contents: &Contents,
    header: Option<&Header>,
    options: &Options,
    report: &mut Report,
    phases: &mut Phases,
    feedback: &mut dyn Feedback,
) -> Result<()> {
    if contents.has_old_store() {
        report.add(store::old_store());
        return Ok(());
    }
    let whole = contents.is_data_dir() || report.verdicts.intact == Verdict::Yes;
    if !whole && !contents.has_everything() {
        report.add(store::cut_store());
        return Ok(());
    }
    let subject = Subject {
        root: contents.root(),
        store: &contents.root().join(STORE),
        shown: contents.shown(),
        header,
        contexts: Some(contents.contexts()),
    };
    let (mut problems, mut passed) = check_store(subject, phases.next("Checking chain"), feedback)?;
    problems.extend_from_slice(contents.problems());
    problems.extend_from_slice(contents.pre_images().problems());
    passed.extend(contents.pre_images().passed());
    if options.fail_fast {
        problems.truncate(1);
    }
    store::settle(report, problems, passed, whole);
    Ok(())
}

/// Checks metadata, store and chain of a directory: what does not hold, and what does.
///
/// # Errors
/// [`Code::Cancelled`], and an I/O error that leaves everything open.
pub fn check_store(
    subject: Subject<'_>,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<(Vec<Problem>, Vec<Check>)> {
    let mut problems = Vec::new();
    let metadata = match metadata::read(subject.root) {
        Ok(Some(metadata)) => Some(metadata),
        Ok(None) => {
            problems.push(metadata::missing(subject.shown));
            None
        }
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    if let Err(problem) = DataDir::new(subject.root).require_v5() {
        problems.push(problem);
        return Ok((problems, Vec::new()));
    }
    let store = match Store::open(subject.store, Accept::Older) {
        Ok(store) => store,
        Err(problem) => {
            problems.push(problem);
            return Ok((problems, Vec::new()));
        }
    };
    let walked = walk(&store, metadata.as_ref(), subject, phase, feedback, &mut problems);
    let passed = match walked {
        Ok(passed) => passed,
        Err(problem) if problem.code() == Code::Cancelled => return Err(problem),
        Err(problem) => {
            problems.push(problem);
            Vec::new()
        }
    };
    if let Err(problem) = store.close() {
        problems.push(problem);
    }
    Ok((problems, passed))
}

fn walk(
    store: &Store,
    metadata: Option<&Metadata>,
    subject: Subject<'_>,
    phase: Phase,
    feedback: &mut dyn Feedback,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Check>> {
    let head = store.head()?;
    let first_available = store.first_available()?;
    let state = store.state()?;
    if state.history_mode.is_none() {
        problems.push(store::no_mode(&subject.shown.display().to_string()));
    }
    if let (Some(header), Some(metadata)) = (subject.header, metadata) {
        problems.extend(header_against_store(header, metadata, &head, state.history_mode));
    }
    if let Some(mark) = state.head.filter(|mark| mark.level != head.level) {
        problems.push(
            Problem::new(Code::StoreValue)
                .at(rollsnap_core::Place::Level(head.level))
                .expected(format_args!("l2_head: level {}", head.level))
                .found(mark.level),
        );
    }
    let first = store.block_at(first_available)?;
    let compact = subject.contexts.is_some_and(|contexts| is_compact(contexts, first.as_ref(), &head));
    let contexts = subject.contexts.filter(|_| !compact);
    if let (Some(contexts), Some(context)) = (contexts, head.context)
        && !contexts.contains(&context)
    {
        problems.push(head_context(head.level));
    }
    let marks = Marks {
        head: (head.hash, head.level),
        first_available,
        genesis_level: metadata.map(|metadata| metadata.genesis_level),
        finalized: state.finalized.map(|mark| (mark.hash, mark.level)),
        lcc: state.lcc.map(|mark| (mark.hash, mark.level)),
        top_level: store.top_level()?,
    };
    let blocks = u64::try_from(i64::from(head.level) - i64::from(first_available) + 1).ok();
    feedback.phase(Phase { total: blocks, unit: Unit::Blocks, ..phase });
    let before = problems.len();
    let summary = store.walk(marks, contexts, feedback, &mut |problem| problems.push(problem))?;
    problems.extend(store.unknown_publications()?);
    let sound = problems.len() == before;
    Ok(store::passed(&summary, first_available, head.level, sound, compact))
}

/// How often each code is among the checks that do not hold.
pub fn counts(report: &Report) -> BTreeMap<Code, u64> {
    let mut counts = BTreeMap::new();
    for check in report.failures() {
        *counts.entry(check.code).or_default() += 1;
    }
    counts
}

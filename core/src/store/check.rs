//! *Consistent*: everything that metadata, store and the walk over its chain can say.

use alloc::vec::Vec;

use super::{
    Accept, Metadata, STORE, Store, check_version, head_context, header_against_store, is_compact, no_mode,
    parse_version, passed,
};
use crate::chain::Marks;
use crate::code::Code;
use crate::context::Contexts;
use crate::feedback::{Feedback, Phase, Unit};
use crate::header::Header;
use crate::problem::{Problem, Result};
use crate::read_at::ReadAt;
use crate::report::Check;

/// What is checked.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a, R> {
    /// The file `metadata`, if it is there.
    pub metadata: Option<&'a [u8]>,
    /// The file `storage/version`, if it is there.
    pub version: Option<&'a [u8]>,
    /// The database, if it is there.
    pub database: Option<R>,
    /// What the header of the snapshot claims.
    pub header: Option<&'a Header>,
    /// The contexts that are there.
    pub contexts: &'a Contexts,
}

/// Checks metadata, store and chain: what does not hold, and what does.
///
/// # Errors
/// [`Code::Cancelled`].
pub fn check<R: ReadAt>(
    subject: Subject<'_, R>,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<(Vec<Problem>, Vec<Check>)> {
    let mut problems = Vec::new();
    let metadata = match subject.metadata.map(Metadata::parse) {
        Some(Ok(metadata)) => Some(metadata),
        Some(Err(problem)) => {
            problems.push(problem.path("metadata"));
            None
        }
        None => {
            let text = "No rollup node metadata in \"\".";
            problems.push(Problem::new(Code::MetadataMissing).headline(text));
            None
        }
    };
    let version = subject.version.map(|bytes| parse_version(bytes, "storage/version")).transpose();
    let Subject { database, header, contexts, .. } = subject;
    let opened = version.and_then(check_version).and_then(|()| {
        let missing = || Problem::new(Code::StoreMissing).path(STORE);
        Store::open(database.ok_or_else(missing)?, STORE, Accept::Older)
    });
    let checked = opened
        .and_then(|store| chain(&store, metadata.as_ref(), header, contexts, phase, feedback, &mut problems));
    match checked {
        Ok(passed) => Ok((problems, passed)),
        Err(problem) if problem.code() == Code::Cancelled => Err(problem),
        Err(problem) => {
            problems.push(problem);
            Ok((problems, Vec::new()))
        }
    }
}

fn chain<R: ReadAt>(
    store: &Store<'_, R>,
    metadata: Option<&Metadata>,
    header: Option<&Header>,
    contexts: &Contexts,
    phase: Phase,
    feedback: &mut dyn Feedback,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Check>> {
    let head = store.head()?;
    let first_available = store.first_available()?;
    let state = store.state()?;
    if state.history_mode.is_none() {
        problems.push(no_mode(""));
    }
    if let (Some(header), Some(metadata)) = (header, metadata) {
        problems.extend(header_against_store(header, metadata, &head, state.history_mode));
    }
    let first = store.block_at(first_available)?;
    let compact = is_compact(contexts, first.as_ref(), &head);
    let contexts = Some(contexts).filter(|_| !compact);
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
    let total = u64::try_from(i64::from(head.level) - i64::from(first_available) + 1).ok();
    feedback.phase(Phase { total, unit: Unit::Blocks, ..phase });
    let before = problems.len();
    let summary = store.walk(marks, contexts, feedback, &mut |problem| problems.push(problem))?;
    problems.extend(store.unknown_publications()?);
    let sound = problems.len() == before;
    Ok(passed(&summary, first_available, head.level, sound, compact))
}

//! *Consistent*: everything that metadata, store and the walk over its chain can say.

use alloc::vec::Vec;
use core::fmt;

use super::publications::Publications;
use super::rules::missing_contexts;
use super::side::{Beside, Walked, protocols};
use super::{Genesis, Lacking, Metadata, Rows, States, head_context, header_against_store, passed};
use crate::chain::{self, Marks};
use crate::code::Code;
use crate::context::Contexts;
use crate::feedback::{Feedback, Phase, Unit};
use crate::header::{Header, HistoryMode};
use crate::nodes::export::{no_metadata, no_mode};
use crate::problem::{Place, Problem, Result};
use crate::report::{Check, Evidence, Problems};

/// What is checked.
pub struct Subject<'a, S> {
    /// The file `metadata`, if it is there.
    pub metadata: Result<Option<Metadata>>,
    /// The store, opened.
    pub store: Result<&'a mut S>,
    /// The name of the data directory or snapshot, for messages.
    pub shown: &'a str,
    /// What the header of the snapshot claims.
    pub header: Option<&'a Header>,
    /// The contexts that are there.
    pub contexts: Option<&'a Contexts>,
    /// Where the state at the origination is read.
    pub states: Option<States<'a>>,
    /// Whether a conversion has just made the store: as [`Marks::old_lists`].
    pub old_lists: bool,
}

impl<S> fmt::Debug for Subject<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("shown", &self.shown).finish_non_exhaustive()
    }
}

/// Checks metadata, store and chain: what does not hold, and what does.
///
/// # Errors
/// [`Code::Cancelled`].
pub fn check<S: Rows>(
    subject: Subject<'_, S>,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<Evidence> {
    let mut problems = Problems::default();
    let Subject { metadata, store, shown, header, contexts, states, old_lists } = subject;
    let metadata = match metadata.and_then(|metadata| metadata.ok_or_else(|| no_metadata(shown))) {
        Ok(metadata) => Some(metadata),
        Err(problem) if problem.code().is_about_contents() => {
            problems.push(problem);
            None
        }
        // Metadata that may say anything are no reason to judge the store without them.
        Err(problem) => return Ok(problem.into()),
    };
    let judge = Judge { metadata: metadata.as_ref(), shown, header, contexts, states, old_lists, phase };
    match store.and_then(|store| judge.store(store, feedback, &mut problems)) {
        Ok(checks) => Ok(Evidence { problems, checks }),
        Err(problem) if problem.code() == Code::Cancelled => Err(problem),
        Err(problem) => {
            problems.push(problem);
            Ok(Evidence { problems, checks: Vec::new() })
        }
    }
}

struct Judge<'a> {
    metadata: Option<&'a Metadata>,
    shown: &'a str,
    header: Option<&'a Header>,
    contexts: Option<&'a Contexts>,
    states: Option<States<'a>>,
    old_lists: bool,
    phase: Phase,
}

impl Judge<'_> {
    fn store(
        &self,
        store: &mut impl Rows,
        feedback: &mut dyn Feedback,
        problems: &mut Problems,
    ) -> Result<Vec<Check>> {
        store.examine(feedback)?;
        let head = store.head()?;
        let first_available = store.first_available()?;
        let state = store.state()?;
        if state.history_mode.is_none() {
            problems.push(no_mode(self.shown));
        }
        if let (Some(header), Some(metadata)) = (self.header, self.metadata) {
            problems.extend(header_against_store(header, metadata, &head, state.history_mode));
        }
        if let Some(mark) = state.head.filter(|mark| mark.level != head.level) {
            problems.push(
                Problem::new(Code::StoreValue)
                    .at(Place::Level(head.level))
                    .expected(format_args!("l2_head: level {}", head.level))
                    .found(mark.level),
            );
        }
        let contexts = self.contexts;
        let missing = match contexts {
            Some(contexts) if contexts.may_lack() => Lacking::read(store, contexts, &head)?,
            Some(contexts) => Lacking::at_the_head(store, contexts, &head)?,
            None => None,
        };
        let is_partial = contexts.is_some_and(Contexts::may_lack);
        let compact = missing.is_some_and(|missing| missing.is_compact() || is_partial && missing.has_first);
        if let (Some(contexts), Some(context)) = (contexts, head.context)
            && !compact
            && !contexts.contains(&context)
        {
            problems.push(head_context(head.level));
        }
        let marks = Marks {
            compact,
            head: (head.hash, head.level),
            first_available,
            genesis_level: self.metadata.map(|metadata| metadata.genesis_level),
            finalized: state.finalized.map(|mark| (mark.hash, mark.level)),
            lcc: state.lcc.map(|mark| (mark.hash, mark.level)),
            top_level: store.top_level()?,
            old_lists: self.old_lists,
            is_early: protocols::are_early(store, feedback)?,
        };
        let total = u64::try_from(i64::from(head.level) - i64::from(first_available) + 1).ok();
        feedback.phase(Phase { total, unit: Unit::Blocks, ..self.phase });
        let before = problems.count();
        let summary = store.with_chain(|chain| {
            chain::follow(chain, marks, contexts, feedback, |problem| problems.push(problem))
        })?;
        // Stores in files keep what is above a head that was taken back.
        let most = if store.is_in_files() { i32::MAX } else { head.level };
        let mut publications =
            Publications::new(state.history_mode == Some(HistoryMode::Archive), most, state.lpc);
        store.publications(&mut |publication| publications.add(&publication))?;
        problems.extend(publications.finish());
        let sound = problems.count() == before;
        let beside = Beside {
            walked: Walked { first: first_available, head: head.level },
            genesis_level: self.metadata.map(|metadata| metadata.genesis_level),
            state,
            old_lists: summary.old_lists,
            is_old_store: marks.old_lists || store.is_in_files(),
            migrations: &summary.migrations,
            contexts,
            states: self.states,
        };
        let beside = beside.judge(store, feedback, problems)?;
        let mut passed = passed(&summary, &marks, sound);
        let has_gaps = problems.iter().any(|problem| problem.code() == Code::ChainContext);
        let missing = match contexts.filter(|_| has_gaps && missing.is_none()) {
            Some(contexts) => Lacking::read(store, contexts, &head)?,
            None => missing,
        };
        passed.extend(missing.as_ref().and_then(missing_contexts).iter().map(Check::warning));
        passed.extend(beside);
        match Genesis::find(self.metadata, store, contexts, self.states).judge() {
            Ok(check) => passed.push(check),
            Err(problem) => problems.push(problem),
        }
        Ok(passed)
    }
}

//! The commits of a context with their states: what the walk over a chain asks for.

use rollsnap_core::context::index::Entry;
use rollsnap_core::context::{Context, Contexts, Riscv, State};
use rollsnap_core::hash::{ContextHash, StateHash};
use rollsnap_core::report::MAX_CHECKS;
use rollsnap_core::{Feedback, Files, Problem, Result};

use crate::context::Moment;

/// The commits of an index, opened one by one.
#[derive(Default)]
pub(super) struct Opened {
    /// Those that are there, each with its state.
    pub(super) commits: Vec<(ContextHash, Option<StateHash>)>,
    /// The last one of them.
    pub(super) last: Option<Entry>,
    /// What is wrong with others.
    pub(super) problems: Vec<Problem>,
}

impl Opened {
    /// Those of a node that was never collected are millions: what each holds is looked at one by one.
    ///
    /// # Errors
    /// Codes that are not about the contents.
    pub(super) fn read<F: Files>(
        context: &Context<F>,
        entries: &[Entry],
        feedback: &dyn Feedback,
    ) -> Result<Self> {
        let allowance = feedback.allowance();
        let index = size_of_val(entries) as u64;
        let mut opened = Self::default();
        let Self { commits, last, problems } = &mut opened;
        for entry in entries {
            feedback.checkpoint()?;
            allowance.check(index + size_of_val(&commits[..]) as u64, "the commits of the context")?;
            let found = match context.state_of(entry)? {
                State::Available(found) => found,
                State::Damaged(problem) if problems.len() < MAX_CHECKS => {
                    problems.push(problem);
                    continue;
                }
                State::Damaged(_) | State::Collected | State::NotYet => continue,
            };
            *last = Some(*entry);
            let state = context.tree(&found).and_then(|tree| tree.get(&["pvm_state"]));
            match state {
                Ok(state) => commits.push((found.hash, state.map(|state| StateHash::new(*state.hash())))),
                Err(problem) if !problem.code().is_about_contents() => return Err(problem),
                Err(problem) => problems.push(problem),
            }
        }
        Ok(opened)
    }
}

/// The same without a look at anything else of the context. `None` where a check of its objects has to say what there
/// is: something is wrong, or it is not an irmin-pack store.
///
/// # Errors
/// Codes that are not about the contents.
pub(crate) fn states(moment: &Moment, feedback: &dyn Feedback) -> Result<Option<Contexts>> {
    let opened = Context::open(moment).and_then(|context| {
        if Riscv::recognise(&moment)? {
            return Ok(None);
        }
        let entries = context.index(feedback)?.by_offset();
        Opened::read(&context, &entries, feedback).map(Some)
    });
    match opened {
        Ok(Some(opened)) if opened.problems.is_empty() => Ok(Some(Contexts::default().read(opened.commits))),
        Ok(_) => Ok(None),
        Err(problem) if problem.code().is_about_contents() => Ok(None),
        Err(problem) => Err(problem),
    }
}

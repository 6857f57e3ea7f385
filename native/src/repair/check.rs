//! A repair makes nothing worse: the rules of `verify` before it and on what it would leave.

use std::path::Path;

use rollsnap_core::context::Contexts;
use rollsnap_core::feedback::Phase;
use rollsnap_core::hash::ContextHash;
use rollsnap_core::report::{Evidence, Problems};
use rollsnap_core::store::{self, Rows};
use rollsnap_core::{Class, Code, Feedback, Problem, Result};

use crate::context::pvm_state;
use crate::contexts;
use crate::data_dir::metadata;
use crate::modify::{Attempt, Draft, Held};
use crate::store::AnyStore;

/// What was found before a repair.
#[derive(Debug)]
pub(super) struct Judged {
    /// The contexts that are there.
    pub(super) contexts: Contexts,
    evidence: Evidence,
}

impl Judged {
    /// Holds what is there to the rules.
    pub(super) fn of(held: &mut Held<'_>, phase: Phase, feedback: &mut dyn Feedback) -> Result<Self> {
        let contexts = contexts::read(held.root, feedback)?;
        let evidence = judged_any(held.root, &mut held.store, &contexts, phase, feedback)?;
        hindered(&evidence.problems)?;
        Ok(Self { contexts, evidence })
    }

    /// What does not hold.
    pub(super) fn problems(&self) -> &Problems {
        &self.evidence.problems
    }

    /// Holds what a repair has made to the same rules, and gives what does not hold still: in the transaction, or in the
    /// draft of a store in files. A repair that changes nothing of one is not judged.
    ///
    /// # Errors
    /// [`Code::RepairUnsound`] for what does not hold now, and did before.
    pub(super) fn against(
        &self,
        attempt: &mut Attempt<'_>,
        may_leave: &[Code],
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<Problems> {
        let root = attempt.root;
        // A repair may have written contexts.
        let contexts = contexts::read(root, feedback)?;
        let evidence = match attempt.draft().map(Draft::store).transpose()? {
            Some(store) => judged_any(root, &mut AnyStore::Files(store.into()), &contexts, phase, feedback)?,
            None => {
                let Ok(editing) = attempt.database() else { return Ok(Problems::default()) };
                judged(root, editing.store(), &contexts, phase, feedback)?
            }
        };
        hindered(&evidence.problems)?;
        match self.first_new(&evidence.problems, may_leave) {
            None => Ok(evidence.problems),
            Some(problem) => {
                let why = format!("{}: {}", problem.code(), problem.sentence());
                let refused = Problem::new(Code::RepairUnsound).because(why);
                Err(match problem.place() {
                    Some(place) => refused.at(place.clone()),
                    None => refused,
                })
            }
        }
    }

    /// A problem that was not there before. Where the chain could not be followed, nobody knows what was.
    fn first_new<'a>(&self, after: &'a Problems, may_leave: &[Code]) -> Option<&'a Problem> {
        let before = self.problems();
        let was_followed = !self.evidence.checks.is_empty();
        let was_there = |problem: &Problem| {
            before.iter().any(|old| (old.code(), old.place()) == (problem.code(), problem.place()))
        };
        let may_be_new = |problem: &&Problem| {
            before.left_out() == 0 || after.count_of(problem.code()) > before.count_of(problem.code())
        };
        let is_new = |problem: &&Problem| !was_there(problem) && !may_leave.contains(&problem.code());
        after.iter().filter(|_| was_followed).filter(may_be_new).find(is_new)
    }
}

/// Holds a store to the rules of its version; `root` is where contexts and metadata are.
fn judged_any(
    root: &Path,
    store: &mut AnyStore,
    contexts: &Contexts,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<Evidence> {
    of(root, store, contexts, |subject| AnyStore::check(subject, phase, feedback))
}

/// Holds a store to the rules that are those of every version.
pub(super) fn judged<S: Rows>(
    root: &Path,
    store: &mut S,
    contexts: &Contexts,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<Evidence> {
    of(root, store, contexts, |subject| store::check(subject, phase, feedback))
}

fn of<S>(
    root: &Path,
    store: &mut S,
    contexts: &Contexts,
    check: impl FnOnce(store::Subject<'_, S>) -> Result<Evidence>,
) -> Result<Evidence> {
    let states = |commit: &ContextHash| pvm_state(root, commit);
    check(store::Subject {
        metadata: metadata::read(root),
        store: Ok(store),
        shown: &root.display().to_string(),
        header: None,
        contexts: Some(contexts),
        states: Some(&states),
        old_lists: false,
    })
}

/// What could not be read keeps a repair from being judged.
pub(super) fn hindered(problems: &Problems) -> Result<()> {
    let is_of_machine = |class| matches!(class, Class::Environment | Class::Refused | Class::Cancelled);
    match problems.iter().find(|problem| is_of_machine(problem.code().class())) {
        Some(problem) => Err(problem.clone()),
        None => Ok(()),
    }
}

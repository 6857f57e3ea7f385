//! All that the verdict *Anchored* asks of layer 1.

use super::origination::{Originated, Origination};
use super::outcome::Outcome;
use super::question::{At, LastCemented, Question};
use super::search::{Search, Wanted};
use super::{Answer, Dialogue, Request};
use crate::code::Code;
use crate::hash::CommitmentHash;
use crate::problem::{Problem, Result};
use crate::store::Mark;

/// Asks whether a commitment is published, then what was cemented last, then, where a level is given for it, what the
/// rollup was originated with. What comes of it goes to [`judge_cemented`](super::judge_cemented) and
/// [`judge_origination`](super::judge_origination).
#[derive(Clone, Debug)]
pub struct Inquiry {
    wanted: Wanted,
    search: Search,
    cemented: Option<Result<Mark<CommitmentHash>>>,
    origination: Option<i32>,
    originated: Option<Result<Option<Originated>>>,
}

/// What is to be asked when the search has ended.
enum Next {
    Cemented(LastCemented),
    Origination(Origination),
}

impl Inquiry {
    /// About this commitment and its rollup.
    pub const fn new(wanted: Wanted) -> Self {
        let search = Search::new(wanted);
        Self { wanted, search, cemented: None, origination: None, originated: None }
    }

    /// Asks also what the rollup was originated with in the block of this level. May be called when all else has been
    /// asked.
    pub fn ask_origination(&mut self, level: i32) {
        if self.origination != Some(level) {
            self.origination = Some(level);
            self.originated = None;
        }
    }

    /// Whether the commitment is published; `None` before the end of the search.
    pub fn published(&self) -> Option<&Outcome> {
        self.search.outcome()
    }

    /// The last cemented commitment; `None` where that was not asked.
    pub fn cemented(&self) -> Option<&Result<Mark<CommitmentHash>>> {
        self.cemented.as_ref()
    }

    /// What the rollup was originated with: `Ok(None)` where no operation of the level does that; `None` where that
    /// was not asked.
    pub fn originated(&self) -> Option<&Result<Option<Originated>>> {
        self.originated.as_ref()
    }

    /// How far the search is; see [`Search::progress`].
    pub fn progress(&self) -> Option<(u64, u64)> {
        self.search.progress()
    }

    fn next(&self) -> Option<Next> {
        let hindrance = self.search.outcome()?.hindrance();
        // Who does not answer is not asked once more, which takes as long.
        if hindrance.is_some_and(|problem| problem.code() == Code::L1Unreachable) {
            return None;
        }
        let rollup = self.wanted.rollup;
        if self.cemented.is_none() {
            return Some(Next::Cemented(LastCemented { at: At::Head, rollup }));
        }
        let level = self.origination.filter(|_| self.originated.is_none())?;
        Some(Next::Origination(Origination { level, rollup }))
    }
}

impl Dialogue for Inquiry {
    fn next_request(&self) -> Option<Request> {
        self.search.next_request().or_else(|| match self.next()? {
            Next::Cemented(question) => Some(question.request()),
            Next::Origination(question) => Some(question.request()),
        })
    }

    fn answer(&mut self, answer: &Answer<'_>) {
        if self.search.outcome().is_none() {
            return self.search.answer(answer);
        }
        match self.next() {
            None => {}
            Some(Next::Cemented(question)) => self.cemented = Some(question.meaning(answer)),
            Some(Next::Origination(question)) => self.originated = Some(question.meaning(answer)),
        }
    }

    fn failed(&mut self, problem: Problem) {
        if self.search.outcome().is_none() {
            return self.search.failed(problem);
        }
        match self.next() {
            None => {}
            Some(Next::Cemented(_)) => self.cemented = Some(Err(problem)),
            Some(Next::Origination(_)) => self.originated = Some(Err(problem)),
        }
    }
}

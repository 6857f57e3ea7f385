//! The end of a check, of either form: what holds between the objects and the files around them,
//! and everything that was found put into words.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::layout::Part;
use super::super::pack::{Hash, Kind};
use super::checker::{Checker, Found};
use super::failures::{Failure, What};
use super::listed::{self, Listed, There};
use super::outcome::{Commit, Outcome, PartTotal};
use super::space::{Nowhere, Space};
use super::table::{Flag, Spot};
use super::window::Hasher;
use crate::code::Code;
use crate::feedback::Feedback;
use crate::hash::{ContextHash, StateHash};
use crate::members::in_context;
use crate::problem::{Place, Problem, Result};
use crate::report::Tally;

/// How many things are looked at between two looks at whether to go on.
const STRIDE: usize = 1 << 14;

/// How many ranges of the mapping are reported.
const MAX_RANGES: usize = 10;

/// What is left to say.
pub(super) struct Closing<'a, H> {
    pub(super) checker: &'a mut Checker<H>,
    pub(super) space: &'a Space<'a>,
    /// Whether a spot counts: not among dead bytes, not behind the end.
    pub(super) live: &'a dyn Fn(Spot) -> bool,
    /// Where damaged objects are, in words.
    pub(super) paths: &'a BTreeMap<Spot, String>,
    /// Whether all objects were looked at, not only those that were wanted.
    pub(super) all: bool,
}

impl<H: Hasher> Closing<'_, H> {
    /// Says everything. `look`: what is at an offset that the table does not know, where that can be
    /// found out.
    ///
    /// # Errors
    /// [`Code::Cancelled`].
    pub(super) fn close(
        mut self,
        listed: &[Listed],
        look: Option<&dyn Fn(u64) -> There>,
        outcome: &mut Outcome,
        feedback: &dyn Feedback,
    ) -> Result<()> {
        let live = self.live;
        self.checker.commits.retain(|commit| live(commit.spot));
        self.checker.commits.sort_unstable_by_key(|commit| commit.spot);
        let mut objects = self.failures(outcome);
        self.commits(outcome);
        let around = self.around(listed, look, outcome, feedback)?;
        objects.sort_by_key(|(offset, _)| *offset);
        // What follows from a damaged mapping comes after it.
        let before = core::mem::take(&mut outcome.failures);
        let objects = objects.into_iter().map(|(_, problem)| problem);
        for problem in before.into_iter().chain(objects).chain(around) {
            outcome.fail(problem);
        }
        outcome.failures_left_out += self.checker.failures.left_out;
        for (spot, problem) in self.checker.remarks.problems(|spot| self.space.order(spot)) {
            if (self.live)(spot) {
                let problem = self.placed(spot, problem);
                outcome.warn(problem);
            }
        }
        if self.all {
            self.totals(outcome, feedback)?;
        }
        outcome.totals.deepest = self.checker.deepest;
        outcome.totals.memory = self.checker.table.memory();
        outcome.totals.spilled = self.checker.table.spilled();
        self.checker.table.check()
    }

    /// Failures of objects that count, with their offsets.
    fn failures(&mut self, outcome: &mut Outcome) -> Vec<(u64, Problem)> {
        let list = core::mem::take(&mut self.checker.failures.list);
        let mut seen = BTreeSet::new();
        let mut problems = Vec::new();
        // What was collected is missed only where a commit needs it.
        let collected = |failure: &&Failure| matches!(failure.what, What::Collected { .. });
        let needed = list.iter().filter(collected).any(|failure| failure.kind == Some(Kind::Commit))
            || list.iter().any(|failure| collected(&failure)) && self.lacks_of_commits();
        let mut orphan: Option<(u64, u64, Problem)> = None;
        for failure in &list {
            let Failure { spot, what, .. } = failure;
            if !(self.live)(*spot) {
                continue;
            }
            let Some(offset) = self.space.offset(*spot) else { continue };
            if !seen.insert((*spot, what.number())) {
                continue;
            }
            let problem = failure.problem(self.paths.get(spot).map(String::as_str));
            let problem = self.placed(*spot, problem);
            if matches!(what, What::Collected { .. }) && !needed {
                let (count, ..) = orphan.get_or_insert((0, offset, problem));
                *count += 1;
                continue;
            }
            problems.push((offset, problem));
        }
        if let Some((count, _, problem)) = orphan {
            outcome.warn(
                problem
                    .headline("an object that no commit needs refers to one that was collected")
                    .because(format_args!("{count} of them; this is the first")),
            );
        }
        self.checker.failures.list = list;
        problems
    }

    /// Whether something is missing that a commit needs.
    fn lacks_of_commits(&mut self) -> bool {
        let table = &mut self.checker.table;
        self.checker.commits.iter().any(|commit| {
            table.rest();
            table.find(commit.spot).is_some_and(|object| table.has(object, Flag::Broken))
        })
    }

    fn commits(&mut self, outcome: &mut Outcome) {
        let computed = self.checker.failures.commits();
        for found in &self.checker.commits {
            let Some(offset) = self.space.offset(found.spot) else { continue };
            outcome.commits.push(Commit {
                hash: ContextHash::new(computed.get(&found.spot).copied().unwrap_or(found.stored)),
                offset,
                len: found.len,
                root: found.root,
                state: found.state.map(StateHash::new),
                refutation: found.refutation,
            });
        }
        outcome.commits.sort_by_key(|commit| commit.offset);
    }

    fn around(
        &mut self,
        listed: &[Listed],
        look: Option<&dyn Fn(u64) -> There>,
        outcome: &mut Outcome,
        feedback: &dyn Feedback,
    ) -> Result<Vec<Problem>> {
        let mut failures = Vec::new();
        if self.all {
            self.ranges(&mut failures, feedback)?;
        }
        self.target(look, &mut failures);
        let mut commits: Vec<_> =
            outcome.commits.iter().map(|commit| (*commit.hash.as_bytes(), commit.offset)).collect();
        commits.sort_unstable();
        let computed = self.checker.failures.commits();
        let there = |offset| self.there(offset, look, &computed);
        let mut said = Vec::new();
        let report = |problem, failure| {
            if said.len() < 2 * super::MAX_FAILURES {
                said.push((problem, failure));
            }
        };
        listed::compare(listed, &commits, there, report, feedback)?;
        for (problem, failure) in said {
            if failure { failures.push(problem) } else { outcome.warn(problem) }
        }
        Ok(failures)
    }

    /// What is at an offset that index or control file name.
    fn there(
        &mut self,
        offset: u64,
        look: Option<&dyn Fn(u64) -> There>,
        computed: &BTreeMap<Spot, Hash>,
    ) -> There {
        let spot = match self.space.spot(offset) {
            Ok(spot) => spot,
            Err(why) => return nowhere(why),
        };
        if self.space.in_gap(spot) {
            return There::Told;
        }
        self.checker.table.rest();
        match self.checker.table.find(spot) {
            Some(object) if object.kind == Kind::Commit => {
                match self.found(spot) {
                    Some(found) => There::Commit(found.stored, computed.get(&spot).copied(), found.len),
                    // It was told that it is broken.
                    None => There::Told,
                }
            }
            Some(_) => There::Else,
            None => look.map_or(There::Else, |look| look(offset)),
        }
    }

    fn found(&self, spot: Spot) -> Option<&Found> {
        let commits = &self.checker.commits;
        commits.binary_search_by_key(&spot, |found| found.spot).ok().and_then(|at| commits.get(at))
    }

    /// The commit that was collected on must be there, and the suffix begin behind it.
    fn target(&mut self, look: Option<&dyn Fn(u64) -> There>, failures: &mut Vec<Problem>) {
        let control = self.space.layout.control();
        let Some(collected) = control.collected() else { return };
        // Version 3 had no target: the commit is the first object of the suffix.
        let old = control.version == 3 || control.upgraded_from == Some(3);
        let wrong = || {
            Problem::new(Code::ContextControl)
                .member("context/store.control")
                .at(Place::Context(collected.target))
                .expected("the commit that was collected on")
        };
        match self.there(collected.target, look, &BTreeMap::new()) {
            There::Commit(_, _, len) => {
                let end = collected.target.saturating_add(len);
                if end != collected.suffix_start && !old {
                    failures.push(
                        wrong()
                            .expected(format_args!("{}, where the suffix begins, behind it", end))
                            .found(collected.suffix_start),
                    );
                }
            }
            There::Told => {}
            There::Else => failures.push(wrong().found("no beginning of a commit")),
            There::Collected | There::Beyond => failures.push(wrong().found("nothing")),
        }
    }

    /// A range must begin with an object; and where something is missed, a range that nothing refers
    /// to is probably at the wrong offset.
    fn ranges(&mut self, failures: &mut Vec<Problem>, feedback: &dyn Feedback) -> Result<()> {
        let Some(part) = self.space.parts.first().copied().flatten() else { return Ok(()) };
        let missed = self
            .checker
            .failures
            .list
            .iter()
            .any(|failure| matches!(failure.what, What::Collected { .. } | What::Child { .. }));
        let name = format!("context/store.{}.mapping", self.space.layout.generation());
        let mut told = 0;
        for (number, range) in self.space.layout.mapping().ranges().iter().enumerate() {
            if number % STRIDE == 0 {
                feedback.checkpoint()?;
            }
            let spot = Spot { part, position: range.position };
            if told >= MAX_RANGES || self.space.in_gap(spot) {
                continue;
            }
            let problem =
                Problem::new(Code::ContextMapping).member(name.as_str()).at(Place::Context(range.offset));
            self.checker.table.rest();
            let Some(object) = self.checker.table.find(spot) else {
                failures.push(problem.found("a range that does not begin with an object"));
                told += 1;
                continue;
            };
            let unused = |object| !self.checker.table.has(object, Flag::Used);
            if missed && object.kind != Kind::Commit && unused(object) {
                failures.push(problem.found("a range that nothing refers to").because(
                    "objects are missing elsewhere: the offset of the range may be what is damaged",
                ));
                told += 1;
            }
        }
        Ok(())
    }

    fn totals(&mut self, outcome: &mut Outcome, feedback: &dyn Feedback) -> Result<()> {
        for number in self.space.parts.iter().flatten() {
            let Some(part) = self.space.part(*number) else { continue };
            let mut objects = Tally::default();
            let mut add = |(from, kind): (u64, Kind), until: u64| {
                outcome.totals.add(kind, until - from);
                objects.add(until - from);
            };
            let mut last: Option<(u64, Kind)> = None;
            let mut count = 0;
            self.checker.table.each(*number, |position, kind| {
                if count % STRIDE == 0 {
                    feedback.checkpoint()?;
                }
                count += 1;
                if (self.live)(Spot { part: *number, position })
                    && let Some(last) = last.replace((position, kind))
                {
                    add(last, position);
                }
                Ok(())
            })?;
            if let Some(last) = last {
                let end = match part {
                    Part::Prefix => self.space.layout.mapping().prefix_len(),
                    Part::Chunk(at) => self.space.layout.chunk(at).map_or(0, |(header, len)| header + len),
                };
                add(last, end.max(last.0));
            }
            outcome.totals.parts.push(PartTotal { name: self.space.layout.name(part), objects });
        }
        Ok(())
    }

    fn placed(&self, spot: Spot, problem: Problem) -> Problem {
        let problem = match self.space.offset(spot) {
            Some(offset) => problem.at(Place::Context(offset)),
            None => problem,
        };
        match self.space.part(spot.part) {
            Some(part) => problem.member(in_context(self.space.layout.name(part))),
            None => problem,
        }
    }
}

/// What the index may find at an offset, by what the table knows.
fn nowhere(why: Nowhere) -> There {
    match why {
        Nowhere::Collected => There::Collected,
        Nowhere::Beyond => There::Beyond,
        Nowhere::NotYet => There::Told,
    }
}

//! The end of a streaming check: everything is there, so what was put off can be checked.

use alloc::vec;
use alloc::vec::Vec;

use super::super::layout::{Layout, Part};
use super::super::pack::Dict;
use super::checker::Turn;
use super::closing::Closing;
use super::failures::What;
use super::files::{Inventory, MAX_NAMES};
use super::outcome::Outcome;
use super::space::Space;
use super::spool::Spool;
use super::stream::{Stream, Streaming, live, numbers};
use super::table::Spot;
use super::walk::Walk;
use super::window::Hasher;
use crate::code::Code;
use crate::feedback::Feedback;
use crate::problem::{Problem, Result};

/// How often a walk through one part is taken up again after something that is no entry.
const MAX_RESUMED: usize = 1000;

/// How many objects may wait for objects behind them. Writers never make one do so.
const MAX_WAITING: usize = 1 << 16;

/// How often those that wait are looked at again: a tree is at most 50 parts deep.
const ROUNDS: usize = 52;

/// How many bytes are read at once of a part that is walked through again.
const PIECE: usize = 64 << 10;

/// How many objects are looked at between two looks at whether to go on.
const STRIDE: usize = 1 << 12;

impl<H: Hasher, S: Spool> Stream<H, S> {
    /// Checks what was put off, and says what was found. Progress is counted in bytes of
    /// [`Stream::put_off`].
    ///
    /// # Errors
    /// What the spool reports, and [`Code::Cancelled`].
    pub fn finish(mut self, feedback: &mut dyn Feedback) -> Result<Outcome> {
        self.end();
        self.keep_within()?;
        self.log.hand_over()?;
        // Files that were not looked at may be those that everything depends on.
        if self.inventory.is_full() {
            let why = alloc::format!("it has {MAX_NAMES} files or more, which no context has");
            self.outcome.unchecked.push(Problem::new(Code::ContextUnchecked).because(why));
            return Ok(self.without_objects());
        }
        if let Some(problem) = self.left_out.take_if(|_| self.unmapped) {
            self.outcome.unchecked.push(problem);
            return Ok(self.without_objects());
        }
        let opened = self.open();
        let (layout, dict) = match opened {
            Ok(opened) => opened,
            Err(problem) => return Ok(self.without_layout(problem)),
        };
        self.inventory.check(&layout, &dict, &mut self.outcome);
        let parts = numbers(&layout, &self.prefixes, &self.suffixes);
        let mut gaps = Vec::new();
        for number in parts.iter().flatten() {
            feedback.checkpoint()?;
            if self.left_out.is_none() {
                self.complete(*number, &layout, &dict, &parts, &mut gaps, feedback)?;
            }
        }
        if let Some(problem) = self.left_out.take() {
            self.outcome.unchecked.push(problem);
            return Ok(self.without_objects());
        }
        self.log.hand_over()?;
        gaps.sort_unstable();
        let space = Space { layout: &layout, dict: &dict, parts: &parts, gaps: &gaps };
        self.replay(&space, feedback)?;
        if let Some(problem) = self.left_out.take() {
            self.outcome.unchecked.push(problem);
            return Ok(self.without_objects());
        }
        self.checker.flush();
        let mut outcome = core::mem::take(&mut self.outcome);
        if let Some(problem) = self.log.full.take() {
            outcome.unchecked.push(problem);
        }
        let roles: Vec<_> = self.parts.iter().map(|part| live(&layout, part.role)).collect();
        let closing = Closing {
            checker: &mut self.checker,
            space: &space,
            live: &|spot| {
                let live = roles.get(spot.part as usize).copied().flatten();
                live.is_some_and(|(from, until)| (from..until).contains(&spot.position))
            },
            paths: &alloc::collections::BTreeMap::new(),
            all: true,
        };
        closing.close(self.listed.items(), None, &mut outcome, feedback)?;
        outcome.totals.put_off = self.log.len();
        Ok(outcome)
    }

    /// How many bytes were put off so far, which [`Stream::finish`] will go through.
    pub fn put_off(&self) -> u64 {
        self.log.len()
    }

    fn open(&mut self) -> Result<(Layout, Dict)> {
        let opened = self.inventory.open();
        let Some((layout, dict)) = self.known.take() else { return opened };
        let (found, names) = opened?;
        let same = found.control() == layout.control()
            && found.mapping().ranges() == layout.mapping().ranges()
            && names.iter().eq(dict.iter());
        if same {
            return Ok((layout, dict));
        }
        self.outcome.differs = true;
        Err(Problem::new(Code::ContextControl)
            .headline("control file, mapping or dictionary are not the ones that were read before"))
    }

    /// Without an address space, only contents were checked.
    fn without_layout(mut self, problem: Problem) -> Outcome {
        self.outcome.fail(problem);
        let problem = Problem::new(Code::ContextUnchecked)
            .because("the objects cannot be placed without control file, dictionary and mapping");
        self.outcome.unchecked.push(problem);
        self.without_objects()
    }

    /// What is wrong with contents, which need nothing but themselves.
    fn without_objects(mut self) -> Outcome {
        self.checker.flush();
        let mut outcome = core::mem::take(&mut self.outcome);
        for failure in &self.checker.failures.list {
            let Some(part) = self.parts.get(failure.spot.part as usize) else { continue };
            if let What::Hash { .. } = failure.what {
                let problem = failure.problem(None).member(Inventory::name_of(part.role));
                outcome.fail(
                    problem.because(format_args!("the object at byte {} of the file", failure.spot.position)),
                );
            }
        }
        outcome
    }

    /// Takes the walk through a part up again where it was lost, and tells what was in its way.
    fn complete(
        &mut self,
        number: u32,
        layout: &Layout,
        dict: &Dict,
        parts: &[Option<u32>],
        gaps: &mut Vec<(Spot, u64)>,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {
        let Some(part) = self.parts.get(number as usize) else { return Ok(()) };
        let Some((from, until)) = live(layout, part.role) else { return Ok(()) };
        let (walked, raw) = (part.end, part.raw);
        let spot = |position| Spot { part: number, position };
        let mut end = walked;
        let mut candidates: Option<Vec<u64>> = None;
        let mut resumed = 0;
        // Dead bytes may be anything: begin behind them.
        let mut next = (end.position < from).then_some(from);
        if end.position > from && self.checker.table.find(spot(from)).is_none() {
            let what = What::Entry("the middle of an entry, where what counts should begin");
            self.checker.failures.add(spot(from), None, what);
        }
        while end.position < until {
            let at = match next.take() {
                Some(at) => at,
                None => {
                    let why = end.lost.map_or("an entry that ends too early", |why| why.0);
                    self.checker.failures.add(spot(end.position), None, What::Entry(why));
                    let candidates =
                        candidates.get_or_insert_with(|| self.beginnings(number, layout, dict, parts));
                    let after = candidates.partition_point(|at| *at <= end.position);
                    let at = candidates.get(after).copied().filter(|at| *at < until).unwrap_or(until);
                    gaps.push((spot(end.position), at));
                    at
                }
            };
            resumed += 1;
            let there = walked.position + (raw.1 - raw.0);
            if at >= until || resumed > MAX_RESUMED || there < until {
                if at < until {
                    gaps.push((spot(at), until));
                    let cause = alloc::format!("from byte {at} of it on");
                    let problem =
                        Problem::new(Code::ContextUnchecked).member(Inventory::name_of(self.role(number)));
                    self.outcome.unchecked.push(problem.because(cause));
                }
                return Ok(());
            }
            let space = Space { layout, dict, parts, gaps: &[] };
            end = self.walk_again(number, space, (at, until), raw.0 + (at - walked.position), feedback)?;
        }
        if end.position > until && until > from && self.checker.table.find(spot(until)).is_none() {
            let mut before = None;
            self.checker.table.each(number, |position, _| {
                before = Some(position).filter(|position| *position < until).or(before);
                feedback.checkpoint()
            })?;
            let what = What::Entry("an entry that goes on beyond the end");
            self.checker.failures.add(spot(before.unwrap_or(until)), None, what);
        }
        Ok(())
    }

    fn role(&self, number: u32) -> super::files::Role {
        self.parts.get(number as usize).map_or(super::files::Role::Other, |part| part.role)
    }

    fn walk_again(
        &mut self,
        number: u32,
        space: Space<'_>,
        (from, until): (u64, u64),
        mut at: u64,
        feedback: &mut dyn Feedback,
    ) -> Result<super::walk::End> {
        let mut walk = Walk::new(from, from, until);
        let begun = self.log.len();
        let mut position = from;
        let mut piece = vec![0; PIECE];
        while position < until && walk.end().lost.is_none() {
            feedback.checkpoint()?;
            let len = usize::try_from(until - position).unwrap_or(PIECE).min(PIECE);
            let bytes = self.log.bytes(at, len)?;
            let Some(piece) = piece.get_mut(..bytes.len()).filter(|piece| !piece.is_empty()) else { break };
            piece.copy_from_slice(bytes);
            (at, position) = (at + piece.len() as u64, position + piece.len() as u64);
            let (checker, log) = (&mut self.checker, &mut self.log);
            let mut sink = Streaming { checker, log, part: number, space: Some(space), failed: None };
            walk.feed(piece, &mut sink);
            sink.failed.map_or(Ok(()), Err)?;
            self.keep_within()?;
            if self.left_out.is_some() {
                break;
            }
        }
        let len = self.log.len();
        if let Some(part) = self.parts.get_mut(number as usize) {
            part.entries.push((begun, len));
        }
        Ok(walk.end())
    }

    /// Positions in a part where something says that an object begins, ascending.
    fn beginnings(&self, number: u32, layout: &Layout, dict: &Dict, parts: &[Option<u32>]) -> Vec<u64> {
        let space = Space { layout, dict, parts, gaps: &[] };
        let listed = self.listed.items().iter().map(|listed| listed.entry.offset);
        let offsets = listed.chain(layout.control().collected().map(|collected| collected.target));
        let spots = offsets.filter_map(|offset| space.spot(offset).ok());
        let mut beginnings: Vec<u64> =
            spots.filter(|spot| spot.part == number).map(|spot| spot.position).collect();
        if space.part(number) == Some(Part::Prefix) {
            beginnings.extend(layout.mapping().ranges().iter().map(|range| range.position));
        }
        beginnings.sort_unstable();
        beginnings.dedup();
        beginnings
    }

    /// Checks what was put off, in the order of offsets; then again what waits for something behind
    /// it, as long as that helps.
    fn replay(&mut self, space: &Space<'_>, feedback: &mut dyn Feedback) -> Result<()> {
        let mut waiting: Vec<(u32, u64)> = Vec::new();
        let mut too_many = false;
        for number in space.parts.iter().flatten() {
            let Some(part) = self.parts.get(*number as usize) else { continue };
            let Some((from, until)) = live(space.layout, part.role) else { continue };
            for (mut at, end) in part.entries.clone() {
                let mut told = at;
                while at < end && self.left_out.is_none() {
                    let Some(record) = self.log.get(at)? else { break };
                    let spot = Spot { part: *number, position: record.position };
                    if (from..until).contains(&spot.position)
                        && let Some(object) = self.checker.table.find(spot)
                        && !self.checker.refers(space, spot, object, &record.head, record.value, Turn::Late)
                    {
                        if waiting.len() < MAX_WAITING {
                            waiting.push((*number, at))
                        } else {
                            too_many = true
                        }
                    }
                    at = record.next;
                    if at - told > 1 << 20 || at >= end {
                        feedback.advance(at - told);
                        feedback.checkpoint()?;
                        told = at;
                        // Commits, and what is known of states.
                        self.keep_within()?;
                    }
                }
            }
        }
        for round in 0.. {
            if waiting.is_empty() {
                break;
            }
            let before = waiting.len();
            let last = round > ROUNDS;
            let mut still = Vec::new();
            for (count, (number, at)) in waiting.into_iter().enumerate() {
                if count % STRIDE == 0 {
                    feedback.checkpoint()?;
                }
                let Some(record) = self.log.get(at)? else { continue };
                let spot = Spot { part: number, position: record.position };
                let turn = if last { Turn::Last } else { Turn::Late };
                if let Some(object) = self.checker.table.find(spot)
                    && !self.checker.refers(space, spot, object, &record.head, record.value, turn)
                {
                    still.push((number, at));
                }
            }
            feedback.checkpoint()?;
            if still.len() == before && !last {
                self.last_turn(space, still, feedback)?;
                break;
            }
            if last {
                break;
            }
            waiting = still;
        }
        if too_many {
            let problem = Problem::new(Code::ContextUnchecked);
            self.outcome
                .unchecked
                .push(problem.because("too many objects refer to objects that come after them"));
        }
        Ok(())
    }

    fn last_turn(
        &mut self,
        space: &Space<'_>,
        waiting: Vec<(u32, u64)>,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {
        for (count, (number, at)) in waiting.into_iter().enumerate() {
            if count % STRIDE == 0 {
                feedback.checkpoint()?;
            }
            let Some(record) = self.log.get(at)? else { continue };
            let spot = Spot { part: number, position: record.position };
            if let Some(object) = self.checker.table.find(spot) {
                self.checker.refers(space, spot, object, &record.head, record.value, Turn::Last);
            }
        }
        Ok(())
    }
}

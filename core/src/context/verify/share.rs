//! One share of the proof of a context: what several machines do together, each for some of the
//! objects by their offsets.
//!
//! A share walks through its range, and checks each object in it as one run does. Of what they refer
//! to outside of the range it reads what a parent must know: the stated hash, the kind, and of a part
//! of a directory what its tree is judged by. That those objects are right themselves is for the
//! share to say that has them. All shares together so prove what one run proves.
//!
//! A share is either without any doubt or gives up: then the whole is to be checked in one run, which
//! alone can say what damage means for all else.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ops::Range;

use super::super::open::Context;
use super::super::pack::{Head, Kind};
use super::checker::{Checker, Turn};
use super::closing::Closing;
use super::cut::Heads;
use super::files::Inventory;
use super::listed::{self, Listed, There};
use super::outcome::{Commit, Outcome};
use super::pages::{Entry, Pages};
use super::peeks::Peeks;
use super::reach;
use super::space::{Nowhere, Space};
use super::stream::MAX_PARTS;
use super::table::{Object, Spot};
use super::walk::LONG;
use super::window::Hasher;
use crate::code::Code;
use crate::feedback::{Feedback, Phase, Unit};
use crate::growing::Growing;
use crate::hash::{ContextHash, StateHash};
use crate::problem::{Problem, Result};
use crate::read_at::Files;

/// How many bytes are gone through between two looks at whether to go on.
const STRIDE: u64 = 256 << 10;

/// How many single objects are looked at between two of those.
const OBJECTS: usize = 1 << 10;

/// What takes memory, for messages.
const WHAT: &str = "the objects of the context";

/// What a share proves: nothing in it is wrong, and nothing strange.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The objects of the share, and remarks about the files around the objects. Its commits are those of the
    /// share; of the first share, all that the index lists.
    pub outcome: Outcome,
    /// The bytes of the share, of all bytes that hold objects, counted in the order of offsets.
    pub range: Range<u64>,
    /// How many bytes hold objects.
    pub bytes: u64,
}

/// Proves share `number`, from 1, of `of`. `None`: there is no such share, or something is not as a node writes it or
/// too large, so that all of the context is to be checked instead.
///
/// Memory: what the table takes for the objects of the share and for those that they refer to.
///
/// # Errors
/// Whatever the files report, and [`Code::Cancelled`].
pub fn share<F: Files, H: Hasher>(
    context: &Context<F>,
    (number, of): (u32, u32),
    hasher: H,
    feedback: &mut dyn Feedback,
    phase: Phase,
) -> Result<Option<Shared>> {
    match prove(context, (number, of), hasher, feedback, phase) {
        Err(problem) if problem.code() == Code::LimitMemory || problem.code().is_about_contents() => Ok(None),
        other => other,
    }
}

fn prove<F: Files, H: Hasher>(
    context: &Context<F>,
    (number, of): (u32, u32),
    hasher: H,
    feedback: &mut dyn Feedback,
    phase: Phase,
) -> Result<Option<Shared>> {
    let Some(before) = number.checked_sub(1).filter(|_| number <= of) else { return Ok(None) };
    let mut outcome = Outcome::default();
    let listed = reach::listed(context.files(), &mut outcome, feedback)?;
    let inventory = reach::inventory(context.files(), &["", "index"])?;
    inventory.check(context.layout(), context.dict(), &mut outcome);
    if !outcome.is_clean() || !fits(&inventory) {
        return Ok(None);
    }
    let mut pages = Pages::new(context, true);
    let parts = pages.numbers();
    let space = Space { layout: context.layout(), dict: context.dict(), parts: &parts, gaps: &[] };
    let mut heads = Heads::new(context, &space, listed.items());
    let bytes = pages.total();
    let cut =
        |number: u32| u64::try_from(u128::from(bytes) * u128::from(number) / u128::from(of)).unwrap_or(bytes);
    let Some(from) = heads.cut(cut(before), feedback)? else { return Ok(None) };
    let until = cut(number);
    let mut share = Share {
        checker: Checker::new(hasher),
        space: &space,
        peeks: Peeks::new(context, &space),
        from: None,
    };
    for _ in &parts {
        share.checker.table.part();
    }
    feedback.phase(Phase { total: Some(until.saturating_sub(from)), unit: Unit::Bytes, ..phase });
    let around = listed::taken(&listed).saturating_add(heads.taken());
    let Some(until) = share.walk(&mut pages, from..until, around, &mut outcome, feedback)? else {
        return Ok(None);
    };
    for (count, spot) in share.checker.table.outside().enumerate() {
        if count % OBJECTS == 0 {
            feedback.checkpoint()?;
        }
        if !heads.begins(spot, feedback)? {
            return Ok(None);
        }
    }
    let range = from..until;
    if !share.close(context, &pages, (&listed, &range), number == of, &mut outcome, feedback)? {
        return Ok(None);
    }
    if number == 1 && !share.others(&listed, &mut outcome, feedback)? {
        return Ok(None);
    }
    Ok(Some(Shared { outcome, range, bytes }))
}

/// Whether one run would look at all of these files.
fn fits(inventory: &Inventory) -> bool {
    !inventory.is_full() && inventory.parts() <= MAX_PARTS
}

struct Share<'a, F: Files, H> {
    checker: Checker<H>,
    space: &'a Space<'a>,
    peeks: Peeks<'a, F>,
    /// Its first object.
    from: Option<Spot>,
}

impl<F: Files, H: Hasher> Share<'_, F, H> {
    /// Walks through so many bytes, and to the end of the object that the last of them is in. `None`: something
    /// is wrong or strange. So much memory is taken `around` it.
    fn walk(
        &mut self,
        pages: &mut Pages<'_, F>,
        range: Range<u64>,
        around: u64,
        outcome: &mut Outcome,
        feedback: &mut dyn Feedback,
    ) -> Result<Option<u64>> {
        let allowance = feedback.allowance();
        let (mut at, mut told) = (range.start, range.start);
        self.from = pages.at(at);
        while at < range.end {
            let Some(Spot { part, mut position }) = pages.at(at) else { break };
            let until = position.saturating_add(range.end - at).min(pages.live(part).1);
            while position < until {
                let Some(len) = self.check(pages, Spot { part, position }, outcome)? else { return Ok(None) };
                (position, at) = (position + len, at + len);
                if at - told >= STRIDE {
                    feedback.advance(at - told);
                    feedback.checkpoint()?;
                    told = at;
                    let taken = self.checker.taken().saturating_add(self.peeks.taken());
                    allowance.check(around.saturating_add(taken), WHAT)?;
                    if !self.checker.is_clean() {
                        return Ok(None);
                    }
                }
            }
        }
        feedback.advance(range.end.saturating_sub(told));
        self.checker.flush();
        Ok(self.checker.is_clean().then_some(at))
    }

    /// Checks the object at a spot, and gives its length.
    fn check(&mut self, pages: &mut Pages<'_, F>, spot: Spot, outcome: &mut Outcome) -> Result<Option<u64>> {
        let (head, value) = match pages.entry(self.space, spot, LONG)? {
            Entry::Whole(head, value) => (head, Some(value)),
            Entry::Long(head) => (head, None),
            Entry::Bad(_) => return Ok(None),
        };
        let Some(object) = self.checker.table.push(spot, head.kind, &head.hash) else { return Ok(None) };
        outcome.totals.add(head.kind, head.entry_len());
        match value {
            Some(value) if head.kind == Kind::Contents => self.checker.contents(spot, &head.hash, value),
            Some(value) => {
                if !self.refers(spot, object, &head, value)? {
                    return Ok(None);
                }
            }
            None => {
                let found = pages.hash(spot, &head)?;
                self.checker.long_contents(spot, &head.hash, found);
            }
        }
        Ok(Some(head.entry_len()))
    }

    /// A directory, a part of one, or a commit: what it refers to outside of the range is looked at when it is
    /// wanted first.
    fn refers(&mut self, spot: Spot, object: Object, head: &Head, value: &[u8]) -> Result<bool> {
        if self.checker.refers(self.space, spot, object, head, value, Turn::Early) {
            return Ok(true);
        }
        for (child, kind) in reach::places(self.space, head, value).into_iter().flatten() {
            if self.checker.table.find(child).is_some() {
                continue;
            }
            // Nothing refers to what comes after it.
            if self.from.is_none_or(|from| child >= from) {
                return Ok(false);
            }
            let Some(seen) = self.peeks.look(child, kind)? else { return Ok(false) };
            self.checker.add_outside(child, seen);
        }
        Ok(self.checker.refers(self.space, spot, object, head, value, Turn::Late))
    }

    /// Compares the commits of the range with the index and the control file.
    fn close(
        &mut self,
        context: &Context<F>,
        pages: &Pages<'_, F>,
        (listed, range): (&Growing<Listed>, &Range<u64>),
        is_last: bool,
        outcome: &mut Outcome,
        feedback: &dyn Feedback,
    ) -> Result<bool> {
        let space = self.space;
        let is_mine = |spot: Spot| range.contains(&pages.before(spot));
        let concerns = |listed: &&Listed| match space.spot(listed.entry.offset) {
            Ok(spot) => is_mine(spot),
            Err(Nowhere::Beyond) => is_last,
            Err(Nowhere::Collected | Nowhere::NotYet) => true,
        };
        let mine: Vec<Listed> = listed.items().iter().filter(concerns).copied().collect();
        let failed = RefCell::new(None);
        let look = |offset| {
            if space.spot(offset).is_ok_and(is_mine) {
                return There::Else;
            }
            reach::look(context, offset).unwrap_or_else(|problem| {
                failed.borrow_mut().get_or_insert(problem);
                There::Told
            })
        };
        let strange = outcome.warnings.len();
        let paths = BTreeMap::new();
        let closing =
            Closing { checker: &mut self.checker, space, live: &|_| true, paths: &paths, all: false };
        closing.close(&mine, Some(&look), outcome, feedback)?;
        let failed: Option<Problem> = failed.into_inner();
        failed.map_or(Ok(outcome.is_clean() && outcome.warnings.len() == strange), Err)
    }

    /// Looks at the commits of the other shares, for who compares them with the blocks of a store.
    fn others(
        &mut self,
        listed: &Growing<Listed>,
        outcome: &mut Outcome,
        feedback: &dyn Feedback,
    ) -> Result<bool> {
        let wanted = |Listed { entry, .. }: &Listed| Some((self.space.spot(entry.offset).ok()?, entry.hash));
        let mut entries: Vec<(Spot, ContextHash)> = listed.items().iter().filter_map(wanted).collect();
        entries.sort_unstable();
        entries.dedup();
        for (count, (spot, hash)) in entries.into_iter().enumerate() {
            if count % OBJECTS == 0 {
                feedback.checkpoint()?;
            }
            let Some(offset) = self.space.offset(spot) else { return Ok(false) };
            if outcome.commits.binary_search_by_key(&offset, |commit| commit.offset).is_ok() {
                continue;
            }
            let Some((head, root, state, refutation)) = self.peeks.commit(spot)? else { return Ok(false) };
            if head.hash != *hash.as_bytes() {
                return Ok(false);
            }
            let (len, state) = (head.entry_len(), Some(StateHash::new(state)));
            outcome.commits.push(Commit { hash, offset, len, root, state, refutation });
        }
        Ok(true)
    }
}

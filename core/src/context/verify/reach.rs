//! The check of what commits need, over files that can be read at random.
//!
//! The first pass goes down: from the last commit, through directories only, and marks what they
//! refer to; what refers comes after what it refers to, so each is read once.
//! The second pass goes up through what was marked and checks it.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::super::index::Entry as Indexed;
use super::super::open::{Context, nothing_at};
use super::super::pack::{Child, Commit, ENTRIES, Head, Inode, Kind, Malformed};
use super::checker::{Checker, Turn};
use super::closing::Closing;
use super::down::mark;
use super::failures::What;
use super::files::{Inventory, Role};
use super::listed::{self, FILES, Listed, Lister, There};
use super::marks::Marks;
use super::outcome::{Outcome, PartTotal};
use super::pages::{Entry, Pages};
use super::paths;
use super::space::Space;
use super::table::Spot;
use super::walk::LONG;
use super::window::Hasher;
use crate::code::Code;
use crate::feedback::{Feedback, Phase, Unit};
use crate::growing::Growing;
use crate::members::NDS;
use crate::problem::{Place, Problem, Result};
use crate::read_at::{Files, ReadAt};
use crate::report::Tally;

/// How many bytes of a small file are read at once.
const PIECE: u64 = 256 << 10;

/// How many objects may wait for objects behind them. Writers never make one do so.
pub(super) const MAX_WAITING: usize = 1 << 20;

/// How often those that wait are looked at again: a tree is at most 50 parts deep.
pub(super) const ROUNDS: usize = 52;

/// Which commits are checked.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// All of the index that are there.
    All,
    /// These, each of which must be there.
    These(&'a [Indexed]),
}

/// What is done in [`reach`], one after the other.
pub const PARTS: [&str; 2] = ["Following commits", "Checking objects"];

/// Checks what commits need. The [parts](PARTS) of `phase` are announced to `feedback`, in bytes.
///
/// Memory: what the table takes, and a byte or two more for each object. What does not fit into the memory that is meant
/// for it ([`Feedback::allowance`]) goes to [temporary space](Feedback::scratch); where there is none, what takes more
/// than is allowed is not checked.
///
/// # Errors
/// Whatever the files report, and [`Code::Cancelled`]. What is wrong with the context is in the
/// outcome.
pub fn reach<F: Files, H: Hasher>(
    context: &Context<F>,
    wanted: Wanted<'_>,
    hasher: H,
    feedback: &mut dyn Feedback,
    phase: Phase,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    match check(context, wanted, hasher, feedback, phase, &mut outcome) {
        Err(problem) if problem.code() == Code::LimitMemory => outcome.unchecked.push(problem),
        other => other?,
    }
    Ok(outcome)
}

/// What takes memory, for messages.
pub(super) const WHAT: &str = "the objects of the context";

fn check<F: Files, H: Hasher>(
    context: &Context<F>,
    wanted: Wanted<'_>,
    hasher: H,
    feedback: &mut dyn Feedback,
    phase: Phase,
    outcome: &mut Outcome,
) -> Result<()> {
    let inventory = inventory(context.files(), &["", "index", NDS])?;
    inventory.check(context.layout(), context.dict(), outcome);
    let listed = listed(context.files(), outcome, feedback)?;
    let around = listed::taken(&listed);
    let listed = listed.items();
    let mut pages = Pages::new(context, false);
    let parts = pages.numbers();
    let space = Space { layout: context.layout(), dict: context.dict(), parts: &parts, gaps: &[] };

    let phase = Phase { total: Some(pages.total()), unit: Unit::Bytes, ..phase };
    feedback.phase(phase.part(0, PARTS[0]));
    let commits = commits(context, &space, wanted, listed, outcome, feedback)?;
    let around = around.saturating_add(size_of_val(&commits[..]) as u64);
    let mut marks = mark(&mut pages, &space, commits, around, outcome, feedback)?;
    let around = around.saturating_add(marks.taken());
    feedback.phase(Phase { total: Some(pages.total()), ..phase }.part(1, PARTS[1]));
    let mut pages = Pages::new(context, true);
    let mut checking = Checking { checker: Checker::new(hasher), space: &space, waiting: Vec::new() };
    if let Some(scratch) = feedback.scratch() {
        checking.checker.table.spill(scratch, feedback.allowance().table());
    }
    checking.up(&mut pages, &mut marks, around, outcome, feedback)?;
    let Checking { mut checker, .. } = checking;
    let spots: Vec<Spot> = checker.failures.list.iter().map(|failure| failure.spot).collect();
    let paths = match spots.is_empty() {
        true => BTreeMap::new(),
        false => paths::find(&mut Pages::new(context, true), &space, &mut marks, &spots, feedback)?,
    };
    let failed = RefCell::new(None);
    let look = |offset| {
        look(context, offset).unwrap_or_else(|problem| {
            failed.borrow_mut().get_or_insert(problem);
            There::Told
        })
    };
    let closing =
        Closing { checker: &mut checker, space: &space, live: &|_| true, paths: &paths, all: false };
    closing.close(listed, Some(&look), outcome, feedback)?;
    if let Some(problem) = failed.into_inner() {
        return Err(problem);
    }
    outcome.totals.memory += marks.taken() as usize;
    Ok(())
}

/// Names in these directories, sizes and what little is looked at besides the objects.
pub(super) fn inventory<F: Files>(files: &F, directories: &[&str]) -> Result<Inventory> {
    let mut inventory = Inventory::default();
    for directory in directories {
        for name in files.names(directory)? {
            let name = if directory.is_empty() { name } else { [directory, "/", &name].concat() };
            let Some(file) = files.open(&name)? else { continue };
            inventory.add(&name, file.len());
            if Role::of(&name) == Role::Branches {
                let mut bytes = vec![0; file.len().min(16) as usize];
                file.read_at(0, &mut bytes)?;
                inventory.gather(Role::Branches, &bytes);
            }
        }
    }
    Ok(inventory)
}

/// What the index lists, and what is wrong with its files.
pub(super) fn listed<F: Files>(
    files: &F,
    outcome: &mut Outcome,
    feedback: &mut dyn Feedback,
) -> Result<Growing<Listed>> {
    let allowance = feedback.allowance();
    let mut listed = listed::all();
    for (number, name) in FILES.iter().enumerate() {
        let Some(file) = files.open(name)? else { continue };
        let mut lister = Lister::new(number as u8);
        let mut position = 0;
        let mut bytes = vec![0; PIECE.min(file.len()) as usize];
        while position < file.len() {
            let len = (file.len() - position).min(PIECE) as usize;
            let Some(piece) = bytes.get_mut(..len) else { break };
            feedback.checkpoint()?;
            file.read_at(position, piece)?;
            lister.feed(piece, &mut listed);
            listed::check(&mut listed, &allowance)?;
            position += len as u64;
        }
        if let Some((problem, failure)) = lister.end() {
            outcome.note(problem, failure);
        }
    }
    Ok(listed)
}

/// Where the wanted commits are.
fn commits<F: Files>(
    context: &Context<F>,
    space: &Space<'_>,
    wanted: Wanted<'_>,
    listed: &[Listed],
    outcome: &mut Outcome,
    feedback: &mut dyn Feedback,
) -> Result<Vec<Spot>> {
    let mut spots = Vec::new();
    let (these, listed, must) = match wanted {
        Wanted::These(entries) => (entries, &[][..], true),
        Wanted::All => (&[][..], listed, false),
    };
    let entries = these.iter().chain(listed.iter().map(|listed| &listed.entry));
    for (number, entry) in entries.enumerate() {
        if number % 1024 == 0 {
            feedback.checkpoint()?;
        }
        let problem = match (space.spot(entry.offset), context.head(entry.offset)) {
            (Ok(spot), Ok(head)) if head.kind == Kind::Commit => {
                // Whether it is the right one is for the comparison with the index to say.
                spots.push(spot);
                continue;
            }
            (Ok(_), Ok(head)) => Problem::new(Code::ContextCommit).found(head.kind.words()),
            (_, Err(problem)) if !problem.code().is_about_contents() => return Err(problem),
            (_, Err(problem)) if problem.code() == Code::ContextEntry => problem,
            _ => nothing_at(entry.offset),
        };
        if must {
            let hash = super::super::path::hex(entry.hash.as_bytes());
            let found = problem.found_text().unwrap_or("nothing").into();
            outcome.fail(missing(entry.offset, hash, found));
        }
    }
    Ok(spots)
}

fn missing(offset: u64, hash: String, found: String) -> Problem {
    Problem::new(Code::ContextCommit)
        .at(Place::Context(offset))
        .expected(format_args!("commit {hash}"))
        .found(found)
}

/// What the object at a spot refers to, as far as that can be told.
pub(super) fn children<F: Files>(
    pages: &mut Pages<'_, F>,
    space: &Space<'_>,
    spot: Spot,
) -> Result<[Option<(Spot, Kind)>; ENTRIES]> {
    let Entry::Whole(head, value) = pages.entry(space, spot, LONG)? else { return Ok([None; ENTRIES]) };
    Ok(places(space, &head, value))
}

/// Where what an object refers to is, and what it should be, as far as that can be told.
pub(super) fn places(space: &Space<'_>, head: &Head, value: &[u8]) -> [Option<(Spot, Kind)>; ENTRIES] {
    let place = |child: Child, kind| match child {
        Child::Offset(offset) => Some((space.spot(offset).ok()?, kind)),
        Child::Hash(_) => None,
    };
    match head.kind {
        Kind::Contents => [None; ENTRIES],
        Kind::Commit => {
            let root = Commit::parse(value).ok().and_then(|commit| place(commit.root, Kind::Root));
            [root, None]
        }
        Kind::Root | Kind::Inner => match Inode::parse(value) {
            Err(_) => [None; ENTRIES],
            Ok(Inode::Values(values)) => values.map(|value| {
                let value = value?;
                place(value.child, if value.node { Kind::Root } else { Kind::Contents })
            }),
            Ok(Inode::Tree { pointers, .. }) => pointers.map(|pointer| place(pointer?.child, Kind::Inner)),
        },
    }
}

struct Checking<'a, H> {
    checker: Checker<H>,
    space: &'a Space<'a>,
    waiting: Vec<Spot>,
}

impl<H: Hasher> Checking<'_, H> {
    /// Goes up through everything that was marked, and checks it. So much memory is taken `around` it.
    fn up<F: Files>(
        &mut self,
        pages: &mut Pages<'_, F>,
        marks: &mut Marks,
        around: u64,
        outcome: &mut Outcome,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {
        let layout = self.space.layout;
        let allowance = feedback.allowance();
        let tallies = &mut vec![Tally::default(); self.space.parts.len()];
        for _ in self.space.parts {
            self.checker.table.part();
        }
        let (mut end, mut told) = (Spot::default(), 0);
        let mut cursor = marks.up();
        while let Some(spot) = marks.next(&mut cursor)? {
            if !pages.is_live(spot) {
                continue;
            }
            if spot.part == end.part && spot.position < end.position {
                let what = What::Entry("the middle of another object");
                self.checker.failures.add(spot, None, what);
                continue;
            }
            if let Some(len) = self.check(pages, spot, Turn::Early, outcome)? {
                end = Spot { position: spot.position + len, ..spot };
                if let Some(tally) = tallies.get_mut(spot.part as usize) {
                    tally.add(len);
                }
            }
            let now = pages.before(spot);
            if now - told >= PIECE {
                feedback.advance(now - told);
                feedback.checkpoint()?;
                told = now;
                let waiting = size_of_val(&self.waiting[..]) as u64;
                let around = around.saturating_add(waiting);
                self.checker.within(&allowance, around, WHAT)?;
            }
        }
        feedback.advance(pages.total() - told);
        for (number, tally) in tallies.iter().enumerate() {
            if let Some(part) = self.space.part(number as u32).filter(|_| tally.count > 0) {
                outcome.totals.parts.push(PartTotal { name: layout.name(part), objects: *tally });
            }
        }
        for round in 0..ROUNDS {
            let before = self.waiting.len();
            if before == 0 {
                break;
            }
            feedback.checkpoint()?;
            for spot in core::mem::take(&mut self.waiting) {
                self.check(pages, spot, Turn::Late, outcome)?;
            }
            if self.waiting.len() == before || round + 1 == ROUNDS {
                for spot in core::mem::take(&mut self.waiting) {
                    self.check(pages, spot, Turn::Last, outcome)?;
                }
            }
        }
        self.checker.flush();
        Ok(())
    }

    /// Checks the object at a spot; gives its length if it is one.
    fn check<F: Files>(
        &mut self,
        pages: &mut Pages<'_, F>,
        spot: Spot,
        turn: Turn,
        outcome: &mut Outcome,
    ) -> Result<Option<u64>> {
        let checker = &mut self.checker;
        let (head, value) = match pages.entry(self.space, spot, LONG)? {
            Entry::Whole(head, value) => (head, Some(value)),
            Entry::Long(head) => (head, None),
            Entry::Bad(Malformed(why)) => {
                checker.failures.add(spot, None, What::Entry(why));
                return Ok(None);
            }
        };
        let object = match turn {
            Turn::Early => {
                outcome.totals.add(head.kind, head.entry_len());
                checker.table.push(spot, head.kind, &head.hash)
            }
            Turn::Late | Turn::Last => checker.table.find(spot),
        };
        let Some(object) = object else { return Ok(None) };
        match value {
            Some(value) if head.kind == Kind::Contents => checker.contents(spot, &head.hash, value),
            Some(value) => {
                if !checker.refers(self.space, spot, object, &head, value, turn) {
                    if self.waiting.len() < MAX_WAITING {
                        self.waiting.push(spot);
                    } else if outcome.unchecked.is_empty() {
                        let cause = "too many objects refer to objects that come after them";
                        outcome.unchecked.push(Problem::new(Code::ContextUnchecked).because(cause));
                    }
                }
            }
            None => {
                let found = pages.hash(spot, &head)?;
                checker.long_contents(spot, &head.hash, found);
            }
        }
        Ok(Some(head.entry_len()))
    }
}

/// What is at an offset that nothing wanted leads to.
///
/// # Errors
/// Whatever the files report.
pub(super) fn look<F: Files>(context: &Context<F>, offset: u64) -> Result<There> {
    match context.head(offset) {
        Ok(head) if head.kind == Kind::Commit => Ok(There::Commit(head.hash, None, head.entry_len())),
        Err(problem) if !problem.code().is_about_contents() => Err(problem),
        _ => Ok(There::Else),
    }
}

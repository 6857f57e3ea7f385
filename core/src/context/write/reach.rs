//! Which bytes of a context belong to one commit.
//!
//! Objects are visited from the highest offset down: what an object refers to lies below it, so
//! every object is met once, the files are read in one direction, and nothing but the offsets
//! that wait has to be remembered.

use alloc::vec;
use alloc::vec::Vec;

use super::pages::Pages;
use crate::code::Code;
use crate::context::falling::Falling;
use crate::context::layout::Part;
use crate::context::open::{no_entry, nothing_at};
use crate::context::pack::{Child, Head, Inode, Kind, MAX_HEAD, MAX_INODE, Malformed, Mapping};
use crate::context::{Commit, Context};
use crate::feedback::{Feedback, Phase, Unit};
use crate::problem::{Place, Problem, Result};
use crate::read_at::Files;

/// How many objects are visited between two looks at the user.
const STRIDE: u64 = 4096;

/// What belongs to a commit.
#[derive(Debug)]
pub(super) struct Reached {
    /// Its objects, where they are.
    pub(super) mapping: Mapping,
    /// How many objects there are, the commit among them.
    pub(super) objects: u64,
}

/// Visits everything below a commit. Progress counts down the offsets, in bytes. Memory: 16 bytes for each range
/// of the result, and 16 for each object that waits, as long as these fit into a sixteenth of what is
/// [meant for tables](crate::Allowance::table); else they wait in [temporary space](Feedback::scratch), if there is any.
///
/// # Errors
/// [`Code::ContextEntry`], [`Code::ContextChild`], [`Code::LimitMemory`], [`Code::Cancelled`], whatever the files
/// report.
pub(super) fn reach<F: Files>(
    context: &Context<F>,
    commit: &Commit,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<Reached> {
    let offset = commit.offset;
    let allowance = feedback.allowance();
    let waiting = Falling::new(feedback.scratch(), allowance.table() / 16);
    let mut walk = Walk { pages: Pages::new(context), context, waiting, value: vec![] };
    feedback.phase(Phase { total: Some(offset), unit: Unit::Bytes, ..phase });
    let mut ranges = vec![(offset, commit.len)];
    walk.wait_for(Child::Offset(commit.root), offset)?;
    let (mut at, mut told, mut objects) = (offset, offset, 1u64);
    while let Some(next) = walk.waiting.pop()? {
        if next == at {
            continue;
        }
        let len = walk.visit(next)?;
        add(&mut ranges, next, len)?;
        at = next;
        objects += 1;
        if objects.is_multiple_of(STRIDE) {
            feedback.checkpoint()?;
            let taken = walk.waiting.taken() + (ranges.capacity() * size_of::<(u64, u64)>()) as u64;
            allowance.check(taken, "the objects of the commit")?;
            feedback.advance(told - at);
            told = at;
        }
    }
    feedback.advance(told);
    let mapping = Mapping::of(ranges.into_iter().rev());
    Ok(Reached { mapping, objects })
}

struct Walk<'a, F: Files> {
    pages: Pages<'a, F>,
    context: &'a Context<F>,
    /// Global offsets.
    waiting: Falling<u64>,
    value: Vec<u8>,
}

impl<F: Files> Walk<'_, F> {
    /// Remembers what the object at a global offset refers to; the length of its entry.
    fn visit(&mut self, offset: u64) -> Result<u64> {
        let head = self.head(offset)?;
        match head.kind {
            Kind::Contents => {}
            Kind::Commit => return Err(no_entry(offset, Malformed("it is a commit inside of another"))),
            Kind::Root | Kind::Inner => {
                self.value(offset, &head, MAX_INODE)?;
                let value = core::mem::take(&mut self.value);
                let inode = Inode::parse(&value).map_err(|why| no_entry(offset, why))?;
                for child in inode.children() {
                    self.wait_for(child, offset)?;
                }
                self.value = value;
            }
        }
        Ok(head.entry_len())
    }

    fn wait_for(&mut self, child: Child, parent: u64) -> Result<()> {
        let problem = || Problem::new(Code::ContextChild).at(Place::Context(parent));
        match child {
            Child::Offset(offset) if offset < parent => self.waiting.push(offset),
            Child::Offset(offset) => {
                Err(problem().expected("an object before it").found(format_args!("offset {offset}")))
            }
            Child::Hash(_) => Err(problem().expected("an offset").found("a hash, which nothing can find")),
        }
    }

    /// The head of an entry that is there as a whole.
    fn head(&mut self, offset: u64) -> Result<Head> {
        let mut bytes = [0; MAX_HEAD];
        let read = self.pages.read_some(offset, &mut bytes)?;
        if read == 0 {
            return Err(nothing_at(offset));
        }
        let head = Head::parse(bytes.get(..read).unwrap_or_default()).map_err(|why| no_entry(offset, why))?;
        let early = || no_entry(offset, Malformed("it ends too early"));
        let head = head.ok_or_else(early)?;
        let whole = match self.context.layout().find(offset) {
            Some(spot) if spot.part == Part::Prefix => head.entry_len() <= spot.run,
            _ => offset.checked_add(head.entry_len()).is_some_and(|end| end <= self.context.layout().end()),
        };
        if whole { Ok(head) } else { Err(early()) }
    }

    /// The value of the entry, into `self.value`.
    fn value(&mut self, offset: u64, head: &Head, most: u64) -> Result<()> {
        let len = usize::try_from(head.value_len).ok().filter(|_| head.value_len <= most);
        let len = len.ok_or_else(|| no_entry(offset, Malformed("it is longer than any of its kind")))?;
        self.value.clear();
        self.value.resize(len, 0);
        self.pages.read(offset + head.len as u64, &mut self.value)
    }
}

/// Puts an object below all others.
fn add(ranges: &mut Vec<(u64, u64)>, offset: u64, len: u64) -> Result<()> {
    match ranges.last_mut() {
        Some((above, _)) if offset + len > *above => {
            Err(no_entry(offset, Malformed("it reaches into the object behind it")))
        }
        Some((above, total)) if offset + len == *above => {
            *above = offset;
            *total += len;
            Ok(())
        }
        _ => {
            ranges.push((offset, len));
            Ok(())
        }
    }
}

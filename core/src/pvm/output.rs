//! The output buffer: an outbox for each level of a window that moves with the levels.

use alloc::vec::Vec;

use super::codec::{self, Decimal, damaged, field, optional};
use super::counters::buffers;
use crate::context::edit::{Bytes, Node, Tree};
use crate::encoding::{Malformed, primitive};
use crate::problem::Result;

const LAST_LEVEL: &[&[u8]] = &[b"output", b"2", b"last_level"];
const VALIDITY_PERIOD: &[&[u8]] = &[b"output", b"3", b"validity_period"];
const MESSAGE_LIMIT: &[&[u8]] = &[b"output", b"4", b"message_limit"];
const HEAD: &[u8] = b"head";
const LENGTH: &[u8] = b"length";
const CONTENTS: &[u8] = b"contents";

/// Most messages of an outbox that are read. Layer 1 lets a level put out 100.
const MOST: u64 = 10_000;

/// Longest message that a kernel can put into an outbox, in bytes.
pub(super) const MAX_MESSAGE: i32 = 4096;

/// The output buffer, of which only the last outbox can be written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Output {
    /// How many levels the window has.
    pub(super) validity_period: i32,
    /// How many messages an outbox can have.
    pub(super) message_limit: u64,
    last: Option<Outbox>,
}

/// The outbox of the last level: what the state has of it, and what was added since.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outbox {
    level: i32,
    stored: u64,
    new: Vec<Bytes>,
}

impl Output {
    /// One without any outbox.
    pub(super) fn new(validity_period: i32, message_limit: u64) -> Self {
        Self { validity_period, message_limit, last: None }
    }

    /// Reads it from a state.
    pub(super) fn load(tree: &Tree) -> Result<Self> {
        let last_level = optional(tree, &buffers(LAST_LEVEL), primitive::int32)?;
        let load = |level| Ok(Outbox { level, stored: length(tree, level)?, new: Vec::new() });
        Ok(Self {
            validity_period: field(tree, &buffers(VALIDITY_PERIOD), |input| {
                let levels = primitive::int32(input)?;
                if levels > 0 { Ok(levels) } else { Err(Malformed("the outbox window has no level")) }
            })?,
            message_limit: field(tree, &buffers(MESSAGE_LIMIT), codec::read_integer)?,
            last: last_level.map(load).transpose()?,
        })
    }

    /// The level of the last outbox.
    pub(super) fn last_level(&self) -> Option<i32> {
        self.last.as_ref().map(|outbox| outbox.level)
    }

    /// A level starts: a new outbox, and the one that leaves the window is dropped. The window moves
    /// by one level, whatever `level` is.
    pub(super) fn start_of_level(&mut self, level: i32, tree: &mut Tree) -> Result<()> {
        self.flush(tree)?;
        let Some(last) = self.last_level() else { return self.open(level, tree) };
        let next = last.checked_add(1).ok_or_else(|| damaged(&buffers(LAST_LEVEL)).found(last))?;
        self.open(next, tree)?;
        let first = i64::from(last) - i64::from(self.validity_period) + 1;
        match u64::try_from(first) {
            Ok(first) => tree.remove(&outbox(&Decimal::new(first), &[])),
            Err(_) => Ok(()),
        }
    }

    fn open(&mut self, level: i32, tree: &mut Tree) -> Result<()> {
        let name = u64::try_from(level).map_err(|_| damaged(&buffers(LAST_LEVEL)).found(level))?;
        let zero = || Node::Value(codec::integer(0).into());
        let empty = Tree::pair([(HEAD, zero()), (LENGTH, zero())])?;
        tree.add_tree(&outbox(&Decimal::new(name), &[]), empty)?;
        self.last = Some(Outbox { level, stored: 0, new: Vec::new() });
        Ok(())
    }

    /// Whether there is an outbox, and room in it.
    pub(super) fn room(&self) -> Option<bool> {
        let outbox = self.last.as_ref()?;
        Some(outbox.stored.saturating_add(outbox.new.len() as u64) < self.message_limit)
    }

    /// Whether the outbox of a level is the last one, and holds nothing.
    pub(super) fn is_empty(&self, level: i32) -> bool {
        self.last.as_ref().is_some_and(|last| last.level == level && last.stored == 0 && last.new.is_empty())
    }

    /// Appends a message to the last outbox.
    pub(super) fn push(&mut self, message: Bytes) {
        if let Some(outbox) = &mut self.last {
            outbox.new.push(message);
        }
    }

    /// Writes new messages to a state.
    pub(super) fn flush(&mut self, tree: &mut Tree) -> Result<()> {
        let Some(last) = self.last.as_mut().filter(|last| !last.new.is_empty()) else { return Ok(()) };
        let level = Decimal::new(u64::try_from(last.level).unwrap_or(0));
        for message in last.new.drain(..) {
            let name = Decimal::new(last.stored);
            tree.add(&outbox(&level, &[CONTENTS, name.name()]), codec::text(&message))?;
            last.stored = last.stored.saturating_add(1);
        }
        tree.add(&outbox(&level, &[LENGTH]), codec::integer(last.stored))
    }

    /// Writes to a state what differs from `saved`; everything without one.
    pub(super) fn save(&mut self, saved: Option<&Self>, tree: &mut Tree) -> Result<()> {
        self.flush(tree)?;
        if let Some(level) = self.last_level()
            && saved.is_none_or(|saved| saved.last_level() != Some(level))
        {
            tree.add(&buffers(LAST_LEVEL), &level.to_be_bytes()[..])?;
        }
        if saved.is_none_or(|saved| saved.validity_period != self.validity_period) {
            tree.add(&buffers(VALIDITY_PERIOD), &self.validity_period.to_be_bytes()[..])?;
        }
        if saved.is_none_or(|saved| saved.message_limit != self.message_limit) {
            tree.add(&buffers(MESSAGE_LIMIT), codec::integer(self.message_limit))?;
        }
        Ok(())
    }
}

/// How many messages the outbox of a level has. It must be there.
fn length(tree: &Tree, level: i32) -> Result<u64> {
    let name = u64::try_from(level).map_err(|_| damaged(&buffers(LAST_LEVEL)).found(level))?;
    let name = Decimal::new(name);
    let head = outbox(&name, &[HEAD]);
    if field(tree, &head, codec::read_integer)? != 0 {
        return Err(damaged(&head).expected(0));
    }
    field(tree, &outbox(&name, &[LENGTH]), codec::read_integer)
}

/// The messages in the outbox of a level; `None` when the level has none.
///
/// # Errors
/// [`Code::PvmState`](crate::Code::PvmState) when it is malformed.
pub fn messages(tree: &Tree, level: i32) -> Result<Option<Vec<Vec<u8>>>> {
    let Ok(number) = u64::try_from(level) else { return Ok(None) };
    let name = Decimal::new(number);
    if !tree.mem_tree(&outbox(&name, &[]))? {
        return Ok(None);
    }
    let mut messages = Vec::new();
    let length = length(tree, level)?;
    if length > MOST {
        return Err(damaged(&outbox(&name, &[LENGTH]))
            .expected(format_args!("at most {MOST}"))
            .found(length));
    }
    for number in 0..length {
        let number = Decimal::new(number);
        let read = |input: &mut &[u8]| -> core::result::Result<Vec<u8>, Malformed> {
            primitive::prefixed(input).map(<[u8]>::to_vec)
        };
        messages.push(field(tree, &outbox(&name, &[CONTENTS, number.name()]), read)?);
    }
    Ok(Some(messages))
}

fn outbox<'a>(level: &'a Decimal, rest: &[&'a [u8]]) -> Vec<&'a [u8]> {
    [&buffers(&[b"output", b"1", b"outboxes", level.name()])[..], rest].concat()
}

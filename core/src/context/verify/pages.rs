//! Reading the files of a context in large pieces, for passes that go through them in order.

use alloc::vec::Vec;

use super::super::layout::Part;
use super::super::open::Context;
use super::super::pack::{Hash, Head, MAX_HEAD, Malformed};
use super::space::Space;
use super::table::Spot;
use super::walk::accept;
use super::window::Long;
use crate::problem::Result;
use crate::read_at::{Files, ReadAt};

/// How many bytes of long contents are read at once.
const PIECE: u64 = 256 << 10;

/// How many bytes are read at once by a pass that goes up.
const UP: u64 = 1 << 20;

/// How many bytes are read at once by a pass that goes up and leaves much out.
const NEAR: u64 = 1 << 16;

/// How many bytes are read at once by a pass that goes down, and how many more because objects reach
/// into the next piece.
const DOWN: (u64, u64) = (1 << 18, 1 << 12);

/// A window on the files of a context.
pub(super) struct Pages<'a, F: Files> {
    context: &'a Context<F>,
    parts: Vec<Live>,
    part: u32,
    start: u64,
    bytes: Vec<u8>,
    up: Option<u64>,
}

/// A part, and where what counts of it ends.
#[derive(Clone, Copy, Debug)]
struct Live {
    part: Part,
    from: u64,
    until: u64,
}

/// What is at a spot.
pub(super) enum Entry<'a> {
    /// An entry that is there whole.
    Whole(Head, &'a [u8]),
    /// Contents that are longer than wanted at once.
    Long(Head),
    Bad(Malformed),
}

impl<'a, F: Files> Pages<'a, F> {
    /// A window for a pass upwards, or downwards.
    pub(super) fn new(context: &'a Context<F>, up: bool) -> Self {
        let layout = context.layout();
        let prefix = Live { part: Part::Prefix, from: 0, until: layout.mapping().prefix_len() };
        let chunks = (0..layout.chunks()).map(|at| {
            let (header, len) = layout.chunk(at).unwrap_or_default();
            let dead = if at == 0 { layout.control().suffix_start().1 } else { 0 };
            Live { part: Part::Chunk(at), from: header + dead, until: header + len }
        });
        let parts = core::iter::once(prefix).chain(chunks).collect();
        Self { context, parts, part: 0, start: 0, bytes: Vec::new(), up: up.then_some(UP) }
    }

    /// A window for a pass upwards that leaves much out.
    pub(super) fn near(context: &'a Context<F>) -> Self {
        Self { up: Some(NEAR), ..Self::new(context, true) }
    }

    /// Where what counts of a part begins, and where it ends.
    pub(super) fn live(&self, part: u32) -> (u64, u64) {
        self.parts.get(part as usize).map_or((0, 0), |part| (part.from, part.until))
    }

    /// The spot with so many bytes that count before it; `None` at the end of them all.
    pub(super) fn at(&self, mut bytes: u64) -> Option<Spot> {
        for (part, live) in self.parts.iter().enumerate() {
            let len = live.until - live.from;
            if bytes < len {
                return Some(Spot { part: part as u32, position: live.from + bytes });
            }
            bytes -= len;
        }
        None
    }

    /// The hash of the contents at a spot, read bit by bit.
    ///
    /// # Errors
    /// Whatever the files report.
    pub(super) fn hash(&mut self, spot: Spot, head: &Head) -> Result<Hash> {
        let mut long = Long::new(head.value_len);
        let (mut at, mut left) = (spot.position + head.len as u64, head.value_len);
        while left > 0 {
            let bytes = self.bytes(Spot { position: at, ..spot }, left.min(PIECE))?;
            if bytes.is_empty() {
                break;
            }
            long.update(bytes);
            let len = bytes.len() as u64;
            (at, left) = (at + len, left - len);
        }
        Ok(long.hash())
    }

    /// How many bytes count in all.
    pub(super) fn total(&self) -> u64 {
        self.parts.iter().map(|part| part.until - part.from).sum()
    }

    /// How many bytes count before a spot.
    pub(super) fn before(&self, spot: Spot) -> u64 {
        let parts = self.parts.get(..spot.part as usize).unwrap_or(&self.parts);
        let before: u64 = parts.iter().map(|part| part.until - part.from).sum();
        let from = self.parts.get(spot.part as usize).map_or(0, |part| part.from);
        before + spot.position.saturating_sub(from)
    }

    /// Whether a spot counts.
    pub(super) fn is_live(&self, spot: Spot) -> bool {
        let part = self.parts.get(spot.part as usize);
        part.is_some_and(|part| (part.from..part.until).contains(&spot.position))
    }

    /// Numbers of the parts, in the order of offsets.
    pub(super) fn numbers(&self) -> Vec<Option<u32>> {
        (0..self.parts.len() as u32).map(Some).collect()
    }

    /// The entry at a spot. Contents longer than `most` bytes are not read.
    ///
    /// # Errors
    /// Whatever the files report.
    pub(super) fn entry(&mut self, space: &Space<'_>, spot: Spot, most: u64) -> Result<Entry<'_>> {
        let head = match Head::parse(self.bytes(spot, MAX_HEAD as u64)?) {
            Ok(Some(head)) => head,
            Ok(None) => return Ok(Entry::Bad(Malformed("an entry that ends too early"))),
            Err(why) => return Ok(Entry::Bad(why)),
        };
        if let Err(why) = accept(&head) {
            return Ok(Entry::Bad(why));
        }
        if head.entry_len() > space.run(spot) {
            return Ok(Entry::Bad(Malformed("an entry that goes on beyond the end")));
        }
        if head.value_len > most {
            return Ok(Entry::Long(head));
        }
        let bytes = self.bytes(spot, head.entry_len())?;
        Ok(match bytes.get(head.len..) {
            Some(value) if value.len() as u64 == head.value_len => Entry::Whole(head, value),
            _ => Entry::Bad(Malformed("an entry that ends too early")),
        })
    }

    /// The bytes from a spot on: as many as wanted, or up to the end of what counts.
    ///
    /// # Errors
    /// Whatever the files report.
    pub(super) fn bytes(&mut self, spot: Spot, len: u64) -> Result<&[u8]> {
        let Some(live) = self.parts.get(spot.part as usize).copied() else { return Ok(&[]) };
        let Some(left) = live.until.checked_sub(spot.position) else { return Ok(&[]) };
        let len = len.min(left);
        let end = self.start + self.bytes.len() as u64;
        if self.part != spot.part || spot.position < self.start || spot.position + len > end {
            let (start, wanted) = match self.up {
                Some(most) => (spot.position, most.max(len)),
                None => {
                    let start = spot.position / DOWN.0 * DOWN.0;
                    (start, (DOWN.0 + DOWN.1).max(spot.position - start + len))
                }
            };
            let Some(file) = self.context.part(live.part) else { return Ok(&[]) };
            let wanted = wanted.min(live.until - start).min(file.len().saturating_sub(start));
            (self.part, self.start) = (spot.part, start);
            self.bytes.resize(usize::try_from(wanted).unwrap_or(0), 0);
            if let Err(problem) = file.read_at(start, &mut self.bytes) {
                self.bytes.clear();
                return Err(problem);
            }
        }
        let at = (spot.position - self.start) as usize;
        Ok(self.bytes.get(at..).map(|rest| rest.get(..len as usize).unwrap_or(rest)).unwrap_or_default())
    }
}

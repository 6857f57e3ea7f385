//! What the offsets in objects mean: where in which part something is, as the table counts.

use super::super::layout::{Layout, Part};
use super::super::pack::Dict;
use super::table::Spot;

/// What offsets and numbers of names mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Space<'a> {
    pub(super) layout: &'a Layout,
    pub(super) dict: &'a Dict,
    /// Number in the table of the prefix, and of each chunk.
    pub(super) parts: &'a [Option<u32>],
    /// Stretches that could not be walked through, in order.
    pub(super) gaps: &'a [(Spot, u64)],
}

/// Why a global offset is nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nowhere {
    /// In a file that was not met.
    NotYet,
    Collected,
    Beyond,
}

impl Space<'_> {
    /// Where the byte of a global offset is, as the table counts.
    pub(super) fn spot(&self, offset: u64) -> Result<Spot, Nowhere> {
        let Some(spot) = self.layout.find(offset) else {
            let below = offset < self.layout.suffix_start();
            return Err(if below { Nowhere::Collected } else { Nowhere::Beyond });
        };
        let at = match spot.part {
            Part::Prefix => 0,
            Part::Chunk(at) => at + 1,
        };
        let part = self.parts.get(at).copied().flatten().ok_or(Nowhere::NotYet)?;
        Ok(Spot { part, position: spot.position })
    }

    /// The global offset of a spot.
    pub(super) fn offset(&self, spot: Spot) -> Option<u64> {
        self.layout.offset_of(self.part(spot.part)?, spot.position)
    }

    /// The part of the layout with this number in the table.
    pub(super) fn part(&self, number: u32) -> Option<Part> {
        // By reachability, numbers are places already.
        let at = match self.parts.get(number as usize) {
            Some(Some(same)) if *same == number => number as usize,
            _ => self.parts.iter().position(|part| *part == Some(number))?,
        };
        Some(at.checked_sub(1).map_or(Part::Prefix, Part::Chunk))
    }

    /// How many bytes follow a spot without a gap, itself included.
    pub(super) fn run(&self, spot: Spot) -> u64 {
        match self.part(spot.part) {
            None => 0,
            Some(Part::Prefix) => {
                let ranges = self.layout.mapping().ranges();
                let after = ranges.partition_point(|range| range.position <= spot.position);
                let range = after.checked_sub(1).and_then(|at| ranges.get(at));
                range.map_or(0, |range| (range.position + range.len).saturating_sub(spot.position))
            }
            Some(Part::Chunk(at)) => {
                let (header, len) = self.layout.chunk(at).unwrap_or_default();
                (header + len).saturating_sub(spot.position)
            }
        }
    }

    /// What sorts spots by their offsets.
    pub(super) fn order(&self, spot: Spot) -> (Option<usize>, u64) {
        (self.parts.iter().position(|part| *part == Some(spot.part)), spot.position)
    }

    /// Whether a spot is where nothing could be read.
    pub(super) fn in_gap(&self, spot: Spot) -> bool {
        let after = self.gaps.partition_point(|(from, _)| *from <= spot);
        let gap = after.checked_sub(1).and_then(|at| self.gaps.get(at));
        gap.is_some_and(|(from, until)| from.part == spot.part && spot.position < *until)
    }
}

//! What an index says, and whether it can be the index of a file.

use alloc::vec::Vec;

use super::super::crc32;
use super::input::bad;
use super::member::{self, MemberTable};
use super::waypoint::Waypoint;
use crate::problem::Result;
use crate::read_at::ReadAt;

/// Most checkpoints of an index: what they take is held in memory.
pub const MOST_CHECKPOINTS: usize = 1 << 16;

/// How far deflate may look back, in bytes.
pub(super) const WINDOW: usize = 32 * 1024;

/// A place where inflating can begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Where a deflate block begins: bits from the start of the file, in each byte the lowest first.
    pub bit: u64,
    /// Offset in the content of the first byte that comes out.
    pub offset: u64,
    /// CRC-32 of the content from here to the next checkpoint, or to the end.
    pub crc: u32,
    /// Where the up to 32 768 bytes before are; `None` when nothing before is referred to.
    pub window: Option<WindowPlace>,
}

/// Where the data of a window is in the file of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowPlace {
    /// The offset in bytes.
    pub at: u64,
    /// How many bytes of deflate data; not 0.
    pub len: u32,
}

/// Where a gzip file can be read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Length of the gzip file in bytes.
    pub file_len: u64,
    /// Length of the content in bytes.
    pub content_len: u64,
    /// CRC-32 of the content, as in the trailer of the file.
    pub crc: u32,
    /// At least one, in ascending order; the first is where the deflate data begins.
    pub checkpoints: Vec<Checkpoint>,
    /// Some member headers in the content, in the order of names and of offsets, if it is an archive whose
    /// members are sorted. Nothing tells that they are right before they are read.
    pub waypoints: Vec<Waypoint>,
    /// Where all members are, if that is known. Nothing tells that it is right either.
    pub members: MemberTable,
}

impl Index {
    /// Whether the index can belong to the file: length and trailer agree, checkpoints ascend within
    /// it, and the spans' checksums together make that of the trailer. Reads the trailer and
    /// the header.
    ///
    /// # Errors
    /// [`Code::GzipIndex`](crate::Code::GzipIndex), and whatever the file reports.
    pub fn check<R: ReadAt + ?Sized>(&self, file: &R) -> Result<()> {
        if self.file_len != file.len() {
            return Err(bad("it is the index of a file of another length")
                .expected(self.file_len)
                .found(file.len()));
        }
        let Some(trailer_at) = file.len().checked_sub(8) else { return Err(bad("the file is too short")) };
        let mut trailer = [0; 8];
        file.read_at(trailer_at, &mut trailer)?;
        let [c0, c1, c2, c3, s0, s1, s2, s3] = trailer;
        let (crc, size) = (u32::from_le_bytes([c0, c1, c2, c3]), u32::from_le_bytes([s0, s1, s2, s3]));
        if crc != self.crc || size != self.content_len as u32 {
            return Err(bad("it is the index of a file with another content"));
        }
        let start = super::super::member::length(file)?;
        let mut all = crc32::Hasher::new();
        for (at, point) in self.checkpoints.iter().enumerate() {
            let (end, end_bit) = self.end_of(at);
            if point.offset >= end || point.bit >= end_bit {
                return Err(bad("its checkpoints are not in order").found(at));
            }
            if at == 0 && (point.offset, point.bit, point.window) != (0, start * 8, None) {
                return Err(bad("its first checkpoint is not the beginning"));
            }
            all.combine(&crc32::Hasher::new_with_initial_len(point.crc, end - point.offset));
        }
        let last = self.waypoints.last().map(|point| point.offset).max(self.members.last());
        if last.is_some_and(|offset| offset >= self.content_len) {
            return Err(bad("a member is beyond the end"));
        }
        if self.checkpoints.is_empty() || all.finalize() != self.crc {
            return Err(bad("the checksums of its spans do not make that of the content"));
        }
        Ok(())
    }

    /// Where to look for a member of this name: from the first of these offsets on and before the second.
    /// `None` when that is everywhere.
    pub fn stretch_of(&self, name: &str) -> Option<(u64, u64)> {
        if let Some(offset) = self.members.place_of(name) {
            return Some((offset, offset.saturating_add(member::HEADERS).min(self.content_len)));
        }
        let next = self.waypoints.partition_point(|point| *point.name <= *name);
        let from = self.waypoints.get(next.checked_sub(1)?)?.offset;
        Some((from, self.waypoints.get(next).map_or(self.content_len, |point| point.offset)))
    }

    /// Number of the span that holds this byte of the content.
    pub fn span_of(&self, offset: u64) -> usize {
        self.checkpoints.partition_point(|point| point.offset <= offset).saturating_sub(1)
    }

    /// Where span `at` ends: offset in the content and bit in the file. That of the last one is the
    /// trailer.
    pub fn end_of(&self, at: usize) -> (u64, u64) {
        let end = (self.content_len, self.file_len.saturating_sub(8).saturating_mul(8));
        self.checkpoints.get(at + 1).map_or(end, |next| (next.offset, next.bit))
    }

    /// Length of the longest span, in bytes of content.
    pub fn longest_span(&self) -> u64 {
        let points = self.checkpoints.iter().enumerate();
        points.map(|(at, point)| self.end_of(at).0.saturating_sub(point.offset)).max().unwrap_or(0)
    }
}

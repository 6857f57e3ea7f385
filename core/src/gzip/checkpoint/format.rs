//! The bytes of an index, in the gzip header or in a file of its own.

use alloc::vec::Vec;

use miniz_oxide::inflate::decompress_to_vec_with_limit;

use super::super::member::FEXTRA;
use super::waypoint::{self, Waypoint};
use crate::code::Code;
use crate::problem::{Problem, Result};
use crate::read_at::ReadAt;

/// Identifies the subfield of the gzip header that holds an index (RFC 1952, 2.3.1.1).
pub const SUBFIELD: [u8; 2] = *b"RS";

/// The longest content of a subfield, in bytes: the extra field is at most 65 535 long.
pub const FIELD_MAX: usize = 0xffff - 4;

const MAGIC: [u8; 4] = *b"RSIX";
const VERSION: u8 = 1;
/// In the flags: each checkpoint tells how long its window data is.
const WINDOWS: u8 = 1;
/// In the flags: waypoints stand behind.
const WAYPOINTS: u8 = 2;
const HEAD: usize = 32;
const CRC: usize = 4;

/// How far deflate may look back, in bytes.
pub(super) const WINDOW: usize = 32 * 1024;
/// Longer window data is of no use: stored, it would be shorter.
const WINDOW_DATA: usize = WINDOW + 64;

/// A place where inflating can begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Where a deflate block begins: bits from the start of the file, in each byte the lowest first.
    pub bit: u64,
    /// Offset in the content of the first byte that comes out.
    pub offset: u64,
    /// CRC-32 of the content from here to the next checkpoint, or to the end.
    pub crc: u32,
    /// The up to 32 768 bytes before, as deflate data; `None` when nothing before is referred to.
    pub window: Option<Vec<u8>>,
}

impl Checkpoint {
    /// The bytes before, as far as they may be referred to.
    ///
    /// # Errors
    /// [`Code::GzipIndex`] when they are damaged, or more than there can be.
    pub fn window_bytes(&self) -> Result<Vec<u8>> {
        let Some(data) = &self.window else { return Ok(Vec::new()) };
        let window = decompress_to_vec_with_limit(data, WINDOW).ok();
        window.filter(|window| window.len() as u64 <= self.offset).ok_or_else(|| bad("a window is damaged"))
    }
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
}

impl Index {
    /// How many checkpoints without windows fit into so many bytes.
    pub const fn capacity(bytes: usize) -> usize {
        bytes.saturating_sub(HEAD + CRC) / 20
    }

    /// How many bytes so many checkpoints without windows take.
    pub const fn room(checkpoints: usize) -> usize {
        HEAD + 20 * checkpoints + CRC
    }

    /// The bytes of the index.
    pub fn encode(&self) -> Vec<u8> {
        let windows = self.checkpoints.iter().any(|point| point.window.is_some());
        let mut bytes = Vec::with_capacity(Self::room(self.checkpoints.len()));
        bytes.extend_from_slice(&MAGIC);
        let flags = [(windows, WINDOWS), (!self.waypoints.is_empty(), WAYPOINTS)]
            .map(|(is, flag)| if is { flag } else { 0 });
        bytes.extend_from_slice(&[VERSION, flags[0] | flags[1], 0, 0]);
        bytes.extend_from_slice(&(self.checkpoints.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&self.file_len.to_be_bytes());
        bytes.extend_from_slice(&self.content_len.to_be_bytes());
        bytes.extend_from_slice(&self.crc.to_be_bytes());
        for point in &self.checkpoints {
            bytes.extend_from_slice(&point.bit.to_be_bytes());
            bytes.extend_from_slice(&point.offset.to_be_bytes());
            bytes.extend_from_slice(&point.crc.to_be_bytes());
            if windows {
                let length = point.window.as_ref().map_or(0, Vec::len) as u32;
                bytes.extend_from_slice(&length.to_be_bytes());
            }
        }
        for window in self.checkpoints.iter().filter_map(|point| point.window.as_ref()) {
            bytes.extend_from_slice(window);
        }
        if !self.waypoints.is_empty() {
            waypoint::encode(&self.waypoints, &mut bytes);
        }
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        bytes
    }

    /// Reads an index from the front of `bytes`; behind it there may be zeros, in space that was
    /// reserved and not needed.
    ///
    /// # Errors
    /// [`Code::GzipIndex`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut input = Input { bytes, at: 0 };
        if input.array()? != MAGIC {
            return Err(bad("it does not begin with RSIX"));
        }
        let [version, flags, 0, 0] = input.array()? else { return Err(bad("reserved bytes are set")) };
        if version != VERSION || flags & !(WINDOWS | WAYPOINTS) != 0 {
            return Err(bad("its version is unknown").expected(VERSION).found(version));
        }
        let windows = flags & WINDOWS != 0;
        let count = u32::from_be_bytes(input.array()?) as usize;
        let (file_len, content_len) = (input.number()?, input.number()?);
        let crc = u32::from_be_bytes(input.array()?);
        // The count is untrusted: nothing is allocated for what is not there.
        let row = if windows { 24 } else { 20 };
        if count == 0 || count > bytes.len() / row {
            return Err(bad("it holds another number of checkpoints than it says").found(count));
        }
        let mut checkpoints = Vec::with_capacity(count);
        let mut lengths = Vec::new();
        for _ in 0..count {
            let (bit, offset) = (input.number()?, input.number()?);
            let crc = u32::from_be_bytes(input.array()?);
            if windows {
                lengths.push(u32::from_be_bytes(input.array()?) as usize);
            }
            checkpoints.push(Checkpoint { bit, offset, crc, window: None });
        }
        for (point, length) in checkpoints.iter_mut().zip(lengths).filter(|(_, length)| *length > 0) {
            if length > WINDOW_DATA {
                return Err(bad("a window is too long").found(length));
            }
            point.window = Some(input.take(length)?.to_vec());
        }
        let waypoints = if flags & WAYPOINTS != 0 { waypoint::decode(&mut input)? } else { Vec::new() };
        let computed = crc32fast::hash(bytes.get(..input.at).unwrap_or_default());
        let stored = u32::from_be_bytes(input.array()?);
        if stored != computed {
            return Err(bad("its checksum does not match")
                .expected(format_args!("{stored:08x}"))
                .found(format_args!("{computed:08x}")));
        }
        if bytes.get(input.at..).unwrap_or_default().iter().any(|&byte| byte != 0) {
            return Err(bad("something stands behind it"));
        }
        Ok(Self { file_len, content_len, crc, checkpoints, waypoints })
    }

    /// The index in the header of a gzip file, checked against the file; `None` when it has none.
    /// Reads the header and the trailer.
    ///
    /// # Errors
    /// [`Code::GzipIndex`] when there is one that cannot be used, and whatever the file reports. The
    /// file may be whole nevertheless.
    pub fn of_file<R: ReadAt + ?Sized>(file: &R) -> Result<Option<Self>> {
        // Header, extra field, and the smallest deflate data with the trailer.
        if file.len() < 10 + 2 + 2 + 8 {
            return Ok(None);
        }
        let mut head = [0; 12];
        file.read_at(0, &mut head)?;
        let [m0, m1, method, flags, .., x0, x1] = head;
        let extra_len = u16::from_le_bytes([x0, x1]);
        if [m0, m1] != super::super::MAGIC || method != 8 || flags & FEXTRA == 0 {
            return Ok(None);
        }
        let mut extra = alloc::vec![0; usize::from(extra_len)];
        if file.len() < 12 + u64::from(extra_len) + 2 + 8 {
            return Ok(None);
        }
        file.read_at(12, &mut extra)?;
        let mut rest = extra.as_slice();
        while let [i0, i1, l0, l1, tail @ ..] = rest {
            let length = usize::from(u16::from_le_bytes([*l0, *l1])).min(tail.len());
            let (content, next) = tail.split_at(length);
            if [*i0, *i1] == SUBFIELD {
                // Reserved, and never filled: the writer could not go back.
                if content.iter().all(|&byte| byte == 0) {
                    return Ok(None);
                }
                let index = Self::decode(content)?;
                index.check(file)?;
                return Ok(Some(index));
            }
            rest = next;
        }
        Ok(None)
    }

    /// Whether the index can belong to the file: length and trailer agree, checkpoints ascend within
    /// it, and the spans' checksums together make that of the trailer. Reads the trailer and
    /// the header.
    ///
    /// # Errors
    /// [`Code::GzipIndex`], and whatever the file reports.
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
        let windows = self.checkpoints.iter().any(|point| point.window.is_some());
        let mut all = crc32fast::Hasher::new();
        for (at, point) in self.checkpoints.iter().enumerate() {
            let next = self.checkpoints.get(at + 1);
            let (end, last_bit) =
                next.map_or((self.content_len, trailer_at * 8), |next| (next.offset, next.bit));
            if point.offset >= end || point.bit >= last_bit || (!windows && point.bit % 8 != 0) {
                return Err(bad("its checkpoints are not in order").found(at));
            }
            if at == 0 && (point.offset, point.bit, &point.window) != (0, start * 8, &None) {
                return Err(bad("its first checkpoint is not the beginning"));
            }
            all.combine(&crc32fast::Hasher::new_with_initial_len(point.crc, end - point.offset));
        }
        if self.waypoints.last().is_some_and(|point| point.offset >= self.content_len) {
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
}

/// The problem of an index that cannot be used, and why.
pub(super) fn bad(why: &str) -> Problem {
    Problem::new(Code::GzipIndex).because(why)
}

pub(super) struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let taken = self.bytes.get(self.at..).and_then(|rest| rest.get(..length));
        self.at += length;
        taken.ok_or_else(|| bad("it ends too early"))
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| bad("it ends too early"))
    }

    pub(super) fn number(&mut self) -> Result<u64> {
        Ok(u64::from_be_bytes(self.array()?))
    }
}

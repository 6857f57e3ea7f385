//! Where the bytes of a global offset are: the arithmetic of chunks, prefix and mapping.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::pack::{Control, Mapping, Status};
use crate::code::Code;
use crate::members::in_context;
use crate::problem::{Problem, Result};

/// Length of the header that chunk 0 and dictionary of a store of version 1 or 2 keep, in bytes.
const OLD_HEADER: u64 = 16;

/// The address space of a context.
#[derive(Clone, Debug)]
pub struct Layout {
    control: Control,
    mapping: Mapping,
    chunks: Vec<Chunk>,
}

/// A file that holds objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// What lives on from before the last collection.
    Prefix,
    /// A chunk of the suffix, counted from the first one that is there.
    Chunk(usize),
}

/// Where a byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The file.
    pub part: Part,
    /// Position in the file, in bytes.
    pub position: u64,
    /// How many bytes follow there without a gap, itself included.
    pub run: u64,
}

#[derive(Clone, Copy, Debug)]
struct Chunk {
    /// First global offset, dead bytes included: it may lie below what the chunk serves.
    start: i128,
    /// How many bytes count.
    len: u64,
    /// Bytes at its beginning that are no objects.
    header: u64,
}

impl Layout {
    /// Puts a control file, the sizes of the chunk files in their order, and the mapping together.
    ///
    /// # Errors
    /// [`Code::ContextFile`] when there are too few bytes, [`Code::ContextMapping`] when mapping and
    /// control file do not fit.
    pub fn new(control: Control, sizes: &[u64], mapping: Mapping) -> Result<Self> {
        let (suffix_start, dead) = control.suffix_start();
        let mut start = i128::from(suffix_start) - i128::from(dead);
        let mut chunks = Vec::with_capacity(sizes.len());
        for (at, size) in sizes.iter().enumerate() {
            let last = at + 1 == sizes.len();
            let old =
                at == 0 && control.first_chunk == 0 && matches!(control.status, Status::Upgraded { .. });
            let header = if old { OLD_HEADER } else { 0 };
            let there = size.saturating_sub(header);
            let len = if last { control.last_chunk_end } else { there };
            if len > there {
                return Err(short(&suffix_name(control.first_chunk + at as u64), len, there));
            }
            chunks.push(Chunk { start, len, header });
            start += i128::from(len);
        }
        if chunks.len() as u64 != control.chunks {
            return Err(Problem::new(Code::ContextFile)
                .expected(format_args!("{} chunks", control.chunks))
                .found(chunks.len()));
        }
        if chunks.first().is_some_and(|first| dead > first.len) {
            return Err(Problem::new(Code::ContextControl)
                .member("context/store.control")
                .expected(format_args!("at most {} dead bytes", chunks[0].len))
                .found(dead));
        }
        if mapping.end() > suffix_start {
            let generation = control.collected().map_or(0, |collected| collected.generation);
            return Err(Problem::new(Code::ContextMapping)
                .member(format!("context/store.{generation}.mapping"))
                .expected(format_args!("ranges below {suffix_start}, where the suffix begins"))
                .found(format_args!("one up to {}", mapping.end())));
        }
        Ok(Self { control, mapping, chunks })
    }

    /// Where the byte of a global offset is; `None` when it was collected or never written.
    pub fn find(&self, offset: u64) -> Option<Spot> {
        let (suffix_start, _) = self.control.suffix_start();
        if offset < suffix_start {
            let (position, run) = self.mapping.find(offset)?;
            return Some(Spot { part: Part::Prefix, position, run });
        }
        let after = self.chunks.partition_point(|chunk| chunk.start <= i128::from(offset));
        // Empty chunks share their start with the next one, which is the last of them.
        let at = after.checked_sub(1)?;
        let chunk = self.chunks.get(at)?;
        let within = u64::try_from(i128::from(offset) - chunk.start).ok()?;
        let run = chunk.len.checked_sub(within).filter(|run| *run > 0)?;
        Some(Spot { part: Part::Chunk(at), position: chunk.header + within, run })
    }

    /// The global offset of the byte at this position of a file; `None` for what does not count:
    /// beyond the end, a header. Dead bytes have offsets too, unless those would be negative.
    pub fn offset_of(&self, part: Part, position: u64) -> Option<u64> {
        match part {
            Part::Prefix => self.mapping.offset_of(position),
            Part::Chunk(at) => {
                let chunk = self.chunks.get(at)?;
                let within = position.checked_sub(chunk.header).filter(|within| *within < chunk.len)?;
                u64::try_from(chunk.start + i128::from(within)).ok()
            }
        }
    }

    /// The part of a chunk file that counts: where it begins, and its length.
    pub fn chunk(&self, at: usize) -> Option<(u64, u64)> {
        self.chunks.get(at).map(|chunk| (chunk.header, chunk.len))
    }

    /// The part of a file that holds objects: where it begins, and where it ends.
    pub fn live(&self, part: Part) -> Option<(u64, u64)> {
        match part {
            Part::Prefix => self.control.collected().map(|_| (0, self.mapping.prefix_len())),
            Part::Chunk(at) => {
                let (header, len) = self.chunk(at)?;
                let dead = if at == 0 { self.control.suffix_start().1 } else { 0 };
                Some((header + dead, header + len))
            }
        }
    }

    /// How many chunks there are.
    pub fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// First global offset that the suffix serves; what is below is in the prefix.
    pub fn suffix_start(&self) -> u64 {
        self.control.suffix_start().0
    }

    /// Where the next object would go.
    pub fn end(&self) -> u64 {
        let end = self.chunks.last().map_or(0, |last| last.start + i128::from(last.len));
        u64::try_from(end).unwrap_or(0).max(self.suffix_start())
    }

    /// The control file.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The ranges that live on.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Name of the file of a part, below `context/`.
    pub fn name(&self, part: Part) -> String {
        match part {
            Part::Prefix => format!("store.{}.prefix", self.generation()),
            Part::Chunk(at) => suffix_name(self.control.first_chunk.saturating_add(at as u64)),
        }
    }

    /// Number of prefix and mapping; 0 when there is none.
    pub fn generation(&self) -> u64 {
        self.control.collected().map_or(0, |collected| collected.generation)
    }
}

/// Name of a chunk, below `context/`.
pub(super) fn suffix_name(number: u64) -> String {
    format!("store.{number}.suffix")
}

/// A file is shorter than it must be.
pub(super) fn short(name: &str, expected: u64, found: u64) -> Problem {
    Problem::new(Code::ContextFile)
        .member(in_context(name))
        .expected(format_args!("at least {expected} bytes"))
        .found(found)
}

/// Bytes of the dictionary file before the first name.
pub(super) fn dict_header(control: &Control) -> u64 {
    if matches!(control.status, Status::Upgraded { .. }) { OLD_HEADER } else { 0 }
}

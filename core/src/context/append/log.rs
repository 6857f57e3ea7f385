//! The log of an index, to which entries are added.

use alloc::vec::Vec;

use crate::code::Code;
use crate::context::index::MAX_INDEX;
use crate::context::pack::{Hash, Kind};
use crate::index::Header;
use crate::members::in_context;
use crate::problem::{Problem, Result};

/// How far a log counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// Length of its entries, in bytes.
    length: u64,
    /// Whether the file has to be made, and how often the index was merged by then.
    missing: Option<u64>,
}

impl Log {
    /// Length of an entry, in bytes.
    pub const ENTRY: usize = 45;

    /// A log of which the file has this header and this length. Where the header counts entries that are not there,
    /// those that are there count, as for the nodes' library.
    ///
    /// # Errors
    /// [`Code::ContextIndex`] when it is no log.
    pub fn of(name: &str, header: &[u8], file_len: u64) -> Result<Self> {
        let wrong = |why| Problem::new(Code::ContextIndex).member(in_context(name)).found(why);
        let header = header.first_chunk().ok_or_else(|| wrong("it ends inside its header"))?;
        let header = Header::parse(header).filter(|header| header.fan_out == 0);
        let header = header.ok_or_else(|| wrong("it is not a log of version 1"))?;
        let entry = Self::ENTRY as u64;
        if !header.length.is_multiple_of(entry) {
            return Err(wrong("its length is not one of whole entries"));
        }
        let there = file_len.saturating_sub(Header::LEN as u64) / entry * entry;
        Ok(Self { length: header.length.min(there), missing: None })
    }

    /// There is none. `data` is the beginning of the file of that name, if there is one.
    pub fn missing(data: &[u8]) -> Self {
        let generation = data.first_chunk().and_then(Header::parse).map_or(0, |header| header.generation);
        Self { length: 0, missing: Some(generation) }
    }

    /// Length of its entries, in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Position of the next entry in the file.
    pub fn end(&self) -> u64 {
        Header::LEN as u64 + self.length
    }

    /// The header of a file that has to be made; `None` when it is there.
    pub fn header(&self) -> Option<[u8; Header::LEN]> {
        let generation = self.missing?;
        Some(Header { length: self.length, generation, fan_out: 0 }.to_bytes())
    }

    /// The log with so many more bytes of entries.
    #[must_use]
    pub fn longer(&self, by: u64) -> Self {
        Self { length: self.length + by, missing: None }
    }

    /// Whether one more entry fits behind those that wait.
    pub(super) fn check_room(&self, pending: usize) -> Result<()> {
        let end = self.end() + (pending + Self::ENTRY) as u64;
        if end <= MAX_INDEX {
            return Ok(());
        }
        Err(Problem::new(Code::ContextIndex)
            .headline("the index of the context is as long as one may be")
            .member(in_context("index/log"))
            .expected(format_args!("at most {MAX_INDEX} bytes")))
    }

    /// Appends an entry.
    pub(in crate::context) fn put(hash: &Hash, offset: u64, len: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(hash);
        out.extend(offset.to_be_bytes());
        out.extend(u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
        out.push(Kind::Commit.letter());
    }
}

//! The bytes of an index as they are taken apart.

use crate::code::Code;
use crate::problem::{Problem, Result};

/// The problem of an index that cannot be used, and why.
pub(super) fn bad(why: &str) -> Problem {
    Problem::new(Code::GzipIndex).because(why)
}

pub(super) struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// What was taken so far.
    pub(super) fn taken(&self) -> &'a [u8] {
        self.bytes.get(..self.at).unwrap_or_default()
    }

    /// What was not.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

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

//! Temporary space for what long jobs keep and what does not fit into memory.

use alloc::format;
use alloc::vec::Vec;

use crate::code::Code;
use crate::problem::{Problem, Result};

/// Bytes that are written and read back, at any position. What was never written is not read.
pub trait Scratch: core::fmt::Debug + Send + Sync {
    /// Writes bytes, from this position on.
    ///
    /// # Errors
    /// Whatever the place reports, such as that it is full.
    fn write_at(&mut self, position: u64, bytes: &[u8]) -> Result<()>;

    /// Fills `out` with bytes that were written, from this position on.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn read_at(&self, position: u64, out: &mut [u8]) -> Result<()>;
}

/// Space in memory, with a bound.
#[derive(Clone, Debug)]
pub struct InMemory {
    bytes: Vec<u8>,
    most: usize,
}

impl InMemory {
    /// At most so many bytes.
    pub const fn new(most: usize) -> Self {
        Self { bytes: Vec::new(), most }
    }
}

/// Without a bound.
impl Default for InMemory {
    fn default() -> Self {
        Self::new(usize::MAX)
    }
}

impl Scratch for InMemory {
    fn write_at(&mut self, position: u64, bytes: &[u8]) -> Result<()> {
        let start = usize::try_from(position).ok();
        let end = start.and_then(|start| start.checked_add(bytes.len())).filter(|end| *end <= self.most);
        let (Some(start), Some(end)) = (start, end) else {
            let cause = format!("it may take {} bytes", self.most);
            return Err(Problem::new(Code::LimitSpace).because(cause));
        };
        if end > self.bytes.len() {
            self.bytes.resize(end, 0);
        }
        if let Some(place) = self.bytes.get_mut(start..end) {
            place.copy_from_slice(bytes);
        }
        Ok(())
    }

    fn read_at(&self, position: u64, out: &mut [u8]) -> Result<()> {
        let start = usize::try_from(position).unwrap_or(usize::MAX);
        let bytes = start.checked_add(out.len()).and_then(|end| self.bytes.get(start..end));
        let bytes = bytes.ok_or_else(|| Problem::new(Code::IoOther).headline("a read goes past the end"))?;
        out.copy_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written() {
        let mut space = InMemory::new(10);
        space.write_at(4, &[1, 2, 3]).unwrap();
        space.write_at(5, &[9]).unwrap();
        let mut out = [0; 3];
        space.read_at(4, &mut out).unwrap();
        assert_eq!(out, [1, 9, 3]);
        assert!(space.read_at(5, &mut out).is_err());
        assert_eq!(space.write_at(8, &[0; 3]).unwrap_err().code(), Code::LimitSpace);
    }
}

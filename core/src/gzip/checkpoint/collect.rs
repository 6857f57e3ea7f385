//! Gathers checkpoints in bounded number: when there are too many, spans are joined in pairs.

use alloc::vec::Vec;

use super::super::crc32;
use super::{Checkpoint, WindowPlace};
use crate::problem::Result;

/// Takes possible checkpoints in order and keeps as many as there is room for.
#[derive(Clone, Debug)]
pub struct Collector {
    kept: Vec<Checkpoint>,
    /// Bytes of content so far.
    length: u64,
    crc: crc32::Hasher,
    span: u64,
    most: usize,
}

impl Collector {
    /// Spans of up to `span` bytes of content, unless a stretch is longer, and `most` of them at most (at least two); spans
    /// become longer when there is more content.
    pub fn new(span: u64, most: usize) -> Self {
        Self { kept: Vec::new(), length: 0, crc: crc32::Hasher::new(), span, most: most.max(2) }
    }

    /// The next stretch of content begins at bit `bit` of the file, is `length` bytes long and has
    /// this CRC-32. `window` puts the bytes before it somewhere, if it becomes a checkpoint.
    ///
    /// # Errors
    /// Those of `window`.
    pub fn add(
        &mut self,
        bit: u64,
        length: u64,
        crc: u32,
        window: impl FnOnce() -> Result<Option<WindowPlace>>,
    ) -> Result<()> {
        if length == 0 {
            return Ok(());
        }
        let offset = self.length;
        let joined = self.kept.last().is_some_and(|last| self.length - last.offset + length <= self.span);
        match self.kept.last_mut().filter(|_| joined) {
            Some(last) => last.crc = combine(last.crc, crc, length),
            None => self.kept.push(Checkpoint { bit, offset, crc, window: window()? }),
        }
        self.length += length;
        self.crc.combine(&crc32::Hasher::new_with_initial_len(crc, length));
        if self.kept.len() > self.most {
            self.thin();
        }
        Ok(())
    }

    /// The bytes of content so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// CRC-32 of the content so far.
    pub fn crc32(&self) -> u32 {
        self.crc.clone().finalize()
    }

    /// What was kept.
    pub fn finish(self) -> Vec<Checkpoint> {
        self.kept
    }

    /// Every second one goes, and from now on spans are twice as long.
    fn thin(&mut self) {
        self.span = self.span.saturating_mul(2);
        let mut ends: Vec<u64> = self.kept.iter().skip(1).map(|point| point.offset).collect();
        ends.push(self.length);
        let mut kept: Vec<Checkpoint> = Vec::with_capacity(self.kept.len() / 2 + 1);
        for (at, (point, end)) in self.kept.drain(..).zip(ends).enumerate() {
            match kept.last_mut().filter(|_| at % 2 == 1) {
                Some(last) => last.crc = combine(last.crc, point.crc, end - point.offset),
                None => kept.push(point),
            }
        }
        self.kept = kept;
    }
}

/// CRC-32 of two stretches, of which the second is `length` bytes long.
fn combine(first: u32, second: u32, length: u64) -> u32 {
    let mut crc = crc32::Hasher::new_with_initial(first);
    crc.combine(&crc32::Hasher::new_with_initial_len(second, length));
    crc.finalize()
}

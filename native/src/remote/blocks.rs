//! What was fetched here and there, in blocks.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

/// How long a block is, in bytes.
pub(super) const BLOCK: u64 = 64 << 10;

/// How many are kept: 16 MiB.
const MOST: usize = 256;

/// The newest blocks of a file, by their number.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// With the source that has brought each.
    kept: HashMap<u64, (Arc<[u8]>, usize)>,
    order: VecDeque<u64>,
}

impl Blocks {
    /// The block with this number.
    pub(super) fn get(&self, number: u64) -> Option<Arc<[u8]>> {
        self.kept.get(&number).map(|(block, _)| Arc::clone(block))
    }

    /// The first stretch of bytes that is missing of these, in whole blocks of a file of `len` bytes, and no longer than
    /// `most` bytes; `None` when all are there.
    pub(super) fn missing(&self, wanted: &Range<u64>, len: u64, most: u64) -> Option<Range<u64>> {
        let mut numbers = wanted.start / BLOCK..wanted.end.div_ceil(BLOCK);
        let first = numbers.find(|number| !self.kept.contains_key(number))?;
        let count = numbers.take_while(|number| !self.kept.contains_key(number)).count() as u64 + 1;
        let end = (first + count.min((most / BLOCK).max(1))) * BLOCK;
        Some(first * BLOCK..end.min(len))
    }

    /// Keeps what a source has brought from `start`, the beginning of a block, on. The last block may be that of the file.
    pub(super) fn put(&mut self, start: u64, bytes: &[u8], by: usize) {
        for (number, block) in (start / BLOCK..).zip(bytes.chunks(BLOCK as usize)) {
            if self.kept.insert(number, (block.into(), by)).is_none() {
                self.order.push_back(number);
            }
        }
        while self.order.len() > MOST {
            if let Some(oldest) = self.order.pop_front() {
                self.kept.remove(&oldest);
            }
        }
    }

    /// Puts right bytes in the place of wrong ones, where blocks with them are kept.
    pub(super) fn mend(&mut self, offset: u64, bytes: &[u8]) {
        for number in offset / BLOCK..(offset + bytes.len() as u64).div_ceil(BLOCK) {
            if let Some((block, _)) = self.kept.get_mut(&number) {
                let mut mended = block.to_vec();
                patch(number * BLOCK, &mut mended, offset, bytes);
                *block = mended.into();
            }
        }
    }

    /// The source that has brought a block.
    pub(super) fn by(&self, number: u64) -> Option<usize> {
        self.kept.get(&number).map(|(_, by)| *by)
    }
}

/// Puts `bytes`, which begin at `offset`, in the place of those of `out`, which begins at `start`, as far as these have them.
pub(super) fn patch(start: u64, out: &mut [u8], offset: u64, bytes: &[u8]) {
    let begin = start.max(offset);
    let end = (start + out.len() as u64).min(offset + bytes.len() as u64);
    let within = |of: u64| begin.saturating_sub(of) as usize..end.saturating_sub(of) as usize;
    if let (true, Some(out), Some(bytes)) =
        (begin < end, out.get_mut(within(start)), bytes.get(within(offset)))
    {
        out.copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_in_blocks() {
        let len = 5 * BLOCK + 7;
        let mut blocks = Blocks::default();
        assert_eq!(blocks.missing(&(1..2), len, u64::MAX), Some(0..BLOCK));
        assert_eq!(blocks.missing(&(BLOCK - 1..BLOCK + 1), len, u64::MAX), Some(0..2 * BLOCK));
        assert_eq!(blocks.missing(&(0..len), len, u64::MAX), Some(0..len));
        assert_eq!(blocks.missing(&(0..len), len, 2 * BLOCK), Some(0..2 * BLOCK));
        assert_eq!(blocks.missing(&(0..len), len, 1), Some(0..BLOCK));
        blocks.put(2 * BLOCK, &[7; 1 << 16], 3);
        assert_eq!(blocks.missing(&(0..len), len, u64::MAX), Some(0..2 * BLOCK));
        assert_eq!(blocks.missing(&(2 * BLOCK..len), len, u64::MAX), Some(3 * BLOCK..len));
        assert_eq!(blocks.missing(&(2 * BLOCK..3 * BLOCK), len, u64::MAX), None);
        assert_eq!(blocks.get(2).unwrap()[..], [7; 1 << 16]);
        assert_eq!((blocks.by(2), blocks.by(1)), (Some(3), None));
        blocks.mend(2 * BLOCK - 1, &[1, 2]);
        blocks.mend(3 * BLOCK - 1, &[3, 4]);
        let block = blocks.get(2).unwrap();
        assert_eq!((block[0], block[1], block[BLOCK as usize - 1]), (2, 7, 3));
    }

    #[test]
    fn the_oldest_go() {
        let mut blocks = Blocks::default();
        for number in 0..400 {
            blocks.put(number * BLOCK, &[1; 10], 0);
        }
        assert!(blocks.get(399 - MOST as u64).is_none() && blocks.get(400 - MOST as u64).is_some());
        assert_eq!((blocks.kept.len(), blocks.order.len()), (MOST, MOST));
    }
}

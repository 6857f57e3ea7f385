//! A queue out of which comes what is highest, such as the object with the highest offset. What is low waits longest,
//! and goes to temporary space when memory is short.

use alloc::boxed::Box;
use alloc::collections::BinaryHeap;
use alloc::vec::Vec;

use crate::problem::Result;
use crate::scratch::Scratch;

/// How many bytes of a run are read at once.
const PIECE: usize = 32 << 10;

/// As many items are in memory in any case.
const LEAST: usize = 1 << 8;

/// So many runs become one.
const RUNS: usize = 64;

/// Something that waits. In temporary space it takes `LEN` bytes.
pub(super) trait Item: Copy + Ord {
    const LEN: usize;

    /// Appends it.
    fn put(&self, out: &mut Vec<u8>);

    /// What was put into so many bytes.
    fn get(bytes: &[u8]) -> Self;
}

/// What waits.
pub(super) struct Falling<T> {
    near: BinaryHeap<T>,
    /// The highest of each run, and the number of the run.
    heads: BinaryHeap<(T, usize)>,
    runs: Vec<Run<T>>,
    scratch: Option<Box<dyn Scratch>>,
    /// How many bytes of it are used.
    end: u64,
    /// How many items may be in memory.
    most: usize,
}

/// Items in temporary space, the highest first.
struct Run<T> {
    /// Where the next one is that is not in memory.
    at: u64,
    /// How many there are from there on.
    left: u64,
    /// The next ones, the highest last.
    items: Vec<T>,
}

impl<T: Item> Falling<T> {
    /// An empty queue, which takes about so many bytes of memory before it uses temporary space, if there is any.
    pub(super) fn new(scratch: Option<Box<dyn Scratch>>, bytes: u64) -> Self {
        // The list is as long again while it grows.
        let most = usize::try_from(bytes / 2).unwrap_or(usize::MAX) / size_of::<T>();
        let (near, heads) = (BinaryHeap::new(), BinaryHeap::new());
        Self { near, heads, runs: Vec::new(), scratch, end: 0, most: most.max(LEAST) }
    }

    /// Adds an item.
    ///
    /// # Errors
    /// Whatever temporary space reports.
    pub(super) fn push(&mut self, item: T) -> Result<()> {
        if self.near.len() >= self.most && self.scratch.is_some() {
            self.put_away()?;
        }
        self.near.push(item);
        Ok(())
    }

    /// Takes the highest item out.
    ///
    /// # Errors
    /// Whatever temporary space reports.
    pub(super) fn pop(&mut self) -> Result<Option<T>> {
        if self.heads.peek().is_none_or(|(far, _)| self.near.peek().is_some_and(|near| near >= far)) {
            return Ok(self.near.pop());
        }
        self.pop_far()
    }

    /// The highest item, if it is in memory: all of what was put in behind the last one that was taken out is.
    pub(super) fn peek(&self) -> Option<&T> {
        self.near.peek().max(self.heads.peek().map(|(far, _)| far))
    }

    /// Memory that it takes, in bytes.
    pub(super) fn taken(&self) -> u64 {
        let runs = self.runs.len() * (size_of::<Run<T>>() + PIECE / T::LEN * size_of::<T>());
        (self.near.capacity() * size_of::<T>() + runs) as u64
    }

    fn pop_far(&mut self) -> Result<Option<T>> {
        let Some((item, number)) = self.heads.pop() else { return Ok(None) };
        if let Some(next) = self.next(number)? {
            self.heads.push((next, number));
        }
        Ok(Some(item))
    }

    /// The next item of a run.
    fn next(&mut self, number: usize) -> Result<Option<T>> {
        let (Some(run), Some(scratch)) = (self.runs.get_mut(number), &mut self.scratch) else {
            return Ok(None);
        };
        if run.items.is_empty() && run.left > 0 {
            let count = run.left.min((PIECE / T::LEN) as u64);
            let mut bytes = alloc::vec![0; count as usize * T::LEN];
            scratch.read_at(run.at, &mut bytes)?;
            run.items.extend(bytes.chunks_exact(T::LEN).rev().map(T::get));
            (run.at, run.left) = (run.at + bytes.len() as u64, run.left - count);
        }
        Ok(run.items.pop())
    }

    /// Makes the lower three quarters of what is in memory a run.
    fn put_away(&mut self) -> Result<()> {
        if self.runs.len() >= RUNS {
            self.merge()?;
        }
        let mut items = core::mem::take(&mut self.near).into_vec();
        items.sort_unstable();
        let high = items.split_off(items.len() / 4 * 3);
        let mut low = items.into_iter().rev();
        let run = self.run(|_| Ok(low.next()))?;
        self.add(run)?;
        self.near = high.into();
        Ok(())
    }

    /// Makes one run of all.
    fn merge(&mut self) -> Result<()> {
        let run = self.run(Self::pop_far)?;
        self.runs.clear();
        self.heads.clear();
        self.add(run)
    }

    /// Writes what comes, the highest first.
    fn run(&mut self, mut next: impl FnMut(&mut Self) -> Result<Option<T>>) -> Result<Run<T>> {
        let (at, mut left) = (self.end, 0);
        let mut bytes = Vec::with_capacity(PIECE + T::LEN);
        loop {
            let item = next(self)?;
            if let Some(item) = item {
                item.put(&mut bytes);
                left += 1;
            }
            if let (true, Some(scratch)) = (bytes.len() >= PIECE || item.is_none(), &mut self.scratch) {
                scratch.write_at(self.end, &bytes)?;
                self.end += bytes.len() as u64;
                bytes.clear();
            }
            if item.is_none() {
                return Ok(Run { at, left, items: Vec::new() });
            }
        }
    }

    fn add(&mut self, run: Run<T>) -> Result<()> {
        let number = self.runs.len();
        self.runs.push(run);
        let head = self.next(number)?;
        self.heads.extend(head.map(|head| (head, number)));
        Ok(())
    }
}

/// A global offset.
impl Item for u64 {
    const LEN: usize = size_of::<Self>();

    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.to_le_bytes());
    }

    fn get(bytes: &[u8]) -> Self {
        bytes.first_chunk().map_or(0, |bytes| Self::from_le_bytes(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::InMemory;

    /// Items that come while others are taken out, all of them lower than the last one, compared with a heap.
    #[test]
    fn what_is_highest_comes_first() {
        for scratch in [false, true] {
            let space = scratch.then(|| -> Box<dyn Scratch> { Box::new(InMemory::default()) });
            let mut queue = Falling::new(space, 0);
            let mut plain = BinaryHeap::new();
            let (mut seed, mut last, mut count) = (7_u64, 1 << 50, 0);
            queue.push(last).unwrap();
            plain.push(last);
            while let Some(item) = plain.pop() {
                assert_eq!((queue.peek().copied(), queue.pop().unwrap()), (Some(item), Some(item)));
                assert!(item <= last);
                (last, count) = (item, count + 1);
                for _ in 0..if count < 700 { 1_000 } else { 0 } {
                    seed =
                        seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    // Near and far below, and twice the same.
                    let below = item.saturating_sub(1 + (seed >> 11 >> (seed >> 59)));
                    queue.push(below).unwrap();
                    plain.push(below);
                }
            }
            assert_eq!(queue.pop().unwrap(), None);
            assert_eq!(queue.end > 0, scratch);
            assert!(queue.runs.len() <= RUNS);
            assert!(!scratch || queue.taken() < 40 << 20, "{}", queue.taken());
        }
    }

    /// Space that runs out is reported.
    #[test]
    fn space_that_runs_out() {
        let mut queue = Falling::new(Some(Box::new(InMemory::new(100_000))), 0);
        let failed = (0..1_000_000_u64).find_map(|item| queue.push(item).err());
        assert_eq!(failed.unwrap().code(), crate::code::Code::LimitSpace);
    }
}

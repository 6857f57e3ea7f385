//! Objects that were marked, from the last to the first: a byte or two for each.
//!
//! Marks come in chunks of some thousands of one part. In a chunk each is the distance from the one before, as a number
//! of seven bits a byte, the low ones first.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::table::Spot;
use crate::problem::Result;
use crate::scratch::Scratch;

/// How many marks a chunk has at most.
const CHUNK: u32 = 1 << 12;

/// Marks.
#[derive(Debug, Default)]
pub(super) struct Marks {
    chunks: Vec<Chunk>,
    /// The last one that was marked.
    last: Option<Spot>,
    /// Distances in memory, from byte `put_away` of all on.
    bytes: Vec<u8>,
    put_away: u64,
    /// Temporary space, and how many bytes may be in memory.
    room: Option<(Box<dyn Scratch>, usize)>,
}

/// Some marks of one part.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    /// The first, which is the highest.
    first: Spot,
    count: u32,
    len: u32,
    /// Where the distances of the others are.
    at: u64,
}

/// How far somebody who goes through marks has come.
#[derive(Debug)]
pub(super) struct Cursor {
    /// The number of the next chunk.
    next: usize,
    /// Whether it goes from the first object to the last.
    up: bool,
    /// What is left of the chunk, the next one last.
    spots: Vec<Spot>,
}

impl Marks {
    /// None yet. They take about so many bytes of memory before they use temporary space, if there is any.
    pub(super) fn new(scratch: Option<Box<dyn Scratch>>, bytes: u64) -> Self {
        let most = usize::try_from(bytes).unwrap_or(usize::MAX);
        Self { room: scratch.map(|scratch| (scratch, most)), ..Self::default() }
    }

    /// Marks an object before all others; one that is not before them is there already.
    ///
    /// # Errors
    /// Whatever temporary space reports.
    pub(super) fn push(&mut self, spot: Spot) -> Result<()> {
        let Some(last) = self.last.replace(spot) else { return self.begin(spot) };
        let Some(distance) = last.position.checked_sub(spot.position).filter(|_| spot.part == last.part)
        else {
            return self.begin(spot);
        };
        let Some(chunk) = self.chunks.last_mut().filter(|chunk| chunk.count < CHUNK) else {
            return self.begin(spot);
        };
        let (before, mut left) = (self.bytes.len(), distance);
        while left >= 0x80 {
            self.bytes.push(left as u8 | 0x80);
            left >>= 7;
        }
        self.bytes.push(left as u8);
        chunk.count += 1;
        chunk.len += (self.bytes.len() - before) as u32;
        Ok(())
    }

    /// The last one that was marked.
    pub(super) fn last(&self) -> Option<Spot> {
        self.last
    }

    /// Goes through all of them, from the first object to the last.
    pub(super) fn up(&self) -> Cursor {
        Cursor { next: self.chunks.len(), up: true, spots: Vec::new() }
    }

    /// Goes through all of them, from the last object to the first.
    pub(super) fn down(&self) -> Cursor {
        Cursor { next: 0, up: false, spots: Vec::new() }
    }

    /// The next one.
    ///
    /// # Errors
    /// Whatever temporary space reports.
    pub(super) fn next(&mut self, cursor: &mut Cursor) -> Result<Option<Spot>> {
        if let Some(spot) = cursor.spots.pop() {
            return Ok(Some(spot));
        }
        let number = if cursor.up { cursor.next.checked_sub(1) } else { Some(cursor.next) };
        let Some(chunk) = number.and_then(|number| self.chunks.get(number)).copied() else { return Ok(None) };
        cursor.next = if cursor.up { cursor.next - 1 } else { cursor.next + 1 };
        self.read(&chunk, &mut cursor.spots)?;
        if !cursor.up {
            cursor.spots.reverse();
        }
        Ok(cursor.spots.pop())
    }

    /// Memory that they take, in bytes.
    pub(super) fn taken(&self) -> u64 {
        (self.bytes.capacity() + self.chunks.capacity() * size_of::<Chunk>()) as u64
    }

    fn begin(&mut self, first: Spot) -> Result<()> {
        if let Some((scratch, most)) = &mut self.room
            && self.bytes.len() >= *most
        {
            scratch.write_at(self.put_away, &self.bytes)?;
            self.put_away += self.bytes.len() as u64;
            self.bytes.clear();
        }
        let at = self.put_away + self.bytes.len() as u64;
        self.chunks.push(Chunk { first, count: 1, len: 0, at });
        Ok(())
    }

    /// Reads a chunk, the highest first.
    fn read(&mut self, chunk: &Chunk, spots: &mut Vec<Spot>) -> Result<()> {
        let len = chunk.len as usize;
        let mut read = Vec::new();
        let bytes = match (chunk.at.checked_sub(self.put_away), &mut self.room) {
            (None, Some((scratch, _))) => {
                read.resize(len, 0);
                scratch.read_at(chunk.at, &mut read)?;
                &read[..]
            }
            (at, _) => {
                let rest = at.and_then(|at| self.bytes.get(usize::try_from(at).ok()?..));
                rest.and_then(|rest| rest.get(..len)).unwrap_or_default()
            }
        };
        spots.reserve(chunk.count as usize);
        let Spot { part, mut position } = chunk.first;
        spots.push(chunk.first);
        let (mut distance, mut shift) = (0_u64, 0);
        for byte in bytes {
            distance |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                position = position.wrapping_sub(distance);
                spots.push(Spot { part, position });
                (distance, shift) = (0, 0);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::InMemory;

    /// Marks of three parts at irregular distances, in memory and in temporary space, both ways.
    #[test]
    fn they_come_back_both_ways() {
        for most in [None, Some(0), Some(30_000)] {
            let space = most.map(|_| -> Box<dyn Scratch> { Box::new(InMemory::default()) });
            let mut marks = Marks::new(space, most.unwrap_or_default());
            let mut plain = Vec::new();
            for part in [4, 3, 0] {
                let mut position = 1 << (40 + part);
                for number in 0..30_000_u64 {
                    let spot = Spot { part, position };
                    plain.push(spot);
                    marks.push(spot).unwrap();
                    assert_eq!(marks.last(), Some(spot));
                    position -= 1 + number * number % 500 + if number % 7000 == 0 { 1 << 20 } else { 0 };
                }
            }
            let list = |marks: &mut Marks, mut cursor| {
                let mut spots = Vec::new();
                while let Some(spot) = marks.next(&mut cursor).unwrap() {
                    spots.push(spot);
                }
                spots
            };
            let (up, down) = (marks.up(), marks.down());
            assert!(list(&mut marks, down) == plain);
            plain.reverse();
            assert!(list(&mut marks, up) == plain);
            assert!(most.is_none() || marks.taken() < 100_000, "{}", marks.taken());
        }
        let mut none = Marks::default();
        let (mut up, mut down) = (none.up(), none.down());
        assert_eq!((none.next(&mut up).unwrap(), none.next(&mut down).unwrap()), (None, None));
    }
}

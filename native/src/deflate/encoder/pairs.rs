//! Finds repeats: a hash of four bytes leads to the last two places where they stood.

use super::repeats::{LONGEST, MARGIN, Sequence, WINDOW, WORD, common, word};

/// The shortest that is looked for.
const SHORTEST: usize = 4;
/// A match of this length is taken without looking for a longer one at the next byte.
const NICE: usize = 32;
/// After so many bytes without a match (as a power of two) every second byte only is looked at, and
/// so on: random bytes cost little.
const PATIENCE: u32 = 6;
/// Buckets of the hash table, as a power of two.
const BUCKETS: u32 = 15;

/// The last two places by hash, as the low 16 bits of their offsets, the newer one in the low half.
pub(super) struct Pairs {
    table: Box<[u32; 1 << BUCKETS]>,
}

impl Pairs {
    pub(super) fn new() -> Self {
        Self { table: Box::new([0; 1 << BUCKETS]) }
    }

    /// Forgets everything and learns the bytes that may be referred to.
    pub(super) fn begin(&mut self, dictionary: &[u8]) {
        self.table.fill(0);
        for at in 0..dictionary.len().saturating_sub(MARGIN) {
            self.insert(at, word(dictionary, at));
        }
    }

    /// Cuts `data` from `from` on into sequences, until `enough` bytes are cut, or a few more. Gives
    /// the end of the cut: what follows the last match up to there are literals.
    pub(super) fn cut(
        &mut self,
        data: &[u8],
        from: usize,
        enough: usize,
        sequences: &mut Vec<Sequence>,
    ) -> usize {
        let last = data.len().saturating_sub(MARGIN);
        let limit = last.min(from + enough);
        let (mut at, mut literals) = (from, from);
        while at < limit {
            let (mut length, mut distance) = self.find(data, at);
            if length < SHORTEST {
                at += 1 + ((at - literals) >> PATIENCE);
                continue;
            }
            let mut unknown = at + 1;
            while length < NICE && at + 1 < last {
                unknown = at + 2;
                let (longer, other) = self.find(data, at + 1);
                if longer <= length {
                    break;
                }
                (at, length, distance) = (at + 1, longer, other);
            }
            // Bytes that were stepped over may belong to it.
            while at > literals
                && length < LONGEST
                && at > distance
                && data[at - 1] == data[at - 1 - distance]
            {
                at -= 1;
                length += 1;
            }
            sequences.push(Sequence {
                literals: (at - literals) as u32,
                length: length as u16,
                distance: distance as u16,
            });
            let next = at + length;
            for inside in unknown..next.min(last) {
                self.insert(inside, word(data, inside));
            }
            (at, literals) = (next, next);
        }
        if at >= last { data.len() } else { at }
    }

    /// The longer match of the two at `at`, with its distance; (0, 0) when there is none.
    #[inline(always)]
    fn find(&mut self, data: &[u8], at: usize) -> (usize, usize) {
        let here = word(data, at);
        let places = self.insert(at, here);
        let (mut length, mut distance) = probe(data, at, here, places as u16);
        let (other, back) = probe(data, at, here, (places >> 16) as u16);
        if length == WORD {
            length = common(data, at, distance, WORD);
            if other == WORD {
                let other = common(data, at, back, WORD);
                if other > length {
                    (length, distance) = (other, back);
                }
            }
        } else if other > length {
            (length, distance) = (other, back);
            if length == WORD {
                length = common(data, at, distance, WORD);
            }
        }
        (length, distance)
    }

    /// Remembers the place and gives those that were there before.
    #[inline(always)]
    fn insert(&mut self, at: usize, word: u64) -> u32 {
        let hash = (word as u32).wrapping_mul(0x9e37_79b1) >> (32 - BUCKETS);
        let bucket = &mut self.table[hash as usize];
        let before = *bucket;
        *bucket = before << 16 | u32::from(at as u16);
        before
    }
}

/// How many bytes of the word `here` at `at` are the same at a place, and how far back it is.
/// Without branches that data could make unpredictable.
#[inline(always)]
fn probe(data: &[u8], at: usize, here: u64, place: u16) -> (usize, usize) {
    let back = usize::from((at as u16).wrapping_sub(place));
    // All ones when it may be used.
    let usable = usize::from(back.wrapping_sub(1) < WINDOW.min(at)).wrapping_neg();
    let there = word(data, at - (back & usable));
    let same = ((here ^ there).trailing_zeros() / 8) as usize;
    (same & usable, back)
}

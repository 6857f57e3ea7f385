//! Finds repeats: a hash of four bytes leads to the last places where they stood.

/// How far back a match may lie, in bytes.
pub(super) const WINDOW: usize = 32 * 1024;
/// The longest match of deflate.
const LONGEST: usize = 258;
/// The shortest that is looked for.
const SHORTEST: usize = 4;
/// A match of this length is taken without looking for a longer one at the next byte.
const NICE: usize = 32;
/// After so many bytes without a match (as a power of two) every second byte only is looked at, and
/// so on: random bytes cost little.
const PATIENCE: u32 = 6;
/// Buckets of the hash table, as a power of two.
const BUCKETS: u32 = 15;
/// Bytes that are compared at once.
const WORD: usize = 8;
/// The last bytes are not looked at, so that whole words can be read.
const MARGIN: usize = WORD;

/// Literals, then a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) literals: u32,
    /// 4 to 258 bytes.
    pub(super) length: u16,
    /// 1 to 32 768 bytes back.
    pub(super) distance: u16,
}

/// The last two places by hash, as the low 16 bits of their offsets, the newer one in the low half.
pub(super) struct Matcher {
    table: Box<[u32; 1 << BUCKETS]>,
}

impl Matcher {
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

    /// Cuts `data` from `from` on into sequences, until `enough` bytes are cut, or a few more, or
    /// `most` sequences made. Gives the end of the cut: what follows the last match up to there are
    /// literals.
    pub(super) fn cut(
        &mut self,
        data: &[u8],
        from: usize,
        enough: usize,
        sequences: &mut Vec<Sequence>,
        most: usize,
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
            if sequences.len() >= most {
                return at;
            }
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
            length += common(data, at + WORD, distance);
            if other == WORD {
                let other = WORD + common(data, at + WORD, back);
                if other > length {
                    (length, distance) = (other, back);
                }
            }
        } else if other > length {
            (length, distance) = (other, back);
            if length == WORD {
                length += common(data, at + WORD, distance);
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

/// Eight bytes.
#[inline(always)]
fn word(data: &[u8], at: usize) -> u64 {
    match data.get(at..at + WORD).and_then(|bytes| bytes.try_into().ok()) {
        Some(bytes) => u64::from_le_bytes(bytes),
        None => 0,
    }
}

/// How many bytes at `at` are the same `distance` before, so that a match does not become too long.
#[inline(always)]
fn common(data: &[u8], at: usize, distance: usize) -> usize {
    let most = (LONGEST - WORD).min(data.len() - at);
    let mut length = 0;
    while length + WORD <= most {
        let differ = word(data, at + length) ^ word(data, at + length - distance);
        if differ != 0 {
            return length + (differ.trailing_zeros() / 8) as usize;
        }
        length += WORD;
    }
    while length < most && data[at + length] == data[at + length - distance] {
        length += 1;
    }
    length
}

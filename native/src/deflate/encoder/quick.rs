//! Finds repeats quickly: a hash of four bytes leads to the last place where they stood, and what is the
//! same there is taken.

use super::repeats::{LONGEST, MARGIN, STRIDE, Sequence, WINDOW, WORD, hash};
use super::window::Window;

/// Buckets by the hash of four bytes, as a power of two.
const BUCKETS: u32 = 14;
/// The shortest match that is taken.
const SHORTEST: usize = 4;
/// After so many bytes without a match (as a power of two) every second byte only is looked at, and so
/// on: random bytes cost little.
const PATIENCE: u32 = 6;
/// Of the bytes that a match covers, one of so many is remembered.
const EVERY: usize = 2;

/// Places in the window by what stands there; 0 is none.
pub(super) struct Quick {
    window: Window,
    newest: Box<[u16; 1 << BUCKETS]>,
    /// Offset in the data behind the last match.
    behind: usize,
}

impl Quick {
    pub(super) fn new() -> Self {
        Self { window: Window::new(), newest: Box::new([0; 1 << BUCKETS]), behind: 0 }
    }

    /// Forgets everything and learns the `known` first bytes of `data`, which may be referred to.
    pub(super) fn begin(&mut self, data: &[u8], known: usize) {
        self.newest.fill(0);
        self.behind = known;
        self.window.begin(data);
        for place in WINDOW..WINDOW + known.min(data.len().saturating_sub(MARGIN)) {
            self.insert(place, self.window.word(place));
        }
    }

    /// Makes room for another window of places.
    #[cold]
    #[inline(never)]
    fn slide(&mut self, data: &[u8]) {
        self.window.slide(data);
        self.newest.iter_mut().for_each(|place| *place = place.saturating_sub(WINDOW as u16));
    }

    /// Cuts `data` from `from` on into sequences, until `enough` bytes are cut, or a few more. Gives
    /// the end of the cut: what follows the last match up to there are literals.
    #[inline(never)]
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
            if at.wrapping_add(self.window.shift()) >= 2 * WINDOW - LONGEST {
                self.slide(data);
            }
            let shift = self.window.shift();
            let place = at.wrapping_add(shift);
            let here = self.window.word(place);
            let old = usize::from(self.insert(place, here));
            // Without branches that data could make unpredictable.
            let distance = place - old;
            let same = ((here ^ self.window.word(old)).trailing_zeros() / 8) as usize;
            let usable = u32::from((distance < WINDOW) & (old != 0)).wrapping_neg() as usize;
            let same = same & usable;
            if same < SHORTEST {
                at += 1 + ((at - self.behind) >> PATIENCE).min(STRIDE - 1);
                continue;
            }
            let mut length = same;
            if same == WORD {
                let most = LONGEST.min(data.len() - at);
                length = self.window.common(place, old, WORD, most);
            }
            let behind = at + length;
            // Bytes that were stepped over may belong to it.
            while at > literals
                && length < LONGEST
                && at > distance
                && data[at - 1] == data[at - 1 - distance]
            {
                at -= 1;
                length += 1;
            }
            let before = (at - literals) as u32;
            sequences.push(Sequence { literals: before, length: length as u16, distance: distance as u16 });
            let (mut covered, end) = (place + 1, behind.min(last).wrapping_add(shift));
            while covered < end {
                self.insert(covered, self.window.word(covered));
                covered += EVERY;
            }
            (at, literals, self.behind) = (behind, behind, behind);
        }
        if at >= last { data.len() } else { at }
    }

    /// Remembers the place, and gives that which was there before.
    #[inline(always)]
    fn insert(&mut self, place: usize, word: u64) -> u16 {
        core::mem::replace(&mut self.newest[hash(word as u32, BUCKETS)], place as u16)
    }
}

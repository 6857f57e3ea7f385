//! Finds repeats thoroughly: all places with the same hash, from the newest to older ones. A match is
//! taken only when no better one begins a byte or two later.

use super::counts::Prices;
use super::level::Looks;
use super::repeats::{LONGEST, MARGIN, STRIDE, Sequence, WINDOW, hash};
use super::window::Window;

/// Buckets by the hash of four bytes and of three, as powers of two.
const BUCKETS: u32 = 15;
const BUCKETS3: u32 = 14;
/// Where a search begins, there is room for so many places more: a match that is put off again and
/// again, and then is of the greatest length.
const AHEAD: usize = 3 * LONGEST;
/// A match of three bytes has to save so many sixteenths of a bit.
const WORTH: i32 = 32;
/// Where a cut saves less by such matches, in sixteenths of a bit, they are not looked for in some of the next
/// ones.
const REWARD: i32 = 500;
const PAUSE: u32 = 7;
/// What a match has to be better by that begins one byte later, and two, in quarters of a byte.
const LATER: i32 = 2;
const MUCH_LATER: i32 = 6;

/// Places in the window by what stands there; 0 is none.
pub(super) struct Chains {
    effort: Looks,
    window: Window,
    /// The newest place by the hash of four bytes.
    newest: Box<[u16; 1 << BUCKETS]>,
    /// The one before it that has the same hash, by the low bits of the place.
    older: Box<[u16; WINDOW]>,
    /// The newest place by the hash of three bytes.
    threes: Box<[u16; 1 << BUCKETS3]>,
    /// For so many cuts matches of three bytes are not looked for.
    pause: u32,
    /// Offset in the data behind the last match.
    behind: usize,
}

/// A match; without one both are 0.
#[derive(Clone, Copy, Default)]
struct Match {
    length: usize,
    distance: usize,
}

impl Match {
    /// Whether it is worth so many quarters of a byte more than an earlier match.
    #[inline(always)]
    fn beats(self, earlier: Self, least: i32) -> bool {
        let log = |distance: usize| (distance as u32 | 1).ilog2() as i32;
        4 * (self.length as i32 - earlier.length as i32) + log(earlier.distance) - log(self.distance) > least
    }
}

/// A hash and the newest place that has it, fetched before it is needed.
#[derive(Clone, Copy, Default)]
struct Next {
    hash: usize,
    newest: u16,
}

impl Chains {
    pub(super) fn new(effort: Looks) -> Self {
        Self {
            effort,
            window: Window::new(),
            newest: Box::new([0; 1 << BUCKETS]),
            older: Box::new([0; WINDOW]),
            threes: Box::new([0; 1 << BUCKETS3]),
            pause: 0,
            behind: 0,
        }
    }

    /// Forgets everything and learns the `known` first bytes of `data`, which may be referred to.
    pub(super) fn begin(&mut self, data: &[u8], known: usize) {
        self.newest.fill(0);
        self.threes.fill(0);
        (self.pause, self.behind) = (0, known);
        self.window.begin(data);
        let known = known.min(data.len().saturating_sub(MARGIN));
        self.learn(WINDOW, WINDOW + known, self.next(WINDOW));
    }

    /// Makes room for another window of places.
    #[cold]
    #[inline(never)]
    fn slide(&mut self, data: &[u8]) {
        self.window.slide(data);
        for places in [&mut self.newest[..], &mut self.older[..], &mut self.threes[..]] {
            places.iter_mut().for_each(|place| *place = place.saturating_sub(WINDOW as u16));
        }
    }

    /// Cuts `data` from `from` on into sequences, until `enough` bytes are cut, or a few more. Gives
    /// the end of the cut: what follows the last match up to there are literals.
    pub(super) fn cut(
        &mut self,
        data: &[u8],
        from: usize,
        enough: usize,
        prices: &Prices,
        sequences: &mut Vec<Sequence>,
    ) -> usize {
        let limit = data.len().min(from + enough);
        if self.pause > 0 {
            self.pause -= 1;
            return self.search::<false>(data, from, limit, prices, sequences).0;
        }
        let (end, saved) = self.search::<true>(data, from, limit, prices, sequences);
        if saved < REWARD {
            self.pause = PAUSE;
        }
        end
    }

    /// The same, and what was saved by matches of three bytes, if those were looked for.
    #[inline(never)]
    fn search<const THREES: bool>(
        &mut self,
        data: &[u8],
        from: usize,
        limit: usize,
        prices: &Prices,
        sequences: &mut Vec<Sequence>,
    ) -> (usize, i32) {
        let Looks { depth, nice, twice, patience } = self.effort;
        let last = data.len().saturating_sub(MARGIN);
        let (mut at, mut literals, mut saved) = (from, from, 0);
        let (mut next, mut fetched) = (Next::default(), usize::MAX);
        while at < limit.min(last) {
            if at.wrapping_add(self.window.shift()) >= 2 * WINDOW - AHEAD {
                self.slide(data);
                fetched = usize::MAX;
            }
            let shift = self.window.shift();
            let end = data.len().wrapping_add(shift);
            let mut place = at.wrapping_add(shift);
            if fetched != at {
                next = self.next(place);
            }
            let mut best = self.find(place, &mut next, 3, end, depth, |_, _| ());
            if THREES {
                let (three, distance) = self.three(place);
                if three && best.length < 4 {
                    let worth = prices.saved(self.window.half(place), distance);
                    if worth > WORTH {
                        saved += worth;
                        best = Match { length: 3, distance };
                    }
                }
            }
            if best.length == 0 {
                fetched = at + 1;
                at += 1 + ((at - self.behind) >> patience).min(STRIDE - 1);
                continue;
            }
            let mut unknown = place + 1;
            while best.length < nice && unknown < end - MARGIN {
                let other = self.find(unknown, &mut next, best.length, end, depth / 2, |_, _| ());
                unknown += 1;
                if other.length > 0 && other.beats(best, LATER) {
                    (best, place) = (other, unknown - 1);
                    continue;
                }
                if !twice || unknown >= end - MARGIN {
                    break;
                }
                let other = self.find(unknown, &mut next, best.length, end, depth / 4, |_, _| ());
                unknown += 1;
                if other.length == 0 || !other.beats(best, MUCH_LATER) {
                    break;
                }
                (best, place) = (other, unknown - 1);
            }
            let Match { mut length, distance } = best;
            at = place.wrapping_sub(shift);
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
            next = self.learn(unknown, behind.min(last).wrapping_add(shift), next);
            (at, literals, fetched, self.behind) = (behind, behind, behind, behind);
        }
        (if at >= last { data.len() } else { at }, saved)
    }

    /// Remembers the place of `at`, and gives all matches there, each longer and farther than the one before; with
    /// `only` none. Gives the length of the last one, if it is so long that others need not be looked for.
    pub(super) fn all(
        &mut self,
        data: &[u8],
        at: usize,
        only: bool,
        mut found: impl FnMut(usize, usize),
    ) -> Option<usize> {
        if at.wrapping_add(self.window.shift()) >= 2 * WINDOW - AHEAD {
            self.slide(data);
        }
        let shift = self.window.shift();
        let (place, end) = (at.wrapping_add(shift), data.len().wrapping_add(shift));
        let mut next = self.next(place);
        let (three, distance) = self.three(place);
        if only {
            self.insert(place, next);
            return None;
        }
        if three {
            found(3, distance);
        }
        let best = self.find(place, &mut next, 3, end, self.effort.depth, found);
        (best.length >= self.effort.nice).then_some(best.length)
    }

    /// The longest match at a place that is longer than `than`, which is at least 3; the data end at
    /// the place `end`. `next` is that of the place, and becomes that of the following one. `found`
    /// hears of each that is longer than those before.
    #[inline(always)]
    fn find(
        &mut self,
        place: usize,
        next: &mut Next,
        than: usize,
        end: usize,
        depth: u32,
        mut found: impl FnMut(usize, usize),
    ) -> Match {
        let mut candidate = usize::from(next.newest);
        *next = self.insert(place, *next);
        let oldest = place.saturating_sub(WINDOW);
        let here = self.window.half(place);
        let most = LONGEST.min(end - place);
        let mut best = Match { length: than, distance: 0 };
        let mut tail = self.window.half(place + than - 3);
        let mut left = depth;
        while candidate > oldest && left > 0 {
            if self.window.half(candidate + best.length - 3) == tail && self.window.half(candidate) == here {
                let length = self.window.common(candidate, place, 4, most);
                if length > best.length {
                    best = Match { length, distance: place - candidate };
                    found(length, best.distance);
                    if length >= self.effort.nice.min(most) {
                        return best;
                    }
                    tail = self.window.half(place + length - 3);
                }
            }
            candidate = usize::from(self.older[candidate % WINDOW]);
            left -= 1;
        }
        if best.distance == 0 { Match::default() } else { best }
    }

    /// Whether the newest place of the same three bytes is one, and how far back it is. Without branches that data could make
    /// unpredictable.
    #[inline(always)]
    fn three(&mut self, place: usize) -> (bool, usize) {
        let here = self.window.half(place) << 8;
        let newest = &mut self.threes[hash(here, BUCKETS3)];
        let before = usize::from(core::mem::replace(newest, place as u16));
        let distance = place - before;
        ((self.window.half(before) << 8 == here) & (distance < WINDOW), distance)
    }

    #[inline(always)]
    fn next(&self, place: usize) -> Next {
        let hash = hash(self.window.half(place), BUCKETS);
        Next { hash, newest: self.newest[hash] }
    }

    /// Remembers a place, whose `next` is given, and gives that of the following one.
    #[inline(always)]
    fn insert(&mut self, place: usize, next: Next) -> Next {
        self.older[place % WINDOW] = next.newest;
        self.newest[next.hash] = place as u16;
        self.next(place + 1)
    }

    /// Remembers places.
    #[inline(always)]
    fn learn(&mut self, from: usize, to: usize, mut next: Next) -> Next {
        for place in from..to {
            next = self.insert(place, next);
        }
        next
    }
}

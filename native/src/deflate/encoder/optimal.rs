//! The cheapest way to say the bytes, by what each symbol takes: all matches are looked for, and then, from the end of
//! a stretch to its beginning, the best step at each byte is chosen.

use super::chains::Chains;
use super::counts::Prices;
use super::repeats::{MARGIN, Sequence};

/// So many matches are kept at once, about.
const MOST: usize = 256 * 1024;

/// Matches of a stretch of the data, and room to choose among them.
pub(super) struct Optimal {
    chains: Chains,
    /// All matches of all bytes looked at, at each byte the shorter and nearer first.
    matches: Vec<Step>,
    /// Where those of each byte begin.
    firsts: Vec<u32>,
    /// Offset in the data of the first byte of these.
    from: usize,
    /// Before this offset a long match makes it useless to look for others.
    covered: usize,
    /// From each byte to the end of the stretch: the price, and the first step.
    prices: Vec<u32>,
    steps: Vec<Step>,
}

/// A literal, whose length is 1, or a match.
#[derive(Clone, Copy)]
struct Step {
    length: u16,
    distance: u16,
}

impl Optimal {
    pub(super) fn new(chains: Chains) -> Self {
        let (matches, firsts, prices, steps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { chains, matches, firsts, from: 0, covered: 0, prices, steps }
    }

    /// Forgets everything and learns the `known` first bytes of `data`, which may be referred to.
    pub(super) fn begin(&mut self, data: &[u8], known: usize) {
        self.chains.begin(data, known);
        self.matches.clear();
        self.firsts.clear();
        (self.from, self.covered) = (known, known);
    }

    /// Whether so many matches are kept that a block should end.
    pub(super) fn is_full(&self) -> bool {
        self.matches.len() >= MOST
    }

    /// Finds the matches of the bytes up to `to`.
    pub(super) fn look(&mut self, data: &[u8], to: usize) {
        let last = data.len().saturating_sub(MARGIN);
        for at in self.from + self.firsts.len()..to {
            self.firsts.push(self.matches.len() as u32);
            if at >= last {
                continue;
            }
            let known = self.matches.len();
            let matches = &mut self.matches;
            let long = self.chains.all(data, at, at < self.covered, |length, distance| {
                matches.push(Step { length: length as u16, distance: distance as u16 });
            });
            if let Some(length) = long {
                // The longest is as good as any part of it.
                matches.drain(known..matches.len() - 1);
                self.covered = at + length;
            }
        }
    }

    /// Cuts the bytes from `from` to `to`, which were looked at, into sequences and the literals that follow the last.
    pub(super) fn parse(
        &mut self,
        data: &[u8],
        from: usize,
        to: usize,
        prices: &Prices,
        sequences: &mut Vec<Sequence>,
    ) {
        let count = to - from;
        self.prices.clear();
        self.prices.resize(count + 1, 0);
        self.steps.clear();
        self.steps.resize(count, Step { length: 1, distance: 0 });
        let mut end = self.firsts.get(to - self.from).map_or(self.matches.len(), |&first| first as usize);
        for at in (0..count).rev() {
            let mut best = prices.literal(data[from + at]) + self.prices[at + 1];
            let mut step = Step { length: 1, distance: 0 };
            let first = self.firsts[from + at - self.from] as usize;
            let mut shortest = 3;
            for found in &self.matches[first..end] {
                let far = prices.distance(found.distance);
                let longest = usize::from(found.length).min(count - at);
                // A shorter one is nearer, so it is cheaper where it suffices.
                for length in shortest..=longest {
                    let price = far + prices.length(length) + self.prices[at + length];
                    if price < best {
                        (best, step) = (price, Step { length: length as u16, distance: found.distance });
                    }
                }
                shortest = longest + 1;
            }
            end = first;
            (self.prices[at], self.steps[at]) = (best, step);
        }
        sequences.clear();
        let (mut at, mut literals) = (0, 0);
        while at < count {
            let Step { length, distance } = self.steps[at];
            if distance == 0 && length == 1 {
                literals += 1;
            } else {
                sequences.push(Sequence { literals, length, distance });
                literals = 0;
            }
            at += usize::from(length);
        }
    }

    /// Forgets the matches of the bytes before `to`.
    pub(super) fn forget(&mut self, to: usize) {
        let bytes = to - self.from;
        let gone = self.firsts.get(bytes).map_or(self.matches.len(), |&first| first as usize);
        self.matches.drain(..gone);
        self.firsts.drain(..bytes);
        self.firsts.iter_mut().for_each(|first| *first -= gone as u32);
        self.from = to;
    }
}

//! Gathers sequences until the bytes change their nature: a block goes as far as its codes fit.

use super::bits::BitWriter;
use super::block;
use super::counts::{Counts, Prices};
use super::repeats::Sequence;
use super::search::Search;

/// So many bytes are added or left out at once.
pub(super) const CHUNK: usize = 2 * 1024;
/// A block has at most so many bytes, and a chunk more.
const MOST: usize = 256 * 1024;
/// About how many bits the description of another block takes.
const DESCRIPTION: f32 = 500.0;

/// A block in the making.
pub(super) struct Block {
    sequences: Vec<Sequence>,
    from: usize,
    to: usize,
    /// Where the literals behind the last sequence begin.
    literals: usize,
    counts: Counts,
    bits: f32,
    /// What symbols take in here.
    prices: Prices,
}

impl Block {
    pub(super) fn new() -> Self {
        Self {
            sequences: Vec::new(),
            from: 0,
            to: 0,
            literals: 0,
            counts: Counts::none(),
            bits: 0.0,
            prices: Prices::guess(),
        }
    }

    /// What symbols take in the block so far.
    pub(super) fn prices(&self) -> &Prices {
        &self.prices
    }

    /// Begins anew at this offset.
    pub(super) fn begin(&mut self, from: usize) {
        self.sequences.clear();
        (self.from, self.to, self.literals) = (from, from, from);
        (self.counts, self.bits, self.prices) = (Counts::none(), 0.0, Prices::guess());
    }

    /// Adds a chunk of `data`, which ends at `to`; writes what came before, if that fits badly or is
    /// enough.
    pub(super) fn add(
        &mut self,
        bits: &mut BitWriter<'_>,
        data: &[u8],
        to: usize,
        chunk: &mut [Sequence],
        search: &mut Search,
    ) {
        let counts = Counts::of(&data[self.to..to], chunk);
        let alone = counts.bits();
        let mut both = self.counts.with(&counts);
        let mut together = both.bits();
        let enough = to - self.from > MOST || search.is_full();
        if self.to > self.from && (enough || together > self.bits + alone + DESCRIPTION) {
            self.write(bits, data, false, search);
            self.begin(self.to);
            (both, together) = (counts, alone);
        }
        if let Some(first) = chunk.first_mut() {
            first.literals += (self.to - self.literals) as u32;
            let covered: usize =
                chunk.iter().map(|each| each.literals as usize + usize::from(each.length)).sum();
            self.literals += covered;
        }
        self.sequences.extend_from_slice(chunk);
        (self.to, self.counts, self.bits) = (to, both, together);
        self.prices = Prices::of(&self.counts);
    }

    /// Writes what there is.
    pub(super) fn write(&mut self, bits: &mut BitWriter<'_>, data: &[u8], last: bool, search: &mut Search) {
        search.improve(data, (self.from, self.to), &mut self.counts, &mut self.sequences);
        block::write(bits, &data[self.from..self.to], &self.sequences, &self.counts, last);
    }
}

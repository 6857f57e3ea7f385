//! How often each symbol occurs, and about how many bits that takes.

use super::huffman::{DIST, LITLEN};
use super::repeats::Sequence;
use super::symbols::{END, LENGTH_EXTRA, LENGTH_SYMBOL, LENGTHS, distance_symbol};

/// How often each symbol occurs.
#[derive(Clone)]
pub(super) struct Counts {
    pub(super) litlen: [u32; LITLEN],
    pub(super) dist: [u32; DIST],
    /// Extra bits of all lengths and distances.
    pub(super) extra: usize,
}

impl Counts {
    /// Nothing but the end.
    pub(super) const fn none() -> Self {
        let mut litlen = [0; LITLEN];
        litlen[END] = 1;
        Self { litlen, dist: [0; DIST], extra: 0 }
    }

    /// Those of `data`, cut into `sequences` and the literals that follow the last.
    #[inline(never)]
    pub(super) fn of(data: &[u8], sequences: &[Sequence]) -> Self {
        // Equal bytes often follow each other; counting them in turns keeps the sums independent.
        let mut bytes = [[0u32; 256]; 2];
        let mut counts = Self::none();
        let mut count = |literals: &[u8]| {
            let mut fours = literals.chunks_exact(2);
            for four in &mut fours {
                for (table, &byte) in bytes.iter_mut().zip(four) {
                    table[usize::from(byte)] += 1;
                }
            }
            fours.remainder().iter().for_each(|&byte| bytes[0][usize::from(byte)] += 1);
        };
        let mut rest = data;
        for sequence in sequences {
            let (literals, tail) = rest.split_at(sequence.literals as usize);
            count(literals);
            rest = &tail[usize::from(sequence.length)..];
            let length = usize::from(LENGTH_SYMBOL[usize::from(sequence.length - 3) & 255]);
            counts.litlen[END + 1 + length] += 1;
            let (dist, extra) = distance_symbol(sequence.distance);
            counts.dist[dist] += 1;
            counts.extra += usize::from(LENGTH_EXTRA[length]) + extra as usize;
        }
        count(rest);
        for (at, sum) in counts.litlen[..END].iter_mut().enumerate() {
            *sum = bytes.iter().map(|table| table[at]).sum();
        }
        counts
    }

    /// Those of both, as one block.
    #[inline(never)]
    pub(super) fn with(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        sum.litlen.iter_mut().zip(&other.litlen).for_each(|(sum, more)| *sum += more);
        sum.dist.iter_mut().zip(&other.dist).for_each(|(sum, more)| *sum += more);
        sum.litlen[END] = 1;
        sum.extra += other.extra;
        sum
    }

    /// About how many bits they take, without the description of the codes.
    #[inline(never)]
    pub(super) fn bits(&self) -> f32 {
        entropy(&self.litlen) + entropy(&self.dist) + self.extra as f32
    }
}

/// About what single symbols take, in sixteenths of a bit.
pub(super) struct Prices {
    literal: [u16; 256],
    /// Of each length, less 3, with its extra bits.
    length: [u16; 256],
    /// Of each distance symbol, with its extra bits.
    dist: [u16; DIST],
}

impl Prices {
    /// Before anything is known.
    pub(super) const fn guess() -> Self {
        Self { literal: [7 * 16; 256], length: [7 * 16; 256], dist: [10 * 16; DIST] }
    }

    /// By how often each symbol has occurred.
    pub(super) fn of(counts: &Counts) -> Self {
        let mut prices = Self::guess();
        let price = |count: u32, all: f32| (16.0 * (all - log(count * 4 + 1))) as u16;
        let all = log(counts.litlen.iter().sum::<u32>() * 4);
        for (slot, &count) in prices.literal.iter_mut().zip(&counts.litlen) {
            *slot = price(count, all);
        }
        let mut lengths = [0; LENGTHS];
        for (symbol, slot) in lengths.iter_mut().enumerate() {
            *slot = price(counts.litlen[END + 1 + symbol], all) + 16 * u16::from(LENGTH_EXTRA[symbol]);
        }
        for (slot, &symbol) in prices.length.iter_mut().zip(&LENGTH_SYMBOL) {
            *slot = lengths[usize::from(symbol)];
        }
        let all = log(counts.dist.iter().sum::<u32>() * 4 + 30);
        for (symbol, (slot, &count)) in prices.dist.iter_mut().zip(&counts.dist).enumerate() {
            *slot = price(count, all) + 16 * (symbol as u16 / 2).saturating_sub(1);
        }
        prices
    }

    #[inline(always)]
    pub(super) fn literal(&self, byte: u8) -> u32 {
        u32::from(self.literal[usize::from(byte)])
    }

    #[inline(always)]
    pub(super) fn length(&self, length: usize) -> u32 {
        u32::from(self.length[(length - 3) % 256])
    }

    #[inline(always)]
    pub(super) fn distance(&self, distance: u16) -> u32 {
        u32::from(self.dist[distance_symbol(distance).0 % DIST])
    }

    /// By how much these three bytes are dearer than their repetition at a distance; negative when they are cheaper.
    #[inline(always)]
    pub(super) fn saved(&self, bytes: u32, distance: usize) -> i32 {
        let [a, b, c, _] = bytes.to_le_bytes().map(|byte| self.literal(byte));
        (a + b + c) as i32 - (self.length(3) + self.distance(distance as u16)) as i32
    }
}

/// Bits of so many symbols, if a code could have parts of bits.
fn entropy(counts: &[u32]) -> f32 {
    // Several sums at once, so that the machine can add in parallel.
    let (mut sums, mut totals) = ([0.0; 4], [0; 4]);
    let mut fours = counts.chunks_exact(4);
    for four in &mut fours {
        for lane in 0..4 {
            totals[lane] += four[lane];
            sums[lane] += four[lane] as f32 * log(four[lane]);
        }
    }
    let rest = fours.remainder();
    let total = totals.iter().chain(rest).sum::<u32>();
    let sum = sums.iter().sum::<f32>() + rest.iter().map(|&count| count as f32 * log(count)).sum::<f32>();
    total as f32 * log(total) - sum
}

/// About the logarithm of base 2; some finite number for 0.
#[inline(always)]
fn log(value: u32) -> f32 {
    let bits = (value as i32 as f32).to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let mantissa = f32::from_bits(bits & 0x007f_ffff | 0x3f80_0000);
    // A cubic that is right at 1 and at 2.
    let fraction = ((0.158_248_71 * mantissa - 1.051_875_1) * mantissa + 3.047_882_4) * mantissa - 2.154_256;
    exponent as f32 + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sixteen symbols that are alike take four bits each, and what is certain takes none.
    #[test]
    fn bits_are_those_of_shannon() {
        for (counts, bits) in [(vec![1000; 16], 64_000.0), (vec![0, 5000, 0], 0.0), (vec![1, 1, 2, 4], 14.0)]
        {
            let found = entropy(&counts);
            assert!((found - bits).abs() <= 0.01 * counts.iter().sum::<u32>() as f32, "{counts:?} {found}");
        }
    }

    #[test]
    fn symbols_that_are_rare_are_dear() {
        let mut counts = Counts::none();
        counts.litlen[0] = 1000;
        counts.litlen[1] = 10;
        counts.dist[0] = 100;
        let prices = Prices::of(&counts);
        assert!(
            prices.literal[0] < 16 && prices.literal[1] > 5 * 16 && prices.literal[2] > prices.literal[1]
        );
        // Three of what is cheap are cheaper than a match, three of what is dear are not.
        assert!(prices.saved(0, 1) < 0 && prices.saved(0x0005_0403, 1) > 0);
        assert!(prices.saved(0x0005_0403, 1) > prices.saved(0x0005_0403, 30_000));
    }
}

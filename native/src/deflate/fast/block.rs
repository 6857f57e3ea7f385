//! Writes one deflate block from sequences: with codes of its own, or stored where that is shorter.

use super::bits::BitWriter;
use super::huffman::{Codes, DIST, Description, LITLEN};
use super::matcher::Sequence;

/// So long a code for literals and lengths may be: four fit into one word of bits.
const LITLEN_LIMIT: usize = 14;
const DIST_LIMIT: usize = 15;
/// The symbol that ends a block.
const END: usize = 256;
/// The longest stored block, in bytes.
const STORED: usize = 0xffff;

/// Extra bits of the length symbols from 257 on (RFC 1951, 3.2.5); the last is for 258 alone.
const LENGTH_EXTRA: [u8; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
/// Shortest length of each of these symbols, less 3.
const LENGTH_BASE: [u8; 29] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192,
    224, 255,
];
/// The symbol of each length, less 3.
const LENGTH_SYMBOL: [u8; 256] = {
    let mut table = [0; 256];
    let mut symbol = 0;
    while symbol < 29 {
        let mut length = LENGTH_BASE[symbol] as usize;
        while length < 256 {
            table[length] = symbol as u8;
            length += 1;
        }
        symbol += 1;
    }
    table
};

/// Writes `data`, cut into `sequences` and the literals that follow the last, as one deflate block
/// (or some stored ones).
pub(super) fn write(bits: &mut BitWriter<'_>, data: &[u8], sequences: &[Sequence], last: bool) {
    let counts = Counts::of(data, sequences);
    let litlen = Codes::new(&counts.litlen, LITLEN_LIMIT);
    let dist = Codes::new(&counts.dist, DIST_LIMIT);
    let description = Description::new(&litlen, &dist);
    let cost = 3 + description.bits() + litlen.cost(&counts.litlen) + dist.cost(&counts.dist) + counts.extra;
    let stored = data.len() * 8 + data.len().div_ceil(STORED).max(1) * 42;
    if stored <= cost {
        return store(bits, data, last);
    }
    bits.reserve(cost);
    bits.put(u64::from(last) | 0b10 << 1, 3);
    description.write(|value, count| {
        bits.put(value, count);
        bits.flush();
    });
    let codes = Tables::new(&litlen, &dist);
    let mut rest = data;
    for sequence in sequences {
        let (literals, tail) = rest.split_at(sequence.literals as usize);
        codes.literals(bits, literals);
        codes.a_match(bits, sequence);
        rest = &tail[usize::from(sequence.length)..];
    }
    codes.literals(bits, rest);
    bits.put(u64::from(litlen.code[END]), u32::from(litlen.length[END]));
    bits.flush();
}

/// Writes bytes as they are.
fn store(bits: &mut BitWriter<'_>, data: &[u8], last: bool) {
    let mut pieces = data.chunks(STORED).peekable();
    while let Some(piece) = pieces.next() {
        stored_piece(bits, piece, last && pieces.peek().is_none());
    }
}

/// One stored block; without bytes it only brings the output to a byte boundary.
pub(super) fn stored_piece(bits: &mut BitWriter<'_>, piece: &[u8], last: bool) {
    bits.reserve(64);
    bits.put(u64::from(last), 3);
    let length = piece.len() as u16;
    let [low, high] = length.to_le_bytes();
    bits.bytes(&[low, high, !low, !high]);
    bits.bytes(piece);
}

/// How often each symbol occurs in a block.
struct Counts {
    litlen: [u32; LITLEN],
    dist: [u32; DIST],
    /// Extra bits of all lengths and distances.
    extra: usize,
}

impl Counts {
    fn of(data: &[u8], sequences: &[Sequence]) -> Self {
        // Equal bytes often follow each other; counting them in turns keeps the sums independent.
        let mut bytes = [[0u32; 256]; 4];
        let mut counts = Self { litlen: [0; LITLEN], dist: [0; DIST], extra: 0 };
        let mut count = |literals: &[u8]| {
            let mut fours = literals.chunks_exact(4);
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
        counts.litlen[END] = 1;
        counts
    }
}

/// The symbol of a distance and the number of its extra bits.
#[inline(always)]
fn distance_symbol(distance: u16) -> (usize, u32) {
    let less = u32::from(distance - 1);
    if less < 4 {
        return (less as usize, 0);
    }
    // The two highest bits tell the symbol, the others follow it.
    let extra = less.ilog2() - 1;
    ((2 * extra + (less >> extra)) as usize, extra)
}

/// What is put for each literal, length and distance symbol.
struct Tables {
    /// Code in the low 16 bits, its length above.
    literal: [u32; 256],
    /// Of each length less 3, with its extra bits: code in the low 24 bits, length above.
    length: [u32; 256],
    dist: [u32; 32],
}

impl Tables {
    fn new(litlen: &Codes<LITLEN>, dist: &Codes<DIST>) -> Self {
        let entry = |code: u16, length: u8| u32::from(code) | u32::from(length) << 24;
        let mut tables = Self { literal: [0; 256], length: [0; 256], dist: [0; 32] };
        for (at, slot) in tables.literal.iter_mut().enumerate() {
            *slot = entry(litlen.code[at], litlen.length[at]);
        }
        for (at, slot) in tables.length.iter_mut().enumerate() {
            let symbol = usize::from(LENGTH_SYMBOL[at]);
            let (code, bits) = (litlen.code[END + 1 + symbol], litlen.length[END + 1 + symbol]);
            let extra = (at as u32 - u32::from(LENGTH_BASE[symbol])) << bits;
            *slot = entry(code, bits + LENGTH_EXTRA[symbol]) | extra;
        }
        for (slot, (&code, &bits)) in tables.dist.iter_mut().zip(dist.code.iter().zip(&dist.length)) {
            *slot = entry(code, bits);
        }
        tables
    }

    #[inline(always)]
    fn literals(&self, bits: &mut BitWriter<'_>, literals: &[u8]) {
        let mut fours = literals.chunks_exact(4);
        for four in &mut fours {
            for &byte in four {
                put(bits, self.literal[usize::from(byte)]);
            }
            bits.flush();
        }
        for &byte in fours.remainder() {
            put(bits, self.literal[usize::from(byte)]);
        }
        bits.flush();
    }

    #[inline(always)]
    fn a_match(&self, bits: &mut BitWriter<'_>, sequence: &Sequence) {
        put(bits, self.length[usize::from(sequence.length - 3) & 255]);
        let (symbol, extra) = distance_symbol(sequence.distance);
        put(bits, self.dist[symbol & 31]);
        bits.put(u64::from(sequence.distance - 1) & ((1 << extra) - 1), extra);
        bits.flush();
    }
}

#[inline(always)]
fn put(bits: &mut BitWriter<'_>, entry: u32) {
    bits.put(u64::from(entry & 0x00ff_ffff), entry >> 24);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some rows of the tables of RFC 1951, 3.2.5.
    #[test]
    fn symbols_are_those_of_the_rfc() {
        for (length, symbol, extra) in [
            (3, 257, 0),
            (10, 264, 0),
            (11, 265, 1),
            (12, 265, 1),
            (130, 280, 4),
            (257, 284, 5),
            (258, 285, 0),
        ] {
            let found = LENGTH_SYMBOL[length - 3];
            assert_eq!(
                (usize::from(found) + 257, LENGTH_EXTRA[usize::from(found)]),
                (symbol, extra),
                "{length}"
            );
        }
        for (distance, symbol, extra) in [
            (1, 0, 0),
            (4, 3, 0),
            (5, 4, 1),
            (6, 4, 1),
            (7, 5, 1),
            (193, 15, 6),
            (24577, 29, 13),
            (32768, 29, 13),
        ] {
            assert_eq!(distance_symbol(distance), (symbol, extra), "{distance}");
        }
    }
}

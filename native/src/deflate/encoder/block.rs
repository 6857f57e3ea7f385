//! Writes one deflate block from sequences: with codes of its own, or stored where that is shorter.

use super::bits::BitWriter;
use super::counts::Counts;
use super::huffman::{Codes, DIST, Description, LITLEN};
use super::repeats::Sequence;
use super::symbols::{END, LENGTH_BASE, LENGTH_EXTRA, LENGTH_SYMBOL, distance_symbol};

/// So long a code for literals and lengths may be: four fit into one word of bits.
const LITLEN_LIMIT: usize = 14;
const DIST_LIMIT: usize = 15;
/// The longest stored block, in bytes.
const STORED: usize = 0xffff;

/// Writes `data`, cut into `sequences` and the literals that follow the last, as one deflate block
/// (or some stored ones).
pub(super) fn write(
    bits: &mut BitWriter<'_>,
    data: &[u8],
    sequences: &[Sequence],
    counts: &Counts,
    last: bool,
) {
    let mut litlen = Codes::new(&counts.litlen, LITLEN_LIMIT);
    let mut dist = Codes::new(&counts.dist, DIST_LIMIT);
    let description = Description::new(&litlen, &dist);
    let taken = |litlen: &Codes<LITLEN>, dist: &Codes<DIST>| {
        3 + litlen.cost(&counts.litlen) + dist.cost(&counts.dist) + counts.extra
    };
    let own = description.bits() + taken(&litlen, &dist);
    let (fixed_litlen, fixed_dist) = fixed();
    let fixed = taken(&fixed_litlen, &fixed_dist);
    let stored = data.len() * 8 + data.len().div_ceil(STORED).max(1) * 42;
    if stored <= own.min(fixed) {
        return store(bits, data, last);
    }
    bits.reserve(own.min(fixed));
    if fixed <= own {
        (litlen, dist) = (fixed_litlen, fixed_dist);
        bits.put(u64::from(last) | 0b01 << 1, 3);
    } else {
        bits.put(u64::from(last) | 0b10 << 1, 3);
        description.write(|value, count| {
            bits.put(value, count);
            bits.flush();
        });
    }
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

/// The codes that every inflater knows (RFC 1951, 3.2.6), for blocks so short that others would not pay.
fn fixed() -> (Codes<LITLEN>, Codes<DIST>) {
    let mut lengths = [8; LITLEN];
    lengths[144..256].fill(9);
    lengths[256..280].fill(7);
    (Codes::with_lengths(lengths), Codes::with_lengths([5; DIST]))
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

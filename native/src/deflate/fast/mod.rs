//! A fast deflate encoder in safe Rust, for `--fast`.
//!
//! Greedy matching with one step of laziness over a small hash table, wide steps over what has no
//! repeats, Huffman codes for every stretch of some ten thousand bytes, stored blocks for noise.
//! `docs/DESIGN.md` says why it is our own.

mod bits;
mod block;
mod huffman;
mod matcher;

use bits::BitWriter;
use matcher::{Matcher, Sequence};

/// How many bytes one deflate block holds.
const BLOCK_BYTES: usize = 64 * 1024;
/// And how many sequences.
const BLOCK_SEQUENCES: usize = 10_000;

/// Compresses pieces of a stream, each for itself; kept between them for its memory.
pub struct FastEncoder {
    matcher: Matcher,
    sequences: Vec<Sequence>,
}

impl FastEncoder {
    /// How far back deflate may look, in bytes: the longest dictionary that is of use.
    pub const WINDOW: usize = matcher::WINDOW;

    /// An encoder for any number of pieces.
    pub fn new() -> Self {
        Self { matcher: Matcher::new(), sequences: Vec::with_capacity(BLOCK_SEQUENCES) }
    }

    /// Appends to `out` the deflate data of `data` without its first `known` bytes, which the reader
    /// has already and which may be referred to. The data ends on a byte boundary, with an empty
    /// stored block (as zlib's sync flush does) or, when `last`, with a block that says so.
    pub fn encode(&mut self, data: &[u8], known: usize, last: bool, out: &mut Vec<u8>) {
        self.matcher.begin(&data[..known]);
        let mut bits = BitWriter::new(out);
        let mut from = known;
        while from < data.len() {
            self.sequences.clear();
            let end = self.matcher.cut(data, from, BLOCK_BYTES, &mut self.sequences, BLOCK_SEQUENCES);
            block::write(&mut bits, &data[from..end], &self.sequences, last && end == data.len());
            from = end;
        }
        if !last || known == data.len() {
            block::stored_piece(&mut bits, &[], last);
        }
        bits.finish();
    }
}

impl Default for FastEncoder {
    fn default() -> Self {
        Self::new()
    }
}

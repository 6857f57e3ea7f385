//! A deflate encoder in safe Rust, from fast to small.
//!
//! A search cuts the bytes into literals and matches (`quick`, `chains`, `optimal`), `split` gathers them into blocks,
//! whose codes fit what is in them, and `block` writes those. `docs/DECISIONS.md` says why it is our own.

mod bits;
mod block;
mod chains;
mod counts;
mod huffman;
mod level;
mod optimal;
mod quick;
mod repeats;
mod search;
mod split;
mod symbols;
mod window;

use bits::BitWriter;
use repeats::Sequence;
use search::Search;
use split::Block;

pub use level::Level;

/// Compresses pieces of a stream, each for itself; kept between them for its memory.
pub struct Encoder {
    search: Search,
    chunk: Vec<Sequence>,
    block: Block,
}

impl Encoder {
    /// How far back deflate may look, in bytes: the longest dictionary that is of use.
    pub const WINDOW: usize = repeats::WINDOW;

    /// An encoder for any number of pieces.
    pub fn new(level: Level) -> Self {
        Self { search: Search::new(level), chunk: Vec::new(), block: Block::new() }
    }

    /// Appends to `out` the deflate data of `data` without its first `known` bytes, which the reader
    /// has already and which may be referred to. The data ends on a byte boundary, with an empty
    /// stored block (as zlib's sync flush does) or, when `last`, with a block that says so.
    pub fn encode(&mut self, data: &[u8], known: usize, last: bool, out: &mut Vec<u8>) {
        let mut bits = BitWriter::new(out);
        self.search.begin(data, known);
        self.block.begin(known);
        let mut from = known;
        while from < data.len() {
            from = self.search.cut(data, from, self.block.prices(), &mut self.chunk);
            self.block.add(&mut bits, data, from, &mut self.chunk, &mut self.search);
        }
        if known < data.len() {
            self.block.write(&mut bits, data, last, &mut self.search);
        }
        if !last || known == data.len() {
            block::stored_piece(&mut bits, &[], last);
        }
        bits.finish();
    }
}

//! A deflate encoder in safe Rust, from fast to small.
//!
//! A search cuts the bytes into literals and matches (`pairs`, `chains`), `split` gathers them into blocks, whose codes fit what is in
//! them, and `block` writes those. `docs/DECISIONS.md` says why it is our own.

mod bits;
mod block;
mod chains;
mod counts;
mod huffman;
mod level;
mod pairs;
mod repeats;
mod split;
mod symbols;
mod window;

use bits::BitWriter;
use chains::Chains;
use pairs::Pairs;
use repeats::Sequence;
use split::{Block, CHUNK};

pub use level::Level;

/// Compresses pieces of a stream, each for itself; kept between them for its memory.
pub struct Encoder {
    search: Search,
    chunk: Vec<Sequence>,
    block: Block,
}

enum Search {
    Pairs(Pairs),
    Chains(Chains),
}

impl Encoder {
    /// How far back deflate may look, in bytes: the longest dictionary that is of use.
    pub const WINDOW: usize = repeats::WINDOW;

    /// An encoder for any number of pieces.
    pub fn new(level: Level) -> Self {
        let search = level
            .effort()
            .map_or_else(|| Search::Pairs(Pairs::new()), |effort| Search::Chains(Chains::new(effort)));
        Self { search, chunk: Vec::new(), block: Block::new() }
    }

    /// Appends to `out` the deflate data of `data` without its first `known` bytes, which the reader
    /// has already and which may be referred to. The data ends on a byte boundary, with an empty
    /// stored block (as zlib's sync flush does) or, when `last`, with a block that says so.
    pub fn encode(&mut self, data: &[u8], known: usize, last: bool, out: &mut Vec<u8>) {
        match &mut self.search {
            Search::Pairs(search) => search.begin(&data[..known]),
            Search::Chains(search) => search.begin(data, known),
        }
        let mut bits = BitWriter::new(out);
        self.block.begin(known);
        let mut from = known;
        while from < data.len() {
            self.chunk.clear();
            from = match &mut self.search {
                Search::Pairs(search) => search.cut(data, from, CHUNK, &mut self.chunk),
                Search::Chains(search) => search.cut(data, from, CHUNK, self.block.prices(), &mut self.chunk),
            };
            self.block.add(&mut bits, data, from, &mut self.chunk);
        }
        if known < data.len() {
            self.block.write(&mut bits, data, last);
        }
        if !last || known == data.len() {
            block::stored_piece(&mut bits, &[], last);
        }
        bits.finish();
    }
}

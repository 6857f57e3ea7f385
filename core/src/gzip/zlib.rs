//! The faster engine: zlib-rs, which takes a fifth less time than `miniz_oxide`.

use alloc::vec::Vec;

use zlib_rs::{InflateFlush, Status};

use super::inflate::{Inflate, InflateStatus, Inflated};

/// Inflates into pieces, which can be taken away and go to another thread.
pub struct Zlib {
    inflate: zlib_rs::Inflate,
    piece: Vec<u8>,
    /// Where the last output begins, and where it ends.
    output: (usize, usize),
}

impl Zlib {
    /// How much a piece holds, in bytes.
    pub const PIECE: usize = 256 * 1024;

    /// Whether there is no more room. A piece that is not [taken](Zlib::take) then is overwritten.
    pub fn is_full(&self) -> bool {
        self.output.1 == self.piece.len()
    }

    /// Whether nothing was filled in yet.
    pub fn is_empty(&self) -> bool {
        self.output.1 == 0
    }

    /// The piece that was filled; `spare` is filled next.
    pub fn take(&mut self, mut spare: Vec<u8>) -> Vec<u8> {
        spare.resize(Self::PIECE, 0);
        let mut full = core::mem::replace(&mut self.piece, spare);
        full.truncate(self.output.1);
        self.output = (0, 0);
        full
    }
}

impl Default for Zlib {
    fn default() -> Self {
        let inflate = zlib_rs::Inflate::new(false, 15);
        Self { inflate, piece: alloc::vec![0; Self::PIECE], output: (0, 0) }
    }
}

impl Inflate for Zlib {
    fn inflate(&mut self, input: &[u8]) -> Inflated {
        let from = if self.is_full() { 0 } else { self.output.1 };
        let before = (self.inflate.total_in(), self.inflate.total_out());
        let room = self.piece.get_mut(from..).unwrap_or_default();
        let enough = room.len() as u64;
        let result = self.inflate.decompress(input, room, InflateFlush::NoFlush);
        let taken = (self.inflate.total_in() - before.0) as usize;
        let made = self.inflate.total_out() - before.1;
        self.output = (from, from + made as usize);
        let status = match result {
            Ok(Status::StreamEnd) => InflateStatus::End,
            Ok(Status::Ok | Status::BufError) if made == enough => InflateStatus::HasOutput,
            Ok(Status::Ok | Status::BufError) => InflateStatus::NeedsInput,
            Err(_) => InflateStatus::Damaged,
        };
        Inflated { status, taken }
    }

    fn output(&self) -> &[u8] {
        let (from, to) = self.output;
        self.piece.get(from..to).unwrap_or_default()
    }
}

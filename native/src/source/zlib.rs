//! The engine that the command line inflates with: zlib-rs, a fifth faster than that of the core.

use rollsnap_core::gzip::{Inflate, InflateStatus, Inflated};
use zlib_rs::{InflateFlush, Status};

/// How much content a piece holds, in bytes.
pub(super) const PIECE: usize = 256 * 1024;

/// Inflates into pieces that can be taken away and go to another thread.
pub(super) struct Zlib {
    inflate: zlib_rs::Inflate,
    piece: Vec<u8>,
    /// Where the last output begins, and where it ends.
    output: (usize, usize),
}

impl Zlib {
    pub(super) fn new() -> Self {
        Self { inflate: zlib_rs::Inflate::new(false, 15), piece: vec![0; PIECE], output: (0, 0) }
    }

    /// Whether there is no more room: the piece must be [taken](Zlib::take).
    pub(super) fn is_full(&self) -> bool {
        self.output.1 == self.piece.len()
    }

    /// The piece that was filled; `spare` is filled next.
    pub(super) fn take(&mut self, mut spare: Vec<u8>) -> Vec<u8> {
        spare.resize(PIECE, 0);
        let mut full = std::mem::replace(&mut self.piece, spare);
        full.truncate(self.output.1);
        self.output = (0, 0);
        full
    }

    /// Whether nothing was filled in yet.
    pub(super) fn is_empty(&self) -> bool {
        self.output.1 == 0
    }
}

impl Inflate for Zlib {
    fn inflate(&mut self, input: &[u8]) -> Inflated {
        let (_, from) = self.output;
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

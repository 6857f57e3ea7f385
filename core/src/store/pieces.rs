//! Bytes that are kept as they come, in pieces of equal length, so that memory grows with what has
//! come and nothing is copied when it grows.

use alloc::vec::Vec;

use crate::code::Code;
use crate::problem::{Problem, Result};
use crate::read_at::ReadAt;

/// Length of a piece, in bytes.
const PIECE: usize = 1 << 20;

#[derive(Debug, Default)]
pub(crate) struct Pieces {
    /// All full but the last.
    pieces: Vec<Vec<u8>>,
    len: u64,
}

impl Pieces {
    /// Takes more bytes; `false` when there is no memory for them.
    pub(super) fn push(&mut self, mut data: &[u8]) -> bool {
        while !data.is_empty() {
            if self.pieces.last().is_none_or(|last| last.len() >= PIECE) {
                self.pieces.push(Vec::new());
            }
            // Most files are small: the first piece grows, the others are made at once.
            let is_first = self.pieces.len() == 1;
            let Some(last) = self.pieces.last_mut() else { return false };
            let (head, rest) = data.split_at(data.len().min(PIECE - last.len()));
            let reserved = if is_first && last.len() + head.len() <= PIECE / 2 {
                last.try_reserve(head.len())
            } else {
                last.try_reserve_exact(PIECE - last.len())
            };
            if reserved.is_err() {
                return false;
            }
            last.extend_from_slice(head);
            self.len += head.len() as u64;
            data = rest;
        }
        true
    }
}

impl ReadAt for Pieces {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, mut out: &mut [u8]) -> Result<()> {
        let (mut at, mut within) = (offset / PIECE as u64, (offset % PIECE as u64) as usize);
        while !out.is_empty() {
            let piece = usize::try_from(at).ok().and_then(|at| self.pieces.get(at)?.get(within..));
            let Some(piece) = piece.filter(|piece| !piece.is_empty()) else {
                return Err(Problem::new(Code::IoOther).headline("a read goes past the end"));
            };
            let len = piece.len().min(out.len());
            let (head, rest) = core::mem::take(&mut out).split_at_mut(len);
            head.copy_from_slice(&piece[..len]);
            out = rest;
            (at, within) = (at + 1, 0);
        }
        Ok(())
    }
}

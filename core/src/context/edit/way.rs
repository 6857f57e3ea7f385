//! The way to an entry through the parts of a directory.

use crate::context::pack::hashing;

/// The way to a name: one bit of the hash of the name at each depth.
pub(super) struct Way<'n> {
    name: &'n [u8],
    /// Computed when the first bit is needed: most directories are of one part.
    bits: Option<u64>,
    pub(super) depth: u32,
}

impl<'n> Way<'n> {
    pub(super) const fn new(name: &'n [u8]) -> Self {
        Self { name, bits: None, depth: 0 }
    }

    /// The bits up to here.
    pub(super) fn taken(&self) -> u64 {
        match (self.bits, self.depth) {
            (Some(bits), 1..=64) => bits >> (64 - self.depth),
            _ => 0,
        }
    }

    /// The next bit.
    pub(super) fn step(&mut self) -> usize {
        let bits = *self.bits.get_or_insert_with(|| hashing::bits(self.name));
        let bit = bits.checked_shl(self.depth).unwrap_or(0) >> 63;
        self.depth += 1;
        usize::from(bit == 1)
    }
}

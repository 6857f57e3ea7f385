//! Numbers that look random and depend on a seed alone (SplitMix64).

/// A source of numbers.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// Of a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(super) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }

    /// Fills bytes.
    pub(super) fn fill(&mut self, bytes: &mut [u8]) {
        for piece in bytes.chunks_mut(8) {
            let word = self.number().to_le_bytes();
            piece.copy_from_slice(&word[..piece.len()]);
        }
    }

    /// Appends `len` bytes that compress to about a half: random words among those that come again and again, as
    /// addresses and selectors do.
    pub(super) fn some(&mut self, len: usize, out: &mut Vec<u8>) {
        let end = out.len() + len;
        while out.len() < end {
            let word = self.number();
            match word & 7 {
                0..=3 => out.extend(self.number().to_le_bytes()),
                4 | 5 => out.extend([0; 12]),
                // One of 64 words of 20 bytes.
                _ => {
                    let mut known = Self(word >> 3 & 63);
                    let mut bytes = [0; 20];
                    known.fill(&mut bytes);
                    out.extend(bytes);
                }
            }
        }
        out.truncate(end);
    }
}

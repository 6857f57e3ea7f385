//! How hard to compress.

use super::repeats::LONGEST;

/// How hard to compress, from 1 (fast) to 9 (small).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(u8);

/// How hard to look for repeats.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// At most so many places are compared.
    pub(super) depth: u32,
    /// A match of this length is taken at once.
    pub(super) nice: usize,
    /// Look at two bytes behind the beginning of a match for a better one, instead of one.
    pub(super) twice: bool,
    /// After so many bytes without a match (as a power of two) every second byte only is looked at,
    /// and so on: random bytes cost little.
    pub(super) patience: u32,
}

impl Level {
    /// A third of the default's work.
    pub const FAST: Self = Self(1);
    /// As small as the nodes' files, or smaller.
    pub const DEFAULT: Self = Self(6);
    /// For files that are made once and read often.
    pub const BEST: Self = Self(9);

    /// This level; what is outside counts as the nearest.
    pub fn new(level: u8) -> Self {
        Self(level.clamp(1, 9))
    }

    /// For the search along chains; `None` for the fast one.
    pub(super) fn effort(self) -> Option<Effort> {
        let (depth, nice, twice, patience) = match self.0 {
            0 | 1 => return None,
            2 => (4, 32, false, 7),
            3 => (6, 32, false, 7),
            4 => (8, 48, false, 8),
            5 => (12, 64, false, 8),
            6 => (16, 64, false, 8),
            7 => (40, 96, false, 9),
            8 => (120, 160, true, 9),
            _ => (600, LONGEST, true, 10),
        };
        Some(Effort { depth, nice, twice, patience })
    }
}

impl Default for Level {
    fn default() -> Self {
        Self::DEFAULT
    }
}

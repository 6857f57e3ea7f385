//! How hard to compress.

/// How hard to compress, from 1 (fast) to 9 (small).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(u8);

/// Which search, and how hard it looks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Effort {
    /// Takes what stands where the same bytes stood last.
    Quick,
    /// Takes the best match of several places, or that of the next byte.
    Chains(Looks),
    /// Chooses among all matches.
    Optimal(Looks),
}

/// How hard to look for repeats.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looks {
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
    /// Half of the default's work.
    pub const FAST: Self = Self(1);
    /// Smaller than the nodes' files.
    pub const DEFAULT: Self = Self(6);
    /// For files that are made once and read often.
    pub const BEST: Self = Self(9);

    /// This level; what is outside counts as the nearest.
    pub fn new(level: u8) -> Self {
        Self(level.clamp(1, 9))
    }

    pub(super) fn effort(self) -> Effort {
        let looks = |depth, nice, twice, patience| Looks { depth, nice, twice, patience };
        match self.0 {
            ..=1 => Effort::Quick,
            2 => Effort::Chains(looks(4, 32, false, 7)),
            3 => Effort::Chains(looks(6, 32, false, 7)),
            4 => Effort::Chains(looks(8, 48, false, 8)),
            5 => Effort::Chains(looks(12, 64, false, 8)),
            6 => Effort::Chains(looks(16, 64, false, 8)),
            7 => Effort::Chains(looks(40, 96, false, 9)),
            8 => Effort::Chains(looks(120, 160, true, 9)),
            _ => Effort::Optimal(looks(150, 160, false, 0)),
        }
    }
}

impl Default for Level {
    fn default() -> Self {
        Self::DEFAULT
    }
}

//! The searches for repeats, from the fast one to the thorough one.

use super::chains::Chains;
use super::counts::Counts;
use super::counts::Prices;
use super::level::{Effort, Level};
use super::optimal::Optimal;
use super::quick::Quick;
use super::repeats::Sequence;
use super::split::CHUNK;

/// How often the cheapest way is chosen anew, by what symbols take in the one before.
const ROUNDS: usize = 1;

/// Cuts bytes into literals and matches.
pub(super) enum Search {
    Quick(Quick),
    Chains(Chains),
    Optimal(Optimal),
}

impl Search {
    pub(super) fn new(level: Level) -> Self {
        match level.effort() {
            Effort::Quick => Self::Quick(Quick::new()),
            Effort::Chains(looks) => Self::Chains(Chains::new(looks)),
            Effort::Optimal(looks) => Self::Optimal(Optimal::new(Chains::new(looks))),
        }
    }

    /// Forgets everything and learns the `known` first bytes of `data`, which may be referred to.
    pub(super) fn begin(&mut self, data: &[u8], known: usize) {
        match self {
            Self::Quick(search) => search.begin(data, known),
            Self::Chains(search) => search.begin(data, known),
            Self::Optimal(search) => search.begin(data, known),
        }
    }

    /// Replaces `sequences` by those of the next chunk of `data`, which begins at `from`. Gives its end, where literals that
    /// follow the last match end, too.
    pub(super) fn cut(
        &mut self,
        data: &[u8],
        from: usize,
        prices: &Prices,
        sequences: &mut Vec<Sequence>,
    ) -> usize {
        sequences.clear();
        match self {
            Self::Quick(search) => search.cut(data, from, 2 * CHUNK, sequences),
            Self::Chains(search) => search.cut(data, from, CHUNK, prices, sequences),
            Self::Optimal(search) => {
                let to = data.len().min(from + CHUNK);
                search.look(data, to);
                search.parse(data, from, to, prices, sequences);
                to
            }
        }
    }

    /// Whether a block has to end, since no more can be remembered of it.
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Optimal(search) if search.is_full())
    }

    /// Cuts a whole block again, from `from` to `to`, by what its symbols take, if that makes it smaller. Nothing before
    /// its end is asked for afterwards.
    pub(super) fn improve(
        &mut self,
        data: &[u8],
        (from, to): (usize, usize),
        counts: &mut Counts,
        sequences: &mut Vec<Sequence>,
    ) {
        let Self::Optimal(search) = self else { return };
        for _ in 0..ROUNDS {
            search.parse(data, from, to, &Prices::of(counts), sequences);
            *counts = Counts::of(&data[from..to], sequences);
        }
        search.forget(to);
    }
}

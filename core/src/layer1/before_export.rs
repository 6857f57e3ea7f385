//! Rule E10: which commitment must be published before an export.
//!
//! The last commitment may still be on its way to layer 1, so its predecessor is asked for. The first commitment of a
//! rollup has none and is asked for itself (the nodes stop with an internal error there).

use super::search::Wanted;
#[cfg(doc)]
use crate::code::Code;
use crate::hash::{CommitmentHash, RollupAddress};
use crate::nodes::export::commitment_not_stored;
use crate::problem::Result;

/// What the store knows of a commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The commitment before it, [`CommitmentHash::ZERO`] for the first one.
    pub predecessor: CommitmentHash,
    /// Its inbox level.
    pub inbox_level: i32,
}

/// What to [search](super::Search) for before an export whose newest block has `last` as its most recent commitment.
/// The hint is the inbox level of the commitment that is asked for. `lookup` finds a commitment in the store.
///
/// # Errors
/// [`Code::StoreCommitment`] if one of the two commitments is missing, and whatever `lookup` meets.
pub fn wanted_before_export(
    rollup: RollupAddress,
    last: CommitmentHash,
    mut lookup: impl FnMut(&CommitmentHash) -> Result<Option<Link>>,
) -> Result<Wanted> {
    let mut find = |hash: CommitmentHash| lookup(&hash)?.ok_or_else(|| commitment_not_stored(&hash));
    let Link { predecessor, inbox_level } = find(last)?;
    if predecessor == CommitmentHash::ZERO {
        return Ok(Wanted { rollup, commitment: last, hint: inbox_level });
    }
    Ok(Wanted { rollup, commitment: predecessor, hint: find(predecessor)?.inbox_level })
}

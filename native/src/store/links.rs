//! What the rules about layer 1 ask the store: single links, looked up by level or by hash.

use rollsnap_core::Result;
use rollsnap_core::hash::CommitmentHash;
use rollsnap_core::layer1::{Link, Wanted, wanted_before_export};
use rollsnap_core::nodes::export::commitment_not_stored;

use super::read::Store;

impl Store {
    /// What to ask layer 1 for before an export whose newest block has `last` as its most recent
    /// commitment (rule E10).
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreCommitment`], [`rollsnap_core::Code::StoreDamaged`].
    pub fn wanted_before_export(
        &self,
        rollup: rollsnap_core::hash::RollupAddress,
        last: CommitmentHash,
    ) -> Result<Wanted> {
        wanted_before_export(rollup, last, |hash| self.link(hash))
    }

    /// About when a commitment was published: the level that the store records, else its inbox
    /// level (rule P3).
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreCommitment`], [`rollsnap_core::Code::StoreDamaged`].
    pub fn publication_hint(&self, hash: &CommitmentHash) -> Result<i32> {
        let query = "SELECT first_published_at_level FROM commitments_published_at_levels \
                     WHERE commitment_hash = ?1";
        let published = self.one("commitments_published_at_levels", query, [hash.to_string()], |row| {
            row.level(0, "first_published_at_level")
        })?;
        published.map_or_else(|| self.commitment_level(hash)?.ok_or_else(|| commitment_not_stored(hash)), Ok)
    }

    fn link(&self, hash: &CommitmentHash) -> Result<Option<Link>> {
        let query = "SELECT predecessor, inbox_level FROM commitments WHERE hash = ?1";
        self.one("commitments", query, [hash.to_string()], |row| {
            Ok(Link { predecessor: row.hash(0, "predecessor")?, inbox_level: row.level(1, "inbox_level")? })
        })
    }
}

//! The marks of a store, and what a chain says of them.

use rollsnap_core::chain::Block;
use rollsnap_core::hash::CommitmentHash;
use rollsnap_core::store::Mark;
use rollsnap_core::{Code, Feedback, Place, Problem, Result};

use super::Plan;
use super::block_store::BlockStore;
use super::chain::{Chain, Chains};
use super::levels::Changes;

/// What a store has at the place of a mark.
pub(super) enum Row {
    Missing,
    /// No text, no level, or no hash.
    Malformed(String),
    Found(String, i32),
    /// A level, where a mark has no more.
    Level(i32),
}

impl Row {
    pub(super) fn level(&self) -> Option<i32> {
        if let Self::Found(_, level) | Self::Level(level) = self { Some(*level) } else { None }
    }

    pub(super) fn mark<H: std::str::FromStr>(&self) -> Option<Mark<H>> {
        let Self::Found(hash, level) = self else { return None };
        hash.parse().ok().map(|hash| Mark { hash, level: *level })
    }
}

/// What the other marks are set by.
pub(super) struct Known<'s> {
    pub(super) head: Block,
    pub(super) chain: Chain,
    pub(super) store: &'s dyn BlockStore,
}

impl Known<'_> {
    /// The commitment that stands for the state at a block, with its inbox level, if the store has it.
    fn commitment_at(&self, block: &Block) -> Result<Option<(String, i32)>> {
        let commitment = block.most_recent_commitment();
        let level = self.store.commitment_level(&commitment)?;
        Ok(level.map(|level| (commitment.to_string(), level)))
    }

    /// Above the head, a mark comes down to it, as when a store is taken back.
    fn capped(&self, level: i32) -> Option<&Block> {
        if level > self.head.level { Some(&self.head) } else { self.chain.at.get(&level) }
    }

    pub(super) fn cemented(
        &self,
        row: &Row,
        layer_1: Option<Mark<CommitmentHash>>,
    ) -> Result<Option<(String, i32)>> {
        if let Some(cemented) = layer_1.filter(|cemented| cemented.level <= self.head.level)
            && let Some(block) = self.chain.at.get(&cemented.level)
        {
            if block.commitment != Some(cemented.hash) {
                let found = block.commitment.map_or_else(|| "none".into(), |hash| hash.to_string());
                return Err(Problem::new(Code::L1Lcc)
                    .at(Place::Level(cemented.level))
                    .expected(cemented.hash)
                    .found(found));
            }
            return Ok(Some((cemented.hash.to_string(), cemented.level)));
        }
        self.commitment(row)
    }

    pub(super) fn published(&self, row: &Row) -> Result<Option<(String, i32)>> {
        self.commitment(row)
    }

    /// A recorded commitment, if the chain has it at its level; else the one that the chain has there.
    fn commitment(&self, row: &Row) -> Result<Option<(String, i32)>> {
        let Some(level) = row.level() else { return Ok(None) };
        let Some(block) = self.capped(level) else {
            // Below what the store has kept: nothing there says otherwise.
            return Ok(row.mark::<CommitmentHash>().map(|mark| (mark.hash.to_string(), mark.level)));
        };
        if let Some(mark) = row.mark::<CommitmentHash>()
            && level == block.level
            && block.commitment == Some(mark.hash)
        {
            return Ok(Some((mark.hash.to_string(), level)));
        }
        self.commitment_at(block)
    }

    /// What is cemented is final.
    pub(super) fn finalized(
        &self,
        row: &Row,
        lcc: Option<&(String, i32)>,
        chains: &Chains<'_>,
        feedback: &dyn Feedback,
    ) -> Result<Option<(String, i32)>> {
        let named = row.level().and_then(|level| self.capped(level));
        let at_least = lcc.map(|(_, level)| *level).filter(|level| *level <= self.head.level);
        match (named, at_least) {
            (Some(block), Some(least)) if block.level < least => self.at(least, chains, feedback),
            (None, Some(least)) if !matches!(row, Row::Missing) => self.at(least, chains, feedback),
            (None, _) => Ok(None),
            (Some(block), _) => Ok(Some((block.hash.to_string(), block.level))),
        }
    }

    fn at(&self, level: i32, chains: &Chains<'_>, feedback: &dyn Feedback) -> Result<Option<(String, i32)>> {
        let mut block = self.head;
        while block.level > level {
            feedback.checkpoint()?;
            match chains.store.block_of(&block.predecessor)? {
                Some(next) if next.level < block.level => block = next,
                _ => return Ok(None),
            }
        }
        Ok(Some((block.hash.to_string(), block.level)))
    }

    /// What the index of levels says above the head, and from there down to the first level that agrees.
    pub(super) fn levels(
        &self,
        chains: &Chains<'_>,
        plan: &mut Plan,
        feedback: &dyn Feedback,
    ) -> Result<Changes> {
        let (mut changes, allowance) = (Changes::of(self.store), feedback.allowance());
        self.store.levels_above(self.head.level, &mut |level, from| {
            changes.add(level, Some(from), None, plan, &allowance)
        })?;
        let mut block = self.head;
        loop {
            feedback.checkpoint()?;
            let named = self.store.level_row(block.level)?;
            let hash = block.hash.to_string();
            if named.as_ref().and_then(Option::as_deref) == Some(hash.as_str()) {
                return Ok(changes);
            }
            changes.add(block.level.into(), named, Some(block.hash), plan, &allowance)?;
            match chains.store.block_of(&block.predecessor)? {
                Some(next) if next.level < block.level && next.level >= chains.bottom => block = next,
                _ => return Ok(changes),
            }
        }
    }
}

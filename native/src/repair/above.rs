//! What a store in files has above a level, and how it goes when the store is taken back to that level.
//!
//! A node leaves behind what layer 1 takes back, and overwrites it; but it takes a block that it finds for one that it has
//! processed. So blocks must go, and with them what they alone name. Bytes in the files of values stay: nobody finds them.

use std::collections::HashSet;

use rollsnap_core::chain::Stored;
use rollsnap_core::hash::{BlockHash, CommitmentHash};
use rollsnap_core::nodes::import::{no_block_at, no_commitment};
use rollsnap_core::store::Mark;
use rollsnap_core::store::v4::write::TableName;
use rollsnap_core::store::v4::{BlockHeader, Store};
use rollsnap_core::{Feedback, Result};

use super::block_store::MarkName;
use super::filed::write_mark;
use crate::files::Part;
use crate::modify::Draft;
use crate::store::{MarkChange, Reset, Rows};

/// Memory of a hash in a set, in bytes.
const HASH: u64 = 48;

/// Where the level stands in the value of an index of blocks, in bytes: behind an offset and a hash.
const LEVEL: usize = 40;

type Hash = [u8; 32];

/// What is above a level.
#[derive(Debug, Default)]
pub(super) struct Above {
    level: i32,
    blocks: HashSet<Hash>,
    /// Those that no block below names.
    messages: HashSet<Hash>,
    inboxes: HashSet<Hash>,
    commitments: HashSet<Hash>,
    levels: u64,
    publications: u64,
}

/// What taking the store back to `level` makes of its marks: that of the finalized block has no hash.
///
/// # Errors
/// As [`Reset::plan`].
pub(super) fn reset(store: &Store<Part>, level: i32) -> Result<Reset> {
    let block = store.block_at(level)?.ok_or_else(|| no_block_at(level))?;
    let commitment = block.most_recent_commitment();
    let inbox_level = match store.commitment(&commitment)? {
        Stored::Found(content) => content.inbox_level,
        _ => return Err(no_commitment(&commitment)),
    };
    let state = store.state()?;
    let (of_block, of_commitment) = ((block.hash.to_string(), level), (commitment.to_string(), inbox_level));
    let of = |mark: Mark<BlockHash>| (mark.hash.to_string(), mark.level);
    let mut marks =
        vec![MarkChange { name: MarkName::Head.file(), from: state.head.map(of), to: of_block.clone() }];
    let mut lower = |name: MarkName, from: Option<(String, i32)>, to: &(String, i32)| {
        if from.as_ref().is_some_and(|(_, at)| *at > level) {
            marks.push(MarkChange { name: name.file(), from, to: to.clone() });
        }
    };
    lower(MarkName::Finalized, state.finalized.map(of), &of_block);
    let of = |mark: Mark<CommitmentHash>| (mark.hash.to_string(), mark.level);
    lower(MarkName::Lcc, state.lcc.map(of), &of_commitment);
    lower(MarkName::Lpc, state.lpc.map(of), &of_commitment);
    Ok(Reset { block, inbox_level, marks })
}

impl Above {
    /// Finds it. `level` has a block.
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreDamaged`], [`rollsnap_core::Code::LimitMemory`],
    /// [`rollsnap_core::Code::Cancelled`], any `io.*` code.
    pub(super) fn find(store: &Store<Part>, level: i32, feedback: &dyn Feedback) -> Result<Self> {
        let mut above = Self { level, ..Self::default() };
        // The entry of a block may say another level than the index of levels.
        let mut named: HashSet<BlockHash> = store.state()?.head.iter().map(|mark| mark.hash).collect();
        for at in store.levels()?.into_iter().filter(|at| *at > level) {
            feedback.checkpoint()?;
            above.levels += 1;
            named.extend(store.hash_at(at)?);
        }
        let allowance = feedback.allowance();
        let goes = |header: &BlockHeader| {
            let block = header.block;
            let is_canonical = || Ok(store.hash_at(block.level)? == Some(block.hash));
            match block.level > level {
                true => Ok(true),
                false => Ok(named.contains(&block.hash) && !is_canonical()?),
            }
        };
        for header in store.block_headers() {
            feedback.checkpoint()?;
            let header = header?;
            if goes(&header)? {
                above.blocks.insert(*header.block.hash.as_bytes());
                above.messages.insert(*header.inbox_witness.as_bytes());
                above.inboxes.insert(*header.inbox_hash.as_bytes());
                above.commitments.extend(header.block.commitment.map(|hash| *hash.as_bytes()));
                allowance.check(above.blocks.len() as u64 * 4 * HASH, "the blocks above the level")?;
            }
        }
        for header in store.block_headers() {
            feedback.checkpoint()?;
            let header = header?;
            if !above.blocks.contains(header.block.hash.as_bytes()) {
                above.messages.remove(header.inbox_witness.as_bytes());
                above.inboxes.remove(header.inbox_hash.as_bytes());
                header.block.commitment.map(|hash| above.commitments.remove(hash.as_bytes()));
            }
        }
        above.commitments(store, feedback)?;
        Ok(above)
    }

    /// Commitments are of a level, whoever names them.
    fn commitments(&mut self, store: &Store<Part>, feedback: &dyn Feedback) -> Result<()> {
        for hash in store.commitment_hashes() {
            feedback.checkpoint()?;
            let hash = hash?;
            if let Stored::Found(content) = store.commitment(&hash)?
                && content.inbox_level > self.level
            {
                self.commitments.insert(*hash.as_bytes());
            }
        }
        for published in store.published_commitments() {
            feedback.checkpoint()?;
            self.publications += u64::from(published?.1.first > self.level);
        }
        // What a damaged block names may be nowhere.
        for (names, table) in [
            (&mut self.messages, TableName::Messages),
            (&mut self.inboxes, TableName::Inboxes),
            (&mut self.commitments, TableName::Commitments),
        ] {
            let mut there = HashSet::new();
            for name in names.iter() {
                feedback.checkpoint()?;
                if store.table(table).find(name)?.is_some() {
                    there.insert(*name);
                }
            }
            *names = there;
        }
        Ok(())
    }

    /// How many entries of each table go.
    pub(super) fn rows(&self) -> Vec<(&'static str, u64)> {
        [
            (TableName::Inboxes, self.inboxes.len() as u64),
            (TableName::Messages, self.messages.len() as u64),
            (TableName::Published, self.publications),
            (TableName::Commitments, self.commitments.len() as u64),
            (TableName::Blocks, self.blocks.len() as u64),
            (TableName::Levels, self.levels),
        ]
        .map(|(table, count)| (table.as_str(), count))
        .into()
    }

    /// Takes a draft of the store back.
    ///
    /// # Errors
    /// As [`Draft::edit`].
    pub(super) fn take_back(&self, reset: &Reset, draft: &mut Draft, feedback: &dyn Feedback) -> Result<()> {
        for MarkChange { name, to, .. } in &reset.marks {
            if let Some(mark) = MarkName::ALL.into_iter().find(|mark| mark.file() == *name) {
                write_mark(draft, mark, Some(to))?;
            }
        }
        let number = |bytes: Option<&[u8]>| bytes.and_then(|bytes| bytes.first_chunk().copied());
        let is_above =
            |bytes: Option<&[u8]>| number(bytes).is_some_and(|word| i32::from_be_bytes(word) > self.level);
        let blocks = |key: &[u8], value: &[u8]| is_in(&self.blocks, key) || is_above(value.get(LEVEL..));
        draft.edit(TableName::Blocks, &blocks, &[], feedback)?;
        draft.edit(TableName::Levels, &|key, _| is_above(Some(key)), &[], feedback)?;
        draft.edit(TableName::Published, &|_, first| is_above(Some(first)), &[], feedback)?;
        for (table, names) in [
            (TableName::Messages, &self.messages),
            (TableName::Inboxes, &self.inboxes),
            (TableName::Commitments, &self.commitments),
        ] {
            draft.edit(table, &|key, _| is_in(names, key), &[], feedback)?;
        }
        Ok(())
    }
}

fn is_in(names: &HashSet<Hash>, key: &[u8]) -> bool {
    <&Hash>::try_from(key).is_ok_and(|key| names.contains(key))
}

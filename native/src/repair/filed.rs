//! A store in files, as the repairs of a chain read it; and how what they change is written into a draft of it.

use std::collections::{BTreeMap, BTreeSet};

use rollsnap_core::chain::{Block, Stored};
use rollsnap_core::encoding::Commitment;
use rollsnap_core::hash::{BlockHash, CommitmentHash};
use rollsnap_core::store::Mark;
use rollsnap_core::store::v4::write::{self, TableName};
use rollsnap_core::store::v4::{Store, WholeBlock};
use rollsnap_core::{Code, Feedback, HistoryMode, Problem, Result};

use super::block_store::{BlockStore, MarkName};
use super::known::Row;
use crate::files::Part;
use crate::modify::{Draft, Record};

/// Memory of a block in the tree, in bytes.
const BLOCK: u64 = 64;

/// At one level, layer 1 never had more blocks than this.
const MOST_OF_LEVEL: usize = 100;

/// A store in files, with its blocks by their levels.
pub(super) struct Filed<'s> {
    store: &'s Store<Part>,
    levels: BTreeMap<i64, Vec<BlockHash>>,
}

impl<'s> Filed<'s> {
    pub(super) fn new(store: &'s Store<Part>, feedback: &dyn Feedback) -> Result<Self> {
        let mut levels: BTreeMap<i64, Vec<BlockHash>> = BTreeMap::new();
        let (allowance, mut taken) = (feedback.allowance(), 0);
        for header in store.block_headers() {
            feedback.checkpoint()?;
            let block = header?.block;
            taken += BLOCK;
            allowance.check(taken, "the blocks of the store")?;
            levels.entry(block.level.into()).or_default().push(block.hash);
        }
        for hashes in levels.values_mut() {
            hashes.sort_unstable();
            hashes.truncate(MOST_OF_LEVEL);
        }
        Ok(Self { store, levels })
    }

    fn whole(&self, hash: &BlockHash) -> Result<Option<WholeBlock>> {
        Ok(found(self.store.block(hash)?))
    }
}

impl BlockStore for Filed<'_> {
    fn is_in_files(&self) -> bool {
        true
    }

    fn is_archive(&self) -> Result<bool> {
        Ok(readable(self.store.singletons().history_mode())?.flatten() == Some(HistoryMode::Archive))
    }

    fn mark(&self, name: MarkName) -> Result<Row> {
        let singletons = self.store.singletons();
        let row =
            |mark: Option<(String, i32)>| mark.map_or(Row::Missing, |(hash, level)| Row::Found(hash, level));
        let read = match name {
            MarkName::Head => match singletons.head() {
                // The whole block stands there: it is no mark where the store has another one of this hash.
                Ok(Some(head)) if self.whole(&head.0.hash)?.is_some_and(|block| block != head) => {
                    Ok(Row::Malformed(format!("another block under the hash {}", head.0.hash)))
                }
                head => head.map(|head| row(head.map(|(block, _)| (block.hash.to_string(), block.level)))),
            },
            MarkName::Finalized => {
                singletons.finalized_level().map(|level| level.map_or(Row::Missing, Row::Level))
            }
            MarkName::Lcc => {
                singletons.lcc().map(|lcc| row(lcc.map(|mark| (mark.hash.to_string(), mark.level))))
            }
            MarkName::Lpc => {
                let mark =
                    |lpc: Option<_>| lpc.map(|content: Commitment| (content.hash(), content.inbox_level));
                singletons.lpc().map(|lpc| row(mark(lpc).map(|(hash, level)| (hash.to_string(), level))))
            }
        };
        match read {
            Err(problem) if problem.code().is_about_contents() => {
                Ok(Row::Malformed("something that cannot be read".into()))
            }
            read => read,
        }
    }

    fn block_of(&self, hash: &BlockHash) -> Result<Option<Block>> {
        Ok(self.whole(hash)?.map(|(block, _)| block))
    }

    fn lowest_block_level(&self) -> Result<Option<i64>> {
        Ok(self.levels.keys().next().copied())
    }

    fn block_level_below(&self, level: i64) -> Result<Option<i64>> {
        Ok(self.levels.range(..level).next_back().map(|(level, _)| *level))
    }

    fn blocks_of_level(&self, level: i64) -> Result<Vec<Block>> {
        let hashes = self.levels.get(&level).map(Vec::as_slice).unwrap_or_default();
        hashes.iter().filter_map(|hash| self.block_of(hash).transpose()).collect()
    }

    fn level_row(&self, level: i32) -> Result<Option<Option<String>>> {
        Ok(self.store.hash_at(level)?.map(|hash| Some(hash.to_string())))
    }

    fn levels_above(
        &self,
        level: i32,
        each: &mut dyn FnMut(i64, Option<String>) -> Result<()>,
    ) -> Result<()> {
        let levels = self.store.levels()?;
        for above in levels.into_iter().rev().take_while(|above| *above > level) {
            each(above.into(), self.level_row(above)?.flatten())?;
        }
        Ok(())
    }

    fn is_whole(&self, block: &Block) -> Result<bool> {
        let Some((_, evaluation)) = self.whole(&block.hash)? else { return Ok(false) };
        let commitment = match &block.commitment {
            Some(hash) => found(self.store.commitment(hash)?).is_some(),
            None => true,
        };
        Ok(commitment
            && found(self.store.inbox(&evaluation.inbox_hash)?).is_some()
            && found(self.store.messages(&evaluation.inbox_witness)?).is_some())
    }

    fn commitment_level(&self, hash: &CommitmentHash) -> Result<Option<i32>> {
        Ok(found(self.store.commitment(hash)?).map(|content| content.inbox_level))
    }
}

/// What is there and can be read.
fn found<T>(stored: Stored<T>) -> Option<T> {
    match stored {
        Stored::Found(found) => Some(found),
        Stored::Missing | Stored::Malformed(_) => None,
    }
}

fn readable<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(problem) if problem.code().is_about_contents() => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// Writes a mark as the nodes do; what it names must be in the store.
pub(super) fn write_mark(draft: &mut Draft, name: MarkName, to: Option<&(String, i32)>) -> Result<()> {
    let content = to.map(|(hash, level)| content(draft, name, hash, *level)).transpose()?;
    draft.put(name.file(), content.as_deref())
}

fn content(draft: &Draft, name: MarkName, hash: &str, level: i32) -> Result<Vec<u8>> {
    let lacks = || {
        let what = format!("what {} would name is not in the store: {hash}", name.file());
        Problem::new(Code::RepairLacks).headline(what)
    };
    let commitment = || hash.parse::<CommitmentHash>().map_err(|_| lacks());
    Ok(match name {
        MarkName::Head => {
            let block = draft.store()?.block(&hash.parse().map_err(|_| lacks())?)?;
            write::head_bytes(&found(block).ok_or_else(lacks)?)
        }
        MarkName::Finalized => level.to_be_bytes().into(),
        MarkName::Lcc => write::lcc_bytes(&Mark { hash: commitment()?, level }),
        MarkName::Lpc => {
            let store = draft.store()?;
            let there = found(store.commitment(&commitment()?)?);
            // A commitment of the past is in the mark alone.
            let marked = readable(store.singletons().lpc())?.flatten();
            let marked = marked.filter(|content| content.hash().to_string() == *hash);
            write::commitment_bytes(&there.or(marked).ok_or_else(lacks)?)
        }
    })
}

/// Writes entries of the index of levels: those with a block come, the others go.
pub(super) fn write_levels(
    draft: &mut Draft,
    rows: &[(i64, Option<BlockHash>)],
    feedback: &dyn Feedback,
) -> Result<()> {
    let (mut comes, mut gone) = (Vec::new(), BTreeSet::new());
    for (level, block) in rows {
        let key = i32::try_from(*level).unwrap_or(i32::MAX).to_be_bytes();
        match block {
            Some(block) => {
                let header = block.as_bytes().to_vec();
                comes.push(Record { key: key.into(), header, value: Vec::new() });
            }
            None => {
                gone.insert(key);
            }
        }
    }
    let goes = |key: &[u8], _: &[u8]| key.try_into().is_ok_and(|key: [u8; 4]| gone.contains(&key));
    draft.edit(TableName::Levels, &goes, &comes, feedback)
}

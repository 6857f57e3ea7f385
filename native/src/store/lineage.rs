//! The canonical blocks of a store one after the other, as a repair of what they record goes through them.

use rollsnap_core::chain::{Block, Evaluation};
use rollsnap_core::encoding::Commitment;
use rollsnap_core::hash::{BlockHash, CommitmentHash};
use rollsnap_core::{Code, Feedback, Place, Problem, Result};

use super::problem::said;
use super::read::{Store, Typed};

/// The columns of a block and of its evaluation.
const COLUMNS: &str = "b.block_hash, b.level, b.predecessor, b.commitment_hash, b.previous_commitment_hash, b.context, \
                       b.inbox_witness, b.inbox_hash, b.initial_tick, b.num_ticks";

impl Store {
    /// Every block that the index of levels names from one level to another, both included, in their order.
    ///
    /// # Errors
    /// [`Code::ChainBlock`] for a level without one; [`Code::StoreDamaged`], [`Code::Cancelled`], any `io.*` code; those of
    /// `each`.
    pub fn each_block(
        &self,
        (from, to): (i32, i32),
        feedback: &mut dyn Feedback,
        each: &mut dyn FnMut(Block, Evaluation, &mut dyn Feedback) -> Result<()>,
    ) -> Result<()> {
        let state = if self.has_state_hash()? { "b.state_hash" } else { "NULL" };
        let query = format!(
            "SELECT {COLUMNS}, {state} FROM l2_levels AS l JOIN l2_blocks AS b ON b.block_hash = l.block_hash \
             WHERE l.level BETWEEN ?1 AND ?2 ORDER BY l.level"
        );
        let failed = |err| said("read the blocks", self.path(), err);
        let missing = |level| Problem::new(Code::ChainBlock).at(Place::Level(level));
        let mut query = self.reading().prepare(&query).map_err(failed)?;
        let mut rows = query.query([from, to]).map_err(failed)?;
        let mut wanted = i64::from(from);
        while let Some(row) = rows.next().map_err(failed)? {
            feedback.checkpoint()?;
            let row = Typed::of(row, "l2_blocks", self.path());
            let block = Block {
                hash: row.hash(0, "block_hash")?,
                level: row.level(1, "level")?,
                predecessor: row.hash(2, "predecessor")?,
                commitment: row.opt_hash(3, "commitment_hash")?,
                previous_commitment: row.hash(4, "previous_commitment_hash")?,
                context: row.opt_hash(5, "context")?,
            };
            if i64::from(block.level) != wanted {
                return Err(missing(i32::try_from(wanted).unwrap_or(to)));
            }
            wanted += 1;
            let tick = row.opt_text(8, "initial_tick")?.and_then(|text| text.parse().ok());
            let value =
                |expected| Problem::new(Code::StoreValue).at(Place::Level(block.level)).expected(expected);
            let evaluation = Evaluation {
                inbox_witness: row.hash(6, "inbox_witness")?,
                inbox_hash: row.hash(7, "inbox_hash")?,
                initial_tick: tick.ok_or_else(|| value("initial_tick: a number of ticks"))?,
                num_ticks: row
                    .opt_number(9, "num_ticks")?
                    .ok_or_else(|| value("num_ticks: a number of ticks"))?,
                state_hash: row.opt_hash(10, "state_hash")?,
            };
            each(block, evaluation, feedback)?;
        }
        if wanted <= i64::from(to) { Err(missing(i32::try_from(wanted).unwrap_or(to))) } else { Ok(()) }
    }

    /// Every row of `commitments`: its name, and what it says. As many are given as the user lets be kept.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], [`Code::LimitMemory`], [`Code::Cancelled`], any `io.*` code.
    pub fn each_commitment(
        &self,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(CommitmentHash, Commitment),
    ) -> Result<()> {
        let query =
            "SELECT hash, compressed_state, inbox_level, predecessor, number_of_ticks FROM commitments";
        let failed = |err| said("read the commitments", self.path(), err);
        let mut query = self.reading().prepare(query).map_err(failed)?;
        let mut rows = query.query([]).map_err(failed)?;
        let (allowance, mut taken) = (feedback.allowance(), 0);
        while let Some(row) = rows.next().map_err(failed)? {
            feedback.checkpoint()?;
            // Whoever goes through them keeps them, in a tree.
            taken += 2 * size_of::<(CommitmentHash, Commitment)>() as u64;
            allowance.check(taken, "the commitments of the store")?;
            let row = Typed::of(row, "commitments", self.path());
            // What cannot be read is no commitment, and is written anew where it should be one.
            let (Ok(hash), Ok(state), Ok(level), Ok(predecessor), Ok(Some(ticks))) = (
                row.hash(0, "hash"),
                row.hash(1, "compressed_state"),
                row.level(2, "inbox_level"),
                row.hash(3, "predecessor"),
                row.opt_number(4, "number_of_ticks"),
            ) else {
                continue;
            };
            let content = Commitment {
                compressed_state: state,
                inbox_level: level,
                predecessor,
                number_of_ticks: ticks,
            };
            each(hash, content);
        }
        Ok(())
    }

    /// The commitment that each block names, of the chain or not.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], [`Code::Cancelled`], any `io.*` code.
    pub fn each_named_commitment(
        &self,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(BlockHash, CommitmentHash),
    ) -> Result<()> {
        let query = "SELECT block_hash, commitment_hash FROM l2_blocks WHERE commitment_hash IS NOT NULL";
        let failed = |err| said("read the blocks", self.path(), err);
        let mut query = self.reading().prepare(query).map_err(failed)?;
        let mut rows = query.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            feedback.checkpoint()?;
            let row = Typed::of(row, "l2_blocks", self.path());
            each(row.hash(0, "block_hash")?, row.hash(1, "commitment_hash")?);
        }
        Ok(())
    }

    /// The ticks at which the block at a level begins and ends, as far as they are recorded and can be that.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], any `io.*` code.
    pub fn ticks(&self, level: i32) -> Result<Option<(u128, u128)>> {
        let query = "SELECT level, initial_tick, num_ticks FROM l2_blocks \
                     WHERE block_hash = (SELECT block_hash FROM l2_levels WHERE level = ?1)";
        let ticks = self.one("l2_blocks", query, [level], |row| {
            Ok((row.opt_text(1, "initial_tick")?, row.opt_number(2, "num_ticks")?))
        })?;
        Ok(ticks.and_then(|(initial, ticks)| {
            let initial: u128 = initial?.parse().ok()?;
            Some((initial, initial.checked_add_signed(ticks?.into())?))
        }))
    }

    /// What is recorded of the outbox of a level.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], any `io.*` code.
    pub fn outbox(&self, level: i32) -> Result<Option<OutboxRow>> {
        let query = "SELECT messages, executed_messages FROM outbox_messages WHERE outbox_level = ?1";
        self.one("outbox_messages", query, [level], |row| {
            let text = |at, column| Ok(row.opt_text(at, column)?.unwrap_or_default());
            Ok(OutboxRow { messages: text(0, "messages")?, executed: text(1, "executed_messages")? })
        })
    }
}

/// A row of `outbox_messages`: sets of messages, as the numbers that nodes write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Those that were put out.
    pub messages: String,
    /// Those of them that were executed on layer 1.
    pub executed: String,
}

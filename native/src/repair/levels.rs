//! The index of levels: the canonical chain, by the predecessors from the head down, written into `l2_levels`, or into
//! `levels_to_hashes` of a store in files.

use std::collections::BTreeSet;

use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::hash::BlockHash;
use rollsnap_core::store::v4::write::TableName;
use rollsnap_core::store::{Metadata, Rows, shortened};
use rollsnap_core::{Allowance, Code, Feedback, Place, Problem, Result};

use super::block_store::{BlockStore, block_store};
use super::chain::Chains;
use super::filed::write_levels;
use super::{Plan, Repair, Repaired, Subject};
use crate::modify::{Attempt, Writing};

/// Memory of a change, in bytes.
const CHANGE: u64 = 400;

/// Repairs the index of levels.
#[derive(Debug, Default)]
pub struct Levels {
    changes: Changes,
}

/// Rows of the index of levels that are to be changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    table: &'static str,
    rows: Vec<(i64, Option<BlockHash>)>,
}

impl Changes {
    /// Of this store.
    pub(super) fn of(store: &dyn BlockStore) -> Self {
        let table = if store.is_in_files() { TableName::Levels.as_str() } else { "l2_levels" };
        Self { table, rows: Vec::new() }
    }

    /// A row that gets this block, or goes.
    pub(super) fn add(
        &mut self,
        level: i64,
        from: Option<Option<String>>,
        to: Option<BlockHash>,
        plan: &mut Plan,
        allowance: &Allowance,
    ) -> Result<()> {
        let taken = CHANGE.saturating_mul(self.rows.len() as u64);
        allowance.check(taken, "the changes of the index of levels")?;
        self.rows.push((level, to));
        let from = from.map(|text| text.map_or_else(|| "no hash".into(), |text| shortened(&text)));
        let table = self.table;
        let text = match (&from, &to) {
            (_, None) => format!("{table}: level {level} is removed"),
            (None, Some(to)) => format!("{table}: level {level} is {to}, and was missing"),
            (Some(from), Some(to)) => format!("{table}: level {level} is {to}, and was {from}"),
        };
        plan.repaired.push(Repaired {
            what: "rows",
            level: i32::try_from(level).ok(),
            from,
            to: to.map(|hash| hash.to_string()),
            text,
        });
        Ok(())
    }

    pub(super) fn carry_out(&self, attempt: &mut Attempt<'_>, feedback: &mut dyn Feedback) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let database = match attempt.writing(feedback)? {
            Writing::Database(database) => database,
            Writing::Files(draft) => return write_levels(draft, &self.rows, feedback),
        };
        for (level, block) in &self.rows {
            feedback.checkpoint()?;
            match block {
                Some(block) => {
                    let row = "REPLACE INTO l2_levels (level, block_hash) VALUES (?1, ?2)";
                    database.execute(row, &[level, &block.to_string()])?;
                }
                None => {
                    database.execute("DELETE FROM l2_levels WHERE level = ?1", &[level])?;
                }
            }
        }
        Ok(())
    }
}

/// The level that the chain of a store must lead to: that of the origination, where nothing is ever forgotten.
pub(super) fn genesis(store: &dyn BlockStore, metadata: &Metadata) -> Result<Option<i32>> {
    Ok(store.is_archive()?.then_some(metadata.genesis_level))
}

impl Repair for Levels {
    fn plan(&mut self, subject: &mut Subject<'_, '_>, feedback: &mut dyn Feedback) -> Result<Plan> {
        let root = subject.before.root.display().to_string();
        let head = subject.before.store.head()?;
        let store = block_store(&subject.before.store, feedback)?;
        let store = &*store;
        let genesis = genesis(store, &subject.before.metadata)?;
        let mut chains = Chains::new(store, genesis)?;
        let levels = i64::from(head.level) - i64::from(chains.bottom) + 1;
        let total = u64::try_from(levels).ok();
        feedback.phase(Phase { total, unit: Unit::Blocks, ..subject.phase });
        let (mut plan, mut changes) = (Plan::default(), Changes::of(store));
        let allowance = feedback.allowance();
        store.levels_above(head.level, &mut |level, from| {
            changes.add(level, Some(from), None, &mut plan, &allowance)
        })?;
        let mut lowest = head;
        let chain = chains.below(&head, &BTreeSet::new(), feedback, &mut |block| {
            lowest = *block;
            let named = store.level_row(block.level)?;
            let hash = block.hash.to_string();
            if named.as_ref().and_then(Option::as_deref) == Some(hash.as_str()) {
                return Ok(());
            }
            changes.add(block.level.into(), named, Some(block.hash), &mut plan, &allowance)
        })?;
        if chain.is_none() {
            return Err(Problem::new(Code::ChainBlock)
                .at(Place::Level(lowest.level.saturating_sub(1)))
                .expected(lowest.predecessor)
                .because("the chain from the head ends here, above the lowest block of the store"));
        }
        plan.text = match plan.repaired.len() {
            0 => format!("the index of levels names the {levels} blocks of the chain"),
            count => format!("Wrote {count} rows of the index of levels of {root}"),
        };
        self.changes = changes;
        Ok(plan)
    }

    fn carry_out(
        &mut self,
        attempt: &mut Attempt<'_>,
        _: &mut Plan,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {
        self.changes.carry_out(attempt, feedback)
    }
}

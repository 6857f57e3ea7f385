//! The index of levels: the canonical chain, by the predecessors from the head down, written into `l2_levels`.

use std::collections::BTreeSet;

use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::hash::BlockHash;
use rollsnap_core::store::{Rows, shortened};
use rollsnap_core::{Allowance, Code, Feedback, HistoryMode, Place, Problem, Result};

use super::chain::{Chains, database};
use super::{Plan, Repair, Repaired, Subject};
use crate::modify::Attempt;

/// Memory of a change, in bytes.
const CHANGE: u64 = 400;

/// Repairs `l2_levels`.
#[derive(Debug, Default)]
pub struct Levels {
    changes: Changes,
}

/// Rows of `l2_levels` that are to be changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    rows: Vec<(i64, Option<BlockHash>)>,
}

impl Changes {
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
        let text = match (&from, &to) {
            (_, None) => format!("l2_levels: level {level} is removed"),
            (None, Some(to)) => format!("l2_levels: level {level} is {to}, and was missing"),
            (Some(from), Some(to)) => format!("l2_levels: level {level} is {to}, and was {from}"),
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

    pub(super) fn carry_out(&self, attempt: &mut Attempt<'_>, feedback: &dyn Feedback) -> Result<()> {
        let database = attempt.database()?;
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
pub(super) fn genesis(subject: &Subject<'_, '_>) -> Result<Option<i32>> {
    let mode = database(&subject.before.store)?.mark_row("history_mode")?.and_then(|(mode, _)| mode);
    let is_archive = mode.is_some_and(|mode| HistoryMode::from_name(&mode) == Some(HistoryMode::Archive));
    Ok(is_archive.then_some(subject.before.metadata.genesis_level))
}

impl Repair for Levels {
    fn plan(&mut self, subject: &mut Subject<'_, '_>, feedback: &mut dyn Feedback) -> Result<Plan> {
        let genesis = genesis(subject)?;
        let root = subject.before.root.display().to_string();
        let store = database(&subject.before.store)?;
        let head = store.head()?;
        let mut chains = Chains::new(store, genesis)?;
        let levels = i64::from(head.level) - i64::from(chains.bottom) + 1;
        let total = u64::try_from(levels).ok();
        feedback.phase(Phase { total, unit: Unit::Blocks, ..subject.phase });
        let (mut plan, mut changes) = (Plan::default(), Changes::default());
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

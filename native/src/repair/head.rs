//! The marks of a store: the head, the finalized block, and the last cemented and published commitments, set to what its
//! chain says, and layer 1 where that is asked.
//!
//! A head that is sound stays, unless blocks that follow it are there whole. Of blocks beside it nobody can say offline
//! whether layer 1 has taken them back.

use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::{Feedback, Result};

use super::block_store::{MarkName, block_store};
use super::chain::Chains;
use super::filed::write_mark;
use super::known::{Known, Row};
use super::levels::{Changes, genesis};
use super::search::{Contexts, Search};
use super::{Plan, Repair, Repaired, Subject};
use crate::l1::{self, At, L1};
use crate::modify::{Attempt, Writing};

/// Repairs `l2_head`, `finalized_level` (`last_finalized_level` in files), `lcc` and `lpc`.
#[derive(Debug, Default)]
pub struct Head {
    endpoint: Option<String>,
    marks: Vec<(MarkName, Option<(String, i32)>)>,
    levels: Changes,
}

impl Head {
    /// By the chain; and by what the node of layer 1 at `endpoint` says is cemented, where one is named.
    pub fn new(endpoint: Option<String>) -> Self {
        Self { endpoint, ..Self::default() }
    }

    /// `by_level`: the mark has nothing but the level.
    fn set(
        &mut self,
        (name, shown_as, by_level): (MarkName, &'static str, bool),
        from: &Row,
        to: Option<(String, i32)>,
        plan: &mut Plan,
    ) {
        let shown = |hash: &str, level: i32| match by_level {
            true => format!("level {level}"),
            false => format!("{hash} at level {level}"),
        };
        let was = match from {
            Row::Missing => None,
            Row::Malformed(text) => Some(text.clone()),
            Row::Found(hash, level) => Some(shown(hash, *level)),
            Row::Level(level) => Some(shown("", *level)),
        };
        let now = to.as_ref().map(|(hash, level)| shown(hash, *level));
        if was == now {
            return;
        }
        let text = match (&was, &now) {
            (None, Some(now)) => format!("{shown_as}: {now}, and was missing"),
            (Some(was), Some(now)) => format!("{shown_as}: {now}, and was {was}"),
            (was, None) => format!("{shown_as} is removed; it was {}", was.as_deref().unwrap_or("nothing")),
        };
        let level = to.as_ref().map(|(_, level)| *level);
        plan.repaired.push(Repaired { what: "mark", level, from: was, to: now, text });
        self.marks.push((name, to));
    }
}

impl Repair for Head {
    fn plan(&mut self, subject: &mut Subject<'_, '_>, feedback: &mut dyn Feedback) -> Result<Plan> {
        let rollup = subject.before.metadata.rollup_address;
        let contexts = Contexts::open(subject, feedback)?;
        let store = block_store(&subject.before.store, feedback)?;
        let store = &*store;
        let genesis = genesis(store, &subject.before.metadata)?;
        let [head, finalized, lcc, lpc] = MarkName::ALL.map(|name| store.mark(name));
        let (head, finalized, lcc, lpc) = (head?, finalized?, lcc?, lpc?);
        let cemented = match &self.endpoint {
            None => None,
            Some(endpoint) => {
                let l1 = L1::new(endpoint, l1::Options::default())?;
                Some(l1.last_cemented(At::Head, &rollup, feedback)?)
            }
        };
        let chains = Chains::new(store, genesis)?;
        let wanted = [&head, &finalized, &lcc, &lpc].into_iter().filter_map(Row::level);
        let wanted = wanted.chain(cemented.map(|cemented| cemented.level)).collect();
        feedback.phase(Phase { total: None, unit: Unit::Blocks, ..subject.phase });
        let mut search = Search { chains, contexts, wanted };
        let (block, chain) = search.head(&head, feedback)?;
        let mut plan = Plan::default();
        let mark = |name: MarkName| match store.is_in_files() {
            true => (name, name.file(), name == MarkName::Finalized),
            false => (name, name.row(), false),
        };
        self.set(mark(MarkName::Head), &head, Some((block.hash.to_string(), block.level)), &mut plan);
        let known = Known { head: block, chain, store };
        let lcc_to = known.cemented(&lcc, cemented)?;
        let finalized_to = known.finalized(&finalized, lcc_to.as_ref(), &search.chains, feedback)?;
        self.set(mark(MarkName::Finalized), &finalized, finalized_to, &mut plan);
        self.set(mark(MarkName::Lcc), &lcc, lcc_to, &mut plan);
        let lpc_to = known.published(&lpc)?;
        self.set(mark(MarkName::Lpc), &lpc, lpc_to, &mut plan);
        self.levels = known.levels(&search.chains, &mut plan, feedback)?;
        let root = subject.before.root.display();
        if plan.repaired.is_empty() {
            plan.text = format!("the marks of the store are those of its chain, up to level {}", block.level);
            return Ok(plan);
        }
        plan.text = format!("Set the marks of {root} to those of its chain, up to level {}", block.level);
        if block.context.is_none() {
            plan.notes.push(
                "The head has no context of its own: a node goes back to the last block that has one when it starts"
                    .into(),
            );
        }
        Ok(plan)
    }

    fn carry_out(
        &mut self,
        attempt: &mut Attempt<'_>,
        _: &mut Plan,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {
        match attempt.writing(feedback)? {
            Writing::Database(database) => {
                for (name, to) in &self.marks {
                    let name = name.row();
                    match to {
                        Some((hash, level)) => {
                            let row =
                                "REPLACE INTO rollup_node_state (name, value, level) VALUES (?1, ?2, ?3)";
                            database.execute(row, &[&name, hash, level])?;
                        }
                        None => {
                            database.execute("DELETE FROM rollup_node_state WHERE name = ?1", &[&name])?;
                        }
                    }
                }
            }
            Writing::Files(draft) => {
                for (name, to) in &self.marks {
                    write_mark(draft, *name, to.as_ref())?;
                }
            }
        }
        self.levels.carry_out(attempt, feedback)
    }
}

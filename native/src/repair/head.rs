//! The marks of a store: the head, the finalized block, and the last cemented and published commitments, set to what its
//! chain says, and layer 1 where that is asked.
//!
//! A head that is sound stays, unless blocks that follow it are there whole. Of blocks beside it nobody can say offline
//! whether layer 1 has taken them back.

use std::collections::BTreeSet;

use rollsnap_core::chain::Block;
use rollsnap_core::context::{Context, Index, State};
use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::hash::{BlockHash, CommitmentHash};
use rollsnap_core::store::{Mark, shortened};
use rollsnap_core::{Code, Feedback, Place, Problem, Result};

use super::chain::{Chain, Chains, database};
use super::levels::{Changes, genesis};
use super::{Plan, Repair, Repaired, Subject};
use crate::context::Moment;
use crate::files::FileSet;
use crate::l1::{self, At, L1};
use crate::modify::Attempt;
use crate::store::Store;

/// Repairs `l2_head`, `finalized_level`, `lcc` and `lpc`.
#[derive(Debug, Default)]
pub struct Head {
    endpoint: Option<String>,
    marks: Vec<(&'static str, Option<(String, i32)>)>,
    levels: Changes,
}

/// What the contexts of blocks are looked up in.
struct Contexts {
    context: Context<Moment>,
    index: Index,
}

/// What a store has at the place of a mark.
enum Row {
    Missing,
    /// No text, no level, or no hash.
    Malformed(String),
    Found(String, i32),
}

impl Head {
    /// By the chain; and by what the node of layer 1 at `endpoint` says is cemented, where one is named.
    pub fn new(endpoint: Option<String>) -> Self {
        Self { endpoint, ..Self::default() }
    }

    fn set(&mut self, name: &'static str, from: &Row, to: Option<(String, i32)>, plan: &mut Plan) {
        let shown = |hash: &str, level: i32| format!("{hash} at level {level}");
        let was = match from {
            Row::Missing => None,
            Row::Malformed(text) => Some(text.clone()),
            Row::Found(hash, level) => Some(shown(hash, *level)),
        };
        let now = to.as_ref().map(|(hash, level)| shown(hash, *level));
        if was == now {
            return;
        }
        let text = match (&was, &now) {
            (None, Some(now)) => format!("{name}: {now}, and was missing"),
            (Some(was), Some(now)) => format!("{name}: {now}, and was {was}"),
            (was, None) => format!("{name} is removed; it was {}", was.as_deref().unwrap_or("nothing")),
        };
        let level = to.as_ref().map(|(_, level)| *level);
        plan.repaired.push(Repaired { what: "mark", level, from: was, to: now, text });
        self.marks.push((name, to));
    }
}

impl Row {
    fn of(store: &Store, name: &'static str) -> Result<Self> {
        Ok(match store.mark_row(name)? {
            Some((None, None)) => Self::Missing,
            Some((Some(hash), Some(level))) => Self::Found(shortened(&hash), level),
            Some((text, _)) => {
                Self::Malformed(text.map_or_else(|| "a level alone".into(), |text| shortened(&text)))
            }
            None => Self::Malformed("neither a text nor a level".into()),
        })
    }

    fn level(&self) -> Option<i32> {
        if let Self::Found(_, level) = self { Some(*level) } else { None }
    }

    fn mark<H: std::str::FromStr>(&self) -> Option<Mark<H>> {
        let Self::Found(hash, level) = self else { return None };
        hash.parse().ok().map(|hash| Mark { hash, level: *level })
    }
}

impl Contexts {
    fn open(subject: &Subject<'_, '_>, feedback: &dyn Feedback) -> Result<Self> {
        let context = Context::open(Moment::take(&FileSet::context_of(subject.before.root))?)?;
        let index = context.index(feedback)?;
        Ok(Self { context, index })
    }

    /// Whether the state of a block may be had: its own, or where none was written, the newest one below it.
    fn has(&self, block: &Block, store: &Store, feedback: &dyn Feedback) -> Result<bool> {
        let mut block = *block;
        loop {
            feedback.checkpoint()?;
            if let Some(context) = block.context {
                let Some(entry) = self.index.get(&context) else { return Ok(false) };
                return Ok(matches!(self.context.state_of(entry)?, State::Available(_)));
            }
            match store.block_of(&block.predecessor)? {
                Some(next) if next.level < block.level => block = next,
                _ => return Ok(false),
            }
        }
    }
}

/// Looks for the block that is to be the head.
struct Search<'s> {
    chains: Chains<'s>,
    contexts: Contexts,
    wanted: BTreeSet<i32>,
}

impl Search<'_> {
    /// The chain below a block that can be the head.
    fn chain(&mut self, block: &Block, feedback: &mut dyn Feedback) -> Result<Option<Chain>> {
        let store = self.chains.store;
        if !store.is_whole(block)? || !self.contexts.has(block, store, feedback)? {
            return Ok(None);
        }
        self.chains.below(block, &self.wanted, feedback, &mut |_| Ok(()))
    }

    /// The head that is recorded, if it can be one; else the highest block that can.
    fn head(&mut self, recorded: &Row, feedback: &mut dyn Feedback) -> Result<(Block, Chain)> {
        if let Some(mark) = recorded.mark::<BlockHash>()
            && let Some(block) = self.chains.store.block_of(&mark.hash)?
            && block.level == mark.level
            && let Some(chain) = self.chain(&block, feedback)?
        {
            return self.above(block, chain, feedback);
        }
        let mut below = i64::MAX;
        while let Some(level) = self.chains.store.block_level_below(below)? {
            below = level;
            let mut found = Vec::new();
            for block in self.chains.store.blocks_of_level(level)? {
                if let Some(chain) = self.chain(&block, feedback)? {
                    found.push((block, chain));
                }
            }
            if found.len() > 1 {
                let named = i32::try_from(level).ok().map(|level| self.chains.store.level_row(level));
                let named = named.transpose()?.flatten().flatten();
                if found.iter().any(|(block, _)| Some(block.hash.to_string()) == named) {
                    found.retain(|(block, _)| Some(block.hash.to_string()) == named);
                }
            }
            match found.len() {
                0 => {}
                1 => return found.pop().ok_or_else(|| none(self.chains.bottom)),
                several => {
                    return Err(Problem::new(Code::RepairHead)
                        .at(Place::Level(below.try_into().unwrap_or(i32::MAX)))
                        .found(format_args!("{several} blocks of which each could be the head")));
                }
            }
        }
        Err(none(self.chains.bottom))
    }

    /// The highest block that follows a sound head and can be one itself.
    fn above(&mut self, head: Block, chain: Chain, feedback: &mut dyn Feedback) -> Result<(Block, Chain)> {
        let mut below = i64::MAX;
        while let Some(level) =
            self.chains.store.block_level_below(below)?.filter(|at| *at > head.level.into())
        {
            below = level;
            let mut found = Vec::new();
            for block in self.chains.store.blocks_of_level(level)? {
                let store = self.chains.store;
                if self.chains.leads_through(&block, &head, feedback)?.is_some()
                    && store.is_whole(&block)?
                    && self.contexts.has(&block, store, feedback)?
                {
                    found.push(block);
                }
            }
            if let [block] = found[..]
                && let Some(chain) = self.chain(&block, feedback)?
            {
                return Ok((block, chain));
            }
        }
        Ok((head, chain))
    }
}

fn none(bottom: i32) -> Problem {
    Problem::new(Code::RepairHead).because(format_args!(
        "from no block with a context does the chain lead down to level {bottom}, the lowest one that is there"
    ))
}

impl Repair for Head {
    fn plan(&mut self, subject: &mut Subject<'_, '_>, feedback: &mut dyn Feedback) -> Result<Plan> {
        let genesis = genesis(subject)?;
        let rollup = subject.before.metadata.rollup_address;
        let contexts = Contexts::open(subject, feedback)?;
        let store = database(&subject.before.store)?;
        let rows = ["l2_head", "finalized_level", "lcc", "lpc"];
        let [head, finalized, lcc, lpc] = rows.map(|name| Row::of(store, name));
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
        self.set("l2_head", &head, Some((block.hash.to_string(), block.level)), &mut plan);
        let known = Known { head: block, chain, store };
        let lcc_to = known.cemented(&lcc, cemented)?;
        let finalized_to = known.finalized(&finalized, lcc_to.as_ref(), &search.chains, feedback)?;
        self.set("finalized_level", &finalized, finalized_to, &mut plan);
        self.set("lcc", &lcc, lcc_to, &mut plan);
        let lpc_to = known.published(&lpc)?;
        self.set("lpc", &lpc, lpc_to, &mut plan);
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
        let database = attempt.database()?;
        for (name, to) in &self.marks {
            match to {
                Some((hash, level)) => {
                    let row = "REPLACE INTO rollup_node_state (name, value, level) VALUES (?1, ?2, ?3)";
                    database.execute(row, &[name, hash, level])?;
                }
                None => {
                    database.execute("DELETE FROM rollup_node_state WHERE name = ?1", &[name])?;
                }
            }
        }
        self.levels.carry_out(attempt, feedback)
    }
}

/// What the other marks are set by.
struct Known<'s> {
    head: Block,
    chain: Chain,
    store: &'s Store,
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

    fn cemented(&self, row: &Row, layer_1: Option<Mark<CommitmentHash>>) -> Result<Option<(String, i32)>> {
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

    fn published(&self, row: &Row) -> Result<Option<(String, i32)>> {
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
    fn finalized(
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
    fn levels(&self, chains: &Chains<'_>, plan: &mut Plan, feedback: &dyn Feedback) -> Result<Changes> {
        let (mut changes, allowance) = (Changes::default(), feedback.allowance());
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

//! `rollsnap repair commitments`: gives the blocks of a protocol the commitments that follow from their states.
//!
//! The nodes have this command because a protocol changed how often commitments are made, and nodes went on as before. They
//! compute the states from their contexts; what a store records of a block (its state and its ticks) does as well.

use std::collections::{BTreeMap, BTreeSet};

use rollsnap_core::chain::{Block, Evaluation, Stored};
use rollsnap_core::encoding::Commitment;
use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::hash::{BlockHash, CommitmentHash, ProtocolHash};
use rollsnap_core::store::v4::Protocol;
use rollsnap_core::store::v4::write::{self, TableName};
use rollsnap_core::store::{Metadata, State};
use rollsnap_core::{Code, Feedback, Place, Problem, Result};

use super::history::{History, history};
use super::periods::Periods;
use super::states::Hashes;
use super::{Plan, Repair, Repaired, Subject};
use crate::l1::L1;
use crate::modify::{Attempt, Draft, Record, Writing};
use crate::store::{Editing, Rows};

/// Repairs the commitments from the first level of a protocol to the head.
#[derive(Debug)]
pub struct Commitments {
    protocol: ProtocolHash,
    period: Option<i32>,
    l1: Option<L1>,
    prune: bool,
    changes: Vec<Change>,
    orphans: Vec<CommitmentHash>,
}

/// What a block gets.
#[derive(Clone, Debug)]
struct Change {
    block: BlockHash,
    commitment: Option<CommitmentHash>,
    previous: CommitmentHash,
    /// The row of the commitment, if it is written.
    content: Option<Commitment>,
}

impl Commitments {
    /// Those of this protocol and of the ones that follow it. `period`: how many levels lie between two of them;
    /// `None`: layer 1 says so, or else the commitments that are there. `prune`: commitments that no block names any
    /// more are removed.
    pub fn new(protocol: ProtocolHash, period: Option<i32>, l1: Option<L1>, prune: bool) -> Self {
        Self { protocol, period, l1, prune, changes: Vec::new(), orphans: Vec::new() }
    }

    /// The level at which the protocol begins.
    fn first_level(&self, protocols: &[Protocol]) -> Result<i32> {
        let found = protocols.iter().find(|protocol| protocol.hash == self.protocol);
        let first = found.map(|found| found.level.saturating_add(found.activates.into()));
        first.ok_or_else(|| {
            let text = format!(
                "Could not determine the activation level of a previously unseen protocol {}",
                self.protocol
            );
            Problem::new(Code::RepairLacks).headline(text)
        })
    }
}

impl Repair for Commitments {
    fn plan(&mut self, subject: &mut Subject<'_, '_>, feedback: &mut dyn Feedback) -> Result<Plan> {
        let Subject { before, phase, .. } = subject;
        let root = before.root;
        let (head, available) = (before.store.head()?.level, before.store.first_available()?);
        let state = before.store.state()?;
        let store = history(&before.store);
        let store = &*store;
        let protocols = store.protocols()?;
        let protocol_first = self.first_level(&protocols)?;
        if protocol_first > head {
            let text = format!("First level to fix commitments is {protocol_first} but head is at {head}");
            return Err(Problem::new(Code::LevelUnavailable).headline(text));
        }
        let first = protocol_first.max(available);
        let mut known = BTreeMap::new();
        store.each_commitment(feedback, &mut |hash, content| {
            known.insert(hash, content);
        })?;
        let periods = match (self.period, &self.l1) {
            (Some(period), _) => Periods::of(first, period),
            (None, Some(l1)) => Periods::ask(&protocols, (first, head), l1, feedback)?,
            (None, None) => Periods::shared(&known, first)?,
        };
        let states = Hashes::open(root, feedback)?;
        let mut walk = Walk {
            store,
            metadata: &before.metadata,
            periods: &periods,
            known,
            states: &states,
            recent: None,
            counts: Counts::default(),
            changes: Vec::new(),
            repaired: Vec::new(),
            patching: None,
        };
        walk.recent = walk.before(first)?;
        let total = u64::try_from(i64::from(head) - i64::from(first) + 1).ok();
        feedback.phase(Phase { total, unit: Unit::Blocks, ..*phase });
        store.each_block((first, head), feedback, &mut |block, evaluation, feedback| {
            feedback.advance(1);
            let taken = walk.changes.len() * size_of::<Change>();
            feedback.allowance().check(taken as u64, "the blocks that change")?;
            walk.block(&block, &evaluation)
        })?;
        let Walk { changes, mut repaired, counts, known, .. } = walk;
        let mut notes = vec![periods.note()];
        if first > protocol_first {
            notes.push(format!("Blocks below level {first} are not there any more"));
        }
        if self.prune {
            self.orphans = orphans(store, &state, (&known, &changes), (first, head), feedback)?;
            repaired.extend(self.orphans.iter().map(|hash| pruned(hash, known.get(hash))));
        }
        self.changes = changes;
        let shown = root.display();
        let text = match repaired.is_empty() {
            true => format!("the commitments of {shown} from level {first} to {head} follow from its blocks"),
            false => format!("Repaired the commitments of {shown} from level {first} to {head}"),
        };
        let begins = [
            format!("Fixing commitments for protocol {}", self.protocol),
            format!("Fixing commitments starting at level {first}"),
        ];
        let Counts { removed, added, patched } = counts;
        let ends = [
            "Completed!".into(),
            format!("Removed commitments: {removed:3}"),
            format!("Added commitments: {added:5}"),
            format!("Patched blocks: {patched:8}"),
        ];
        Ok(Plan { repaired, text, notes, begins: begins.into(), ends: ends.into() })
    }

    fn carry_out(
        &mut self,
        attempt: &mut Attempt<'_>,
        _: &mut Plan,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {
        match attempt.writing(feedback)? {
            Writing::Database(store) => self.write_rows(store, feedback),
            Writing::Files(draft) => self.write_files(draft, feedback),
        }
    }

    /// Marks and publications speak of commitments by their hashes: what they said of a wrong one does not fit the right
    /// one, and layer 1 alone knows what does.
    fn may_leave(&self) -> &'static [Code] {
        &[Code::MarkLcc, Code::MarkLpc, Code::PublishedUnknown]
    }
}

impl Commitments {
    fn write_rows(&self, store: &mut Editing, feedback: &dyn Feedback) -> Result<()> {
        for Change { block, commitment, previous, content } in &self.changes {
            feedback.checkpoint()?;
            let (block, previous) = (block.to_string(), previous.to_string());
            let commitment = commitment.map(|hash| hash.to_string());
            if let (Some(hash), Some(content)) = (&commitment, content) {
                store.execute(
                    "REPLACE INTO commitments (hash, compressed_state, inbox_level, predecessor, number_of_ticks) \
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    &[
                        hash,
                        &content.compressed_state.to_string(),
                        &content.inbox_level,
                        &content.predecessor.to_string(),
                        &content.number_of_ticks,
                    ],
                )?;
            }
            store.execute(
                "UPDATE l2_blocks SET commitment_hash = ?2, previous_commitment_hash = ?3 WHERE block_hash = ?1",
                &[&block, &commitment, &previous],
            )?;
        }
        for hash in &self.orphans {
            feedback.checkpoint()?;
            let hash = hash.to_string();
            store.execute("DELETE FROM commitments WHERE hash = ?1", &[&hash])?;
            store.execute(
                "DELETE FROM commitments_published_at_levels WHERE commitment_hash = ?1",
                &[&hash],
            )?;
        }
        Ok(())
    }

    fn write_files(&self, draft: &mut Draft, feedback: &dyn Feedback) -> Result<()> {
        let store = draft.store()?;
        let marked = store.singletons().head()?.map(|(block, _)| block.hash);
        let (mut blocks, mut commitments, mut head) = (Vec::new(), Vec::new(), None);
        for Change { block: hash, commitment, previous, content } in &self.changes {
            feedback.checkpoint()?;
            // It was read when the change was planned, and nobody else writes.
            let Stored::Found((block, evaluation)) = store.block(hash)? else {
                return Err(Problem::new(Code::ChainBlock).found(hash));
            };
            let block = Block { commitment: *commitment, previous_commitment: *previous, ..block };
            let (header, value) = write::block_bytes(&(block, evaluation));
            blocks.push(Record { key: hash.as_bytes().to_vec(), header, value });
            if marked == Some(*hash) {
                head = Some(write::head_bytes(&(block, evaluation)));
            }
            if let (Some(hash), Some(content)) = (commitment, content) {
                let (key, value) = (hash.as_bytes().to_vec(), write::commitment_bytes(content));
                commitments.push(Record { key, header: Vec::new(), value });
            }
        }
        let orphans: BTreeSet<&[u8]> = self.orphans.iter().map(|hash| &hash.as_bytes()[..]).collect();
        let goes = |key: &[u8], _: &[u8]| orphans.contains(key);
        draft.edit(TableName::Commitments, &goes, &commitments, feedback)?;
        draft.edit(TableName::Published, &goes, &[], feedback)?;
        draft.edit(TableName::Blocks, &|_, _| false, &blocks, feedback)?;
        // The head is there as a whole.
        head.map_or(Ok(()), |head| draft.put("l2_head", Some(&head)))
    }
}

/// How many blocks got what.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    removed: u64,
    added: u64,
    patched: u64,
}

/// The most recent commitment, and the level and tick that it is of.
#[derive(Clone, Copy, Debug)]
struct Recent {
    hash: CommitmentHash,
    level: i32,
    /// The tick at which its block ends, where that is known.
    tick: Option<u128>,
}

/// The way from the first level up to the head: each block sees what the ones below it got.
struct Walk<'a> {
    store: &'a dyn History,
    metadata: &'a Metadata,
    periods: &'a Periods,
    known: BTreeMap<CommitmentHash, Commitment>,
    states: &'a Hashes,
    recent: Option<Recent>,
    counts: Counts,
    changes: Vec<Change>,
    repaired: Vec<Repaired>,
    /// The last line about blocks that were patched: from and to which level, and what.
    patching: Option<(i32, i32, (CommitmentHash, CommitmentHash))>,
}

impl Walk<'_> {
    /// The most recent commitment below a level; `None` where no block is there that knows it.
    fn before(&self, level: i32) -> Result<Option<Recent>> {
        let Some(below) = level.checked_sub(1) else { return Ok(None) };
        let block = self.store.block_at(below)?;
        block.map(|block| self.recent_of(block.most_recent_commitment(), level)).transpose()
    }

    fn recent_of(&self, hash: CommitmentHash, at: i32) -> Result<Recent> {
        let level = match self.known.get(&hash) {
            Some(content) => content.inbox_level,
            None if hash == self.metadata.genesis_commitment => self.metadata.genesis_level,
            None => {
                let why = format!("the commitment {hash}, which comes before, is not in the store");
                return Err(Problem::new(Code::RepairLacks).at(Place::Level(at)).because(why));
            }
        };
        Ok(Recent { hash, level, tick: self.store.ticks(level)?.map(|(_, end)| end) })
    }

    fn block(&mut self, block: &Block, evaluation: &Evaluation) -> Result<()> {
        let level = block.level;
        if level == self.metadata.genesis_level {
            return self.genesis(block, evaluation);
        }
        let Some(recent) = self.recent else {
            // The first block that is there: what it says of the past cannot be told from anything else.
            let recent = self.recent_of(block.most_recent_commitment(), level)?;
            self.recent = Some(match block.commitment {
                Some(_) => Recent { level, tick: evaluation.final_tick(), ..recent },
                None => recent,
            });
            return Ok(());
        };
        let due = i64::from(recent.level) + i64::from(self.periods.at(level));
        let wanted = match i64::from(level) == due {
            true => Some(self.commitment(block, evaluation, &recent)?),
            false => None,
        };
        let hash = wanted.map(|content| content.hash());
        let is_stored = hash.is_none_or(|hash| self.known.get(&hash) == wanted.as_ref());
        if (hash, recent.hash) != (block.commitment, block.previous_commitment) || !is_stored {
            self.change(block, hash, recent.hash, wanted.filter(|_| !is_stored || hash != block.commitment));
        }
        if let Some((hash, content)) = hash.zip(wanted) {
            self.known.insert(hash, content);
            self.recent = Some(Recent { hash, level, tick: evaluation.final_tick() });
        }
        Ok(())
    }

    /// The origination has the commitment that layer 1 says.
    fn genesis(&mut self, block: &Block, evaluation: &Evaluation) -> Result<()> {
        let hash = self.metadata.genesis_commitment;
        self.recent = Some(Recent { hash, level: block.level, tick: evaluation.final_tick() });
        if (block.commitment, block.previous_commitment) != (Some(hash), hash) {
            self.change(block, Some(hash), hash, None);
        }
        Ok(())
    }

    fn commitment(&self, block: &Block, evaluation: &Evaluation, recent: &Recent) -> Result<Commitment> {
        let level = block.level;
        let lacks = |why: String| Problem::new(Code::RepairLacks).at(Place::Level(level)).headline(why);
        let in_context = block.context.map(|commit| self.states.of(&commit)).transpose()?.flatten();
        let compressed_state = match (evaluation.state_hash, in_context) {
            (Some(recorded), Some(found)) if recorded != found => {
                let problem = Problem::new(Code::StateHash).at(Place::Level(level));
                return Err(problem.expected(recorded).found(found));
            }
            (Some(state), _) | (None, Some(state)) => state,
            (None, None) => {
                return Err(lacks(format!("PVM state for commitment at level {level} is not available")));
            }
        };
        let before = recent.tick.ok_or_else(|| {
            lacks(format!("the block of the commitment before, at level {}, is not available", recent.level))
        })?;
        let ticks = evaluation.final_tick().and_then(|tick| tick.checked_sub(before));
        let number_of_ticks = match ticks.map(i64::try_from) {
            Some(Ok(0)) => return Err(lacks("A 0-tick commitment is impossible".into())),
            Some(Ok(ticks)) => ticks,
            _ => return Err(lacks("Invalid number of ticks for commitment".into())),
        };
        Ok(Commitment { predecessor: recent.hash, inbox_level: level, compressed_state, number_of_ticks })
    }

    fn change(
        &mut self,
        block: &Block,
        commitment: Option<CommitmentHash>,
        previous: CommitmentHash,
        content: Option<Commitment>,
    ) {
        let level = block.level;
        let changed = Change { block: block.hash, commitment, previous, content };
        let repaired = match (block.commitment, commitment) {
            (from, Some(to)) if content.is_some() || from != Some(to) => {
                self.counts.added += 1;
                let text = format!("Registering new commitment {to} for level {level}");
                self.commitment_line(level, from, Some(to), text)
            }
            (Some(from), None) => {
                self.counts.removed += 1;
                let text = format!("Removing incorrect commitment for level {level}");
                self.commitment_line(level, Some(from), None, text)
            }
            _ => {
                self.counts.patched += 1;
                self.changes.push(changed);
                return self.patched(level, block.previous_commitment, previous);
            }
        };
        self.changes.push(changed);
        self.repaired.push(repaired);
        self.patching = None;
    }

    /// Blocks in a row that get the same have one line.
    fn patched(&mut self, level: i32, from: CommitmentHash, to: CommitmentHash) {
        let (first, last) = match self.patching {
            Some((first, last, same)) if last.checked_add(1) == Some(level) && same == (from, to) => {
                self.repaired.pop();
                (first, level)
            }
            _ => (level, level),
        };
        self.patching = Some((first, last, (from, to)));
        let blocks = match first == last {
            true => format!("block at level {first}"),
            false => format!("blocks at levels {first} to {last}"),
        };
        self.repaired.push(Repaired {
            what: "block",
            level: Some(first),
            from: Some(from.to_string()),
            to: Some(to.to_string()),
            text: format!("Patching {blocks}: the commitment before is {to}, not {from}"),
        });
    }

    fn commitment_line(
        &self,
        level: i32,
        from: Option<CommitmentHash>,
        to: Option<CommitmentHash>,
        text: String,
    ) -> Repaired {
        let (from, to) = (from.map(|hash| hash.to_string()), to.map(|hash| hash.to_string()));
        Repaired { what: "commitment", level: Some(level), from, to, text }
    }
}

/// The commitments of these levels that no block names when the changes are made.
fn orphans(
    store: &dyn History,
    state: &State,
    (known, changes): (&BTreeMap<CommitmentHash, Commitment>, &[Change]),
    (first, head): (i32, i32),
    feedback: &dyn Feedback,
) -> Result<Vec<CommitmentHash>> {
    let changed: BTreeMap<BlockHash, Option<CommitmentHash>> =
        changes.iter().map(|change| (change.block, change.commitment)).collect();
    let mut named: BTreeSet<CommitmentHash> = changed.values().flatten().copied().collect();
    store.each_named_commitment(feedback, &mut |block, hash| {
        if !changed.contains_key(&block) {
            named.insert(hash);
        }
    })?;
    named.extend([state.lcc, state.lpc].into_iter().flatten().map(|mark| mark.hash));
    let is_orphan = |(hash, content): &(&CommitmentHash, &Commitment)| {
        (first..=head).contains(&content.inbox_level) && !named.contains(*hash)
    };
    Ok(known.iter().filter(is_orphan).map(|(hash, _)| *hash).collect())
}

fn pruned(hash: &CommitmentHash, content: Option<&Commitment>) -> Repaired {
    let level = content.map(|content| content.inbox_level);
    let at = level.map_or_else(String::new, |level| format!(" for level {level}"));
    Repaired {
        what: "commitment",
        level,
        from: Some(hash.to_string()),
        to: None,
        text: format!("Removing commitment {hash}{at}, which no block names"),
    }
}

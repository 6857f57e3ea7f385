//! The walk from the head to the first available block (rule X3), with what it finds out about contexts (P5b, P5d) and
//! commitments (P5a, P5d to P5g).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::links::{Newer, absent, at, check_inbox, check_newer};
use super::old_lists::{Bare, OldLists, Telling};
use super::{Block, Entry, Evaluation, Messages, Stored};
use crate::code::Code;
use crate::context::{Contexts, Found};
use crate::encoding::{Commitment, MAX_MESSAGE};
use crate::hash::{BlockHash, CommitmentHash};
use crate::nodes::contents;
use crate::problem::{Place, Problem};

/// What the store remembers apart from its blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// Whether contexts may be missing, as in a compact snapshot.
    pub compact: bool,
    /// The newest block: hash and level.
    pub head: (BlockHash, i32),
    /// The oldest level that can be used: the walk ends there.
    pub first_available: i32,
    /// The level of the rollup's origination; where it is not known, the first available level is
    /// given the benefit of the doubt.
    pub genesis_level: Option<i32>,
    /// The newest block that layer 1 will not take back.
    pub finalized: Option<(BlockHash, i32)>,
    /// The last cemented commitment.
    pub lcc: Option<(CommitmentHash, i32)>,
    /// The highest level in the index of levels.
    pub top_level: Option<i32>,
    /// Whether any list of messages may lack layer 1's own, as very old nodes stored them, and none has to be whole: a
    /// conversion has carried them over.
    pub old_lists: bool,
    /// Whether no list has to be whole, because the store ends under a protocol of the time of those nodes.
    pub is_early: bool,
}

/// How far a walk came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Blocks that were checked.
    pub blocks: u64,
    /// Commitments among them.
    pub commitments: u64,
    /// Messages of them that have their witness.
    pub messages: u64,
    /// Contexts that hold the state of their block.
    pub states: u64,
    /// Lists whose witness cannot be computed, because a very old node wrote them without layer
    /// 1's own messages.
    pub old_lists: Option<OldLists>,
    /// Where the messages speak of a migration to another protocol.
    pub migrations: Migrations,
    /// Rows of the index of levels that a node leaves where it is killed, and writes over when it goes on.
    pub left: Vec<Problem>,
}

/// The levels whose messages speak of a migration to another protocol: the first of that protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrations {
    levels: Vec<i32>,
    is_partial: bool,
    are_too_many: bool,
}

impl Migrations {
    /// Most of them. Layer 1 has had about twenty in seven years.
    const MOST: usize = 1000;

    /// The levels, the newest first; `None` where there are more than layer 1 ever had.
    pub fn levels(&self) -> Option<&[i32]> {
        (!self.are_too_many).then_some(&self.levels)
    }

    /// Whether the messages of every block of the chain were read.
    pub fn is_complete(&self) -> bool {
        !self.is_partial
    }

    fn add(&mut self, level: i32) {
        if self.levels.len() < Self::MOST {
            self.levels.push(level);
        } else {
            self.are_too_many = true;
        }
    }
}

/// Checks block after block, the newest first.
#[derive(Debug)]
pub struct Walk<'c> {
    marks: Marks,
    contexts: Option<&'c Contexts>,
    wanted: Option<BlockHash>,
    newer: Option<Newer>,
    newer_commitment: Option<NewerCommitment>,
    finalized_seen: bool,
    lowest: i32,
    old_lists: Telling,
    /// Whether lists may be old whatever their messages are.
    is_old_store: bool,
    /// Rows of the index of levels that may be what a killed node leaves.
    strays: Vec<Stray>,
    summary: Summary,
}

/// Layer 1 may take back so many blocks.
const FINALITY: i32 = 2;

/// A row of the index of levels that the chain says nothing of, or something else. A node writes it before it makes the
/// block, or before it makes another block of that level its head.
#[derive(Debug)]
pub(super) struct Stray {
    pub(super) level: i32,
    /// The block that is named; `None` where that is still to be looked up.
    pub(super) named: Option<BlockHash>,
    /// What should be there.
    pub(super) expected: String,
}

impl Stray {
    /// What is wrong with it. `found`: what is there instead.
    pub(super) fn problem(&self, code: Code, found: String) -> Problem {
        at(code, self.level).expected(&self.expected).found(found)
    }
}

/// What the nearest commitment above says about the one that comes next.
#[derive(Debug)]
struct NewerCommitment {
    content: Commitment,
    final_tick: Option<u128>,
}

impl<'c> Walk<'c> {
    /// A walk that begins at the head, and looks contexts up in `contexts` where they are known.
    pub fn new(marks: Marks, contexts: Option<&'c Contexts>) -> Self {
        Self {
            contexts,
            wanted: Some(marks.head.0),
            newer: None,
            newer_commitment: None,
            finalized_seen: false,
            lowest: marks.head.1,
            old_lists: Telling::default(),
            is_old_store: marks.old_lists,
            strays: Vec::new(),
            summary: Summary::default(),
            marks,
        }
    }

    /// The block that is wanted next; `None` when the walk is over.
    pub fn wanted(&self) -> Option<&BlockHash> {
        self.wanted.as_ref()
    }

    /// Takes the wanted block, or hears why there is none. Every problem goes to `sink`.
    pub fn take(&mut self, entry: Stored<Entry<'_>>, sink: &mut impl FnMut(Problem)) {
        let Some(wanted) = self.wanted.take() else { return };
        let level = self.expected_level();
        match entry {
            Stored::Found(entry) => self.check(&entry, sink),
            Stored::Missing => {
                self.summary.migrations.is_partial = true;
                sink(contents::unreadable(Code::ChainBlock, "L2 block", &wanted, level));
            }
            Stored::Malformed(why) => {
                self.summary.migrations.is_partial = true;
                sink(contents::unreadable(Code::StoreValue, "L2 block", &wanted, level).because(why));
            }
        }
    }

    /// The wanted block is in the store, but at this level, which is not below the block that
    /// names it: following the link would lead nowhere.
    pub fn take_misplaced(&mut self, level: i32, sink: &mut impl FnMut(Problem)) {
        if let (Some(_), Some(newer)) = (self.wanted.take(), &self.newer) {
            let above = newer.block.level;
            let found = format!("its predecessor at level {level}");
            self.summary.migrations.is_partial = true;
            sink(at(Code::ChainLevel, above).expected(above.saturating_sub(1)).found(found));
        }
    }

    /// Goes on below a block that could not be taken. What links the blocks across the gap is not
    /// checked: one of them is missing.
    pub fn resume(&mut self, hash: BlockHash) {
        self.wanted = Some(hash);
        self.newer = None;
        self.newer_commitment = None;
    }

    /// The rows of the index of levels of which the store has to be asked whether a node leaves them.
    pub(super) fn strays(&mut self) -> Vec<Stray> {
        let mut strays = core::mem::take(&mut self.strays);
        let Marks { head: (_, head), top_level, .. } = self.marks;
        if let Some(level) = top_level.filter(|level| level.checked_sub(1) == Some(head)) {
            strays.push(Stray { level, named: None, expected: format!("no level above {head}") });
        }
        strays
    }

    /// A row that a node leaves.
    pub(super) fn leave(&mut self, problem: Problem) {
        self.summary.left.push(problem);
    }

    /// Ends the walk: judges the marks by what was seen.
    pub fn finish(mut self, sink: &mut impl FnMut(Problem)) -> Summary {
        self.summary.old_lists = self.old_lists.finish(self.is_old_store || self.marks.is_early, sink);
        let at = |code, level| Problem::new(code).at(Place::Level(level));
        let Marks { head, finalized, lcc, top_level, .. } = self.marks;
        if let Some(level) = top_level.filter(|level| level.saturating_sub(1) > head.1) {
            sink(at(Code::LevelsChain, level).expected(format!("no level above {}", head.1)).found(level));
        }
        if let Some((hash, level)) = finalized.filter(|_| !self.finalized_seen) {
            if level > head.1 {
                sink(
                    at(Code::MarkFinalized, level).expected(format!("at most level {}", head.1)).found(level),
                );
            } else if level >= self.lowest {
                sink(at(Code::MarkFinalized, level).found(hash));
            }
        }
        if let Some((_, level)) = lcc.filter(|(_, level)| *level > head.1) {
            sink(at(Code::MarkLcc, level).expected(format!("at most level {}", head.1)).found(level));
        }
        self.summary
    }

    /// The level that the wanted block should have.
    pub fn expected_level(&self) -> i32 {
        self.newer.as_ref().map_or(self.marks.head.1, |newer| newer.block.level.saturating_sub(1))
    }

    fn is_genesis(&self, level: i32) -> bool {
        level == self.marks.genesis_level.unwrap_or(self.marks.first_available)
    }

    fn check(&mut self, entry: &Entry<'_>, sink: &mut impl FnMut(Problem)) {
        let block = &entry.block;
        self.summary.blocks += 1;
        self.lowest = block.level;
        self.check_links(entry, sink);
        let timestamp = match &entry.messages {
            Stored::Found(messages) => self.check_messages(entry, messages, sink),
            other => {
                self.summary.migrations.is_partial = true;
                sink(absent(Code::ChainMessages, "messages", block, other));
                None
            }
        };
        let cell = match &entry.inbox {
            Stored::Found(inbox) => {
                check_inbox(block.level, &entry.evaluation, inbox, sink).then(|| inbox.cell.clone())
            }
            other => {
                sink(absent(Code::ChainInbox, "inbox", block, other));
                None
            }
        };
        if let Some(newer) = &self.newer {
            check_newer(newer, entry, timestamp, cell.as_ref(), sink);
        }
        if let Some(hash) = block.commitment {
            self.summary.commitments += 1;
            match &entry.commitment {
                Stored::Found(content) => self.check_commitment(entry, hash, *content, sink),
                other => {
                    sink(absent(Code::ChainCommitment, "commitment", block, other));
                    self.newer_commitment = None;
                }
            }
        }
        self.check_context(entry, sink);
        if block.level > self.marks.first_available {
            self.wanted = Some(block.predecessor);
        }
        self.newer =
            Some(Newer { block: *block, initial_tick: entry.evaluation.initial_tick, timestamp, cell });
    }

    /// The commit of the context is there, and holds the state of the block.
    fn check_context(&mut self, entry: &Entry<'_>, sink: &mut impl FnMut(Problem)) {
        let Block { hash, level, context, .. } = entry.block;
        let Some((context, contexts)) = context.zip(self.contexts) else { return };
        let state = match contexts.find(&context) {
            Found::Listed => return,
            Found::No if self.marks.compact => return,
            Found::No => return sink(contents::unreadable(Code::ChainContext, "context", &hash, level)),
            Found::Read(None) => {
                return sink(contents::unreadable(Code::ContextState, "pvm_state", &hash, level));
            }
            Found::Read(Some(state)) => state,
        };
        let committed = match &entry.commitment {
            // The commitment of the origination is to the state before any patch of the PVM.
            Stored::Found(content) if content.number_of_ticks == 0 && self.is_genesis(level) => None,
            Stored::Found(content) => Some(content.compressed_state),
            _ => None,
        };
        // Where column and commitment differ, that is told already: it is enough to agree with one.
        let claims = [entry.evaluation.state_hash, committed];
        let Some(expected) = claims.into_iter().flatten().next() else { return };
        if claims.contains(&Some(state)) {
            self.summary.states += 1;
        } else {
            sink(contents::state_hash(level, &state, &expected));
        }
    }

    /// Level index and marks.
    fn check_links(&mut self, entry: &Entry<'_>, sink: &mut impl FnMut(Problem)) {
        let Block { hash, level, commitment, .. } = entry.block;
        let head = self.marks.head.1;
        let is_final = self.marks.finalized.is_none_or(|(_, finalized)| level <= finalized)
            || level <= head.saturating_sub(FINALITY);
        match entry.at_level {
            Some(named) if named == hash => {}
            Some(named) if !is_final => {
                self.strays.push(Stray { level, named: Some(named), expected: hash.to_string() });
            }
            named => {
                let found = named.map_or_else(|| String::from("no block"), |named| named.to_string());
                sink(at(Code::LevelsChain, level).expected(hash).found(found));
            }
        }
        if let Some((finalized, finalized_level)) = self.marks.finalized
            && finalized == hash
        {
            self.finalized_seen = true;
            if finalized_level != level {
                sink(at(Code::MarkFinalized, level).expected(level).found(finalized_level));
            }
        }
        if let Some((lcc, lcc_level)) = self.marks.lcc
            && lcc_level == level
            && commitment != Some(lcc)
        {
            let expected = commitment.map_or_else(|| String::from("no commitment"), |hash| hash.to_string());
            sink(at(Code::MarkLcc, level).expected(expected).found(lcc));
        }
    }

    fn check_messages(
        &mut self,
        entry: &Entry<'_>,
        messages: &Messages<'_>,
        sink: &mut impl FnMut(Problem),
    ) -> Option<i64> {
        let Entry { block, evaluation: Evaluation { inbox_witness, .. }, .. } = entry;
        let level = block.level;
        let list = &messages.list;
        if let Some(found) = messages.inbox_level.filter(|found| *found != level) {
            sink(at(Code::MessagesLevel, level).expected(level).found(found));
            // Those of another level say nothing about this one, and were not read.
            self.summary.migrations.is_partial = true;
            return None;
        }
        if let Some(found) = messages.predecessor.filter(|found| *found != block.predecessor) {
            sink(at(Code::MessagesPrev, level).expected(block.predecessor).found(found));
        }
        if let Some(long) = list.messages().iter().find(|message| message.len() > MAX_MESSAGE) {
            let expected = format!("messages of at most {MAX_MESSAGE} bytes");
            sink(at(Code::MessagesForm, level).expected(expected).found(long.len()));
        }
        // Only stores that keep the predecessor beside the messages can be as old as that, and what was made of them.
        self.is_old_store |= messages.predecessor.is_some();
        let found = list.witness();
        if !list.is_whole() {
            // The origination block's own list is empty: its witness is layer 1's.
            if found.is_some() || !self.is_genesis(level) {
                self.summary.migrations.is_partial = true;
                let is_old = list.is_of_users() && found != Some(*inbox_witness);
                let list = Bare { level, expected: *inbox_witness, found };
                match is_old || self.is_old_store {
                    true => self.old_lists.bare(list),
                    false => list.accuse(sink),
                }
            }
            return None;
        }
        self.old_lists.whole(sink);
        match found {
            Some(found) if found != *inbox_witness => {
                sink(at(Code::MessagesWitness, level).expected(inbox_witness).found(found));
            }
            _ => self.summary.messages += list.messages().len() as u64,
        }
        if list.migrates() {
            self.summary.migrations.add(level);
        }
        let Some(info) = list.info() else {
            self.summary.migrations.is_partial = true;
            sink(at(Code::MessagesForm, level).expected("an info-per-level message in second place"));
            return None;
        };
        if info.predecessor != block.predecessor {
            sink(at(Code::MessagesPrev, level).expected(block.predecessor).found(info.predecessor));
        }
        Some(info.timestamp)
    }

    /// Rules P5a, P5d, P5e, P5f and P5g, and the ticks.
    fn check_commitment(
        &mut self,
        entry: &Entry<'_>,
        hash: CommitmentHash,
        content: Commitment,
        sink: &mut impl FnMut(Problem),
    ) {
        let Entry { block, evaluation, .. } = entry;
        let level = block.level;
        let genesis = self.is_genesis(level);
        let computed = content.hash();
        if computed != hash {
            sink(contents::commitment_hash(level, &computed, &hash));
        }
        if content.inbox_level != level {
            sink(contents::commitment_level(level, content.inbox_level));
        }
        // Where the origination is not known, what looks like its commitment is taken for it.
        let genesis = genesis && (self.marks.genesis_level.is_some() || content.number_of_ticks == 0);
        if !genesis && block.previous_commitment != content.predecessor {
            sink(contents::previous_commitment(level, &block.previous_commitment, &content.predecessor));
        }
        let expected = content.compressed_state;
        if let Some(state) = evaluation.state_hash.filter(|state| !genesis && *state != expected) {
            sink(contents::state_hash(level, &state, &expected));
        }
        if (content.number_of_ticks == 0) != genesis {
            let expected = if genesis { "no ticks at the origination" } else { "at least one tick" };
            sink(at(Code::CommitmentTicks, level).expected(expected).found(content.number_of_ticks));
        }
        let final_tick = evaluation.final_tick();
        if let Some(newer) = &self.newer_commitment {
            self.check_newer_commitment(newer, hash, level, final_tick, sink);
        }
        self.newer_commitment = Some(NewerCommitment { content, final_tick });
    }

    fn check_newer_commitment(
        &self,
        newer: &NewerCommitment,
        hash: CommitmentHash,
        level: i32,
        final_tick: Option<u128>,
        sink: &mut impl FnMut(Problem),
    ) {
        let NewerCommitment { content, final_tick: newer_tick } = newer;
        if content.predecessor != hash {
            sink(contents::commitment_chain(level, &hash, &content.predecessor));
            return;
        }
        let ticks = newer_tick.zip(final_tick).and_then(|(newer, older)| newer.checked_sub(older));
        // A count of zero is told already, where the commitment is.
        if content.number_of_ticks != 0 && ticks != u128::try_from(content.number_of_ticks).ok() {
            let expected = ticks.map_or_else(|| String::from("ticks that grow"), |ticks| ticks.to_string());
            let place = content.inbox_level;
            sink(at(Code::CommitmentTicks, place).expected(expected).found(content.number_of_ticks));
        }
    }
}

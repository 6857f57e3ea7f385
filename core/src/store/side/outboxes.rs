//! The outboxes: which messages a level put out, and which of these were executed on layer 1; against the state of the
//! PVM, where that can be read and still has the outbox.

use super::bits::Bits;
use super::unproved::Unproved;
use super::values::Values;
use super::{AHEAD, Beside, Side};
use crate::code::Code;
use crate::context::edit::Tree;
use crate::encoding::is_outbox_message;
use crate::feedback::Feedback;
use crate::hash::ContextHash;
use crate::problem::{Place, Problem, Result};
use crate::pvm;
use crate::report::Problems;
use crate::store::{Rows, States};

/// How far below the head a state is looked for, in levels: contexts may be kept of blocks with a commitment only.
const LOOK_BELOW: i32 = 4096;

/// After so many outboxes the state is opened anew: what was read of it is kept in memory.
const FRESH: u64 = 2048;

pub(super) fn judge(
    beside: &Beside<'_>,
    store: &mut impl Rows,
    feedback: &dyn Feedback,
    problems: &mut Problems,
    unproved: &mut Unproved,
) -> Result<()> {
    let mut state = State::find(beside, store)?;
    store.side(Side::Outboxes, beside.walked, feedback, &mut |row| {
        unproved.outboxes = unproved.outboxes.saturating_add(1);
        let values = Values { side: Side::Outboxes, row };
        let outbox = match Outbox::read(beside, &values) {
            Ok(outbox) => outbox,
            Err(problem) => {
                problems.push(problem);
                return Ok(());
            }
        };
        // Of several blocks at a level any may have been the one that the row is of.
        let messages = match &mut state {
            Some(state) if outbox.level >= beside.walked.first && values.added() == Some(1) => {
                state.messages(outbox.level)?
            }
            _ => None,
        };
        match messages {
            Some(messages) => problems.extend(outbox.compare(&messages).err()),
            None => unproved.unread_outboxes = unproved.unread_outboxes.saturating_add(1),
        }
        Ok(())
    })
}

/// A row.
struct Outbox {
    level: i32,
    messages: Bits,
}

impl Outbox {
    fn read(beside: &Beside<'_>, values: &Values<'_>) -> Result<Self, Problem> {
        let level = values.level(0)?;
        let bits = |column| {
            let bits = Bits::parse(values.text(column)?);
            bits.ok_or_else(|| values.wrong(column, "a number in decimal digits"))
        };
        let (messages, executed) = (bits(1)?, bits(2)?);
        let at = |code| Problem::new(code).at(Place::Level(level));
        let least = beside.genesis_level.unwrap_or(0);
        let most = beside.walked.head.saturating_add(AHEAD);
        if !(least..=most).contains(&level) {
            let expected = alloc::format!("a level from {least} to {most}");
            return Err(at(Code::OutboxLevel).expected(expected).found(level));
        }
        if !executed.is_within(&messages) {
            let expected = alloc::format!("some of bits {}", values.text(1)?);
            return Err(at(Code::OutboxExecuted)
                .expected(expected)
                .found(alloc::format!("bits {}", values.text(2)?)));
        }
        Ok(Self { level, messages })
    }

    /// Nodes record the messages that layer 1 can read; others who write stores record all of them.
    fn compare(&self, messages: &[alloc::vec::Vec<u8>]) -> Result<(), Problem> {
        let all = Bits::of(messages.iter().map(|_| true));
        let readable = Bits::of(messages.iter().map(|message| is_outbox_message(message)));
        if self.messages == readable
            || self.messages == all
            || (self.messages.is_empty() && readable.is_empty())
        {
            return Ok(());
        }
        let words = match messages.len() {
            1 => "one message",
            _ => "messages",
        };
        let expected = alloc::format!("those of the {} {words} in the state of the PVM", messages.len());
        Err(Problem::new(Code::OutboxMessages)
            .at(Place::Level(self.level))
            .expected(expected)
            .found("others"))
    }
}

/// The newest state that can be read.
struct State<'a> {
    states: States<'a>,
    commit: ContextHash,
    level: i32,
    tree: Tree,
    read: u64,
}

impl<'a> State<'a> {
    fn find(beside: &Beside<'a>, store: &impl Rows) -> Result<Option<Self>> {
        let Some((states, contexts)) = beside.states.zip(beside.contexts) else { return Ok(None) };
        let (first, head) = (beside.walked.first, beside.walked.head);
        let lowest = first.max(head.saturating_sub(LOOK_BELOW));
        // Of a compact snapshot the first available block has the only context.
        for level in (lowest..=head).rev().chain([first]) {
            let Some(block) = store.block_at(level)? else { continue };
            let Some(commit) = block.context.filter(|commit| contexts.contains(commit)) else { continue };
            return match states(&commit) {
                Ok(tree) => Ok(tree.map(|tree| Self { states, commit, level, tree, read: 0 })),
                // The checks of the context say what is wrong with it.
                Err(problem) if problem.code().is_about_contents() => Ok(None),
                Err(problem) => Err(problem),
            };
        }
        Ok(None)
    }

    /// The messages in the outbox of a level; `None` where the state does not have it any more, or not yet.
    fn messages(&mut self, level: i32) -> Result<Option<alloc::vec::Vec<alloc::vec::Vec<u8>>>> {
        if level > self.level {
            return Ok(None);
        }
        self.read = self.read.saturating_add(1);
        if self.read.is_multiple_of(FRESH)
            && let Some(tree) = (self.states)(&self.commit)?
        {
            self.tree = tree;
        }
        match pvm::outbox(&self.tree, level) {
            Err(problem) if problem.code().is_about_contents() => Ok(None),
            found => found,
        }
    }
}

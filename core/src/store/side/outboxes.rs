//! The outboxes: which messages a level put out, and which of these were executed on layer 1; against the state of the
//! PVM, where that can be read and still has the outbox.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::unproved::Unproved;
use super::values::Values;
use super::{AHEAD, Beside, Side};
use crate::chain::Stored;
use crate::code::Code;
use crate::feedback::Feedback;
use crate::problem::{Place, Problem, Result};
use crate::report::{Check, Problems};
use crate::store::{OutboxBits, Outboxes, Rows};
use crate::words::plural;

/// How far below the head a state is looked for, in levels: contexts may be kept of blocks with a commitment only.
const LOOK_BELOW: i32 = 4096;

pub(super) fn judge(
    beside: &Beside<'_>,
    store: &mut impl Rows,
    feedback: &dyn Feedback,
    problems: &mut Problems,
    unproved: &mut Unproved,
) -> Result<Option<Check>> {
    let mut state = newest(beside, store)?;
    let mut others: Vec<(i32, Problem)> = Vec::new();
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
            Some(messages) => match outbox.compare(&messages) {
                Err(problem) if others.len() < MOST_LEFT => others.push((outbox.level, problem)),
                compared => problems.extend(compared.err()),
            },
            None => unproved.unread_outboxes = unproved.unread_outboxes.saturating_add(1),
        }
        Ok(())
    })?;
    let mut left = Vec::new();
    for (level, problem) in others {
        match is_of_its_block(beside, store, level)? {
            true => problems.push(problem),
            false => left.push(problem),
        }
    }
    let count = left.len();
    let Some(first) = left.into_iter().next() else { return Ok(None) };
    let more = match count {
        1 => String::new(),
        _ => format!("; {} more {} like it", count - 1, plural(count as u64 - 1, "row is", "rows are")),
    };
    let why = "a node that was killed before it wrote the block leaves such a row, if layer 1 takes that block back";
    Ok(Some(Check::open(&first.because(format!("{why}{more}")))))
}

/// Most rows that can be what killed nodes left: it takes a reorganisation for each.
const MOST_LEFT: usize = 100;

/// Whether a row must be of the block of its level. Nodes that record the state hash of a block write the row, or remove
/// it, whenever they come to that level; older ones kept what was there. Until a block is final, either may be written.
fn is_of_its_block(beside: &Beside<'_>, store: &mut impl Rows, level: i32) -> Result<bool> {
    if level > beside.walked.head.saturating_sub(AHEAD) {
        return Ok(false);
    }
    store.with_chain(|chain| {
        let Some(hash) = chain.named_at(level.into())? else { return Ok(false) };
        let found = chain.find(&hash)?;
        let Some(Stored::Found(entry)) = found.map(|found| found.entry) else { return Ok(false) };
        Ok(entry.evaluation.state_hash.is_some())
    })
}

/// A row.
struct Outbox {
    level: i32,
    messages: OutboxBits,
}

impl Outbox {
    fn read(beside: &Beside<'_>, values: &Values<'_>) -> Result<Self, Problem> {
        let level = values.level(0)?;
        let bits = |column| {
            let bits = OutboxBits::parse(values.text(column)?);
            bits.ok_or_else(|| values.wrong(column, "a number in decimal digits"))
        };
        let (messages, executed) = (bits(1)?, bits(2)?);
        let at = |code| Problem::new(code).at(Place::Level(level));
        let least = beside.genesis_level.unwrap_or(0);
        let most = beside.walked.head.saturating_add(AHEAD);
        if !(least..=most).contains(&level) {
            let expected = format!("a level from {least} to {most}");
            return Err(at(Code::OutboxLevel).expected(expected).found(level));
        }
        if !executed.is_within(&messages) {
            let expected = format!("some of bits {}", values.text(1)?);
            return Err(at(Code::OutboxExecuted)
                .expected(expected)
                .found(format!("bits {}", values.text(2)?)));
        }
        Ok(Self { level, messages })
    }

    /// Nodes record the messages that layer 1 can read; others who write stores record all of them.
    fn compare(&self, messages: &[Vec<u8>]) -> Result<(), Problem> {
        let all = OutboxBits::all(messages);
        let readable = OutboxBits::readable(messages);
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
        let expected = format!("those of the {} {words} in the state of the PVM", messages.len());
        Err(Problem::new(Code::OutboxMessages)
            .at(Place::Level(self.level))
            .expected(expected)
            .found("others"))
    }
}

/// The newest state that is there.
fn newest<'a>(beside: &Beside<'a>, store: &impl Rows) -> Result<Option<Outboxes<'a>>> {
    let Some((states, contexts)) = beside.states.zip(beside.contexts) else { return Ok(None) };
    let (first, head) = (beside.walked.first, beside.walked.head);
    let lowest = first.max(head.saturating_sub(LOOK_BELOW));
    // Of a compact snapshot the first available block has the only context.
    for level in (lowest..=head).rev().chain([first]) {
        let Some(block) = store.block_at(level)? else { continue };
        let Some(commit) = block.context.filter(|commit| contexts.contains(commit)) else { continue };
        return Ok(Some(Outboxes::new(states, alloc::vec![(level, commit)])));
    }
    Ok(None)
}

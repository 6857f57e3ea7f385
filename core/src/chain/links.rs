//! What links a block to its inbox and to the block above it.

use alloc::format;
use alloc::string::{String, ToString};

use super::{Block, Entry, Evaluation, Stored};
use crate::code::Code;
use crate::encoding::{Cell, Inbox};
use crate::nodes::contents;
use crate::problem::{Place, Problem};

/// What the block above says about the one that comes next.
#[derive(Debug)]
pub(super) struct Newer {
    pub(super) block: Block,
    pub(super) initial_tick: u128,
    pub(super) timestamp: Option<i64>,
    pub(super) cell: Option<Cell>,
}

/// Rule P5h: whether the cell is the one that its hash names, so that what it says means something.
pub(super) fn check_inbox(
    level: i32,
    evaluation: &Evaluation,
    inbox: &Inbox,
    sink: &mut impl FnMut(Problem),
) -> bool {
    let computed = inbox.cell.hash();
    if computed != evaluation.inbox_hash {
        let stored = evaluation.inbox_hash;
        sink(contents::inbox_hash(level, &computed, &stored));
        return false;
    }
    for found in [inbox.level, inbox.cell.level].into_iter().filter(|found| *found != level).take(1) {
        sink(at(Code::InboxLevel, level).expected(level).found(found));
    }
    if inbox.cell.witness != evaluation.inbox_witness {
        sink(at(Code::InboxWitness, level).expected(evaluation.inbox_witness).found(inbox.cell.witness));
    }
    true
}

/// What a block must be for the one above it.
pub(super) fn check_newer(
    newer: &Newer,
    entry: &Entry<'_>,
    timestamp: Option<i64>,
    cell: Option<&Cell>,
    sink: &mut impl FnMut(Problem),
) {
    let Entry { block, evaluation, .. } = entry;
    let above = &newer.block;
    if above.level != block.level.saturating_add(1) {
        let found = format!("its predecessor at level {}", block.level);
        sink(at(Code::ChainLevel, above.level).expected(above.level.saturating_sub(1)).found(found));
    }
    if evaluation.final_tick() != Some(newer.initial_tick) {
        let expected =
            evaluation.final_tick().map_or_else(|| String::from("a tick"), |tick| tick.to_string());
        sink(at(Code::ChainTicks, above.level).expected(expected).found(newer.initial_tick));
    }
    if above.commitment.is_none() && above.previous_commitment != block.most_recent_commitment() {
        let expected = block.most_recent_commitment();
        sink(at(Code::CommitmentPrev, above.level).expected(expected).found(above.previous_commitment));
    }
    if let (Some(newer), Some(older)) = (newer.timestamp, timestamp)
        && newer < older
    {
        sink(at(Code::MessagesTime, above.level).expected(format!("at least {older}")).found(newer));
    }
    if let (Some(newer), Some(cell)) = (&newer.cell, cell) {
        if newer.index != cell.index.saturating_add(1) {
            sink(at(Code::InboxIndex, above.level).expected(cell.index.saturating_add(1)).found(newer.index));
        }
        if newer.back_pointers != cell.next_back_pointers(&evaluation.inbox_hash) {
            sink(
                at(Code::InboxPointers, above.level)
                    .expected(format!("the inbox {} first", evaluation.inbox_hash)),
            );
        }
    }
}

pub(super) fn at(code: Code, level: i32) -> Problem {
    Problem::new(code).at(Place::Level(level))
}

pub(super) fn absent<T>(code: Code, what: &str, block: &Block, stored: &Stored<T>) -> Problem {
    match stored {
        Stored::Malformed(why) => {
            contents::unreadable(Code::StoreValue, what, &block.hash, block.level).because(why)
        }
        _ => contents::unreadable(code, what, &block.hash, block.level),
    }
}

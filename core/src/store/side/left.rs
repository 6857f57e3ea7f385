//! Rows that no block of the chain names: what reorganisations and collections leave. They are no damage. What has a hash
//! must have the one that it is stored under.

use alloc::format;

use super::unproved::Unproved;
use super::values::{Values, integer};
use super::{Beside, Side};
use crate::chain::Work;
use crate::code::Code;
use crate::encoding::{Cell, Commitment, Count, Inflater, Malformed, MessageList};
use crate::feedback::Feedback;
use crate::hash::{CommitmentHash, InboxHash, WitnessHash};
use crate::problem::{Place, Problem, Result};
use crate::report::{Check, Problems};
use crate::store::Rows;
use crate::words::plural;

/// The check of what has its hash, if there was anything.
pub(super) fn judge(
    beside: &Beside<'_>,
    store: &mut impl Rows,
    feedback: &dyn Feedback,
    problems: &mut Problems,
    unproved: &mut Unproved,
) -> Result<Option<Check>> {
    let before = problems.count();
    let [mut lists, mut inboxes, mut commitments] = [0_u64; 3];
    let (mut inflater, mut work) = (Inflater::new(), Work::default());
    let walked = beside.walked;
    store.side(Side::Messages, walked, feedback, &mut |row| {
        lists = lists.saturating_add(1);
        let values = Values { side: Side::Messages, row };
        if let Err(problem) = list(&values, beside, &mut inflater, &mut work) {
            // However far it was expanded before that.
            let packed = values.blob(2).map_or(0, <[u8]>::len);
            work.messages(0, packed.saturating_mul(MOST_EXPANDED).min(Inflater::MAX));
            problems.push(problem);
        }
        work.check()
    })?;
    store.side(Side::Inboxes, walked, feedback, &mut |row| {
        inboxes = inboxes.saturating_add(1);
        problems.extend(inbox(&Values { side: Side::Inboxes, row }).err());
        Ok(())
    })?;
    store.side(Side::Commitments, walked, feedback, &mut |row| {
        commitments = commitments.saturating_add(1);
        problems.extend(commitment(&Values { side: Side::Commitments, row }).err());
        Ok(())
    })?;
    store.side(Side::Blocks, walked, feedback, &mut |_| {
        unproved.blocks = unproved.blocks.saturating_add(1);
        Ok(())
    })?;
    store.side(Side::State, walked, feedback, &mut |row| {
        let name = Values { side: Side::State, row }.text(0);
        if !name.is_ok_and(|name| NAMES.contains(&name)) {
            unproved.names = unproved.names.saturating_add(1);
        }
        Ok(())
    })?;
    if problems.count() > before || [lists, inboxes, commitments] == [0; 3] {
        return Ok(None);
    }
    let parts = [
        (lists, plural(lists, "list of messages", "lists of messages")),
        (inboxes, plural(inboxes, "inbox", "inboxes")),
        (commitments, plural(commitments, "commitment", "commitments")),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let parts = parts.collect::<alloc::vec::Vec<_>>().join(", ");
    let text =
        format!("what no block of the chain refers to has its hash, and no more is checked of it: {parts}");
    Ok(Some(Check::yes(Code::StoreLeft, text)))
}

/// So many bytes at most deflate makes of one.
const MOST_EXPANDED: usize = 1032;

/// The names in `rollup_node_state`.
const NAMES: [&str; 8] = [
    "l2_head",
    "finalized_level",
    "lcc",
    "lpc",
    "history_mode",
    "last_gc_target",
    "last_gc_triggered_at",
    "last_context_split",
];

fn list(
    values: &Values<'_>,
    beside: &Beside<'_>,
    inflater: &mut Inflater,
    work: &mut Work,
) -> Result<(), Problem> {
    let (expected, level) = (values.hash::<WitnessHash>(0)?, values.level(1)?);
    let deflated = values.blob(2)?;
    let wrong = |why: Malformed| values.wrong(2, "a list of messages").because(why);
    let mut count = Count::default();
    let bytes = inflater.inflate_while(deflated, |list| count.look(list)).map_err(wrong)?;
    let list = MessageList::parse(bytes).map_err(wrong)?;
    work.packed(deflated.len() as u64);
    work.messages(list.messages().len(), bytes.len());
    // Hashing a million messages takes longer than counting them.
    work.check()?;
    // What lies beside an old list is as old.
    let may_be_old = |level| match beside.old_lists {
        Some(old) => level <= old.last && (beside.is_old_store || list.is_of_users()),
        None => false,
    };
    match list.witness() {
        Some(witness) if witness != expected && (list.is_whole() || !may_be_old(level)) => {
            Err(at(Code::MessagesWitness, level).expected(expected).found(witness))
        }
        // The origination block's own list is empty: its witness is layer 1's.
        _ => Ok(()),
    }
}

fn inbox(values: &Values<'_>) -> Result<(), Problem> {
    // A row that is stored under another level than that of its block comes here as well: the walk has said so.
    let (expected, level) = (values.hash::<InboxHash>(0)?, values.level(1)?);
    let cell = Cell::parse(values.blob(2)?).map_err(|why| values.wrong(2, "a cell").because(why))?;
    let found = cell.hash();
    if found != expected {
        return Err(at(Code::InboxHash, level).expected(expected).found(found));
    }
    Ok(())
}

fn commitment(values: &Values<'_>) -> Result<(), Problem> {
    let (expected, level) = (values.hash::<CommitmentHash>(0)?, values.level(1)?);
    let content = Commitment {
        compressed_state: values.hash(2)?,
        inbox_level: level,
        predecessor: values.hash(3)?,
        number_of_ticks: integer(values.get(4)).ok_or_else(|| values.wrong(4, "a number"))?,
    };
    let found = content.hash();
    if found == expected {
        Ok(())
    } else {
        Err(at(Code::CommitmentHash, level).expected(expected).found(found))
    }
}

fn at(code: Code, level: i32) -> Problem {
    Problem::new(code).at(Place::Level(level))
}

//! Rules about a store, whoever reads it, and what a report says of them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::{Lacking, Metadata};
use crate::chain::{Block, Marks, OldLists, Summary};
use crate::code::Code;
use crate::header::{Header, HistoryMode};
use crate::nodes::contents::other_commitment;
use crate::nodes::export;
use crate::problem::{Place, Problem};
use crate::report::Check;
use crate::words::plural;

/// The level, the commitment (rule X2) and the mode that a header claims, against those of the store.
pub fn header_against_store(
    header: &Header,
    metadata: &Metadata,
    head: &Block,
    mode: Option<HistoryMode>,
) -> Vec<Problem> {
    let disagree = |text: String| Problem::new(Code::HeaderStore).headline(text);
    let mut problems = Vec::new();
    if metadata.rollup_address != header.rollup_address {
        problems.push(disagree(format!(
            "The header is for rollup {}, but the metadata in the snapshot are for rollup {}.",
            header.rollup_address, metadata.rollup_address
        )));
    }
    let commitment = head.most_recent_commitment();
    if commitment != header.last_commitment {
        problems.push(other_commitment(&commitment, &header.last_commitment));
    }
    if head.level != header.head_level {
        problems.push(disagree(format!(
            "The header is for level {}, but the head of the store in the snapshot is at level {}.",
            header.head_level, head.level
        )));
    }
    if let Some(mode) = mode.filter(|mode| *mode != header.history_mode) {
        problems.push(disagree(format!(
            "The header is for history mode {}, but the store in the snapshot is for {mode}.",
            header.history_mode
        )));
    }
    problems
}

/// What a walk found to hold, from the first available level to the head. `sound`: it met no problem.
pub fn passed(summary: &Summary, marks: &Marks, sound: bool) -> Vec<Check> {
    let Summary { blocks, commitments, messages, states, old_lists, left, migrations: _ } = summary;
    let Marks { head: (_, head), first_available: first, is_early, .. } = *marks;
    let mut passed = Vec::new();
    if sound {
        let text = match *blocks {
            1 => format!("the block at level {head} is the only one"),
            _ => format!("{blocks} blocks from level {first} to {head} follow each other"),
        };
        passed.push(Check::yes(Code::ChainBlock, text));
        let have = plural(*messages, "message has", "messages have");
        let text = match (*messages, old_lists) {
            (0, Some(_)) => "the inboxes are linked".into(),
            _ => format!("{messages} {have} the witnesses of their inboxes, and the inboxes are linked"),
        };
        passed.push(Check::yes(Code::MessagesWitness, text));
        let have = plural(
            *commitments,
            "commitment has its hash, state and ticks",
            "commitments have their hashes, states and ticks, and are linked",
        );
        let text = format!("{commitments} {have}");
        passed.push(Check::yes(Code::CommitmentChain, text));
    }
    if sound && *states > 0 {
        let hold = plural(
            *states,
            "context holds the state of its block",
            "contexts hold the states of their blocks and commitments",
        );
        let text = format!("{states} {hold}");
        passed.push(Check::yes(Code::StateHash, text));
    }
    if let Some(OldLists { count, first, last, is_followed }) = *old_lists {
        let of = match first == last {
            true => format!("the list of messages of level {first}, which a very old node stored"),
            false => format!(
                "{count} {} of messages, of levels {first} to {last}, which a very old node stored",
                plural(count, "list", "lists")
            ),
        };
        // A conversion has carried them over: they are as sound as they were, but nothing in the new store tells.
        let later = match !is_followed && !is_early && marks.old_lists {
            true => {
                "; rollsnap verify takes them for altered ones in the new store, as no later list is whole"
            }
            false => "",
        };
        let text = format!("not checked: {of} without layer 1's own, so that nothing proves them{later}");
        passed.push(Check::unknown(Code::MessagesWitness, text));
    }
    passed.extend(left.iter().map(Check::warning));
    passed
}

/// What a report says of contexts that are missing, if an import rebuilds them.
pub(super) fn missing_contexts(lacking: &Lacking) -> Option<Problem> {
    let code = match lacking {
        Lacking { has_first: false, .. } => return None,
        lacking if lacking.is_compact() => {
            return Some(Problem::new(Code::ContextCompact).at(Place::Level(lacking.first)));
        }
        _ => Code::ContextPartial,
    };
    Some(Problem::new(code).at(Place::Level(lacking.levels.0)).because(lacking.words()))
}

/// Rule E9, as far as the index of commits tells.
pub fn head_context(level: i32) -> Problem {
    export::head_context(level).because("its commit is not in the index of the context")
}

/// Rule E1: what `storage/version` says, if it is there, does not contradict a store of version 5.
///
/// # Errors
/// [`Code::StoreVersion`] with the texts of the nodes.
pub fn check_version(recorded: Option<i64>) -> Result<(), Problem> {
    match recorded {
        None | Some(5) => Ok(()),
        Some(retired @ 0..=4) => Err(export::retired_version(retired)),
        Some(other) => Err(export::incompatible_version(format_args!("v{other}"), "v5_sqlite")),
    }
}

/// The number in `storage/version`.
///
/// # Errors
/// [`Code::StoreVersion`] when there is none. `path` is the name of the file.
pub fn parse_version(bytes: &[u8], path: &str) -> Result<i64, Problem> {
    #[derive(Deserialize)]
    struct Recorded {
        store_version: i64,
    }
    let recorded: Option<Recorded> = serde_json::from_slice(bytes).ok();
    let version = recorded.map(|recorded| recorded.store_version);
    let form = || Problem::new(Code::StoreVersion).path(path).expected(r#"{ "store_version": N }"#);
    version.ok_or_else(form)
}

/// Why nothing is said of a store that did not come whole.
pub fn cut_store() -> Check {
    Check::unknown(Code::StoreMissing, "not checked: the file is damaged before its store ends")
}

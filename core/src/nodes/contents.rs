//! What the nodes say when the contents of a snapshot or a directory break a rule (X, P).

use alloc::format;
use alloc::string::String;

use crate::code::Code;
use crate::hash::{BlockHash, CommitmentHash, InboxHash, StateHash};
use crate::problem::{Place, Problem};
use crate::rule::Rule;

/// X2, P2. `head` is the last commitment of the head, `header` that of the header.
pub fn other_commitment(head: &CommitmentHash, header: &CommitmentHash) -> Problem {
    let text = format!("Last commitment in snapshot is {head} but should be {header}.");
    Problem::new(Code::HeaderStore).breaks(Rule::X2, text)
}

/// X3, and P5b for `pvm_state`: `what` of a block is not there. The nodes say "after import" before an export as well.
pub fn unreadable(code: Code, what: &str, block: &BlockHash, level: i32) -> Problem {
    let rule = if what == "pvm_state" { Rule::P5b } else { Rule::X3 };
    at(code, level).breaks(rule, format!("Could not read {what} at {block} after import."))
}

/// P4: the store ends before the level of the last cemented commitment.
pub fn no_block_for_lcc(level: i32) -> Problem {
    lcc(level, format!("No block for LCC level {level}"))
}

/// P4: the level has a block that is not in the store.
pub fn unknown_block_for_lcc(block: &BlockHash, level: i32) -> Problem {
    lcc(level, format!("Unknown block {block} for LCC level {level}"))
}

/// P4: the block has no commitment.
pub fn no_commitment_for_lcc(block: &BlockHash, level: i32) -> Problem {
    lcc(level, format!("No commitment for block {block} for LCC level {level}"))
}

/// P4: the block has another commitment, `found`.
pub fn other_lcc(found: &CommitmentHash, level: i32, expected: &CommitmentHash) -> Problem {
    let text =
        format!("Snapshot contains {found} for LCC at level {level} but was expected to be {expected}.");
    lcc(level, text).expected(expected).found(found)
}

/// P5a.
pub fn commitment_hash(level: i32, computed: &CommitmentHash, stored: &CommitmentHash) -> Problem {
    at(Code::CommitmentHash, level).expected(stored).found(computed).breaks(
        Rule::P5a,
        format!("Erroneous commitment hash {computed} for level {level} instead of {stored}."),
    )
}

/// P5c. `found` is in the context or in the store, `made` follows from the origination.
pub fn genesis_state(level: i32, found: &StateHash, made: &StateHash) -> Problem {
    let text = format!(
        "Erroneous state hash {found} for originated rollup (level {level}) instead of {made}. You might be missing \
         unsafe pvm patches and/or the cli argument to activate them, or the pvm state of the snapshot is corrupted for \
         the rollup genesis block."
    );
    at(Code::StateGenesis, level).expected(made).found(found).breaks(Rule::P5c, text)
}

/// P5d. `found` is in the context, `expected` in the commitment or the store.
pub fn state_hash(level: i32, found: &StateHash, expected: &StateHash) -> Problem {
    at(Code::StateHash, level)
        .expected(expected)
        .found(found)
        .breaks(Rule::P5d, format!("Erroneous state hash {found} for level {level} instead of {expected}."))
}

/// P5e. `found` is in the commitment.
pub fn commitment_level(level: i32, found: i32) -> Problem {
    at(Code::CommitmentLevel, level)
        .expected(level)
        .found(found)
        .breaks(Rule::P5e, format!("Erroneous inbox level {found} in commitment instead of level {level}."))
}

/// P5f. `found` is in the block, `expected` in the commitment.
pub fn previous_commitment(level: i32, found: &CommitmentHash, expected: &CommitmentHash) -> Problem {
    at(Code::CommitmentPrev, level).expected(expected).found(found).breaks(
        Rule::P5f,
        format!("Erroneous previous commitment hash {found} for level {level} instead of {expected}."),
    )
}

/// P5g. `expected` is named by the next newer commitment.
pub fn commitment_chain(level: i32, found: &CommitmentHash, expected: &CommitmentHash) -> Problem {
    at(Code::CommitmentChain, level).expected(expected).found(found).breaks(
        Rule::P5g,
        format!(
            "Commitment hash {found} for level {level} was expected to be {expected} in the chain of commitments."
        ),
    )
}

/// P5h.
pub fn inbox_hash(level: i32, computed: &InboxHash, stored: &InboxHash) -> Problem {
    at(Code::InboxHash, level)
        .expected(stored)
        .found(computed)
        .breaks(Rule::P5h, format!("Erroneous inbox {computed} for level {level} instead of {stored}."))
}

fn lcc(level: i32, text: String) -> Problem {
    at(Code::L1Lcc, level).breaks(Rule::P4, text)
}

fn at(code: Code, level: i32) -> Problem {
    Problem::new(code).at(Place::Level(level))
}

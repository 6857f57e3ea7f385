//! The checks of *Anchored*: what was said by layer 1, or is expected by the user, held against a snapshot.

use alloc::format;
use alloc::string::ToString;

use super::origination::Originated;
use crate::code::Code;
use crate::hash::CommitmentHash;
use crate::problem::{Problem, Result};
use crate::report::Check;
use crate::store::{Genesis, Mark, Rows, check_cemented, not_served};

/// What a report says when layer 1 was not asked, and why not.
pub fn not_asked(why: &str) -> Check {
    let text = format!("not checked: whether the last commitment is published on layer 1 ({why})");
    Check::unknown(Code::L1Commitment, text)
}

/// Whether the last commitment is the one that the user knows from elsewhere; `found` is `None` where there is none.
pub fn expected_commitment(found: Option<CommitmentHash>, expected: CommitmentHash) -> Check {
    if found == Some(expected) {
        let text = format!("the last commitment is the expected one, {expected}");
        return Check::yes(Code::CommitmentExpected, text);
    }
    let found = found.map_or_else(|| "none".to_string(), |found| found.to_string());
    Check::of(&Problem::new(Code::CommitmentExpected).expected(expected).found(found))
}

/// Rule P4, with the last cemented commitment of layer 1 or the reason why it is not known. `None` when the store ends
/// below its level, so that there is nothing to compare.
pub fn judge_cemented(cemented: &Result<Mark<CommitmentHash>>, store: &mut impl Rows) -> Option<Check> {
    match cemented.as_ref().map_err(Clone::clone).and_then(|cemented| check_cemented(cemented, store)) {
        Ok(check) => check,
        Err(problem) if problem.code() == Code::L1Lcc => Some(Check::of(&problem)),
        Err(problem) => Some(Check::open(&problem)),
    }
}

/// Rule P5c, with what layer 1 has of the origination or the reason why it is not known: many nodes have forgotten so old
/// a block.
///
/// # Errors
/// [`Code::StateGenesis`]
pub fn judge_origination(originated: &Result<Option<Originated>>, genesis: &Genesis) -> Result<Check> {
    match originated {
        Ok(found) => {
            let boot_sector = found.as_ref().map(|found| &*found.boot_sector);
            let protocol = found.as_ref().and_then(|found| found.protocol.as_ref());
            genesis.judge_boot_sector(boot_sector, protocol)
        }
        Err(problem) => Ok(unanswered_origination(problem)),
    }
}

/// What a report says of rule P5c where layer 1 gives no answer.
pub fn unanswered_origination(problem: &Problem) -> Check {
    match problem.code() {
        Code::L1Pruned | Code::L1Forbidden => not_served(problem),
        _ => Check::open(problem),
    }
}

//! What the nodes say when a rule before an import (I) does not hold, or when `--level` cannot be had.

use alloc::format;
use alloc::string::String;
use core::fmt::Display;

use crate::code::Code;
use crate::hash::{CommitmentHash, RollupAddress};
use crate::problem::Problem;
use crate::rule::Rule;

/// I1.
pub fn populated(data_dir: impl Display) -> Problem {
    let text = format!(
        "The rollup node data dir {data_dir} is already populated. If you want to overwrite its non-local content use \
         the --force option."
    );
    Problem::new(Code::ImportPopulated).breaks(Rule::I1, text)
}

/// I2. `lock` is the path of the lock.
pub fn node_is_running(lock: impl Display) -> Problem {
    let text = format!(
        "Could not acquire lock on data directory, another rollup node may already be running with this data. If this \
         is not the case, consider removing manually the file \"{lock}\""
    );
    Problem::new(Code::LockHeld).breaks(Rule::I2, text)
}

/// I3: with the code of what the system says, `reason`.
pub fn cannot_open(code: Code, file: impl Display, reason: impl Display) -> Problem {
    Problem::new(code).breaks(Rule::I3, format!("Cannot open snapshot file {file}: {reason}"))
}

/// I4. `what` comes: a snapshot, or the source of a conversion.
pub fn other_rollup(existing: &RollupAddress, what: &str, rollup: &RollupAddress) -> Problem {
    let text = format!("The existing rollup node is for {existing}, but the {what} is for rollup {rollup}.");
    Problem::new(Code::ImportRollup).breaks(Rule::I4, text)
}

/// I5: a full snapshot for an archive node.
pub fn full_into_archive() -> Problem {
    let text = "Cannot import a full snapshot into an archive rollup node.";
    Problem::new(Code::ImportMode).breaks(Rule::I5, text)
}

/// I5, Mavkit: an archive snapshot for a full node.
pub fn archive_into_full() -> Problem {
    let text = "Cannot import an archive snapshot into a full rollup node.";
    Problem::new(Code::ImportMode).breaks(Rule::I5, text)
}

/// I5b.
pub fn level_above_header(header: i32, level: i32) -> Problem {
    let text = format!("Cannot import a snapshot for level {header} at level {level}.");
    Problem::new(Code::ImportLevel).breaks(Rule::I5b, text)
}

/// I5c. The same level is no reason to worry, but nothing to do either.
pub fn already_at_level(existing: i32, header: i32) -> Problem {
    let code = if existing == header { Code::ImportSame } else { Code::ImportOlder };
    let text = format!(
        "The rollup node is already at level {existing} but the snapshot is only for level {header}."
    );
    Problem::new(code).breaks(Rule::I5c, text)
}

/// I5d.
pub fn below_savepoint(header: i32, savepoint: i32) -> Problem {
    let text = format!(
        "Cannot verify the commitment publication of the snapshot: the snapshot's head level {header} is at or below the \
         L1 node's savepoint {savepoint}. Use an archive L1 node, or skip the check with --no-checks."
    );
    Problem::new(Code::L1Savepoint).breaks(Rule::I5d, text)
}

/// I6, with the cause that the search of the nodes gives.
pub fn not_published(cause: String) -> Problem {
    Problem::new(Code::L1Commitment)
        .breaks(Rule::I6, "Commitment of snapshot is not published on L1.")
        .because(cause)
}

/// The cause of I6: the search has looked at all levels.
pub fn not_located(
    commitment: &CommitmentHash,
    rollup: &RollupAddress,
    (start, head): (i32, i32),
    step: i32,
) -> String {
    format!(
        "Could not locate commitment {commitment} for rollup {rollup} on L1 between levels {start} and {head} (step \
         {step})."
    )
}

/// The words of a `--level` that none can be.
pub fn level_request(text: &str) -> Problem {
    let text = format!("Invalid import level \"{text}\". Expected a positive integer.");
    Problem::new(Code::LevelRequest).headline(text)
}

/// A store is to be taken back to a level without a block.
pub fn no_block_at(level: i32) -> Problem {
    Problem::new(Code::StoreBlock).headline(format!("No block found at level {level}."))
}

/// A store is to be taken back to a level whose commitment it does not have.
pub fn no_commitment(hash: &CommitmentHash) -> Problem {
    Problem::new(Code::StoreCommitment).headline(format!("No commitment found for hash {hash}."))
}

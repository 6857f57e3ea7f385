//! What the nodes say when a rule before an export (E) does not hold.

use alloc::format;
use core::fmt::Display;

use crate::code::Code;
use crate::hash::CommitmentHash;
use crate::problem::{Place, Problem};
use crate::rule::Rule;

/// E1, Octez: a version that has been given up.
pub fn retired_version(version: i64) -> Problem {
    let text = format!("Retired store version {version}, recover from snapshot");
    Problem::new(Code::StoreVersion).breaks(Rule::E1, text)
}

/// E1: another version than the node reads, `expected`. The versions print as `v4` and `v5_sqlite`.
pub fn incompatible_version(version: impl Display, expected: &str) -> Problem {
    let text = format!("Incompatible store version {version}, expected {expected}. Cannot produce snapshot.");
    Problem::new(Code::StoreVersion).breaks(Rule::E1, text)
}

/// E1, Mavkit: an older version.
pub fn outdated_version(version: impl Display) -> Problem {
    let text = format!(
        "Incompatible store version {version}, expected v4. Cannot produce snapshot. Please restart your rollup node to \
         migrate."
    );
    Problem::new(Code::StoreVersion).breaks(Rule::E1, text)
}

/// E1, Mavkit: no version is recorded.
pub fn unversioned_store() -> Problem {
    Problem::new(Code::StoreVersion).breaks(Rule::E1, "Unversionned store, cannot produce snapshot.")
}

/// E2. `shown` is the name of the data directory or snapshot.
pub fn no_metadata(shown: &str) -> Problem {
    let text = format!("No rollup node metadata in \"{shown}\".");
    Problem::new(Code::MetadataMissing).breaks(Rule::E2, text)
}

/// E3.
pub fn context_version(version: i64) -> Problem {
    Problem::new(Code::MetadataContext).breaks(Rule::E3, format!("Unsupported context version {version}"))
}

/// E4: an older node wrote the store.
pub fn missing_migrations(count: usize) -> Problem {
    let text = format!("The store has {count} missing migrations but was opened in read-only mode.");
    Problem::new(Code::StoreMigrations).breaks(Rule::E4, text)
}

/// E4: a newer node wrote the store.
pub fn unknown_migrations(count: usize, known: usize) -> Problem {
    let text = format!("Cannot use a store with {count} migrations applied when only {known} are known");
    Problem::new(Code::StoreMigrations).breaks(Rule::E4, text)
}

/// E5.
pub fn no_head() -> Problem {
    Problem::new(Code::StoreNoHead)
        .breaks(Rule::E5, "There is no head in the rollup node store, cannot produce snapshot.")
}

/// E6.
pub fn no_context() -> Problem {
    Problem::new(Code::StoreNoContext).breaks(Rule::E6, "No blocks with context committed to disk")
}

/// E7: the words of a level that none can be.
pub fn level_request(text: &str) -> Problem {
    let text = format!(
        "Invalid snapshot level \"{text}\". Expected 'head', 'finalized', 'cemented', or a positive integer."
    );
    Problem::new(Code::LevelRequest).breaks(Rule::E7, text)
}

/// E7: `finalized` is asked for.
pub fn no_finalized_block() -> Problem {
    let text = "No finalized block in the store, cannot use 'finalized'.";
    Problem::new(Code::LevelUnavailable).breaks(Rule::E7, text)
}

/// E7: `cemented` is asked for.
pub fn no_cemented_commitment() -> Problem {
    let text = "No cemented commitment in the store, cannot use 'cemented'.";
    Problem::new(Code::LevelUnavailable).breaks(Rule::E7, text)
}

/// E7: a level above the head.
pub fn level_above_head(level: i32, head: i32) -> Problem {
    let text = format!("Requested level {level} is higher than the head level {head}.");
    Problem::new(Code::LevelUnavailable).breaks(Rule::E7, text)
}

/// E7: a level that is older than what the store can still show.
pub fn level_below_first(level: i32, first: i32) -> Problem {
    let text = format!("Requested level {level} is below the first available level {first}.");
    Problem::new(Code::LevelUnavailable).breaks(Rule::E7, text)
}

/// E7: no block is there.
pub fn no_block_at_target(level: i32) -> Problem {
    let text = format!("No block found at target level {level}.");
    Problem::new(Code::LevelUnavailable).breaks(Rule::E7, text)
}

/// E8. `shown` is the name of the data directory or snapshot.
pub fn no_mode(shown: &str) -> Problem {
    let text = format!("No history mode information in \"{shown}\".");
    Problem::new(Code::StoreNoMode).breaks(Rule::E8, text)
}

/// E9.
pub fn head_context(level: i32) -> Problem {
    Problem::new(Code::ContextHead)
        .at(Place::Level(level))
        .breaks(Rule::E9, "Head context cannot be checked-out, won't produce snapshot.")
}

/// E10: a commitment that should be there is not. The nodes stop with an internal error.
pub fn commitment_not_stored(hash: &CommitmentHash) -> Problem {
    Problem::new(Code::StoreCommitment).breaks(Rule::E10, format!("commitment {hash} not in store"))
}

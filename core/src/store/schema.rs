//! Which schema a store has (rule E4), and whether it has what is read from it.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

use super::damaged;
use crate::code::Code;
use crate::problem::{Problem, Result};

/// Which schemas are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// The newest only, as for an export.
    Current,
    /// Older ones as well, as for an import: the node upgrades the store when it starts.
    Older,
}

/// Judges the applied migrations, number and name by number; `None` without their table. Gives how
/// many there are. `path` is the name of the database, for messages.
///
/// # Errors
/// [`Code::StoreMigrations`] with the texts of the nodes, [`Code::StoreDamaged`].
pub fn check_migrations(applied: Option<&[(i64, String)]>, accept: Accept, path: &str) -> Result<usize> {
    let known = MIGRATIONS.len();
    let refused = |text: String| Problem::new(Code::StoreMigrations).headline(text).path(path);
    let missing = |count: usize| {
        refused(format!("The store has {count} missing migrations but was opened in read-only mode."))
    };
    let Some(applied) = applied else {
        return Err(missing(known).because("it has no table of migrations"));
    };
    for (expected, (id, _)) in (0i64..).zip(applied) {
        if *id != expected {
            let what = format!("migration {expected} is missing, migration {id} is recorded");
            return Err(damaged(path, &what));
        }
    }
    let count = applied.len();
    if count > known {
        return Err(refused(format!(
            "Cannot use a store with {count} migrations applied when only {known} are known"
        )));
    }
    if let Some(((_, name), expected)) =
        applied.iter().zip(MIGRATIONS).find(|((_, name), expected)| name != expected)
    {
        return Err(refused("the store has a migration that no rollup node knows".into())
            .expected(format_args!("{expected:?}"))
            .found(format_args!("{name:?}")));
    }
    if count == 0 || (count < known && accept == Accept::Current) {
        return Err(missing(known - count));
    }
    Ok(count)
}

/// Judges the tables of a store with so many migrations; `columns` gives those of a table, none
/// where there is no such table.
///
/// # Errors
/// [`Code::StoreDamaged`], and those of `columns`.
pub fn check_tables(
    migrations: usize,
    path: &str,
    mut columns: impl FnMut(&str) -> Result<BTreeSet<String>>,
) -> Result<()> {
    for (table, wanted) in TABLES {
        let found = columns(table)?;
        if found.is_empty() {
            return Err(damaged(path, &format!("there is no table {table}")));
        }
        let newer: &[&str] = if table == "l2_blocks" && migrations > 1 { &SINCE_1 } else { &[] };
        if let Some(column) = wanted.iter().chain(newer).find(|column| !found.contains(**column)) {
            return Err(damaged(path, &format!("table {table} has no column {column}")));
        }
    }
    Ok(())
}

/// More recorded migrations than this are not read.
pub const MAX_MIGRATIONS: usize = 1000;

/// Names of the migrations, by their number.
const MIGRATIONS: [&str; 3] = ["initial", "add_state_hash_and_status", "optional_context"];

/// Every table, with the columns that it must have.
const TABLES: [(&str, &[&str]); 11] = [
    ("rollup_node_state", &["name", "value", "level"]),
    ("commitments", &["hash", "compressed_state", "inbox_level", "predecessor", "number_of_ticks"]),
    (
        "commitments_published_at_levels",
        &["commitment_hash", "first_published_at_level", "published_at_level"],
    ),
    ("inboxes", &["hash", "inbox_level", "history_proof"]),
    ("messages", &["payload_hashes_hash", "inbox_level", "message_list"]),
    ("outbox_messages", &["outbox_level", "messages", "executed_messages"]),
    ("protocols", &["hash", "proto_level", "first_level", "first_is_activation"]),
    ("dal_slots_headers", &["block_hash", "slot_index", "published_level", "slot_commitment"]),
    ("dal_slots_statuses", &["block_hash", "slot_index", "attested"]),
    (
        "l2_blocks",
        &[
            "block_hash",
            "level",
            "predecessor",
            "commitment_hash",
            "previous_commitment_hash",
            "inbox_witness",
            "inbox_hash",
            "initial_tick",
            "num_ticks",
            "context",
        ],
    ),
    ("l2_levels", &["level", "block_hash"]),
];

/// Columns of `l2_blocks` since migration 1.
const SINCE_1: [&str; 2] = ["state_hash", "pvm_status"];

//! Which schema a store has (rule E4), and whether it has what is read from it.

use std::collections::BTreeSet;
use std::path::Path;

use rollsnap_core::{Code, Problem, Result};
use rusqlite::Connection;

use super::problem::{damaged, said};

/// Which schemas are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// The newest only, as for an export.
    Current,
    /// Older ones as well, as for an import: the node upgrades the store when it starts.
    Older,
}

/// Checks migrations, tables and columns.
///
/// # Errors
/// [`Code::StoreMigrations`] with the texts of the nodes, [`Code::StoreDamaged`].
pub(super) fn check(conn: &Connection, path: &Path, accept: Accept) -> Result<()> {
    let known = MIGRATIONS.len();
    let refused = |text: String| Problem::new(Code::StoreMigrations).headline(text).path(path.display());
    let missing = |count: usize| {
        refused(format!("The store has {count} missing migrations but was opened in read-only mode."))
    };
    let Some(applied) = migrations(conn, path)? else {
        return Err(missing(known).because("it has no table of migrations"));
    };
    if applied.len() > known {
        let count = applied.len();
        return Err(refused(format!(
            "Cannot use a store with {count} migrations applied when only {known} are known"
        )));
    }
    if let Some((name, expected)) = applied.iter().zip(MIGRATIONS).find(|(name, expected)| name != expected) {
        return Err(refused("the store has a migration that no rollup node knows".into())
            .expected(format_args!("{expected:?}"))
            .found(format_args!("{name:?}")));
    }
    if applied.is_empty() || (applied.len() < known && accept == Accept::Current) {
        return Err(missing(known - applied.len()));
    }
    tables(conn, path, applied.len())
}

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

/// Names of the applied migrations in their order, at most one more than are known; `None`
/// without the table.
fn migrations(conn: &Connection, path: &Path) -> Result<Option<Vec<String>>> {
    let failed = |err| said("read table migrations", path, err);
    let there = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'";
    let there: i64 = conn.query_row(there, [], |row| row.get(0)).map_err(failed)?;
    if there == 0 {
        return Ok(None);
    }
    // The highest number is what the nodes go by.
    let mut query = conn.prepare("SELECT id, name FROM migrations ORDER BY id LIMIT 1000").map_err(failed)?;
    let rows = query.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
    let rows = rows.and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>).map_err(failed)?;
    for (expected, (id, _)) in (0i64..).zip(&rows) {
        if *id != expected {
            return Err(damaged(
                path,
                format!("migration {expected} is missing, migration {id} is recorded"),
            ));
        }
    }
    Ok(Some(rows.into_iter().map(|(_, name)| name).collect()))
}

fn tables(conn: &Connection, path: &Path, migrations: usize) -> Result<()> {
    for (table, columns) in TABLES {
        let failed = |err| said(&format!("read the schema of table {table}"), path, err);
        let mut query = conn
            .prepare_cached(
                "SELECT c.name FROM sqlite_schema AS t, pragma_table_info(?1) AS c \
                 WHERE t.type = 'table' AND t.name = ?1",
            )
            .map_err(failed)?;
        let found = query.query_map([table], |row| row.get::<_, String>(0));
        let found = found.and_then(Iterator::collect::<rusqlite::Result<BTreeSet<_>>>).map_err(failed)?;
        if found.is_empty() {
            return Err(damaged(path, format!("there is no table {table}")));
        }
        let newer: &[&str] = if table == "l2_blocks" && migrations > 1 { &SINCE_1 } else { &[] };
        if let Some(column) = columns.iter().chain(newer).find(|column| !found.contains(**column)) {
            return Err(damaged(path, format!("table {table} has no column {column}")));
        }
    }
    Ok(())
}

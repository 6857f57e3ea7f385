//! The tables beside the chain, read by the engine: some rows at a time, so that the user can stop it in between and
//! nothing is held but those.

use std::path::Path;

use rollsnap_core::sqlite::Value;
use rollsnap_core::store::{RawValue, Side, Walked};
use rollsnap_core::{Feedback, Result};
use rusqlite::Connection;
use rusqlite::types::Value as Owned;

use super::engine::watched;
use super::problem::said;

/// So many rows are read at once, or so many bytes.
const MOST_ROWS: usize = 1024;
const MOST_BYTES: usize = 1 << 20;

/// Rows, and the number at which the next ones begin, if there may be more.
struct Batch {
    rows: Vec<Vec<Owned>>,
    next: Option<i64>,
}

/// Gives the rows of a table, each with what is added to it.
pub(super) fn scan(
    conn: &mut Connection,
    path: &Path,
    side: Side,
    walked: Walked,
    feedback: &dyn Feedback,
    each: &mut dyn FnMut(&[RawValue<'_>]) -> Result<()>,
) -> Result<()> {
    let query = query(side, walked);
    let mut next = Some(i64::MIN);
    while let Some(from) = next {
        feedback.checkpoint()?;
        let batch = watched(conn, feedback, |conn| read(conn, &query, from));
        let batch = batch.map_err(|err| said(&format!("read table {}", side.table()), path, err))?;
        for row in &batch.rows {
            let values: Vec<RawValue<'_>> = row.iter().map(raw).collect();
            each(&values)?;
        }
        next = batch.next;
    }
    Ok(())
}

/// The rows from this number on.
fn read(conn: &Connection, query: &str, from: i64) -> rusqlite::Result<Batch> {
    let mut batch = Batch { rows: Vec::new(), next: None };
    let mut bytes = 0;
    let mut query = conn.prepare_cached(query)?;
    let columns = query.column_count();
    let mut rows = query.query([from])?;
    while let Some(row) = rows.next()? {
        let values = (1..columns).map(|column| {
            let value = row.get_ref(column)?;
            // What is no text is nothing that a value can be.
            Ok(Owned::try_from(value).unwrap_or(Owned::Null))
        });
        let values: Vec<Owned> = values.collect::<rusqlite::Result<_>>()?;
        bytes += values.iter().map(length).sum::<usize>();
        batch.rows.push(values);
        if batch.rows.len() >= MOST_ROWS || bytes >= MOST_BYTES {
            batch.next = row.get::<_, i64>(0)?.checked_add(1);
            break;
        }
    }
    Ok(batch)
}

fn length(value: &Owned) -> usize {
    match value {
        Owned::Text(text) => text.len(),
        Owned::Blob(bytes) => bytes.len(),
        _ => 0,
    }
}

fn raw(value: &Owned) -> RawValue<'_> {
    Some(match value {
        Owned::Null => Value::Null,
        Owned::Integer(number) => Value::Integer(*number),
        Owned::Real(number) => Value::Real(*number),
        Owned::Text(text) => Value::Text(text),
        Owned::Blob(bytes) => Value::Blob(bytes),
    })
}

/// The number of the row, its columns, and what is added. Rows come in the order of their numbers, so that the engine
/// sorts nothing.
fn query(side: Side, Walked { first, head }: Walked) -> String {
    let columns: Vec<_> = side.columns().iter().map(|column| format!("t.{column}")).collect();
    let (columns, table) = (columns.join(", "), side.table());
    let (added, joined, condition) = match side {
        Side::SlotHeaders | Side::SlotStatuses => (
            ", (SELECT b.level FROM l2_blocks AS b WHERE b.block_hash = t.block_hash)",
            String::new(),
            String::new(),
        ),
        Side::Outboxes => (
            ", (SELECT count(*) FROM l2_blocks AS b WHERE b.level = t.outbox_level)",
            String::new(),
            String::new(),
        ),
        _ => match (side.named_by(), side.columns()) {
            (Some(named_by), [key, level, ..]) => (
                "",
                " LEFT JOIN l2_levels AS l ON l.level = t.".to_owned()
                    + level
                    + " LEFT JOIN l2_blocks AS b ON b.block_hash = l.block_hash",
                format!(
                    " AND (t.{level} < {first} OR t.{level} > {head} OR typeof(t.{level}) <> 'integer' \
                     OR b.{named_by} IS NOT t.{key})"
                ),
            ),
            _ => ("", String::new(), String::new()),
        },
    };
    format!(
        "SELECT t.rowid, {columns}{added} FROM {table} AS t{joined} \
         WHERE t.rowid >= ?1{condition} ORDER BY t.rowid"
    )
}

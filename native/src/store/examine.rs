//! What is looked at before anything in a database is believed: its pages, and how long its values are.

use std::path::Path;

use rollsnap_core::store::{longest, tables, too_long};
use rollsnap_core::{Feedback, Problem, Result};
use rusqlite::Connection;

use super::engine::watched;
use super::problem::said;
use super::second_look;

/// Examines a database whose schema was checked.
///
/// # Errors
/// [`rollsnap_core::Code::StoreDamaged`], [`rollsnap_core::Code::StoreValue`], [`rollsnap_core::Code::Cancelled`], any
/// `io.*` code.
pub(super) fn examine(conn: &mut Connection, path: &Path, feedback: &dyn Feedback) -> Result<()> {
    let found = watched(conn, feedback, |conn| {
        conn.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
    });
    match found.map_err(|err| said("read its pages", path, err))? {
        sound if sound == "ok" => {}
        flaw => {
            let what = "its pages do not hang together";
            let problem =
                Problem::damaged_store(&path.display().to_string(), what).because(flaw.replace('\n', ": "));
            return Err(second_look::confirmed(path, problem));
        }
    }
    for table in tables() {
        let found = watched(conn, feedback, |conn| longer(conn, table));
        let found = found.map_err(|err| said(&format!("read table {table}"), path, err))?;
        if let Some((column, row, length)) = found {
            return Err(too_long(&path.display().to_string(), (table, &column), row, length));
        }
    }
    Ok(())
}

/// The first value of a table that is longer than its column may have: the column, the row, and how many bytes it has.
/// The engine reads the lengths alone.
fn longer(conn: &Connection, table: &str) -> rusqlite::Result<Option<(String, i64, u64)>> {
    let mut columns = conn.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let columns =
        columns.query_map([table], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let length = |column: &String| format!("octet_length({column})");
    let lengths: Vec<_> = columns.iter().map(length).collect();
    let above: Vec<_> =
        columns.iter().map(|column| format!("{} > {}", length(column), longest(table, column))).collect();
    let (lengths, above) = (lengths.join(", "), above.join(" OR "));
    let mut query = conn.prepare(&format!("SELECT rowid, {lengths} FROM {table} WHERE {above} LIMIT 1"))?;
    let mut rows = query.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    for (at, column) in columns.into_iter().enumerate() {
        let length = row.get::<_, Option<i64>>(at + 1)?.unwrap_or_default().unsigned_abs();
        if length > longest(table, &column) {
            return Ok(Some((column, row.get(0)?, length)));
        }
    }
    Ok(None)
}

//! Reads which schema a store has (rule E4).

use std::path::Path;

use rollsnap_core::Result;
use rollsnap_core::store::{MAX_MIGRATIONS, check_migrations, check_tables};
use rusqlite::Connection;

use super::problem::said;

pub use rollsnap_core::store::Accept;

/// Checks migrations, tables and columns.
///
/// # Errors
/// [`rollsnap_core::Code::StoreMigrations`] with the texts of the nodes,
/// [`rollsnap_core::Code::StoreDamaged`].
pub(super) fn check(conn: &Connection, path: &Path, accept: Accept) -> Result<()> {
    let shown = path.display().to_string();
    let applied = migrations(conn, path)?;
    let count = check_migrations(applied.as_deref(), accept, &shown)?;
    check_tables(count, &shown, |table| {
        let failed = |err| said(&format!("read the schema of table {table}"), path, err);
        let mut query = conn
            .prepare_cached(
                "SELECT c.name FROM sqlite_schema AS t, pragma_table_info(?1) AS c \
                 WHERE t.type = 'table' AND t.name = ?1",
            )
            .map_err(failed)?;
        let found = query.query_map([table], |row| row.get::<_, String>(0));
        found.and_then(Iterator::collect).map_err(failed)
    })
}

/// The applied migrations in their order; `None` without the table.
fn migrations(conn: &Connection, path: &Path) -> Result<Option<Vec<(i64, String)>>> {
    let failed = |err| said("read table migrations", path, err);
    let there = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'";
    let there: i64 = conn.query_row(there, [], |row| row.get(0)).map_err(failed)?;
    if there == 0 {
        return Ok(None);
    }
    // The highest number is what the nodes go by.
    let query = format!("SELECT id, name FROM migrations ORDER BY id LIMIT {MAX_MIGRATIONS}");
    let mut query = conn.prepare(&query).map_err(failed)?;
    let rows = query.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
    rows.and_then(Iterator::collect).map(Some).map_err(failed)
}

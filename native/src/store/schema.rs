//! Reads which schema a store has (rule E4), for core to judge.

use std::path::Path;

use rollsnap_core::sqlite::{Settings, Value};
use rollsnap_core::store::{MAX_MIGRATIONS, MAX_OBJECTS, Schema, check_settings};
use rollsnap_core::{Problem, Result};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::problem::said;

pub use rollsnap_core::store::Accept;

/// Checks what the header says, every object of the schema, and the migrations.
///
/// # Errors
/// [`rollsnap_core::Code::StoreMigrations`] with the texts of the nodes,
/// [`rollsnap_core::Code::StoreSchema`], [`rollsnap_core::Code::StoreDamaged`].
pub(super) fn check(conn: &Connection, path: &Path, accept: Accept) -> Result<()> {
    let shown = path.display().to_string();
    let failed = |err| said("read its schema", path, err);
    check_settings(&settings(conn).map_err(failed)?, &shown)?;
    let mut schema = Schema::default();
    let pages = hear(conn, &mut schema).map_err(failed)?;
    let applied = schema.has_migrations().then(|| migrations(conn, path)).transpose()?;
    schema.finish(applied.as_deref(), accept, pages, &shown).map(drop)
}

fn settings(conn: &Connection) -> rusqlite::Result<Settings> {
    let number = |name: &str| conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0));
    let encoding = conn.query_row("PRAGMA encoding", [], |row| row.get::<_, String>(0))?;
    Ok(Settings {
        page_size: number("page_size")?,
        encoding: match &*encoding {
            "UTF-8" => 1,
            "UTF-16le" => 2,
            _ => 3,
        },
        auto_vacuum: number("auto_vacuum")?.min(1),
        user_version: number("user_version")?,
        application_id: number("application_id")?,
    })
}

/// Hands every row of the schema over. How many pages the database has.
fn hear(conn: &Connection, schema: &mut Schema) -> rusqlite::Result<u32> {
    let query = format!("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema LIMIT {MAX_OBJECTS}");
    let mut query = conn.prepare(&query)?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        schema.row([value(row, 0)?, value(row, 1)?, value(row, 2)?, value(row, 3)?, value(row, 4)?]);
    }
    conn.query_row("PRAGMA page_count", [], |row| row.get(0))
}

fn value<'a>(row: &'a Row<'_>, index: usize) -> rusqlite::Result<Value<'a>> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Blob(bytes) => Value::Blob(bytes),
        // Bytes that are no text are in no statement of a node.
        ValueRef::Text(bytes) => str::from_utf8(bytes).map_or(Value::Blob(bytes), Value::Text),
    })
}

/// The applied migrations in their order.
fn migrations(conn: &Connection, path: &Path) -> Result<Vec<(i64, String)>, Problem> {
    let failed = |err| said("read table migrations", path, err);
    // The highest number is what the nodes go by.
    let query = format!("SELECT id, name FROM migrations ORDER BY id LIMIT {MAX_MIGRATIONS}");
    let mut query = conn.prepare(&query).map_err(failed)?;
    let rows = query.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
    rows.and_then(Iterator::collect).map_err(failed)
}

//! Connections: read-only ones that leave no trace beside the database, and writing ones.

use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use rollsnap_core::{Code, Problem, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::fs::Access;

use super::problem::{damaged, is_full, said};
use crate::io;

/// A connection that never writes and, when it is dropped, leaves the directory as it was:
///
/// * beside a `-wal` file with content the node runs (or crashed): read-only, because a writing
///   connection would write the log back into the database and remove it when it closes;
/// * without one: for writing, although nothing is written, because only such a connection
///   removes the two files that it creates to read a database in WAL mode;
/// * where permissions or a full disk refuse that: as a file that nobody changes. (On a full disk
///   two empty files can stay behind; the next connection uses and removes them.)
pub(super) fn reading(path: &Path) -> Result<Connection> {
    let failed = |err| said("open it", path, err);
    if !may(path, Access::READ_OK)? {
        return Err(Problem::new(Code::StoreMissing).path(path.display()));
    }
    let read_only = || {
        let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        touch(&conn)?;
        Ok(conn)
    };
    let log = log_length(path)?;
    if log.is_some_and(|length| length > 0) {
        return read_only().map_err(failed);
    }
    let conn = match connect_unused(path) {
        Ok(Some(conn)) => conn,
        Err(err) if is_full(&err) => immutable(path).map_err(failed)?,
        Err(err) if !is_refused(&err) => return Err(failed(err)),
        // An empty log can be that of a running node, which may write at any moment.
        _ if log.is_some() => return read_only().map_err(failed),
        _ => immutable(path).map_err(failed)?,
    };
    check_length(&conn, path)?;
    Ok(conn)
}

/// A connection for writing to a database that nobody else uses.
pub(super) fn writing(path: &Path) -> Result<Connection> {
    let failed = |err| said("open it for writing", path, err);
    if !may(path, Access::READ_OK | Access::WRITE_OK)? {
        return Err(Problem::new(Code::StoreMissing).path(path.display()));
    }
    let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    touch(&conn).map_err(failed)?;
    check_length(&conn, path)?;
    Ok(conn)
}

/// Closes; the last writing connection removes the files beside the database.
pub(super) fn close(conn: Connection, path: &Path) -> Result<()> {
    conn.close().map_err(|(_, err)| said("close it", path, err))
}

/// Whether the file is there; an error if it is not a file or access to it is denied. It is not
/// opened: closing it would drop the locks of another connection.
fn may(path: &Path, wanted: Access) -> Result<bool> {
    let problem = |err| io::problem("open", path, err);
    match std::fs::metadata(path) {
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(false),
        Err(err) => return Err(problem(err)),
        Ok(found) if !found.is_file() => return Err(damaged(path, "it is not a file")),
        Ok(_) => {}
    }
    rustix::fs::access(path, wanted).map_err(|errno| problem(errno.into()))?;
    Ok(true)
}

/// Length of the write-ahead log, if there is one. It lies beside the file itself, also where
/// `path` is a link to it.
fn log_length(path: &Path) -> Result<Option<u64>> {
    let real = path.canonicalize().map_err(|err| io::problem("find", path, err))?;
    let log = io::with_suffix(&real, "-wal");
    if !may(&log, Access::READ_OK)? {
        return Ok(None);
    }
    may(&io::with_suffix(&real, "-shm"), Access::READ_OK)?;
    let found = std::fs::metadata(&log).map_err(|err| io::problem("look at", &log, err))?;
    Ok(Some(found.len()))
}

/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);

fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    prepare(conn)
}

/// For writing, or `None` where the engine can only read: it would then leave files behind.
fn connect_unused(path: &Path) -> rusqlite::Result<Option<Connection>> {
    let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if conn.is_readonly("main")? {
        return Ok(None);
    }
    touch(&conn)?;
    Ok(Some(conn))
}

fn immutable(path: &Path) -> rusqlite::Result<Connection> {
    let mut uri = String::from("file:");
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    for &byte in absolute.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            uri.push(byte.into());
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri.push_str("?mode=ro&immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let conn = connect(Path::new(&uri), flags)?;
    touch(&conn)?;
    Ok(conn)
}

/// A store comes from elsewhere: nothing in its schema is executed, and damaged pages are refused
/// rather than trusted.
fn prepare(conn: Connection) -> rusqlite::Result<Connection> {
    conn.busy_timeout(PATIENCE)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    Ok(conn)
}

/// The engine opens the file only when it is first needed: whether it can is known after this.
pub(super) fn touch(conn: &Connection) -> rusqlite::Result<()> {
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

/// A file that was cut inside a page: the engine would read the missing bytes as zeros, and take a
/// file shorter than a page for an empty database.
fn check_length(conn: &Connection, path: &Path) -> Result<()> {
    let page = conn.query_row("PRAGMA page_size", [], |row| row.get::<_, u32>(0));
    let page = u64::from(page.map_err(|err| said("read the size of its pages", path, err))?);
    let length = std::fs::metadata(path).map_err(|err| io::problem("look at", path, err))?.len();
    if page == 0 || !length.is_multiple_of(page) {
        return Err(damaged(path, "the file was cut")
            .expected(format_args!("whole pages of {page} bytes"))
            .found(format_args!("{length} bytes")));
    }
    Ok(())
}

fn is_refused(err: &rusqlite::Error) -> bool {
    let code = err.sqlite_error_code();
    matches!(code, Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests may run as root, to whom nothing is refused, so the last resort is called directly.
    #[test]
    fn the_last_resort_reads_paths_of_any_form() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a b?c#d%41'\"é.sqlite");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (x); INSERT INTO t VALUES (7)")
            .unwrap();
        drop(conn);
        let conn = immutable(&path).unwrap();
        assert_eq!(conn.query_row("SELECT x FROM t", [], |row| row.get::<_, i64>(0)), Ok(7));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(conn.execute("INSERT INTO t VALUES (8)", []).is_err());
    }
}

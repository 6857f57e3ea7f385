//! The database engine as a hostile database meets it: with limits, and with everything off that no store needs.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rollsnap_core::Feedback;
use rollsnap_core::store::MAX_CELL;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, Error, OpenFlags, ffi};

/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a statement may take. Ours are short; what is longer came with the database.
const LIMITS: [(Limit, i32); 13] = [
    // Nothing longer is held in memory: the longest value that a node writes, and the short ones in its row.
    (Limit::SQLITE_LIMIT_LENGTH, MAX_CELL as i32 + (1 << 16)),
    // Also of the statements that stand in a schema, of which there are 28.
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 1 << 16),
    (Limit::SQLITE_LIMIT_SCHEMA, 1000),
    (Limit::SQLITE_LIMIT_COLUMN, 64),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 50),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 2),
    (Limit::SQLITE_LIMIT_VDBE_OP, 25_000),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 8),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 16),
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 0),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

/// Opens a connection. Names are paths, never addresses.
pub(super) fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    prepare(open(path, access)?)
}

/// Opens a connection that has yet to be prepared: the file is open, and nothing of it was read.
pub(super) fn open(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// The same without locks, for a file of ours alone on a file system that has none.
pub(super) fn open_without_locks(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    Connection::open_with_flags_and_vfs(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX, c"unix-none")
}

/// A store comes from elsewhere: nothing in its schema is executed, and damaged pages are refused
/// rather than trusted.
pub(super) fn prepare(conn: Connection) -> rusqlite::Result<Connection> {
    conn.busy_timeout(PATIENCE)?;
    for (limit, most) in LIMITS {
        conn.set_limit(limit, most)?;
    }
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "mmap_size", 0)?;
    // What is sorted or set aside is small, and nothing of a store belongs in the system's temporary directory.
    conn.pragma_update(None, "temp_store", "memory")?;
    conn.pragma_update(None, "automatic_index", false)?;
    Ok(conn)
}

/// Lets the connection write its database into another file: the engine attaches that for it.
pub(super) fn let_copy(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 1).map(drop)
}

/// How often it is looked whether the user wants to stop.
const POLL: Duration = Duration::from_millis(50);

/// Lets the engine work in a thread, so that the user can stop it. Where no thread can be had it works here, and ends
/// when it is done.
pub(super) fn watched<T: Send>(
    conn: &mut Connection,
    feedback: &dyn Feedback,
    work: impl Fn(&Connection) -> rusqlite::Result<T> + Send + Sync,
) -> rusqlite::Result<T> {
    let stop = conn.get_interrupt_handle();
    let ended = thread::scope(|scope| {
        let (done, ended) = mpsc::channel::<()>();
        let (here, work) = (&mut *conn, &work);
        let thread = thread::Builder::new().name("engine".into()).spawn_scoped(scope, move || {
            let result = work(here);
            drop(done);
            result
        });
        let thread = thread.ok()?;
        // The channel only ever closes.
        while ended.recv_timeout(POLL) == Err(RecvTimeoutError::Timeout) {
            if feedback.cancelled() {
                stop.interrupt();
            }
        }
        Some(thread.join())
    });
    match ended {
        Some(Ok(result)) => result,
        Some(Err(_)) => Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR), None)),
        None => work(conn),
    }
}

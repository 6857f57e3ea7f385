//! The copy of the store that goes into a snapshot (`docs/FORMAT.md`, section 6): without what is
//! the operator's own, at the level that was asked for, and with no trace of what was removed.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf, absolute};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rollsnap_core::feedback::Silent;
use rollsnap_core::{Code, Feedback, Problem, Result};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

use super::open;
use super::problem::said;
use super::read::{Rows, Store};
use super::reset::reset;
use super::schema::{self, Accept};
use crate::data_dir::STORE;
use crate::io;

/// Copies the store at `source` to `dest_dir/store.sqlite`, without the `lpc` row and at level
/// `target` (`None`: at its head). The result is one file in WAL mode. The same source gives the
/// same bytes.
///
/// # Errors
/// As [`Capture::new`] and [`Capture::finish`].
pub fn export_copy(source: &Path, dest_dir: &Path, target: Option<i32>) -> Result<PathBuf> {
    Capture::new(source, dest_dir, &Silent)?.finish(target, &Silent)
}

/// The store as it was at one moment: all that needs the locks of the data directory. The file is
/// removed when this is dropped.
#[derive(Debug)]
pub struct Capture {
    raw: Scratch,
    dest: PathBuf,
}

impl Capture {
    /// Copies the store at `source` into `dest_dir`, which must be an existing directory without
    /// a `store.sqlite`. The source is not changed.
    ///
    /// # Errors
    /// As [`Store::open`]; [`Code::OutputExists`], [`Code::Cancelled`]; [`Code::IoNoSpace`] and
    /// other `io.*` codes.
    pub fn new(source: &Path, dest_dir: &Path, feedback: &dyn Feedback) -> Result<Self> {
        let dest = dest_dir.join(STORE);
        let raw = dest_dir.join("store.sqlite.captured");
        for path in [&dest, &raw] {
            if path.try_exists().map_err(|err| io::problem("look at", path, err))? {
                return Err(Problem::new(Code::OutputExists).path(path.display()));
            }
        }
        let raw = Scratch::new(raw);
        let conn = open::reading(source)?;
        schema::check(&conn, source, Accept::Current)?;
        let conn = vacuum_into(conn, source, &raw.path, feedback)?;
        open::close(conn, source)?;
        Ok(Self { raw, dest })
    }

    /// The captured database, for reading the head and resolving a level.
    pub fn path(&self) -> &Path {
        &self.raw.path
    }

    /// Edits the copy, and packs it into `store.sqlite` beside it. Needs no lock of the source.
    ///
    /// # Errors
    /// As [`super::reset_to_level`] and [`Store::head`], and [`Code::Cancelled`].
    pub fn finish(self, target: Option<i32>, feedback: &dyn Feedback) -> Result<PathBuf> {
        let raw = &self.raw.path;
        let mut store = Store::over(open::writing(raw)?, raw);
        let failed = |err| said("edit the copy", raw, err);
        let conn = store.connection();
        // Losing this file to a crash is no loss.
        conn.pragma_update(None, "synchronous", "off").map_err(failed)?;
        conn.execute("DELETE FROM rollup_node_state WHERE name = 'lpc'", []).map_err(failed)?;
        if let Some(level) = target
            && store.head()?.level != level
        {
            reset(&mut store, level)?;
        }
        // A second copy instead of packing in place: that would need its space twice more, half of
        // it in the directory for temporary files.
        let dest = Scratch::new(self.dest.clone());
        let conn = vacuum_into(store.into_connection(), raw, &dest.path, feedback)?;
        open::close(conn, raw)?;
        into_wal_mode(&dest.path)?;
        dest.keep();
        Ok(self.dest)
    }
}

/// A database that is removed again unless it is kept.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
    kept: bool,
}

impl Scratch {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, kept: false }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        for suffix in ["", "-journal", "-wal", "-shm"] {
            // What cannot be removed stays in a directory that its owner removes.
            let _ = io::remove_if_there(&io::with_suffix(&self.path, suffix));
        }
    }
}

/// The bytes of a path as a value, whatever they are.
struct PathValue<'a>(&'a Path);

impl ToSql for PathValue<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        use std::os::unix::ffi::OsStrExt;
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0.as_os_str().as_bytes())))
    }
}

/// Works in a thread, so that the user can stop it: a large store takes minutes.
fn vacuum_into(conn: Connection, source: &Path, dest: &Path, feedback: &dyn Feedback) -> Result<Connection> {
    // Absolute, so that no name can be taken for something else than a path.
    let path = absolute(dest).map_err(|err| io::problem("find", dest, err))?;
    let stop = conn.get_interrupt_handle();
    let (conn, copied) = thread::scope(|scope| {
        let (done, ended) = mpsc::channel::<()>();
        let work = scope.spawn(move || {
            let copied = conn.execute("VACUUM main INTO ?1", [PathValue(&path)]);
            drop(done);
            (conn, copied)
        });
        // The channel only ever closes.
        while ended.recv_timeout(POLL) == Err(RecvTimeoutError::Timeout) {
            if feedback.cancelled() {
                stop.interrupt();
            }
        }
        work.join().map_err(|_| {
            Problem::new(Code::IoOther).headline("copying the store failed").path(source.display())
        })
    })?;
    match copied {
        Ok(_) => Ok(conn),
        Err(err) => Err(not_copied(said("copy the store", source, err), source, dest)),
    }
}

/// Damage is in the source; for everything else the operating system is asked, where the engine
/// only says that it could not write.
fn not_copied(problem: Problem, source: &Path, dest: &Path) -> Problem {
    match problem.code() {
        Code::Cancelled => Problem::new(Code::Cancelled),
        Code::IoOther | Code::IoPermission => match write_beyond(source, dest) {
            Err(err) => io::problem("write the copy of the store to", dest, err),
            Ok(()) => problem.path(dest.display()),
        },
        Code::IoNoSpace => problem.path(dest.display()),
        _ => problem,
    }
}

/// Writes into the unfinished copy where it could end: over a quota or a size limit that fails.
pub(super) fn write_beyond(source: &Path, dest: &Path) -> std::io::Result<()> {
    let length = std::fs::metadata(source).map_or(0, |found| found.len());
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(dest)?;
    file.write_all_at(&[0; 1 << 16], length)
}

/// How often it is looked whether the user wants to stop.
const POLL: Duration = Duration::from_millis(50);

/// Nodes expect a database in WAL mode.
pub(super) fn into_wal_mode(path: &Path) -> Result<()> {
    let conn = open::writing(path)?;
    let mode = conn.query_row("PRAGMA journal_mode = wal", [], |row| row.get::<_, String>(0));
    let mode = mode.map_err(|err| said("put the copy into WAL mode", path, err))?;
    let refused = |why| {
        let problem = Problem::new(Code::IoOther).headline("cannot put the copy of the store into WAL mode");
        Err(problem.path(path.display()).because(why))
    };
    if mode != "wal" {
        return refused("the file system does not support it");
    }
    open::close(conn, path)?;
    // The engine says "wal" even when the disk refuses the change and it takes it back.
    let mut versions = [0; 2];
    let mut read = || File::open(path)?.read_exact_at(&mut versions, WAL_VERSIONS_OFFSET);
    read().map_err(|err| io::problem("read", path, err))?;
    if versions == WAL_VERSIONS { Ok(()) } else { refused("the disk did not take the change") }
}

/// Where the header of a database tells which versions may write and read it.
const WAL_VERSIONS_OFFSET: u64 = 18;

/// What it says there in WAL mode.
const WAL_VERSIONS: [u8; 2] = [2, 2];

//! The copy of the store that goes into a snapshot (`docs/FORMAT.md`, section 6): without what is
//! the operator's own, at the level that was asked for, and with no trace of what was removed.
//!
//! It is made from one read transaction, so that a node may go on writing meanwhile: in WAL mode
//! readers see the database as it was when they began.

use std::path::{Path, PathBuf, absolute};

use rollsnap_core::feedback::{Phase, Silent, Unit};
use rollsnap_core::members::DATABASE;
use rollsnap_core::{Code, Feedback, Problem, Result};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

use super::engine::{let_copy, watched};
use super::open::{self, Watch};
use super::own::{OwnDatabase, replaced};
use super::problem::said;
use super::read::{Rows, Store};
use super::reset::reset;
use super::schema::{self, Accept};
use crate::dir::Dir;
use crate::io;

/// Copies the store at `source` to `store.sqlite` in a directory of ours, without the `lpc` row and at level
/// `target` (`None`: at its head). The result is one file in WAL mode. The same source gives the
/// same bytes, unless it is not packed.
///
/// # Errors
/// As [`Capture::begin`] and [`Capture::pack`].
pub fn export_copy(source: &Path, dest: &Path, target: Option<i32>, packing: Packing) -> Result<PathBuf> {
    Capture::begin(source)?.pack(&Dir::open(dest)?, target, packing, &mut Silent)
}

/// Whether the copy is written anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Packing {
    /// Row by row into a new file: no free space, no remains of deleted rows, the same bytes for the
    /// same rows.
    #[default]
    Packed,
    /// Page by page as it is. What is removed for the snapshot is overwritten; what the node deleted
    /// before may still be in free space.
    Pages,
}

/// The store as it is at one moment: a read transaction over it. Only beginning it needs the locks
/// of the data directory.
#[derive(Debug)]
pub struct Capture {
    store: Store,
    watch: Watch,
    is_stable: bool,
    bytes: u64,
}

impl Capture {
    /// Begins to read the store at `source`. The source is not changed.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn begin(source: &Path) -> Result<Self> {
        let (conn, watch) = open::capturing(source)?;
        let begin = || {
            conn.execute_batch("BEGIN")?;
            // The transaction begins with what is read first.
            open::touch(&conn)?;
            size(&conn)
        };
        let (page, count) = begin().map_err(|err| said("begin to read it", source, err))?;
        schema::check(&conn, source, Accept::Current)?;
        let is_stable = watch.is_shared();
        let bytes = u64::from(page) * u64::from(count);
        Ok(Self { store: Store::over(conn, source), watch, is_stable, bytes })
    }

    /// Whether a node may write while this is held, and it stays what it is. Otherwise (a database that no node has put
    /// into WAL mode, or one in a directory that cannot be written to) the copy must be made before the locks are
    /// released.
    pub fn is_stable(&self) -> bool {
        self.is_stable
    }

    /// How long the database is, in bytes; what is made of it is hardly ever longer.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The store as it was captured, for reading the head and resolving a level.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Makes the copy that goes into a snapshot, in `dest_dir`, and closes the source.
    ///
    /// # Errors
    /// As [`Capture::copy`] and [`Copied::finish`].
    pub fn pack(
        self,
        dest: &Dir,
        target: Option<i32>,
        packing: Packing,
        feedback: &mut dyn Feedback,
    ) -> Result<PathBuf> {
        self.copy(dest, PHASE, feedback)?.finish(target, packing, feedback)
    }

    /// Copies the database page by page into `dest`, a directory of ours without a `store.sqlite`, and closes the source.
    ///
    /// # Errors
    /// [`Code::OutputExists`], [`Code::SourceChanged`], [`Code::Cancelled`]; [`Code::IoNoSpace`] and other `io.*` codes.
    pub fn copy(self, dest: &Dir, phase: Phase, feedback: &mut dyn Feedback) -> Result<Copied> {
        let done = OwnDatabase::make(dest, DATABASE)?;
        let raw = OwnDatabase::make(dest, CAPTURED)?;
        let source = self.store.path().to_owned();
        let conn = self.store.into_connection();
        copy_pages(&conn, &source, &raw, phase, feedback)?;
        open::close(conn, &source)?;
        self.watch.check()?;
        Ok(Copied { raw, done, source })
    }
}

/// What the pages are copied to.
const CAPTURED: &str = "store.sqlite.captured";

/// The pages of a captured store, in a file of our own, which is removed when this is dropped.
#[derive(Debug)]
pub struct Copied {
    raw: OwnDatabase,
    /// Where the store will be: empty until then.
    done: OwnDatabase,
    source: PathBuf,
}

impl Copied {
    /// Edits the copy, and puts it into `store.sqlite` beside it.
    ///
    /// # Errors
    /// As [`super::reset_to_level`] and [`Store::head`], and [`Code::Cancelled`].
    pub fn finish(self, target: Option<i32>, packing: Packing, feedback: &dyn Feedback) -> Result<PathBuf> {
        let Self { raw, done, source } = self;
        let mut store = Store::over(raw.connect()?, raw.path());
        let failed = |err| said("edit the copy", raw.path(), err);
        let conn = store.connection();
        conn.pragma_update(None, "secure_delete", packing == Packing::Pages).map_err(failed)?;
        conn.execute("DELETE FROM rollup_node_state WHERE name = 'lpc'", []).map_err(failed)?;
        if let Some(level) = target
            && store.head()?.level != level
        {
            reset(&mut store, level)?;
        }
        let conn = store.into_connection();
        match packing {
            // Into another file instead of in place: that would need its space twice more, half of it
            // in the directory for temporary files.
            Packing::Packed => {
                let conn = vacuum_into(conn, &raw, &source, &done, feedback)?;
                open::close(conn, raw.path())?;
            }
            Packing::Pages => {
                open::close(conn, raw.path())?;
                raw.move_over(&done)?;
            }
        }
        done.mark_wal_mode()?;
        let path = done.path().to_path_buf();
        done.keep();
        Ok(path)
    }
}

/// For copies that nobody watches.
const PHASE: Phase = Phase::only("Copying database");

/// How many pages are copied between two looks at the user: 1 MiB of the usual size.
const PAGES: i32 = 256;

/// Copies what the read transaction of `from` sees.
pub(super) fn copy_pages(
    from: &Connection,
    source: &Path,
    dest: &OwnDatabase,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<()> {
    let failed = |err| not_copied(said("copy the store", source, err), source, dest);
    let (page, count) = size(from).map_err(failed)?;
    let total = u64::from(page) * u64::from(count);
    feedback.phase(Phase { total: Some(total), unit: Unit::Bytes, ..phase });
    let mut to = dest.connect()?;
    let backup = Backup::new(from, &mut to).map_err(failed)?;
    let mut told = 0;
    loop {
        feedback.checkpoint()?;
        let step = backup.step(PAGES).map_err(failed)?;
        let left = u64::try_from(backup.progress().remaining).unwrap_or_default() * u64::from(page);
        let done = total.saturating_sub(left);
        feedback.advance(done.saturating_sub(told));
        told = told.max(done);
        match step {
            StepResult::Done => break,
            StepResult::More => {}
            // A read transaction is held: nothing is there to wait for.
            _ => {
                return Err(Problem::new(Code::LockHeld)
                    .headline("another process is using the store: cannot copy the store")
                    .path(source.display()));
            }
        }
    }
    drop(backup);
    open::close(to, dest.path())
}

/// How long a page is, in bytes, and how many there are.
fn size(conn: &Connection) -> rusqlite::Result<(u32, u32)> {
    let number = |of| conn.query_row(of, [], |row| row.get(0));
    Ok((number("PRAGMA page_size")?, number("PRAGMA page_count")?))
}

/// The bytes of a path as a value, whatever they are.
struct PathValue<'a>(&'a Path);

impl ToSql for PathValue<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        use std::os::unix::ffi::OsStrExt;
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0.as_os_str().as_bytes())))
    }
}

/// A large store takes minutes, in which the user can stop it. What is wrong with the copied pages is wrong with the `source`.
fn vacuum_into(
    mut conn: Connection,
    raw: &OwnDatabase,
    source: &Path,
    dest: &OwnDatabase,
    feedback: &dyn Feedback,
) -> Result<Connection> {
    // Absolute, so that no name can be taken for something else than a path.
    let path = absolute(dest.path()).map_err(|err| io::problem("find", dest.path(), err))?;
    let_copy(&conn).map_err(|err| said("copy the store", source, err))?;
    // The engine writes to a file that is missing or empty only.
    let copied = watched(&mut conn, feedback, |conn| conn.execute("VACUUM main INTO ?1", [PathValue(&path)]));
    copied.map_err(|err| not_copied(said("copy the store", source, err), raw.path(), dest))?;
    if dest.bytes()? == 0 {
        return Err(replaced(dest.path()));
    }
    Ok(conn)
}

/// Damage is in the source; for everything else the operating system is asked, where the engine
/// only says that it could not write.
fn not_copied(problem: Problem, source: &Path, dest: &OwnDatabase) -> Problem {
    match problem.code() {
        Code::Cancelled => Problem::new(Code::Cancelled),
        Code::IoOther | Code::IoPermission => {
            // Where the copy could end.
            let length = std::fs::metadata(source).map_or(0, |found| found.len());
            dest.write_beyond(length).err().unwrap_or_else(|| problem.path(dest.path().display()))
        }
        Code::IoNoSpace => problem.path(dest.path().display()),
        _ => problem,
    }
}

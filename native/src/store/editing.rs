//! A store of version 5 that is changed where it lies, in one transaction, while no node runs.

use std::path::{Path, PathBuf};

use rollsnap_core::{Code, Feedback, Problem, Result};
use rusqlite::{Connection, OpenFlags};

use super::create::MIGRATIONS;
use super::engine::{connect, watched};
use super::open::{check_length, touch};
use super::problem::said;
use super::read::Store;
use super::reset::Reset;
use super::schema::{self, Accept};

pub use rusqlite::ToSql as Parameter;

/// A transaction. Dropping it takes back what was not committed.
#[derive(Debug)]
pub struct Editing {
    store: Store,
    path: PathBuf,
}

impl Editing {
    /// Begins a transaction on the database at `path`.
    ///
    /// # Errors
    /// [`Code::StoreMissing`], [`Code::StoreJournal`], [`Code::StoreSchema`], [`Code::StoreMigrations`],
    /// [`Code::StoreDamaged`], [`Code::LockHeld`] when another process writes; any `io.*` code.
    pub fn begin(path: &Path) -> Result<Self> {
        let journal = crate::io::with_suffix(path, "-journal");
        if journal.try_exists().map_err(|err| crate::io::problem("look at", &journal, err))? {
            return Err(Problem::new(Code::StoreJournal).path(journal.display()));
        }
        let failed = |err| said("open it for writing", path, err);
        let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
        touch(&conn).map_err(failed)?;
        check_length(&conn, path)?;
        schema::check(&conn, path, Accept::Older)?;
        // What is committed is on the disk.
        conn.pragma_update(None, "synchronous", "full").map_err(failed)?;
        conn.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        Ok(Self { store: Store::over(conn, path), path: path.into() })
    }

    /// Applies the migrations that are missing, as a node does when it starts; how many.
    ///
    /// # Errors
    /// [`Code::StoreSchema`] when something else than a newer store comes of it; [`Code::StoreDamaged`],
    /// [`Code::Cancelled`], any `io.*` code.
    pub fn migrate(&mut self, feedback: &dyn Feedback) -> Result<usize> {
        let failed = |err| said("apply the missing migrations", &self.path, err);
        let count = "SELECT count(*) FROM migrations";
        let there = self.store.reading().query_row(count, [], |row| row.get::<_, i64>(0)).map_err(failed)?;
        let all = (0i64..).zip(MIGRATIONS).zip(STATEMENTS);
        let mut done = 0;
        for ((id, name), statements) in all.filter(|((id, _), _)| *id >= there) {
            self.with("apply the missing migrations", feedback, |conn| {
                conn.execute_batch(statements)?;
                conn.execute("INSERT INTO migrations (id, name) VALUES (?1, ?2)", (id, name))
            })?;
            done += 1;
        }
        schema::check(self.store.reading(), &self.path, Accept::Current)?;
        Ok(done)
    }

    /// The store, as it is with what was changed.
    pub fn store(&mut self) -> &mut Store {
        &mut self.store
    }

    /// Takes the store back to an older level.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], [`Code::Cancelled`], any `io.*` code.
    pub fn take_back(&mut self, reset: &Reset, feedback: &dyn Feedback) -> Result<()> {
        self.with(&reset.doing(), feedback, |conn| reset.carry_out(conn))
    }

    /// Changes it in a way that can take long, and that the user can stop.
    fn with<T: Send>(
        &mut self,
        doing: &str,
        feedback: &dyn Feedback,
        change: impl Fn(&Connection) -> rusqlite::Result<T> + Send + Sync,
    ) -> Result<T> {
        watched(self.store.connection(), feedback, change).map_err(|err| said(doing, &self.path, err))
    }

    /// Executes a statement; how many rows it changes.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], any `io.*` code.
    pub fn execute(&mut self, statement: &str, parameters: &[&dyn Parameter]) -> Result<usize> {
        let done = self.store.reading().execute(statement, parameters);
        done.map_err(|err| said("change it", &self.path, err))
    }

    /// Makes the changes last, and closes the store.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], any `io.*` code.
    pub fn commit(self) -> Result<()> {
        self.end("COMMIT")
    }

    /// Takes the changes back, and closes the store.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], any `io.*` code.
    pub fn roll_back(self) -> Result<()> {
        self.end("ROLLBACK")
    }

    fn end(self, how: &str) -> Result<()> {
        let Self { store, path } = self;
        let conn = store.into_connection();
        let ended = conn.execute_batch(how).map_err(|err| said("end the transaction", &path, err));
        let closed = conn.close().map_err(|(_, err)| said("close it", &path, err));
        ended.and(closed)
    }
}

/// What makes the same of a store as the nodes' own migrations do; the first one has made the store.
const STATEMENTS: [&str; 3] = [
    "",
    "ALTER TABLE l2_blocks ADD COLUMN state_hash VARCHAR(54); \
     ALTER TABLE l2_blocks ADD COLUMN pvm_status BLOB",
    "ALTER TABLE l2_blocks ADD COLUMN optional_context VARCHAR(54); \
     UPDATE l2_blocks SET optional_context = context; \
     ALTER TABLE l2_blocks DROP COLUMN context; \
     ALTER TABLE l2_blocks RENAME COLUMN optional_context TO context",
];

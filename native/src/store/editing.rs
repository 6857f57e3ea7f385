//! A store of version 5 that is changed where it lies, in one transaction, while no node runs.

use std::path::{Path, PathBuf};

use rollsnap_core::{Code, Problem, Result};
use rusqlite::{Connection, OpenFlags};

use super::engine::connect;
use super::open::{check_length, touch};
use super::problem::said;
use super::schema::{self, Accept};

pub use rusqlite::ToSql as Parameter;

/// A transaction. Dropping it takes back what was not committed.
#[derive(Debug)]
pub struct Editing {
    conn: Connection,
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
        Ok(Self { conn, path: path.into() })
    }

    /// Executes a statement; how many rows it changes.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], any `io.*` code.
    pub fn execute(&mut self, statement: &str, parameters: &[&dyn Parameter]) -> Result<usize> {
        let done = self.conn.execute(statement, parameters);
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
        let Self { conn, path } = self;
        let ended = conn.execute_batch(how).map_err(|err| said("end the transaction", &path, err));
        let closed = conn.close().map_err(|(_, err)| said("close it", &path, err));
        ended.and(closed)
    }
}

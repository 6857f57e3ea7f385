//! What the store says: its head and other marks, its blocks.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use rollsnap_core::hash::{BlockHash, CommitmentHash};
pub use rollsnap_core::store::{Block, Mark, State};
use rollsnap_core::store::{no_context, no_head, no_mode};
use rollsnap_core::{HistoryMode, Problem, Result, hash};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Params, Row};

use super::open;
use super::problem::{damaged, said};
use super::schema::{self, Accept};

/// A store that is open for reading. The source directory is left as it was.
#[derive(Debug)]
pub struct Store {
    conn: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the database at `path` and checks its schema (rule E4).
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreMissing`], [`rollsnap_core::Code::StoreDamaged`], [`rollsnap_core::Code::StoreMigrations`] with the texts of
    /// the nodes, [`rollsnap_core::Code::LockHeld`] when another process keeps it busy, any `io.*` code.
    pub fn open(path: &Path, accept: Accept) -> Result<Self> {
        let conn = open::reading(path)?;
        schema::check(&conn, path, accept)?;
        Ok(Self { conn, path: path.into() })
    }

    /// Closes the database. Dropping it does the same, but cannot say what goes wrong.
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreDamaged`], any `io.*` code.
    pub fn close(self) -> Result<()> {
        open::close(self.conn, &self.path)
    }

    /// What the node remembers about where it is.
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreDamaged`], any `io.*` code.
    pub fn state(&self) -> Result<State> {
        let history_mode = match self.state_row("history_mode")? {
            (None, _) => None,
            (Some(name), _) => Some(HistoryMode::from_name(&name).ok_or_else(|| {
                damaged(&self.path, "the history mode is neither archive nor full")
                    .found(format_args!("{:?}", shortened(&name)))
            })?),
        };
        Ok(State {
            head: self.mark("l2_head")?,
            finalized: self.mark("finalized_level")?,
            lcc: self.mark("lcc")?,
            lpc: self.mark("lpc")?,
            history_mode,
        })
    }

    /// The recorded history mode (rule E8). `dir` is the data directory, for the text.
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreNoMode`], [`rollsnap_core::Code::StoreDamaged`], any `io.*` code.
    pub fn history_mode(&self, dir: &Path) -> Result<HistoryMode> {
        self.state()?.history_mode.ok_or_else(|| no_mode(&dir.display().to_string()))
    }

    /// The newest block (rule E5).
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreNoHead`], [`rollsnap_core::Code::StoreDamaged`], any `io.*` code.
    pub fn head(&self) -> Result<Block> {
        let head: Mark<BlockHash> = self.mark("l2_head")?.ok_or_else(no_head)?;
        self.block(&head.hash)?
            .ok_or_else(|| no_head().because(format_args!("block {} is not in the store", head.hash)))
    }

    /// The oldest level whose block has a context on disk (rule E6): what is older cannot be used.
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreNoContext`], [`rollsnap_core::Code::StoreDamaged`], any `io.*` code.
    pub fn first_available(&self) -> Result<i32> {
        let first = "SELECT l.level FROM l2_levels AS l JOIN l2_blocks AS b ON b.block_hash = l.block_hash \
                     WHERE b.context IS NOT NULL ORDER BY l.level LIMIT 1";
        let level = self.one("l2_levels", first, [], |row| row.level(0, "level"))?;
        level.ok_or_else(no_context)
    }

    /// The canonical block at a level: the one that `l2_levels` names.
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreDamaged`], any `io.*` code.
    pub fn block_at(&self, level: i32) -> Result<Option<Block>> {
        let condition = "WHERE block_hash = (SELECT block_hash FROM l2_levels WHERE level = ?1)";
        self.block_where(condition, [level])
    }

    /// The block of this hash.
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreDamaged`], any `io.*` code.
    pub fn block(&self, hash: &BlockHash) -> Result<Option<Block>> {
        self.block_where("WHERE block_hash = ?1", [hash.to_string()])
    }

    /// The commitment that stands for the state at a block.
    pub fn most_recent_commitment(&self, block: &Block) -> CommitmentHash {
        block.most_recent_commitment()
    }

    /// Inbox level of a commitment whose content is in the store; `None` if it is not.
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreDamaged`], any `io.*` code.
    pub fn commitment_level(&self, hash: &CommitmentHash) -> Result<Option<i32>> {
        let query = "SELECT inbox_level FROM commitments WHERE hash = ?1";
        self.one("commitments", query, [hash.to_string()], |row| row.level(0, "inbox_level"))
    }

    /// The same reading, over a connection that edits.
    pub(super) fn over(conn: Connection, path: &Path) -> Self {
        Self { conn, path: path.into() }
    }

    pub(super) fn into_connection(self) -> Connection {
        self.conn
    }

    /// For queries that change nothing.
    pub(super) fn reading(&self) -> &Connection {
        &self.conn
    }

    /// Whether blocks have the columns that the second migration adds.
    pub(super) fn has_state_hash(&self) -> Result<bool> {
        let query = "SELECT 1 FROM pragma_table_info('l2_blocks') WHERE name = 'state_hash'";
        Ok(self.one("l2_blocks", query, [], |_| Ok(()))?.is_some())
    }

    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.conn
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn mark<H: FromStr<Err = hash::Error>>(&self, name: &'static str) -> Result<Option<Mark<H>>> {
        match self.state_row(name)? {
            (None, None) => Ok(None),
            (Some(text), Some(level)) => {
                let cell = Cell { path: &self.path, table: "rollup_node_state", row: name.into() };
                Ok(Some(Mark { hash: cell.hash(&text, "value")?, level }))
            }
            _ => Err(damaged(&self.path, format!("{name} has no hash or no level"))),
        }
    }

    /// Value and level of a row of `rollup_node_state`; both `None` without the row.
    fn state_row(&self, name: &'static str) -> Result<(Option<String>, Option<i32>)> {
        let query = "SELECT value, level FROM rollup_node_state WHERE name = ?1";
        let row = self.one("rollup_node_state", query, [name], |row| {
            Ok((row.opt_text(0, "value")?, row.opt_level(1, "level")?))
        })?;
        Ok(row.unwrap_or_default())
    }

    fn block_where(&self, condition: &str, params: impl Params) -> Result<Option<Block>> {
        let query = format!(
            "SELECT block_hash, level, predecessor, commitment_hash, previous_commitment_hash, context \
             FROM l2_blocks {condition}"
        );
        self.one("l2_blocks", &query, params, |row| {
            Ok(Block {
                hash: row.hash(0, "block_hash")?,
                level: row.level(1, "level")?,
                predecessor: row.hash(2, "predecessor")?,
                commitment: row.opt_hash(3, "commitment_hash")?,
                previous_commitment: row.hash(4, "previous_commitment_hash")?,
                context: row.opt_hash(5, "context")?,
            })
        })
    }

    /// The first row of a query.
    pub(super) fn one<T>(
        &self,
        table: &'static str,
        query: &str,
        params: impl Params,
        read: impl FnOnce(&Typed<'_, '_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let failed = |err| said(&format!("read table {table}"), &self.path, err);
        let mut query = self.conn.prepare_cached(query).map_err(failed)?;
        let row = query.query_row(params, |row| Ok(read(&Typed { row, table, path: &self.path })));
        row.optional().map_err(failed)?.transpose()
    }
}

/// A row whose values are read as what they should be, or refused with table, column and row.
pub(super) struct Typed<'a, 'b> {
    row: &'a Row<'b>,
    table: &'static str,
    path: &'a Path,
}

impl Typed<'_, '_> {
    pub(super) fn hash<H: FromStr<Err = hash::Error>>(&self, index: usize, column: &str) -> Result<H> {
        self.opt_hash(index, column)?.ok_or_else(|| self.wrong(column, "a hash", "nothing"))
    }

    pub(super) fn opt_hash<H: FromStr<Err = hash::Error>>(
        &self,
        index: usize,
        column: &str,
    ) -> Result<Option<H>> {
        let text = self.opt_text(index, column)?;
        text.map(|text| self.cell().hash(&text, column)).transpose()
    }

    pub(super) fn level(&self, index: usize, column: &str) -> Result<i32> {
        self.opt_level(index, column)?.ok_or_else(|| self.wrong(column, "a level", "nothing"))
    }

    pub(super) fn opt_level(&self, index: usize, column: &str) -> Result<Option<i32>> {
        match self.value(index)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => match number.try_into() {
                Ok(level) => Ok(Some(level)),
                Err(_) => Err(self.wrong(column, "a level", &number.to_string())),
            },
            other => Err(self.wrong(column, "a level", &other.data_type().to_string())),
        }
    }

    pub(super) fn opt_text(&self, index: usize, column: &str) -> Result<Option<String>> {
        let value = self.value(index)?;
        match value {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) if bytes.len() <= MAX_TEXT => match str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text.into())),
                Err(_) => Err(self.wrong(column, "text", "bytes that are not UTF-8")),
            },
            ValueRef::Text(bytes) => {
                Err(self.wrong(column, "a short text", &format!("{} bytes", bytes.len())))
            }
            other => Err(self.wrong(column, "text", &other.data_type().to_string())),
        }
    }

    fn value(&self, index: usize) -> Result<ValueRef<'_>> {
        let table = self.table;
        self.row.get_ref(index).map_err(|err| said(&format!("read table {table}"), self.path, err))
    }

    fn wrong(&self, column: &str, expected: &str, found: &str) -> Problem {
        self.cell().wrong(column).expected(expected).found(found)
    }

    fn cell(&self) -> Cell<'_> {
        // Which row it is: the value that the row is known by, if it is fit to be shown.
        let key = match self.row.get_ref("level") {
            Ok(ValueRef::Integer(level)) => format!("level {level}"),
            _ => String::new(),
        };
        Cell { path: self.path, table: self.table, row: key }
    }
}

/// Where a text stands.
struct Cell<'a> {
    path: &'a Path,
    table: &'static str,
    row: String,
}

impl Cell<'_> {
    pub(super) fn hash<H: FromStr<Err = hash::Error>>(&self, text: &str, column: &str) -> Result<H> {
        text.parse()
            .map_err(|err| self.wrong(column).found(format_args!("{:?}", shortened(text))).because(err))
    }

    fn wrong(&self, column: &str) -> Problem {
        let Self { table, row, .. } = self;
        let at = if row.is_empty() { String::new() } else { format!(" at {row}") };
        damaged(self.path, format!("column {column} of table {table}{at}"))
    }
}

/// Longest text that is read, in bytes: the longest hash has 63 characters.
const MAX_TEXT: usize = 1024;

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

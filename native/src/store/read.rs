//! What the store says: its head and other marks, its blocks.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use rollsnap_core::chain::Chain;
use rollsnap_core::hash::{BlockHash, CommitmentHash, ContextHash};
use rollsnap_core::nodes::export::{no_context, no_head, no_mode};
use rollsnap_core::store::{
    CommitmentName, MAX_TEXT, Publication, RawValue, Side, StateRow, Walked, shortened,
};
use rollsnap_core::{Code, Feedback, HistoryMode, Problem, Result, hash};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Params, Row};

use super::chain::Ahead;
use super::examine;
use super::open::{self, Watch};
use super::problem::{damaged, said};
use super::schema::{self, Accept};
use super::side;

pub use rollsnap_core::chain::Block;
pub use rollsnap_core::store::{Mark, Rows, State};

/// A store that is open for reading. The source directory is left as it was.
#[derive(Debug)]
pub struct Store {
    conn: Connection,
    path: PathBuf,
    watch: Option<Watch>,
}

impl Store {
    /// Opens the database at `path` and checks its schema (rule E4).
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreMissing`], [`rollsnap_core::Code::StoreDamaged`], [`rollsnap_core::Code::StoreSchema`],
    /// [`rollsnap_core::Code::StoreJournal`], [`rollsnap_core::Code::StoreMigrations`] with the texts of the nodes, [`rollsnap_core::Code::LockHeld`] when another process keeps it busy, any `io.*` code.
    pub fn open(path: &Path, accept: Accept) -> Result<Self> {
        let (conn, watch) = open::reading(path)?;
        schema::check(&conn, path, accept)?;
        Ok(Self { conn, path: path.into(), watch: Some(watch) })
    }

    /// Closes the database. Dropping it does the same, but cannot say what goes wrong, nor that somebody has written
    /// to it while it was read.
    ///
    /// # Errors
    /// [`rollsnap_core::Code::SourceChanged`], [`rollsnap_core::Code::StoreDamaged`], any `io.*` code.
    pub fn close(self) -> Result<()> {
        open::close(self.conn, &self.path)?;
        self.watch.map_or(Ok(()), |watch| watch.check())
    }

    /// The recorded history mode (rule E8). `dir` is the data directory, for the text.
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreNoMode`], [`rollsnap_core::Code::StoreDamaged`], any `io.*` code.
    pub fn history_mode(&self, dir: &Path) -> Result<HistoryMode> {
        self.state()?.history_mode.ok_or_else(|| no_mode(&dir.display().to_string()))
    }

    /// The block of this hash.
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreDamaged`], any `io.*` code.
    pub fn block(&self, hash: &BlockHash) -> Result<Option<Block>> {
        self.block_where("WHERE block_hash = ?1", [hash.to_string()])
    }

    /// Inbox level of a commitment whose content is in the store; `None` if it is not.
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreDamaged`], any `io.*` code.
    pub fn commitment_level(&self, hash: &CommitmentHash) -> Result<Option<i32>> {
        let query = "SELECT inbox_level FROM commitments WHERE hash = ?1";
        self.one("commitments", query, [hash.to_string()], |row| row.level(0, "inbox_level"))
    }

    /// Whether it has every migration that the nodes of today apply when they start.
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreSchema`], [`rollsnap_core::Code::StoreDamaged`], any `io.*` code.
    pub fn is_current(&self) -> Result<bool> {
        match schema::check(&self.conn, &self.path, Accept::Current) {
            Ok(()) => Ok(true),
            Err(problem) if problem.code() == Code::StoreMigrations => Ok(false),
            Err(problem) => Err(problem),
        }
    }

    /// The same reading, over a connection that edits.
    pub(super) fn over(conn: Connection, path: &Path) -> Self {
        Self { conn, path: path.into(), watch: None }
    }

    pub(super) fn into_connection(self) -> Connection {
        self.conn
    }

    /// Whether blocks have the columns that the second migration adds.
    pub(super) fn has_state_hash(&self) -> Result<bool> {
        let query = "SELECT 1 FROM pragma_table_info('l2_blocks') WHERE name = 'state_hash'";
        Ok(self.one("l2_blocks", query, [], |_| Ok(()))?.is_some())
    }

    pub(super) fn reading(&self) -> &Connection {
        &self.conn
    }

    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.conn
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn mark<H: FromStr<Err = hash::Error>>(&self, name: &'static str) -> Result<Option<Mark<H>>> {
        Mark::read(&self.path.display().to_string(), name, self.state_row(name)?)
    }

    pub(super) fn state_row(&self, name: &'static str) -> Result<StateRow> {
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

impl Rows for Store {
    fn examine(&mut self, feedback: &dyn Feedback) -> Result<()> {
        examine::examine(&mut self.conn, &self.path, feedback)
    }

    fn head(&self) -> Result<Block> {
        let head: Mark<BlockHash> = self.mark("l2_head")?.ok_or_else(no_head)?;
        self.block(&head.hash)?
            .ok_or_else(|| no_head().because(format_args!("block {} is not in the store", head.hash)))
    }

    fn first_available(&self) -> Result<i32> {
        let first = "SELECT l.level FROM l2_levels AS l JOIN l2_blocks AS b ON b.block_hash = l.block_hash \
                     WHERE b.context IS NOT NULL ORDER BY l.level LIMIT 1";
        let level = self.one("l2_levels", first, [], |row| row.level(0, "level"))?;
        level.ok_or_else(no_context)
    }

    fn state(&self) -> Result<State> {
        State::read(&self.path.display().to_string(), |name| self.state_row(name))
    }

    fn block_at(&self, level: i32) -> Result<Option<Block>> {
        let condition = "WHERE block_hash = (SELECT block_hash FROM l2_levels WHERE level = ?1)";
        self.block_where(condition, [level])
    }

    fn top_level(&self) -> Result<Option<i32>> {
        let query = "SELECT max(level) FROM l2_levels";
        let level = self.conn.query_row(query, [], |row| Ok(integer(row, 0)));
        let level = level.map_err(|err| said("read the levels", &self.path, err))?;
        Ok(level.map(|level| level.try_into().unwrap_or(i32::MAX)))
    }

    fn lowest_level(&self) -> Result<Option<i32>> {
        let query = "SELECT min(level) FROM l2_levels";
        let level = self.conn.query_row(query, [], |row| Ok(integer(row, 0)));
        let level = level.map_err(|err| said("read the levels", &self.path, err))?;
        Ok(level.map(|level| level.try_into().unwrap_or(i32::MIN)))
    }

    fn contexts(&self, each: &mut dyn FnMut(i32, ContextHash)) -> Result<()> {
        let query = "SELECT l.level, b.context FROM l2_levels AS l \
                     JOIN l2_blocks AS b ON b.block_hash = l.block_hash \
                     WHERE b.context IS NOT NULL ORDER BY l.level";
        let failed = |err| said("read the contexts", &self.path, err);
        let mut query = self.conn.prepare(query).map_err(failed)?;
        let mut rows = query.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let row = Typed { row, table: "l2_blocks", path: &self.path };
            each(row.level(0, "level")?, row.hash(1, "context")?);
        }
        Ok(())
    }

    fn publications(&self, each: &mut dyn FnMut(Publication)) -> Result<()> {
        let query = "SELECT p.commitment_hash, p.first_published_at_level, p.published_at_level, \
                            c.hash IS NOT NULL, c.inbox_level \
                     FROM commitments_published_at_levels AS p \
                     LEFT JOIN commitments AS c ON c.hash = p.commitment_hash";
        let level = |row: &Row<'_>, index| integer(row, index).and_then(|level| level.try_into().ok());
        let mut read = || {
            let mut query = self.conn.prepare(query)?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                each(Publication {
                    commitment: CommitmentName::Text(text(row, 0).unwrap_or_default().into()),
                    first_level: level(row, 1),
                    own_level: level(row, 2),
                    known: integer(row, 3) == Some(1),
                    inbox_level: level(row, 4),
                });
            }
            Ok(())
        };
        read().map_err(|err| said("read the publications", &self.path, err))
    }

    fn side(
        &mut self,
        side: Side,
        walked: Walked,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(&[RawValue<'_>]) -> Result<()>,
    ) -> Result<()> {
        side::scan(&mut self.conn, &self.path, side, walked, feedback, each)
    }

    fn with_chain<T>(&mut self, read: impl FnOnce(&mut dyn Chain) -> Result<T>) -> Result<T> {
        let has_state_hash = self.has_state_hash()?;
        Ahead::with(&mut self.conn, &self.path, has_state_hash, |chain| read(chain))
    }
}

/// A row whose values are read as what they should be, or refused with table, column and row.
pub(super) struct Typed<'a, 'b> {
    row: &'a Row<'b>,
    table: &'static str,
    path: &'a Path,
}

impl<'a, 'b> Typed<'a, 'b> {
    pub(super) fn of(row: &'a Row<'b>, table: &'static str, path: &'a Path) -> Self {
        Self { row, table, path }
    }
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

    pub(super) fn opt_number(&self, index: usize, column: &str) -> Result<Option<i64>> {
        match self.value(index)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(number)),
            other => Err(self.wrong(column, "a number", &other.data_type().to_string())),
        }
    }

    pub(super) fn opt_text(&self, index: usize, column: &str) -> Result<Option<String>> {
        let value = self.value(index)?;
        match value {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) if bytes.len() as u64 <= MAX_TEXT => match str::from_utf8(bytes) {
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

fn text<'a>(row: &'a Row<'_>, index: usize) -> Option<&'a str> {
    match row.get_ref(index) {
        Ok(ValueRef::Text(bytes)) => str::from_utf8(bytes).ok(),
        _ => None,
    }
}

fn integer(row: &Row<'_>, index: usize) -> Option<i64> {
    match row.get_ref(index) {
        Ok(ValueRef::Integer(number)) => Some(number),
        _ => None,
    }
}

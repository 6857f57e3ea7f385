//! What the store says: its head and other marks, its blocks.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::str::FromStr;

use super::cells::{Cells, shortened};
use super::schema::{self, Accept};
use super::{Block, Mark, State, damaged, no_context, no_head};
use crate::code::Code;
use crate::hash::{self, BlockHash};
use crate::header::HistoryMode;
use crate::problem::{Place, Problem, Result};
use crate::read_at::ReadAt;
use crate::sqlite::{Database, Row, Table, Value};

/// A store that is read without a database engine.
pub struct Store<'p, R> {
    database: Database<R>,
    pub(super) path: &'p str,
    pub(super) has_state_hash: bool,
}

/// Largest row that is read, in bytes: the messages of a level may take 64 MiB.
const MAX_ROW: usize = 80 << 20;

impl<'p, R: ReadAt> Store<'p, R> {
    /// Opens the database and checks its schema (rule E4). `path` is its name in messages.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], [`Code::StoreMigrations`] with the texts of the nodes, and what the
    /// source reports.
    pub fn open(reader: R, path: &'p str, accept: Accept) -> Result<Self> {
        check_length(&reader, path)?;
        let mut store = Self { database: Database::open(reader, MAX_ROW)?, path, has_state_hash: false };
        let applied = store.migrations()?;
        let count = schema::check_migrations(applied.as_deref(), accept, path)?;
        schema::check_tables(count, path, |table| store.columns(table))?;
        store.has_state_hash = store.columns("l2_blocks")?.contains("state_hash");
        Ok(store)
    }

    /// What the node remembers about where it is.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`].
    pub fn state(&self) -> Result<State> {
        let history_mode = match self.state_row("history_mode")? {
            (None, _) => None,
            (Some(name), _) => Some(HistoryMode::from_name(&name).ok_or_else(|| {
                damaged(self.path, "the history mode is neither archive nor full")
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

    /// The newest block (rule E5).
    ///
    /// # Errors
    /// [`Code::StoreNoHead`], [`Code::StoreDamaged`].
    pub fn head(&self) -> Result<Block> {
        let head: Mark<BlockHash> = self.mark("l2_head")?.ok_or_else(no_head)?;
        self.block(&head.hash.to_string())?
            .ok_or_else(|| no_head().because(format_args!("block {} is not in the store", head.hash)))
    }

    /// The oldest level whose block has a context on disk (rule E6): what is older cannot be used.
    ///
    /// # Errors
    /// [`Code::StoreNoContext`], [`Code::StoreDamaged`].
    pub fn first_available(&self) -> Result<i32> {
        let blocks = self.table("l2_blocks")?;
        // In the order of levels: they are the key of their table.
        for row in self.table("l2_levels")?.scan()? {
            let row = row?;
            let Value::Text(hash) = row.get("block_hash")? else { continue };
            let block = blocks.find_one("block_hash", Value::Text(hash))?;
            if block.is_some_and(|block| !matches!(block.get("context"), Ok(Value::Null) | Err(_))) {
                return self.cells(&row, "l2_levels").level("level");
            }
        }
        Err(no_context())
    }

    /// The canonical block at a level: the one that `l2_levels` names.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`].
    pub fn block_at(&self, level: i32) -> Result<Option<Block>> {
        let levels = self.table("l2_levels")?;
        let Some(row) = levels.find_one("level", Value::Integer(level.into()))? else { return Ok(None) };
        match row.get("block_hash")? {
            Value::Text(hash) => self.block(hash),
            _ => Ok(None),
        }
    }

    /// The highest level in the index of levels.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`].
    pub fn top_level(&self) -> Result<Option<i32>> {
        let levels = self.table("l2_levels")?;
        let Some(row) = levels.last()? else { return Ok(None) };
        let level: Option<i64> = row.get("level")?;
        Ok(level.map(|level| level.try_into().unwrap_or(i32::MAX)))
    }

    /// Publications of commitments that are not in the store, the first 1000. Only an archive can
    /// tell: elsewhere a garbage collection removes a commitment before the record of its
    /// publication.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`].
    pub fn unknown_publications(&self) -> Result<Vec<Problem>> {
        if self.state()?.history_mode != Some(HistoryMode::Archive) {
            return Ok(Vec::new());
        }
        let commitments = self.table("commitments")?;
        let mut unknown = Vec::new();
        for row in self.table("commitments_published_at_levels")?.scan()? {
            let row = row?;
            let hash = row.get("commitment_hash")?;
            let known = match hash {
                Value::Null => false,
                hash => commitments.find_one("hash", hash)?.is_some(),
            };
            if !known {
                let level =
                    if let Value::Integer(level) = row.get("first_published_at_level")? { level } else { 0 };
                let hash = if let Value::Text(hash) = hash { hash } else { "" };
                unknown.push((level, hash.to_string()));
            }
        }
        unknown.sort_by_key(|(level, _)| *level);
        let problem = |(level, hash): (i64, String)| {
            let place = Place::Level(level.try_into().unwrap_or_default());
            Problem::new(Code::PublishedUnknown).at(place).found(hash)
        };
        Ok(unknown.into_iter().take(1000).map(problem).collect())
    }

    pub(super) fn table(&self, name: &str) -> Result<Table<'_, R>> {
        self.database.table(name)
    }

    fn block(&self, hash: &str) -> Result<Option<Block>> {
        let blocks = self.table("l2_blocks")?;
        let Some(row) = blocks.find_one("block_hash", Value::Text(hash))? else { return Ok(None) };
        let row = self.cells(&row, "l2_blocks");
        Ok(Some(Block {
            hash: row.hash("block_hash")?,
            level: row.level("level")?,
            predecessor: row.hash("predecessor")?,
            commitment: row.opt_hash("commitment_hash")?,
            previous_commitment: row.hash("previous_commitment_hash")?,
            context: row.opt_hash("context")?,
        }))
    }

    fn mark<H: FromStr<Err = hash::Error>>(&self, name: &'static str) -> Result<Option<Mark<H>>> {
        let wrong = || damaged(self.path, &format!("{name} has no hash or no level"));
        match self.state_row(name)? {
            (None, None) => Ok(None),
            (Some(text), Some(level)) => {
                let hash = text.parse().map_err(|err| {
                    let what = format!("column value of table rollup_node_state at {name}");
                    damaged(self.path, &what).found(format_args!("{:?}", shortened(&text))).because(err)
                })?;
                Ok(Some(Mark { hash, level }))
            }
            _ => Err(wrong()),
        }
    }

    /// Value and level of a row of `rollup_node_state`; both `None` without the row.
    fn state_row(&self, name: &'static str) -> Result<(Option<String>, Option<i32>)> {
        let table = self.table("rollup_node_state")?;
        let Some(row) = table.find_one("name", Value::Text(name))? else { return Ok((None, None)) };
        let row = self.cells(&row, "rollup_node_state");
        Ok((row.opt_text("value")?.map(ToString::to_string), row.opt_level("level")?))
    }

    fn cells<'a>(&'a self, row: &'a Row<'a>, table: &'static str) -> Cells<'a> {
        Cells { row, table, path: self.path }
    }

    fn columns(&self, table: &str) -> Result<BTreeSet<String>> {
        if !self.database.tables().any(|name| name == table) {
            return Ok(BTreeSet::new());
        }
        Ok(self.table(table)?.columns().map(ToString::to_string).collect())
    }

    fn migrations(&self) -> Result<Option<Vec<(i64, String)>>> {
        if !self.database.tables().any(|name| name == "migrations") {
            return Ok(None);
        }
        let mut applied = Vec::new();
        for row in self.table("migrations")?.scan()? {
            let row = row?;
            applied.push((row.get::<i64>("id")?, row.get::<&str>("name")?.to_string()));
            if applied.len() == schema::MAX_MIGRATIONS {
                break;
            }
        }
        applied.sort();
        Ok(Some(applied))
    }
}

/// A file that was cut inside a page.
fn check_length(reader: &impl ReadAt, path: &str) -> Result<()> {
    let mut page = [0; 2];
    if reader.len() < 18 {
        return Ok(());
    }
    reader.read_at(16, &mut page)?;
    let page = match u16::from_be_bytes(page) {
        1 => 65536,
        page => u64::from(page),
    };
    if page < 512 || reader.len().is_multiple_of(page) {
        return Ok(());
    }
    Err(damaged(path, "the file was cut")
        .expected(format_args!("whole pages of {page} bytes"))
        .found(format_args!("{} bytes", reader.len())))
}

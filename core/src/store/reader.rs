//! What the store says: its head and other marks, its blocks.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::cells::Cells;
use super::chain::Tables;
use super::limits::{MAX_CELL, longest, too_long};
use super::objects::tables;
use super::schema::{self, Accept, MAX_OBJECTS, Schema};
use super::{CommitmentName, Mark, Publication, RawValue, Rows, Side, State, StateRow, Walked, side};
use crate::chain::{Block, Chain};
use crate::feedback::Feedback;
use crate::hash::{BlockHash, ContextHash};
use crate::nodes::export::{no_context, no_head};
use crate::problem::{Problem, Result};
use crate::read_at::ReadAt;
use crate::sqlite::{Database, Row, Settings, Table, Value};

/// A store that is read without a database engine.
pub struct Store<'p, R> {
    database: Database<R>,
    pub(super) path: &'p str,
    pub(super) has_state_hash: bool,
}

/// Largest row that is read, in bytes: the longest value, and the short ones beside it.
pub(super) const MAX_ROW: usize = MAX_CELL as usize + (1 << 16);

impl<'p, R: ReadAt> Store<'p, R> {
    /// Opens the database and checks its schema (rule E4). `path` is its name in messages.
    ///
    /// # Errors
    /// `store.damaged`, `store.migrations` with the texts of the nodes, and what the
    /// source reports.
    pub fn open(reader: R, path: &'p str, accept: Accept) -> Result<Self> {
        check_length(&reader, path)?;
        schema::check_settings(&Settings::read(&reader)?, path)?;
        let mut judge = Schema::default();
        let mut rows = 0;
        let opened = Database::listen(reader, MAX_ROW, &mut |row| {
            rows += 1;
            if rows <= MAX_OBJECTS {
                judge.row(row);
            }
        });
        let database = match opened {
            Ok(database) => database,
            // What makes the schema unreadable is often what no node makes.
            Err(problem) => return Err(judge.foreign(path).unwrap_or(problem)),
        };
        let pages = database.pages();
        let mut store = Self { database, path, has_state_hash: false };
        let applied = if judge.has_migrations() { Some(store.migrations()?) } else { None };
        let migrations = judge.finish(applied.as_deref(), accept, pages, path)?;
        store.has_state_hash = migrations > 1;
        Ok(store)
    }

    /// The blocks, each looked up with what hangs on it.
    ///
    /// # Errors
    /// `store.damaged`.
    pub(crate) fn tables(&self) -> Result<Tables<'_, R>> {
        Tables::of(self)
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

    fn state_row(&self, name: &'static str) -> Result<StateRow> {
        let table = self.table("rollup_node_state")?;
        let Some(row) = table.find_one("name", Value::Text(name))? else { return Ok((None, None)) };
        let row = self.cells(&row, "rollup_node_state");
        Ok((row.opt_text("value")?.map(ToString::to_string), row.opt_level("level")?))
    }

    pub(super) fn cells<'a>(&'a self, row: &'a Row<'a>, table: &'static str) -> Cells<'a> {
        Cells { row, table, path: self.path }
    }

    fn migrations(&self) -> Result<Vec<(i64, String)>> {
        let mut applied = Vec::new();
        for row in self.table("migrations")?.scan()? {
            let row = row?;
            applied.push((row.get::<i64>("id")?, row.get::<&str>("name")?.to_string()));
            if applied.len() == schema::MAX_MIGRATIONS {
                break;
            }
        }
        applied.sort();
        Ok(applied)
    }
}

impl<R: ReadAt> Rows for Store<'_, R> {
    fn examine(&mut self, feedback: &dyn Feedback) -> Result<()> {
        for name in tables() {
            let table = self.table(name)?;
            let columns: Vec<_> = table.columns().map(|column| (column, longest(name, column))).collect();
            table.lengths(|row, at, found| {
                feedback.checkpoint()?;
                match columns.get(at) {
                    Some((column, most)) if found > *most => {
                        Err(too_long(self.path, (name, column), row, found))
                    }
                    _ => Ok(()),
                }
            })?;
        }
        Ok(())
    }

    fn state(&self) -> Result<State> {
        State::read(self.path, |name| self.state_row(name))
    }

    fn head(&self) -> Result<Block> {
        let head = Mark::read(self.path, "l2_head", self.state_row("l2_head")?)?;
        let head: Mark<BlockHash> = head.ok_or_else(no_head)?;
        self.block(&head.hash.to_string())?
            .ok_or_else(|| no_head().because(format_args!("block {} is not in the store", head.hash)))
    }

    fn first_available(&self) -> Result<i32> {
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

    fn block_at(&self, level: i32) -> Result<Option<Block>> {
        let levels = self.table("l2_levels")?;
        let Some(row) = levels.find_one("level", Value::Integer(level.into()))? else { return Ok(None) };
        match row.get("block_hash")? {
            Value::Text(hash) => self.block(hash),
            _ => Ok(None),
        }
    }

    fn top_level(&self) -> Result<Option<i32>> {
        let levels = self.table("l2_levels")?;
        let Some(row) = levels.last()? else { return Ok(None) };
        let level: Option<i64> = row.get("level")?;
        Ok(level.map(|level| level.try_into().unwrap_or(i32::MAX)))
    }

    fn lowest_level(&self) -> Result<Option<i32>> {
        let levels = self.table("l2_levels")?;
        let Some(row) = levels.scan()?.next() else { return Ok(None) };
        self.cells(&row?, "l2_levels").opt_level("level")
    }

    fn contexts(&self, each: &mut dyn FnMut(i32, ContextHash)) -> Result<()> {
        let blocks = self.table("l2_blocks")?;
        for row in self.table("l2_levels")?.scan()? {
            let row = row?;
            let Value::Text(hash) = row.get("block_hash")? else { continue };
            let Some(block) = blocks.find_one("block_hash", Value::Text(hash))? else { continue };
            if let Some(context) = self.cells(&block, "l2_blocks").opt_hash("context")? {
                each(self.cells(&row, "l2_levels").level("level")?, context);
            }
        }
        Ok(())
    }

    fn publications(&self, each: &mut dyn FnMut(Publication)) -> Result<()> {
        let commitments = self.table("commitments")?;
        for row in self.table("commitments_published_at_levels")?.scan()? {
            let row = row?;
            let hash = row.get("commitment_hash")?;
            let commitment = match hash {
                Value::Null => None,
                hash => commitments.find_one("hash", hash)?,
            };
            each(Publication {
                commitment: CommitmentName::Text(if let Value::Text(hash) = hash {
                    hash.to_string()
                } else {
                    String::new()
                }),
                first_level: level(&row, "first_published_at_level"),
                own_level: level(&row, "published_at_level"),
                known: commitment.is_some(),
                inbox_level: commitment.and_then(|row| level(&row, "inbox_level")),
            });
        }
        Ok(())
    }

    fn side(
        &mut self,
        side: Side,
        walked: Walked,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(&[RawValue<'_>]) -> Result<()>,
    ) -> Result<()> {
        side::scan(self, side, walked, feedback, each)
    }

    fn with_chain<T>(&mut self, read: impl FnOnce(&mut dyn Chain) -> Result<T>) -> Result<T> {
        read(&mut Tables::of(self)?)
    }
}

/// A number that a level can be.
fn level(row: &Row<'_>, column: &str) -> Option<i32> {
    row.get::<i64>(column).ok()?.try_into().ok()
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
    Err(Problem::damaged_store(path, "the file was cut")
        .expected(format_args!("whole pages of {page} bytes"))
        .found(format_args!("{} bytes", reader.len())))
}

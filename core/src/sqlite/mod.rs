//! Reads SQLite 3 databases without SQLite: enough to check a store where there is no database
//! engine, as in a browser.
//!
//! The format is described by its authors in "Database File Format"
//! (<https://www.sqlite.org/fileformat2.html>); modules name the sections that they implement. What
//! is read: tables with a rowid, in UTF-8, by scan, by rowid, and through indexes in the order of
//! bytes. What is not: views, virtual tables, `WITHOUT ROWID`, generated columns and, above all,
//! the log (`-wal`) and the journal of a database in use. A database inside a snapshot has neither.
//!
//! Nothing in the file is trusted. Every page, cell and length is checked before use, work and memory are
//! bounded by the size of the file and by the caller's largest row, and everything wrong is a
//! [`Problem`] with the code `store.damaged`. All offsets in problems are byte offsets in the
//! database.
//!
//! ```
//! # use rollsnap_core::sqlite::{Database, Value};
//! # fn head(bytes: &[u8]) -> rollsnap_core::Result<Option<i64>> {
//! let database = Database::open(bytes, 16 << 20)?;
//! let state = database.table("rollup_node_state")?;
//! let head = state.find_one("name", Value::Text("l2_head"))?;
//! head.map(|row| row.get("level")).transpose()
//! # }
//! ```

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::code::Code;
use crate::problem::{Problem, Result};
use crate::read_at::ReadAt;

mod column;
mod cursor;
mod definition;
mod header;
mod page;
mod pager;
mod record;
mod row;
mod table;
mod token;

use definition::Definition;
pub use header::Settings;
pub use record::{FromValue, Value};
pub use row::Row;
pub use table::{Rows, Table};

/// A database.
pub struct Database<R> {
    pager: pager::Pager<R>,
    schema: Vec<Object>,
}

/// A table or an index, as `sqlite_schema` lists it.
struct Object {
    kind: String,
    name: String,
    table: String,
    root: u32,
    sql: Option<String>,
}

/// More text than this is no schema of a store, in bytes: one statement, and all of them.
const MAX_STATEMENT: usize = 1 << 16;
const MAX_SCHEMA: usize = 1 << 20;

impl<R: ReadAt> Database<R> {
    /// Reads the header and the schema. Rows of more than `max_row` bytes will be refused.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], and what the source reports.
    pub fn open(reader: R, max_row: usize) -> Result<Self> {
        Self::listen(reader, max_row, &mut |_| {})
    }

    /// The same, and every row of the schema is heard: the columns `type`, `name`, `tbl_name`, `rootpage` and `sql`.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn listen(reader: R, max_row: usize, hear: &mut dyn FnMut([Value<'_>; 5])) -> Result<Self> {
        let mut database = Self { pager: pager::Pager::open(reader, max_row)?, schema: Vec::new() };
        let mut schema = Vec::new();
        let mut size = 0;
        for row in database.schema_table()?.scan()? {
            let row = row?;
            hear([row.at(0)?, row.at(1)?, row.at(2)?, row.at(3)?, row.at(4)?]);
            let kind = row.get::<&str>("type")?;
            // Views, triggers and virtual tables have no pages of their own.
            let root = u32::try_from(row.get::<Option<i64>>("rootpage")?.unwrap_or_default());
            let Some(root) = root.ok().filter(|root| *root != 0) else { continue };
            let sql = row.get::<Option<&str>>("sql")?.map(ToString::to_string);
            let (name, table) = (row.get::<&str>("name")?, row.get::<&str>("tbl_name")?);
            let length = sql.as_ref().map_or(0, String::len).max(name.len()).max(table.len());
            size += length + 64;
            if length > MAX_STATEMENT || size > MAX_SCHEMA {
                let expected = format_args!("{MAX_STATEMENT} bytes in a statement, {MAX_SCHEMA} in all");
                return Err(Problem::new(Code::StoreDamaged).expected(expected).found("a larger schema"));
            }
            schema.push(Object { kind: kind.into(), name: name.into(), table: table.into(), root, sql });
        }
        database.schema = schema;
        Ok(database)
    }

    /// How many pages the database has.
    pub fn pages(&self) -> u32 {
        self.pager.layout.pages
    }

    /// The names of all tables, in the order of the schema.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.objects("table").map(|object| object.name.as_str())
    }

    /// The table of this name; case does not matter.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`] when there is none, or it is of a kind that cannot be read.
    pub fn table(&self, name: &str) -> Result<Table<'_, R>> {
        let refused = |found: &str| {
            Problem::new(Code::StoreDamaged).expected(format_args!("a table {name:?}")).found(found)
        };
        let object = self.objects("table").find(|object| object.name.eq_ignore_ascii_case(name));
        let object = object.ok_or_else(|| refused("no such table"))?;
        let sql = object.sql.as_deref().unwrap_or_default();
        let definition = Definition::parse(sql).map_err(refused)?;
        let indexes = self.objects("index").filter(|index| index.table.eq_ignore_ascii_case(name));
        let indexes = indexes.map(|index| table::Index {
            name: &index.name,
            root: index.root,
            keys: keys(&definition, index),
        });
        let indexes = indexes.collect();
        Ok(Table { pager: &self.pager, name: &object.name, root: object.root, definition, indexes })
    }

    /// `sqlite_schema`, whose tree starts on page 1.
    fn schema_table(&self) -> Result<Table<'_, R>> {
        let sql = "CREATE TABLE sqlite_schema(type TEXT, name TEXT, tbl_name TEXT, rootpage INT, sql TEXT)";
        let definition =
            Definition::parse(sql).map_err(|flaw| Problem::new(Code::StoreDamaged).found(flaw))?;
        Ok(Table { pager: &self.pager, name: "sqlite_schema", root: 1, definition, indexes: Vec::new() })
    }

    fn objects(&self, kind: &str) -> impl Iterator<Item = &Object> {
        self.schema.iter().filter(move |object| object.kind == kind)
    }
}

/// What an index is sorted by, and whether some rows are not in it. An automatic index has no
/// statement but a number.
fn keys(table: &Definition, index: &Object) -> Result<(Vec<definition::Key>, bool), token::Unsupported> {
    if let Some(sql) = &index.sql {
        return table.index(sql);
    }
    let number = index.name.strip_prefix("sqlite_autoindex_").and_then(|name| name.rsplit_once('_'));
    let number = number.and_then(|(_, number)| number.parse::<usize>().ok()?.checked_sub(1));
    let keys = number.and_then(|at| table.automatic.get(at)).cloned();
    keys.map(|keys| (keys, false)).ok_or("an automatic index of no known key")
}

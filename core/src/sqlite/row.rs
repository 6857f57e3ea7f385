//! One row, read by the names of its columns.

use alloc::vec::Vec;

use super::definition::Definition;
use super::record::{self, FromValue, Value};
use crate::code::Code;
use crate::problem::{Place, Problem, Result};

/// A row of a table.
pub struct Row<'t> {
    table: &'t str,
    definition: &'t Definition,
    rowid: i64,
    place: u64,
    record: Vec<u8>,
}

impl<'t> Row<'t> {
    pub(super) const fn new(
        definition: &'t Definition,
        table: &'t str,
        rowid: i64,
        place: u64,
        record: Vec<u8>,
    ) -> Self {
        Self { table, definition, rowid, place, record }
    }

    /// The key of the row.
    pub const fn rowid(&self) -> i64 {
        self.rowid
    }

    /// The value in this column: `i64`, `&str`, `&[u8]`, an `Option` of one of these, or any
    /// [`Value`].
    ///
    /// # Errors
    /// [`Code::StoreDamaged`] when there is no such column, or the value is of another type.
    pub fn get<'a, T: FromValue<'a>>(&'a self, column: &str) -> Result<T> {
        let Some(at) = self.definition.position(column) else {
            return Err(self.problem(column, "a column", "none of this name"));
        };
        let value = self.at(at)?;
        T::from_value(value).ok_or_else(|| self.problem(column, T::EXPECTED, value.kind()))
    }

    /// The value in the column at this position.
    pub(super) fn at(&self, position: usize) -> Result<Value<'_>> {
        let Some(column) = self.definition.columns.get(position) else { return Ok(Value::Null) };
        if self.definition.rowid == Some(position) {
            return Ok(Value::Integer(self.rowid));
        }
        match record::value(&self.record, position) {
            Ok(Some(value)) => Ok(column.read(value)),
            Ok(None) => column
                .default()
                .ok_or_else(|| self.problem(&column.name, "a value", "a default that rollsnap cannot tell")),
            Err(flaw) => Err(self.problem(&column.name, "a value", flaw)),
        }
    }

    fn problem(&self, column: &str, expected: &str, found: &str) -> Problem {
        let Self { table, rowid, .. } = self;
        Problem::new(Code::StoreDamaged)
            .at(Place::File(self.place))
            .expected(expected)
            .found(found)
            .because(format_args!("column {column:?} of row {rowid} of table {table:?}"))
    }
}

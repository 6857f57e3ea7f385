//! Values of rows beside the chain, read as what they should be.

use core::str::FromStr;

use super::Side;
use crate::code::Code;
use crate::problem::{Place, Problem};
use crate::sqlite::Value;
use crate::store::{RawValue, shortened};

/// A row, and what is said of it when a value is not what it should be.
pub(super) struct Values<'r> {
    pub(super) side: Side,
    pub(super) row: &'r [RawValue<'r>],
}

impl<'r> Values<'r> {
    /// The value of a column.
    pub(super) fn get(&self, column: usize) -> RawValue<'r> {
        self.row.get(column).copied().flatten()
    }

    /// What a reader adds behind the columns.
    pub(super) fn added(&self) -> Option<i64> {
        integer(self.get(self.side.columns().len()))
    }

    pub(super) fn text(&self, column: usize) -> Result<&'r str, Problem> {
        match self.get(column) {
            Some(Value::Text(text)) => Ok(text),
            _ => Err(self.wrong(column, "text")),
        }
    }

    pub(super) fn blob(&self, column: usize) -> Result<&'r [u8], Problem> {
        match self.get(column) {
            Some(Value::Blob(bytes)) => Ok(bytes),
            _ => Err(self.wrong(column, "bytes")),
        }
    }

    pub(super) fn integer(&self, column: usize) -> Result<i64, Problem> {
        integer(self.get(column)).ok_or_else(|| self.wrong(column, "a number"))
    }

    pub(super) fn level(&self, column: usize) -> Result<i32, Problem> {
        integer(self.get(column))
            .and_then(|number| number.try_into().ok())
            .ok_or_else(|| self.wrong(column, "a level"))
    }

    pub(super) fn truth(&self, column: usize) -> Result<bool, Problem> {
        match self.get(column) {
            Some(Value::Integer(0)) => Ok(false),
            Some(Value::Integer(1)) => Ok(true),
            _ => Err(self.wrong(column, "0 or 1")),
        }
    }

    pub(super) fn hash<H: FromStr>(&self, column: usize) -> Result<H, Problem> {
        self.text(column)?.parse().map_err(|_| self.wrong(column, "a hash of its kind"))
    }

    /// A value that no node writes there.
    pub(super) fn wrong(&self, column: usize, expected: &str) -> Problem {
        let found = match self.get(column) {
            Some(Value::Text(text)) => alloc::format!("{:?}", shortened(text)),
            Some(Value::Integer(number)) => alloc::format!("{number}"),
            Some(Value::Null) => "nothing".into(),
            Some(other) => alloc::format!("a value of kind {}", other.kind()),
            None => "a value that cannot be read".into(),
        };
        let name = self.side.columns().get(column).copied().unwrap_or_default();
        let problem = Problem::new(Code::StoreValue)
            .expected(alloc::format!("{name} of table {}: {expected}", self.side.table()))
            .found(found);
        match self.place() {
            Some(level) => problem.at(Place::Level(level)),
            None => problem,
        }
    }

    /// The level that the row is about, if it has one.
    fn place(&self) -> Option<i32> {
        let columns = self.side.columns().iter();
        let at =
            columns.clone().position(|name| ["first_level", "outbox_level", "inbox_level"].contains(name));
        let level = at.and_then(|at| integer(self.get(at))).or_else(|| match self.side {
            Side::SlotHeaders | Side::SlotStatuses => self.added(),
            _ => None,
        });
        level.and_then(|level| level.try_into().ok())
    }
}

pub(super) fn integer(value: RawValue<'_>) -> Option<i64> {
    if let Some(Value::Integer(number)) = value { Some(number) } else { None }
}

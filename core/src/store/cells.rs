//! Values of rows, read as what they should be, or refused with table, column and row.

use alloc::format;
use alloc::string::{String, ToString};
use core::str::FromStr;

use super::limits::MAX_TEXT;
use super::shortened;
use crate::hash;
use crate::problem::{Problem, Result};
use crate::sqlite::{Row, Value};

/// A row whose values are refused in words.
pub(super) struct Cells<'a> {
    pub(super) row: &'a Row<'a>,
    pub(super) table: &'static str,
    /// Name of the database.
    pub(super) path: &'a str,
}

impl Cells<'_> {
    pub(super) fn hash<H: FromStr<Err = hash::Error>>(&self, column: &str) -> Result<H> {
        self.opt_hash(column)?.ok_or_else(|| self.wrong(column, "a hash", "nothing"))
    }

    pub(super) fn opt_hash<H: FromStr<Err = hash::Error>>(&self, column: &str) -> Result<Option<H>> {
        let Some(text) = self.opt_text(column)? else { return Ok(None) };
        let parsed = text.parse().map(Some);
        parsed.map_err(|err| self.damaged(column).found(format_args!("{:?}", shortened(text))).because(err))
    }

    pub(super) fn level(&self, column: &str) -> Result<i32> {
        self.opt_level(column)?.ok_or_else(|| self.wrong(column, "a level", "nothing"))
    }

    pub(super) fn opt_level(&self, column: &str) -> Result<Option<i32>> {
        match self.row.get(column)? {
            Value::Null => Ok(None),
            Value::Integer(number) => {
                let level = number.try_into().map(Some);
                level.map_err(|_| self.wrong(column, "a level", &number.to_string()))
            }
            other => Err(self.wrong(column, "a level", kind(&other))),
        }
    }

    pub(super) fn opt_text(&self, column: &str) -> Result<Option<&str>> {
        match self.row.get(column)? {
            Value::Null => Ok(None),
            Value::Text(text) if text.len() as u64 <= MAX_TEXT => Ok(Some(text)),
            Value::Text(text) => Err(self.wrong(column, "a short text", &format!("{} bytes", text.len()))),
            other => Err(self.wrong(column, "text", kind(&other))),
        }
    }

    fn wrong(&self, column: &str, expected: &str, found: &str) -> Problem {
        self.damaged(column).expected(expected).found(found)
    }

    fn damaged(&self, column: &str) -> Problem {
        // Which row it is: the value that the row is known by, if it is fit to be shown.
        let at = match self.row.get("level") {
            Ok(Value::Integer(level)) => format!(" at level {level}"),
            _ => String::new(),
        };
        Problem::damaged_store(self.path, &format!("column {column} of table {}{at}", self.table))
    }
}

const fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Integer(_) => "Integer",
        Value::Real(_) => "Real",
        Value::Text(_) => "Text",
        Value::Blob(_) => "Blob",
    }
}

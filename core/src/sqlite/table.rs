//! The rows of a table: all of them, one by its rowid, or those that an index finds.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::cursor::{Cursor, Entry};
use super::definition::{Definition, Key};
use super::page::{Cell, Node, Tree};
use super::pager::{Budget, Pager};
use super::record::{self, Value};
use super::row::Row;
use super::token::Unsupported;
use crate::code::Code;
use crate::problem::{Problem, Result};
use crate::read_at::ReadAt;

/// A table of a [`Database`](super::Database).
pub struct Table<'d, R> {
    pub(super) pager: &'d Pager<R>,
    pub(super) name: &'d str,
    pub(super) root: u32,
    pub(super) definition: Definition,
    pub(super) indexes: Vec<Index<'d>>,
}

/// An index of a table.
pub(super) struct Index<'d> {
    pub(super) name: &'d str,
    pub(super) root: u32,
    /// What it is sorted by, and whether some rows are not in it.
    pub(super) keys: Result<(Vec<Key>, bool), Unsupported>,
}

/// Rows of a [`Table`]. Ends after the first problem.
pub struct Rows<'t, 'v, R> {
    table: &'t Table<'t, R>,
    cursor: Option<Cursor>,
    /// For an index: the column that it is sorted by first, and the value sought there.
    sought: Option<(usize, Value<'v>)>,
    /// For the overflow pages of rows that an index finds.
    budget: Budget,
}

impl<'d, R: ReadAt> Table<'d, R> {
    /// The names of the columns, in the order of the definition.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.definition.columns.iter().map(|column| column.name.as_str())
    }

    /// All rows, by ascending rowid.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`] and what the source reports; so also everywhere below.
    pub fn scan(&self) -> Result<Rows<'_, 'static, R>> {
        Ok(self.rows(Cursor::first(self.pager, Tree::Table, self.root)?, None))
    }

    /// The rows whose rowid is not below this one, by ascending rowid.
    pub fn range(&self, from: i64) -> Result<Rows<'_, 'static, R>> {
        let below = |_: &Node, cell: &Cell, _: &mut Budget| Ok(cell.rowid < from);
        Ok(self.rows(Cursor::seek(self.pager, Tree::Table, self.root, below)?, None))
    }

    /// Goes through all rows, and says how many bytes each value has: the rowid, the position of the column, the length.
    /// Only the beginnings of rows are read, so that nothing is reserved for a value, however long it is.
    pub fn lengths(&self, mut each: impl FnMut(i64, usize, u64) -> Result<()>) -> Result<()> {
        let mut cursor = Cursor::first(self.pager, Tree::Table, self.root)?;
        while let Some(Entry { node, cell }) = cursor.next(self.pager)? {
            let flaw = |flaw| self.flaw(&node, &cell, flaw);
            let mut lengths = record::lengths(node.local(&cell)).map_err(flaw)?;
            let mut at = 0;
            while let Some(length) = lengths.next().map_err(flaw)? {
                each(cell.rowid, at, length)?;
                at += 1;
            }
        }
        Ok(())
    }

    /// The row of the greatest rowid.
    pub fn last(&self) -> Result<Option<Row<'_>>> {
        let entry = Cursor::last(self.pager, Tree::Table, self.root)?;
        entry.map(|entry| self.row(&entry, &mut self.pager.budget())).transpose()
    }

    /// The row of this rowid.
    pub fn get(&self, rowid: i64) -> Result<Option<Row<'_>>> {
        self.lookup(rowid, &mut self.pager.budget())
    }

    /// The rows that have this value in this column, found through an index (or the rowid, when
    /// the column is one). The value must be of the type that the column stores.
    ///
    /// Also refused when there is no index that is sorted by this column first, by the order of
    /// [`Value::compare`], and holds every row.
    pub fn find<'v>(&self, column: &str, value: Value<'v>) -> Result<Rows<'_, 'v, R>> {
        let Some(at) = self.definition.position(column) else {
            return Err(self.refused(column, "no such column"));
        };
        if self.definition.rowid == Some(at) {
            let Value::Integer(rowid) = value else {
                return Ok(Rows { cursor: None, ..self.scan()? });
            };
            return Ok(Rows { sought: Some((at, value)), ..self.range(rowid)? });
        }
        let index = self.index(column, at)?;
        let below = |node: &Node, cell: &Cell, budget: &mut Budget| {
            let key = self.pager.record(node, cell, budget)?;
            let first = record::value(&key, 0).and_then(|first| first.ok_or("an empty record"));
            let first = first.map_err(|flaw| self.flaw(node, cell, flaw))?;
            Ok(first.compare(&value) == Ordering::Less)
        };
        let cursor = Cursor::seek(self.pager, Tree::Index, index, below)?;
        Ok(self.rows(cursor, Some((at, value))))
    }

    /// The first row that [`Table::find`] finds: the only one where the column is a key.
    pub fn find_one(&self, column: &str, value: Value<'_>) -> Result<Option<Row<'_>>> {
        self.find(column, value)?.next().transpose()
    }

    fn rows<'v>(&self, cursor: Cursor, sought: Option<(usize, Value<'v>)>) -> Rows<'_, 'v, R> {
        Rows { table: self, cursor: Some(cursor), sought, budget: self.pager.budget() }
    }

    fn lookup(&self, rowid: i64, budget: &mut Budget) -> Result<Option<Row<'_>>> {
        let below = |_: &Node, cell: &Cell, _: &mut Budget| Ok(cell.rowid < rowid);
        let mut cursor = Cursor::seek(self.pager, Tree::Table, self.root, below)?;
        let entry = cursor.next(self.pager)?.filter(|entry| entry.cell.rowid == rowid);
        entry.map(|entry| self.row(&entry, budget)).transpose()
    }

    fn row(&self, entry: &Entry, budget: &mut Budget) -> Result<Row<'_>> {
        let Entry { node, cell } = entry;
        let record = self.pager.record(node, cell, budget)?;
        let count = record::count(&record).map_err(|flaw| self.flaw(node, cell, flaw))?;
        let columns = self.definition.columns.len();
        if count > columns {
            let expected = format_args!("at most {columns} values in a row of {:?}", self.name);
            return Err(self.pager.layout.damaged(node.page, cell.at, expected, count));
        }
        let place = self.pager.layout.offset(node.page) + cell.at as u64;
        Ok(Row::new(&self.definition, self.name, cell.rowid, place, record.into_owned()))
    }

    /// The root of an index that can find this column.
    fn index(&self, column: &str, at: usize) -> Result<u32> {
        let mut why = String::from("none");
        for index in &self.indexes {
            let reason = match &index.keys {
                Err(reason) => reason,
                Ok((keys, partial)) => match keys.first().filter(|key| key.column == Some(at)) {
                    None => continue,
                    Some(_) if *partial => "an index of some rows only",
                    Some(Key { descending: true, .. }) => "a descending index",
                    Some(Key { collation: Some(other), .. }) => &alloc::format!("in the order {other}"),
                    Some(_) => return Ok(index.root),
                },
            };
            why = alloc::format!("{:?}: {reason}", index.name);
        }
        Err(self.refused(column, why))
    }

    fn refused(&self, column: &str, found: impl core::fmt::Display) -> Problem {
        Problem::new(Code::StoreDamaged)
            .expected(format_args!("an index of column {column:?} of table {:?}", self.name))
            .found(format_args!("{found}"))
    }

    fn flaw(&self, node: &Node, cell: &Cell, flaw: record::Flaw) -> Problem {
        self.pager.layout.damaged(node.page, cell.at, format_args!("a row of {:?}", self.name), flaw)
    }
}

impl<'t, R: ReadAt> Rows<'t, '_, R> {
    fn step(&mut self) -> Result<Option<Row<'t>>> {
        let table = self.table;
        let Some(cursor) = &mut self.cursor else { return Ok(None) };
        let Some(entry) = cursor.next(table.pager)? else { return Ok(None) };
        let Some((column, value)) = self.sought else {
            return table.row(&entry, &mut cursor.budget).map(Some);
        };
        if entry.node.tree == Tree::Table {
            let Value::Integer(rowid) = value else { return Ok(None) };
            self.cursor = None;
            if entry.cell.rowid != rowid {
                return Ok(None);
            }
            return table.row(&entry, &mut self.budget).map(Some);
        }
        let key = table.pager.record(&entry.node, &entry.cell, &mut cursor.budget)?;
        let flaw = |flaw| table.flaw(&entry.node, &entry.cell, flaw);
        let first = record::value(&key, 0).map_err(flaw)?;
        if first.is_none_or(|first| first.compare(&value) != Ordering::Equal) {
            return Ok(None);
        }
        let last = record::count(&key).map_err(flaw)?.saturating_sub(1);
        let Some(Value::Integer(rowid)) = record::value(&key, last).map_err(flaw)? else {
            return Err(flaw("a key without a rowid"));
        };
        // An index that says something else than its table would lead a check astray.
        let row = table.lookup(rowid, &mut self.budget)?;
        let agrees = |row: &Row<'_>| Ok(row.at(column)?.compare(&value) == Ordering::Equal);
        match row {
            Some(row) if agrees(&row)? => Ok(Some(row)),
            _ => Err(flaw("a key that its table does not have")),
        }
    }
}

impl<'t, R: ReadAt> Iterator for Rows<'t, '_, R> {
    type Item = Result<Row<'t>>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step().transpose();
        if !matches!(step, Some(Ok(_))) {
            self.cursor = None;
        }
        step
    }
}

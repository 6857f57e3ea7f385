//! Rows of the chain on their way from the thread that reads the database to the one that checks.

use std::ops::Range;

use rollsnap_core::sqlite::Value;
use rollsnap_core::store::{
    BLOCK_COLUMNS, COMMITMENT_COLUMNS, INBOX_COLUMNS, MESSAGES_COLUMNS, Raw, RawValue,
};
use rusqlite::Row;
use rusqlite::types::ValueRef;

/// What is selected for each block: its columns, what the index of levels names, then messages,
/// inbox and commitment, each behind the number of its row, and the length of the status.
pub(super) const SELECTED: usize = COMMITMENT + COMMITMENT_COLUMNS.len() + 1;

const NAMED: usize = BLOCK_COLUMNS.len();
const MESSAGES: usize = NAMED + 2;
const INBOX: usize = MESSAGES + MESSAGES_COLUMNS.len() + 1;
const COMMITMENT: usize = INBOX + INBOX_COLUMNS.len() + 1;
const STATUS: usize = SELECTED - 1;

/// A batch is full with so many rows, or so many bytes: little enough to stay in the caches.
const MOST_ROWS: usize = 256;
const MOST_BYTES: usize = 256 << 10;

/// A batch that one large value has made larger than this is not used again, in bytes.
const MOST_KEPT: usize = 4 << 20;

/// Rows, copied.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    values: Vec<Copied>,
}

/// A value; texts and blobs are in the bytes of their batch.
enum Copied {
    Null,
    Integer(i64),
    Real(f64),
    Text(Range<usize>),
    Blob(Range<usize>),
    Unreadable,
}

impl Batch {
    /// Makes room for other rows.
    pub(super) fn clear(&mut self) {
        if self.bytes.capacity() > MOST_KEPT {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
        self.values.clear();
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= MOST_ROWS || self.bytes.len() >= MOST_BYTES
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.values.len() / SELECTED
    }

    /// Copies a row.
    pub(super) fn push(&mut self, row: &Row<'_>) {
        for index in 0..SELECTED {
            let value = match row.get_ref(index) {
                Ok(ValueRef::Null) => Copied::Null,
                Ok(ValueRef::Integer(number)) => Copied::Integer(number),
                Ok(ValueRef::Real(number)) => Copied::Real(number),
                Ok(ValueRef::Text(text)) => Copied::Text(self.keep(text)),
                Ok(ValueRef::Blob(blob)) => Copied::Blob(self.keep(blob)),
                Err(_) => Copied::Unreadable,
            };
            self.values.push(value);
        }
    }

    /// The hash of the block in a row, and its level.
    pub(super) fn block(&self, row: usize) -> (RawValue<'_>, Option<i64>) {
        let level = match self.value(row, 1) {
            Some(Value::Integer(level)) => Some(level),
            _ => None,
        };
        (self.value(row, 0), level)
    }

    /// All of a row.
    pub(super) fn raw(&self, row: usize) -> Raw<'_> {
        Raw {
            block: self.part(row, 0),
            named: self.value(row, NAMED),
            messages: self.joined(row, MESSAGES),
            inbox: self.joined(row, INBOX),
            commitment: self.joined(row, COMMITMENT),
            empty_status: self.value(row, STATUS) == Some(Value::Integer(0)),
        }
    }

    /// The columns of a joined table, if it has a row.
    fn joined<const N: usize>(&self, row: usize, first: usize) -> Option<[RawValue<'_>; N]> {
        let is_there = self.value(row, first - 1) != Some(Value::Null);
        is_there.then(|| self.part(row, first))
    }

    fn part<const N: usize>(&self, row: usize, first: usize) -> [RawValue<'_>; N] {
        std::array::from_fn(|index| self.value(row, first + index))
    }

    fn value(&self, row: usize, column: usize) -> RawValue<'_> {
        Some(match self.values.get(row * SELECTED + column)? {
            Copied::Null => Value::Null,
            Copied::Integer(number) => Value::Integer(*number),
            Copied::Real(number) => Value::Real(*number),
            Copied::Text(range) => Value::Text(str::from_utf8(self.bytes.get(range.clone())?).ok()?),
            Copied::Blob(range) => Value::Blob(self.bytes.get(range.clone())?),
            Copied::Unreadable => return None,
        })
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        begin..self.bytes.len()
    }
}

/// The query for [`Batch::push`], without its end.
pub(super) fn select(has_state_hash: bool) -> String {
    let block = BLOCK_COLUMNS.map(|column| match column {
        "state_hash" if !has_state_hash => "NULL".to_owned(),
        column => format!("b.{column}"),
    });
    let status = if has_state_hash { "length(b.pvm_status)" } else { "NULL" };
    format!(
        "SELECT {}, l.block_hash, m.rowid, {}, i.rowid, {}, c.rowid, {}, {status} \
         FROM l2_blocks AS b \
         LEFT JOIN l2_levels AS l ON l.level = b.level \
         LEFT JOIN messages AS m ON m.payload_hashes_hash = b.inbox_witness \
         LEFT JOIN inboxes AS i ON i.hash = b.inbox_hash \
         LEFT JOIN commitments AS c ON c.hash = b.commitment_hash",
        block.join(", "),
        of("m", MESSAGES_COLUMNS),
        of("i", INBOX_COLUMNS),
        of("c", COMMITMENT_COLUMNS),
    )
}

fn of<const N: usize>(table: &str, columns: [&str; N]) -> String {
    columns.map(|column| format!("{table}.{column}")).join(", ")
}

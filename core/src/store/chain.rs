//! The tables of the database as a chain: each block is looked up by its hash, with its messages,
//! inbox and commitment.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::Store;
use super::raw::{
    BLOCK_COLUMNS, COMMITMENT_COLUMNS, Decoder, INBOX_COLUMNS, MESSAGES_COLUMNS, Raw, RawValue,
};
use crate::chain::{Chain, Found};
use crate::hash::BlockHash;
use crate::problem::Result;
use crate::read_at::ReadAt;
use crate::sqlite::{Row, Table, Value};

/// The tables that the chain is in.
pub(crate) struct Tables<'s, R> {
    blocks: Table<'s, R>,
    levels: Table<'s, R>,
    messages: Table<'s, R>,
    inboxes: Table<'s, R>,
    commitments: Table<'s, R>,
    has_state_hash: bool,
    decoder: Decoder,
    /// The levels of the index that were not passed yet, ascending; read when they are first asked for.
    below: Option<Vec<i32>>,
}

impl<'s, R: ReadAt> Tables<'s, R> {
    pub(super) fn of(store: &'s Store<'_, R>) -> Result<Self> {
        Ok(Self {
            blocks: store.table("l2_blocks")?,
            levels: store.table("l2_levels")?,
            messages: store.table("messages")?,
            inboxes: store.table("inboxes")?,
            commitments: store.table("commitments")?,
            has_state_hash: store.has_state_hash,
            decoder: Decoder::default(),
            below: None,
        })
    }

    fn levels(&self) -> Result<Vec<i32>> {
        let mut levels = Vec::new();
        for row in self.levels.scan()? {
            levels.extend(integer(&row?, "level").and_then(|level| i32::try_from(level).ok()));
        }
        Ok(levels)
    }
}

impl<R: ReadAt> Chain for Tables<'_, R> {
    fn find(&mut self, hash: &BlockHash) -> Result<Option<Found<'_>>> {
        let Some(row) = self.blocks.find_one("block_hash", Value::Text(&hash.to_string()))? else {
            return Ok(None);
        };
        let with_state_hash = BLOCK_COLUMNS.map(|column| match column {
            "state_hash" if !self.has_state_hash => Some(Value::Null),
            column => row.get(column).ok(),
        });
        let named = match integer(&row, "level") {
            Some(level) => self.levels.find_one("level", Value::Integer(level))?,
            None => None,
        };
        let messages = follow(&row, "inbox_witness", &self.messages, "payload_hashes_hash")?;
        let inbox = follow(&row, "inbox_hash", &self.inboxes, "hash")?;
        let commitment = follow(&row, "commitment_hash", &self.commitments, "hash")?;
        let raw = Raw {
            block: with_state_hash,
            named: named.as_ref().and_then(|row| row.get("block_hash").ok()),
            messages: messages.as_ref().map(|row| values(row, MESSAGES_COLUMNS)),
            inbox: inbox.as_ref().map(|row| values(row, INBOX_COLUMNS)),
            commitment: commitment.as_ref().map(|row| values(row, COMMITMENT_COLUMNS)),
            empty_status: self.has_state_hash
                && matches!(row.get("pvm_status"), Ok(Value::Text("") | Value::Blob(&[]))),
        };
        self.decoder.read(&raw).map(Some)
    }

    fn named_at(&mut self, level: i64) -> Result<Option<BlockHash>> {
        let row = self.levels.find_one("level", Value::Integer(level))?;
        Ok(row.and_then(|row| text(&row, "block_hash")?.parse().ok()))
    }

    fn named_below(&mut self, bound: i64) -> Result<Option<BlockHash>> {
        if self.below.is_none() {
            self.below = Some(self.levels()?);
        }
        // The walk goes down only: what was passed is not looked at again.
        while let Some(level) = self.below.as_mut().and_then(Vec::pop).map(i64::from) {
            if level >= bound {
                continue;
            }
            let Some(row) = self.levels.find_one("level", Value::Integer(level))? else { continue };
            let Value::Text(hash) = row.get("block_hash")? else { continue };
            let block = self.blocks.find_one("block_hash", Value::Text(hash))?;
            if block.is_some_and(|block| integer(&block, "level") == Some(level))
                && let Ok(hash) = hash.parse()
            {
                return Ok(Some(hash));
            }
        }
        Ok(None)
    }
}

/// The row that a column of another row refers to.
fn follow<'t, R: ReadAt>(
    row: &Row<'_>,
    column: &str,
    table: &'t Table<'_, R>,
    key: &str,
) -> Result<Option<Row<'t>>> {
    match row.get(column) {
        Ok(value @ Value::Text(_)) => table.find_one(key, value),
        _ => Ok(None),
    }
}

fn values<'a, const N: usize>(row: &'a Row<'_>, columns: [&str; N]) -> [RawValue<'a>; N] {
    columns.map(|column| row.get(column).ok())
}

fn text<'a>(row: &'a Row<'_>, column: &str) -> Option<&'a str> {
    row.get(column).ok()
}

fn integer(row: &Row<'_>, column: &str) -> Option<i64> {
    row.get(column).ok()
}

//! The tables beside the chain, read without a database engine.

use alloc::vec::Vec;

use super::{Side, Walked};
use crate::feedback::Feedback;
use crate::problem::Result;
use crate::read_at::ReadAt;
use crate::sqlite::{Row, Table, Value};
use crate::store::{RawValue, Store};

/// Gives the rows of a table, each with what is added to it.
pub(in crate::store) fn scan<R: ReadAt>(
    store: &Store<'_, R>,
    side: Side,
    walked: Walked,
    feedback: &dyn Feedback,
    each: &mut dyn FnMut(&[RawValue<'_>]) -> Result<()>,
) -> Result<()> {
    let table = store.table(side.table())?;
    let blocks = store.table("l2_blocks")?;
    let levels = store.table("l2_levels")?;
    for row in table.scan()? {
        feedback.checkpoint()?;
        let row = row?;
        if let Some(column) = side.named_by()
            && is_named(&row, side, column, walked, &levels, &blocks)?
        {
            continue;
        }
        let added = match side {
            Side::SlotHeaders | Side::SlotStatuses => Some(level_of(&row, &blocks)?),
            Side::Outboxes => Some(count_at(&row, &blocks)?),
            _ => None,
        };
        let mut values: Vec<RawValue<'_>> =
            side.columns().iter().map(|column| row.get(column).ok()).collect();
        values.extend(added.map(Some));
        each(&values)?;
    }
    Ok(())
}

/// Whether a row is of a block that the walk has seen.
fn is_named<R: ReadAt>(
    row: &Row<'_>,
    side: Side,
    column: &str,
    walked: Walked,
    levels: &Table<'_, R>,
    blocks: &Table<'_, R>,
) -> Result<bool> {
    let [key, level, ..] = side.columns() else { return Ok(false) };
    let (Ok(key @ Value::Text(_)), Ok(Value::Integer(level))) = (row.get::<Value<'_>>(key), row.get(level))
    else {
        return Ok(false);
    };
    if level < walked.first.into() || level > walked.head.into() {
        return Ok(false);
    }
    let Some(named) = levels.find_one("level", Value::Integer(level))? else { return Ok(false) };
    let hash: Value<'_> = named.get("block_hash")?;
    let Value::Text(_) = hash else { return Ok(false) };
    let block = blocks.find_one("block_hash", hash)?;
    Ok(block.is_some_and(|block| block.get::<Value<'_>>(column).is_ok_and(|named| named == key)))
}

/// The level of the block of a row; NULL without that block.
fn level_of<R: ReadAt>(row: &Row<'_>, blocks: &Table<'_, R>) -> Result<Value<'static>> {
    let Ok(hash @ Value::Text(_)) = row.get::<Value<'_>>("block_hash") else { return Ok(Value::Null) };
    let block = blocks.find_one("block_hash", hash)?;
    Ok(block.and_then(|block| block.get("level").ok()).map_or(Value::Null, Value::Integer))
}

/// How many blocks there are at the level of a row; two stand for more.
fn count_at<R: ReadAt>(row: &Row<'_>, blocks: &Table<'_, R>) -> Result<Value<'static>> {
    let Ok(level @ Value::Integer(_)) = row.get::<Value<'_>>("outbox_level") else {
        return Ok(Value::Integer(0));
    };
    let mut count = 0;
    for block in blocks.find("level", level)?.take(2) {
        block?;
        count += 1;
    }
    Ok(Value::Integer(count))
}

//! The store feeds the walk over its chain: each block is looked up by its hash, with its
//! messages, inbox and commitment.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::str::FromStr;

use super::Store;
use crate::chain::{Block, Entry, Marks, Messages, Stored, Summary, Walk};
use crate::code::Code;
use crate::context::Contexts;
use crate::encoding::{Cell, Commitment, Inbox, Inflater, Malformed, MessageList};
use crate::feedback::Feedback;
use crate::hash::BlockHash;
use crate::problem::{Place, Problem, Result};
use crate::read_at::ReadAt;
use crate::sqlite::{Row, Table, Value};

/// How many blocks are checked between two looks at whether to go on.
const STRIDE: u64 = 1000;

impl<R: ReadAt> Store<'_, R> {
    /// Walks the chain from the head to the first available block, and looks every context up in
    /// `contexts` where they are known. Every problem goes to `sink`; progress is told in blocks.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`] when the database cannot be read, [`Code::Cancelled`].
    pub fn walk(
        &self,
        marks: Marks,
        contexts: Option<&Contexts>,
        feedback: &mut dyn Feedback,
        sink: &mut dyn FnMut(Problem),
    ) -> Result<Summary> {
        let tables = Tables {
            blocks: self.table("l2_blocks")?,
            levels: self.table("l2_levels")?,
            messages: self.table("messages")?,
            inboxes: self.table("inboxes")?,
            commitments: self.table("commitments")?,
            has_state_hash: self.has_state_hash,
        };
        let mut sink = |problem| sink(problem);
        let mut inflater = Inflater::new();
        let mut walk = Walk::new(marks);
        let mut below = Below { levels: None, position: i64::MAX };
        let mut done = 0;
        while let Some(wanted) = walk.wanted() {
            let text = wanted.to_string();
            let found = tables.blocks.find_one("block_hash", Value::Text(&text))?;
            let level = found.as_ref().map(|row| integer(row, "level").unwrap_or(i64::MAX));
            let row = match (found, level) {
                (Some(row), Some(level)) if level < below.position => row,
                (_, level) => {
                    match level {
                        Some(level) => walk.take_misplaced(level.try_into().unwrap_or(i32::MAX), &mut sink),
                        None => walk.take(Stored::Missing, &mut sink),
                    }
                    let bound = i64::from(walk.expected_level()).min(below.position);
                    let Some(hash) = below.next(&tables, bound)? else { break };
                    walk.resume(hash);
                    continue;
                }
            };
            below.position = level.unwrap_or_default();
            let entry = tables.entry(&row, contexts, &mut inflater)?;
            let malformed = matches!(entry, Stored::Malformed(_));
            walk.take(entry, &mut sink);
            if self.has_state_hash && is_empty(&row, "pvm_status") {
                sink(empty_status(level));
            }
            if malformed && let Some(hash) = tables.named_at(below.position.saturating_sub(1))? {
                walk.resume(hash);
            }
            done += 1;
            if done % STRIDE == 0 {
                feedback.advance(STRIDE);
                feedback.checkpoint()?;
            }
        }
        feedback.advance(done % STRIDE);
        Ok(walk.finish(&mut sink))
    }
}

/// Where the chain goes on below a hole.
struct Below {
    /// The levels of the index, ascending; read when the first hole is met.
    levels: Option<Vec<i32>>,
    /// Level of the block that was taken last: what comes must be below it.
    position: i64,
}

impl Below {
    /// The highest block below this level that the index names and the store holds there.
    fn next<R: ReadAt>(&mut self, tables: &Tables<'_, R>, bound: i64) -> Result<Option<BlockHash>> {
        if self.levels.is_none() {
            let mut levels = Vec::new();
            for row in tables.levels.scan()? {
                levels.extend(integer(&row?, "level").and_then(|level| i32::try_from(level).ok()));
            }
            self.levels = Some(levels);
        }
        // What was passed is not looked at again.
        while let Some(level) = self.levels.as_mut().and_then(Vec::pop).map(i64::from) {
            if level >= bound {
                continue;
            }
            let Some(row) = tables.levels.find_one("level", Value::Integer(level))? else { continue };
            let Value::Text(hash) = row.get("block_hash")? else { continue };
            let block = tables.blocks.find_one("block_hash", Value::Text(hash))?;
            if block.is_some_and(|block| integer(&block, "level") == Some(level))
                && let Ok(hash) = hash.parse()
            {
                return Ok(Some(hash));
            }
        }
        Ok(None)
    }
}

struct Tables<'s, R> {
    blocks: Table<'s, R>,
    levels: Table<'s, R>,
    messages: Table<'s, R>,
    inboxes: Table<'s, R>,
    commitments: Table<'s, R>,
    has_state_hash: bool,
}

impl<R: ReadAt> Tables<'_, R> {
    fn entry<'a>(
        &self,
        row: &Row<'_>,
        contexts: Option<&Contexts>,
        inflater: &'a mut Inflater,
    ) -> Result<Stored<Entry<'a>>> {
        let block = match block(row, self.has_state_hash) {
            Ok(block) => block,
            Err(why) => return Ok(Stored::Malformed(why)),
        };
        let of = |table: &Table<'_, R>, key, column, read: &mut dyn FnMut(&Row<'_>)| -> Result<()> {
            if let value @ Value::Text(_) = row.get(column)?
                && let Some(found) = table.find_one(key, value)?
            {
                read(&found);
            }
            Ok(())
        };
        let mut inflater = Some(inflater);
        let (mut list, mut cell, mut content) = (Stored::Missing, Stored::Missing, Stored::Missing);
        of(&self.messages, "payload_hashes_hash", "inbox_witness", &mut |row| {
            if let Some(inflater) = inflater.take() {
                list = stored(messages(row, inflater));
            }
        })?;
        of(&self.inboxes, "hash", "inbox_hash", &mut |row| cell = stored(inbox(row)))?;
        of(&self.commitments, "hash", "commitment_hash", &mut |row| content = stored(commitment(row)))?;
        Ok(Stored::Found(Entry {
            block,
            messages: list,
            inbox: cell,
            commitment: content,
            at_level: self.named_at(block.level.into())?,
            has_context: block.context.zip(contexts).map(|(hash, contexts)| contexts.contains(&hash)),
        }))
    }

    /// The block that the index names at a level.
    fn named_at(&self, level: i64) -> Result<Option<BlockHash>> {
        let row = self.levels.find_one("level", Value::Integer(level))?;
        Ok(row.and_then(|row| text(&row, "block_hash")?.parse().ok()))
    }
}

/// The nodes cannot decode a status without its first byte.
fn empty_status(level: Option<i64>) -> Problem {
    let level = level.and_then(|level| level.try_into().ok()).unwrap_or_default();
    Problem::new(Code::StoreValue)
        .at(Place::Level(level))
        .expected("pvm_status: at least one byte")
        .found("none")
}

fn stored<T>(read: Result<T, String>) -> Stored<T> {
    read.map_or_else(Stored::Malformed, Stored::Found)
}

fn block(row: &Row<'_>, has_state_hash: bool) -> Result<Block, String> {
    let tick = || text(row, "initial_tick")?.parse().ok();
    Ok(Block {
        hash: hash(row, "block_hash")?,
        level: level(row, "level")?,
        predecessor: hash(row, "predecessor")?,
        commitment: opt_hash(row, "commitment_hash")?,
        previous_commitment: hash(row, "previous_commitment_hash")?,
        context: opt_hash(row, "context")?,
        inbox_witness: hash(row, "inbox_witness")?,
        inbox_hash: hash(row, "inbox_hash")?,
        initial_tick: tick().ok_or("initial_tick is not a decimal number")?,
        num_ticks: integer(row, "num_ticks").ok_or("num_ticks is not a number")?,
        state_hash: if has_state_hash { opt_hash(row, "state_hash")? } else { None },
    })
}

fn messages<'a>(row: &Row<'_>, inflater: &'a mut Inflater) -> Result<Messages<'a>, String> {
    let deflated = blob(row, "message_list").ok_or("message_list is not a blob")?;
    let said = |err: Malformed| format!("message_list: {err}");
    let list = MessageList::parse(inflater.inflate(deflated).map_err(said)?).map_err(said)?;
    Ok(Messages { list, inbox_level: Some(level(row, "inbox_level")?), predecessor: None })
}

fn inbox(row: &Row<'_>) -> Result<Inbox, String> {
    let proof = blob(row, "history_proof").ok_or("history_proof is not a blob")?;
    let cell = Cell::parse(proof).map_err(|err| format!("history_proof: {err}"))?;
    Ok(Inbox { level: level(row, "inbox_level")?, cell })
}

fn commitment(row: &Row<'_>) -> Result<Commitment, String> {
    Ok(Commitment {
        compressed_state: hash(row, "compressed_state")?,
        inbox_level: level(row, "inbox_level")?,
        predecessor: hash(row, "predecessor")?,
        number_of_ticks: integer(row, "number_of_ticks").ok_or("number_of_ticks is not a number")?,
    })
}

fn hash<H: FromStr>(row: &Row<'_>, column: &str) -> Result<H, String> {
    opt_hash(row, column)?.ok_or_else(|| format!("{column} is NULL"))
}

fn opt_hash<H: FromStr>(row: &Row<'_>, column: &str) -> Result<Option<H>, String> {
    if let Ok(Value::Null) = row.get(column) {
        return Ok(None);
    }
    match text(row, column).and_then(|text| text.parse().ok()) {
        Some(hash) => Ok(Some(hash)),
        None => Err(format!("{column} is not a hash of its kind")),
    }
}

fn level(row: &Row<'_>, column: &str) -> Result<i32, String> {
    integer(row, column)
        .and_then(|number| number.try_into().ok())
        .ok_or_else(|| format!("{column} is not a level"))
}

fn text<'a>(row: &'a Row<'_>, column: &str) -> Option<&'a str> {
    row.get(column).ok()
}

fn integer(row: &Row<'_>, column: &str) -> Option<i64> {
    row.get(column).ok()
}

fn blob<'a>(row: &'a Row<'_>, column: &str) -> Option<&'a [u8]> {
    row.get(column).ok()
}

fn is_empty(row: &Row<'_>, column: &str) -> bool {
    match row.get(column) {
        Ok(Value::Text(text)) => text.is_empty(),
        Ok(Value::Blob(bytes)) => bytes.is_empty(),
        _ => false,
    }
}

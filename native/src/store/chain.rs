//! The store feeds the walk over its chain: one scan of the blocks, the newest first, each with
//! its messages, inbox and commitment.

use std::str::FromStr;

use rollsnap_core::chain::{Block, Entry, Marks, Messages, Stored, Summary, Walk};
use rollsnap_core::encoding::{Cell, Commitment, Inbox, Inflater, MessageList};
use rollsnap_core::hash::{BlockHash, CommitmentHash};
use rollsnap_core::{Code, Feedback, HistoryMode, Place, Problem, Result};
use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, Row};

use super::problem::said;
use super::read::Store;
use crate::contexts::Contexts;

/// How many blocks are checked between two looks at whether to go on.
const STRIDE: u64 = 1000;

/// Memory for pages while the chain is read, in KiB (SQLite wants it negative).
const CACHE: i32 = -32 * 1024;

/// Texts whose hashes are known: those that one row repeats from the row above it.
#[derive(Default)]
struct Known {
    block: Decoded<BlockHash>,
    commitment: Decoded<CommitmentHash>,
}

/// A hash and its text.
struct Decoded<H> {
    text: String,
    hash: Option<H>,
}

impl<H> Default for Decoded<H> {
    fn default() -> Self {
        Self { text: String::new(), hash: None }
    }
}

impl<H: FromStr + ToString + PartialEq + Copy> Decoded<H> {
    /// Makes it this hash.
    fn learn(&mut self, hash: H) {
        if self.hash != Some(hash) {
            self.text = hash.to_string();
            self.hash = Some(hash);
        }
    }

    /// Makes it this hash, which a column of a row has as text.
    fn keep(&mut self, row: &Row<'_>, index: usize, hash: H) {
        self.text.clear();
        self.text.push_str(text(row, index).unwrap_or_default());
        self.hash = Some(hash);
    }

    /// The hash in a column.
    fn read(&self, row: &Row<'_>, index: usize, column: &str) -> Result<H, String> {
        match self.hash {
            Some(hash) if is(row, index, &self.text) => Ok(hash),
            _ => self::hash(row, index, column),
        }
    }
}

impl Store {
    /// Walks the chain from the head to the first available block, and looks every context up in
    /// `contexts` where they are known. Every problem goes to `sink`; progress is told in blocks.
    ///
    /// # Errors
    /// [`rollsnap_core::Code::StoreDamaged`] when the database cannot be read,
    /// [`rollsnap_core::Code::Cancelled`].
    pub fn walk(
        &self,
        marks: Marks,
        contexts: Option<&Contexts>,
        feedback: &mut dyn Feedback,
        sink: &mut impl FnMut(Problem),
    ) -> Result<Summary> {
        let failed = |err| said("read the chain", self.path(), err);
        let query =
            if self.has_state_hash()? { scan("b.state_hash", "b.pvm_status") } else { scan("NULL", "NULL") };
        // The indexes of messages and inboxes are ordered by hash: no two lookups are neighbours.
        self.reading().pragma_update(None, "cache_size", CACHE).map_err(failed)?;
        let mut query = self.reading().prepare(&query).map_err(failed)?;
        let mut rows = query.query([]).map_err(failed)?;
        let mut known = Known::default();
        let mut inflater = Inflater::new();
        let mut walk = Walk::new(marks);
        let mut scanned = 0;
        while let Some(wanted) = walk.wanted() {
            known.block.learn(*wanted);
            let text = &*known.block.text;
            let row = loop {
                match rows.next().map_err(failed)? {
                    Some(row) if is(row, 0, text) => break Some(row),
                    // A block of a losing branch, unless the chain has a hole here.
                    Some(row) => {
                        if self.is_hole(&walk, row, text)? {
                            self.skip(&mut walk, text, sink)?;
                            if let Some(hash) = hash_at(row, 0) {
                                walk.resume(hash);
                            }
                            break Some(row);
                        }
                    }
                    None => break None,
                }
            };
            let Some(row) = row else {
                self.skip(&mut walk, text, sink)?;
                break;
            };
            if walk.wanted().is_some() {
                let entry = entry(row, contexts, &mut inflater, &mut known);
                let malformed = matches!(entry, Stored::Malformed(_));
                if let Stored::Found(Entry { block, .. }) = &entry {
                    known.block.keep(row, 2, block.predecessor);
                }
                walk.take(entry, sink);
                if integer(row, PVM_STATUS) == Some(0) {
                    sink(empty_status(integer(row, 1)));
                }
                if malformed && let Some(below) = self.canonical_below(row)? {
                    walk.resume(below);
                }
            }
            scanned += 1;
            if scanned % STRIDE == 0 {
                feedback.advance(STRIDE);
                feedback.checkpoint()?;
            }
        }
        feedback.advance(scanned % STRIDE);
        Ok(walk.finish(sink))
    }

    /// The highest level in the index of levels.
    ///
    /// # Errors
    /// As [`Store::walk`].
    pub fn top_level(&self) -> Result<Option<i32>> {
        let query = "SELECT max(level) FROM l2_levels";
        let level = self.reading().query_row(query, [], |row| Ok(integer(row, 0)));
        let level = level.map_err(|err| said("read the levels", self.path(), err))?;
        Ok(level.map(|level| level.try_into().unwrap_or(i32::MAX)))
    }

    /// Publications of commitments that are not in the store. Only an archive can tell: elsewhere
    /// a garbage collection removes a commitment before the record of its publication.
    ///
    /// # Errors
    /// As [`Store::walk`].
    pub fn unknown_publications(&self) -> Result<Vec<Problem>> {
        if self.state()?.history_mode != Some(HistoryMode::Archive) {
            return Ok(Vec::new());
        }
        let query = "SELECT p.commitment_hash, p.first_published_at_level \
                     FROM commitments_published_at_levels AS p \
                     LEFT JOIN commitments AS c ON c.hash = p.commitment_hash \
                     WHERE c.hash IS NULL ORDER BY 2 LIMIT 1000";
        let read = || {
            let mut query = self.reading().prepare(query)?;
            let rows = query.query_map([], |row| {
                let level = integer(row, 1).and_then(|level| level.try_into().ok()).unwrap_or_default();
                let hash = text(row, 0).unwrap_or_default().to_owned();
                Ok(Problem::new(Code::PublishedUnknown).at(Place::Level(level)).found(hash))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|err| said("read the publications", self.path(), err))
    }

    /// Whether a row that is not the wanted one stands where the chain goes on: it is below the
    /// wanted level, the index of levels names it, and the wanted block is nowhere below.
    fn is_hole(&self, walk: &Walk, row: &Row<'_>, wanted: &str) -> Result<bool> {
        let level = integer(row, 1).unwrap_or(i64::MAX);
        if level >= i64::from(walk.expected_level()) || !is(row, INDEX, text(row, 0).unwrap_or_default()) {
            return Ok(false);
        }
        Ok(self.level_of(wanted)?.is_none_or(|found| found > level))
    }

    /// The wanted block cannot be taken: says why.
    fn skip(&self, walk: &mut Walk, wanted: &str, sink: &mut impl FnMut(Problem)) -> Result<()> {
        match self.level_of(wanted)? {
            Some(level) => walk.take_misplaced(level.try_into().unwrap_or(i32::MAX), sink),
            None => walk.take(Stored::Missing, sink),
        }
        Ok(())
    }

    fn level_of(&self, hash: &str) -> Result<Option<i64>> {
        let query = "SELECT level FROM l2_blocks WHERE block_hash = ?1";
        let found = self.reading().query_row(query, [hash], |row| Ok(integer(row, 0).unwrap_or(i64::MAX)));
        found.optional().map_err(|err| said("read the chain", self.path(), err))
    }

    fn canonical_below(&self, row: &Row<'_>) -> Result<Option<BlockHash>> {
        let Some(level) = integer(row, 1) else { return Ok(None) };
        let query = "SELECT block_hash FROM l2_levels WHERE level = ?1";
        let found = self.reading().query_row(query, [level.saturating_sub(1)], |row| Ok(hash_at(row, 0)));
        Ok(found.optional().map_err(|err| said("read the chain", self.path(), err))?.flatten())
    }
}

/// The columns in the order of the constants below. The newest first; at one level, the block
/// that the index names first.
fn scan(state_hash: &str, pvm_status: &str) -> String {
    format!(
        "SELECT b.block_hash, b.level, b.predecessor, b.commitment_hash, b.previous_commitment_hash, \
                b.context, b.inbox_witness, b.inbox_hash, b.initial_tick, b.num_ticks, {state_hash}, \
                l.block_hash, m.inbox_level, m.message_list, i.inbox_level, i.history_proof, \
                c.compressed_state, c.inbox_level, c.predecessor, c.number_of_ticks, \
                m.rowid, i.rowid, c.rowid, length({pvm_status}) \
         FROM l2_blocks AS b \
         LEFT JOIN l2_levels AS l ON l.level = b.level \
         LEFT JOIN messages AS m ON m.payload_hashes_hash = b.inbox_witness \
         LEFT JOIN inboxes AS i ON i.hash = b.inbox_hash \
         LEFT JOIN commitments AS c ON c.hash = b.commitment_hash \
         ORDER BY b.level DESC"
    )
}

const INDEX: usize = 11;
const MESSAGES: usize = 12;
const INBOX: usize = 14;
const COMMITMENT: usize = 16;
const ROW_IDS: usize = 20;
const PVM_STATUS: usize = 23;

fn entry<'a>(
    row: &Row<'_>,
    contexts: Option<&Contexts>,
    inflater: &'a mut Inflater,
    known: &mut Known,
) -> Stored<Entry<'a>> {
    let block = match block(row, known) {
        Ok(block) => block,
        Err(why) => return Stored::Malformed(why),
    };
    Stored::Found(Entry {
        block,
        messages: stored(row, 0, || messages(row, inflater)),
        inbox: stored(row, 1, || inbox(row)),
        commitment: stored(row, 2, || commitment(row)),
        at_level: match text(row, 0) {
            Some(hash) if is(row, INDEX, hash) => Some(block.hash),
            _ => hash_at(row, INDEX),
        },
        has_context: block.context.zip(contexts).map(|(hash, contexts)| contexts.contains(&hash)),
    })
}

/// The nodes cannot decode a status without its first byte.
fn empty_status(level: Option<i64>) -> Problem {
    let level = level.and_then(|level| level.try_into().ok()).unwrap_or_default();
    Problem::new(Code::StoreValue)
        .at(Place::Level(level))
        .expected("pvm_status: at least one byte")
        .found("none")
}

fn stored<T>(row: &Row<'_>, joined: usize, read: impl FnOnce() -> Result<T, String>) -> Stored<T> {
    match (integer(row, ROW_IDS + joined), read) {
        (None, _) => Stored::Missing,
        (Some(_), read) => read().map_or_else(Stored::Malformed, Stored::Found),
    }
}

fn block(row: &Row<'_>, known: &mut Known) -> Result<Block, String> {
    let tick = || text(row, 8)?.parse().ok();
    let previous_commitment = known.commitment.read(row, 4, "previous_commitment_hash")?;
    known.commitment.keep(row, 4, previous_commitment);
    Ok(Block {
        hash: known.block.read(row, 0, "block_hash")?,
        level: level(row, 1, "level")?,
        predecessor: hash(row, 2, "predecessor")?,
        commitment: opt_hash(row, 3, "commitment_hash")?,
        previous_commitment,
        context: opt_hash(row, 5, "context")?,
        inbox_witness: hash(row, 6, "inbox_witness")?,
        inbox_hash: hash(row, 7, "inbox_hash")?,
        initial_tick: tick().ok_or("initial_tick is not a decimal number")?,
        num_ticks: integer(row, 9).ok_or("num_ticks is not a number")?,
        state_hash: opt_hash(row, 10, "state_hash")?,
    })
}

fn messages<'a>(row: &Row<'_>, inflater: &'a mut Inflater) -> Result<Messages<'a>, String> {
    let deflated = blob(row, MESSAGES + 1).ok_or("message_list is not a blob")?;
    let said = |err: rollsnap_core::encoding::Malformed| format!("message_list: {err}");
    let list = MessageList::parse(inflater.inflate(deflated).map_err(said)?).map_err(said)?;
    Ok(Messages { list, inbox_level: Some(level(row, MESSAGES, "inbox_level")?), predecessor: None })
}

fn inbox(row: &Row<'_>) -> Result<Inbox, String> {
    let proof = blob(row, INBOX + 1).ok_or("history_proof is not a blob")?;
    let cell = Cell::parse(proof).map_err(|err| format!("history_proof: {err}"))?;
    Ok(Inbox { level: level(row, INBOX, "inbox_level")?, cell })
}

fn commitment(row: &Row<'_>) -> Result<Commitment, String> {
    Ok(Commitment {
        compressed_state: hash(row, COMMITMENT, "compressed_state")?,
        inbox_level: level(row, COMMITMENT + 1, "inbox_level")?,
        predecessor: hash(row, COMMITMENT + 2, "predecessor")?,
        number_of_ticks: integer(row, COMMITMENT + 3).ok_or("number_of_ticks is not a number")?,
    })
}

fn hash<H: FromStr>(row: &Row<'_>, index: usize, column: &str) -> Result<H, String> {
    opt_hash(row, index, column)?.ok_or_else(|| format!("{column} is NULL"))
}

fn opt_hash<H: FromStr>(row: &Row<'_>, index: usize, column: &str) -> Result<Option<H>, String> {
    match row.get_ref(index) {
        Ok(ValueRef::Null) => Ok(None),
        _ => match hash_at(row, index) {
            Some(hash) => Ok(Some(hash)),
            None => Err(format!("{column} is not a hash of its kind")),
        },
    }
}

fn hash_at<H: FromStr>(row: &Row<'_>, index: usize) -> Option<H> {
    text(row, index)?.parse().ok()
}

fn level(row: &Row<'_>, index: usize, column: &str) -> Result<i32, String> {
    integer(row, index)
        .and_then(|number| number.try_into().ok())
        .ok_or_else(|| format!("{column} is not a level"))
}

fn is(row: &Row<'_>, index: usize, expected: &str) -> bool {
    text(row, index) == Some(expected)
}

fn text<'a>(row: &'a Row<'_>, index: usize) -> Option<&'a str> {
    match row.get_ref(index) {
        Ok(ValueRef::Text(bytes)) => str::from_utf8(bytes).ok(),
        _ => None,
    }
}

fn integer(row: &Row<'_>, index: usize) -> Option<i64> {
    match row.get_ref(index) {
        Ok(ValueRef::Integer(number)) => Some(number),
        _ => None,
    }
}

fn blob<'a>(row: &'a Row<'_>, index: usize) -> Option<&'a [u8]> {
    match row.get_ref(index) {
        Ok(ValueRef::Blob(bytes)) => Some(bytes),
        _ => None,
    }
}

//! The rows of a block and of what hangs on it, in the tables of version 5, and what they mean.
//! Whoever reads the tables hands the values over; they are understood here.

use alloc::format;
use alloc::string::String;
use core::str::FromStr;

use crate::chain::{Block, Entry, Evaluation, Found, Messages, Stored, Work};
use crate::encoding::{Cell, Commitment, Count, Inbox, Inflater, Malformed, MessageList};
use crate::hash::{BlockHash, CommitmentHash};
use crate::problem::Result;
use crate::sqlite::Value;

/// Columns of `l2_blocks`, in the order of [`Raw::block`]. Old stores have no `state_hash`.
pub const BLOCK_COLUMNS: [&str; 11] = [
    "block_hash",
    "level",
    "predecessor",
    "commitment_hash",
    "previous_commitment_hash",
    "context",
    "inbox_witness",
    "inbox_hash",
    "initial_tick",
    "num_ticks",
    "state_hash",
];

/// Columns of `messages`, in the order of [`Raw::messages`].
pub const MESSAGES_COLUMNS: [&str; 2] = ["inbox_level", "message_list"];

/// Columns of `inboxes`, in the order of [`Raw::inbox`].
pub const INBOX_COLUMNS: [&str; 2] = ["inbox_level", "history_proof"];

/// Columns of `commitments`, in the order of [`Raw::commitment`].
pub const COMMITMENT_COLUMNS: [&str; 4] =
    ["compressed_state", "inbox_level", "predecessor", "number_of_ticks"];

/// A value as a database has it; `None` where that is nothing that a value can be.
pub type RawValue<'a> = Option<Value<'a>>;

/// A block and what hangs on it. `None`: there is no such row.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a> {
    /// The block.
    pub block: [RawValue<'a>; 11],
    /// The block that `l2_levels` names at its level.
    pub named: RawValue<'a>,
    /// Its messages, looked up by its witness.
    pub messages: Option<[RawValue<'a>; 2]>,
    /// Its inbox, looked up by its hash.
    pub inbox: Option<[RawValue<'a>; 2]>,
    /// Its commitment, looked up by its hash.
    pub commitment: Option<[RawValue<'a>; 4]>,
    /// Whether `pvm_status` is there and has no bytes.
    pub empty_status: bool,
}

/// Understands rows, one block after the other, the newest first.
#[derive(Default)]
pub struct Decoder {
    inflater: Inflater,
    work: Work,
    // One row repeats these from the row above it.
    predecessor: Known<BlockHash>,
    previous_commitment: Known<CommitmentHash>,
}

impl Decoder {
    /// The hash of a block, if the value is one.
    pub fn block_hash(&self, value: RawValue<'_>) -> Option<BlockHash> {
        self.predecessor.read(text(value)?)
    }

    /// What the rows of a block say.
    ///
    /// # Errors
    /// [`Code::MessagesWork`](crate::Code::MessagesWork).
    pub fn read(&mut self, raw: &Raw<'_>) -> Result<Found<'_>> {
        self.work.check()?;
        let level = integer(raw.block[1]).unwrap_or(i64::MAX);
        let entry = match self.block(&raw.block) {
            Ok((block, evaluation)) => Stored::Found(Entry {
                block,
                evaluation,
                at_level: match text(raw.named) {
                    named if named == text(raw.block[0]) => Some(block.hash),
                    named => named.and_then(|named| named.parse().ok()),
                },
                inbox: stored(raw.inbox, inbox),
                commitment: stored(raw.commitment, commitment),
                messages: stored(raw.messages, |row| {
                    messages(row, block.level, &mut self.inflater, &mut self.work)
                }),
            }),
            Err(why) => Stored::Malformed(why),
        };
        Ok(Found { level, entry, empty_status: raw.empty_status })
    }

    fn block(&mut self, row: &[RawValue<'_>; 11]) -> Result<(Block, Evaluation), String> {
        let [
            own_hash,
            own_level,
            predecessor,
            own_commitment,
            previous_commitment,
            context,
            inbox_witness,
            inbox_hash,
            initial_tick,
            num_ticks,
            state_hash,
        ] = *row;
        let tick = || text(initial_tick)?.parse().ok();
        let block = Block {
            hash: match self.block_hash(own_hash) {
                Some(known) => known,
                None => hash(own_hash, "block_hash")?,
            },
            level: level(own_level, "level")?,
            predecessor: hash(predecessor, "predecessor")?,
            commitment: opt_hash(own_commitment, "commitment_hash")?,
            previous_commitment: match text(previous_commitment)
                .and_then(|text| self.previous_commitment.read(text))
            {
                Some(known) => known,
                None => hash(previous_commitment, "previous_commitment_hash")?,
            },
            context: opt_hash(context, "context")?,
        };
        let evaluation = Evaluation {
            inbox_witness: hash(inbox_witness, "inbox_witness")?,
            inbox_hash: hash(inbox_hash, "inbox_hash")?,
            initial_tick: tick().ok_or("initial_tick is not a decimal number")?,
            num_ticks: integer(num_ticks).ok_or("num_ticks is not a number")?,
            state_hash: opt_hash(state_hash, "state_hash")?,
        };
        self.predecessor.keep(text(predecessor), block.predecessor);
        self.previous_commitment.keep(text(previous_commitment), block.previous_commitment);
        Ok((block, evaluation))
    }
}

/// A hash and its text: reading the text again is a comparison.
struct Known<H> {
    text: String,
    hash: Option<H>,
}

impl<H> Default for Known<H> {
    fn default() -> Self {
        Self { text: String::new(), hash: None }
    }
}

impl<H: FromStr + PartialEq + Copy> Known<H> {
    fn keep(&mut self, text: Option<&str>, hash: H) {
        if self.hash != Some(hash) {
            self.text.clear();
            self.text.push_str(text.unwrap_or_default());
            self.hash = Some(hash);
        }
    }

    fn read(&self, text: &str) -> Option<H> {
        self.hash.filter(|_| self.text == text).or_else(|| text.parse().ok())
    }
}

fn stored<R, T>(row: Option<R>, read: impl FnOnce(R) -> Result<T, String>) -> Stored<T> {
    row.map_or(Stored::Missing, |row| read(row).map_or_else(Stored::Malformed, Stored::Found))
}

/// The messages of a block at level `at`. Those of another level are not expanded: a row could stand for any number of
/// blocks.
fn messages<'a>(
    [inbox_level, list]: [RawValue<'_>; 2],
    at: i32,
    inflater: &'a mut Inflater,
    work: &mut Work,
) -> Result<Messages<'a>, String> {
    let deflated = blob(list).ok_or("message_list is not a blob")?;
    let inbox_level = level(inbox_level, "inbox_level")?;
    let mut list = MessageList::default();
    if inbox_level == at {
        let said = |err: Malformed| format!("message_list: {err}");
        let mut count = Count::default();
        let bytes = inflater.inflate_while(deflated, |list| count.look(list)).map_err(said)?;
        list = MessageList::parse(bytes).map_err(said)?;
        work.packed(deflated.len() as u64);
        work.messages(list.messages().len(), bytes.len());
    }
    Ok(Messages { list, inbox_level: Some(inbox_level), predecessor: None })
}

fn inbox([inbox_level, proof]: [RawValue<'_>; 2]) -> Result<Inbox, String> {
    let proof = blob(proof).ok_or("history_proof is not a blob")?;
    let cell = Cell::parse(proof).map_err(|err| format!("history_proof: {err}"))?;
    Ok(Inbox { level: level(inbox_level, "inbox_level")?, cell })
}

fn commitment([state, inbox_level, predecessor, ticks]: [RawValue<'_>; 4]) -> Result<Commitment, String> {
    Ok(Commitment {
        compressed_state: hash(state, "compressed_state")?,
        inbox_level: level(inbox_level, "inbox_level")?,
        predecessor: hash(predecessor, "predecessor")?,
        number_of_ticks: integer(ticks).ok_or("number_of_ticks is not a number")?,
    })
}

fn hash<H: FromStr>(value: RawValue<'_>, column: &str) -> Result<H, String> {
    opt_hash(value, column)?.ok_or_else(|| format!("{column} is NULL"))
}

fn opt_hash<H: FromStr>(value: RawValue<'_>, column: &str) -> Result<Option<H>, String> {
    if value == Some(Value::Null) {
        return Ok(None);
    }
    match text(value).and_then(|text| text.parse().ok()) {
        Some(hash) => Ok(Some(hash)),
        None => Err(format!("{column} is not a hash of its kind")),
    }
}

fn level(value: RawValue<'_>, column: &str) -> Result<i32, String> {
    integer(value).and_then(|number| number.try_into().ok()).ok_or_else(|| format!("{column} is not a level"))
}

fn text(value: RawValue<'_>) -> Option<&str> {
    if let Some(Value::Text(text)) = value { Some(text) } else { None }
}

fn integer(value: RawValue<'_>) -> Option<i64> {
    if let Some(Value::Integer(number)) = value { Some(number) } else { None }
}

fn blob(value: RawValue<'_>) -> Option<&[u8]> {
    if let Some(Value::Blob(bytes)) = value { Some(bytes) } else { None }
}

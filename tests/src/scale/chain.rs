//! A true chain in a store of version 5, with the schema of a fixture.

use std::fs;
use std::io::{Error, Result};
use std::path::Path;

use rollsnap_core::context::pack::{Hash, hashing};
use rollsnap_core::encoding::{Cell, Commitment, MessageList};
use rollsnap_core::hash::{BlockHash, CommitmentHash, ContextHash, InboxHash, StateHash, WitnessHash};
use rusqlite::{Connection, params};
use zlib_rs::{DeflateConfig, compress_bound, compress_slice};

use super::pack::Layout;
use super::random::Random;

/// Levels from one commitment to the next.
const PERIOD: i32 = 30;

/// The first level that is there.
pub(super) const ORIGIN: i32 = 1000;

/// How many levels one transaction of the generator takes.
const BATCH: i32 = 500;

/// The level of the origination, which is not there.
const GENESIS: i32 = 100;

/// What the fixture has rows in.
const TABLES: [&str; 10] = [
    "l2_blocks",
    "l2_levels",
    "messages",
    "inboxes",
    "commitments",
    "commitments_published_at_levels",
    "outbox_messages",
    "dal_slots_headers",
    "dal_slots_statuses",
    "rollup_node_state",
];

/// The store of a directory while it grows.
pub(super) struct Chain {
    db: Connection,
    layout: Layout,
    random: Random,
    /// Of the next block.
    level: i32,
    predecessor: BlockHash,
    cell: Option<(Cell, InboxHash)>,
    tick: i64,
    last: Last,
    first_commitment: Option<CommitmentHash>,
}

/// The commitment before.
struct Last {
    hash: CommitmentHash,
    tick: i64,
}

/// The newest block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tip {
    /// Its level.
    pub(super) level: i32,
    /// Its hash.
    pub(super) block: BlockHash,
    /// The last commitment.
    pub(super) commitment: CommitmentHash,
}

impl Chain {
    /// Begins the store of a data directory, for a context with this layout.
    pub(super) fn new(directory: &Path, layout: Layout, seed: u64) -> Result<Self> {
        let path = directory.join("store.sqlite");
        let mut fixture = crate::store_v4::data_dir("v5-archive");
        fs::write(&path, fixture.remove("store.sqlite").unwrap_or_default())?;
        let db = Connection::open(&path).map_err(Error::other)?;
        let clear: String = TABLES.iter().map(|table| format!("DELETE FROM {table};")).collect();
        let statements = format!(
            "PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; \
             PRAGMA cache_size = -32000; {clear} DELETE FROM protocols WHERE proto_level <> 1; BEGIN"
        );
        db.execute_batch(&statements).map_err(Error::other)?;
        Ok(Self {
            db,
            layout,
            random: Random::new(seed),
            level: ORIGIN,
            predecessor: BlockHash::new(hashing::hash(b"before")),
            cell: None,
            tick: 0,
            last: Last { hash: CommitmentHash::new(hashing::hash(b"last")), tick: 0 },
            first_commitment: None,
        })
    }

    /// Adds the block that leads to this state in this commit.
    pub(super) fn add(&mut self, state: Hash, context: Hash) -> Result<Tip> {
        let tip = self.add_block(StateHash::new(state), ContextHash::new(context)).map_err(Error::other)?;
        if self.level % BATCH == 0 {
            self.db.execute_batch("COMMIT; BEGIN").map_err(Error::other)?;
        }
        Ok(tip)
    }

    /// Writes the marks, and `metadata` beside the store.
    pub(super) fn finish(self, tip: &Tip, directory: &Path) -> Result<()> {
        let first = self.first_commitment.unwrap_or(CommitmentHash::new([0; 32]));
        let mode = if self.layout == Layout::Prefix { "full" } else { "archive" };
        let level = Some(tip.level);
        let marks = [
            ("history_mode", mode.to_owned(), None),
            ("l2_head", tip.block.to_string(), level),
            ("finalized_level", tip.block.to_string(), level),
            ("lcc", first.to_string(), Some(ORIGIN)),
        ];
        for mark in marks {
            self.db.execute("INSERT INTO rollup_node_state VALUES (?, ?, ?)", mark).map_err(Error::other)?;
        }
        // As the nodes keep it.
        self.db.execute_batch("COMMIT; PRAGMA journal_mode = WAL").map_err(Error::other)?;
        self.db.close().map_err(|(_, error)| Error::other(error))?;
        let metadata = serde_json::json!({
            "rollup_address": "sr1CnSVbNpLGRVSAxFhCNPnUZDWVdBwdwTLQ",
            "context_version": 0,
            "kind": "wasm_2_0_0",
            "genesis_info": {
                "level": GENESIS,
                "commitment_hash": CommitmentHash::new(hashing::hash(b"genesis")),
            },
        });
        fs::write(directory.join("metadata"), metadata.to_string())
    }

    fn add_block(&mut self, state: StateHash, context: ContextHash) -> rusqlite::Result<Tip> {
        let level = self.level;
        let block = BlockHash::new(hashing::hash(format!("block {level}").as_bytes()));
        let (witness, packed) = self.messages();
        let pointers = self.cell.as_ref().map_or(Vec::new(), |(cell, hash)| cell.next_back_pointers(hash));
        let index = self.cell.as_ref().map_or(0, |(cell, _)| cell.index + 1);
        let cell = Cell { index, witness, level, back_pointers: pointers };
        let inbox = cell.hash();
        let ticks = 1_000_000 + i64::from(level % 997);
        let (start, end) = (self.tick, self.tick + ticks);
        let previous = self.last.hash;
        let mut own = None;
        if (level - ORIGIN) % PERIOD == 0 {
            let number_of_ticks = end - self.last.tick;
            let commitment = Commitment {
                compressed_state: state,
                inbox_level: level,
                predecessor: previous,
                number_of_ticks,
            };
            let hash = commitment.hash();
            self.last = Last { hash, tick: end };
            self.first_commitment.get_or_insert(hash);
            own = Some(hash.to_string());
            self.db.prepare_cached("INSERT INTO commitments VALUES (?, ?, ?, ?, ?)")?.execute(params![
                own,
                state.to_string(),
                level,
                previous.to_string(),
                number_of_ticks
            ])?;
        }
        let (hash, inbox_text, witness_text) = (block.to_string(), inbox.to_string(), witness.to_string());
        self.db
            .prepare_cached(
                "INSERT INTO l2_blocks (block_hash, level, predecessor, commitment_hash, \
                 previous_commitment_hash, inbox_witness, inbox_hash, initial_tick, num_ticks, state_hash, \
                 pvm_status, context) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, x'02', ?)",
            )?
            .execute(params![
                hash,
                level,
                self.predecessor.to_string(),
                own,
                previous.to_string(),
                witness_text,
                inbox_text,
                start.to_string(),
                ticks,
                state.to_string(),
                context.to_string()
            ])?;
        let insert = |sql: &str, values: [&dyn rusqlite::ToSql; 3]| {
            self.db.prepare_cached(sql)?.execute(&values[..]).map(drop)
        };
        self.db.prepare_cached("INSERT INTO l2_levels VALUES (?, ?)")?.execute(params![level, hash])?;
        insert("INSERT INTO messages VALUES (?, ?, ?)", [&witness_text, &level, &packed])?;
        insert("INSERT INTO inboxes VALUES (?, ?, ?)", [&inbox_text, &level, &proof(&cell)])?;
        self.cell = Some((cell, inbox));
        (self.tick, self.level, self.predecessor) = (end, level + 1, block);
        Ok(Tip { level, block, commitment: self.last.hash })
    }

    /// The messages of the next level: their witness, and their list as the store has it.
    fn messages(&mut self) -> (WitnessHash, Vec<u8>) {
        let mut messages = vec![b"\0\x01".to_vec()];
        let time = 1_600_000_000 + 10 * i64::from(self.level);
        messages.push([b"\0\x03", &time.to_be_bytes()[..], self.predecessor.as_bytes()].concat());
        for _ in 0..self.random.below(4) {
            let mut message = vec![1];
            let len = 1 + self.random.below(4095) as usize;
            self.random.some(len, &mut message);
            messages.push(message);
        }
        messages.push(b"\0\x02".to_vec());
        let whole = list(&messages);
        let witness = MessageList::parse(&whole).ok().and_then(|list| list.witness());
        (witness.unwrap_or(WitnessHash::new([0; 32])), deflated(&whole))
    }
}

/// The length of all, and each with its length.
fn list(messages: &[Vec<u8>]) -> Vec<u8> {
    let with_length = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    with_length(&messages.iter().flat_map(|message| with_length(message)).collect::<Vec<u8>>())
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut packed = vec![0; compress_bound(bytes.len())];
    let config = DeflateConfig { window_bits: -15, ..DeflateConfig::new(6) };
    let len = compress_slice(&mut packed, bytes, config).0.len();
    packed.truncate(len);
    packed
}

/// A cell as the store has it.
fn proof(cell: &Cell) -> Vec<u8> {
    let mut proof = Vec::new();
    let mut index = cell.index;
    while index > 127 {
        proof.push(index as u8 & 127 | 128);
        index >>= 7;
    }
    proof.push(index as u8);
    proof.extend(cell.witness.as_bytes());
    proof.extend(cell.level.to_be_bytes());
    proof.extend((32 * cell.back_pointers.len() as u32).to_be_bytes());
    proof.extend(cell.back_pointers.as_flattened());
    proof
}

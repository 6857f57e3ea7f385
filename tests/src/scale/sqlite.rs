//! A store of version 5, with the schema of a fixture.

use std::fs;
use std::io::{Error, Result};
use std::path::Path;

use rusqlite::{Connection, params};
use zlib_rs::{DeflateConfig, compress_bound, compress_slice};

use super::chain::{Block, Marks, ORIGIN, Store};

/// How many levels one transaction of the generator takes.
const BATCH: i32 = 500;

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

const INSERT_BLOCK: &str = "INSERT INTO l2_blocks (block_hash, level, predecessor, commitment_hash, \
    previous_commitment_hash, inbox_witness, inbox_hash, initial_tick, num_ticks, state_hash, pvm_status, context) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, x'02', ?)";

/// The database.
pub(super) struct Sqlite(Connection);

impl Sqlite {
    pub(super) fn new(directory: &Path) -> Result<Self> {
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
        Ok(Self(db))
    }

    fn insert(&self, block: &Block) -> rusqlite::Result<()> {
        let Block { level, commitment, state, witness, inbox, .. } = block;
        let put = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> rusqlite::Result<()> {
            self.0.prepare_cached(sql)?.execute(values).map(drop)
        };
        let (hash, previous, state) = (block.hash.to_string(), block.previous.to_string(), state.to_string());
        let (witness, inbox) = (witness.to_string(), inbox.to_string());
        if let Some((hash, content)) = commitment {
            put(
                "INSERT INTO commitments VALUES (?, ?, ?, ?, ?)",
                params![hash.to_string(), state, level, previous, content.number_of_ticks],
            )?;
        }
        let own = commitment.as_ref().map(|(hash, _)| hash.to_string());
        let (predecessor, context) = (block.predecessor.to_string(), block.context.to_string());
        let (start, ticks) = (block.ticks.0.to_string(), block.ticks.1);
        put(
            INSERT_BLOCK,
            params![hash, level, predecessor, own, previous, witness, inbox, start, ticks, state, context],
        )?;
        put("INSERT INTO l2_levels VALUES (?, ?)", params![level, hash])?;
        let packed = deflated(&block.messages);
        put("INSERT INTO messages VALUES (?, ?, ?)", params![witness, level, packed])?;
        put("INSERT INTO inboxes VALUES (?, ?, ?)", params![inbox, level, block.proof])
    }
}

impl Store for Sqlite {
    fn add(&mut self, block: &Block) -> Result<()> {
        self.insert(block).map_err(Error::other)?;
        if block.level % BATCH == 0 {
            self.0.execute_batch("COMMIT; BEGIN").map_err(Error::other)?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>, marks: &Marks<'_>) -> Result<()> {
        let (head, level) = (marks.head.hash.to_string(), Some(marks.head.level));
        let rows = [
            ("history_mode", marks.mode.to_string(), None),
            ("l2_head", head.clone(), level),
            ("finalized_level", head, level),
            ("lcc", marks.cemented.to_string(), Some(ORIGIN)),
        ];
        for row in rows {
            self.0.execute("INSERT INTO rollup_node_state VALUES (?, ?, ?)", row).map_err(Error::other)?;
        }
        // As the nodes keep it.
        self.0.execute_batch("COMMIT; PRAGMA journal_mode = WAL").map_err(Error::other)?;
        self.0.close().map_err(|(_, error)| Error::other(error))
    }
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut packed = vec![0; compress_bound(bytes.len())];
    let config = DeflateConfig { window_bits: -15, ..DeflateConfig::new(6) };
    let len = compress_slice(&mut packed, bytes, config).0.len();
    packed.truncate(len);
    packed
}

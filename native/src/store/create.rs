//! A new store, as a node of today makes it: empty, with every migration applied; and the rows that
//! fill it.
//!
//! It is written without a journal, because nobody else knows of the file yet, and a failed one is
//! removed.

use std::path::{Path, PathBuf};

use rollsnap_core::chain::{Block, Evaluation};
use rollsnap_core::encoding::Commitment;
use rollsnap_core::hash::{BlockHash, CommitmentHash, InboxHash, SlotCommitment, StateHash, WitnessHash};
use rollsnap_core::members::DATABASE;
use rollsnap_core::store::v4::{Protocol, Published};
use rollsnap_core::store::{OutboxBits, statements};
use rollsnap_core::{Code, Problem, Result};
use rusqlite::{Connection, Params, params};

use super::open;
use super::own::OwnDatabase;
use super::problem::said;
use crate::dir::Dir;

/// The migrations that have made this schema.
pub(super) const MIGRATIONS: [&str; 3] = ["initial", "add_state_hash_and_status", "optional_context"];

/// Memory for pages while rows are written, in KiB (SQLite wants it negative).
const CACHE: i32 = -64 * 1024;

/// A database that is being filled. Dropped before [`NewStore::finish`] it is removed.
#[derive(Debug)]
pub struct NewStore {
    conn: Connection,
    file: OwnDatabase,
}

impl NewStore {
    /// Makes `store.sqlite` in a directory of ours, where nothing must have the name.
    ///
    /// # Errors
    /// [`Code::OutputExists`], [`Code::IoNoSpace`] and other `io.*` codes.
    pub fn create(dir: &Dir) -> Result<Self> {
        let file = OwnDatabase::make(dir, DATABASE)?;
        let store = Self { conn: file.connect()?, file };
        let failed = |err| not_written("create the store", &store.file, err);
        let prepare = || {
            store.conn.pragma_update(None, "cache_size", CACHE)?;
            // To the letter: a node compares nothing, but people do, and so do we.
            statements().try_for_each(|statement| store.conn.execute_batch(statement))?;
            store.conn.execute_batch("BEGIN")
        };
        prepare().map_err(failed)?;
        for (id, name) in (0i64..).zip(MIGRATIONS) {
            store.insert(
                "migrations",
                "INSERT INTO migrations (id, name) VALUES (?1, ?2)",
                params![id, name],
            )?;
        }
        Ok(store)
    }

    /// A row of `l2_levels`.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`] for a row that is there already, [`Code::IoNoSpace`] and other `io.*` codes, as of
    /// all of these.
    pub fn level(&self, level: i32, block: &BlockHash) -> Result<()> {
        let query = "INSERT INTO l2_levels (level, block_hash) VALUES (?1, ?2)";
        self.insert("l2_levels", query, params![level, block.to_string()])
    }

    /// Whether there is a row of `l2_blocks`.
    pub fn has_block(&self, hash: &BlockHash) -> Result<bool> {
        let query = "SELECT 1 FROM l2_blocks WHERE block_hash = ?1";
        let failed = |err| said("read table l2_blocks", self.path(), err);
        self.conn.prepare_cached(query).and_then(|mut query| query.exists([hash.to_string()])).map_err(failed)
    }

    /// A row of `l2_blocks`, unless another level has brought it. The status of the PVM is not known.
    pub fn block(&self, block: &Block, at: &Evaluation, state: Option<&StateHash>) -> Result<()> {
        let query = "INSERT OR IGNORE INTO l2_blocks (block_hash, level, predecessor, commitment_hash, \
                     previous_commitment_hash, inbox_witness, inbox_hash, initial_tick, num_ticks, \
                     state_hash, pvm_status, context) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, NULL, ?11)";
        self.insert(
            "l2_blocks",
            query,
            params![
                block.hash.to_string(),
                block.level,
                block.predecessor.to_string(),
                block.commitment.map(|hash| hash.to_string()),
                block.previous_commitment.to_string(),
                at.inbox_witness.to_string(),
                at.inbox_hash.to_string(),
                at.initial_tick.to_string(),
                at.num_ticks,
                state.map(ToString::to_string),
                block.context.map(|hash| hash.to_string()),
            ],
        )
    }

    /// A row of `messages`, unless another block has brought the same. `list` is compressed already.
    pub fn messages(&self, witness: &WitnessHash, level: i32, list: &[u8]) -> Result<()> {
        let query = "INSERT OR IGNORE INTO messages (payload_hashes_hash, inbox_level, message_list) \
                     VALUES (?1, ?2, ?3)";
        self.insert("messages", query, params![witness.to_string(), level, list])
    }

    /// A row of `inboxes`, unless another block has brought the same.
    pub fn inbox(&self, hash: &InboxHash, level: i32, cell: &[u8]) -> Result<()> {
        let query = "INSERT OR IGNORE INTO inboxes (hash, inbox_level, history_proof) VALUES (?1, ?2, ?3)";
        self.insert("inboxes", query, params![hash.to_string(), level, cell])
    }

    /// A row of `commitments`.
    pub fn commitment(&self, hash: &CommitmentHash, content: &Commitment) -> Result<()> {
        let query = "INSERT INTO commitments \
                     (hash, compressed_state, inbox_level, predecessor, number_of_ticks) \
                     VALUES (?1, ?2, ?3, ?4, ?5)";
        let Commitment { compressed_state, inbox_level, predecessor, number_of_ticks } = content;
        let row = params![
            hash.to_string(),
            compressed_state.to_string(),
            inbox_level,
            predecessor.to_string(),
            number_of_ticks
        ];
        self.insert("commitments", query, row)
    }

    /// A row of `commitments_published_at_levels`.
    pub fn published(&self, hash: &CommitmentHash, at: &Published) -> Result<()> {
        let query = "INSERT INTO commitments_published_at_levels \
                     (commitment_hash, first_published_at_level, published_at_level) VALUES (?1, ?2, ?3)";
        let row = params![hash.to_string(), at.first, at.by_us];
        self.insert("commitments_published_at_levels", query, row)
    }

    /// A row of `protocols`.
    pub fn protocol(&self, protocol: &Protocol) -> Result<()> {
        let query = "INSERT INTO protocols (hash, proto_level, first_level, first_is_activation) \
                     VALUES (?1, ?2, ?3, ?4)";
        let Protocol { level, activates, proto_level, hash } = protocol;
        self.insert("protocols", query, params![hash.to_string(), proto_level, level, activates])
    }

    /// A row of `dal_slots_headers`.
    pub fn slot_header(
        &self,
        block: &BlockHash,
        index: u8,
        published_level: i32,
        commitment: &SlotCommitment,
    ) -> Result<()> {
        let query = "INSERT INTO dal_slots_headers (block_hash, slot_index, published_level, slot_commitment) \
                     VALUES (?1, ?2, ?3, ?4)";
        let row = params![block.to_string(), index, published_level, commitment.to_string()];
        self.insert("dal_slots_headers", query, row)
    }

    /// A row of `dal_slots_statuses`.
    pub fn slot_status(&self, block: &BlockHash, index: u8, attested: bool) -> Result<()> {
        let query = "INSERT INTO dal_slots_statuses (block_hash, slot_index, attested) VALUES (?1, ?2, ?3)";
        self.insert("dal_slots_statuses", query, params![block.to_string(), index, attested])
    }

    /// A row of `outbox_messages`. Which messages were executed is not known.
    pub fn outbox(&self, level: i32, messages: &OutboxBits) -> Result<()> {
        let query =
            "INSERT INTO outbox_messages (outbox_level, messages, executed_messages) VALUES (?1, ?2, '0')";
        self.insert("outbox_messages", query, params![level, messages.to_string()])
    }

    /// A row of `rollup_node_state`.
    pub fn state(&self, name: &str, value: Option<&str>, level: Option<i32>) -> Result<()> {
        let query = "INSERT INTO rollup_node_state (name, value, level) VALUES (?1, ?2, ?3)";
        self.insert("rollup_node_state", query, params![name, value, level])
    }

    /// How many rows a table has.
    pub fn count(&self, table: &'static str) -> Result<u64> {
        let failed = |err| said(&format!("count table {table}"), self.path(), err);
        let count =
            self.conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0));
        count.map(i64::unsigned_abs).map_err(failed)
    }

    /// Completes the database: one file in WAL mode.
    ///
    /// # Errors
    /// [`Code::IoNoSpace`] and other `io.*` codes.
    pub fn finish(self) -> Result<PathBuf> {
        let Self { conn, file } = self;
        conn.execute_batch("COMMIT").map_err(|err| not_written("write the store", &file, err))?;
        open::close(conn, file.path())?;
        file.mark_wal_mode()?;
        let path = file.path().to_path_buf();
        file.keep();
        Ok(path)
    }

    fn path(&self) -> &Path {
        self.file.path()
    }

    fn insert(&self, table: &str, query: &str, row: impl Params) -> Result<()> {
        let written = self.conn.prepare_cached(query).and_then(|mut query| query.execute(row));
        written.map(drop).map_err(|err| not_written(&format!("write table {table}"), &self.file, err))
    }
}

/// The operating system is asked where the engine only says that it could not write.
fn not_written(doing: &str, file: &OwnDatabase, err: rusqlite::Error) -> Problem {
    let problem = said(doing, file.path(), err);
    match problem.code() {
        Code::IoOther | Code::IoPermission => match file.bytes().and_then(|length| file.write_beyond(length))
        {
            Err(problem) => problem,
            Ok(()) => problem,
        },
        _ => problem,
    }
}

//! Everything that a node's three migrations leave in the schema of its database, to the letter.
//!
//! The texts are what SQLite keeps in `sqlite_schema`: those of the statements, from their names on, and what
//! `ALTER TABLE` makes of them. Each migration leaves another `l2_blocks`; all else stays as the first one made it.

use core::ops::RangeInclusive;

/// A table or an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    /// `table` or `index`.
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    /// The table itself, or the table of the index.
    pub(super) table: &'static str,
    /// The statement; the index of a key has none.
    pub(super) sql: Option<&'static str>,
    /// After how many migrations it looks like this.
    pub(super) migrations: RangeInclusive<usize>,
}

/// The statements that make a database as it is after all migrations, in an order in which they can be executed.
pub fn statements() -> impl Iterator<Item = &'static str> {
    let current = OBJECTS.iter().filter(|object| object.migrations.contains(&MOST));
    current.filter_map(|object| object.sql)
}

/// The names of the tables.
pub fn tables() -> impl Iterator<Item = &'static str> {
    let tables = OBJECTS.iter().filter(|object| object.kind == "table" && object.migrations.contains(&MOST));
    tables.map(|object| object.name)
}

/// How many migrations there are.
const MOST: usize = 3;

const ALWAYS: RangeInclusive<usize> = 1..=MOST;

const fn table(name: &'static str, migrations: RangeInclusive<usize>, sql: &'static str) -> Object {
    Object { kind: "table", name, table: name, sql: Some(sql), migrations }
}

const fn index(name: &'static str, table: &'static str, sql: &'static str) -> Object {
    Object { kind: "index", name, table, sql: Some(sql), migrations: ALWAYS }
}

/// The index that SQLite makes of a key.
const fn automatic(name: &'static str, table: &'static str) -> Object {
    Object { kind: "index", name, table, sql: None, migrations: ALWAYS }
}

#[rustfmt::skip]
pub(super) static OBJECTS: [Object; 30] = [
    table("migrations", ALWAYS, "\
CREATE TABLE migrations (
        id SERIAL PRIMARY KEY,
        name TEXT
      )"),
    automatic("sqlite_autoindex_migrations_1", "migrations"),
    table("rollup_node_state", ALWAYS, "\
CREATE TABLE rollup_node_state (
  name VARCHAR PRIMARY KEY,
  value VARCHAR,
  level INTEGER
)"),
    automatic("sqlite_autoindex_rollup_node_state_1", "rollup_node_state"),
    table("commitments", ALWAYS, "\
CREATE TABLE commitments (
  hash VARCHAR(54) PRIMARY KEY,
  compressed_state VARCHAR(54) NOT NULL,
  inbox_level INTEGER NOT NULL,
  predecessor VARCHAR(54) NOT NULL,
  number_of_ticks INTEGER NOT NULL
)"),
    automatic("sqlite_autoindex_commitments_1", "commitments"),
    index("idx_commitments_inbox_level", "commitments", "\
CREATE INDEX idx_commitments_inbox_level
ON commitments(inbox_level)"),
    table("commitments_published_at_levels", ALWAYS, "\
CREATE TABLE commitments_published_at_levels (
  commitment_hash VARCHAR(54) PRIMARY KEY,
  first_published_at_level INTEGER NOT NULL,
  published_at_level INTEGER
)"),
    automatic("sqlite_autoindex_commitments_published_at_levels_1", "commitments_published_at_levels"),
    table("inboxes", ALWAYS, "\
CREATE TABLE inboxes (
  hash VARCHAR(55) PRIMARY KEY,
  inbox_level INTEGER NOT NULL,
  history_proof BLOB NOT NULL
)"),
    automatic("sqlite_autoindex_inboxes_1", "inboxes"),
    index("idx_inboxes_inbox_level", "inboxes", "\
CREATE INDEX idx_inboxes_inbox_level
ON inboxes(inbox_level)"),
    table("messages", ALWAYS, "\
CREATE TABLE messages (
  payload_hashes_hash VARCHAR(55) PRIMARY KEY,
  inbox_level INTEGER NOT NULL,
  message_list BLOB NOT NULL
)"),
    automatic("sqlite_autoindex_messages_1", "messages"),
    index("idx_messages_inbox_level", "messages", "\
CREATE INDEX idx_messages_inbox_level
ON messages(inbox_level)"),
    table("outbox_messages", ALWAYS, "\
CREATE TABLE outbox_messages (
  outbox_level INTEGER PRIMARY KEY,
  messages VARCHAR NOT NULL,
  executed_messages VARCHAR NOT NULL
)"),
    index("idx_outbox_messages_outbox_level", "outbox_messages", "\
CREATE INDEX idx_outbox_messages_outbox_level
ON outbox_messages(outbox_level)"),
    table("protocols", ALWAYS, "\
CREATE TABLE protocols (
  hash VARCHAR(51) PRIMARY KEY,
  proto_level INTEGER NOT NULL,
  first_level INTEGER NOT NULL,
  first_is_activation BOOLEAN NOT NULL
)"),
    automatic("sqlite_autoindex_protocols_1", "protocols"),
    index("idx_protocols_first_level", "protocols", "\
CREATE INDEX idx_protocols_first_level
ON protocols(first_level)"),
    table("dal_slots_headers", ALWAYS, "\
CREATE TABLE dal_slots_headers (
  block_hash VARCHAR(51) NOT NULL,
  slot_index INTEGER NOT NULL,
  published_level INTEGER NOT NULL,
  slot_commitment VARCHAR NOT NULL,
  PRIMARY KEY(block_hash, slot_index)
)"),
    automatic("sqlite_autoindex_dal_slots_headers_1", "dal_slots_headers"),
    table("dal_slots_statuses", ALWAYS, "\
CREATE TABLE dal_slots_statuses (
  block_hash VARCHAR(51) NOT NULL,
  slot_index INTEGER NOT NULL,
  attested BOOLEAN NOT NULL,
  PRIMARY KEY(block_hash, slot_index)
)"),
    automatic("sqlite_autoindex_dal_slots_statuses_1", "dal_slots_statuses"),
    table("l2_blocks", 1..=1, BLOCKS_AT_FIRST),
    table("l2_blocks", 2..=2, BLOCKS_WITH_STATE),
    table("l2_blocks", 3..=3, BLOCKS_TODAY),
    automatic("sqlite_autoindex_l2_blocks_1", "l2_blocks"),
    index("idx_l2_blocks_level", "l2_blocks", "\
CREATE INDEX idx_l2_blocks_level
ON l2_blocks(level)"),
    table("l2_levels", ALWAYS, "\
CREATE TABLE l2_levels (
  level INTEGER PRIMARY KEY,
  block_hash VARCHAR(51) NOT NULL
)"),
];

const BLOCKS_AT_FIRST: &str = "\
CREATE TABLE l2_blocks (
  block_hash VARCHAR(51) PRIMARY KEY,
  level INTEGER NOT NULL,
  predecessor VARCHAR(51) NOT NULL ,
  commitment_hash VARCHAR(54) ,
  previous_commitment_hash VARCHAR(54) NOT NULL,
  context VARCHAR(54) NOT NULL,
  inbox_witness VARCHAR(55) NOT NULL,
  inbox_hash VARCHAR(55) NOT NULL ,
  initial_tick VARCHAR NOT NULL,
  num_ticks INTEGER NOT NULL
)";

const BLOCKS_WITH_STATE: &str = "\
CREATE TABLE l2_blocks (
  block_hash VARCHAR(51) PRIMARY KEY,
  level INTEGER NOT NULL,
  predecessor VARCHAR(51) NOT NULL ,
  commitment_hash VARCHAR(54) ,
  previous_commitment_hash VARCHAR(54) NOT NULL,
  context VARCHAR(54) NOT NULL,
  inbox_witness VARCHAR(55) NOT NULL,
  inbox_hash VARCHAR(55) NOT NULL ,
  initial_tick VARCHAR NOT NULL,
  num_ticks INTEGER NOT NULL
, state_hash VARCHAR(54), pvm_status BLOB)";

const BLOCKS_TODAY: &str = "\
CREATE TABLE l2_blocks (
  block_hash VARCHAR(51) PRIMARY KEY,
  level INTEGER NOT NULL,
  predecessor VARCHAR(51) NOT NULL ,
  commitment_hash VARCHAR(54) ,
  previous_commitment_hash VARCHAR(54) NOT NULL,
  inbox_witness VARCHAR(55) NOT NULL,
  inbox_hash VARCHAR(55) NOT NULL ,
  initial_tick VARCHAR NOT NULL,
  num_ticks INTEGER NOT NULL
, state_hash VARCHAR(54), pvm_status BLOB, context VARCHAR(54))";

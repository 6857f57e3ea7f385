//! Stores, by the database engine, by the reader in core, and in files.

mod beside;
mod in_core;
mod node_rules;
mod old_lists;
mod space;
mod sqlite;
mod sqlite_bombs;
mod sqlite_hostile;
mod sqlite_reading;
mod sqlite_schema;
mod v4;
mod v4_damaged;
mod v4_gathered;
mod v4_rules;

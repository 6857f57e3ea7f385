//! The store (`docs/FORMAT.md`, section 6) without a database engine: what *Consistent* means, and
//! how a snapshot that streams by is judged.
//!
//! [`check`] is all rules of a store in one place, for every reader of one: whatever implements
//! [`Rows`]. [`Store`] does so for version 5 without a database engine, through [`crate::sqlite`], and
//! [`v4`] for the versions before it; [`Opened`] is either. [`SnapshotChecker`] takes the events of an inspection, and keeps
//! what is needed of the members; [`MemoryChecker`] does so without files, and leaves [`RetainedStore`] for what layer 1 says
//! later ([`check_cemented`], [`Genesis`]).

mod cells;
mod cemented;
mod chain;
mod check;
mod checker;
mod genesis;
mod info;
mod kept;
mod lacking;
mod levels;
mod limits;
mod memory;
mod memory_files;
mod metadata;
mod model;
mod objects;
mod opened;
mod outbox_bits;
mod outboxes;
mod pieces;
mod pre_images;
mod publications;
mod raw;
mod reader;
mod recorded;
mod retained;
mod rows;
mod rules;
mod schema;
mod side;
pub mod v4;

pub use cemented::check_cemented;
pub(crate) use chain::Tables;
pub use check::{Subject, check};
pub use checker::{Came, Checked, Findings, MemberStore, SnapshotChecker};
pub use genesis::{Genesis, States, not_served};
pub use info::info_of_database;
pub(crate) use kept::SharedFile;
pub use kept::{KeptFile, KeptFiles};
pub use lacking::Lacking;
pub use levels::{Level, Span};
pub use limits::{MAX_CELL, MAX_TEXT, longest, too_long};
pub use memory::{DEFAULT_MAX_STORE, DEFAULT_MEMORY, InMemory, MemoryChecker};
pub(crate) use memory_files::MemoryFiles;
pub use metadata::{MAX_METADATA, Metadata};
pub use model::{Mark, State, StateRow, shortened};
pub use objects::{statements, tables};
pub use opened::Opened;
pub use outbox_bits::OutboxBits;
pub use outboxes::Outboxes;

pub use pre_images::PreImages;
pub use raw::{BLOCK_COLUMNS, COMMITMENT_COLUMNS, Decoder, INBOX_COLUMNS, MESSAGES_COLUMNS, Raw, RawValue};
pub use reader::Store;
pub use retained::RetainedStore;
pub use rows::{CommitmentName, Publication, Rows};
pub use rules::{check_version, cut_store, head_context, header_against_store, parse_version, passed};
pub use schema::{Accept, MAX_MIGRATIONS, MAX_OBJECTS, Schema, check_settings};
pub use side::{Side, Walked};

/// Longest `storage/version` that is read, in bytes; real ones have about 22.
pub const MAX_VERSION: u64 = 4096;

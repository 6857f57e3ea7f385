//! The store of version 5, an SQLite database (`docs/FORMAT.md`, section 6): opened without
//! leaving traces, read with typed hashes, copied for a snapshot, and edited after an import. Older
//! stores, in files, are read by core; [`AnyStore`] is the store of a directory, whichever it is.
//!
//! A process must not open and close the file of a database by other means while it has a
//! connection to it: closing would drop the locks of the connection.

mod any;
mod backup;
mod batch;
mod chain;
pub mod copy;
mod create;
mod editing;
mod engine;
mod examine;
mod family;
pub mod import;
pub mod level;
mod lineage;
mod links;
mod lpc;
mod marks;
mod open;
mod own;
mod problem;
pub mod read;
mod recorded;
pub mod reset;
mod scan;
mod schema;
mod second_look;
mod side;
mod slots;

pub use any::{AnyStore, block_of, close_any, open_any, publication_hint};
pub(crate) use backup::back_up;
pub use copy::{Capture, Copied, Packing, export_copy};
pub use create::NewStore;
pub use editing::{Editing, Parameter};
pub use family::Family;
pub use import::{LpcOutcome, keep_lpc, read_lpc, reset_imported, set_history_mode};
pub use level::LevelRequest;
pub use lineage::OutboxRow;
pub use lpc::Lpc;
pub use read::{Block, Mark, Rows, State, Store};
pub use recorded::Records;
pub use reset::{MarkChange, Reset, reset_to_level};
pub use schema::Accept;

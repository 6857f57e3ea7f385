//! The store of version 4 (`docs/FORMAT.md`, section 8), which Octez wrote until v20 and Mavkit
//! writes: index files, data files and small files below `storage/`. Versions 2 and 3 are read as
//! well; 0 and 1 are recognised.
//!
//! [`Store`] looks things up as a read-only node does, and is judged by the same rules as version 5:
//! it is [`Rows`](super::Rows).

mod check;
pub mod irmin_store;
mod keys;
mod records;
mod rows;
mod singletons;
mod store;
mod table;
mod version;
mod whole;
pub mod write;

pub use check::{against_header, check, head_context};
pub use irmin_store::{IrminStore, slots::Slot};
pub use records::{BlockHeader, Protocol, Published, WholeBlock};
pub use singletons::{GcLevels, Singletons};
pub use store::{Store, StoredMessages};
pub use table::{Generation, Record, Table};
pub(super) use version::recorded;
pub use version::{Layout, Version, check_version, has_files, layout, recorded_version, two_stores};

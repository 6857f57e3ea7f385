//! What a report says about a store beyond right and wrong.

use serde::Serialize;

use super::{Rows, v4};
use crate::hash::CommitmentHash;
use crate::header::HistoryMode;
use crate::read_at::ReadAt;

/// What a store records about itself; nothing of it is checked. `None`: not recorded, or not readable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Its version: 5 is `store.sqlite`, 4 and less are the files below `storage/`.
    pub version: u8,
    /// Which nodes write it.
    pub writers: &'static str,
    /// What the node keeps of the past.
    pub history_mode: Option<HistoryMode>,
    /// The oldest level whose block has a context on disk.
    pub first_level: Option<i32>,
    /// Level of the newest block.
    pub head_level: Option<i32>,
    /// Level of the newest block that layer 1 will not take back.
    pub finalized_level: Option<i32>,
    /// The last cemented commitment that the node knew.
    pub last_cemented: Option<CommitmentHash>,
    /// Its inbox level.
    pub last_cemented_level: Option<i32>,
}

impl Facts {
    /// Of a store of version 5, whoever reads it.
    pub fn of_database(store: &impl Rows) -> Self {
        Self::of(store, 5, "Octez since v21")
    }

    /// Of a store in files.
    pub fn of_files<R: ReadAt>(store: &v4::Store<R>) -> Self {
        let version = store.version();
        Self::of(store, version.number(), version.writers())
    }

    fn of(store: &impl Rows, version: u8, writers: &'static str) -> Self {
        let state = store.state().unwrap_or_default();
        Self {
            version,
            writers,
            history_mode: state.history_mode,
            first_level: store.first_available().ok(),
            head_level: store.head().ok().map(|head| head.level),
            finalized_level: state.finalized.map(|mark| mark.level),
            last_cemented: state.lcc.map(|mark| mark.hash),
            last_cemented_level: state.lcc.map(|mark| mark.level),
        }
    }
}

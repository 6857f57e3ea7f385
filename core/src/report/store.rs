//! What a report says about a store beyond right and wrong.

use alloc::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::hash::CommitmentHash;
use crate::header::HistoryMode;

/// What a store records about itself; nothing of it is checked. `None`: not recorded, or not readable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreInfo {
    /// Its version: 5 is `store.sqlite`, 4 and less are the files below `storage/`.
    pub version: u8,
    /// Which nodes write it.
    pub writers: Cow<'static, str>,
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

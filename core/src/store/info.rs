//! What a store records about itself, for a report.

use alloc::borrow::Cow;

use super::{Rows, v4};
use crate::read_at::ReadAt;
use crate::report::StoreInfo;

/// Of a store of version 5, whoever reads it.
pub fn info_of_database(store: &impl Rows) -> StoreInfo {
    info(store, 5, "Octez since v21")
}

/// Of a store in files.
pub(super) fn info_of_files<R: ReadAt>(store: &v4::Store<R>) -> StoreInfo {
    let version = store.version();
    info(store, version.number(), version.writers())
}

fn info(store: &impl Rows, version: u8, writers: &'static str) -> StoreInfo {
    let state = store.state().unwrap_or_default();
    StoreInfo {
        version,
        writers: Cow::Borrowed(writers),
        history_mode: state.history_mode,
        first_level: store.first_available().ok(),
        head_level: store.head().ok().map(|head| head.level),
        finalized_level: state.finalized.map(|mark| mark.level),
        last_cemented: state.lcc.map(|mark| mark.hash),
        last_cemented_level: state.lcc.map(|mark| mark.level),
    }
}

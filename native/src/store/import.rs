//! What an import changes in the store that it brings.

use std::path::Path;

use rollsnap_core::hash::CommitmentHash;
use rollsnap_core::members::DATABASE;
use rollsnap_core::nodes::export::level_below_first;
use rollsnap_core::{HistoryMode, Result};

use super::own::OwnDatabase;
use super::problem::said;
use super::read::{Mark, Rows, Store};
use super::reset::{reset, set};
use super::schema::{self, Accept};
use crate::dir::Dir;

/// What became of the operator's own last published commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LpcOutcome {
    /// It was written into the imported store.
    Kept,
    /// It is newer than the imported store, which ends at this level.
    AboveHead(i32),
    /// The imported store covers its level, but does not have it.
    Unknown,
}

/// The last commitment that the operator of the store at `path` published.
///
/// # Errors
/// As [`Store::open`].
pub fn read_lpc(path: &Path) -> Result<Option<Mark<CommitmentHash>>> {
    let store = Store::open(path, Accept::Older)?;
    let lpc = store.mark("lpc")?;
    store.close()?;
    Ok(lpc)
}

/// Writes the operator's own `lpc` into the imported store of a directory where it still makes sense:
/// not above its head, and either known to it or older than all that it holds.
///
/// # Errors
/// As [`Store::open`], [`Store::head`] and [`Store::first_available`].
pub fn keep_lpc(dir: &Dir, lpc: &Mark<CommitmentHash>) -> Result<LpcOutcome> {
    edit(dir, |store| {
        let head = store.head()?.level;
        if lpc.level > head {
            return Ok(LpcOutcome::AboveHead(head));
        }
        let known = store.commitment_level(&lpc.hash)?.is_some();
        if !known && lpc.level >= store.first_available()? {
            return Ok(LpcOutcome::Unknown);
        }
        let written = set(store.connection(), "lpc", &lpc.hash.to_string(), lpc.level);
        written.map_err(|err| said("keep the last published commitment", &dir.place(DATABASE), err))?;
        Ok(LpcOutcome::Kept)
    })
}

/// Records another history mode, as after importing an archive snapshot into a full node.
///
/// # Errors
/// As [`Store::open`].
pub fn set_history_mode(dir: &Dir, mode: HistoryMode) -> Result<()> {
    edit(dir, |store| {
        let row = "REPLACE INTO rollup_node_state (name, value) VALUES ('history_mode', ?1)";
        let written = store.connection().execute(row, [mode.as_str()]);
        written.map(drop).map_err(|err| said("record the history mode", &dir.place(DATABASE), err))
    })
}

/// Takes the imported store of a directory back to the level that the user asked for; does nothing
/// when that is its head.
///
/// # Errors
/// [`rollsnap_core::Code::LevelUnavailable`] with the text of the nodes when the level is too old,
/// and as [`super::reset_to_level`].
pub fn reset_imported(dir: &Dir, level: i32) -> Result<()> {
    edit(dir, |store| {
        let first = store.first_available()?;
        if level < first {
            return Err(level_below_first(level, first));
        }
        if level == store.head()?.level { Ok(()) } else { reset(store, level) }
    })
}

/// Opens for writing, and closes so that one file in WAL mode remains.
pub(super) fn edit<T>(dir: &Dir, change: impl FnOnce(&mut Store) -> Result<T>) -> Result<T> {
    let file = OwnDatabase::there(dir, DATABASE);
    let edited = file.connect().and_then(|conn| {
        schema::check(&conn, file.path(), Accept::Older)?;
        let mut store = Store::over(conn, file.path());
        let result = change(&mut store)?;
        store.close().map(|()| result)
    });
    let marked = file.mark_wal_mode();
    edited.and_then(|result| marked.map(|()| result))
}

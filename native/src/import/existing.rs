//! What the store that is in the data directory before an import says.

use std::path::Path;

use rollsnap_core::feedback::Notice;
use rollsnap_core::hash::RollupAddress;
use rollsnap_core::{Code, Feedback, HistoryMode, Problem, Result};

use crate::data_dir::{DataDir, metadata};
use crate::destination::no_links;
use crate::store::{Accept, AnyStore, Family, Lpc, Rows, Store, close_any, open_any};

/// What an import must respect. Empty for a fresh directory.
#[derive(Debug, Default)]
pub(super) struct Existing {
    pub(super) rollup: Option<RollupAddress>,
    pub(super) history_mode: Option<HistoryMode>,
    pub(super) head_level: Option<i32>,
    pub(super) lpc: Option<Lpc>,
    /// Whose store is in place.
    pub(super) family: Option<Family>,
}

impl Existing {
    /// Reads what is there. A store that cannot be read does not stand in the way of replacing
    /// it: that is what snapshots are for. The rollup that the metadata names still counts. Where there are
    /// two stores, that of `family` does.
    pub(super) fn read(
        root: &Path,
        family: Option<Family>,
        force: bool,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {
        no_links(root)?;
        let metadata = match metadata::read(root) {
            Err(problem) if problem.code() == Code::MetadataForm => {
                feedback.notice(Notice::NotUsed(&format!("The metadata in place are of no use: {problem}")));
                None
            }
            other => other?,
        };
        let rollup = metadata.map(|metadata| metadata.rollup_address);
        let read = || {
            let Some(store) = in_place(root, family)? else { return Ok(Self { rollup, ..Self::default() }) };
            let state = store.state()?;
            let lpc = Lpc::of(&store)?;
            let family = Some(Family::of_store(&store));
            close_any(store)?;
            Ok(Self {
                // The nodes compare rollups only where a history mode is recorded.
                rollup: rollup.filter(|_| state.history_mode.is_some()),
                history_mode: state.history_mode,
                head_level: state.head.map(|head| head.level),
                lpc,
                family,
            })
        };
        // As an opening leaves it that wrote nothing.
        if DataDir::new(root)
            .store()
            .symlink_metadata()
            .is_ok_and(|found| found.is_file() && found.len() == 0)
        {
            feedback.notice(Notice::NotUsed("The store in place is empty and will be replaced"));
        }
        match read() {
            Err(problem) if force && is_damage(&problem) => {
                feedback.notice(Notice::NotUsed(&format!(
                    "The store in place cannot be read and will be replaced: {problem}"
                )));
                Ok(Self { rollup, ..Self::default() })
            }
            other => other,
        }
    }
}

/// The store that counts; `None` too where there are only beginnings of one, as a node leaves them that refused
/// an import.
fn in_place(root: &Path, family: Option<Family>) -> Result<Option<AnyStore>> {
    let found = match Family::of(root) {
        // Whether the directory is older than the snapshot depends on it.
        Err(_) if Family::are_both_in(root)? => {
            Ok(Some(family.ok_or_else(|| Problem::new(Code::ImportStore).path(root.display()))?))
        }
        other => other,
    };
    let opened = found.and_then(|found| match found {
        // Whatever `storage/version` says beside it.
        Some(Family::Octez) => {
            let database = DataDir::new(root).store();
            Store::open(&database, Accept::Older).map(|store| Some(AnyStore::Database(store)))
        }
        Some(Family::Mavkit) => open_any(root, found).map(Some),
        None => Ok(None),
    });
    match opened {
        Err(problem) if problem.code() == Code::StoreMissing => Ok(None),
        other => other,
    }
}

/// What a snapshot is to mend: damage, unfinished transactions, and versions that are read no further.
fn is_damage(problem: &Problem) -> bool {
    matches!(
        problem.code(),
        Code::StoreDamaged
            | Code::StoreJournal
            | Code::StoreMigrations
            | Code::StoreSchema
            | Code::StoreVersion
    )
}

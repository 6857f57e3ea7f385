//! The rules of an import, in the words of the nodes (`docs/FORMAT.md`, section 7).

use rollsnap_core::header::Layout;
use rollsnap_core::nodes;
use rollsnap_core::report::Evidence;
use rollsnap_core::store::{Metadata, v4};
use rollsnap_core::{Code, Header, HistoryMode, Problem, Result};

use super::existing::Existing;
use crate::store::{AnyStore, Rows};

/// Rules I4, I5, I5b and I5c, in this order: what the header alone decides, whosever the snapshot is.
pub(super) fn before(header: &Header, existing: &Existing, level: Option<i32>) -> Result<()> {
    if header.layout == Layout::Unversioned {
        return Err(Problem::new(Code::HeaderUnversioned));
    }
    let Header { history_mode, head_level, rollup_address, .. } = header;
    if let Some(rollup) = existing.rollup.filter(|rollup| rollup != rollup_address) {
        return Err(nodes::import::other_rollup(&rollup, "snapshot", rollup_address));
    }
    if (existing.history_mode, *history_mode) == (Some(HistoryMode::Archive), HistoryMode::Full) {
        return Err(nodes::import::full_into_archive());
    }
    if let Some(level) = level.filter(|level| level > head_level) {
        return Err(nodes::import::level_above_header(*head_level, level));
    }
    if let Some(at) = existing.head_level.filter(|at| at >= head_level) {
        return Err(nodes::import::already_at_level(at, *head_level));
    }
    Ok(())
}

/// Where Mavkit is stricter than Octez: rule I5 wants equal history modes, and there is no `--level`.
pub(super) fn of_mavkit(header: &Header, existing: &Existing, level: Option<i32>) -> Result<()> {
    if let Some(mode) = existing.history_mode.filter(|mode| *mode != header.history_mode) {
        return Err(match mode {
            HistoryMode::Full => nodes::import::archive_into_full(),
            HistoryMode::Archive => nodes::import::full_into_archive(),
        });
    }
    if level.is_some() {
        return Err(Problem::new(Code::ImportLevel)
            .headline("--level takes stores of version 5 back, and the snapshot holds an older one")
            .because(format_args!(
                "without --level it is imported at its head, level {}",
                header.head_level
            )));
    }
    Ok(())
}

/// Rules P1 and P2, and what rollsnap asks besides. What the extracted data must be: a store that nodes of today read, of
/// the rollup that the header names and, unless told otherwise, at the level, with the commitment and in the mode that it
/// says. Gives the level that it is at.
pub(super) fn staged(store: &AnyStore, metadata: &Metadata, header: &Header, check: bool) -> Result<i32> {
    if let AnyStore::Files(store) = store {
        v4::check_version(store.recorded_version())?;
    }
    let level = store.head()?.level;
    let problems = store.against_header(header, metadata)?;
    // A snapshot for another rollup than it says is refused in any case.
    let other_rollup = metadata.rollup_address != header.rollup_address;
    if check || other_rollup {
        Evidence { problems: problems.into_iter().collect(), ..Evidence::default() }.refuse()?;
    }
    Ok(level)
}

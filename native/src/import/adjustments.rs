//! What makes a staged store fit its new home.

use rollsnap_core::feedback::Notice;
use rollsnap_core::{Feedback, Header, HistoryMode, Result};

use super::existing::Existing;
use crate::dir::Dir;
use crate::store::{self, Lpc, LpcOutcome};

/// What is to be changed: level, history mode, the operator's own `lpc`. Level and mode can differ for stores of version 5
/// only.
#[derive(Debug)]
pub(super) struct Adjustments<'a> {
    /// The level to take the store back to.
    level: Option<i32>,
    /// The mode of the node, which stays.
    mode: Option<HistoryMode>,
    /// What the operator published last.
    lpc: Option<&'a Lpc>,
}

impl<'a> Adjustments<'a> {
    /// What a snapshot needs to take the place of what is there.
    pub(super) fn of(header: &Header, existing: &'a Existing, level: Option<i32>) -> Self {
        let stays =
            (existing.history_mode, header.history_mode) == (Some(HistoryMode::Full), HistoryMode::Archive);
        Self { level, mode: stays.then_some(HistoryMode::Full), lpc: existing.lpc.as_ref() }
    }

    /// Whether the store stays as it came.
    pub(super) fn is_empty(&self) -> bool {
        self.level.is_none() && self.mode.is_none() && self.lpc.is_none()
    }

    /// Makes them. Nobody else has the store open.
    ///
    /// # Errors
    /// Those of taking a store back, and of writing to it.
    pub(super) fn make(&self, staging: &Dir, feedback: &mut dyn Feedback) -> Result<()> {
        if let Some(level) = self.level {
            store::reset_imported(staging, level)?;
        }
        if let Some(mode) = self.mode {
            store::set_history_mode(staging, mode)?;
            let text = "The history mode stays full: the node will collect what it does not need";
            feedback.notice(Notice::Kept(text));
        }
        self.lpc.map_or(Ok(()), |lpc| keep(lpc, staging, feedback))
    }
}

fn keep(lpc: &Lpc, staging: &Dir, feedback: &mut dyn Feedback) -> Result<()> {
    let (hash, at) = (lpc.mark.hash, lpc.mark.level);
    let why = match lpc.keep(staging)? {
        LpcOutcome::Kept => {
            let text = format!("Kept your last published commitment {hash} (level {at})");
            feedback.notice(Notice::Kept(&text));
            return Ok(());
        }
        LpcOutcome::AboveHead(head) => format!("level {at} is above the new head {head}"),
        LpcOutcome::Unknown => "it is not in the imported store".to_owned(),
    };
    feedback.notice(Notice::NotKept(&format!("Dropped your last published commitment {hash}: {why}")));
    Ok(())
}

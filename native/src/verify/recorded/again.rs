//! What was kept, told once more.

use std::os::unix::fs::FileExt;

use rollsnap_core::snapshot::Event;
use rollsnap_core::tar::Member;
use rollsnap_core::{Feedback, Result};

use crate::dir::Descent;
use crate::verify::contents::Checker;

/// How much is read at once of what was kept, in bytes.
const PIECE: usize = 256 << 10;

/// Tells a checker again of what was kept.
pub(super) struct Again {
    pub(super) checker: Checker,
    pub(super) unpacked: Descent,
    /// All of it could be read.
    pub(super) is_whole: bool,
}

impl Again {
    pub(super) fn hear(&mut self, event: &Event<'_>, feedback: &dyn Feedback) -> Result<bool> {
        if let Event::MemberEnd { member, .. } = event {
            self.contents(member, member.size, feedback)?;
        }
        self.checker.on_event(event)?;
        Ok(true)
    }

    /// So many bytes of a member.
    pub(super) fn contents(&mut self, member: &Member, len: u64, feedback: &dyn Feedback) -> Result<()> {
        let (parents, last) = member.name.rsplit_once('/').unwrap_or(("", &member.name));
        let file = self.unpacked.enter(parents).ok().and_then(|parent| parent.file(last).ok().flatten());
        let mut piece = vec![0; PIECE];
        let mut at = 0;
        while at < len && self.is_whole {
            feedback.checkpoint()?;
            let now = usize::try_from(len - at).map_or(PIECE, |left| left.min(PIECE));
            let bytes = piece.get_mut(..now).unwrap_or_default();
            let read = file.as_ref().map(|file| file.read_exact_at(bytes, at));
            self.is_whole = matches!(read, Some(Ok(())));
            if self.is_whole {
                self.checker.on_event(&Event::Data(bytes))?;
            }
            at += now as u64;
        }
        Ok(())
    }
}

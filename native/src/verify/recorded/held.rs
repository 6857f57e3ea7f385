//! What a verdict can depend on that is not the snapshot's.

use rollsnap_core::feedback::Notice;
use rollsnap_core::{Feedback, Problem, Report};

use crate::resume::{self, Kept, NOT_AS_LEFT};
use crate::workspace::Workspace;

/// What is said when all is read again because of what was read beforehand.
const NOT_AS_KNOWN: &str = "The small files of the context are not what was read of them beforehand: all is read again, from front to end";

/// What is kept of the snapshot until there is a verdict, and what a verdict can depend on that is not the snapshot's.
#[derive(Debug, Default)]
pub(in crate::verify) struct Held {
    pub(super) work: Option<Workspace>,
    /// Whether an interrupted command has left a part of it.
    pub(super) resumed: bool,
    /// Whether something came that is not as it was known beforehand.
    differs: bool,
    /// Whether all is to be read from the snapshot, and in its order.
    pub(super) careful: bool,
}

impl Held {
    /// Whether nothing may be taken from anywhere but from the snapshot, in its order.
    pub(in crate::verify) const fn is_careful(&self) -> bool {
        self.careful
    }

    /// Something came that is not as it was known beforehand, or nothing did.
    pub(in crate::verify) const fn differs(&mut self, something: bool) {
        self.differs = something;
    }

    /// There is a verdict, and what was kept goes. `false`: it speaks against the snapshot, though something else may be at
    /// fault, and all must be read again.
    pub(in crate::verify) fn is_certain(&mut self, report: &Report, feedback: &mut dyn Feedback) -> bool {
        let said = Self { careful: true, ..Self::default() };
        let Self { work, resumed, differs, .. } = std::mem::replace(self, said);
        work.into_iter().for_each(|work| forget(work, feedback));
        if resumed && report.failures().next().is_some() {
            feedback.notice(Notice::NotUsed(NOT_AS_LEFT));
            return false;
        }
        // An index can have led to something else.
        if differs {
            feedback.notice(Notice::NotUsed(NOT_AS_KNOWN));
            return false;
        }
        true
    }

    /// There is none, because of this problem.
    pub(in crate::verify) fn leave(mut self, problem: &Problem, feedback: &mut dyn Feedback) {
        let Some(work) = self.work.take() else { return };
        if resume::can_go_on(problem) && Kept::find(work.held()).is_ok_and(|kept| kept.is_some()) {
            let place = work.dir().display().to_string();
            work.keep();
            feedback.notice(Notice::Kept(&format!(
                "What came is kept in {place}: the same command goes on from there, and --restart forgets it"
            )));
        }
    }
}

/// Removes what was kept.
pub(super) fn forget(work: Workspace, feedback: &mut dyn Feedback) {
    // The record goes with the directory; if the directory cannot be removed, that is reported.
    let _ = Kept::forget(work.held());
    work.remove(feedback);
}

#[cfg(test)]
mod tests {
    use rollsnap_core::Code;
    use rollsnap_core::feedback::Phase;
    use rollsnap_core::report::Check;

    use super::*;

    /// What speaks against a snapshot is said only when nothing else can be at fault, and that is so the second time.
    #[test]
    fn the_second_verdict_is_certain() {
        struct Notes(Vec<String>);
        impl Feedback for Notes {
            fn phase(&mut self, _: Phase) {}
            fn advance(&mut self, _: u64) {}
            fn note(&mut self, text: &str) {
                self.0.push(text.into());
            }
        }
        let good = Report::new();
        let mut bad = Report::new();
        bad.add(Check::of(&Problem::new(Code::ContextHash)));
        for (report, resumed, differs, said) in [
            (&good, false, false, None),
            (&good, true, false, None),
            (&bad, false, false, None),
            (&bad, true, false, Some(NOT_AS_LEFT)),
            (&bad, false, true, Some(NOT_AS_KNOWN)),
        ] {
            let mut held = Held { resumed, differs, ..Held::default() };
            let mut notes = Notes(Vec::new());
            assert_eq!(held.is_certain(report, &mut notes), said.is_none());
            assert_eq!(notes.0, said.into_iter().collect::<Vec<_>>());
            assert!(held.is_careful() && held.is_certain(report, &mut notes));
        }
    }
}

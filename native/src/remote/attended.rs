//! Who waits for a file that comes from afar.

use std::cell::RefCell;

use rollsnap_core::Feedback;
use rollsnap_core::allowance::Allowance;
use rollsnap_core::feedback::{Notice, Phase};

use super::file::RemoteFile;

/// The user of a job that reads a file behind an address: hears what its connections have to say, and when he wants to
/// stop, they do.
pub(crate) struct Attended<'f> {
    feedback: RefCell<&'f mut dyn Feedback>,
    file: RemoteFile,
}

impl<'f> Attended<'f> {
    pub(crate) fn new(feedback: &'f mut dyn Feedback, file: RemoteFile) -> Self {
        Self { feedback: feedback.into(), file }
    }

    fn tell(&self) {
        let notes = self.file.notes();
        // Whoever is being told asks nothing meanwhile.
        if let Ok(mut feedback) = self.feedback.try_borrow_mut() {
            notes.iter().for_each(|note| feedback.notice(note.as_notice()));
        }
    }
}

/// What happened last is told too.
impl Drop for Attended<'_> {
    fn drop(&mut self) {
        self.tell();
    }
}

impl Feedback for Attended<'_> {
    fn phase(&mut self, phase: Phase) {
        self.feedback.get_mut().phase(phase);
    }

    fn advance(&mut self, done: u64) {
        self.tell();
        self.feedback.get_mut().advance(done);
    }

    fn note(&mut self, text: &str) {
        self.feedback.get_mut().note(text);
    }

    fn notice(&mut self, notice: Notice<'_>) {
        self.feedback.get_mut().notice(notice);
    }

    fn cancelled(&self) -> bool {
        self.tell();
        let cancelled = self.feedback.borrow().cancelled();
        if cancelled {
            self.file.stop();
        }
        cancelled
    }

    fn allowance(&self) -> Allowance {
        self.feedback.borrow().allowance()
    }
}

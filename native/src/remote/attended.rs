//! Who waits for a file that comes from afar.

use std::cell::{Cell, RefCell};

use rollsnap_core::Feedback;
use rollsnap_core::allowance::Allowance;
use rollsnap_core::feedback::{Notice, Phase};
use rollsnap_core::scratch::Scratch;

use super::file::RemoteFile;

/// The user of a job that reads a file behind an address: hears what its connections have to say, and when he wants to
/// stop, they do.
pub(crate) struct Attended<'f> {
    feedback: RefCell<&'f mut dyn Feedback>,
    file: RemoteFile,
    /// Of the bytes of the file: how many were read, and how many were told. `None` where progress is of something else.
    progress: Option<Cell<(u64, u64)>>,
}

impl<'f> Attended<'f> {
    pub(crate) fn new(feedback: &'f mut dyn Feedback, file: RemoteFile) -> Self {
        Self { feedback: feedback.into(), file, progress: None }
    }

    /// Of a job whose progress is how much of the file it has read. What has come and waits to be read counts too: it comes
    /// over several connections, so that a long part of it is there at once, when the first piece of it is whole.
    pub(crate) fn streaming(feedback: &'f mut dyn Feedback, file: RemoteFile) -> Self {
        Self { feedback: feedback.into(), file, progress: Some(Cell::default()) }
    }

    fn tell(&self) {
        // Whoever is being told asks nothing meanwhile.
        let Ok(mut feedback) = self.feedback.try_borrow_mut() else { return };
        self.file.notes().iter().for_each(|note| feedback.notice(note.as_notice()));
        if let Some(progress) = &self.progress {
            let (read, told) = progress.get();
            let now = read.max(self.file.reached().unwrap_or_default());
            if now > told {
                progress.set((read, now));
                feedback.advance(now - told);
            }
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
        if let Some(progress) = &self.progress {
            progress.set((0, 0));
        }
        self.feedback.get_mut().phase(phase);
    }

    fn advance(&mut self, done: u64) {
        match &self.progress {
            Some(progress) => {
                let (read, told) = progress.get();
                progress.set((read + done, told));
            }
            None => self.feedback.get_mut().advance(done),
        }
        self.tell();
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

    fn scratch(&self) -> Option<Box<dyn Scratch>> {
        self.feedback.borrow().scratch()
    }
}

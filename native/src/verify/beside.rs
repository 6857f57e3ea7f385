//! Every object of a context, checked by a thread of its own while its job does something else.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use rollsnap_core::context::verify::Audited;
use rollsnap_core::feedback::Phase;
use rollsnap_core::{Allowance, Code, Feedback, Problem, Result};

use super::{ContextScope, Reading, unhindered};
use crate::aside::{Aside, POLL};
use crate::context::Moment;

/// The check. When this is dropped it has ended, or was stopped.
pub(crate) struct ContextBeside(Aside<Audited>);

impl ContextBeside {
    /// Begins to check what `take` gives, as soon as `ready` says so or, without that, at once. Temporary files go to
    /// `temp_dir`.
    ///
    /// # Errors
    /// `io.other` when no thread can be started.
    pub(crate) fn begin(
        take: impl FnOnce() -> Result<Moment> + Send + 'static,
        ready: Option<Receiver<()>>,
        temp_dir: PathBuf,
        allowance: Allowance,
    ) -> Result<Self> {
        let work = move |watch: &mut dyn Feedback| {
            if let Some(ready) = ready {
                loop {
                    match ready.recv_timeout(POLL) {
                        Ok(()) => break,
                        Err(RecvTimeoutError::Timeout) => watch.checkpoint()?,
                        // Whoever was to say so has failed.
                        Err(RecvTimeoutError::Disconnected) => return Err(Problem::new(Code::Cancelled)),
                    }
                }
            }
            let reading = Reading { scope: ContextScope::All, head: None, temp_dir: Some(&temp_dir) };
            reading.moment(&take()?, Phase::only("context"), watch)
        };
        Aside::start("context", allowance, work).map(Self)
    }

    /// Waits for what it finds, as this phase.
    ///
    /// # Errors
    /// What kept the context from being checked, `cancelled`.
    pub(crate) fn wait(self, phase: Phase, feedback: &mut dyn Feedback) -> Result<Audited> {
        unhindered(self.0.wait(phase, feedback)?)
    }
}

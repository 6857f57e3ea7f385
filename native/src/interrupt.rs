//! Whether the user of this process wants it to stop, for loops that no [`Feedback`]
//! reaches: reading any [`Part`](crate::files::Part) of a file looks here, so that a walk through files ends
//! at its next read, however long its file says that it is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rollsnap_core::feedback::Phase;
use rollsnap_core::{Code, Feedback, Problem, Result};

static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on this flag says so: whoever sets it, as a handler of signals does, stops every job of this process at its
/// next read. The first flag that is given counts.
pub fn watch(stop: &Arc<AtomicBool>) {
    let _ = STOP.set(Arc::clone(stop));
}

/// # Errors
/// [`Code::Cancelled`] when the process should stop.
pub(crate) fn checkpoint() -> Result<()> {
    match STOP.get() {
        Some(stop) if stop.load(Ordering::Relaxed) => Err(Problem::new(Code::Cancelled)),
        _ => Ok(()),
    }
}

/// Shows nothing, because something else is being shown, and ends when the process should stop.
pub(crate) struct Quiet;

impl Feedback for Quiet {
    fn phase(&mut self, _: Phase) {}

    fn advance(&mut self, _: u64) {}

    fn note(&mut self, _: &str) {}

    fn cancelled(&self) -> bool {
        checkpoint().is_err()
    }
}

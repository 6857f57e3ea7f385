//! What the node waits for while an export captures.

use std::path::Path;
use std::time::{Duration, Instant};

use rollsnap_core::{Feedback, Result};

use crate::data_dir::{Lock, Name};

/// The locks of a data directory, and how long they were held.
pub(super) struct Locks {
    locks: Option<(Lock, Option<Lock>)>,
    since: Instant,
    held: Duration,
}

impl Locks {
    /// Takes them in the order of the nodes; that of a garbage collection if it must be waited for. Waits for each no
    /// longer than `limit`.
    pub(super) fn wait(
        root: &Path,
        gc: bool,
        limit: Option<Duration>,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {
        let gc = gc.then(|| Lock::wait(root, Name::Gc, limit, feedback)).transpose()?;
        let processing = Lock::wait(root, Name::Processing, limit, feedback)?;
        Ok(Self { locks: Some((processing, gc)), since: Instant::now(), held: Duration::ZERO })
    }

    /// Takes none, because nobody writes to the directory.
    pub(super) fn none() -> Self {
        Self { locks: None, since: Instant::now(), held: Duration::ZERO }
    }

    /// Lets them go, in the order in which a node releases them.
    pub(super) fn release(&mut self) {
        if self.locks.take().is_some() {
            self.held = self.since.elapsed();
        }
    }

    /// How long the node could not process blocks.
    pub(super) fn held(&self) -> Duration {
        self.held
    }
}

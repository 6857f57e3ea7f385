//! The database of a snapshot is copied and packed by a thread of its own, while the context, which stands before
//! it in the archive, is compressed.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rollsnap_core::feedback::Phase;
use rollsnap_core::{Code, Feedback, Problem, Result};

use crate::io;

/// How often it is looked whether the user wants to stop.
const POLL: Duration = Duration::from_millis(10);

/// Packs the database. When this is dropped the work has ended, or was stopped.
pub(super) struct Packer {
    thread: Option<JoinHandle<Result<PathBuf>>>,
    stop: Arc<AtomicBool>,
    packed: Option<PathBuf>,
}

impl Packer {
    /// Starts the `work`, whose feedback tells it when to stop, and which ends with the path of the database.
    ///
    /// # Errors
    /// [`Code::IoOther`] when no thread can be started.
    pub(super) fn start(
        work: impl FnOnce(&mut dyn Feedback) -> Result<PathBuf> + Send + 'static,
    ) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut watch = Watch(stop.clone());
        let thread = thread::Builder::new().name("pack".into());
        let thread = thread.spawn(move || work(&mut watch));
        let thread = thread.map_err(io::no_thread)?;
        Ok(Self { thread: Some(thread), stop, packed: None })
    }

    /// Tells at once what has gone wrong, if anything has: it takes long until the database is due.
    ///
    /// # Errors
    /// Those of the work.
    pub(super) fn look(&mut self) -> Result<()> {
        match self.thread.take_if(|thread| thread.is_finished()) {
            Some(thread) => {
                let ended =
                    || Problem::new(Code::IoOther).headline("the thread that packs the store has ended");
                self.packed = Some(thread.join().map_err(|_| ended())??);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Waits for the packed database: its path, and its length in bytes.
    ///
    /// # Errors
    /// Those of the work, [`Code::Cancelled`].
    pub(super) fn packed(&mut self, feedback: &mut dyn Feedback) -> Result<(PathBuf, u64)> {
        while self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            feedback.checkpoint()?;
            thread::sleep(POLL);
        }
        self.look()?;
        let path = self.packed.clone().ok_or_else(|| Problem::new(Code::Cancelled))?;
        let length = std::fs::metadata(&path).map_err(|err| io::problem("look at", &path, err))?.len();
        Ok((path, length))
    }
}

impl Drop for Packer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It works in a directory that is removed next. What it says is of no use any more.
            let _ = thread.join();
        }
    }
}

/// Nobody watches, but it can be stopped.
struct Watch(Arc<AtomicBool>);

impl Feedback for Watch {
    fn phase(&mut self, _: Phase) {}

    fn advance(&mut self, _: u64) {}

    fn note(&mut self, _: &str) {}

    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use rollsnap_core::feedback::Silent;

    use super::*;

    #[test]
    fn what_goes_wrong_is_told_before_the_database_is_due() {
        let (fail, told) = mpsc::channel::<()>();
        let work = move |_: &mut dyn Feedback| {
            // Until the other end is dropped.
            let _ = told.recv();
            Err(Problem::new(Code::StoreDamaged))
        };
        let mut packer = Packer::start(work).unwrap();
        assert_eq!(packer.look(), Ok(()));
        drop(fail);
        let problem = loop {
            match packer.look() {
                Ok(()) => thread::sleep(POLL),
                Err(problem) => break problem,
            }
        };
        assert_eq!(problem.code(), Code::StoreDamaged);
        assert_eq!(packer.packed(&mut Silent).unwrap_err().code(), Code::Cancelled);
    }

    #[test]
    fn work_that_is_not_wanted_any_more_is_stopped() {
        let packer = Packer::start(|watch| {
            while !watch.cancelled() {
                thread::sleep(POLL);
            }
            Err(Problem::new(Code::Cancelled))
        });
        // Waits for the thread.
        drop(packer.unwrap());
    }
}

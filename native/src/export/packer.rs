//! The database of a snapshot is copied and packed by a thread of its own, while the context, which stands before
//! it in the archive, is compressed.

use std::path::PathBuf;
use std::thread;

use rollsnap_core::{Allowance, Code, Feedback, Problem, Result};

use crate::aside::{Aside, POLL};
use crate::io;

/// Packs the database. When this is dropped the work has ended, or was stopped.
pub(super) struct Packer {
    aside: Aside<PathBuf>,
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
        Ok(Self { aside: Aside::start("pack", Allowance::default(), work)?, packed: None })
    }

    /// Tells at once what has gone wrong, if anything has: it takes long until the database is due.
    ///
    /// # Errors
    /// Those of the work.
    pub(super) fn look(&mut self) -> Result<()> {
        if let Some(path) = self.aside.ended()? {
            self.packed = Some(path);
        }
        Ok(())
    }

    /// Waits for the packed database: its path, and its length in bytes.
    ///
    /// # Errors
    /// Those of the work, [`Code::Cancelled`].
    pub(super) fn packed(&mut self, feedback: &mut dyn Feedback) -> Result<(PathBuf, u64)> {
        while self.aside.is_at_work() {
            feedback.checkpoint()?;
            thread::sleep(POLL);
        }
        self.look()?;
        let path = self.packed.clone().ok_or_else(|| Problem::new(Code::Cancelled))?;
        let length = std::fs::metadata(&path).map_err(|err| io::problem("look at", &path, err))?.len();
        Ok((path, length))
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
}

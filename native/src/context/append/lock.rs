//! `index/lock`: held by the nodes' library as long as it writes to a context, with the number of its process in it.
//!
//! It is a POSIX record lock like those of the data directory (`data_dir::lock`): it goes when anything in this process
//! closes the file, as whoever reads all files of the context does. So it shows another program what goes on, but what
//! keeps a node away is the lock of its data directory.

use std::fs::File;
use std::io::{Error, ErrorKind, Write};

use rollsnap_core::{Code, Problem, Result};
use rustix::fs::{FlockOperation, fcntl_lock};

use crate::dir::{Dir, Ornament, adopt};
use crate::io::problem;

pub(super) const LOCK: &str = "lock";

/// The lock, held until this is dropped.
#[derive(Debug)]
pub(in crate::context) struct IndexLock {
    index: Dir,
    file: File,
    made: bool,
}

impl IndexLock {
    /// Takes it without waiting.
    ///
    /// # Errors
    /// [`Code::LockHeld`], any `io.*` code.
    pub(in crate::context) fn take(index: &Dir) -> Result<Self> {
        let place = index.place(LOCK);
        let failed = |doing: &str, err| problem(doing, &place, err);
        let (file, made) = match index.file_for_writing(LOCK)? {
            Some(file) => (file, false),
            None => (index.create(LOCK, 0o644).map_err(|err| failed("create", err))?, true),
        };
        let mut lock = Self { index: index.clone(), file, made };
        let asked = fcntl_lock(&lock.file, FlockOperation::NonBlockingLockExclusive);
        match Ornament::Locks.spare(asked).map_err(Error::from) {
            Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::PermissionDenied) => {
                return Err(Problem::new(Code::LockHeld)
                    .headline("another program writes to the context")
                    .path(place.display()));
            }
            other => other.map_err(|err| failed("lock", err))?,
        }
        if made && let Some(owner) = adopt(index)? {
            owner.adopts(&lock.file, &place)?;
        }
        let number = std::process::id().to_string();
        let written = lock.file.set_len(0).and_then(|()| lock.file.write_all(number.as_bytes()));
        written.map_err(|err| failed("write", err))?;
        Ok(lock)
    }

    /// Lets it go, and removes the file if taking the lock made it.
    pub(in crate::context) fn release(self) -> Result<()> {
        match if self.made { self.index.unlink(LOCK) } else { Ok(()) } {
            Err(err) if err.kind() != ErrorKind::NotFound => {
                Err(problem("remove", &self.index.place(LOCK), err))
            }
            _ => Ok(()),
        }
    }
}

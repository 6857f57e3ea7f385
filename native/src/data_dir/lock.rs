//! The three locks of a data directory (`docs/FORMAT.md`, section 6), as the nodes take them.
//!
//! They are classic POSIX record locks (`fcntl`, a write lock over the whole file). Such a lock
//! belongs to the process, not to the descriptor: **closing any descriptor of the lock file in
//! this process drops the lock**, even one that was opened only to read the file. So nothing but
//! this module opens these files, a process holds each of them at most once, and whoever copies
//! a data directory leaves them out.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rollsnap_core::{Code, Feedback, Problem, Result};
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;

use crate::io;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    /// Closing it drops the lock.
    file: Arc<File>,
    created: bool,
}

/// The locks that an export waits for, in the order in which they must be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// `gc_lock`: held by the node during a garbage collection.
    Gc,
    /// `processing_lock`: held by the node while it processes a block.
    Processing,
}

impl Lock {
    /// Takes `lock`, which a node holds for its whole life (rule I2), without waiting.
    ///
    /// # Errors
    /// [`Code::LockHeld`] with the text of the nodes, any `io.*` code.
    pub fn try_node(root: &Path) -> Result<Self> {
        let path = root.join("lock");
        loop {
            let lock = Self::open(path.clone())?;
            match lock.request(FlockOperation::NonBlockingLockExclusive) {
                Err(err) if is_held(&err) => return Err(node_is_running(&path)),
                other => other.map_err(|err| io::problem("lock", &path, err))?,
            }
            if lock.is_current()? {
                return Ok(lock);
            }
        }
    }

    /// Takes one of the locks of an export; waits as long as the node holds it, or until the user
    /// wants to stop. Tells first what it waits for, in the words of the nodes.
    ///
    /// # Errors
    /// [`Code::Cancelled`], any `io.*` code.
    pub fn wait(root: &Path, name: Name, feedback: &mut dyn Feedback) -> Result<Self> {
        feedback.note(name.note());
        let path = root.join(name.file_name());
        loop {
            let lock = Self::open(path.clone())?;
            lock.acquire(feedback)?;
            if lock.is_current()? {
                return Ok(lock);
            }
        }
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the lock file if taking the lock created it, and lets the lock go. For a command
    /// that refuses and wants to leave no trace.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn discard(self) -> Result<()> {
        // Still locked while it is removed: nobody can have taken it in between, and who opened
        // it meanwhile sees that its name is gone (`is_current`).
        if self.created { io::remove_if_there(&self.path) } else { Ok(()) }
    }

    /// Opens the file, neither truncating nor writing it: it may hold the process id of a node.
    fn open(path: PathBuf) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(0o644);
        let (file, created) = match options.clone().create_new(true).open(&path) {
            Err(err) if err.kind() == ErrorKind::AlreadyExists => {
                (options.create(true).truncate(false).open(&path), false)
            }
            new => (new, true),
        };
        let file = file.map_err(|err| io::problem("open the lock file", &path, err))?;
        Ok(Self { path, file: Arc::new(file), created })
    }

    fn request(&self, operation: FlockOperation) -> Result<(), Error> {
        fcntl_lock(&*self.file, operation).map_err(Error::from)
    }

    /// Waits in a thread, because the wait itself cannot be interrupted: asking again and again
    /// instead could starve beside a busy node. When the user wants to stop, the thread is left
    /// behind, and lets the lock go if it ever gets it.
    fn acquire(&self, feedback: &dyn Feedback) -> Result<()> {
        let failed = |err| io::problem("lock", &self.path, err);
        match self.request(FlockOperation::NonBlockingLockExclusive) {
            Err(err) if is_held(&err) => {}
            other => return other.map_err(failed),
        }
        let (answer, answers) = mpsc::channel();
        let file = Arc::clone(&self.file);
        let waiting = move || {
            let result = loop {
                match fcntl_lock(&*file, FlockOperation::LockExclusive) {
                    Err(Errno::INTR) => {}
                    other => break other,
                }
            };
            drop(file);
            // Nobody listens any more after a cancellation.
            let _ = answer.send(result);
        };
        thread::Builder::new().name("lock".into()).spawn(waiting).map_err(io::no_thread)?;
        loop {
            match answers.recv_timeout(POLL) {
                Ok(result) => return result.map_err(|errno| failed(errno.into())),
                Err(RecvTimeoutError::Timeout) => feedback.checkpoint()?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(failed(Error::other("the waiting thread ended")));
                }
            }
        }
    }

    /// Whether the path still names the file that is locked: another process may have discarded it
    /// between our opening and our locking.
    fn is_current(&self) -> Result<bool> {
        let same = || {
            let held = self.file.metadata()?;
            match std::fs::metadata(&self.path) {
                Ok(named) => Ok((named.dev(), named.ino()) == (held.dev(), held.ino())),
                Err(err) if err.kind() == ErrorKind::NotFound => Ok(false),
                Err(err) => Err(err),
            }
        };
        same().map_err(|err| io::problem("look at", &self.path, err))
    }
}

impl Name {
    /// Name of the lock file.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Gc => "gc_lock",
            Self::Processing => "processing_lock",
        }
    }

    const fn note(self) -> &'static str {
        match self {
            Self::Gc => "Acquiring GC lock",
            Self::Processing => "Acquiring process lock",
        }
    }
}

/// How often a waiting job looks whether the user wants to stop.
const POLL: Duration = Duration::from_millis(50);

fn is_held(err: &Error) -> bool {
    let errno = Errno::from_io_error(err);
    matches!(errno, Some(Errno::AGAIN | Errno::ACCESS))
}

fn node_is_running(path: &Path) -> Problem {
    Problem::new(Code::LockHeld).headline(format!(
        "Could not acquire lock on data directory, another rollup node may already be running with this data. \
         If this is not the case, consider removing manually the file \"{}\"",
        path.display()
    ))
}

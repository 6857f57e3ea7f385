//! The three locks of a data directory (`docs/FORMAT.md`, section 6), as the nodes take them.
//!
//! They are classic POSIX record locks (`fcntl`, a write lock over the whole file). Such a lock
//! belongs to the process, not to the descriptor: **closing any descriptor of the lock file in
//! this process drops the lock**, even one that was opened only to read the file. So nothing but
//! this module opens these files, a process holds each of them at most once, and whoever copies
//! a data directory leaves them out.
//!
//! Only a regular file that stands in the directory itself is a lock; a link is refused, and nothing is waited for
//! when it is opened. A new one belongs to the owner of the directory: root must not lock the node out.

use std::fs::{self, File};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rollsnap_core::feedback::Notice;
use rollsnap_core::nodes::import::node_is_running;
use rollsnap_core::report::Check;
use rollsnap_core::{Code, Feedback, Problem, Result};
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;
use rustix::process::{Flock, FlockType, Pid, fcntl_getlk};
use serde::Serialize;

use crate::dir::{Dir, Entry, Ornament, Owner, adopt};
use crate::io;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    dir: Dir,
    name: &'static str,
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
        Self::try_node_of(&Dir::open(root)?)
    }

    /// The same, of a directory that is held open.
    ///
    /// # Errors
    /// As [`Lock::try_node`].
    pub(crate) fn try_node_of(dir: &Dir) -> Result<Self> {
        loop {
            let lock = Self::open(dir, NODE)?;
            match lock.request(FlockOperation::NonBlockingLockExclusive) {
                Err(err) if is_held(&err) => return Err(lock.node_is_running()),
                other => other.map_err(|err| io::problem("lock", &lock.path, err))?,
            }
            if lock.is_current()? {
                return Ok(lock);
            }
        }
    }

    /// Takes one of the locks of an export; waits as long as the node holds it, but not longer than `limit`, or until
    /// the user wants to stop. Tells first what it waits for, in the words of the nodes, and then who holds it.
    ///
    /// # Errors
    /// [`Code::LockHeld`] after the limit, [`Code::Cancelled`], any `io.*` code.
    pub fn wait(
        root: &Path,
        name: Name,
        limit: Option<Duration>,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {
        feedback.notice(Notice::WaitingForLock(name.note()));
        let dir = Dir::open(root)?;
        loop {
            let lock = Self::open(&dir, name.file_name()).map_err(or_without)?;
            lock.acquire(limit, feedback)?;
            if lock.is_current()? {
                return Ok(lock);
            }
        }
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the lock file to the owner of the directory, if taking the lock created it.
    pub(crate) fn give(&self, owner: &Owner) -> Result<()> {
        if self.created { owner.takes(&*self.file, &self.path) } else { Ok(()) }
    }

    /// Removes the lock file if taking the lock created it, and lets the lock go. For a command
    /// that refuses and wants to leave no trace.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn discard(self) -> Result<()> {
        // Still locked while it is removed: nobody can have taken it in between, and who opened
        // it meanwhile sees that its name is gone (`is_current`).
        match if self.created { self.dir.unlink(self.name) } else { Ok(()) } {
            Err(err) if err.kind() != ErrorKind::NotFound => Err(io::problem("remove", &self.path, err)),
            _ => Ok(()),
        }
    }

    /// Opens the file, neither truncating nor writing it: it may hold the process id of a node.
    fn open(dir: &Dir, name: &'static str) -> Result<Self> {
        let path = dir.place(name);
        let failed = |err| io::problem("open the lock file", &path, err);
        let (file, created) = loop {
            match dir.file_for_writing(name)? {
                Some(file) => break (file, false),
                None => match dir.create(name, 0o644) {
                    // Somebody else has made it at this moment.
                    Err(err) if err.kind() == ErrorKind::AlreadyExists => {}
                    other => break (other.map_err(failed)?, true),
                },
            }
        };
        let lock = Self { dir: dir.clone(), name, path, file: Arc::new(file), created };
        if created && let Some(owner) = adopt(dir)? {
            owner.adopts(&*lock.file, &lock.path).inspect_err(|_| drop(dir.unlink(name)))?;
        }
        Ok(lock)
    }

    /// Where the file system has no locks, no node holds any.
    fn request(&self, operation: FlockOperation) -> Result<(), Error> {
        Ok(Ornament::Locks.spare(fcntl_lock(&*self.file, operation))?)
    }

    /// Waits in a thread, because the wait itself cannot be interrupted: asking again and again
    /// instead could starve beside a busy node. When the user wants to stop, the thread is left
    /// behind, and lets the lock go if it ever gets it.
    fn acquire(&self, limit: Option<Duration>, feedback: &mut dyn Feedback) -> Result<()> {
        let failed = |err| io::problem("lock", &self.path, err);
        match self.request(FlockOperation::NonBlockingLockExclusive) {
            Err(err) if is_held(&err) => {}
            other => return other.map_err(failed),
        }
        let since = Instant::now();
        let mut say_at = FIRST_WORD;
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
                Err(RecvTimeoutError::Timeout) => {
                    feedback.checkpoint()?;
                    let waited = since.elapsed();
                    if limit.is_some_and(|limit| waited >= limit) {
                        return Err(self.still_held(waited));
                    }
                    if waited >= say_at {
                        let (holder, path) = (self.holder(), self.path.display());
                        feedback.notice(Notice::WaitingForLock(&format!(
                            "Waiting for {holder}, which holds {path} ({} s)",
                            waited.as_secs()
                        )));
                        say_at = waited + NEXT_WORD;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(failed(Error::other("the waiting thread ended")));
                }
            }
        }
    }

    /// Who holds the lock, for people: `process 4711 (octez-smart-roll)`. A process in another container has no number
    /// here.
    fn holder(&self) -> String {
        let whole = Flock::from(FlockType::WriteLock);
        holder(fcntl_getlk(&*self.file, &whole).ok().flatten().and_then(|held| held.pid))
    }

    fn still_held(&self, waited: Duration) -> Problem {
        let (holder, path) = (self.holder(), self.path.display());
        Problem::new(Code::LockHeld)
            .headline(format!("{holder} holds {path} still, after {} s", waited.as_secs()))
            .because("a node lets it go between two blocks, and at the end of a garbage collection")
    }

    fn node_is_running(&self) -> Problem {
        node_is_running(self.path.display()).because(format_args!("{} holds it", self.holder()))
    }

    /// Whether the path still names the file that is locked: another process may have discarded it
    /// between our opening and our locking.
    fn is_current(&self) -> Result<bool> {
        let held = Entry::of_file(&*self.file).map_err(|err| io::problem("look at", &self.path, err))?;
        Ok(self.dir.look(self.name)?.is_some_and(|named| named.id == held.id))
    }
}

/// A lock of a data directory, as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LockState {
    /// The name of its file.
    pub name: &'static str,
    /// Whether somebody holds it; `None` when that cannot be told.
    pub held: Option<bool>,
    /// Who, for people.
    pub holder: Option<String>,
}

impl LockState {
    /// Who holds it, if somebody does.
    pub(crate) fn holder(&self) -> Option<String> {
        self.holder.clone()
    }
}

/// Refuses when a node runs, as taking its lock would, but takes none.
///
/// # Errors
/// [`Code::LockHeld`] with the text of the nodes, any `io.*` code.
pub(crate) fn check_free(dir: &Dir) -> Result<()> {
    match states(dir)?.into_iter().find(|state| state.name == NODE && state.held == Some(true)) {
        Some(state) => {
            let holder = state.holder.unwrap_or_else(|| "another process".into());
            let running = node_is_running(dir.place(NODE).display());
            Err(running.because(format_args!("{holder} holds it")))
        }
        None => Ok(()),
    }
}

/// Looks at the locks of a data directory whose files are there, and takes none. This process must hold none of them.
///
/// # Errors
/// Any `io.*` code; that a file must not be opened is none.
pub(crate) fn states(dir: &Dir) -> Result<Vec<LockState>> {
    let mut states = Vec::new();
    for name in [NODE, Name::Processing.file_name(), Name::Gc.file_name()] {
        let file = match dir.file(name) {
            Ok(Some(file)) => Some(file),
            Ok(None) => continue,
            Err(problem) if problem.code() == Code::IoPermission => None,
            Err(problem) => return Err(problem),
        };
        let whole = Flock::from(FlockType::WriteLock);
        let found = file.and_then(|file| fcntl_getlk(&file, &whole).ok());
        let holder = found.as_ref().and_then(|held| held.as_ref()).map(|held| holder(held.pid));
        states.push(LockState { name, held: found.map(|held| held.is_some()), holder });
    }
    Ok(states)
}

/// A process, for people: `process 4711 (octez-smart-roll)`. One in another container has no number here.
fn holder(pid: Option<Pid>) -> String {
    let Some(pid) = pid.map(Pid::as_raw_pid) else { return "another process".into() };
    match fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(name) => format!("process {pid} ({})", name.trim_end()),
        Err(_) => format!("process {pid}"),
    }
}

/// The names of all three.
pub(crate) const LOCKS: [&str; 3] = [NODE, Name::Gc.file_name(), Name::Processing.file_name()];

/// Name of the lock that a node holds for its whole life.
const NODE: &str = "lock";

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

/// After which time a job that waits says whom it waits for, and how long it waits before it says so again.
const FIRST_WORD: Duration = Duration::from_secs(1);
const NEXT_WORD: Duration = Duration::from_secs(60);

/// How often a waiting job looks whether the user wants to stop.
const POLL: Duration = Duration::from_millis(50);

/// That the locks of the data directory `root` were left out, for a report.
pub(crate) fn left_out(root: &Path) -> Check {
    Check::warning(&Problem::new(Code::LockNone).path(root.display()))
}

/// The way out where a lock file cannot be made or opened for writing.
pub(crate) fn or_without(problem: Problem) -> Problem {
    match (problem.code(), problem.cause().map(str::to_owned)) {
        (Code::IoPermission, Some(cause)) => problem.because(format_args!(
            "{cause}; of a copy that nobody writes to, such as a snapshot of a volume, --no-lock takes no locks"
        )),
        _ => problem,
    }
}

fn is_held(err: &Error) -> bool {
    let errno = Errno::from_io_error(err);
    matches!(errno, Some(Errno::AGAIN | Errno::ACCESS))
}

//! Commits added to the context in a directory, so that a crash at any instant leaves a context that its nodes open:
//! with all commits up to one of the last ones, and nothing half-way.
//!
//! What goes where, and in which order, [`Appender`](rollsnap_core::context::append) says; here it is carried out.
//! Commits are gathered, and flushed when they have become many or some time has passed ([`Flushing`]): a crash loses
//! what came since. While one of these lives, nobody else may write to the directory: it holds `index/lock`, which the
//! nodes' library holds while it writes.
//!
//! | file | what for |
//! |---|---|
//! | `files` | the files, held open, and the steps of a plan on them |
//! | `leftovers` | what crashes leave: bytes behind the ends, a second log |
//! | `lock` | `index/lock` |
//! | `source` | the objects, for trees |

mod files;
mod leftovers;
mod lock;
mod source;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rollsnap_core::context::append::Appender;
use rollsnap_core::context::edit::{NewObject, ObjectStore, Persist, Tree, Written};
use rollsnap_core::context::pack::Hash;
use rollsnap_core::context::{Commit, Context};
use rollsnap_core::hash::ContextHash;
use rollsnap_core::replay::{Commits, Reached};
use rollsnap_core::{Code, Feedback, Problem, Result};

use self::files::HeldFiles;
use self::source::Growing;
use crate::dir::Dir;
use crate::files::FileSet;

pub(super) use self::files::own;
pub(super) use self::leftovers::check_kinds;
pub(super) use self::lock::IndexLock;

/// When commits that were gathered go to the disk: what a crash loses at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flushing {
    /// When so many bytes wait. Default: 8 MiB.
    pub bytes: usize,
    /// When so much time has passed since the last time. Default: two seconds.
    pub time: Duration,
}

impl Default for Flushing {
    fn default() -> Self {
        Self { bytes: 8 << 20, time: Duration::from_secs(2) }
    }
}

impl Flushing {
    /// After each commit.
    pub const ALWAYS: Self = Self { bytes: 0, time: Duration::ZERO };
}

/// Adds commits to a context.
pub struct ContextWriter {
    growing: Arc<Growing>,
    store: Arc<ObjectStore>,
    files: HeldFiles,
    lock: IndexLock,
    flushing: Flushing,
    flushed: Instant,
    /// Why nothing is written any more.
    failed: Option<Problem>,
}

impl ContextWriter {
    /// For the context in this directory. Nothing in it changes before the first flush, but that `index/lock` is
    /// taken, and made if it is missing.
    ///
    /// # Errors
    /// [`Code::ContextMissing`] and the other codes of [`Context::open`] for what is no irmin-pack store or a damaged
    /// one, [`Code::ContextVersion`] for one that is too old, [`Code::ContextIndex`] for a log that is none;
    /// [`Code::LockHeld`] when somebody else writes to it; any `io.*` code, also for a link or anything else in the
    /// place of a file, and for a file that has a second name.
    pub fn open(dir: &Dir, flushing: Flushing) -> Result<Self> {
        leftovers::check_kinds(dir)?;
        let index = dir.enter(files::INDEX)?.ok_or_else(|| files::missing(files::INDEX))?;
        let lock = IndexLock::take(&index)?;
        let context = Context::open(FileSet::Held(dir.clone()))?;
        let files = HeldFiles::open(dir, index, &Appender::chunk_name(&context))?;
        let appender = Appender::new(&context, files.log()?)?;
        let growing = Arc::new(Growing::new(context, appender, files.chunk_for_reading()?));
        let store = ObjectStore::checked(growing.clone());
        Ok(Self { growing, store, files, lock, flushing, flushed: Instant::now(), failed: None })
    }

    /// The context as it was when it was opened.
    pub fn context(&self) -> &Context<FileSet> {
        self.growing.context()
    }

    /// What trees load from; theirs is the only one that commits share objects with.
    pub fn store(&self) -> &Arc<ObjectStore> {
        &self.store
    }

    /// The PVM state of a commit that was there when the context was opened, and the commit.
    ///
    /// # Errors
    /// Those of [`Context::checkout`]; [`Code::ContextRoot`] when the commit has no PVM state.
    pub fn state(&self, commit: &ContextHash, feedback: &dyn Feedback) -> Result<(Tree, Commit)> {
        let found = self.context().checkout(commit, feedback)?;
        let state = Tree::load(&self.store, found.root).find_tree(&[STATE])?;
        let state = state.ok_or_else(|| Problem::new(Code::ContextRoot).expected(STATE).found(commit))?;
        Ok((state, found))
    }

    /// Adds the commit whose PVM state this is: the only entry of its root directory. As
    /// [`ContextWriter::commit_root`].
    ///
    /// # Errors
    /// As there.
    pub fn commit_state(&mut self, state: &Tree, author: &[u8], expected: &ContextHash) -> Result<()> {
        let mut root = Tree::new();
        root.add_tree(&[STATE], state.clone())?;
        self.commit_root(&root, author, expected)
    }

    /// Adds the commit of a root directory, as the nodes of `author` make it, if it has the expected hash. It may be
    /// on disk only after [`ContextWriter::flush`]; the tree knows what is stored at once. That it counts as
    /// committed, the owner of the tree says ([`Tree::commit`]).
    ///
    /// # Errors
    /// [`Code::ContextCommit`] when it has another hash, and those of reading the tree: nothing was added. Those of
    /// [`ContextWriter::flush`], after which nothing can be added any more, and trees must not be used.
    pub fn commit_root(&mut self, root: &Tree, author: &[u8], expected: &ContextHash) -> Result<()> {
        self.check_sound()?;
        let mark = self.growing.write().mark();
        match self.add(root, author, expected) {
            Ok(written) => written.keep(&self.store),
            Err(problem) => {
                self.growing.write().rewind(mark);
                return Err(problem);
            }
        }
        let is_due = self.growing.read().pending() >= self.flushing.bytes;
        if is_due || self.flushed.elapsed() >= self.flushing.time { self.flush() } else { Ok(()) }
    }

    fn add(&self, root: &Tree, author: &[u8], expected: &ContextHash) -> Result<Written> {
        let written = root.persist(&mut Adding { growing: &self.growing, store: &self.store })?;
        self.growing.write().commit(written.offset, &written.hash, author, expected)?;
        Ok(written)
    }

    /// How many commits are not on disk yet.
    pub fn pending(&self) -> usize {
        self.growing.read().pending_commits()
    }

    /// Puts everything that was added on disk.
    ///
    /// # Errors
    /// Any `io.*` code: the context has the commits of the flush before, or already those of this one.
    pub fn flush(&mut self) -> Result<()> {
        self.check_sound()?;
        let flushed = self.try_flush();
        self.flushed = Instant::now();
        flushed.inspect_err(|problem| self.failed = Some(problem.clone()))
    }

    fn try_flush(&mut self) -> Result<()> {
        let mut appender = self.growing.write();
        if appender.plan().is_none() {
            return Ok(());
        }
        self.files.prepare(&mut appender)?;
        let Some(plan) = appender.plan() else { return Ok(()) };
        self.files.carry_out(&appender, &plan)?;
        appender.done(&plan);
        Ok(())
    }

    fn check_sound(&self) -> Result<()> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// Flushes, and lets `index/lock` go; it is removed if it was made for this.
    ///
    /// # Errors
    /// Those of [`ContextWriter::flush`].
    pub fn close(mut self) -> Result<()> {
        self.flush()?;
        self.lock.release()
    }
}

/// The contexts that a replay comes to.
impl Commits for ContextWriter {
    fn objects(&self) -> Arc<ObjectStore> {
        self.store.clone()
    }

    fn commit(&mut self, reached: &Reached<'_>) -> Result<()> {
        self.commit_root(reached.root, reached.author, &reached.hash)
    }
}

/// Name of the directory of a commit that holds the PVM state.
const STATE: &str = "pvm_state";

/// Takes the objects of a tree. The lock is held for each alone: to hash a tree is to read from the same store.
struct Adding<'w> {
    growing: &'w Growing,
    store: &'w ObjectStore,
}

impl Persist for Adding<'_> {
    fn extends(&self, store: &ObjectStore) -> bool {
        core::ptr::eq(store, self.store)
    }

    fn put(&mut self, hash: &Hash, object: &NewObject<'_>) -> Result<u64> {
        self.growing.write().put(hash, object)
    }
}

impl std::fmt::Debug for ContextWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContextWriter").field("files", &self.files).finish_non_exhaustive()
    }
}

//! Offline changes of a data directory: what the nodes call `with_modify_data_dir`.
//!
//! [`run`] takes the lock of the node, opens store and context, finds the head, and asks whether there is anything to
//! do. Only then the caller's function changes the store, in one transaction; everything is closed and the lock let go
//! on every path. When the function fails, or there was nothing to do, nothing is changed. [`Held`] is what it is
//! made of, for who needs more: stores of every version, also one without a head, migrations that are applied, a backup,
//! and a look that changes nothing.
//!
//! The program `native/examples/modify.rs` takes back what a store remembers as its last published commitment:
//!
//! ```no_run
//! use rollsnap::modify::{self, Modified};
//!
//! let lpc = |store: &rollsnap::modify::Head<'_>| Ok(store.state()?.lpc.is_none());
//! let modified = modify::run("data-dir".as_ref(), lpc, |change| {
//!     change.execute("DELETE FROM rollup_node_state WHERE name = 'lpc'", &[])
//! })?;
//! assert!(matches!(modified, Modified::Done(1) | Modified::Skipped));
//! # Ok::<(), rollsnap_core::Problem>(())
//! ```

mod backup;
mod draft;

use std::path::{Path, PathBuf};

use rollsnap_core::chain::Block;
use rollsnap_core::context::Context;
use rollsnap_core::feedback::{Phase, Silent};
use rollsnap_core::store::{Metadata, State};
use rollsnap_core::{Code, Feedback, Problem, Result};

use crate::context::Moment;
use crate::data_dir::lock::check_free;
use crate::data_dir::{DataDir, Lock, metadata};
use crate::dir::Dir;
use crate::files::FileSet;
use crate::jobs::Stage;
use crate::output::Output;
use crate::store::{AnyStore, Editing, Family, Rows, back_up, close_any, open_any};
use crate::swap::{self, Pending};

pub use self::draft::{Draft, Record};
pub use crate::store::Parameter;

/// What a data directory is, before anything is changed.
#[derive(Debug)]
pub struct Head<'m> {
    /// The directory.
    pub root: &'m Path,
    /// Which rollup it belongs to.
    pub metadata: Metadata,
    /// The newest block.
    pub head: Block,
    /// The context, as it is now.
    pub context: Context<Moment>,
    store: &'m AnyStore,
}

/// A data directory before a change, whatever version its store is of, and whether or not it has a head: nobody else
/// changes it as long as this is held.
#[derive(Debug)]
pub struct Held<'m> {
    /// The directory.
    pub root: &'m Path,
    /// Which rollup it belongs to.
    pub metadata: Metadata,
    /// The store, for reading.
    pub store: AnyStore,
    options: &'m Options,
    /// `None` for one that is only looked at.
    lock: Option<Lock>,
}

/// A change under way.
#[derive(Debug)]
pub struct Change<'m> {
    root: &'m Path,
    /// Which rollup it is.
    pub metadata: Metadata,
    /// The newest block, as it was when the change began.
    pub head: Block,
    store: &'m mut Editing,
}

/// A change of a directory that was held: the store in its transaction, or a draft of it.
#[derive(Debug)]
pub struct Attempt<'m> {
    /// The directory.
    pub root: &'m Path,
    /// Which rollup it belongs to.
    pub metadata: Metadata,
    /// How many migrations were applied.
    pub migrations: usize,
    begun: Begun,
}

/// What was begun.
#[derive(Debug)]
enum Begun {
    /// A transaction on a store of version 5.
    Database(Editing),
    /// A store in files, of which a draft is made when one is first needed.
    Files(Option<Draft>),
}

/// A store that is being changed.
#[derive(Debug)]
pub enum Writing<'a> {
    /// Of version 5.
    Database(&'a mut Editing),
    /// In files.
    Files(&'a mut Draft),
}

/// How a change goes about it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// What becomes of a store that an older node wrote.
    pub migrations: Migrations,
    /// Where the store is copied to before it is changed: a database to a new file, one in files to a new directory. `None`:
    /// nowhere.
    pub backup: Option<PathBuf>,
}

/// What becomes of a store that lacks migrations, which the nodes of today apply when they start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Migrations {
    /// It is refused.
    #[default]
    Refuse,
    /// They are applied, in the same transaction.
    Apply,
    /// It stays as it is, and is changed.
    Leave,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modified<T> {
    /// There was nothing to do; nothing was changed.
    Skipped,
    /// It was made, and this is what the function gave.
    Done(T),
}

/// The stage in which the backup is made.
pub const BACKING_UP: Stage = Stage::new("Copying store");

/// Changes a data directory. `skip` is asked first whether there is nothing to do; then `change` works on the store in a
/// transaction, which is committed when it succeeds. The store must be of version 5, and no node may be running.
///
/// A context is append-only: whoever makes commits in `change` ([`Change::context`]) writes them so that they count only
/// once they are whole, and before the store speaks of them.
///
/// # Errors
/// [`Code::LockHeld`] when a node runs; [`Code::StoreVersion`], [`Code::StoreMissing`], [`Code::StoreMigrations`],
/// [`Code::StoreJournal`], [`Code::StoreNoHead`], [`Code::MetadataMissing`]; those of opening the context; those of `skip`
/// and `change`: the directory is then as it was. [`Code::StoreDamaged`] and any `io.*` code when the transaction cannot
/// be committed: the store is then as before, or as `change` left it, never between.
pub fn run<T>(
    root: &Path,
    skip: impl FnOnce(&Head<'_>) -> Result<bool>,
    change: impl FnOnce(&mut Change<'_>) -> Result<T>,
) -> Result<Modified<T>> {
    let options = Options { migrations: Migrations::Leave, ..Options::default() };
    let held = Held::take_of(root, Some(Family::Octez), &options, None)?;
    let looked = held.store.head().and_then(|head| {
        let context = Context::open(Moment::take(&FileSet::context_of(root))?)?;
        let metadata = held.metadata;
        let skipped = skip(&Head { root, metadata, head, context, store: &held.store })?;
        Ok((!skipped).then_some(head))
    });
    match looked {
        Ok(Some(head)) => {
            let done = held.change(&mut Silent, |attempt, _| {
                let metadata = attempt.metadata;
                change(&mut Change { root, metadata, head, store: attempt.database()? })
            });
            done.map(Modified::Done)
        }
        Ok(None) => held.release().map(|()| Modified::Skipped),
        Err(problem) => {
            held.release()?;
            Err(problem)
        }
    }
}

impl<'m> Held<'m> {
    /// Takes the lock of the node, finishes what an earlier import or repair has left half-way, and opens the store for
    /// reading.
    ///
    /// # Errors
    /// [`Code::LockHeld`] when a node runs; [`Code::StoreVersion`], [`Code::StoreMissing`], [`Code::StoreJournal`],
    /// [`Code::StoreDamaged`], [`Code::MetadataMissing`]; [`Code::RepairMigrations`] for a store that an older node wrote,
    /// unless that is left or mended; [`Code::OutputExists`] when the backup is there; [`Code::ImportUnfinished`] for what
    /// cannot be finished; any `io.*` code.
    pub fn take(root: &'m Path, options: &'m Options, feedback: &mut dyn Feedback) -> Result<Self> {
        Self::take_of(root, None, options, Some(feedback))
    }

    /// Opens the store as [`Held::take`] does, to look at it: no lock is taken, and none may be held by others. What was
    /// left half-way is refused ([`Code::ImportUnfinished`]).
    ///
    /// # Errors
    /// As [`Held::take`].
    pub fn look(root: &'m Path, options: &'m Options) -> Result<Self> {
        check_free(&Dir::open(root)?)?;
        let (store, metadata) = opened(root, None, options)?;
        Ok(Self { root, metadata, store, options, lock: None })
    }

    fn take_of(
        root: &'m Path,
        family: Option<Family>,
        options: &'m Options,
        feedback: Option<&mut dyn Feedback>,
    ) -> Result<Self> {
        let lock = Lock::try_node(root)?;
        let finished = feedback.map_or(Ok(()), |feedback| finish(root, feedback));
        match finished.and_then(|()| opened(root, family, options)) {
            Ok((store, metadata)) => Ok(Self { root, metadata, store, options, lock: Some(lock) }),
            Err(problem) => {
                lock.discard()?;
                Err(problem)
            }
        }
    }

    /// Lets it go as it was, without a trace.
    ///
    /// # Errors
    /// [`Code::SourceChanged`] when somebody has changed it all the same; [`Code::StoreDamaged`], any `io.*` code.
    pub fn release(self) -> Result<()> {
        let closed = close_any(self.store);
        let discarded = self.lock.map_or(Ok(()), Lock::discard);
        closed.and(discarded)
    }

    /// Changes it: a store of version 5 in a transaction, which is committed when `change` succeeds.
    ///
    /// # Errors
    /// Those of `change`: the store is then as it was. [`Code::LockHeld`] for a directory that is only looked at;
    /// [`Code::StoreDamaged`] and any `io.*` code when the transaction cannot be committed: the store is then as before,
    /// or as `change` left it, never between.
    pub fn change<T>(
        self,
        feedback: &mut dyn Feedback,
        change: impl FnOnce(&mut Attempt<'_>, &mut dyn Feedback) -> Result<T>,
    ) -> Result<T> {
        let Self { root, metadata, store, options, lock } = self;
        let family = Family::of_store(&store);
        let closed = close_any(store);
        let Some(lock) = lock else {
            return Err(Problem::new(Code::LockHeld).path(root.join("lock").display()));
        };
        let changed = closed.and_then(|()| {
            let mut attempt = Attempt { root, metadata, migrations: 0, begun: Begun::Files(None) };
            match family {
                Family::Octez => attempt.in_database(options, feedback, change),
                Family::Mavkit => {
                    if let Some(path) = &options.backup {
                        backup::back_up(root, path, feedback)?;
                    }
                    let done = change(&mut attempt, feedback);
                    attempt.end(done, feedback)
                }
            }
        });
        // A lock file of ours goes with a change that was refused.
        match &changed {
            Ok(_) => drop(lock),
            Err(_) => lock.discard()?,
        }
        changed
    }
}

/// Finishes a swap that was interrupted once its journal was in force. What was staged before that harms nobody, and may be
/// of use to an import.
fn finish(root: &Path, feedback: &mut dyn Feedback) -> Result<()> {
    match swap::pending(root)? {
        Some(Pending::HalfWay | Pending::Leftovers) => swap::recover(root, feedback).map(drop),
        Some(Pending::NotBegun) | None => Ok(()),
    }
}

/// The store that is there, and what rollup it is of.
fn opened(root: &Path, family: Option<Family>, options: &Options) -> Result<(AnyStore, Metadata)> {
    if let Some(path) = &options.backup {
        Output::File(path.clone()).check_early(false)?;
    }
    // Half of an import is of no moment that there ever was.
    swap::require_whole(root)?;
    let store = open_any(root, family)?;
    match &store {
        AnyStore::Database(store) if options.migrations == Migrations::Refuse && !store.is_current()? => {
            return Err(Problem::new(Code::RepairMigrations).path(DataDir::new(root).store().display()));
        }
        _ => {}
    }
    Ok((store, metadata::require(root)?))
}

impl Head<'_> {
    /// What the store remembers about where the node is.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], any `io.*` code.
    pub fn state(&self) -> Result<State> {
        self.store.state()
    }

    /// The store, for reading.
    pub fn store(&self) -> &AnyStore {
        self.store
    }
}

impl Change<'_> {
    /// Executes a statement; how many rows it changes.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], any `io.*` code.
    pub fn execute(&mut self, statement: &str, parameters: &[&dyn Parameter]) -> Result<usize> {
        self.store.execute(statement, parameters)
    }

    /// The directory of the context, to which commits can be appended.
    pub fn context(&self) -> PathBuf {
        self.root.join(rollsnap_core::members::CONTEXT)
    }
}

impl Attempt<'_> {
    /// The transaction on the database.
    ///
    /// # Errors
    /// [`Code::RepairKind`] for a store in files.
    pub fn database(&mut self) -> Result<&mut Editing> {
        match &mut self.begun {
            Begun::Database(store) => Ok(store),
            Begun::Files(_) => Err(Problem::new(Code::RepairKind).path(self.root.display())),
        }
    }

    /// The store, to be changed: of one in files, a draft.
    ///
    /// # Errors
    /// [`Code::ImportLink`], [`Code::ImportUnfinished`], [`Code::Cancelled`], any `io.*` code when no draft can be made.
    pub fn writing(&mut self, feedback: &mut dyn Feedback) -> Result<Writing<'_>> {
        Ok(match &mut self.begun {
            Begun::Database(store) => Writing::Database(store),
            Begun::Files(Some(draft)) => Writing::Files(draft),
            Begun::Files(none) => Writing::Files(none.insert(Draft::begin(self.root, feedback)?)),
        })
    }

    /// The draft of a store in files, if one was made.
    pub fn draft(&self) -> Option<&Draft> {
        match &self.begun {
            Begun::Files(draft) => draft.as_ref(),
            Begun::Database(_) => None,
        }
    }

    fn in_database<T>(
        mut self,
        options: &Options,
        feedback: &mut dyn Feedback,
        change: impl FnOnce(&mut Self, &mut dyn Feedback) -> Result<T>,
    ) -> Result<T> {
        let database = DataDir::new(self.root).store();
        if let Some(path) = &options.backup {
            back_up(&database, path, Phase::only(BACKING_UP.name), feedback)?;
        }
        let mut store = Editing::begin(&database)?;
        let migrated = match options.migrations {
            Migrations::Apply => store.migrate(feedback),
            _ => Ok(0),
        };
        self.begun = Begun::Database(store);
        let done = migrated.and_then(|count| {
            self.migrations = count;
            change(&mut self, feedback)
        });
        self.end(done, feedback)
    }

    /// Makes what was changed last, or takes it back.
    fn end<T>(self, done: Result<T>, feedback: &mut dyn Feedback) -> Result<T> {
        let done = match &self.begun {
            Begun::Files(None) => done,
            // Who stops it until here has changed nothing.
            _ => done.and_then(|value| feedback.checkpoint().map(|()| value)),
        };
        match (done, self.begun) {
            (Ok(value), Begun::Database(store)) => store.commit().map(|()| value),
            (Ok(value), Begun::Files(Some(draft))) => draft.commit(feedback).map(|()| value),
            (Err(problem), Begun::Database(store)) => {
                store.roll_back()?;
                Err(problem)
            }
            (Err(problem), Begun::Files(Some(draft))) => {
                draft.abandon()?;
                Err(problem)
            }
            (done, Begun::Files(None)) => done,
        }
    }
}

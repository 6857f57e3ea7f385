//! Replaces top-level entries of a directory by staged ones, all or nothing.
//!
//! A crash at any instant (`kill -9`, power loss) leaves the old entries or the new ones, as soon
//! as [`recover`] has looked at the directory. Everything happens inside the directory `D`
//! itself, so that it works when `D` is a mount point or reached through a symbolic link, and so
//! that every move is a rename within one file system:
//!
//! ```text
//! D/.rollsnap-import/new/          filled by the caller; what is to be put in place
//! D/.rollsnap-import/old/          what was replaced, until it is deleted
//! D/.rollsnap-import/journal.tmp   the plan while it is being written
//! D/.rollsnap-import/journal       the plan; it is in force as long as this name exists
//! D/.rollsnap-import/done          the same file, once everything is in place
//! D/.rollsnap-import/partial       says that an entry is worth keeping, and what it is of (see [`partial`])
//! D/.rollsnap-import/kept/         that entry, kept for the next run
//! ```
//!
//! # The steps
//!
//! A commit does the following; `sync` is fsync(2), of the file or of the directory.
//!
//! 1. sync every file and directory under `new/`, children before parents; where syncfs(2) does all
//!    that and tells of errors, large files and then everything at once
//! 2. make `old/`; write and sync `journal.tmp`; sync `.rollsnap-import`; sync `D`
//! 3. rename `journal.tmp` to `journal`; sync `.rollsnap-import`
//! 4. *out*: rename every `D/x` of the plan to `old/x`; sync `old/`, then `D`
//! 5. *in*: rename every `new/x` to `D/x`; sync `D`, then `new/`
//! 6. rename `journal` to `done`; sync `.rollsnap-import`
//! 7. delete `old/` and `new/`; sync `.rollsnap-import`; delete `done` and `.rollsnap-import`;
//!    sync `D`
//!
//! Why in this order: what the journal speaks of is on disk before the journal is (1 to 3). All
//! old entries leave before a new one comes in (4, 5), so that an old `store.sqlite-wal` never
//! stands beside a new `store.sqlite`, not even for an instant. A directory that receives an
//! entry is synced before the one that loses it. Nothing old is deleted before `done` is on disk
//! (6, 7), and `done` goes last, so the marker never vanishes while old entries are left.
//!
//! # The states
//!
//! What the next run finds after a crash, and what [`recover`] makes of it. Per entry `x` of the
//! plan: *A* stands for old in `D`, new in `new/`; *B* for old in `old/`, new in `new/`; *C* for
//! old in `old/`, new in `D`. (An entry that did not exist before has no *A*; an entry that is
//! only removed has no *C*, its *B* is final.)
//!
//! | crash in step | found                                   | then                          | result |
//! |---------------|-----------------------------------------|-------------------------------|--------|
//! | before 3      | neither journal nor done, `old/` empty  | delete the staging directory (or keep one entry: `partial`) | old    |
//! | 3, 4          | journal, nothing moved (all *A*)        | drop the journal, delete      | old    |
//! | 4             | journal, some *A*, some *B*             | steps 4 to 7                  | new    |
//! | 5             | journal, some *B*, some *C*             | steps 5 to 7                  | new    |
//! | 5, 6          | journal, all *C*                        | sync, steps 6 and 7           | new    |
//! | 6, 7          | done                                    | step 7                        | new    |
//! | 7             | an empty staging directory              | delete it                     | new    |
//! | any, in recovery | one of the above, the same or a later one | the same                 | the same |
//!
//! The first rename of step 4 is the point of no return for a crash. Before it nothing in `D` has
//! changed, and a node that was started after the crash may have gone on with the old state: that
//! must not be replaced behind its back.
//!
//! When the operating system *refuses* a step of 4 to 6 (a mount point, no permission, an I/O
//! error), the moves are undone in the opposite order, *C* to *B* to *A*, the journal is dropped
//! and the caller gets the reason: a failed commit has changed nothing. A crash while undoing is
//! found as one of the states above. If undoing is refused as well, the journal stays, and the
//! problem says that the next run goes on.
//!
//! # What recovery refuses
//!
//! Between steps 4 and 6 `D` lacks entries. A program that was started on it all the same may
//! have made new ones. Recovery does not guess: it changes nothing and reports
//! [`ImportUnfinished`](rollsnap_core::Code::ImportUnfinished) when a name of the plan stands in
//! `D` that does not belong there, when an old file has changed since, when both versions of an
//! entry are missing, when `old/` holds something but there is neither journal nor done, and when
//! the journal cannot be read (damaged, or of a later version).
//!
//! A staging directory is an input, since whoever may write to `D` can make one, with a journal whose checksum is
//! right. So nothing in it is reached by a path: it is opened without following a link, and held; what lies in it
//! must be what rollsnap puts there, of the right kind, and belong to us, to root or to the owner of `D`; what
//! comes into `D` must be a file or a directory. Anything else is named and refused in the same way (`home.rs`).
//! Names of the plan are plain ones, and none is hidden.
//!
//! # Whom it excludes
//!
//! A staging directory belongs to the process that holds the lock of the data directory (the file
//! `lock`). Hold it from before [`recover`] until the commit has returned: then a staging
//! directory that [`recover`] meets has no living owner.

mod home;
mod journal;
mod merge;
mod moves;
mod partial;
mod probe;
mod state;

use std::collections::BTreeSet;
use std::path::Path;

use rollsnap_core::feedback::Notice;
use rollsnap_core::members::STORAGE;
use rollsnap_core::{Code, Feedback, Problem, Result};

use self::home::Home;
use self::moves::Settled;
use self::state::State;
use crate::dir::{Dir, Durable};
use crate::io::problem;
use crate::resume::Kept;

pub use self::merge::{Merged, merge};
pub(crate) use self::merge::{copy_all, like};
pub use self::partial::recover_but_partial;

/// Name of the staging directory inside the directory whose entries are replaced.
pub const STAGING_NAME: &str = crate::data_dir::STAGING;

/// What becomes of one top-level entry. The name is one plain name of printable ASCII, at most
/// 255 bytes; names of lock files, of `config.json` and of rollsnap itself are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The staged entry of this name takes the place of what is there, if anything is.
    Replace(String),
    /// What is there goes, if anything is.
    Remove(String),
}

impl Change {
    /// The top-level name that is changed.
    pub fn name(&self) -> &str {
        match self {
            Self::Replace(name) | Self::Remove(name) => name,
        }
    }
}

/// A staging directory being filled. Dropped without [`Staging::commit`] it is deleted and the
/// directory is as it was.
#[derive(Debug)]
pub struct Staging {
    at: Home,
    new: Dir,
    durable: Durable,
    /// The entries that hold what was taken over: links too.
    taken_over: BTreeSet<String>,
    /// Whether an entry of this run is worth keeping.
    partial: bool,
    /// Whether an earlier run has unpacked something that this one can go on with.
    unpacked: bool,
    /// Whether it is what this one works with.
    goes_on: bool,
    armed: bool,
}

impl Staging {
    /// Makes an empty staging directory in the directory `root`, which must exist; beside what an earlier run has
    /// kept, if [`recover_but_partial`] found anything.
    ///
    /// The caller holds the lock of `root` and has called [`recover`] or [`recover_but_partial`].
    ///
    /// # Errors
    /// `import.unfinished` when there is a staging directory already; `io.*`.
    pub fn begin(root: &Path) -> Result<Self> {
        let mut at = Home::partial_or_new(Dir::open(root)?)?;
        let durable = Durable::begin(&at.dir);
        let unpacked = at.is_unpacked()?;
        let new = match at.new.clone() {
            Some(new) => new,
            None => at.make_new().cloned().inspect_err(|_| drop(at.discard_or_keep()))?,
        };
        Ok(Self {
            at,
            new,
            durable,
            taken_over: BTreeSet::new(),
            partial: false,
            unpacked,
            goes_on: unpacked,
            armed: true,
        })
    }

    /// What an earlier run has unpacked, and this one can go on with; `None` where that is nothing.
    ///
    /// # Errors
    /// `io.*`
    pub(crate) fn unpacked(&self) -> Result<Option<Kept>> {
        if self.unpacked { Kept::find(&self.at.dir) } else { Ok(None) }
    }

    /// Whether this run works with what an earlier one has unpacked.
    pub fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// Where the record is kept of how far this run has come.
    pub(crate) fn home(&self) -> &Dir {
        &self.at.dir
    }

    /// Whether the next run can go on with what this one has unpacked.
    ///
    /// # Errors
    /// `io.*`
    pub fn can_go_on(&self) -> Result<bool> {
        self.at.is_unpacked()
    }

    /// From now on the next run cannot go on with what was unpacked: it is changed, or of no use.
    ///
    /// # Errors
    /// `io.*`
    pub fn forget_unpacked(&mut self) -> Result<()> {
        self.unpacked = false;
        if self.at.is_unpacked()? { Kept::forget(&self.at.dir) } else { Ok(()) }
    }

    /// Deletes what an earlier run has unpacked.
    ///
    /// # Errors
    /// `io.*`
    pub fn begin_anew(&mut self) -> Result<()> {
        self.goes_on = false;
        self.forget_unpacked()?;
        self.new.clear(None)
    }

    /// The directory to fill: entries go here under the names that they shall have in the root.
    /// Regular files and directories only.
    pub fn dir(&self) -> &Path {
        self.new.path()
    }

    /// The same, held open.
    pub fn held(&self) -> &Dir {
        &self.new
    }

    /// The directory whose entries are replaced, held open.
    pub fn root(&self) -> &Dir {
        &self.at.root
    }

    /// Takes over, from the entry of this name in the root into the staged one, what the staged one lacks: see
    /// [`merge`]. Both must be directories, or there is nothing to do.
    ///
    /// # Errors
    /// As [`merge`].
    pub fn take_over(&mut self, name: &str, feedback: &mut dyn Feedback) -> Result<Merged> {
        match (self.at.root.enter(name)?, self.new.enter(name)?) {
            (Some(existing), Some(staged)) => {
                self.taken_over.insert(name.to_owned());
                merge(&existing, &staged, feedback)
            }
            _ => Ok(Merged::default()),
        }
    }

    /// Makes the staged entry `as_name` of all that is in the entry `name` of the root, by [`merge`]. Nothing is made
    /// where that is no directory.
    ///
    /// # Errors
    /// As [`merge`].
    pub fn take_whole(&mut self, name: &str, as_name: &str, feedback: &mut dyn Feedback) -> Result<Merged> {
        let Some(existing) = self.at.root.enter(name)? else { return Ok(Merged::default()) };
        let failed = |error| problem("take over", &self.new.place(as_name), error);
        let staged = self.new.make(as_name).map_err(failed)?;
        self.taken_over.insert(as_name.to_owned());
        let merged = merge(&existing, &staged, feedback)?;
        merge::like(&staged, &existing.about()?).map_err(failed)?;
        Ok(merged)
    }

    /// Puts the staged entries in place: afterwards every change of `plan` is made, on disk, and
    /// the staging directory is gone. Every staged entry must be in `plan` as
    /// [`Change::Replace`], and the other way round.
    ///
    /// Can be cancelled until the first change; what comes after that takes a moment. When the
    /// replaced entries cannot be deleted, the commit holds all the same, and a note says so.
    ///
    /// # Errors
    /// On any error nothing has changed, except with `import.unfinished`, whose text says what
    /// the next run does.
    pub fn commit(mut self, plan: &[Change], feedback: &mut dyn Feedback) -> Result<()> {
        let entries = journal::plan(&self.at, plan)?;
        self.durable.sync_tree(&self.new, &self.taken_over, feedback)?;
        feedback.checkpoint()?;
        // From here on it is a matter of moments.
        self.at.forget_partial()?;
        self.at.make_old()?;
        journal::write(&self.at, &entries)?;

        self.armed = false;
        match moves::carry_out(&self.at, &entries)? {
            Settled::New => {
                if let Err(problem) = self.at.tidy() {
                    feedback.notice(Notice::NotRemoved(&format!(
                        "The new data is in place, but what it replaced could not be deleted: {problem}. \
                         The next import or repair tries again; {} may be deleted.",
                        self.at.dir.path().display()
                    )));
                }
                Ok(())
            }
            Settled::Old(problem) => {
                self.armed = true;
                Err(problem)
            }
        }
    }

    /// Deletes the staging directory, but for what is kept; the directory is as it was. The same as dropping it, but
    /// says when the deletion fails.
    ///
    /// # Errors
    /// `io.*`; the next [`recover`] deletes the rest.
    pub fn abandon(mut self) -> Result<()> {
        self.armed = false;
        self.at.discard_or_keep()
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if self.armed {
            // Nobody is there to be told; recover deletes what is left.
            let _ = self.at.discard_or_keep();
        }
    }
}

/// What [`recover`] found and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// No staging directory: nothing to do.
    Nothing,
    /// An unfinished change was dropped: the directory is as it was before.
    RolledBack,
    /// A change that was made half-way is complete now.
    Finished,
    /// A change was complete; only its leftovers were deleted.
    CleanedUp,
}

/// Looks for the staging directory of an earlier run and finishes or drops its work, as the table
/// of states says. One note tells what was found and done.
///
/// The caller holds the lock of `root`.
///
/// # Errors
/// `import.unfinished` when it cannot be told which entry is the right one: nothing was changed,
/// the text says what to do. `io.*`: calling it again goes on.
pub fn recover(root: &Path, feedback: &mut dyn Feedback) -> Result<Recovered> {
    let Some(at) = find(root)? else { return Ok(Recovered::Nothing) };
    let job = job(&at, root);
    let (outcome, note) = match state::look(&at)? {
        State::Uncommitted => {
            at.discard()?;
            (Recovered::RolledBack, ROLLED_BACK.to_owned())
        }
        State::Untouched => {
            moves::drop_journal(&at)?;
            at.discard()?;
            (Recovered::RolledBack, ROLLED_BACK.to_owned())
        }
        State::HalfWay(entries) => match moves::carry_out(&at, &entries)? {
            Settled::New => {
                at.tidy()?;
                (Recovered::Finished, FINISHED.to_owned())
            }
            Settled::Old(problem) => {
                at.discard()?;
                (
                    Recovered::RolledBack,
                    format!(
                        "was interrupted half-way and could not be finished ({problem}): \
                         it was taken back, the data is as it was before"
                    ),
                )
            }
        },
        State::Done | State::Empty => {
            at.tidy()?;
            (Recovered::CleanedUp, CLEANED_UP.to_owned())
        }
    };
    feedback.notice(Notice::Recovered(&format!("{job} {note}.")));
    Ok(outcome)
}

/// Whose staging directory it is, for messages: a repair replaces the store in files alone, an import everything.
fn job(at: &Home, place: &Path) -> String {
    let place = place.display();
    match journal::planned(at) {
        None => format!("An earlier import into {place}, or a repair of it,"),
        Some(entries) if entries.iter().all(|entry| entry.change.name() == STORAGE) => {
            format!("An earlier repair of {place}")
        }
        Some(_) => format!("An earlier import into {place}"),
    }
}

const ROLLED_BACK: &str = "was interrupted before it changed anything: its staging directory was deleted, \
                           the data is as it was before";
const FINISHED: &str = "was interrupted while its files were put in place: it is complete now, the new data \
                        has taken the place of the old";
const CLEANED_UP: &str =
    "was interrupted while it cleaned up: its leftovers were deleted, the data is complete";

/// What an earlier run has left in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// A staging directory whose change was not begun: the data is complete, and old.
    NotBegun,
    /// A change made half-way: the data is not complete, do not read it.
    HalfWay,
    /// Leftovers of a complete change: the data is complete, and new.
    Leftovers,
}

impl Pending {
    /// Whether the data of the directory is whole and may be read.
    pub fn is_readable(self) -> bool {
        self != Self::HalfWay
    }
}

/// Like [`recover`], but only looks. A living import looks like [`Pending::NotBegun`].
///
/// # Errors
/// As [`recover`]; what cannot be told from outside must not be read either.
pub fn pending(root: &Path) -> Result<Option<Pending>> {
    let Some(at) = find(root)? else { return Ok(None) };
    Ok(Some(match state::look(&at)? {
        State::Uncommitted | State::Untouched => Pending::NotBegun,
        State::HalfWay(_) => Pending::HalfWay,
        State::Done | State::Empty => Pending::Leftovers,
    }))
}

/// What an interrupted import has unpacked in a directory, and another one can go on with.
///
/// # Errors
/// As [`pending`].
pub(crate) fn unpacked(root: &Path) -> Result<Option<Kept>> {
    match find(root)? {
        Some(at) if at.is_unpacked()? && matches!(state::look(&at)?, State::Uncommitted) => {
            Kept::find(&at.dir)
        }
        _ => Ok(None),
    }
}

/// Refuses a directory whose data is not complete, because a change was interrupted half-way.
///
/// # Errors
/// [`Code::ImportUnfinished`]; those of [`pending`].
pub fn require_whole(root: &Path) -> Result<()> {
    match pending(root)? {
        Some(Pending::HalfWay) => Err(Problem::new(Code::ImportUnfinished).path(root.display())),
        _ => Ok(()),
    }
}

fn find(root: &Path) -> Result<Option<Home>> {
    Dir::open_if_there(root)?.map_or(Ok(None), Home::find)
}

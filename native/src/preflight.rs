//! What a job would do, found out without doing any of it: what is read, written, replaced and removed, which locks it
//! takes, and how much space that needs where. Nothing is written for it, not even a lock file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rollsnap_core::feedback::Phase;
use rollsnap_core::members::{DATABASE_COMPANIONS, MemberKind, TOP_LEVEL};
use rollsnap_core::snapshot::{self, Event};
use rollsnap_core::words::plural;
use rollsnap_core::{Code, Feedback, Problem, Result};
use serde::{Serialize, Serializer};

use crate::data_dir::lock::{LockState, check_free, states};
use crate::dir::{Dir, SpaceCheck, space};
use crate::size::Size;
use crate::source::Source;

/// A job before it begins.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Preflight {
    /// What is read.
    pub reads: Vec<Read>,
    /// What is made.
    pub writes: Vec<Write>,
    /// What is there, and has something else in its place afterwards.
    #[serde(serialize_with = "lossy_all")]
    pub replaces: Vec<PathBuf>,
    /// What is there, and is not there afterwards.
    #[serde(serialize_with = "lossy_all")]
    pub removes: Vec<PathBuf>,
    /// The locks that are taken, as they are now.
    pub locks: Vec<LockUse>,
    /// The space that is needed, by file system.
    pub space: Vec<Space>,
    /// What else is to be known.
    pub notes: Vec<String>,
}

/// Something that is read.
#[derive(Clone, Debug, Serialize)]
pub struct Read {
    /// Where it is.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// How long it is, in bytes, if that is known.
    pub bytes: Option<u64>,
}

/// Something that is made.
#[derive(Clone, Debug, Serialize)]
pub struct Write {
    /// Where.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// How large it is.
    #[serde(flatten)]
    pub amount: Amount,
    /// Whether it is gone when the job has ended.
    pub temporary: bool,
}

/// How much space something needs, in bytes. Equal limits are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// No less.
    pub at_least: u64,
    /// No more; `None` when nobody can know.
    pub at_most: Option<u64>,
}

/// A lock that is taken.
#[derive(Clone, Debug, Serialize)]
pub struct LockUse {
    /// Its file.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// Whether somebody holds it now; `None` when that cannot be told.
    pub held: Option<bool>,
    /// Who, for people.
    pub holder: Option<String>,
}

/// A file system that is written to.
#[derive(Clone, Debug, Serialize)]
pub struct Space {
    /// A directory on it.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// How much is free, in bytes.
    pub free: u64,
    /// How much is needed.
    #[serde(flatten)]
    pub needed: Amount,
}

impl Amount {
    /// What is needed beyond so many bytes that are there already.
    pub(crate) fn beyond(self, there: u64) -> Self {
        let left = |bytes: u64| bytes.saturating_sub(there);
        Self { at_least: left(self.at_least), at_most: self.at_most.map(left) }
    }

    pub(crate) const fn exactly(bytes: u64) -> Self {
        Self { at_least: bytes, at_most: Some(bytes) }
    }

    pub(crate) const fn at_most(bytes: u64) -> Self {
        Self { at_least: 0, at_most: Some(bytes) }
    }

    pub(crate) const fn at_least(bytes: u64) -> Self {
        Self { at_least: bytes, at_most: None }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        let at_most = self.at_most.zip(other.at_most).map(|(one, other)| one.saturating_add(other));
        Self { at_least: self.at_least.saturating_add(other.at_least), at_most }
    }
}

impl Preflight {
    pub(crate) fn read(&mut self, path: impl Into<PathBuf>, bytes: Option<u64>) {
        self.reads.push(Read { path: path.into(), bytes });
    }

    pub(crate) fn write(&mut self, path: impl Into<PathBuf>, amount: Amount, temporary: bool) {
        self.writes.push(Write { path: path.into(), amount, temporary });
    }

    /// The lock of the node, which must be free.
    ///
    /// # Errors
    /// [`Code::LockHeld`] in the words of the job, any `io.*` code.
    pub(crate) fn lock_of_node(&mut self, root: &Path) -> Result<()> {
        let Some(dir) = Dir::open_if_there(root)? else {
            self.locks.push(LockUse { path: root.join("lock"), held: Some(false), holder: None });
            return Ok(());
        };
        check_free(&dir)?;
        dir.check_openable("lock")?;
        self.locks(&dir, &["lock"])
    }

    /// Locks of these names, which are waited for.
    pub(crate) fn locks(&mut self, dir: &Dir, names: &[&str]) -> Result<()> {
        let found = states(dir)?;
        let state = |name: &str| found.iter().find(|state| state.name == name);
        self.locks.extend(names.iter().map(|name| LockUse {
            path: dir.place(name),
            held: state(name).map_or(Some(false), |state| state.held),
            holder: state(name).and_then(LockState::holder),
        }));
        Ok(())
    }

    /// What is there of what a snapshot brings, and of what belongs to it.
    pub(crate) fn replace_in(&mut self, root: &Path) -> Result<()> {
        let Some(dir) = Dir::open_if_there(root)? else { return Ok(()) };
        for name in TOP_LEVEL {
            if dir.has(name)? {
                self.replaces.push(dir.place(name));
            }
        }
        self.remove_companions(&dir)
    }

    /// What may lie beside a database that is replaced.
    pub(crate) fn remove_companions(&mut self, dir: &Dir) -> Result<()> {
        for name in DATABASE_COMPANIONS {
            if dir.has(name)? {
                self.removes.push(dir.place(name));
            }
        }
        Ok(())
    }

    /// Adds up the space, and looks whether what is made may be made.
    ///
    /// # Errors
    /// [`Code::IoPermission`] where it may not, [`Code::IoNoSpace`] when it does not suffice and that is not to be passed
    /// over, any `io.*` code.
    pub(crate) fn finish(mut self, check: SpaceCheck) -> Result<Self> {
        let mut systems: BTreeMap<u64, Space> = BTreeMap::new();
        for write in &self.writes {
            let place = nearest(&write.path)?;
            place.check_writable()?;
            let device = place.about()?.id.0;
            // Where the system does not say, it will when it is full.
            let Some(free) = space::free(&place) else { continue };
            let fresh = || Space { path: place.path().into(), free, needed: Amount::exactly(0) };
            let space = systems.entry(device).or_insert_with(fresh);
            space.needed = space.needed.and(write.amount);
        }
        self.space = systems.into_values().collect();
        match self.space.iter().find(|space| space.free < space.needed.at_least) {
            Some(Space { path, free, needed }) if !check.skipped => {
                Err(space::too_little(path, needed.at_least, *free))
            }
            _ => Ok(self),
        }
    }
}

/// What the member headers of a snapshot say.
pub(crate) struct Members {
    count: u64,
    /// How long the members are together, in bytes.
    pub(crate) bytes: u64,
    /// How long those of a store in files are.
    pub(crate) store: u64,
}

impl Members {
    /// Those of a file in which they can be reached without reading it: one that is uncompressed, or has an index. What is
    /// wrong with it is left to the job.
    ///
    /// # Errors
    /// [`Code::Cancelled`], any `io.*` code.
    pub(crate) fn of(snapshot: &Path, feedback: &mut dyn Feedback) -> Result<Option<Self>> {
        let mut source = Source::open(snapshot, feedback)?;
        if !source.is_plain_file() || !source.is_reachable() {
            return Ok(None);
        }
        let (mut found, mut is_whole) = (Self { count: 0, bytes: 0, store: 0 }, false);
        let phase = Phase::only("Reading snapshot");
        let listed = source.list(snapshot::Options::default(), phase, feedback, &mut |event| match event {
            Event::MemberEnd { member, .. } => {
                found.count += 1;
                found.bytes = found.bytes.saturating_add(member.size);
                if MemberKind::of(&member.name).is_some_and(MemberKind::is_of_store) {
                    found.store = found.store.saturating_add(member.size);
                }
                Ok(())
            }
            // What follows the end may be as long as the file.
            Event::End => {
                is_whole = true;
                Err(Enough(None))
            }
            Event::Problem(_) => Err(Enough(None)),
            _ => Ok(()),
        });
        match listed {
            Err(Enough(Some(problem))) if problem.code() == Code::Cancelled => Err(problem),
            // Where much follows the end, the job needs room for the file, or refuses it.
            _ => Ok(is_whole
                .then_some(found)
                .filter(|found| source.size().is_none_or(|size| size <= found.most()))),
        }
    }

    /// How long an uncompressed file with these members is at most, in bytes: each has a header and fills its last block.
    fn most(&self) -> u64 {
        let blocks = self.count.saturating_mul(2).saturating_add(3);
        self.bytes.saturating_add(blocks.saturating_mul(512))
    }

    /// What is said of that.
    pub(crate) fn note(&self, done: &str) -> String {
        format!(
            "{} {}, {}, are in the snapshot: what they hold is checked when it is {done}",
            self.count,
            plural(self.count, "member", "members"),
            Size(self.bytes)
        )
    }
}

/// Nothing more is to be learnt, or why nothing can be.
struct Enough(Option<Problem>);

impl From<Problem> for Enough {
    fn from(problem: Problem) -> Self {
        Self(Some(problem))
    }
}

/// The directory in which something will be, or in which its directory will be made.
fn nearest(path: &Path) -> Result<Dir> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let mut nearest = path.as_path();
    loop {
        if nearest.is_dir() {
            return Dir::open(nearest);
        }
        match nearest.parent() {
            Some(parent) => nearest = parent,
            None => return Dir::open(nearest),
        }
    }
}

/// A path in JSON, where text is Unicode.
fn lossy<S: Serializer>(path: &Path, serializer: S) -> core::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

fn lossy_all<S: Serializer>(paths: &[PathBuf], serializer: S) -> core::result::Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| path.to_string_lossy()))
}

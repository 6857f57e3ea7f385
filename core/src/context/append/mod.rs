//! Commits added to a context that is there already, as its nodes add them (`docs/FORMAT.md`, section 9,
//! "Appending").
//!
//! An [`Appender`] takes the new objects of trees ([`Persist`](super::edit::Persist)) and their commits, and keeps
//! their bytes until somebody else has written them: [`Appender::plan`] says what goes where, in which order, and
//! what must be on disk before what. Meanwhile [`Grown`] reads the context together with all that was added.
//!
//! The order of a [`Plan`] is what makes a crash harmless:
//!
//! 1. objects, names and entries of the index are written behind what counts, and synced;
//! 2. the control file is replaced: now the objects and names count;
//! 3. the length in the log of the index is overwritten: now the commits are listed.
//!
//! Before 2 the context is what it was; between 2 and 3 it has objects that nothing refers to, which no reader
//! minds; after 3 it has the new commits. What lies behind the ends is overwritten, never read.

mod grown;
mod log;
mod names;
mod plan;

use alloc::vec::Vec;

use names::Names;

use super::Context;
use super::edit::{Bytes, MAX_CONTENTS, NewObject};
use super::layout::Part;
use super::open::damaged;
use super::pack::{Child, Commit, Control, Hash, Head, Kind, Malformed, Status};
use crate::code::Code;
use crate::hash::ContextHash;
use crate::problem::{Problem, Result};
use crate::read_at::Files;

pub use grown::Grown;
pub use log::Log;
pub use plan::{File, Plan, Step};

/// Longest name of an entry, in bytes, so that two of them fit into what readers take for an inode.
const MAX_NAME: usize = 64 << 10;

/// No offset is larger: readers take larger numbers for damage.
const MAX_OFFSET: u64 = 1 << 62;

/// What is added to a context. Memory: the names of the dictionary, and the bytes that are not written yet.
#[derive(Debug)]
pub struct Appender {
    /// As it is on disk.
    control: Control,
    names: Names,
    /// Global offset of the first object that was added.
    start: u64,
    /// Its position in the last chunk.
    position: u64,
    /// How many bytes behind it are written.
    written: u64,
    objects: Vec<u8>,
    /// Entries of the index that are not written.
    entries: Vec<u8>,
    log: Log,
    value: Vec<u8>,
}

/// Where an [`Appender`] was, to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    objects: usize,
    names: usize,
    entries: usize,
}

impl Appender {
    /// Adds to this context, whose log of commits is `log`.
    ///
    /// # Errors
    /// [`Code::ContextVersion`] for stores that began as version 1 or 2, older than any rollup node;
    /// [`Code::ContextControl`] for one without a chunk to append to.
    pub fn new<F: Files>(context: &Context<F>, log: Log) -> Result<Self> {
        let (layout, control) = (context.layout(), context.control());
        let refused = |code, why| damaged(code, "store.control", Malformed(why));
        if matches!(control.status, Status::Upgraded { .. }) {
            let why = "its store began as version 1 or 2, older than any rollup node, and is not appended to";
            return Err(refused(Code::ContextVersion, why));
        }
        let last = layout.chunks().checked_sub(1).and_then(|at| layout.chunk(at));
        let (header, len) = last.ok_or_else(|| refused(Code::ContextControl, "it names no chunk"))?;
        Ok(Self {
            control: control.upgraded(),
            names: Names::of(context.dict(), control.dict_end),
            start: layout.end(),
            position: header + len,
            written: 0,
            objects: Vec::new(),
            entries: Vec::new(),
            log,
            value: Vec::new(),
        })
    }

    /// Name of the chunk that objects are appended to, below `context/`.
    pub fn chunk_name<F: Files>(context: &Context<F>) -> alloc::string::String {
        context.layout().name(Part::Chunk(context.layout().chunks().saturating_sub(1)))
    }

    /// Where the next object goes.
    pub fn end(&self) -> u64 {
        self.start + self.written + self.objects.len() as u64
    }

    /// How many bytes wait to be written.
    pub fn pending(&self) -> usize {
        self.objects.len() + self.entries.len() + self.names.pending().len()
    }

    /// How many commits wait to be written.
    pub fn pending_commits(&self) -> usize {
        self.entries.len() / Log::ENTRY
    }

    /// How far the log counts, on disk.
    pub fn log(&self) -> Log {
        self.log
    }

    /// Entries were added to the log by other means.
    pub fn set_log(&mut self, log: Log) {
        self.log = log;
    }

    /// Where it is.
    pub fn mark(&self) -> Mark {
        Mark { objects: self.objects.len(), names: self.names.len(), entries: self.entries.len() }
    }

    /// Forgets what was added since the mark was made. Nothing must have been written since.
    pub fn rewind(&mut self, mark: Mark) {
        self.objects.truncate(mark.objects);
        self.entries.truncate(mark.entries);
        self.names.truncate(mark.names);
    }

    /// Adds an object; its global offset.
    ///
    /// # Errors
    /// [`Code::ContextShape`] for a name that is empty or too long, [`Code::ContextEntry`] for contents that are
    /// longer than trees load, [`Code::ContextFile`] where offsets end.
    pub fn put(&mut self, hash: &Hash, object: &NewObject<'_>) -> Result<u64> {
        if let NewObject::Values { entries, .. } = object
            && entries.iter().any(|entry| entry.name.is_empty() || entry.name.len() > MAX_NAME)
        {
            let found = "a name that is empty or longer than 64 KiB";
            return Err(Problem::new(Code::ContextShape).found(found));
        }
        let mut value = core::mem::take(&mut self.value);
        value.clear();
        object.write(&mut |name| self.names.number(name), &mut value);
        let offset = if value.len() as u64 > MAX_CONTENTS {
            let found = format_args!("contents of {} bytes", value.len());
            Err(Problem::new(Code::ContextEntry)
                .expected(format_args!("at most {MAX_CONTENTS}"))
                .found(found))
        } else {
            self.append(hash, object.kind(), &value)
        };
        self.value = value;
        offset
    }

    /// Adds the commit of a root directory, which must have the expected hash.
    ///
    /// # Errors
    /// [`Code::ContextCommit`] when it has another one: nothing was added; [`Code::ContextIndex`] when the index
    /// is as long as readers take, [`Code::ContextFile`] where offsets end.
    pub fn commit(
        &mut self,
        root: u64,
        root_hash: &Hash,
        author: &[u8],
        expected: &ContextHash,
    ) -> Result<()> {
        let commit = Commit { root: Child::Offset(root), parents: 0, date: 0, author, message: b"" };
        let hash = commit.hash(root_hash);
        if hash != *expected.as_bytes() {
            return Err(Problem::new(Code::ContextCommit)
                .headline("the commit that was computed is not the one that is recorded")
                .expected(expected)
                .found(ContextHash::new(hash)));
        }
        self.log.check_room(self.entries.len())?;
        let mut value = Vec::new();
        commit.put(&mut value);
        let offset = self.append(&hash, Kind::Commit, &value)?;
        Log::put(&hash, offset, self.end() - offset, &mut self.entries);
        Ok(())
    }

    /// A name of the dictionary that was added.
    fn name(&self, number: u64) -> Option<&Bytes> {
        self.names.added(number)
    }

    fn append(&mut self, hash: &Hash, kind: Kind, value: &[u8]) -> Result<u64> {
        let offset = self.end();
        if offset.saturating_add(Head::entry_len_of(value.len() as u64)) >= MAX_OFFSET {
            return Err(
                Problem::new(Code::ContextFile).headline("the context is as long as its offsets can tell")
            );
        }
        Head::put(hash, kind, value, &mut self.objects);
        Ok(offset)
    }
}

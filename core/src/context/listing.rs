//! The index of a context, made anew of the commits that its pack has.
//!
//! Nothing but commits is listed, also where the store once listed other objects: nothing of layer 2 is looked up in any
//! other way. Of a commit that is in the pack twice the later one is listed, as by the nodes' library.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::Context;
use super::append::Log;
use super::checkout::Commit;
use super::commits::INDEX_FILES;
use super::index::{Entry, Index, MAX_INDEX};
use super::layout::Part;
use super::open::no_entry;
use super::pack::{Hash, Head, Kind, Malformed, Status};
use super::verify::walk::{Sink as Heads, Walk};
use super::write::Sink;
use crate::code::Code;
use crate::feedback::Feedback;
use crate::index::{Header, Index as Bindings, KeyOrder, Shape, fan_out};
use crate::members::in_context;
use crate::problem::{Place, Problem, Result};
use crate::read_at::{Files, ReadAt};

/// Most entries in the log: the nodes' library merges more of them into `data`.
pub const MOST_IN_LOG: usize = 2_500_000;

/// What entries look like.
const SHAPE: Shape = Shape { key: 32, value: 13, order: KeyOrder::Bytes };

/// How much of a file is read at once, in bytes.
const PIECE: usize = 1 << 18;

/// What takes memory, for messages.
const WHAT: &str = "the commits of the context";

/// The commits that are in a pack.
#[derive(Clone, Debug)]
pub struct Listing {
    /// In the order of their offsets.
    commits: Vec<Entry>,
}

/// How an index compares with the commits that are there.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// Why nodes cannot use its files, or what of them they do not find.
    pub damaged: Option<Problem>,
    /// Commits that it does not list.
    pub missing: u64,
    /// Entries that lead to something else than their commit.
    pub wrong: u64,
    /// Entries that lead beyond the end of the pack.
    pub beyond: u64,
    /// Entries of commits that were collected as garbage, which every index has.
    pub collected: u64,
    /// How often it was merged, as far as it can be read.
    pub generation: u64,
}

impl Judged {
    /// Whether there is nothing to repair.
    pub fn is_sound(&self) -> bool {
        self.damaged.is_none() && self.missing == 0 && self.wrong == 0 && self.beyond == 0
    }
}

impl Listing {
    /// How many bytes are read to find the commits: the files with objects.
    pub fn bytes_of<F: Files>(context: &Context<F>) -> u64 {
        let lens = parts(context).filter_map(|part| context.layout().live(part));
        lens.fold(0, |sum, (from, until)| sum.saturating_add(until.saturating_sub(from)))
    }

    /// Reads the whole pack and reports progress in bytes. Takes 48 bytes of memory for each commit.
    ///
    /// # Errors
    /// [`Code::ContextEntry`] where something is no entry, [`Code::ContextCommit`] for a commit that is not what its hash
    /// says: such a pack is damaged, and an index does not help it. [`Code::LimitMemory`], [`Code::Cancelled`], and
    /// whatever the files report.
    pub fn of<F: Files>(context: &Context<F>, feedback: &mut dyn Feedback) -> Result<Self> {
        let allowance = feedback.allowance();
        let mut commits: Vec<Entry> = Vec::new();
        for part in parts(context) {
            read_part(context, part, feedback, &mut |commit| {
                commits.push(Entry {
                    hash: commit.hash,
                    offset: commit.offset,
                    len: u32::try_from(commit.len).unwrap_or(u32::MAX),
                    kind: Kind::Commit.letter(),
                });
                allowance.check((commits.capacity() * size_of::<Entry>()) as u64, WHAT)
            })?;
        }
        commits.sort_by_key(|entry| entry.offset);
        Ok(Self { commits })
    }

    /// How many commits an index has of them.
    pub fn len(&self) -> usize {
        self.latest().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.commits.is_empty()
    }

    /// Compares the index that is there.
    ///
    /// # Errors
    /// [`Code::Cancelled`], [`Code::LimitMemory`], and whatever the files report; that it is damaged is no error.
    pub fn judge<F: Files>(&self, context: &Context<F>, feedback: &dyn Feedback) -> Result<Judged> {
        let mut judged = Judged { damaged: damage(context.files())?, ..Judged::default() };
        judged.generation = generation(context.files())?;
        let listed = match context.index(feedback) {
            Ok(listed) => listed,
            Err(problem) if problem.code().is_about_contents() => {
                judged.damaged.get_or_insert(problem);
                Index::default()
            }
            Err(problem) => return Err(problem),
        };
        let mut places: Vec<(&Entry, Hash)> =
            self.commits.iter().map(|entry| (entry, *entry.hash.as_bytes())).collect();
        places.sort_unstable_by_key(|(entry, hash)| (*hash, entry.offset));
        let is_there = |entry: &Entry| {
            let key = (*entry.hash.as_bytes(), entry.offset);
            let at = places.binary_search_by_key(&key, |(entry, hash)| (*hash, entry.offset)).ok();
            at.and_then(|at| places.get(at)).is_some_and(|(found, _)| **found == *entry)
        };
        let other_kinds = context.control().status == Status::NonMinimal;
        for (number, entry) in listed.entries().iter().enumerate() {
            if number.is_multiple_of(1 << 16) {
                feedback.checkpoint()?;
            }
            let end = entry.offset.saturating_add(entry.len.into());
            if is_there(entry) || (other_kinds && entry.kind != Kind::Commit.letter()) {
                continue;
            }
            let counter = if end > context.layout().end() {
                &mut judged.beyond
            } else if context.layout().find(entry.offset).is_none() {
                &mut judged.collected
            } else {
                &mut judged.wrong
            };
            *counter += 1;
        }
        // A commit whose entry leads elsewhere is counted there.
        let lacks = |entry: &&Entry| listed.get(&entry.hash).is_none();
        judged.missing = self.latest().iter().filter(lacks).count() as u64;
        Ok(judged)
    }

    /// Writes the files of an index that lists all of them: `index/log`, and before it `index/data` where there are more
    /// than `most` ([`MOST_IN_LOG`]). `generation`: how often the index was merged before.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn write(&self, generation: u64, most: usize, sink: &mut dyn Sink) -> Result<()> {
        let mut entries = self.latest();
        let in_data = entries.len() > most;
        // Whoever only reads looks for `data` if, and only if, the log says that there was a merge.
        let generation = if in_data { generation.max(1) } else { 0 };
        if in_data {
            let hash = |entry: &Entry| SHAPE.order.hash(entry.hash.as_bytes());
            entries.sort_by_key(|entry| (hash(entry), entry.hash));
            let table = fan_out(SHAPE, entries.len() as u64, entries.iter().map(hash));
            sink.create("index/data")?;
            sink.write(&header(entries.len(), generation, table.len()))?;
            for slots in table.chunks(1 << 12) {
                sink.write(&slots.iter().flat_map(|slot| slot.to_be_bytes()).collect::<Vec<u8>>())?;
            }
            put(&entries, sink)?;
            entries.clear();
        }
        sink.create("index/log")?;
        sink.write(&header(entries.len(), generation, 0))?;
        put(&entries, sink)
    }

    /// The last one of each commit, in the order of their offsets.
    fn latest(&self) -> Vec<Entry> {
        let mut entries = self.commits.clone();
        // The sort keeps the order of equals, so of these the last one has the largest offset.
        entries.sort_by_key(|entry| entry.hash);
        entries.dedup_by(|later, kept| {
            let same = later.hash == kept.hash;
            if same {
                *kept = *later;
            }
            same
        });
        entries.sort_by_key(|entry| entry.offset);
        entries
    }
}

/// The files with objects, the oldest first.
fn parts<F: Files>(context: &Context<F>) -> impl Iterator<Item = Part> {
    core::iter::once(Part::Prefix).chain((0..context.layout().chunks()).map(Part::Chunk))
}

fn read_part<F: Files>(
    context: &Context<F>,
    part: Part,
    feedback: &mut dyn Feedback,
    each: &mut dyn FnMut(Commit) -> Result<()>,
) -> Result<()> {
    let layout = context.layout();
    let Some(((from, until), file)) = layout.live(part).zip(context.part(part)) else { return Ok(()) };
    let offset = |position| layout.offset_of(part, position).unwrap_or(position);
    let mut walk = Walk::new(from, from, until);
    let mut commits = Commits(Vec::new());
    let mut piece = vec![0; PIECE];
    let mut at = from;
    while at < until {
        feedback.checkpoint()?;
        let len = usize::try_from(until - at).map_or(PIECE, |left| left.min(PIECE));
        let piece = piece.get_mut(..len).unwrap_or_default();
        file.read_at(at, piece)?;
        let _ = walk.feed(piece, &mut commits);
        if let Some(why) = walk.end().lost {
            return Err(no_entry(offset(walk.end().position), why).member(in_context(layout.name(part))));
        }
        for position in commits.0.drain(..) {
            each(sound(context, offset(position))?)?;
        }
        at += len as u64;
        feedback.advance(len as u64);
    }
    if walk.end().position < until {
        let why = Malformed("an entry that goes on beyond the end");
        return Err(no_entry(offset(walk.end().position), why).member(in_context(layout.name(part))));
    }
    Ok(())
}

/// The commit at an offset, if it is what its entry says.
fn sound<F: Files>(context: &Context<F>, offset: u64) -> Result<Commit> {
    let commit = context.commit_at(offset)?;
    if commit.stored == *commit.hash.as_bytes() {
        return Ok(commit);
    }
    let stored = crate::hash::ContextHash::new(commit.stored);
    Err(Problem::new(Code::ContextCommit).at(Place::Context(offset)).expected(stored).found(commit.hash))
}

/// Where commits begin in a file.
struct Commits(Vec<u64>);

impl Heads for Commits {
    fn entry(&mut self, position: u64, head: &Head, _: &[u8]) {
        if head.kind == Kind::Commit {
            self.0.push(position);
        }
    }

    fn long(&mut self, _: u64, _: &Head, _: Hash) {}
}

/// What nodes cannot use of the files of an index, as they look entries up.
fn damage<F: Files>(files: &F) -> Result<Option<Problem>> {
    let damaged = |found: &str| Problem::new(Code::ContextIndex).found(found);
    if files.open("index/log")?.is_none() {
        return Ok(Some(damaged("no such file").member(in_context("index/log"))));
    }
    for name in INDEX_FILES {
        if files.open(name)?.is_some_and(|file| file.len() > MAX_INDEX) {
            return Ok(Some(damaged("it is longer than any index").member(in_context(name))));
        }
    }
    let bindings = match Bindings::open(files, "index", SHAPE) {
        Ok(bindings) => bindings,
        Err(problem) if problem.code().is_about_contents() => {
            return Ok(Some(damaged(&problem.to_string())));
        }
        Err(problem) => return Err(problem),
    };
    if let Some(hidden) = bindings.hidden() {
        return Ok(Some(damaged(&hidden.to_string())));
    }
    match bindings.misplaced() {
        Ok(found) => Ok(found.first().map(|problem| damaged(&problem.to_string()))),
        Err(problem) if problem.code().is_about_contents() => Ok(Some(damaged(&problem.to_string()))),
        Err(problem) => Err(problem),
    }
}

/// The generation of the index that is there: of two files that disagree the later one. A number that nobody could have
/// counted up to says nothing.
fn generation<F: Files>(files: &F) -> Result<u64> {
    let mut latest = 0;
    for name in ["index/log", "index/data"] {
        let Some(file) = files.open(name)? else { continue };
        let mut bytes = [0; Header::LEN];
        if file.len() >= bytes.len() as u64 {
            file.read_at(0, &mut bytes)?;
            let found = Header::parse(&bytes).map_or(0, |header| header.generation);
            latest = latest.max(if found > 1 << 40 { 0 } else { found });
        }
    }
    Ok(latest)
}

fn header(entries: usize, generation: u64, slots: usize) -> [u8; Header::LEN] {
    let length = (entries * Log::ENTRY) as u64;
    Header { length, generation, fan_out: slots as u64 * 8 }.to_bytes()
}

fn put(entries: &[Entry], sink: &mut dyn Sink) -> Result<()> {
    let mut bytes = Vec::new();
    for entries in entries.chunks(1 << 12) {
        bytes.clear();
        for entry in entries {
            Log::put(entry.hash.as_bytes(), entry.offset, entry.len.into(), &mut bytes);
        }
        sink.write(&bytes)?;
    }
    Ok(())
}

impl core::fmt::Display for Judged {
    /// What is wrong with it, in words for a sentence.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut said: Vec<alloc::string::String> = Vec::new();
        if let Some(problem) = &self.damaged {
            said.push(problem.to_string());
        }
        for (count, what) in [
            (self.missing, "commits of the pack are not listed"),
            (self.wrong, "entries lead to something else"),
            (self.beyond, "entries lead beyond the end of the pack"),
        ] {
            if count > 0 {
                said.push(alloc::format!("{count} {what}"));
            }
        }
        f.write_str(&said.join("; "))
    }
}

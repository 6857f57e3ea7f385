//! What a commit consists of: how many objects of which kind, how large, and where they are.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use serde::Serialize;

use super::entries::{MAX_BITS, earlier};
use super::falling::{Falling, Item};
use super::open::no_entry;
use super::pack::{Inode, Kind, MAX_INODE};
use super::tree::other_kind;
use super::{Commit, Context, path};
use crate::code::Code;
use crate::feedback::Feedback;
use crate::problem::{Place, Problem, Result};
use crate::read_at::Files;
use crate::report::Tally;

/// How many subtrees get a row of their own; objects of the others count in the row above them.
pub const MAX_SUBTREES: usize = 10_000;

/// What takes memory, for messages.
const WAITING: &str = "the objects of the commit that wait to be counted";

/// After how many objects progress is told.
const STEP: u64 = 1 << 12;

/// What a commit consists of. An object that is reached in several ways counts once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stat {
    /// All objects, the commit among them.
    pub objects: Tally,
    /// Contents.
    pub contents: Tally,
    /// Directories.
    pub directories: Tally,
    /// Inner parts of directories with more than two entries.
    pub inner: Tally,
    /// Bytes of the contents alone, without the heads of their entries.
    pub content_bytes: u64,
    /// Longest path, in steps.
    pub depth: u64,
    /// Longest way from a directory to an entry of it, in inner parts.
    pub inner_depth: u64,
    /// The largest contents, in bytes.
    pub largest: u64,
    /// Directories near the root, in the order of paths; each with all that is below it.
    pub subtrees: Vec<Subtree>,
    /// Whether there were too many subtrees to tell them all apart.
    pub subtrees_left_out: bool,
}

/// A directory with all that is below it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Subtree {
    /// Its path, as [`path::show`] shows it.
    pub path: String,
    /// How many steps that are.
    pub depth: u64,
    /// The directory itself and all objects below it. What several directories share counts in one
    /// of them, the same one every time.
    pub objects: Tally,
    /// Its part of the bytes of all objects, from 0 to 1.
    pub share: f64,
}

/// What the files of a context hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileFacts {
    /// Version of the control file.
    pub version: u8,
    /// How often it was collected.
    pub generation: u64,
    /// Bytes before the suffix that live on.
    pub prefix_bytes: u64,
    /// In how many ranges.
    pub ranges: u64,
    /// Chunks of the suffix.
    pub chunks: u64,
    /// Their bytes that live.
    pub suffix_bytes: u64,
    /// Bytes at the head of the first chunk that are dead.
    pub dead_bytes: u64,
    /// Names in the dictionary.
    pub names: u64,
    /// Their bytes, lengths included.
    pub dict_bytes: u64,
}

/// An object to be visited: the one with the highest offset comes first. All that refer to an object
/// are above it, so it is visited once, when all of them have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Todo {
    offset: u64,
    kind: Kind,
    /// Steps from the root.
    depth: u64,
    /// Inner parts on the way from the directory.
    inner: u64,
    /// Which subtree it counts in.
    label: usize,
}

impl Item for Todo {
    const LEN: usize = 33;

    fn put(&self, out: &mut Vec<u8>) {
        for number in [self.offset, self.depth, self.inner, self.label as u64] {
            out.extend(number.to_le_bytes());
        }
        out.push(self.kind as u8);
    }

    fn get(bytes: &[u8]) -> Self {
        let mut numbers = bytes.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
        let mut next = || numbers.next().unwrap_or_default();
        let (offset, depth, inner, label) = (next(), next(), next(), next() as usize);
        let kind = Kind::ALL[usize::from(bytes.last().copied().unwrap_or_default() & 3)];
        Self { offset, kind, depth, inner, label }
    }
}

/// A subtree while it is counted.
struct Label {
    parent: usize,
    path: Vec<Vec<u8>>,
    objects: Tally,
}

impl<F: Files> Context<F> {
    /// What the files hold.
    pub fn file_facts(&self) -> FileFacts {
        let layout = self.layout();
        let (suffix_start, dead_bytes) = self.control().suffix_start();
        FileFacts {
            version: self.control().version,
            generation: layout.generation(),
            prefix_bytes: layout.mapping().prefix_len(),
            ranges: layout.mapping().ranges().len() as u64,
            chunks: layout.chunks() as u64,
            suffix_bytes: layout.end().saturating_sub(suffix_start),
            dead_bytes,
            names: self.dict().len() as u64,
            dict_bytes: self.control().dict_end,
        }
    }

    /// Counts what a commit consists of, with the subtrees down to a depth. Memory: the objects that
    /// are known and not yet visited, 80 bytes each. What does not fit into a sixteenth of what is
    /// [meant for tables](crate::Allowance::table) waits in [temporary space](Feedback::scratch), if there is any.
    ///
    /// # Errors
    /// [`Code::ContextEntry`], [`Code::ContextChild`], [`Code::ContextShape`],
    /// [`Code::LimitMemory`], [`Code::Cancelled`]; whatever the files report.
    pub fn stat(&self, commit: &Commit, depth: u64, feedback: &mut dyn Feedback) -> Result<Stat> {
        let mut stat = Stat {
            objects: Tally { count: 1, bytes: commit.len },
            contents: Tally::default(),
            directories: Tally::default(),
            inner: Tally::default(),
            content_bytes: 0,
            depth: 0,
            inner_depth: 0,
            largest: 0,
            subtrees: Vec::new(),
            subtrees_left_out: false,
        };
        let mut labels = vec![Label { parent: 0, path: Vec::new(), objects: Tally::default() }];
        let root = Todo { offset: commit.root, kind: Kind::Root, depth: 0, inner: 0, label: 0 };
        let allowance = feedback.allowance();
        let mut todo = Falling::new(feedback.scratch(), allowance.table() / 16);
        todo.push(root)?;
        let mut value = Vec::new();
        let mut told = 0;
        while let Some(mut next) = todo.pop()? {
            while let Some(same) = todo.peek().filter(|same| same.offset == next.offset) {
                if same.kind != next.kind {
                    return Err(other_kind(next.offset, next.kind, same.kind));
                }
                next.depth = next.depth.max(same.depth);
                next.inner = next.inner.max(same.inner);
                next.label = next.label.min(same.label);
                todo.pop()?;
            }
            allowance.check(todo.taken(), WAITING)?;
            let head = self.visit(next, depth, &mut value, &mut labels, &mut todo, &mut stat)?;
            stat.objects.add(head);
            if let Some(label) = labels.get_mut(next.label) {
                label.objects.add(head);
            }
            if stat.objects.count.is_multiple_of(STEP) {
                feedback.checkpoint()?;
                feedback.advance(stat.objects.bytes - told);
                told = stat.objects.bytes;
            }
        }
        stat.subtrees = subtrees(labels, stat.objects.bytes);
        Ok(stat)
    }

    /// Counts one object and adds what it refers to; gives the length of its entry.
    fn visit(
        &self,
        at: Todo,
        depth: u64,
        value: &mut Vec<u8>,
        labels: &mut Vec<Label>,
        todo: &mut Falling<Todo>,
        stat: &mut Stat,
    ) -> Result<u64> {
        stat.depth = stat.depth.max(at.depth);
        stat.inner_depth = stat.inner_depth.max(at.inner);
        if at.kind == Kind::Contents {
            let contents = self.contents(at.offset)?;
            stat.contents.add(contents.len);
            stat.content_bytes = stat.content_bytes.saturating_add(contents.size);
            stat.largest = stat.largest.max(contents.size);
            return Ok(contents.len);
        }
        let head = self.object(at.offset, at.kind, MAX_INODE, value)?;
        if at.inner > MAX_BITS {
            return Err(Problem::new(Code::ContextShape)
                .at(Place::Context(at.offset))
                .expected(format_args!("at most {MAX_BITS} parts on the way to an entry"))
                .found("more"));
        }
        if at.kind == Kind::Root { &mut stat.directories } else { &mut stat.inner }.add(head.entry_len());
        match Inode::parse(value).map_err(|why| no_entry(at.offset, why))? {
            Inode::Values(values) => {
                for value in values.iter().flatten() {
                    let link = self.link(at.offset, value)?;
                    let below = Todo { offset: link.offset, depth: at.depth + 1, inner: 0, ..at };
                    todo.push(if link.directory {
                        let label = label(labels, at.label, link.name, depth, stat);
                        Todo { kind: Kind::Root, label, ..below }
                    } else {
                        Todo { kind: Kind::Contents, ..below }
                    })?;
                }
            }
            Inode::Tree { pointers, .. } => {
                for pointer in pointers.iter().flatten() {
                    let offset = earlier(at.offset, pointer.child)?;
                    todo.push(Todo { offset, kind: Kind::Inner, inner: at.inner + 1, ..at })?;
                }
            }
        }
        Ok(head.entry_len())
    }
}

/// The subtree of a directory in the one of its parent: its own if it is near enough to the root.
fn label(labels: &mut Vec<Label>, parent: usize, name: Vec<u8>, depth: u64, stat: &mut Stat) -> usize {
    let Some(above) = labels.get(parent) else { return parent };
    if above.path.len() as u64 >= depth {
        return parent;
    }
    if labels.len() > MAX_SUBTREES {
        stat.subtrees_left_out = true;
        return parent;
    }
    let path = above.path.iter().cloned().chain([name]).collect();
    labels.push(Label { parent, path, objects: Tally::default() });
    labels.len() - 1
}

fn subtrees(mut labels: Vec<Label>, all: u64) -> Vec<Subtree> {
    // A parent comes before its children.
    for at in (1..labels.len()).rev() {
        let Tally { count, bytes } = labels[at].objects;
        let parent = labels[at].parent;
        let above = &mut labels[parent].objects;
        above.count += count;
        above.bytes = above.bytes.saturating_add(bytes);
    }
    labels.sort_by(|a, b| a.path.cmp(&b.path));
    let counted = labels.into_iter().filter(|label| label.objects.count > 0 && !label.path.is_empty());
    counted
        .map(|label| Subtree {
            path: path::show(&label.path),
            depth: label.path.len() as u64,
            objects: label.objects,
            share: label.objects.bytes as f64 / all.max(1) as f64,
        })
        .collect()
}

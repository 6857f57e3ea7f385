//! What differs between two trees, of one context or of two.
//!
//! Subtrees, and parts of directories, with one hash are passed over without being read: the time that it takes grows with
//! what differs, not with the states. What is read is compared with its hash, so that damage is an error and never "no
//! difference". Memory: some 65 536 entries, however many differ.

mod pairs;
mod value;

use alloc::vec::Vec;

use pairs::{Pair, Pairs};

use super::parts::{Linked, Named};
use super::walk::MAX_PATH;
use super::{Context, durable};
use crate::code::Code;
use crate::feedback::Feedback;
use crate::problem::{Place, Problem, Result};
use crate::read_at::Files;

/// About so many entries are in memory at once.
const HELD: usize = 1 << 16;

/// So many entries of a directory are read in any case before they are put into order.
const LEAST: usize = 16;

/// What ends a path of the difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// Contents.
    Contents,
    /// The values of the durable storage: the directories `@`. Contents outside of them are leaves as well.
    Values,
}

/// A leaf that only one of the trees has, or that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its path, from the roots of the trees. Of a value it ends with the last step of the key.
    pub path: Vec<Vec<u8>>,
    /// What the first tree has there.
    pub before: Option<Found>,
    /// What the second tree has there.
    pub after: Option<Found>,
}

/// A leaf of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub named: Named,
    /// Its length, in bytes.
    pub size: u64,
    /// Whether it is a value of the durable storage, else contents.
    pub is_value: bool,
}

/// The leaves in which two trees differ, one by one. The entries of a directory come in the order of their names, but
/// of one in which more than 65 536 differ in several such orders, one after the other.
pub struct Diff<'l, 'r, L: Files, R: Files> {
    left: &'l Context<L>,
    right: &'r Context<R>,
    leaf: Leaf,
    path: Vec<Vec<u8>>,
    frames: Vec<Frame>,
    /// How many entries wait in all frames.
    held: usize,
}

/// A directory on the path.
struct Frame {
    pairs: Pairs,
    /// Those that were read, in the opposite order of their names.
    waiting: Vec<Pair>,
}

impl<'l, 'r, L: Files, R: Files> Diff<'l, 'r, L, R> {
    /// Compares what is at a path below two directories, such as the roots of two commits. `None`: neither has anything
    /// there.
    ///
    /// # Errors
    /// As [`Diff::next`].
    pub fn at<S: AsRef<[u8]>>(
        left: (&'l Context<L>, Named),
        right: (&'r Context<R>, Named),
        path: &[S],
        leaf: Leaf,
    ) -> Result<Option<Self>> {
        let (mut roots, mut waiting) = ((Some(left.1), Some(right.1)), Vec::new());
        let mut path: Vec<Vec<u8>> = path.iter().map(|step| step.as_ref().to_vec()).collect();
        if let Some(name) = path.pop() {
            let below =
                |side: Option<Linked>| side.filter(|side| side.link.directory).map(|side| side.named());
            for step in &path {
                roots = (below(enter(left.0, roots.0, step)?), below(enter(right.0, roots.1, step)?));
            }
            let sides = (enter(left.0, roots.0, &name)?, enter(right.0, roots.1, &name)?);
            roots = (None, None);
            match sides {
                (None, None) => return Ok(None),
                (left, right) => waiting.extend(Pair { name, left, right }.unless_same()),
            }
        }
        let (held, pairs) = (waiting.len(), Pairs::new(roots.0, roots.1));
        let frames = alloc::vec![Frame { pairs, waiting }];
        Ok(Some(Self { left: left.0, right: right.0, leaf, path, frames, held }))
    }

    /// The next leaf that differs; `None` behind the last one. After an error nothing more is given.
    ///
    /// # Errors
    /// [`Code::ContextHash`], [`Code::ContextShape`], [`Code::ContextEntry`], [`Code::ContextChild`],
    /// [`Code::ContextState`] for what is damaged; [`Code::Cancelled`]; whatever the files report.
    pub fn next(&mut self, feedback: &dyn Feedback) -> Result<Option<Change>> {
        let next = self.step(feedback);
        if next.is_err() {
            self.frames.clear();
        }
        next
    }

    fn step(&mut self, feedback: &dyn Feedback) -> Result<Option<Change>> {
        while let Some(pair) = self.pair(feedback)? {
            feedback.checkpoint()?;
            let Pair { name, left, right } = pair;
            let opens = |side: &Option<Linked>| side.as_ref().is_some_and(|side| self.is_opened(side));
            let (opens_left, opens_right) = (opens(&left), opens(&right));
            if !opens_left && !opens_right {
                return self.change(name, left, right).map(Some);
            }
            if opens_left != opens_right && left.is_some() && right.is_some() {
                // One has a leaf where the other one has a directory: a leaf that goes or comes, and all below the other.
                let (leaf, directory) = match opens_left {
                    true => ((None, right), (left, None)),
                    false => ((left, None), (None, right)),
                };
                self.wait(Pair { name: name.clone(), left: directory.0, right: directory.1 });
                return self.change(name, leaf.0, leaf.1).map(Some);
            }
            if self.frames.len() >= MAX_PATH {
                let offset = left.or(right).map_or(0, |side| side.link.offset);
                return Err(Problem::new(Code::ContextShape)
                    .at(Place::Context(offset))
                    .expected(format_args!("a path of at most {MAX_PATH} steps"))
                    .found("a longer one"));
            }
            let named = |side: Option<Linked>| side.map(|side| side.named());
            self.path.push(name);
            let pairs = Pairs::new(named(left), named(right));
            self.frames.push(Frame { pairs, waiting: Vec::new() });
        }
        Ok(None)
    }

    /// Whether an entry is a directory of which the entries are looked at.
    fn is_opened(&self, side: &Linked) -> bool {
        side.link.directory && !(self.leaf == Leaf::Values && side.link.name == durable::VALUE)
    }

    /// The next entry, of the innermost directory that has one.
    fn pair(&mut self, feedback: &dyn Feedback) -> Result<Option<Pair>> {
        while let Some(frame) = self.frames.last_mut() {
            if frame.waiting.is_empty() {
                let most = (HELD.saturating_sub(self.held) / 2).max(LEAST);
                while frame.waiting.len() < most
                    && frame.pairs.next(self.left, self.right, &mut frame.waiting)?
                {
                    feedback.checkpoint()?;
                }
                frame.waiting.sort_unstable_by(|a, b| b.name.cmp(&a.name));
                self.held += frame.waiting.len();
            }
            if let Some(pair) = frame.waiting.pop() {
                self.held -= 1;
                return Ok(Some(pair));
            }
            self.frames.pop();
            self.path.pop();
        }
        Ok(None)
    }

    fn wait(&mut self, pair: Pair) {
        if let Some(frame) = self.frames.last_mut() {
            frame.waiting.push(pair);
            self.held += 1;
        }
    }

    fn change(&self, name: Vec<u8>, left: Option<Linked>, right: Option<Linked>) -> Result<Change> {
        let mut path = self.path.clone();
        if self.leaf != Leaf::Values || name != durable::VALUE {
            path.push(name);
        }
        let before = left.map(|side| value::found(self.left, &side)).transpose()?;
        let after = right.map(|side| value::found(self.right, &side)).transpose()?;
        Ok(Change { path, before, after })
    }
}

/// The entry of this name in a directory, if there is one.
fn enter<F: Files>(context: &Context<F>, directory: Option<Named>, name: &[u8]) -> Result<Option<Linked>> {
    directory.map_or(Ok(None), |directory| context.named_entry(&directory, name))
}

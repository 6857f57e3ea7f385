//! What a proof shows.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::Proof;
use super::node::{Child, Shape, child};
use crate::context::durable;
use crate::context::pack::Kind;
use crate::encoding::Malformed;

/// What a proof says of a path in the tree of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'p> {
    /// The state has nothing there.
    Absent,
    /// A directory is there.
    Directory,
    /// These contents are there.
    Contents(&'p [u8]),
    /// Contents are there; the proof leaves out which.
    HiddenContents,
    /// The proof leaves out that part of the state.
    Hidden,
}

/// What a proof says of a key of the durable storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyAnswer {
    /// The state has no value there.
    Absent,
    /// This is the value.
    Value(Vec<u8>),
    /// There is something, but no value as a kernel writes one: why.
    Malformed(Malformed),
    /// The proof leaves out that part of the state.
    Hidden,
}

/// Contents or a value that a proof shows.
#[derive(Debug)]
pub enum Shown<'a, 'p> {
    /// A key of the durable storage, and its value.
    Key(&'a [&'p [u8]], Vec<u8>),
    /// A path in the tree of the state, and the contents there; part of a value too, where the rest of it is left out.
    Path(&'a [&'p [u8]], &'p [u8]),
}

impl Proof {
    /// What is at a path in the tree of the state.
    pub fn get<S: AsRef<[u8]>>(&self, path: &[S]) -> Answer<'_> {
        match self.node_at(0, path) {
            Child::None => Answer::Absent,
            Child::Hidden => Answer::Hidden,
            Child::Node(node) => match self.nodes.get(node) {
                Some(node) if node.kind == Kind::Root => Answer::Directory,
                Some(node) => match &node.shape {
                    Shape::Value(bytes) => Answer::Contents(bytes),
                    _ => Answer::HiddenContents,
                },
                None => Answer::Absent,
            },
        }
    }

    /// What is at a key of the durable storage.
    pub fn key<S: AsRef<[u8]>>(&self, key: &[S]) -> KeyAnswer {
        let mut path = vec![durable::ROOT];
        path.extend(key.iter().map(AsRef::as_ref));
        path.push(durable::VALUE);
        match self.node_at(0, &path) {
            Child::None => KeyAnswer::Absent,
            Child::Hidden => KeyAnswer::Hidden,
            Child::Node(node) => match self.nodes.get(node).map(|node| node.kind) {
                Some(Kind::Root) => self.value(node),
                // Contents of that name are no value.
                _ => KeyAnswer::Absent,
            },
        }
    }

    /// Gives everything that it shows, in the order in which it is in the proof.
    ///
    /// # Errors
    /// Those of `each`.
    pub fn shown<'p, E>(&'p self, mut each: impl FnMut(Shown<'_, 'p>) -> Result<(), E>) -> Result<(), E> {
        let mut path: Vec<&'p [u8]> = Vec::new();
        // The one that comes next is last; `None`: the last step of the path is done.
        let mut next: Vec<Option<Reached<'p>>> = vec![Some((None, 0))];
        while let Some(item) = next.pop() {
            let Some((name, at)) = item else {
                path.pop();
                continue;
            };
            if let Some(name) = name {
                path.push(name);
                next.push(None);
            }
            let Some(node) = self.nodes.get(at) else { continue };
            match &node.shape {
                Shape::Blinded(_) => {}
                Shape::Value(bytes) => each(Shown::Path(&path, bytes))?,
                Shape::Parts(_, parts) => {
                    next.extend(parts.iter().rev().flatten().map(|part| Some((None, *part))));
                }
                Shape::Extender(_, _, below) => next.push(Some((None, *below))),
                Shape::Entries(entries) => {
                    if let [durable::ROOT, key @ .., durable::VALUE] = &path[..]
                        && let KeyAnswer::Value(value) = self.value(at)
                    {
                        each(Shown::Key(key, value))?;
                        continue;
                    }
                    next.extend(entries.iter().rev().map(|(name, node)| Some((Some(&name[..]), *node))));
                }
            }
        }
        Ok(())
    }

    fn node_at<S: AsRef<[u8]>>(&self, from: usize, path: &[S]) -> Child {
        let mut at = from;
        for step in path {
            match child(&self.nodes, at, step.as_ref()) {
                Child::Node(node) => at = node,
                other => return other,
            }
        }
        Child::Node(at)
    }

    /// The contents of this name in a directory.
    fn contents(&self, directory: usize, name: &[u8]) -> Result<&[u8], KeyAnswer> {
        match child(&self.nodes, directory, name) {
            Child::Hidden => Err(KeyAnswer::Hidden),
            Child::None => Err(KeyAnswer::Malformed(Malformed("a part of the value is missing"))),
            Child::Node(node) => match self.nodes.get(node).map(|node| &node.shape) {
                Some(Shape::Value(bytes)) => Ok(bytes),
                Some(Shape::Blinded(_)) => Err(KeyAnswer::Hidden),
                _ => Err(KeyAnswer::Malformed(Malformed("a part of the value is a directory"))),
            },
        }
    }

    /// The value in a directory `@`.
    fn value(&self, directory: usize) -> KeyAnswer {
        self.value_in(directory).map_or_else(|answer| answer, KeyAnswer::Value)
    }

    fn value_in(&self, directory: usize) -> Result<Vec<u8>, KeyAnswer> {
        let malformed = |why| KeyAnswer::Malformed(Malformed(why));
        let length = self.contents(directory, durable::LENGTH)?;
        let length: [u8; 8] =
            length.try_into().map_err(|_| malformed("the length of the value has not 8 bytes"))?;
        let length = usize::try_from(u64::from_be_bytes(length)).unwrap_or(usize::MAX);
        let mut value = Vec::new();
        for number in 0.. {
            if value.len() >= length {
                break;
            }
            let chunks = match child(&self.nodes, directory, durable::CONTENTS) {
                Child::Node(chunks) => chunks,
                Child::Hidden => return Err(KeyAnswer::Hidden),
                Child::None => return Err(malformed("the value has no chunks")),
            };
            let chunk = self.contents(chunks, format!("{number}").as_bytes())?;
            if chunk.is_empty() {
                return Err(malformed("a chunk of the value is empty"));
            }
            value.extend_from_slice(chunk);
        }
        // The last chunk may be filled up with zeros.
        value.truncate(length);
        Ok(value)
    }
}

/// A node, and the step that leads to it where there is one.
type Reached<'p> = (Option<&'p [u8]>, usize);

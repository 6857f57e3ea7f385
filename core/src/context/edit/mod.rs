//! A tree that changes: what a PVM computes on between two commits.
//!
//! A [`Tree`] is a directory, or nothing. It is a value: a clone costs nothing, and a change of one
//! is not seen by the others; a subtree taken out of a tree ([`Tree::find_tree`]) and put in again
//! elsewhere ([`Tree::add_tree`]) is shared, not copied. It can stand on a stored context
//! ([`Tree::load`]), of which it loads what is asked for.
//!
//! A directory is held in the parts that it is stored in, with a hash each. So a change costs the way
//! to it, however many entries there are beside, and what did not change is never hashed again.
//!
//! The rules are those of the nodes' library, as their PVM uses it:
//! * there are no empty directories: whoever removes the last entry removes the directory, and
//!   adding an empty tree is removing;
//! * a name leads to contents or to a directory, never to both: adding one replaces the other, and
//!   contents on the way to what is added make room for directories;
//! * adding what is there already changes nothing.
//!
//! The entries of a directory can be listed in two [`Order`]s, and which one it is depends on what
//! was done to the tree since the last commit, as in the nodes' library:
//! * a stored directory lists its entries as they are stored, a new one by name;
//! * a changed one lists them by name, and a directory that did so goes on until it is committed;
//! * but where entries were only removed, or stored subtrees put in, counting or hashing the
//!   directory before that brings it back to the order in which it would be stored.
//!
//! So some questions have effects, which are documented with each of them. These effects go with the
//! directory wherever it is shared, also where only `&self` is at hand; nothing else hangs on them.

mod batch;
mod change;
mod directory;
mod effects;
mod found;
mod hash;
mod known;
mod list;
mod look;
mod names;
mod objects;
mod once;
mod part;
mod persist;
mod put;
mod same;
mod shrink;
mod value;
mod way;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use directory::{Below, Directory};
use part::{Part, Stub};
use way::Name;

use super::pack::{Hash, hashing};
use crate::problem::Result;

pub use effects::Effects;
pub use look::{Look, Subtree};
pub use objects::{MAX_CONTENTS, ObjectStore, Source};
pub use persist::{NewEntry, NewObject, Persist, Written};
pub use way::Path;

/// The bytes of one key, shared.
pub type Bytes = Arc<[u8]>;

/// A directory, or nothing.
#[derive(Clone, Default)]
pub struct Tree {
    root: Option<Arc<Directory>>,
    /// Where it writes down what questions do.
    effects: Option<Effects>,
}

/// What is at a path.
#[derive(Clone, Debug)]
pub enum Node {
    /// Contents: the bytes of one key.
    Value(Bytes),
    /// A directory that is not empty.
    Directory(Tree),
}

/// In which order the entries of a directory come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// In the order of the bits of the hash of the name, as they are stored.
    Trie,
    /// In the order of the bytes of the name.
    Name,
}

/// Some of the entries of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// In which order the directory lists its entries.
    pub order: Order,
    /// The names that were asked for, and whether each leads to a directory.
    pub entries: Vec<(Bytes, bool)>,
}

impl Tree {
    /// The empty tree.
    pub const fn new() -> Self {
        Self { root: None, effects: None }
    }

    /// The stored directory at a global offset. Nothing is read before it is needed, not even
    /// whether there is a directory.
    pub fn load(store: &Arc<ObjectStore>, offset: u64) -> Self {
        let root = Part::Stored(Arc::new(Stub::new(store, offset)));
        Self::of(Arc::new(Directory::stored(root, 0)))
    }

    const fn of(directory: Arc<Directory>) -> Self {
        Self { root: Some(directory), effects: None }
    }

    /// The same tree, which writes down what questions do to it, or no more. Trees that are taken out of it do not.
    pub fn noting(self, effects: Option<Effects>) -> Self {
        Self { effects, ..self }
    }

    /// Whether it is empty: no directory at all.
    pub const fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// What is at a path; the tree itself at the empty path.
    ///
    /// # Errors
    /// [`Code::ContextChild`](crate::Code::ContextChild), [`Code::ContextEntry`](crate::Code::ContextEntry),
    /// [`Code::ContextShape`](crate::Code::ContextShape) for what is malformed on the way,
    /// [`Code::ContextHash`](crate::Code::ContextHash) for contents that do not have their hash;
    /// whatever the files report.
    pub fn get<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<Option<Node>> {
        match self.walk(path)? {
            None => Ok(None),
            Some(Below::Value(value)) => value.bytes().map(|bytes| Some(Node::Value(bytes))),
            Some(_) => Ok(self.find_tree(path)?.map(Node::Directory)),
        }
    }

    /// The contents at a path; `None` when there is nothing, or a directory.
    ///
    /// # Errors
    /// As [`Tree::get`].
    pub fn find<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<Option<Bytes>> {
        match self.walk(path)? {
            Some(Below::Value(value)) => value.bytes().map(Some),
            _ => Ok(None),
        }
    }

    /// The directory at a path; `None` when there is nothing, or contents. It remembers what is asked
    /// of it as the one in this tree does, until that is changed.
    ///
    /// # Errors
    /// As [`Tree::get`].
    pub fn find_tree<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<Option<Self>> {
        let Some(mut at) = self.root.as_ref().map(Below::Object) else { return Ok(None) };
        let mut whole: Option<Arc<Directory>> = None;
        for step in path {
            let step = Name::new(step.as_ref());
            let Some(next) = at.child(&step)? else { return Ok(None) };
            whole = match (next, at) {
                (Below::Value(_), _) => return Ok(None),
                (Below::Object(directory), _) => Some(directory.clone()),
                (Below::Content(part), Below::Object(above)) => Some(above.find(&step, part)),
                (Below::Content(part), _) => whole.map(|above| above.find(&step, part)),
            };
            at = next;
        }
        Ok(whole.or_else(|| self.root.clone()).map(Self::of))
    }

    /// Whether there are contents at a path.
    ///
    /// # Errors
    /// As [`Tree::get`].
    pub fn mem<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<bool> {
        Ok(matches!(self.walk(path)?, Some(Below::Value(_))))
    }

    /// Whether there is a directory at a path.
    ///
    /// # Errors
    /// As [`Tree::get`].
    pub fn mem_tree<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<bool> {
        Ok(matches!(self.walk(path)?, Some(Below::Object(_) | Below::Content(_))))
    }

    /// How many entries the directory at a path has; 0 when there is none.
    ///
    /// Counting has an effect on a directory that is changed and was neither listed nor counted: it is
    /// hashed, and if entries were only removed, or stored subtrees put in, it is in [`Order::Trie`]
    /// again.
    ///
    /// # Errors
    /// As [`Tree::get`]; those of [`Tree::hash`].
    pub fn length<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<u64> {
        // A stored directory remembers it too.
        let tree = self.find_tree(path)?;
        tree.and_then(|tree| tree.root).map_or(Ok(0), |directory| directory.count(self.effects.as_ref()))
    }

    /// The entries of the directory at a path, `len` of them from number `offset` on, in the order
    /// that the directory has now; `None` when there is no directory.
    ///
    /// Listing has an effect: a directory that was listed in [`Order::Name`] stays so until it is
    /// committed.
    ///
    /// # Errors
    /// As [`Tree::get`].
    pub fn list<S: AsRef<[u8]>>(&self, path: &[S], offset: u64, len: u64) -> Result<Option<Listing>> {
        match self.walk(path)? {
            Some(Below::Object(directory)) => directory.list(offset, len, self.effects.as_ref()).map(Some),
            Some(Below::Content(part)) => list::stored(part, offset, len).map(Some),
            Some(Below::Value(_)) | None => Ok(None),
        }
    }

    /// The hash of the tree; of the empty one that of a directory without entries, which no node
    /// stores.
    ///
    /// Hashing has the effect of [`Tree::length`] on every directory in it that is changed and not
    /// hashed.
    ///
    /// # Errors
    /// As [`Tree::get`]: the hashes of what is stored beside a change are read.
    pub fn hash(&self) -> Result<Hash> {
        match &self.root {
            Some(directory) => directory.hash(self.effects.as_ref()),
            None => {
                let mut image = Vec::new();
                hashing::put_root(core::iter::empty(), &mut image);
                Ok(hashing::hash(&image))
            }
        }
    }

    /// The hash of the directory at a path, as [`Tree::hash`] has it; `None` when there is none.
    ///
    /// # Errors
    /// As [`Tree::hash`].
    pub fn hash_of<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<Option<Hash>> {
        match self.walk(path)? {
            Some(Below::Object(directory)) => directory.hash(self.effects.as_ref()).map(Some),
            Some(Below::Content(part)) => part.hash(0).map(Some),
            Some(Below::Value(_)) | None => Ok(None),
        }
    }

    /// What a commit does to the tree, as the nodes make one: all of it is hashed, and counts as
    /// stored from now on. Nothing is written; that is [`Tree::persist`].
    ///
    /// # Errors
    /// As [`Tree::hash`].
    pub fn commit(&mut self) -> Result<()> {
        if let Some(directory) = &mut self.root {
            // Clones of the tree are not committed with it.
            let effects = Effects::new();
            directory.hash(Some(&effects))?;
            effects.undo();
            *directory = Arc::new(Directory::stored(directory.root.clone(), 0));
        }
        Ok(())
    }

    /// What is at a path, not looked at as a whole.
    fn walk<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<Option<Below<'_>>> {
        let Some(mut at) = self.root.as_ref().map(Below::Object) else { return Ok(None) };
        for step in path {
            match at.child(&Name::new(step.as_ref()))? {
                Some(next) => at = next,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "Tree(nothing)" } else { "Tree(a directory)" })
    }
}

#[cfg(test)]
mod tests;

//! A tree that changes: what a PVM computes on between two commits.
//!
//! A [`Tree`] is a directory, or nothing. It is a value: a clone costs nothing, and a change of one
//! is not seen by the others; a subtree taken out of a tree ([`Tree::find_tree`]) and put in again
//! elsewhere ([`Tree::add_tree`]) is shared, not copied. Its hash is kept by part, so that after a
//! change only what is on the way to it is hashed.
//!
//! The rules are those of the nodes' library, as their PVM uses it:
//! * there are no empty directories: whoever removes the last entry removes the directory, and
//!   adding an empty tree is removing;
//! * a name leads to contents or to a directory, never to both: adding one replaces the other, and
//!   contents on the way to what is added make room for directories;
//! * adding what is there already changes nothing.
//!
//! The entries of a directory can be listed in two [`Order`]s, and which one it is depends on what
//! was done to the tree. So some questions have effects, which are documented with each of them; a
//! question without such a note has none.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::pack::{ENTRIES, Hash, hashing};
use crate::code::Code;
use crate::problem::{Problem, Result};

/// The bytes of one key, shared.
pub type Bytes = Arc<[u8]>;

/// Longest name of an entry, in bytes.
const MAX_NAME: usize = 64 << 10;

/// Depth in a directory at which no name is told from another any more.
const MAX_DEPTH: u32 = 50;

/// A directory, or nothing.
#[derive(Clone, Debug, Default)]
pub struct Tree(Option<Arc<Directory>>);

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

#[derive(Clone, Debug)]
struct Directory {
    entries: BTreeMap<Bytes, Node>,
    stored: bool,
}

impl Tree {
    /// The empty tree.
    pub const fn new() -> Self {
        Self(None)
    }

    /// Whether it is empty: no directory at all.
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// What is at a path; the tree itself at the empty path.
    ///
    /// # Errors
    /// What is malformed on the way, or cannot be read.
    pub fn get<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<Option<Node>> {
        let Some(mut directory) = self.0.as_ref() else { return Ok(None) };
        let Some((last, way)) = path.split_last() else {
            return Ok(Some(Node::Directory(self.clone())));
        };
        for step in way {
            match directory.entries.get(step.as_ref()) {
                Some(Node::Directory(Self(Some(next)))) => directory = next,
                _ => return Ok(None),
            }
        }
        Ok(directory.entries.get(last.as_ref()).cloned())
    }

    /// The contents at a path; `None` when there is nothing, or a directory.
    ///
    /// # Errors
    /// As [`Tree::get`].
    pub fn find<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<Option<Bytes>> {
        Ok(self.get(path)?.and_then(|node| match node {
            Node::Value(bytes) => Some(bytes),
            Node::Directory(_) => None,
        }))
    }

    /// The directory at a path; `None` when there is nothing, or contents.
    ///
    /// # Errors
    /// As [`Tree::get`].
    pub fn find_tree<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<Option<Self>> {
        Ok(self.get(path)?.and_then(|node| match node {
            Node::Value(_) => None,
            Node::Directory(tree) => Some(tree),
        }))
    }

    /// Whether there are contents at a path.
    ///
    /// # Errors
    /// As [`Tree::get`].
    pub fn mem<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<bool> {
        Ok(matches!(self.get(path)?, Some(Node::Value(_))))
    }

    /// Whether there is a directory at a path.
    ///
    /// # Errors
    /// As [`Tree::get`].
    pub fn mem_tree<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<bool> {
        Ok(matches!(self.get(path)?, Some(Node::Directory(_))))
    }

    /// Puts contents at a path, in place of whatever is there.
    ///
    /// # Errors
    /// [`Code::ContextShape`] for the empty path, and for a name that is empty or longer than 64 KiB;
    /// as [`Tree::get`].
    pub fn add<S: AsRef<[u8]>>(&mut self, path: &[S], bytes: impl Into<Bytes>) -> Result<()> {
        if path.is_empty() {
            return Err(Problem::new(Code::ContextShape).expected("a directory").found("contents"));
        }
        self.put(path, Some(Node::Value(bytes.into())))
    }

    /// Puts a directory at a path, in place of whatever is there; an empty one removes.
    ///
    /// # Errors
    /// As [`Tree::add`], but the empty path is the tree itself.
    pub fn add_tree<S: AsRef<[u8]>>(&mut self, path: &[S], tree: Self) -> Result<()> {
        if path.is_empty() {
            *self = tree;
            return Ok(());
        }
        let node = if tree.is_empty() { None } else { Some(Node::Directory(tree)) };
        self.put(path, node)
    }

    /// Removes what is at a path, and the directories that are empty then; nothing at the path is no
    /// error.
    ///
    /// # Errors
    /// As [`Tree::get`].
    pub fn remove<S: AsRef<[u8]>>(&mut self, path: &[S]) -> Result<()> {
        if path.is_empty() {
            *self = Self::new();
            return Ok(());
        }
        self.put(path, None)
    }

    /// How many entries the directory at a path has; 0 when there is none.
    ///
    /// Counting has an effect on the order of a directory that was changed since it was stored: if
    /// entries were only removed, or subtrees put in that are stored themselves, it returns to
    /// [`Order::Trie`].
    ///
    /// # Errors
    /// As [`Tree::get`].
    pub fn length<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<u64> {
        let tree = self.find_tree(path)?;
        Ok(tree.and_then(|tree| tree.0).map_or(0, |directory| directory.entries.len() as u64))
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
        let Some(Self(Some(directory))) = self.find_tree(path)? else { return Ok(None) };
        let mut names: Vec<(&Bytes, &Node)> = directory.entries.iter().collect();
        let order = if directory.stored { Order::Trie } else { Order::Name };
        if order == Order::Trie {
            sort_by_trie(&mut names, 0);
        }
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let entries = names.into_iter().skip(offset).take(len);
        let entries = entries.map(|(name, node)| (name.clone(), matches!(node, Node::Directory(_))));
        Ok(Some(Listing { order, entries: entries.collect() }))
    }

    /// The hash of the tree; of the empty one that of a directory without entries, which no node
    /// stores.
    ///
    /// Hashing has the effect of [`Tree::length`] on every directory below that is changed and not
    /// hashed yet.
    ///
    /// # Errors
    /// As [`Tree::get`]: the hashes of what is stored beside a change are read.
    pub fn hash(&self) -> Result<Hash> {
        let mut image = Vec::new();
        match &self.0 {
            None => hashing::put_root(core::iter::empty(), &mut image),
            Some(directory) => return directory.hash(),
        }
        Ok(hashing::hash(&image))
    }

    /// Marks everything as stored, as a commit does: each directory lists its entries in
    /// [`Order::Trie`] until it is changed.
    ///
    /// # Errors
    /// As [`Tree::hash`].
    pub fn commit(&mut self) -> Result<()> {
        if let Some(directory) = &self.0 {
            let mut entries = BTreeMap::new();
            for (name, node) in &directory.entries {
                let mut node = node.clone();
                if let Node::Directory(tree) = &mut node {
                    tree.commit()?;
                }
                entries.insert(name.clone(), node);
            }
            self.0 = Some(Arc::new(Directory { entries, stored: true }));
        }
        Ok(())
    }

    fn put<S: AsRef<[u8]>>(&mut self, path: &[S], node: Option<Node>) -> Result<()> {
        let Some((step, rest)) = path.split_first() else { return Ok(()) };
        let step = step.as_ref();
        if node.is_some() && (step.is_empty() || step.len() > MAX_NAME) {
            let found = "a name that is empty or longer than 64 KiB";
            return Err(Problem::new(Code::ContextShape).found(found));
        }
        let old = self.0.as_ref().and_then(|directory| directory.entries.get(step)).cloned();
        let new = if rest.is_empty() {
            if let (Some(Node::Value(old)), Some(Node::Value(new))) = (&old, &node)
                && old == new
            {
                return Ok(());
            }
            node
        } else {
            let mut below = match old.clone() {
                Some(Node::Directory(tree)) => tree,
                _ if node.is_none() => return Ok(()),
                _ => Self::new(),
            };
            below.put(rest, node)?;
            if below.is_empty() { None } else { Some(Node::Directory(below)) }
        };
        if old.is_none() && new.is_none() {
            return Ok(());
        }
        let mut entries = self.0.as_ref().map(|directory| directory.entries.clone()).unwrap_or_default();
        match new {
            Some(node) => entries.insert(step.into(), node),
            None => entries.remove(step),
        };
        self.0 = (!entries.is_empty()).then(|| Arc::new(Directory { entries, stored: false }));
        Ok(())
    }
}

impl Directory {
    fn hash(&self) -> Result<Hash> {
        let mut hashed = Vec::new();
        for (name, node) in &self.entries {
            hashed.push(match node {
                Node::Value(bytes) => (&**name, false, hashing::contents(bytes)),
                Node::Directory(tree) => (&**name, true, tree.hash()?),
            });
        }
        hash_part(&mut hashed, 0)
    }
}

fn sort_by_trie<T>(names: &mut [(&Bytes, T)], _: u32) {
    names.sort_by_cached_key(|(name, _)| hashing::bits(name));
    // Those that share a part that is not split any more come in the order of names.
    fn last<T>(names: &mut [(&Bytes, T)], depth: u32) {
        if names.len() <= ENTRIES || depth >= MAX_DEPTH {
            names.sort_by(|a, b| a.0.cmp(b.0));
            return;
        }
        let ones = names.partition_point(|(name, _)| hashing::bits(name) << depth >> 63 == 0);
        let (zeros, ones) = names.split_at_mut(ones);
        last(zeros, depth + 1);
        last(ones, depth + 1);
    }
    last(names, 0);
}

fn hash_part(entries: &mut [(&[u8], bool, Hash)], depth: u32) -> Result<Hash> {
    let mut image = Vec::new();
    if entries.len() <= ENTRIES {
        entries.sort_unstable_by_key(|entry| entry.0);
        let entries = entries.iter().copied();
        if depth == 0 {
            hashing::put_root(entries, &mut image);
        } else {
            hashing::put_values(entries, &mut image);
        }
        return Ok(hashing::hash(&image));
    }
    if depth >= MAX_DEPTH {
        return Err(Problem::new(Code::ContextShape).found("names that cannot be told apart"));
    }
    let len = entries.len() as u64;
    let (mut halves, mut hashes) = ([Vec::new(), Vec::new()], Vec::new());
    for entry in entries.iter() {
        let bit = usize::from(hashing::bits(entry.0) << depth >> 63 == 1);
        if let Some(half) = halves.get_mut(bit) {
            half.push(*entry);
        }
    }
    for (index, half) in (0..).zip(&mut halves) {
        if !half.is_empty() {
            hashes.push((index, hash_part(half, depth + 1)?));
        }
    }
    hashing::put_tree(u64::from(depth), len, hashes.into_iter(), &mut image);
    Ok(hashing::hash(&image))
}

#[cfg(test)]
mod tests;

//! Adding and removing at a path.
//!
//! What is needed for it is looked at first, down to the bits; then the directories on the path are
//! changed from the root down, in place where nobody else holds them.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::directory::{Below, Directory, Form, HASHED};
use super::part::{Child, Entry};
use super::value::Value;
use super::way::{Name, Path};
use super::{Bytes, Node, Tree, change};
use crate::code::Code;
use crate::context::pack::Hash;
use crate::problem::{Problem, Result};

/// Longest name of an entry, in bytes.
const MAX_NAME: usize = 64 << 10;

/// How an entry of a directory is changed.
enum Edit {
    /// It leads elsewhere.
    Replace(Child),
    /// It is new.
    Insert(Child),
    /// It goes.
    Remove,
}

impl Tree {
    /// Puts contents at a path, in place of whatever is there.
    ///
    /// # Errors
    /// [`Code::ContextShape`] for the empty path, and for a name that is empty or longer than 64 KiB;
    /// as [`Tree::get`]. The tree is as it was then.
    pub fn add<S: AsRef<[u8]>>(&mut self, path: &[S], bytes: impl Into<Bytes>) -> Result<()> {
        if path.is_empty() {
            return Err(no_directory());
        }
        self.put(&names(path), Child::NewValue(Arc::new(Value::new(bytes.into()))))
    }

    /// As [`Tree::add`], on a path that is at hand.
    ///
    /// # Errors
    /// As [`Tree::add`].
    pub fn add_on(&mut self, path: &Path<'_>, node: Node) -> Result<()> {
        match node {
            Node::Directory(tree) if tree.is_empty() => self.remove_on(path.names()),
            Node::Directory(tree) if path.names().is_empty() => {
                *self = tree;
                Ok(())
            }
            Node::Value(_) if path.names().is_empty() => Err(no_directory()),
            node => match node.to_child() {
                Some(child) => self.put(path.names(), child),
                None => Ok(()),
            },
        }
    }

    /// A new tree with two entries, as if they were added one after the other.
    ///
    /// # Errors
    /// As [`Tree::add_tree`].
    pub fn pair(entries: [(&[u8], Node); 2]) -> Result<Self> {
        let [(first, one), (second, other)] = &entries;
        if first < second
            && is_name(first)
            && is_name(second)
            && let (Some(one), Some(other)) = (one.to_child(), other.to_child())
        {
            let entry = |name: &[u8], child| Entry { name: name.into(), child };
            return Ok(Self::of(Arc::new(Directory::pair([entry(first, one), entry(second, other)]))));
        }
        let mut tree = Self::new();
        for (name, node) in entries {
            match node {
                Node::Value(bytes) => tree.add(&[name], bytes)?,
                Node::Directory(below) => tree.add_tree(&[name], below)?,
            }
        }
        Ok(tree)
    }

    /// Puts a directory at a path, in place of whatever is there; an empty one removes.
    ///
    /// # Errors
    /// As [`Tree::add`], but the empty path is the tree itself.
    pub fn add_tree<S: AsRef<[u8]>>(&mut self, path: &[S], tree: Self) -> Result<()> {
        match tree.root {
            None => self.remove(path),
            Some(directory) if path.is_empty() => {
                self.root = Some(directory);
                Ok(())
            }
            Some(directory) => self.put(&names(path), Child::Object(directory)),
        }
    }

    /// Removes what is at a path, and the directories that are empty then; nothing at the path is no
    /// error.
    ///
    /// # Errors
    /// As [`Tree::get`]. The tree is as it was then.
    pub fn remove<S: AsRef<[u8]>>(&mut self, path: &[S]) -> Result<()> {
        self.remove_on(&names(path))
    }

    fn remove_on(&mut self, path: &[Name<'_>]) -> Result<()> {
        let Some(mut at) = self.root.as_ref().map(Below::Object) else { return Ok(()) };
        // Which directory on the path is the last one to keep an entry.
        let mut keeps = None;
        for (depth, step) in path.iter().enumerate() {
            let Some(root) = at.root() else { return Ok(()) };
            let Some(next) = at.meet(step)? else { return Ok(()) };
            if root.inode(0, 0)?.len > 1 {
                keeps = Some((depth, step, root));
            }
            at = next;
        }
        let Some((depth, step, root)) = keeps else {
            self.root = None;
            return Ok(());
        };
        change::prepare_remove(root, step)?;
        self.change(path.get(..=depth).unwrap_or_default(), Edit::Remove)
    }

    fn put(&mut self, path: &[Name<'_>], child: Child) -> Result<()> {
        if !path.iter().all(|step| is_name(step)) {
            let found = "a name that is empty or longer than 64 KiB";
            return Err(Problem::new(Code::ContextShape).found(found));
        }
        let Some(mut at) = self.root.as_ref().map(Below::Object) else {
            if let Child::Object(directory) = made(path, child) {
                self.root = Some(directory);
            }
            return Ok(());
        };
        for (depth, step) in path.iter().enumerate() {
            let rest = path.get(depth + 1..).unwrap_or_default();
            let edit = match at.meet(step)? {
                None => {
                    if let Some(root) = at.root() {
                        change::prepare_insert(root, step)?;
                    }
                    Edit::Insert(made(rest, child))
                }
                Some(old) if rest.is_empty() => {
                    if same(old, &child)? {
                        return Ok(());
                    }
                    Edit::Replace(child)
                }
                Some(Below::Value(_)) => Edit::Replace(made(rest, child)),
                Some(next) => {
                    at = next;
                    continue;
                }
            };
            return self.change(path.get(..=depth).unwrap_or_default(), edit);
        }
        Ok(())
    }

    /// Changes the entry at the end of a path, on which everything else is a directory. All that is on the way was met.
    fn change(&mut self, path: &[Name<'_>], edit: Edit) -> Result<()> {
        let (Some(mut directory), Some((last, way))) = (self.root.as_mut(), path.split_last()) else {
            return Ok(());
        };
        for step in way {
            directory = Directory::own(directory).below_mut(step)?;
        }
        Directory::own(directory).edit(last, edit)
    }
}

fn no_directory() -> Problem {
    Problem::new(Code::ContextShape).expected("a directory").found("contents")
}

fn is_name(step: &[u8]) -> bool {
    !step.is_empty() && step.len() <= MAX_NAME
}

fn names<S: AsRef<[u8]>>(path: &[S]) -> Vec<Name<'_>> {
    path.iter().map(|step| Name::new(step.as_ref())).collect()
}

impl Node {
    /// As the child of a new directory; nothing for a tree that is empty.
    fn to_child(&self) -> Option<Child> {
        match self {
            Self::Value(bytes) => Some(Child::NewValue(Arc::new(Value::new(bytes.clone())))),
            Self::Directory(tree) => tree.root.clone().map(Child::Object),
        }
    }
}

impl Directory {
    /// The subdirectory of a name that is there and was met, to be changed: with it this one changes.
    fn below_mut(&mut self, name: &Name<'_>) -> Result<&mut Arc<Self>> {
        let met = name.met();
        let found = if met.object { None } else { self.found(name) };
        self.touch();
        let child = change::entry_mut(&mut self.root, self.epoch, name, met.fresh, true)?;
        if !met.object {
            let part = child.root().ok_or_else(super::objects::lost)?;
            *child = Child::Object(Arc::new(Self::stored_as(found.as_ref(), part)));
        }
        match child {
            Child::Object(directory) => Ok(directory),
            _ => Err(super::objects::lost()),
        }
    }

    fn edit(&mut self, name: &Name<'_>, edit: Edit) -> Result<()> {
        let was = name.met().fresh;
        self.touch();
        let names = self.names.get().cloned();
        self.names = once_cell::race::OnceBox::new();
        let epoch = self.epoch;
        let names = match edit {
            Edit::Replace(new) => {
                let will_be = new.is_fresh();
                *change::entry_mut(&mut self.root, epoch, name, was, will_be)? = new;
                names
            }
            Edit::Insert(child) => {
                let bytes = Bytes::from(&**name);
                change::insert(&mut self.root, epoch, name, Entry { name: bytes.clone(), child })?;
                names.map(|mut names| {
                    names.insert(bytes);
                    names
                })
            }
            Edit::Remove => {
                change::remove(&mut self.root, epoch, name, was)?;
                names.map(|mut names| {
                    names.remove(name);
                    names
                })
            }
        };
        if let Some(names) = names {
            super::objects::set(&self.names, names);
        }
        Ok(())
    }

    /// The hash, if it is known without an effect.
    fn known_hash(&self) -> Result<Option<Hash>> {
        if self.form == Form::Stored || self.has(HASHED) { self.root.hash(0).map(Some) } else { Ok(None) }
    }
}

/// Directories along a path, each with one entry, the last one with this child.
fn made(path: &[Name<'_>], child: Child) -> Child {
    path.iter()
        .rev()
        .fold(child, |child, step| Child::Object(Arc::new(Directory::single((&**step).into(), child))))
}

/// Whether what is put in is what is there.
fn same(old: Below<'_>, new: &Child) -> Result<bool> {
    match (old, new) {
        (Below::Value(old), Child::NewValue(new) | Child::Value(new)) => old.same(new),
        (Below::Object(old), Child::Object(new)) if Arc::ptr_eq(old, new) => Ok(true),
        (Below::Object(old), Child::Object(new)) => {
            Ok(old.known_hash()?.zip(new.known_hash()?).is_some_and(|(old, new)| old == new))
        }
        (Below::Content(old), Child::Object(new)) => {
            let new = new.known_hash()?;
            Ok(new.is_some() && new == Some(old.hash(0)?))
        }
        _ => Ok(false),
    }
}

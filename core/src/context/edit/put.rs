//! Adding and removing at a path.
//!
//! What is needed for it is looked at first, down to the bits; then the directories on the path are
//! changed from the root down, in place where nobody else holds them.

use alloc::sync::Arc;

use super::directory::{Below, Directory, Form, HASHED};
use super::part::{Child, Entry};
use super::value::Value;
use super::{Bytes, Tree, change};
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
            return Err(Problem::new(Code::ContextShape).expected("a directory").found("contents"));
        }
        self.put(path, Child::NewValue(Arc::new(Value::new(bytes.into()))))
    }

    /// Puts a directory at a path, in place of whatever is there; an empty one removes.
    ///
    /// # Errors
    /// As [`Tree::add`], but the empty path is the tree itself.
    pub fn add_tree<S: AsRef<[u8]>>(&mut self, path: &[S], tree: Self) -> Result<()> {
        match tree.0 {
            None => self.remove(path),
            Some(directory) if path.is_empty() => {
                self.0 = Some(directory);
                Ok(())
            }
            Some(directory) => self.put(path, Child::Object(directory)),
        }
    }

    /// Removes what is at a path, and the directories that are empty then; nothing at the path is no
    /// error.
    ///
    /// # Errors
    /// As [`Tree::get`]. The tree is as it was then.
    pub fn remove<S: AsRef<[u8]>>(&mut self, path: &[S]) -> Result<()> {
        let Some(mut at) = self.0.as_ref().map(Below::Object) else { return Ok(()) };
        // Which directory on the path is the last one to keep an entry.
        let mut keeps = None;
        for (depth, step) in path.iter().enumerate() {
            let Some(root) = at.root() else { return Ok(()) };
            let Some(next) = at.child(step.as_ref())? else { return Ok(()) };
            if root.inode(0, 0)?.len > 1 {
                keeps = Some((depth, step, root));
            }
            at = next;
        }
        let Some((depth, step, root)) = keeps else {
            self.0 = None;
            return Ok(());
        };
        change::prepare_remove(root, step.as_ref())?;
        self.change(path.get(..=depth).unwrap_or_default(), Edit::Remove)
    }

    fn put<S: AsRef<[u8]>>(&mut self, path: &[S], child: Child) -> Result<()> {
        if path.iter().any(|step| step.as_ref().is_empty() || step.as_ref().len() > MAX_NAME) {
            let found = "a name that is empty or longer than 64 KiB";
            return Err(Problem::new(Code::ContextShape).found(found));
        }
        let Some(mut at) = self.0.as_ref().map(Below::Object) else {
            if let Child::Object(directory) = made(path, child) {
                self.0 = Some(directory);
            }
            return Ok(());
        };
        for (depth, step) in path.iter().enumerate() {
            let rest = path.get(depth + 1..).unwrap_or_default();
            let edit = match at.child(step.as_ref())? {
                None => {
                    if let Some(root) = at.root() {
                        change::prepare_insert(root, step.as_ref())?;
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

    /// Changes the entry at the end of a path, on which everything else is a directory. All parts on
    /// the way were looked at.
    fn change<S: AsRef<[u8]>>(&mut self, path: &[S], edit: Edit) -> Result<()> {
        let (Some(mut directory), Some((last, way))) = (self.0.as_mut(), path.split_last()) else {
            return Ok(());
        };
        for step in way {
            directory = Directory::own(directory).below_mut(step.as_ref())?;
        }
        Directory::own(directory).edit(last.as_ref(), edit)
    }
}

impl Directory {
    /// The subdirectory of a name that is there, to be changed: with it this one changes.
    fn below_mut(&mut self, name: &[u8]) -> Result<&mut Arc<Self>> {
        let was = self.is_fresh(name)?;
        let stored = match self.child(name)? {
            Some(Below::Content(part)) => Some(self.found_or(name, part)),
            _ => None,
        };
        self.touch();
        let child = change::entry_mut(&mut self.root, self.epoch, name, was, true)?;
        if let Some(stored) = stored {
            *child = Child::Object(Arc::new(stored));
        }
        match child {
            Child::Object(directory) => Ok(directory),
            _ => Err(super::objects::lost()),
        }
    }

    fn edit(&mut self, name: &[u8], edit: Edit) -> Result<()> {
        let was = self.is_fresh(name)?;
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
                let name = Bytes::from(name);
                change::insert(&mut self.root, epoch, Entry { name: name.clone(), child })?;
                names.map(|mut names| {
                    names.insert(name);
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

    /// Whether the entry of a name is counted as one that was put in.
    fn is_fresh(&self, name: &[u8]) -> Result<bool> {
        let entry = self.root.entry(name)?;
        // What was put in before the entries counted as stored is of another epoch after `touch`.
        Ok(entry.is_some_and(|(entry, epoch)| {
            epoch == self.epoch && !self.is_like_stored() && entry.child.is_fresh()
        }))
    }

    /// The hash, if it is known without an effect.
    fn known_hash(&self) -> Result<Option<Hash>> {
        if self.form == Form::Stored || self.has(HASHED) { self.root.hash(0).map(Some) } else { Ok(None) }
    }
}

/// Directories along a path, each with one entry, the last one with this child.
fn made<S: AsRef<[u8]>>(path: &[S], child: Child) -> Child {
    path.iter()
        .rev()
        .fold(child, |child, step| Child::Object(Arc::new(Directory::single(step.as_ref().into(), child))))
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

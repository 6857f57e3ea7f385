//! Looking at a tree where it is: nothing is taken out, so nothing is remembered of the question, and nothing is shared.

use alloc::sync::Arc;

use super::directory::{Below, Directory};
use super::way::Path;
use super::{Bytes, Tree};
use crate::problem::Result;

/// What is at a path.
pub enum Look<'t> {
    /// Contents: the bytes of one key.
    Value(Bytes),
    /// A directory that is not empty.
    Directory(Subtree<'t>),
}

/// A directory where it is in a tree.
#[derive(Clone, Copy)]
pub struct Subtree<'t>(Below<'t>);

impl Tree {
    /// What is at a path, as [`Tree::get`] says; costs less.
    ///
    /// # Errors
    /// As [`Tree::get`].
    pub fn look<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<Option<Look<'_>>> {
        self.look_on(&Path::new(path))
    }

    /// As [`Tree::look`], on a path that is at hand.
    ///
    /// # Errors
    /// As [`Tree::get`].
    pub fn look_on(&self, path: &Path<'_>) -> Result<Option<Look<'_>>> {
        match &self.root {
            Some(root) => look(Below::Object(root), path),
            None => Ok(None),
        }
    }
}

impl<'t> Subtree<'t> {
    /// What is at a path in it, as [`Tree::look`] says.
    ///
    /// # Errors
    /// As [`Tree::get`].
    pub fn look<S: AsRef<[u8]>>(self, path: &[S]) -> Result<Option<Look<'t>>> {
        look(self.0, &Path::new(path))
    }

    /// The same directory as a tree of its own, which remembers nothing.
    pub fn to_tree(self) -> Tree {
        match self.0 {
            Below::Object(directory) => Tree::of(directory.clone()),
            Below::Content(part) => Tree::of(Arc::new(Directory::stored(part.clone(), 0))),
            Below::Value(_) => Tree::new(),
        }
    }
}

fn look<'t>(mut at: Below<'t>, path: &Path<'_>) -> Result<Option<Look<'t>>> {
    for name in path.names() {
        match at.child(name)? {
            Some(next) => at = next,
            None => return Ok(None),
        }
    }
    Ok(Some(match at {
        Below::Value(value) => Look::Value(value.bytes()?),
        directory => Look::Directory(Subtree(directory)),
    }))
}

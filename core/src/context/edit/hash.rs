//! Hashing what has no hash, from the bottom, and what that does to the directories on the way.
//!
//! Without recursion: a kernel can nest directories deeper than any stack.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::directory::{COMPLETE, COUNTED, Directory, Form, HASHED, LISTED};
use super::effects::Effects;
use super::part::{Child, Inode, Part, Slots};
use crate::context::pack::Hash;
use crate::problem::Result;

/// What is left to be done.
enum Todo<'t> {
    /// A part of a directory, at this depth in it, may lack its hash.
    Part(&'t Part, u32),
    /// All below this part have their hashes.
    Inode(&'t Inode, u32),
    /// A directory may have to be hashed.
    Directory(&'t Arc<Directory>),
    /// All in this directory is hashed.
    Done(&'t Arc<Directory>),
}

impl Directory {
    /// The hash; with that, marks are set here and below.
    pub(super) fn hash(self: &Arc<Self>, effects: Option<&Effects>) -> Result<Hash> {
        // Asked often, and mostly of what did not change.
        if self.has(HASHED) || self.form == Form::Stored && self.root.has_hash() {
            return self.root.hash(0);
        }
        if self.form == Form::Stored {
            run(Todo::Part(&self.root, 0), effects)?;
        } else {
            run(Todo::Directory(self), effects)?;
        }
        self.root.hash(0)
    }

    /// The number of entries; with that, marks are set here and below.
    pub(super) fn count(self: &Arc<Self>, effects: Option<&Effects>) -> Result<u64> {
        if !self.has(COUNTED) {
            if self.form == Form::Changed && !self.has(LISTED | COMPLETE) {
                run(Todo::Part(&self.root, 0), effects)?;
                if self.only_stored_added()? {
                    self.mark(COMPLETE, effects);
                }
            }
            self.mark(COUNTED, effects);
        }
        Ok(self.root.inode(0, 0)?.len)
    }
}

fn run(first: Todo<'_>, effects: Option<&Effects>) -> Result<()> {
    let (mut todo, mut image) = (Vec::from([first]), Vec::with_capacity(256));
    while let Some(next) = todo.pop() {
        match next {
            Todo::Part(part, depth) => {
                if let Part::Here(inode) = part
                    && !part.has_hash()
                {
                    todo.push(Todo::Inode(inode, depth));
                    visit(inode, depth, &mut todo);
                }
            }
            Todo::Inode(inode, depth) => {
                inode.hash.set(&inode.image_hash(depth, &mut image)?);
            }
            Todo::Directory(directory) => {
                if !directory.has(HASHED) {
                    todo.push(Todo::Done(directory));
                    todo.push(Todo::Part(&directory.root, 0));
                }
            }
            Todo::Done(directory) => {
                if directory.form == Form::Changed && directory.only_stored_added()? {
                    directory.mark(COMPLETE, effects);
                }
                directory.mark(HASHED, effects);
            }
        }
    }
    Ok(())
}

/// Adds what is below a part.
fn visit<'t>(inode: &'t Inode, depth: u32, todo: &mut Vec<Todo<'t>>) {
    match &inode.slots {
        Slots::Tree(parts) => {
            let parts = parts.iter().flatten().filter(|part| !part.has_hash());
            todo.extend(parts.map(|part| Todo::Part(part, depth + 1)));
        }
        Slots::Values(entries) => {
            for entry in entries.iter().flatten() {
                match &entry.child {
                    Child::Directory(part) => todo.push(Todo::Part(part, 0)),
                    Child::Object(directory) if directory.form == Form::Stored => {
                        todo.push(Todo::Part(&directory.root, 0));
                    }
                    Child::Object(directory) => todo.push(Todo::Directory(directory)),
                    // Hashed with the part.
                    Child::Value(_) | Child::NewValue(_) => {}
                }
            }
        }
    }
}

//! Everything in a tree, depth first.

use alloc::vec::{IntoIter, Vec};

use super::Context;
use super::tree::{Directory, Link, Object};
use crate::code::Code;
use crate::problem::{Place, Problem, Result};
use crate::read_at::Files;

/// How many steps a path may have. The kernel's keys have up to some hundred.
pub const MAX_PATH: usize = 4096;

/// Gives each directory before its entries, and those in the order of names. Memory: the entries of
/// the directories on the path.
///
/// What is reached by several paths is given at each of them, so a forged tree can be very long
/// though its context is small: who walks to the end of it should count.
pub struct Walk<'c, F: Files> {
    context: &'c Context<F>,
    path: Vec<Vec<u8>>,
    /// What is left to be given in each directory on the path.
    left: Vec<IntoIter<Link>>,
    /// The directory that was given last, whose entries come next.
    open: Option<Directory>,
    begun: bool,
}

impl<'c, F: Files> Walk<'c, F> {
    pub(super) fn new(context: &'c Context<F>, root: Directory) -> Self {
        Self { context, path: Vec::new(), left: Vec::new(), open: Some(root), begun: false }
    }

    /// The path of what was given last: the names on the way to it, none for the root.
    pub fn path(&self) -> &[Vec<u8>] {
        &self.path
    }

    /// Leaves out what is in the directory that was given last.
    pub fn skip(&mut self) {
        if self.begun {
            self.open = None;
        }
    }

    fn step(&mut self) -> Result<Option<Object>> {
        if !self.begun {
            self.begun = true;
            return Ok(self.open.map(Object::Directory));
        }
        if let Some(directory) = self.open.take() {
            if self.left.len() >= MAX_PATH {
                return Err(Problem::new(Code::ContextShape)
                    .at(Place::Context(directory.offset))
                    .expected(format_args!("a path of at most {MAX_PATH} steps"))
                    .found("a longer one"));
            }
            self.left.push(self.context.entries_of(directory.offset)?.into_iter());
        }
        while let Some(left) = self.left.last_mut() {
            let link = left.next();
            // The name of the sibling before, or of the directory whose entries end here.
            self.path.truncate(self.left.len() - 1);
            let Some(link) = link else {
                self.left.pop();
                continue;
            };
            let object = self.context.follow(&link)?;
            self.path.push(link.name);
            self.open = object.directory().copied();
            return Ok(Some(object));
        }
        Ok(None)
    }
}

impl<F: Files> Iterator for Walk<'_, F> {
    type Item = Result<Object>;

    /// After an error nothing more is given.
    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.left.clear();
            self.open = None;
        }
        step.transpose()
    }
}

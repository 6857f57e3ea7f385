//! Hashing what has no hash, from the bottom, and what that does to the directories on the way.
//!
//! Without recursion: a kernel can nest directories deeper than any stack.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::batch::Batch;
use super::directory::{COMPLETE, COUNTED, Directory, Form, HASHED, LISTED};
use super::effects::Effects;
use super::part::{Child, Inode, Part, Slots};
use crate::context::pack::{ENTRIES, Hash};
use crate::problem::Result;

impl Directory {
    /// The hash; with that, marks are set here and below.
    pub(super) fn hash(self: &Arc<Self>, effects: Option<&Effects>) -> Result<Hash> {
        // Asked often, and mostly of what did not change.
        if self.has(HASHED) || self.form == Form::Stored && self.root.has_hash() {
            return self.root.hash(0);
        }
        let mut walk = Walk::new();
        if self.form == Form::Stored {
            walk.enter(&self.root, 0, None);
        } else {
            walk.enter_directory(self);
        }
        walk.run(effects)?;
        self.root.hash(0)
    }

    /// The number of entries; with that, marks are set here and below.
    pub(super) fn count(self: &Arc<Self>, effects: Option<&Effects>) -> Result<u64> {
        if !self.has(COUNTED) {
            if self.form == Form::Changed && !self.has(LISTED | COMPLETE) {
                let mut walk = Walk::new();
                walk.enter(&self.root, 0, None);
                walk.run(effects)?;
                if self.only_stored_added()? {
                    self.mark(COMPLETE, effects);
                }
            }
            self.mark(COUNTED, effects);
        }
        Ok(self.root.inode(0, 0)?.len)
    }
}

/// A walk through all that has no hash.
struct Walk<'t> {
    /// Parts that are not done, each below the one before it.
    stack: Vec<Frame<'t>>,
    batch: Batch<'t>,
    /// The rows of those in the batch that can be met again.
    shared: BTreeMap<*const Inode, usize>,
    /// How often the batch was hashed.
    round: usize,
    /// Directories of which all is hashed, or in the batch.
    done: Vec<&'t Arc<Directory>>,
}

/// A part on the way.
struct Frame<'t> {
    inode: &'t Arc<Inode>,
    /// Its depth in its directory.
    depth: u32,
    /// The directory whose root it is, if there is more to it than its entries.
    of: Option<&'t Arc<Directory>>,
    /// Which of its slots comes next.
    slot: usize,
    /// The first row after all that it needs, in this round.
    row: usize,
    round: usize,
    /// Whether it can be met again.
    is_shared: bool,
}

impl<'t> Walk<'t> {
    fn new() -> Self {
        Self {
            // As many as an idle level of the machine needs.
            stack: Vec::with_capacity(32),
            batch: Batch::with_capacity(128),
            shared: BTreeMap::new(),
            round: 0,
            done: Vec::with_capacity(32),
        }
    }

    fn run(mut self, effects: Option<&Effects>) -> Result<()> {
        while let Some(frame) = self.stack.last_mut() {
            let slot = frame.slot;
            frame.slot += 1;
            if slot < ENTRIES {
                let (inode, depth): (&'t Inode, u32) = (frame.inode, frame.depth);
                match &inode.slots {
                    Slots::Tree(parts) => {
                        if let Some(part) = parts.get(slot).and_then(Option::as_ref) {
                            self.enter(part, depth + 1, None);
                        }
                    }
                    Slots::Values(entries) => {
                        if let Some(entry) = entries.get(slot).and_then(Option::as_ref) {
                            self.enter_child(&entry.child);
                        }
                    }
                }
            } else if let Some(frame) = self.stack.pop() {
                self.leave(&frame)?;
            }
        }
        self.batch.hash()?;
        for directory in self.done {
            if directory.form == Form::Changed && directory.only_stored_added()? {
                directory.mark(COMPLETE, effects);
            }
            directory.mark(HASHED, effects);
        }
        Ok(())
    }

    fn enter_child(&mut self, child: &'t Child) {
        match child {
            Child::Directory(part) => self.enter(part, 0, None),
            Child::Object(directory) if directory.form == Form::Stored => {
                self.enter(&directory.root, 0, None)
            }
            Child::Object(directory) => self.enter_directory(directory),
            Child::Value(value) | Child::NewValue(value) => {
                if value.is_to_be_hashed() {
                    self.batch.put_value(value);
                    self.needs(0);
                }
            }
        }
    }

    fn enter_directory(&mut self, directory: &'t Arc<Directory>) {
        if !directory.has(HASHED) {
            self.enter(&directory.root, 0, Some(directory));
        }
    }

    fn enter(&mut self, part: &'t Part, depth: u32, of: Option<&'t Arc<Directory>>) {
        let Part::Here(inode) = part else { return self.done.extend(of) };
        if inode.hash.is_known() {
            return self.done.extend(of);
        }
        // What is there several times must not be walked through again and again: a kernel can put a directory twice into
        // another, that one twice into a third, and so on.
        let is_shared =
            Arc::strong_count(inode) > 1 || of.is_some_and(|directory| Arc::strong_count(directory) > 1);
        if is_shared && let Some(row) = self.shared.get(&Arc::as_ptr(inode)) {
            let row = *row;
            self.done.extend(of);
            return self.needs(row);
        }
        self.stack.push(Frame { inode, depth, of, slot: 0, row: 0, round: self.round, is_shared });
    }

    /// All below a part has its hash, or is in the batch.
    fn leave(&mut self, frame: &Frame<'t>) -> Result<()> {
        let row = frame.row_in(self.round);
        self.batch.put_inode(row, frame.inode, frame.depth);
        self.needs(row);
        if frame.is_shared {
            self.shared.insert(Arc::as_ptr(frame.inode), row);
        }
        self.done.extend(frame.of);
        if self.batch.is_full() {
            self.batch.hash()?;
            self.shared.clear();
            self.round += 1;
        }
        Ok(())
    }

    /// The part that the walk is at needs something in this row.
    fn needs(&mut self, row: usize) {
        if let Some(frame) = self.stack.last_mut() {
            frame.row = frame.row_in(self.round).max(row + 1);
            frame.round = self.round;
        }
    }
}

impl Frame<'_> {
    /// Its row in this round: whatever was in the rows of another one is hashed.
    fn row_in(&self, round: usize) -> usize {
        if self.round == round { self.row } else { 0 }
    }
}

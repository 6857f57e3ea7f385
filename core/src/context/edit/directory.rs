//! A directory as the nodes' library holds it in memory, with what that remembers: whether it was
//! changed, listed, counted, hashed. The order of its entries hangs on that, and nothing else.
//!
//! | form | what it is | order |
//! |---|---|---|
//! | [`Form::Stored`] | as a commit has it | of the trie |
//! | [`Form::Changed`] | stored entries, and pending changes of some | of names, and it is marked as listed |
//! | ... with [`COMPLETE`] | all pending changes are applied, and nothing is new but stored subtrees | of the trie |
//! | ... with [`LISTED`] | was listed in the order of names | of names |
//! | [`Form::Map`] | made anew, or changed after it was listed | of names |
//!
//! A change makes a new directory of each one on the path, which forgets the marks, but for
//! [`COUNTED`]. Two names can lead to the same directory (it was put in twice), and share the marks.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use once_cell::race::OnceBox;

use super::effects::Effects;
use super::found::Found;
use super::names::Names;
use super::part::{Child, Entry, Inode, Part, Slots};
use super::value::Value;
use super::way::{Met, Name};
use crate::problem::Result;

/// What is known of the entries of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it was stored.
    Stored,
    /// Stored, with pending changes.
    Changed,
    /// All entries are known one by one.
    Map,
}

/// The number of entries is known.
pub(super) const COUNTED: u8 = 1;

/// All entries were listed, and are kept in the order of names.
pub(super) const LISTED: u8 = 2;

/// The pending changes were applied, and the result is like a stored directory.
pub(super) const COMPLETE: u8 = 4;

/// The hash is known.
pub(super) const HASHED: u8 = 8;

/// A directory that was put in, changed, or looked at as a whole.
pub(super) struct Directory {
    pub(super) root: Part,
    pub(super) form: Form,
    /// The series of changes that are pending since the entries were stored, or counted as stored.
    pub(super) epoch: u64,
    marks: AtomicU8,
    /// When it was made, in the series of epochs; one that another remembers, when that one was.
    pub(super) born: u64,
    /// Its stored subdirectories that were looked at as a whole.
    pub(super) found: OnceBox<Arc<Found>>,
    /// The names in their order, once it was listed so.
    pub(super) names: OnceBox<Names>,
}

/// What is at a name.
#[derive(Clone, Copy)]
pub(super) enum Below<'a> {
    /// A directory that was put in or changed since the last commit.
    Object(&'a Arc<Directory>),
    /// A stored directory.
    Content(&'a Part),
    /// Contents.
    Value(&'a Arc<Value>),
}

impl Directory {
    fn with(root: Part, form: Form, epoch: u64, marks: u8) -> Self {
        let (found, names) = (OnceBox::new(), OnceBox::new());
        Self { root, form, epoch, marks: AtomicU8::new(marks), born: next_epoch(), found, names }
    }

    /// As a commit has it.
    pub(super) fn stored(root: Part, marks: u8) -> Self {
        Self::with(root, Form::Stored, 0, marks)
    }

    /// A new directory with one entry.
    pub(super) fn single(name: super::Bytes, child: Child) -> Self {
        let epoch = next_epoch();
        let inode = Inode::single(epoch, Entry { name, child });
        Self::with(Part::new(inode), Form::Map, epoch, 0)
    }

    /// A new directory with two entries, which are in the order of their names.
    pub(super) fn pair(entries: [Entry; 2]) -> Self {
        let epoch = next_epoch();
        let fresh = entries.iter().filter(|entry| entry.child.is_fresh()).count();
        let slots = Slots::Values(entries.map(Some));
        Self::with(Part::new(Inode::new(epoch, fresh as u64, 2, slots)), Form::Map, epoch, 0)
    }

    /// A new directory with the entries of another one.
    pub(super) fn of_entries_in(root: Part) -> Self {
        Self::with(root, Form::Map, next_epoch(), 0)
    }

    pub(super) fn has(&self, mark: u8) -> bool {
        self.marks.load(Ordering::Relaxed) & mark != 0
    }

    pub(super) fn mark(self: &Arc<Self>, mark: u8, effects: Option<&Effects>) {
        let before = self.marks.fetch_or(mark, Ordering::Relaxed);
        if before & mark == 0
            && let Some(effects) = effects
        {
            effects.note(self, before);
        }
    }

    pub(super) fn restore(&self, marks: u8) {
        self.marks.store(marks, Ordering::Relaxed);
    }

    /// Whether it can be taken for a stored one, entries and all.
    pub(super) fn is_like_stored(&self) -> bool {
        self.form == Form::Stored || self.form == Form::Changed && self.has(COMPLETE) && !self.has(LISTED)
    }

    /// Whether all that was put in is stored already.
    pub(super) fn only_stored_added(&self) -> Result<bool> {
        let inode = self.root.inode(0, 0)?;
        Ok(inode.epoch != self.epoch || inode.fresh == 0)
    }

    /// What is at a name.
    pub(super) fn child(&self, name: &Name<'_>) -> Result<Option<Below<'_>>> {
        Ok(self.entry(name)?.map(|(_, below)| below))
    }

    /// What is at a name, and whether it is counted as put in. What was put in before the entries counted as stored is
    /// not, after [`Self::touch`].
    pub(super) fn entry(&self, name: &Name<'_>) -> Result<Option<(bool, Below<'_>)>> {
        let Some((entry, epoch)) = self.root.entry(name)? else { return Ok(None) };
        let pending = epoch == self.epoch && !self.is_like_stored();
        let fresh = pending && entry.child.is_fresh();
        Ok(Some(match &entry.child {
            Child::Object(directory) if pending => (fresh, Below::Object(directory)),
            child => (fresh, Below::content(child)),
        }))
    }

    /// The directory at the name of a stored subdirectory, the same one every time.
    pub(super) fn find(&self, name: &Name<'_>, part: &Part) -> Arc<Self> {
        let found = self.finds();
        found.get_or_insert(name, || Arc::new(Self { born: found.born, ..Self::stored(part.unloaded(), 0) }))
    }

    /// What is remembered of a stored subdirectory.
    pub(super) fn found(&self, name: &Name<'_>) -> Option<Arc<Self>> {
        self.found.get()?.get(name).cloned()
    }

    /// A stored subdirectory, to be changed, with what is remembered of it and below.
    pub(super) fn stored_as(found: Option<&Arc<Self>>, part: &Part) -> Self {
        let marks = found.map_or(0, |directory| directory.marks.load(Ordering::Relaxed));
        let stored = Self::stored(part.clone(), marks);
        if let Some(below) = found.and_then(|directory| directory.found.get()) {
            super::objects::set(&stored.found, below.clone());
        }
        stored
    }

    pub(super) fn finds(&self) -> &Arc<Found> {
        self.found.get_or_init(|| Box::new(Arc::new(Found::new(self.born))))
    }

    /// Makes it the directory that a change of one entry leads to, before that is made.
    pub(super) fn touch(&mut self) {
        let marks = *self.marks.get_mut();
        let map = self.form == Form::Map || self.form == Form::Changed && marks & LISTED != 0;
        if map {
            self.form = Form::Map;
            *self.marks.get_mut() = 0;
            return;
        }
        if self.is_like_stored() {
            self.epoch = next_epoch();
        }
        self.form = Form::Changed;
        *self.marks.get_mut() = marks & COUNTED;
        self.found = OnceBox::new();
        self.names = OnceBox::new();
    }

    /// The directory to be changed: itself where nobody else holds it.
    pub(super) fn own(this: &mut Arc<Self>) -> &mut Self {
        Arc::make_mut(this)
    }
}

impl Clone for Directory {
    fn clone(&self) -> Self {
        let marks = self.marks.load(Ordering::Relaxed);
        let copy = Self::with(self.root.clone(), self.form, self.epoch, marks);
        // What is listed keeps its entries whatever changes.
        if let Some(found) = self.found.get() {
            super::objects::set(&copy.found, found.clone());
        }
        if let Some(names) = self.names.get() {
            super::objects::set(&copy.names, names.clone());
        }
        copy
    }
}

impl<'a> Below<'a> {
    /// What a stored entry leads to.
    fn content(child: &'a Child) -> Self {
        match child {
            Child::Directory(part) => Self::Content(part),
            Child::Object(directory) => Self::Content(&directory.root),
            Child::Value(value) | Child::NewValue(value) => Self::Value(value),
        }
    }

    /// What is at a name in it, on the way to a change: the name remembers what [`Directory::entry`] said.
    pub(super) fn meet(self, name: &Name<'_>) -> Result<Option<Self>> {
        let Self::Object(directory) = self else {
            name.meet(Met::default());
            return self.child(name);
        };
        let Some((fresh, below)) = directory.entry(name)? else { return Ok(None) };
        name.meet(Met { fresh, object: matches!(below, Self::Object(_)) });
        Ok(Some(below))
    }

    /// What is at a name in it.
    pub(super) fn child(self, name: &Name<'_>) -> Result<Option<Self>> {
        match self {
            Self::Object(directory) => directory.child(name),
            Self::Content(part) => Ok(part.entry(name)?.map(|(entry, _)| Self::content(&entry.child))),
            Self::Value(_) => Ok(None),
        }
    }

    /// The part that holds its entries, if it is a directory.
    pub(super) fn root(self) -> Option<&'a Part> {
        match self {
            Self::Object(directory) => Some(&directory.root),
            Self::Content(part) => Some(part),
            Self::Value(_) => None,
        }
    }
}

pub(super) fn next_epoch() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

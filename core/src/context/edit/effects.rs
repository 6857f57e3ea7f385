//! What questions do to directories, so that it can be undone: a computation that fails must leave the tree that it began
//! with as it was, and that tree shares its directories with the one that was asked.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::iter;
use core::sync::atomic::{AtomicUsize, Ordering};

use once_cell::race::OnceBox;

use super::directory::{Directory, next_epoch};

/// The effects of questions on directories that were there when this was made. A tree records them on request
/// ([`Tree::noting`](super::Tree::noting)).
#[derive(Clone)]
pub struct Effects(Arc<Log>);

/// A list that only grows, without a lock: blocks of 1, 2, 4, … places.
struct Log {
    since: u64,
    blocks: [OnceBox<Box<[OnceBox<Note>]>>; BLOCKS],
    len: AtomicUsize,
}

const BLOCKS: usize = 40;

/// A directory, and its marks before a question.
struct Note {
    directory: Arc<Directory>,
    marks: u8,
}

impl Default for Effects {
    fn default() -> Self {
        Self::new()
    }
}

impl Effects {
    /// None yet.
    pub fn new() -> Self {
        let blocks = [const { OnceBox::new() }; BLOCKS];
        Self(Arc::new(Log { since: next_epoch(), blocks, len: AtomicUsize::new(0) }))
    }

    /// Lets the directories forget the questions. Nothing must have been changed in them that is to be kept.
    pub fn undo(&self) {
        for number in (0..self.0.len.load(Ordering::Relaxed)).rev() {
            if let Some(note) = self.0.place(number).and_then(OnceBox::get) {
                note.directory.restore(note.marks);
            }
        }
    }

    /// A directory is about to be marked. One that was made later is nobody else's.
    pub(super) fn note(&self, directory: &Arc<Directory>, marks: u8) {
        if directory.born > self.0.since {
            return;
        }
        let number = self.0.len.fetch_add(1, Ordering::Relaxed);
        if let Some(place) = self.0.place(number) {
            place.get_or_init(|| Box::new(Note { directory: directory.clone(), marks }));
        }
    }
}

impl Log {
    fn place(&self, number: usize) -> Option<&OnceBox<Note>> {
        let number = number.checked_add(1)?;
        let block = number.ilog2();
        let length = 1usize.checked_shl(block)?;
        let places = || iter::repeat_with(OnceBox::new).take(length).collect::<Vec<_>>().into_boxed_slice();
        let block = self.blocks.get(usize::try_from(block).ok()?)?;
        block.get_or_init(|| Box::new(places())).get(number - length)
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effects").field("len", &self.0.len).finish_non_exhaustive()
    }
}

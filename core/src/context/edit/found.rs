//! The stored subdirectories of a directory that were looked at as a whole: at each name the same
//! object, so that what it remembers is found again.
//!
//! A search tree that only grows, by two bits of the hash of the name a step, without a lock.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use once_cell::race::OnceBox;

use super::Bytes;
use super::directory::Directory;
use super::way::Name;

/// Directories by name.
pub(super) struct Found {
    root: Cell,
    /// That of the directory whose subdirectories they are.
    pub(super) born: u64,
}

/// A place in the tree. What is in it can be taken out, which a mere box in it could not.
type Cell = OnceBox<Arc<Slot>>;

struct Slot {
    name: Bytes,
    directory: Arc<Directory>,
    next: [Cell; 4],
}

impl Found {
    pub(super) const fn new(born: u64) -> Self {
        Self { root: OnceBox::new(), born }
    }

    /// The directory of a name.
    pub(super) fn get(&self, name: &Name<'_>) -> Option<&Arc<Directory>> {
        let mut bits = name.bits();
        let mut slot = self.root.get()?;
        while *slot.name != **name {
            slot = slot.next(&mut bits)?.get()?;
        }
        Some(&slot.directory)
    }

    /// The directory of a name, made when there is none.
    pub(super) fn get_or_insert(&self, name: &Name<'_>, make: impl Fn() -> Arc<Directory>) -> Arc<Directory> {
        let mut bits = name.bits();
        let mut cell = &self.root;
        let new = || {
            Box::new(Arc::new(Slot { name: (&**name).into(), directory: make(), next: Default::default() }))
        };
        loop {
            let slot = cell.get_or_init(new);
            if *slot.name == **name {
                return slot.directory.clone();
            }
            match slot.next(&mut bits) {
                Some(next) => cell = next,
                None => return make(),
            }
        }
    }
}

impl Slot {
    fn next(&self, bits: &mut u64) -> Option<&Cell> {
        let at = usize::try_from(*bits >> 62).unwrap_or(0);
        *bits <<= 2;
        self.next.get(at)
    }
}

impl Drop for Found {
    /// Takes apart what nobody else holds step by step: directories in directories can be deeper than
    /// the stack is.
    fn drop(&mut self) {
        let mut todo: Vec<Arc<Slot>> = take(&mut self.root).into_iter().collect();
        while let Some(slot) = todo.pop() {
            let Some(mut slot) = Arc::into_inner(slot) else { continue };
            todo.extend(slot.next.iter_mut().filter_map(take));
            let found = Arc::into_inner(slot.directory).and_then(|directory| directory.found.get().cloned());
            if let Some(mut found) = found.and_then(Arc::into_inner) {
                todo.extend(take(&mut found.root));
            }
        }
    }
}

fn take(cell: &mut Cell) -> Option<Arc<Slot>> {
    core::mem::take(cell).get().cloned()
}

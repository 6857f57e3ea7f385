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
use crate::context::pack::hashing;

/// Directories by name.
#[derive(Default)]
pub(super) struct Found(Cell);

/// A place in the tree. What is in it can be taken out, which a mere box in it could not.
type Cell = OnceBox<Arc<Slot>>;

struct Slot {
    name: Bytes,
    directory: Arc<Directory>,
    next: [Cell; 4],
}

impl Found {
    /// The directory of a name.
    pub(super) fn get(&self, name: &[u8]) -> Option<&Arc<Directory>> {
        let mut bits = hashing::bits(name);
        let mut slot = self.0.get()?;
        while *slot.name != *name {
            slot = slot.next(&mut bits)?.get()?;
        }
        Some(&slot.directory)
    }

    /// The directory of a name, made when there is none.
    pub(super) fn get_or_insert(&self, name: &[u8], make: impl Fn() -> Arc<Directory>) -> Arc<Directory> {
        let mut bits = hashing::bits(name);
        let mut cell = &self.0;
        let new =
            || Box::new(Arc::new(Slot { name: name.into(), directory: make(), next: Default::default() }));
        loop {
            let slot = cell.get_or_init(new);
            if *slot.name == *name {
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
        let mut todo: Vec<Arc<Slot>> = take(&mut self.0).into_iter().collect();
        while let Some(slot) = todo.pop() {
            let Some(mut slot) = Arc::into_inner(slot) else { continue };
            todo.extend(slot.next.iter_mut().filter_map(take));
            let found = Arc::into_inner(slot.directory).and_then(|directory| directory.found.get().cloned());
            if let Some(mut found) = found.and_then(Arc::into_inner) {
                todo.extend(take(&mut found.0));
            }
        }
    }
}

fn take(cell: &mut Cell) -> Option<Arc<Slot>> {
    core::mem::take(cell).get().cloned()
}

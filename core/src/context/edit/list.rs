//! Listing the entries of a directory, in one of two orders.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::directory::{Directory, Form, LISTED};
use super::effects::Effects;
use super::names::Names;
use super::part::{Part, Slots};
use super::way::Name;
use super::{Bytes, Listing, Order};
use crate::problem::Result;

/// At most so many names are made room for before they are there.
const ROOM: u64 = 1024;

/// Entries of a stored directory.
pub(super) fn stored(root: &Part, offset: u64, len: u64) -> Result<Listing> {
    let mut entries = Vec::with_capacity(usize::try_from(len.min(ROOM)).unwrap_or(0));
    walk(root, offset, len, &mut |name, directory| entries.push((name.clone(), directory)))?;
    Ok(Listing { order: Order::Trie, entries })
}

impl Directory {
    /// Entries in the order that the directory has; one that has that of names keeps it.
    pub(super) fn list(
        self: &Arc<Self>,
        offset: u64,
        len: u64,
        effects: Option<&Effects>,
    ) -> Result<Listing> {
        if self.is_like_stored() {
            return stored(&self.root, offset, len);
        }
        if self.form == Form::Changed && !self.has(LISTED) {
            // From now on each subdirectory is the same one whatever is changed beside it.
            self.finds();
            self.mark(LISTED, effects);
        }
        let names = self.names.get_or_try_init(|| self.sorted().map(Box::new))?;
        let mut entries = Vec::new();
        for name in names.range(offset, len) {
            if let Some((entry, _)) = self.root.entry(&Name::new(name))? {
                entries.push((name.clone(), entry.child.is_directory()));
            }
        }
        Ok(Listing { order: Order::Name, entries })
    }

    fn sorted(&self) -> Result<Names> {
        let mut names = Vec::new();
        walk(&self.root, 0, u64::MAX, &mut |name, _| names.push(name.clone()))?;
        Ok(Names::new(names))
    }
}

/// The entries of a directory from number `offset` on in the order of the trie: name, and whether it
/// leads to a directory. Parts that are skipped are counted, not walked.
fn walk(root: &Part, mut offset: u64, mut len: u64, give: &mut dyn FnMut(&Bytes, bool)) -> Result<()> {
    let mut todo = Vec::from([(root, 0, 0)]);
    while let Some((part, depth, bits)) = todo.pop() {
        if len == 0 {
            break;
        }
        let inode = part.inode(depth, bits)?;
        if inode.len <= offset {
            offset -= inode.len;
            continue;
        }
        match &inode.slots {
            Slots::Tree(parts) => {
                // The last one on the stack comes first.
                for (bit, part) in [1, 0].into_iter().zip(parts.iter().rev()) {
                    if let Some(part) = part {
                        todo.push((part, depth + 1, bits << 1 | bit));
                    }
                }
            }
            Slots::Values(entries) => {
                for entry in entries.iter().flatten() {
                    if offset > 0 {
                        offset -= 1;
                    } else if len > 0 {
                        len -= 1;
                        give(&entry.name, entry.child.is_directory());
                    }
                }
            }
        }
    }
    Ok(())
}

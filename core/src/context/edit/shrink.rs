//! Forgetting what is stored and can be loaded again, so that a tree takes no more memory than it is
//! given.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::directory::{Directory, Form};
use super::part::{Child, Part, Slots};
use super::{ObjectStore, Tree};

impl Tree {
    /// Forgets what can be loaded again from this store, if more than `budget` bytes were loaded
    /// since the last time; whether it did. What the tree answers stays the same.
    ///
    /// Cheap when there is nothing to do, so it can be called after each operation. What stays: what
    /// was put in and is not stored yet ([`Written::keep`](super::Written::keep)), some 100 bytes
    /// for each directory that was counted or taken out since the last commit, and what other trees
    /// share, which is theirs to forget. So with the changes of one commit small, a tree takes
    /// `budget` bytes, and what one operation loads.
    pub fn shrink(&mut self, store: &ObjectStore, budget: u64) -> bool {
        if store.loaded() <= budget {
            return false;
        }
        // A clone of this very tree holds everything: there is nothing to gain before it goes.
        let Some(directory) = self.root.as_mut().and_then(Arc::get_mut) else { return false };
        store.forget_loaded();
        unload(directory);
        true
    }
}

fn unload(directory: &mut Directory) {
    let epoch = pending(directory);
    let mut todo = Vec::from([(&mut directory.root, epoch)]);
    while let Some((part, epoch)) = todo.pop() {
        // What is pending is more than its content; all else is as good when it is loaded anew.
        let is_pending = matches!(part, Part::Here(inode) if Some(inode.epoch) == epoch);
        if !is_pending {
            *part = part.unloaded();
        }
        let Part::Here(inode) = part else { continue };
        let Some(inode) = Arc::get_mut(inode) else { continue };
        match &mut inode.slots {
            Slots::Tree(parts) => todo.extend(parts.iter_mut().flatten().map(|part| (part, epoch))),
            Slots::Values(entries) => {
                for entry in entries.iter_mut().flatten() {
                    match &mut entry.child {
                        Child::Directory(part) => todo.push((part, None)),
                        Child::Object(directory) => {
                            if let Some(directory) = Arc::get_mut(directory) {
                                let epoch = if is_pending { pending(directory) } else { None };
                                todo.push((&mut directory.root, epoch));
                            }
                        }
                        Child::Value(value) | Child::NewValue(value) => {
                            if let Some(unloaded) = value.unloaded() {
                                *value = Arc::new(unloaded);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The epoch whose parts are pending changes.
fn pending(directory: &Directory) -> Option<u64> {
    (directory.form != Form::Stored).then_some(directory.epoch)
}

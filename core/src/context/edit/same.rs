//! Making again what was there before: the new tree takes over what is known of the old one, its hashes above all.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Tree;
use super::directory::Directory;
use super::part::{Child, Inode, Part, Slots};

impl Tree {
    /// This tree, with the memory of `old` if that has the same entries down to the same bytes. It stays a new one in all
    /// that hangs on it (see [`Order`](super::Order)).
    ///
    /// For small trees: each is walked through. Nothing is loaded; what is not in memory counts as different.
    pub fn reusing(self, old: &Self) -> Self {
        let root = match (&self.root, &old.root) {
            (Some(new), Some(old)) if are_same(&new.root, &old.root) => old.root.clone(),
            _ => return self,
        };
        Self::of(Arc::new(Directory::of_entries_in(root)))
    }
}

fn are_same(one: &Part, other: &Part) -> bool {
    let mut todo = Vec::from([(one, other)]);
    while let Some((one, other)) = todo.pop() {
        let (Some(one), Some(other)) = (in_memory(one), in_memory(other)) else { return false };
        let (Slots::Values(one), Slots::Values(other)) = (&one.slots, &other.slots) else { return false };
        for pair in one.iter().zip(other) {
            let (one, other) = match pair {
                (None, None) => continue,
                (Some(one), Some(other)) if one.name == other.name => (&one.child, &other.child),
                _ => return false,
            };
            match (one.root(), other.root()) {
                (Some(one), Some(other)) => todo.push((one, other)),
                (None, None) if bytes(one).is_some() && bytes(one) == bytes(other) => {}
                _ => return false,
            }
        }
    }
    true
}

fn in_memory(part: &Part) -> Option<&Inode> {
    match part {
        Part::Here(inode) => Some(inode),
        Part::Stored(stub) => stub.loaded().map(|inode| &**inode),
    }
}

fn bytes(child: &Child) -> Option<&[u8]> {
    match child {
        Child::Value(value) | Child::NewValue(value) => value.in_memory().map(|bytes| &**bytes),
        _ => None,
    }
}

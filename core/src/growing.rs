//! Lists of what a file names, which repetitions do not make longer.
//!
//! A byte of a compressed file becomes a thousand, and all of them may say the same. What is distinct
//! takes bytes of the file each time.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::mem;

/// Takes items and drops what says nothing new whenever it has doubled.
#[derive(Clone, Debug)]
pub(crate) struct Growing<T> {
    items: Vec<T>,
    compact: fn(&mut Vec<T>),
    /// At how many items it is compacted next.
    next: usize,
}

impl<T> Growing<T> {
    /// As many are kept in any case, in their order.
    const FIRST: usize = 1 << 16;

    /// `compact` removes what others of the list make superfluous, and keeps the rest in any order.
    pub(crate) const fn new(compact: fn(&mut Vec<T>)) -> Self {
        Self { items: Vec::new(), compact, next: Self::FIRST }
    }

    pub(crate) fn push(&mut self, item: T) {
        if self.items.len() >= self.next {
            (self.compact)(&mut self.items);
            self.next = (2 * self.items.len()).max(Self::FIRST);
        }
        if self.items.len() == self.items.capacity() {
            // A quarter more, not twice as much: while it grows, old and new are there.
            self.items.reserve_exact((self.items.len() / 4).max(1 << 10));
        }
        self.items.push(item);
    }

    pub(crate) fn items(&self) -> &[T] {
        &self.items
    }

    /// Memory that it takes, in bytes; of twice as much as that a part may be superfluous.
    pub(crate) fn taken(&self) -> u64 {
        (self.items.capacity() * size_of::<T>()) as u64
    }

    /// All of them.
    pub(crate) fn into_items(self) -> Vec<T> {
        self.items
    }

    /// Compacts it now.
    pub(crate) fn compact(&mut self) {
        (self.compact)(&mut self.items);
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.items = Vec::new();
    }
}

/// Remembers what came lately: the last 1024 different keys at least. No compression reaches further back
/// than 32 KiB, in which there are fewer entries of any file that is looked at with this.
#[derive(Debug)]
pub(crate) struct Lately<V> {
    young: BTreeMap<Vec<u8>, V>,
    old: BTreeMap<Vec<u8>, V>,
}

impl<V: Copy> Lately<V> {
    const LEN: usize = 1 << 10;

    /// What is remembered of a key; else that is `value` from now on.
    pub(crate) fn get_or_remember(&mut self, key: &[u8], value: impl FnOnce() -> V) -> Option<V> {
        if let Some(known) = self.young.get(key) {
            return Some(*known);
        }
        let known = self.old.get(key).copied();
        if self.young.len() >= Self::LEN {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key.to_vec(), known.unwrap_or_else(value));
        known
    }
}

impl<V> Default for Lately<V> {
    fn default() -> Self {
        Self { young: BTreeMap::new(), old: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_take_no_memory() {
        let mut list = Growing::new(|items: &mut Vec<u64>| {
            items.sort_unstable();
            items.dedup();
        });
        for number in 0..5_000_000u64 {
            list.push(number % 1000);
        }
        assert!(list.items.capacity() <= 2 * Growing::<u64>::FIRST);
        for number in 0..300_000u64 {
            list.push(number);
        }
        list.compact();
        assert_eq!(list.items(), (0..300_000).collect::<Vec<_>>());
    }

    #[test]
    fn what_came_lately_is_remembered() {
        let mut lately = Lately::default();
        let mut see = |number: u32, value: u32| lately.get_or_remember(&number.to_be_bytes(), || value);
        for number in 0..1000 {
            assert_eq!(see(number, number), None);
        }
        for round in 1..20 {
            for number in 0..1000 {
                assert_eq!(see(number, round), Some(number));
            }
        }
        for number in 10_000..20_000 {
            see(number, 0);
        }
        assert_eq!(see(5, 7), None);
        assert!(lately.young.len() + lately.old.len() <= 2 * (1 << 10));
    }
}

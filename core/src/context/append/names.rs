//! The dictionary while it grows.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::context::edit::Bytes;
use crate::context::pack::{Dict, MAX_DICT, MAX_DICT_STEPS};

/// Longest name that never goes into the dictionary, in bytes.
const SHORT_NAME: usize = 3;

/// Names by number, and numbers by name.
#[derive(Debug)]
pub(super) struct Names {
    numbers: BTreeMap<Bytes, u64>,
    /// How many there were.
    before: u64,
    added: Vec<Bytes>,
    /// Where the name that is written next goes, in what counts of the file.
    end: u64,
    pending: Vec<u8>,
}

impl Names {
    /// Those of a dictionary, whose file counts up to `end`.
    pub(super) fn of(dict: &Dict, end: u64) -> Self {
        let mut numbers = BTreeMap::new();
        for (number, name) in (0..).zip(dict.iter()) {
            numbers.entry(Bytes::from(name)).or_insert(number);
        }
        Self { numbers, before: dict.len() as u64, added: Vec::new(), end, pending: Vec::new() }
    }

    /// The number of a name, which it gets if it is worth one and there is room.
    pub(super) fn number(&mut self, name: &[u8]) -> Option<u64> {
        if name.len() <= SHORT_NAME {
            // A damaged dictionary can have it all the same, but no node would use it.
            return None;
        }
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        let number = self.before + self.added.len() as u64;
        let len = u32::try_from(name.len()).ok()?;
        let end = self.end + self.pending.len() as u64 + 4 + u64::from(len);
        if number >= MAX_DICT_STEPS as u64 || end > MAX_DICT {
            return None;
        }
        let shared = Bytes::from(name);
        self.numbers.insert(shared.clone(), number);
        self.added.push(shared);
        self.pending.extend(len.to_be_bytes());
        self.pending.extend_from_slice(name);
        Some(number)
    }

    /// The name of this number, if it was added.
    pub(super) fn added(&self, number: u64) -> Option<&Bytes> {
        let at = usize::try_from(number.checked_sub(self.before)?).ok()?;
        self.added.get(at)
    }

    /// How many were added.
    pub(super) fn len(&self) -> usize {
        self.added.len()
    }

    /// Forgets those that were added last. None of them was written.
    pub(super) fn truncate(&mut self, len: usize) {
        while self.added.len() > len {
            let Some(name) = self.added.pop() else { break };
            self.pending.truncate(self.pending.len().saturating_sub(4 + name.len()));
            self.numbers.remove(&name);
        }
    }

    /// The bytes that are not written.
    pub(super) fn pending(&self) -> &[u8] {
        &self.pending
    }

    /// They are written.
    pub(super) fn wrote(&mut self) {
        self.end += self.pending.len() as u64;
        self.pending.clear();
    }
}

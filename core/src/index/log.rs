//! A log: entries in the order in which they came, the last one for a key being its value.

use alloc::format;
use alloc::vec::Vec;

use super::{Shape, entries};
use crate::encoding::blake2b;
use crate::growing::Lately;
use crate::problem::{Problem, Result};
use crate::read_at::ReadAt;

/// Most entries of a log. Nodes merge it into `data` after some ten thousand, or after 2.5 million
/// for a context. A log is found through eight bytes of memory for each key.
pub const MAX_LOG: u64 = 1 << 24;

/// A log, with a table to find keys in it.
#[derive(Debug)]
pub(super) struct Log<R> {
    pub(super) file: R,
    pub(super) count: u64,
    shape: Shape,
    /// What is short for a key, and the number of the entry; sorted. Entries that a later one for the same key
    /// hides are left out where they come near each other, as when nothing else comes.
    table: Vec<(u32, u32)>,
}

impl<R: ReadAt> Log<R> {
    /// Reads all keys. `path` is the name of the file.
    pub(super) fn open(file: R, count: u64, shape: Shape, path: &str) -> Result<Self> {
        let mut table: Vec<(u32, u32)> = Vec::new();
        let mut lately = Lately::default();
        if count > MAX_LOG {
            let what = format!("a log of {count} entries is larger than rollsnap reads");
            return Err(Problem::damaged_store(path, &what));
        }
        let mut at = 0;
        let mut buffer = Vec::new();
        while at < count {
            for entry in entries(&file, super::Header::LEN as u64, at, count, shape, &mut buffer)? {
                // `count` is at most 2^24.
                let (key, number) = (entry.get(..shape.key).unwrap_or_default(), at as u32);
                match lately.get_or_remember(key, || table.len()) {
                    Some(known) => table.get_mut(known).into_iter().for_each(|entry| entry.1 = number),
                    None => table.push((short(key), number)),
                }
                at += 1;
            }
        }
        table.sort_unstable();
        Ok(Self { file, count, shape, table })
    }

    /// The numbers of the entries that may count, ascending.
    pub(super) fn numbers(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = self.table.iter().map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// The number of the last entry for a key, and the value in it.
    pub(super) fn find(&self, key: &[u8]) -> Result<Option<(u64, Vec<u8>)>> {
        let wanted = short(key);
        let end = self.table.partition_point(|(short, _)| *short <= wanted);
        let candidates = self.table.get(..end).unwrap_or_default().iter().rev();
        for (_, number) in candidates.take_while(|(short, _)| *short == wanted) {
            let mut entry = alloc::vec![0; self.shape.entry()];
            let number = u64::from(*number);
            self.file.read_at(super::Header::LEN as u64 + number * self.shape.entry() as u64, &mut entry)?;
            if entry.starts_with(key) {
                return Ok(Some((number, entry.split_off(self.shape.key))));
            }
        }
        Ok(None)
    }
}

/// Four bytes that nobody can make equal for many keys.
fn short(key: &[u8]) -> u32 {
    blake2b(&[key]).first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

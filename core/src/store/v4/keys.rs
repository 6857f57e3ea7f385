//! The keys of a table, each once.

use alloc::vec::Vec;

use super::table::Table;
use crate::code::Code;
use crate::index::Scan;
use crate::problem::{Problem, Result};
use crate::read_at::ReadAt;

/// How often a key may be looked for in newer generations in any case, and for each entry of the table. A node has one
/// or two stale stores, and after collections that failed some more, which hold the same keys and so hide each other:
/// then the first look finds them.
const LOOKS: (u64, u64) = (1 << 21, 3);

/// Goes through the generations from the newest on, and leaves out keys that a newer one has.
#[derive(Debug)]
pub(super) struct Keys<'t, R> {
    table: &'t Table<R>,
    /// Which generation comes next.
    next: usize,
    scan: Option<Scan<'t, R>>,
    /// How many more looks there may be.
    looks: u64,
}

/// Refuses to look for every key of one table in another that has very many generations.
///
/// # Errors
/// [`Code::ChainWork`].
pub(super) fn check_looks<R: ReadAt>(keys: &Table<R>, within: &Table<R>) -> Result<()> {
    let (entries, generations) = (keys.entries(), within.generations().len() as u64);
    let looks = entries.saturating_mul(generations);
    if looks <= LOOKS.0.saturating_add(entries.saturating_mul(MOST_GENERATIONS)) {
        return Ok(());
    }
    let found = format_args!("{entries} keys to look for in {generations} stores each");
    Err(Problem::new(Code::ChainWork).found(found))
}

/// In so many generations any number of keys may be looked for.
const MOST_GENERATIONS: u64 = 8;

impl<'t, R: ReadAt> Keys<'t, R> {
    pub(super) fn of(table: &'t Table<R>) -> Self {
        let (free, share) = LOOKS;
        let looks = free.saturating_add(table.entries().saturating_mul(share));
        Self { table, next: 0, scan: None, looks }
    }

    /// Whether a generation before the current one has the key.
    fn is_hidden(&mut self, key: &[u8]) -> Result<bool> {
        for newer in self.table.generations().iter().take(self.next.saturating_sub(1)) {
            self.looks = self.looks.checked_sub(1).ok_or_else(|| self.too_many())?;
            if newer.has(key)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn too_many(&self) -> Problem {
        let (stale, entries) = (self.table.generations().len().saturating_sub(1), self.table.entries());
        Problem::new(Code::ChainWork)
            .found(format_args!("{entries} entries in {stale} stale stores, which do not hide each other"))
    }
}

impl<R: ReadAt> Iterator for Keys<'_, R> {
    /// A key, and its index value in the generation that counts.
    type Item = Result<(Vec<u8>, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(scan) = &mut self.scan else {
                self.scan = Some(self.table.generations().get(self.next)?.bindings());
                self.next += 1;
                continue;
            };
            let binding = match scan.next() {
                Some(Ok(binding)) => binding,
                Some(Err(problem)) => return Some(Err(problem)),
                None => {
                    self.scan = None;
                    continue;
                }
            };
            match self.is_hidden(&binding.key) {
                Ok(false) => return Some(Ok((binding.key, binding.value))),
                Ok(true) => {}
                Err(problem) => {
                    // Nobody goes on after that.
                    (self.scan, self.next) = (None, usize::MAX);
                    return Some(Err(problem));
                }
            }
        }
    }
}

//! The bindings of an index, one after the other.

use alloc::vec::Vec;

use super::{Header, Index, entries};
use crate::problem::Result;
use crate::read_at::ReadAt;

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The key.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

/// Gives every binding once; ends after the first problem.
#[derive(Debug)]
pub struct Scan<'a, R> {
    index: &'a Index<R>,
    /// The file at hand: 0 to 2.
    part: u8,
    /// Of a log, the numbers of its entries that may count.
    numbers: Option<Vec<u32>>,
    /// Which entry comes next: of those numbers, or of all.
    next: u64,
    /// Number of the entry that the buffer begins with.
    first: u64,
    buffer: Vec<u8>,
}

impl<'a, R: ReadAt> Scan<'a, R> {
    pub(super) fn new(index: &'a Index<R>) -> Self {
        Self { index, part: 0, numbers: None, next: 0, first: 0, buffer: Vec::new() }
    }

    fn step(&mut self) -> Result<Option<Binding>> {
        loop {
            let Index { log_async, log, data, shape, .. } = self.index;
            let (file, start, count, number) = match (self.part, log_async, log, data) {
                (0, Some(log), ..) | (1, _, Some(log), _) => {
                    let numbers = self.numbers.get_or_insert_with(|| log.numbers());
                    let number = usize::try_from(self.next).ok().and_then(|next| numbers.get(next));
                    (&log.file, Header::LEN as u64, log.count, number.copied().map(u64::from))
                }
                (2, .., Some(data)) => {
                    (&data.file, data.start, data.count, Some(self.next).filter(|next| *next < data.count))
                }
                (0..=2, ..) => {
                    self.part += 1;
                    continue;
                }
                _ => return Ok(None),
            };
            let Some(number) = number else {
                (self.part, self.numbers, self.next, self.first) = (self.part + 1, None, 0, 0);
                self.buffer.clear();
                continue;
            };
            let entry = shape.entry();
            let mut offset = usize::try_from(number - self.first).unwrap_or(usize::MAX).saturating_mul(entry);
            if offset >= self.buffer.len() {
                let _ = entries(file, start, number, count, *shape, &mut self.buffer)?;
                (self.first, offset) = (number, 0);
            }
            self.next += 1;
            let (key, value) = self.buffer[offset..offset + entry].split_at(shape.key);
            // The entry that counts is the last one of the newest file.
            let logs = [log_async, log].into_iter().take(usize::from(self.part) + 1).enumerate();
            let mut newest = None;
            for (part, log) in logs {
                if let (None, Some(log)) = (newest, log) {
                    newest = log.find(key)?.map(|(number, _)| (part, number));
                }
            }
            if newest.is_none_or(|newest| newest == (usize::from(self.part), number)) {
                return Ok(Some(Binding { key: key.to_vec(), value: value.to_vec() }));
            }
        }
    }
}

impl<R: ReadAt> Iterator for Scan<'_, R> {
    type Item = Result<Binding>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.part = u8::MAX;
        }
        step.transpose()
    }
}

//! Keeps account of how far an extraction has come.

use std::cell::RefCell;

use rollsnap_core::Result;

use super::Files;
use super::stage::Stage;
use crate::resume::{Due, Interval};
use crate::source::{Place, Places, SumSoFar};

/// Has a record made when one is due.
pub(crate) struct Account<'a, 'f, T> {
    files: &'a RefCell<&'f mut T>,
    due: Due,
}

/// Who has files written.
pub(crate) trait Writes {
    /// Them, as long as there are any.
    fn files(&mut self) -> Option<&mut Files>;
}

impl Writes for Files {
    fn files(&mut self) -> Option<&mut Files> {
        Some(self)
    }
}

impl Writes for Stage<'_> {
    fn files(&mut self) -> Option<&mut Files> {
        Some(&mut self.files)
    }
}

impl<'a, 'f, T> Account<'a, 'f, T> {
    /// So much of the content, in bytes, is in the last record.
    pub(crate) fn new(files: &'a RefCell<&'f mut T>, interval: Interval, content: u64) -> Self {
        Self { files, due: Due::after(interval, content) }
    }
}

impl<T: Writes> Places for Account<'_, '_, T> {
    fn are_wanted(&mut self, content: u64) -> bool {
        self.due.is_at(content)
    }

    fn found(&mut self, place: Place, content: u64, sum: Option<SumSoFar>) -> Result<()> {
        // One that was asked for twice.
        if !self.due.is_at(content) {
            return Ok(());
        }
        self.due.next(content);
        match self.files.borrow_mut().files() {
            Some(files) => files.record(content, place, sum),
            None => Ok(()),
        }
    }
}

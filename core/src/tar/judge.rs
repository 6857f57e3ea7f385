//! Strict or lenient: whether what is not as the nodes write it ends the reading.

use alloc::vec::Vec;

use crate::problem::{Problem, Result};

/// Refuses, or lets pass with a remark.
pub(super) struct Judge {
    lenient: bool,
    remarks: Vec<Problem>,
}

impl Judge {
    pub(super) fn new(lenient: bool) -> Self {
        Self { lenient, remarks: Vec::new() }
    }

    pub(super) fn is_lenient(&self) -> bool {
        self.lenient
    }

    /// About something that other tar programs accept.
    ///
    /// # Errors
    /// The problem itself, unless it is let pass.
    pub(super) fn complain(&mut self, problem: Problem) -> Result<()> {
        if !self.lenient {
            return Err(problem);
        }
        self.remarks.push(problem);
        Ok(())
    }

    /// Whether something was let pass since the last [`Judge::take_remarks`].
    pub(super) fn has_remarks(&self) -> bool {
        !self.remarks.is_empty()
    }

    pub(super) fn take_remarks(&mut self) -> Vec<Problem> {
        core::mem::take(&mut self.remarks)
    }
}

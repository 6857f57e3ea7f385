//! One pass over a snapshot, however its content is reached.

use rollsnap_core::code::Group;
use rollsnap_core::report::Check;
use rollsnap_core::snapshot::{ContentInspector, Event, Options};
use rollsnap_core::{Feedback, Problem, Report, Result};

use super::sum::{self, Adder, Total};
use crate::checkpoint::Resume;
use crate::files::Part;

/// What an inspection has come to.
pub(super) struct Pass {
    pub(super) inspector: ContentInspector,
    /// What need not be looked at again.
    pub(super) resume: Resume,
    /// Why an index was of no use.
    pub(super) remark: Option<Problem>,
    /// The SHA-256 of the file, where it is wanted.
    pub(super) sum: Option<Summing>,
}

/// A sum under way.
pub(super) struct Summing {
    /// `None` when all was handed over.
    adder: Option<Adder>,
    total: Total,
    expected: Option<String>,
}

impl Summing {
    /// # Errors
    /// `io.other` when there is no thread.
    pub(super) fn begin(part: Option<Part>, expected: Option<String>) -> Result<Self> {
        let (adder, total) = sum::begin(part)?;
        Ok(Self { adder: Some(adder), total, expected })
    }

    /// As [`Adder::up_to`].
    pub(super) fn up_to(&mut self, offset: u64) {
        self.adder.iter_mut().for_each(|adder| adder.up_to(offset));
    }

    /// For who reads from front to end, and says when that is over.
    pub(super) fn take_adder(&mut self) -> Option<Adder> {
        self.adder.take()
    }
}

impl Pass {
    pub(super) fn new(options: Options) -> Self {
        Self { inspector: ContentInspector::new(options), resume: Resume::default(), remark: None, sum: None }
    }

    /// Content from front to end; what was looked at already is left out.
    pub(super) fn feed<E>(
        &mut self,
        content: &[u8],
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let known = left_out(&mut self.resume.content, content.len() as u64) as usize;
        self.inspector.feed(content.get(known..).unwrap_or_default(), sink)
    }

    /// Of so many bytes of the file, those that are news as progress.
    pub(super) fn progress(&mut self, read: u64) -> u64 {
        read - left_out(&mut self.resume.file_bytes, read)
    }

    /// As [`ContentInspector::finish`]. In a damaged file it is no wonder that the index does not fit.
    pub(super) fn finish<E>(
        mut self,
        file_len: u64,
        crc32: Option<u32>,
        feedback: &dyn Feedback,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Report, E>
    where
        E: From<Problem>,
    {
        let report = self.inspector.report();
        let damaged = report.failures().any(|check| check.code.group() == Group::GZIP);
        if let Some(problem) = self.remark.filter(|_| !damaged) {
            self.inspector.remark(Check::warning(&problem));
        }
        if let Some(Summing { adder, total, expected }) = self.sum {
            adder.into_iter().for_each(Adder::end);
            self.inspector.summed(total.finish(feedback)?, expected.as_deref(), sink)?;
        }
        self.inspector.finish(file_len, crc32, sink)
    }
}

/// Takes up to `len` from what is to be left out.
fn left_out(rest: &mut u64, len: u64) -> u64 {
    let now = len.min(*rest);
    *rest -= now;
    now
}

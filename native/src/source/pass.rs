//! One pass over a snapshot, however its content is reached.

use rollsnap_core::code::Group;
use rollsnap_core::report::Check;
use rollsnap_core::snapshot::{ContentInspector, Event, Options};
use rollsnap_core::{Problem, Report, Result};

use crate::checkpoint::Resume;

/// What an inspection has come to.
pub(super) struct Pass {
    pub(super) inspector: ContentInspector,
    /// What need not be looked at again.
    pub(super) resume: Resume,
    /// Why an index was of no use.
    pub(super) remark: Option<Problem>,
}

impl Pass {
    pub(super) fn new(options: Options) -> Self {
        Self { inspector: ContentInspector::new(options), resume: Resume::default(), remark: None }
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
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Report, E> {
        let report = self.inspector.report();
        let damaged = report.failures().any(|check| check.code.group() == Group::GZIP);
        if let Some(problem) = self.remark.filter(|_| !damaged) {
            self.inspector.remark(Check::warning(&problem));
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

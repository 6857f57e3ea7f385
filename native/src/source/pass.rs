//! One pass over a snapshot, however its content is reached.

use rollsnap_core::code::Group;
use rollsnap_core::report::Check;
use rollsnap_core::snapshot::{ContentInspector, Event, Options};
use rollsnap_core::{Feedback, Problem, Report, Result};

use super::place::{Begun, Place, Places};
use super::sum::{self, Adder, SumSoFar, Total};
use crate::checkpoint::{Known, Spans};
use crate::files::Part;

/// What an inspection has come to.
pub(super) struct Pass<'p> {
    pub(super) inspector: ContentInspector,
    /// How much of the content was looked at, in bytes.
    pub(super) at: u64,
    /// Who wants to know where reading can begin again.
    pub(super) places: &'p mut dyn Places,
    /// What need not be looked at again.
    pub(super) known: Known,
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
    /// Of the first bytes, `so_far` is the sum, if that is known.
    ///
    /// # Errors
    /// `io.other` when there is no thread.
    pub(super) fn begin(
        part: Option<Part>,
        so_far: Option<SumSoFar>,
        expected: Option<String>,
    ) -> Result<Self> {
        let (adder, total) = sum::begin(part, so_far)?;
        Ok(Self { adder: Some(adder), total, expected })
    }

    /// As [`Adder::up_to`].
    pub(super) fn up_to(&mut self, offset: u64) {
        self.adder.iter_mut().for_each(|adder| adder.up_to(offset));
    }

    /// As [`Adder::go_to`].
    pub(super) fn go_to(&mut self, offset: u64) {
        self.adder.iter_mut().for_each(|adder| adder.go_to(offset));
    }

    /// As [`Adder::so_far`].
    pub(super) fn so_far(&self) -> Option<SumSoFar> {
        self.adder.as_ref().and_then(Adder::so_far)
    }

    /// For who reads from front to end, and says when that is over.
    pub(super) fn take_adder(&mut self) -> Option<Adder> {
        self.adder.take()
    }
}

impl<'p> Pass<'p> {
    /// Begins, or goes on with what was begun before: then with the place, and the sum so far.
    pub(super) fn begin(
        options: Options,
        begun: Option<Begun>,
        places: &'p mut dyn Places,
    ) -> (Self, Option<Place>, Option<SumSoFar>) {
        let Some(Begun { inspector, place, content, sum }) = begun else {
            return (Self::with(ContentInspector::new(options), 0, Known::default(), places), None, None);
        };
        let known = Known { content: content - place.content().min(content), file_bytes: 0 };
        (Self::with(inspector, content, known, places), Some(place), sum)
    }

    fn with(inspector: ContentInspector, at: u64, known: Known, places: &'p mut dyn Places) -> Self {
        Self { inspector, at, places, known, remark: None, sum: None }
    }

    /// Content from front to end; what was looked at already is left out.
    pub(super) fn feed<E>(
        &mut self,
        content: &[u8],
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let known = left_out(&mut self.known.content, content.len() as u64) as usize;
        self.at += (content.len() - known) as u64;
        self.inspector.feed(content.get(known..).unwrap_or_default(), sink)
    }

    /// Of so many bytes of the file, those that are news as progress.
    pub(super) fn progress(&mut self, read: u64) -> u64 {
        read - left_out(&mut self.known.file_bytes, read)
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

/// Tells of spans as places, and has the file added up behind who reads it.
pub(super) struct SpanPlaces<'p> {
    pub(super) places: &'p mut dyn Places,
    pub(super) sum: Option<&'p mut Summing>,
    pub(super) file: &'p Part,
}

impl Spans for SpanPlaces<'_> {
    fn passed(&mut self, offset: u64) {
        match &mut self.sum {
            // Who adds up reads what others have read, while it is still at hand.
            Some(sum) => sum.up_to(offset),
            None => self.file.passed(offset),
        }
    }

    fn begins(&mut self, number: usize, known: Known) -> Result<()> {
        let Known { content, file_bytes: file } = known;
        if !self.places.are_wanted(content) {
            return Ok(());
        }
        let sum = self.sum.as_ref().and_then(|sum| sum.so_far());
        self.places.found(Place::Span { number, content, file }, content, sum)
    }
}

/// Takes up to `len` from what is to be left out.
fn left_out(rest: &mut u64, len: u64) -> u64 {
    let now = len.min(*rest);
    *rest -= now;
    now
}

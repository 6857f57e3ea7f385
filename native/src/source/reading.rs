//! Reading a snapshot: as a whole, its member headers alone, or some of its members.

use std::collections::BTreeSet;

#[cfg(doc)]
use rollsnap_core::Code;
use rollsnap_core::code::Group;
use rollsnap_core::feedback::{Notice, Phase, Unit};
use rollsnap_core::snapshot::{Event, Options};
use rollsnap_core::{Feedback, Problem, ReadAt as _, Report, Result};

use super::pass::{Pass, SpanPlaces, Summing};
use super::place::{Begun, NoPlaces, Place, Places};
use super::{Source, stream};
use crate::checkpoint::{self, Known, Outcome, Spans as _};
use crate::files::Distant as _;
use crate::remote::Attended;

const NOT_SUMMED: &str =
    "The beginning of the file is read again for its SHA-256, which the interrupted command did not add up";

impl Source {
    /// Pushes the whole file through an inspector, as one phase of a job: on all cores where an index tells
    /// how, otherwise in two threads.
    ///
    /// # Errors
    /// Those of `sink`, [`Code::Cancelled`], and [`Code::IoOther`] when reading fails. What is wrong
    /// with the snapshot is told to `sink` and stands in the report.
    pub fn inspect<E: From<Problem>>(
        &mut self,
        options: Options,
        phase: Phase,
        feedback: &mut dyn Feedback,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Report, E> {
        self.inspect_on(options, None, &mut NoPlaces, phase, feedback, sink)
    }

    /// The same, going on with what was begun before, and telling where reading can begin again.
    ///
    /// # Errors
    /// As [`Source::inspect`].
    pub(crate) fn inspect_on<E: From<Problem>>(
        &mut self,
        options: Options,
        begun: Option<Begun>,
        places: &mut dyn Places,
        phase: Phase,
        feedback: &mut dyn Feedback,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Report, E> {
        feedback.phase(Phase { total: self.size, unit: Unit::Bytes, ..phase });
        let report = match self.far() {
            None => self.pass(options, begun, places, feedback, sink),
            Some(file) => self.pass(options, begun, places, &mut Attended::streaming(feedback, file), sink),
        };
        report.map(|report| self.told(report))
    }

    /// A report, with where the snapshot came from.
    fn told(&self, mut report: Report) -> Report {
        report.remote = self.remote();
        report
    }

    fn pass<E: From<Problem>>(
        &mut self,
        options: Options,
        begun: Option<Begun>,
        places: &mut dyn Places,
        feedback: &mut dyn Feedback,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Report, E> {
        let is_resumed = begun.is_some();
        let (mut pass, mut from, so_far) = Pass::begin(options, begun, places);
        let begin = from.as_ref().map_or(0, Place::file);
        feedback.advance(begin);
        if let Some(expected) = self.sum.clone() {
            if begin > 0 && so_far.is_none() {
                feedback.notice(Notice::Remark(NOT_SUMMED));
            }
            pass.sum = Some(Summing::begin(self.part(), so_far, expected)?);
        }
        let found = self.find_index();
        pass.remark = found.problem;
        let indexed = found.indexed.filter(|indexed| checkpoint::is_possible(indexed));
        let span = match (&from, &indexed) {
            (Some(Place::Span { number, .. }), Some(indexed)) => {
                let known = checkpoint::begins(indexed.index(), *number);
                (known.content == pass.at && *number > 0).then_some(*number)
            }
            _ => None,
        };
        if let Some(indexed) = indexed.filter(|_| !is_resumed || span.is_some()) {
            let _ahead = self.far().map(|file| file.stream(begin));
            let file = indexed.file();
            let mut spans = SpanPlaces { places: &mut *pass.places, sum: pass.sum.as_mut(), file };
            match checkpoint::inspect(&indexed, &mut pass.inspector, span, &mut spans, feedback, sink)? {
                Outcome::Read { crc32 } => {
                    spans.passed(file.len());
                    return pass.finish(file.len(), Some(crc32), feedback, sink);
                }
                // A server that does not go on says nothing against the index.
                Outcome::Stopped { problem, .. } if problem.code().group() == Group::REMOTE => {
                    return Err(problem.into());
                }
                Outcome::Stopped { known, problem } => {
                    (pass.at, pass.known) = (known.content, known);
                    pass.remark = pass.remark.or(Some(problem));
                }
            }
        } else if matches!(from, Some(Place::Span { .. })) {
            // The index is another one now, or gone.
            pass.known = Known { content: pass.at, file_bytes: begin };
        }
        if pass.remark.is_some() {
            feedback.notice(Notice::NotUsed(
                "The checkpoint index cannot be used: the file is read from front to end",
            ));
        }
        // Where spans do not lead on, all is read from front to end, and what was looked at is left out.
        from = from.filter(|place| !matches!(place, Place::Span { .. }));
        let begin = from.as_ref().map_or(0, Place::file);
        if from.is_some() {
            self.input.go_to(begin, &self.name)?;
        }
        pass.sum.iter_mut().for_each(|sum| sum.go_to(begin));
        let _ahead = self.far().map(|file| file.stream(begin));
        stream::inspect(&mut self.input, &self.name, pass, from.as_ref(), feedback, sink)
    }

    /// Goes through all member headers and leaves contents out, as one phase of a job, where the content can be
    /// reached from anywhere: in an uncompressed file, or by an index. What was not checked stands in the report.
    ///
    /// Gives no report where that is not possible, or when the index turns out to be wrong; then
    /// [`Source::inspect`] tells everything from the beginning.
    ///
    /// # Errors
    /// As [`Source::inspect`].
    pub fn list<E: From<Problem>>(
        &mut self,
        options: Options,
        phase: Phase,
        feedback: &mut dyn Feedback,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Option<Report>, E> {
        let Some(mut content) = self.content() else { return Ok(None) };
        let report = match self.far() {
            None => checkpoint::list(&mut content, options, phase, feedback, sink),
            Some(file) => {
                checkpoint::list(&mut content, options, phase, &mut Attended::new(feedback, file), sink)
            }
        };
        report.map(|report| report.map(|report| self.told(report)))
    }

    /// Reads the members of these names and little else, as one phase of a job, where the content can be reached
    /// from anywhere; `sink` is told of them alone. What was not checked stands in the report, and with `header`
    /// the header of the snapshot, which is read for that.
    ///
    /// Gives no report where that is not possible, or when the index turns out to be wrong, perhaps after `sink`
    /// was told something; then [`Source::inspect`] tells everything from the beginning. A member that is in the
    /// snapshot was told when there is a report.
    ///
    /// # Errors
    /// As [`Source::inspect`].
    pub fn find<E: From<Problem>>(
        &mut self,
        names: &BTreeSet<&str>,
        header: bool,
        options: Options,
        phase: Phase,
        feedback: &mut dyn Feedback,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Option<Report>, E> {
        let Some(mut content) = self.content() else { return Ok(None) };
        let report = match self.far() {
            None => checkpoint::find(&mut content, names, header, options, phase, feedback, sink),
            Some(file) => {
                let mut attended = Attended::new(feedback, file);
                checkpoint::find(&mut content, names, header, options, phase, &mut attended, sink)
            }
        };
        report.map(|report| report.map(|report| self.told(report)))
    }
}

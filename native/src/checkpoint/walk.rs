//! From member header to member header, where the content of a snapshot can be reached from anywhere.

use std::collections::BTreeSet;

use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::report::Compression;
use rollsnap_core::snapshot::{ContentInspector, Event, Options};
use rollsnap_core::{Code, Feedback, Problem, Report, Result};

use super::Content;

/// Goes through all member headers and leaves out the contents of members. Progress counts bytes of content.
///
/// Gives no report when a span is not what the index says: then the file must be read from front to end.
///
/// # Errors
/// Those of `sink`, [`Code::Cancelled`], any `io.*` code.
pub(crate) fn list<E: From<Problem>>(
    content: &mut Content,
    options: Options,
    phase: Phase,
    feedback: &mut dyn Feedback,
    sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
) -> Result<Option<Report>, E> {
    feedback.phase(Phase { total: Some(content.len()), unit: Unit::Bytes, ..phase });
    let mut walk = Walk::new(content, options);
    while !walk.is_over() {
        let before = walk.at;
        if !walk.read(feedback, sink)? {
            return Ok(None);
        }
        walk.pass();
        feedback.advance(walk.at - before);
    }
    walk.finish(sink).map(Some)
}

/// Reads the members of these names, each from the nearest place before it that the index knows; `sink` is told of
/// them alone. Of a compressed file nothing else is read, but for the header if the report is to have it. Of an
/// uncompressed one all member headers are, so that its report is whole.
///
/// Gives no report when a span is not what the index says, or a member is not where it says: then the file must
/// be read from front to end. With a report, a member that was not told is nowhere.
///
/// # Errors
/// As [`list`].
pub(crate) fn find<E: From<Problem>>(
    content: &mut Content,
    names: &BTreeSet<&str>,
    header: bool,
    options: Options,
    phase: Phase,
    feedback: &mut dyn Feedback,
    sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
) -> Result<Option<Report>, E> {
    let compressed = content.compression() == Compression::Gzip;
    // How much there is to read up to the last of them is not known.
    let total = Some(content.len()).filter(|_| !compressed);
    feedback.phase(Phase { total, unit: Unit::Bytes, ..phase });
    let mut stretches: Vec<_> = names.iter().map(|name| (*name, content.stretch_of(name))).collect();
    // Nothing is read twice: members that come later are met on the way, or jumped to.
    stretches.sort_by_key(|(_, (begin, _))| *begin);
    let everywhere = (0, content.len());
    let mut search = Search { missing: names.clone(), inside: false, distrust: compressed, wrong: false };
    let mut walk = Walk::new(content, options);
    if header && !search.step(&mut walk, feedback, sink)? {
        return Ok(None);
    }
    for &(name, (begin, end)) in &stretches {
        if walk.at < begin && search.missing.contains(name) {
            walk.go_to(begin);
        }
        while search.inside || (walk.at < end && search.missing.contains(name)) {
            if !search.step(&mut walk, feedback, sink)? {
                return Ok(None);
            }
        }
    }
    while !compressed && !walk.is_over() {
        if !search.step(&mut walk, feedback, sink)? {
            return Ok(None);
        }
    }
    let missed = |&(name, stretch): &_| stretch == everywhere && search.missing.contains(name);
    if !search.missing.is_empty() && !stretches.iter().any(missed) {
        // Not all was looked at, and perhaps the index has misled.
        let mut met = false;
        let mut look = |event: Event<'_>| {
            met |= match event {
                Event::Member(member) => search.missing.contains(&*member.name),
                Event::Problem(_) => true,
                _ => false,
            };
            Ok::<(), E>(())
        };
        let report = list(content, options, phase, feedback, &mut look)?;
        return Ok(report.filter(|_| !met));
    }
    if !walk.is_over() {
        walk.inspector.leave_off();
    }
    let report = walk.finish(&mut |event| search.see(event, sink))?;
    Ok(Some(report).filter(|_| !search.wrong))
}

/// What is looked for on a walk.
struct Search<'n> {
    missing: BTreeSet<&'n str>,
    /// Whether one of them is being read.
    inside: bool,
    /// Whether what is wrong may be the fault of the index.
    distrust: bool,
    /// Something is wrong, and may be.
    wrong: bool,
}

impl Search<'_> {
    /// Reads a piece, and leaves out the rest of a member that is not looked for. False when reading on leads
    /// nowhere.
    fn step<E: From<Problem>>(
        &mut self,
        walk: &mut Walk<'_>,
        feedback: &mut dyn Feedback,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<bool, E> {
        let before = walk.at;
        let read = walk.read(feedback, &mut |event| self.see(event, sink))?;
        if !self.inside {
            walk.pass();
        }
        feedback.advance(walk.at - before);
        Ok(read && !self.wrong)
    }

    fn see<E>(
        &mut self,
        event: Event<'_>,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let was_inside = self.inside;
        match event {
            Event::Problem(_) if !self.distrust => return sink(event),
            Event::Problem(_) => self.wrong = true,
            Event::Member(member) => self.inside = self.missing.remove(&*member.name),
            Event::MemberEnd { .. } => self.inside = false,
            _ => {}
        }
        if was_inside || self.inside { sink(event) } else { Ok(()) }
    }
}

/// A place in the content, and what was read up to there.
struct Walk<'c> {
    content: &'c mut Content,
    inspector: ContentInspector,
    /// In bytes of content.
    at: u64,
}

impl<'c> Walk<'c> {
    fn new(content: &'c mut Content, options: Options) -> Self {
        let mut inspector = ContentInspector::new(options);
        inspector.compressed(content.compression());
        inspector.read(content.file_len());
        Self { content, inspector, at: 0 }
    }

    /// Whether there is nothing more to read.
    fn is_over(&self) -> bool {
        self.at >= self.content.len() || self.inspector.is_in_vain()
    }

    /// Reads as much as comes at once. False when that is not what the index says, or nothing.
    fn read<E: From<Problem>>(
        &mut self,
        feedback: &dyn Feedback,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<bool, E> {
        feedback.checkpoint()?;
        if self.is_over() {
            return Ok(false);
        }
        let piece = match self.content.from(self.at) {
            Ok(piece) => piece,
            Err(problem) if problem.code() == Code::GzipIndex => return Ok(false),
            Err(problem) => return Err(problem.into()),
        };
        self.at += piece.len() as u64;
        self.inspector.feed(piece, sink)?;
        Ok(!piece.is_empty())
    }

    /// Leaves out what is left of the content of a member.
    fn pass(&mut self) {
        let over = self.inspector.skippable().min(self.content.len() - self.at);
        self.inspector.skip(over);
        self.at += over;
    }

    /// Goes on at a place where a member header should be.
    fn go_to(&mut self, at: u64) {
        self.inspector.go_to(at);
        self.at = at;
    }

    fn finish<E>(self, sink: &mut impl FnMut(Event<'_>) -> Result<(), E>) -> Result<Report, E> {
        self.inspector.finish(self.content.file_len(), self.content.crc32(), sink)
    }
}

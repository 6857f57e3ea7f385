//! The content of a snapshot, reached from anywhere: of an uncompressed file at once, of a compressed one by
//! the spans that hold what is wanted.

use std::sync::Arc;

use rollsnap_core::report::{Check, Compression};
use rollsnap_core::snapshot::{ContentInspector, Event};
use rollsnap_core::tar::{self, Step};
use rollsnap_core::{Code, Feedback, Problem, ReadAt, Report, Result};

use super::Indexed;
use super::span::SpanInflater;
use crate::files::Part;

/// How much of an uncompressed file is read at once, in bytes: little behind what was left out, more and more
/// where all is read.
const PIECE: (usize, usize) = (4096, 256 * 1024);

/// A span is held whole; longer ones are not read at random. In bytes of content.
const LONGEST: u64 = 48 << 20;

/// What is not known of a compressed file when only its member headers were read.
pub(crate) const NOT_CHECKED: &str =
    "not checked: the contents of members, of which only the headers were read";

/// Content that need not be read from front to end.
pub(crate) struct Content(Kind);

enum Kind {
    /// That of an uncompressed file.
    Plain { file: Part, piece: Vec<u8>, next: u64 },
    /// That of a compressed one.
    Spans { indexed: Arc<Indexed>, inflater: Box<SpanInflater>, span: Vec<u8> },
}

impl Content {
    /// Of an uncompressed file.
    pub(crate) fn plain(file: Part) -> Self {
        Self(Kind::Plain { file, piece: Vec::new(), next: 0 })
    }

    /// Of a compressed file; `None` when its spans are too long.
    pub(crate) fn indexed(indexed: Arc<Indexed>) -> Option<Self> {
        let short = indexed.index().longest_span() <= LONGEST;
        let inflater = Box::new(SpanInflater::new());
        short.then(|| Self(Kind::Spans { indexed, inflater, span: Vec::new() }))
    }

    /// Length in bytes.
    pub(crate) fn len(&self) -> u64 {
        match &self.0 {
            Kind::Plain { file, .. } => file.len(),
            Kind::Spans { indexed, .. } => indexed.index().content_len,
        }
    }

    /// Where the index says that a member of this name would be.
    fn stretch_of(&self, name: &str) -> Option<(u64, u64)> {
        match &self.0 {
            Kind::Plain { .. } => None,
            Kind::Spans { indexed, .. } => indexed.index().stretch_of(name),
        }
    }

    /// The bytes from `offset` on, as many as come at once, and at least one.
    fn from(&mut self, offset: u64) -> Result<&[u8]> {
        match &mut self.0 {
            Kind::Plain { file, piece, next } => {
                let (least, most) = PIECE;
                let wanted = if offset == *next { (2 * piece.len()).clamp(least, most) } else { least };
                let left = usize::try_from(file.len() - offset).unwrap_or(usize::MAX);
                piece.resize(left.min(wanted), 0);
                file.read_at(offset, piece)?;
                *next = offset + piece.len() as u64;
                Ok(piece)
            }
            Kind::Spans { indexed, inflater, span } => {
                let index = indexed.index();
                let at = index.span_of(offset);
                inflater.read(indexed, at, span)?;
                let start = index.checkpoints.get(at).map_or(0, |point| point.offset);
                Ok(usize::try_from(offset - start).ok().and_then(|from| span.get(from..)).unwrap_or_default())
            }
        }
    }
}

/// Reads one member, from the nearest place before it where the index says that a member header is. False when
/// that does not lead to it; then it may be anywhere. What `sink` was told of it until then is right as far as single spans
/// are.
///
/// # Errors
/// Those of `sink`, [`Code::Cancelled`], any `io.*` code.
pub(crate) fn find_member<E: From<Problem>>(
    content: &mut Content,
    name: &str,
    feedback: &mut dyn Feedback,
    sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
) -> Result<bool, E> {
    let Some((mut at, end)) = content.stretch_of(name) else { return Ok(false) };
    let mut reader = tar::Reader::new(at, tar::Options::default());
    let mut inside = false;
    while at < content.len() && (inside || at < end) {
        feedback.checkpoint()?;
        let piece = match content.from(at) {
            Ok(piece) if !piece.is_empty() => piece,
            Ok(_) => return Ok(false),
            Err(problem) if problem.code() == Code::GzipIndex => return Ok(false),
            Err(problem) => return Err(problem.into()),
        };
        at += piece.len() as u64;
        let mut rest = piece;
        loop {
            match reader.step(&mut rest) {
                Ok(Step::NeedsInput) => break,
                Ok(Step::Member(member)) => {
                    inside = member.name == name;
                    if inside {
                        sink(Event::Member(member))?;
                    }
                }
                Ok(Step::Data(data)) if inside => sink(Event::Data(data))?,
                Ok(Step::MemberEnd(member)) if inside => {
                    sink(Event::MemberEnd { member, sha256: None })?;
                    return Ok(true);
                }
                Ok(Step::End) | Err(_) => return Ok(false),
                Ok(_) => {}
            }
        }
        if !inside {
            let over = reader.content_left();
            reader.skip(over);
            at += over;
        }
    }
    Ok(false)
}

/// Goes from member header to member header and leaves out the contents of members, but those for which
/// `wanted` says yes after [`Event::Member`]. Progress counts bytes of content.
///
/// Gives no report when a span is not what the index says: then the file must be read from front to end.
///
/// # Errors
/// Those of `sink`, [`Code::Cancelled`], any `io.*` code.
pub(crate) fn walk<E: From<Problem>>(
    content: &mut Content,
    mut inspector: ContentInspector,
    feedback: &mut dyn Feedback,
    wanted: &dyn Fn() -> bool,
    sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
) -> Result<Option<Report>, E> {
    let (len, mut at, mut skipped) = (content.len(), 0, 0);
    inspector.compressed(match &content.0 {
        Kind::Plain { .. } => Compression::None,
        Kind::Spans { .. } => Compression::Gzip,
    });
    while at < len && !inspector.is_in_vain() {
        feedback.checkpoint()?;
        let piece = match content.from(at) {
            Ok(piece) if !piece.is_empty() => piece,
            Ok(_) => return Ok(None),
            Err(problem) if problem.code() == Code::GzipIndex => return Ok(None),
            Err(problem) => return Err(problem.into()),
        };
        let mut done = piece.len() as u64;
        inspector.feed(piece, sink)?;
        if !wanted() {
            let over = inspector.skippable().min(len - at - done);
            inspector.skip(over);
            skipped += over;
            done += over;
        }
        at += done;
        feedback.advance(done);
    }
    match &content.0 {
        Kind::Plain { file, .. } => inspector.finish(file.len(), None, sink).map(Some),
        Kind::Spans { indexed, .. } => {
            let crc32 = Some(indexed.index().crc).filter(|_| skipped == 0);
            if skipped > 0 {
                inspector.remark(Check::unknown(Code::GzipCrc, NOT_CHECKED));
            }
            inspector.finish(indexed.file().len(), crc32, sink).map(Some)
        }
    }
}

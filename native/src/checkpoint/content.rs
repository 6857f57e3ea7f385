//! The content of a snapshot, reached from anywhere: of an uncompressed file at once, of a compressed one by
//! the spans that hold what is wanted.

use std::sync::Arc;

use rollsnap_core::report::Compression;
use rollsnap_core::{ReadAt, Result};

use super::span::SpanInflater;
use super::{Indexed, again};
use crate::files::Part;

/// How much of an uncompressed file is read at once, in bytes: little behind what was left out, more and more
/// where all is read.
const PIECE: (usize, usize) = (4096, 256 * 1024);

/// A span is held whole; longer ones are not read at random. In bytes of content.
const LONGEST: u64 = 48 << 20;

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

    /// Length of the file in bytes.
    pub(super) fn file_len(&self) -> u64 {
        match &self.0 {
            Kind::Plain { file, .. } => file.len(),
            Kind::Spans { indexed, .. } => indexed.file().len(),
        }
    }

    /// How the file is compressed.
    pub(super) fn compression(&self) -> Compression {
        match &self.0 {
            Kind::Plain { .. } => Compression::None,
            Kind::Spans { .. } => Compression::Gzip,
        }
    }

    /// CRC-32 of the content of a compressed file, which its spans prove together.
    pub(super) fn crc32(&self) -> Option<u32> {
        match &self.0 {
            Kind::Plain { .. } => None,
            Kind::Spans { indexed, .. } => Some(indexed.index().crc),
        }
    }

    /// Where a member of this name would be: from the first of these offsets on and before the second. In an
    /// archive that is not sorted that is everywhere.
    pub(super) fn stretch_of(&self, name: &str) -> (u64, u64) {
        match &self.0 {
            Kind::Plain { .. } => (0, self.len()),
            Kind::Spans { indexed, .. } => indexed.index().stretch_of(name).unwrap_or_else(|| {
                (0, indexed.index().waypoints.first().map_or(self.len(), |first| first.offset))
            }),
        }
    }

    /// The bytes from `offset` on, as many as come at once, and at least one.
    pub(super) fn from(&mut self, offset: u64) -> Result<&[u8]> {
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
                again::read(inflater, indexed, at, span)?;
                let start = index.checkpoints.get(at).map_or(0, |point| point.offset);
                Ok(usize::try_from(offset - start).ok().and_then(|from| span.get(from..)).unwrap_or_default())
            }
        }
    }
}

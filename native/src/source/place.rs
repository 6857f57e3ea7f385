//! Where the reading of a snapshot can begin again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rollsnap_core::Result;
use rollsnap_core::gzip::BlockStart;
use rollsnap_core::snapshot::ContentInspector;
use serde::{Deserialize, Serialize};

use super::sum::SumSoFar;

/// A place in the content, and what leads there. All numbers are bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Place {
    /// Of an uncompressed file.
    Plain {
        /// The place in the content, and in the file.
        content: u64,
    },
    /// The beginning of a span, by an index.
    Span {
        /// Number of the span.
        number: usize,
        /// Where it begins in the content.
        content: u64,
        /// How much of the file comes before it.
        file: u64,
    },
    /// Between two blocks of a compressed file.
    Block {
        /// How much of the content comes before it.
        content: u64,
        /// How much of the file comes before it, with the byte that it may begin in.
        file: u64,
        /// CRC-32 of the content before it.
        crc32: u32,
        /// The last byte before it, and how many bits of that belong to it.
        byte: (u8, u8),
        /// The content before it that it may refer to, in Base64.
        window: String,
    },
}

/// How far deflate may look back, in bytes.
const WINDOW: usize = 32 << 10;

impl Place {
    /// How much of the content comes before it.
    pub(crate) fn content(&self) -> u64 {
        match self {
            Self::Plain { content } | Self::Span { content, .. } | Self::Block { content, .. } => *content,
        }
    }

    /// How much of the file comes before it.
    pub(crate) fn file(&self) -> u64 {
        match self {
            Self::Plain { content } => *content,
            Self::Span { file, .. } | Self::Block { file, .. } => *file,
        }
    }

    /// Whether what it says can be.
    pub(crate) fn is_plausible(&self) -> bool {
        match self {
            Self::Block { byte: (_, spare), window, file, .. } => {
                *spare < 8 && *file > 0 && BASE64.decode(window).is_ok_and(|bytes| bytes.len() <= WINDOW)
            }
            _ => true,
        }
    }

    /// Where the blocks of a [`Place::Block`] begin.
    pub(super) fn block_start(&self) -> Option<BlockStart> {
        let Self::Block { byte: (last, spare), window, .. } = self else { return None };
        let window = BASE64.decode(window).ok()?;
        Some(BlockStart { last: *last, spare: *spare, window })
    }

    /// Between two blocks of a compressed file.
    pub(super) fn block(start: &BlockStart, content: u64, file: u64, crc32: u32) -> Self {
        let window = BASE64.encode(&start.window);
        Self::Block { content, file, crc32, byte: (start.last, start.spare), window }
    }
}

/// Who wants to know where reading can begin again.
pub(crate) trait Places {
    /// Whether a place is wanted now. All content before `content` has reached the sink.
    fn are_wanted(&mut self, content: u64) -> bool;

    /// Whoever has all content before `content` can go on at this place; where the file is added up, with this sum.
    ///
    /// # Errors
    /// Whatever it does with it.
    fn found(&mut self, place: Place, content: u64, sum: Option<SumSoFar>) -> Result<()>;
}

/// Nobody wants to.
pub(crate) struct NoPlaces;

impl Places for NoPlaces {
    fn are_wanted(&mut self, _: u64) -> bool {
        false
    }

    fn found(&mut self, _: Place, _: u64, _: Option<SumSoFar>) -> Result<()> {
        Ok(())
    }
}

/// A reading that was begun before.
pub(crate) struct Begun {
    /// What was found so far.
    pub(crate) inspector: ContentInspector,
    /// Where it can go on.
    pub(crate) place: Place,
    /// How much of the content was looked at: all before `place`, and maybe more.
    pub(crate) content: u64,
    /// The sum of the file up to `place` or beyond, where it was added up.
    pub(crate) sum: Option<SumSoFar>,
}

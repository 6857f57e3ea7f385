//! What a [`Gunzip`](super::Gunzip) inflates with: an engine without `unsafe`, or a faster one.

use alloc::boxed::Box;
use alloc::vec::Vec;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// How far deflate may look back, in bytes.
const HISTORY: usize = 32 * 1024;

/// Size of the output window, in bytes: the history and room for what comes. When the room is
/// used up, the history moves to the front. (A ring would save the move, and cost the inflater
/// more on every match.)
const WINDOW: usize = HISTORY + 96 * 1024;

/// Inflates one raw deflate stream.
///
/// All engines take and refuse the same streams, namely those that zlib does, and give the same bytes
/// before they refuse one.
pub trait Inflate {
    /// Takes what it can from the front of `input` and makes output of it.
    fn inflate(&mut self, input: &[u8]) -> Inflated;

    /// What the last call of [`Inflate::inflate`] gave.
    fn output(&self) -> &[u8];
}

/// How a call of [`Inflate::inflate`] went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inflated {
    /// Why it returned.
    pub status: InflateStatus,
    /// How many bytes of the input it took. At the end of the stream, and where it is damaged, the last of
    /// them is the one that tells.
    pub taken: usize,
}

/// Why [`Inflate::inflate`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InflateStatus {
    /// All input was taken.
    NeedsInput,
    /// There is no more room for output; the next call has room.
    HasOutput,
    /// The stream is complete.
    End,
    /// The stream is damaged.
    Damaged,
}

/// The engine of this crate: `miniz_oxide`, in a window of fixed size.
pub struct Window {
    inflate: Box<DecompressorOxide>,
    bytes: Vec<u8>,
    /// Where the last output begins, and where it ends.
    output: (usize, usize),
}

impl Inflate for Window {
    fn inflate(&mut self, input: &[u8]) -> Inflated {
        let (_, mut from) = self.output;
        if from == WINDOW {
            self.bytes.copy_within(WINDOW - HISTORY.., 0);
            from = HISTORY;
        }
        // The inflater knows where the data began, and refuses to look back beyond it, as zlib does.
        let flags = TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let (status, taken, len) = decompress(&mut self.inflate, input, &mut self.bytes, from, flags);
        self.output = (from, from + len);
        let status = match status {
            TINFLStatus::Done => InflateStatus::End,
            TINFLStatus::NeedsMoreInput => InflateStatus::NeedsInput,
            TINFLStatus::HasMoreOutput => InflateStatus::HasOutput,
            _ => InflateStatus::Damaged,
        };
        Inflated { status, taken }
    }

    fn output(&self) -> &[u8] {
        let (from, to) = self.output;
        self.bytes.get(from..to).unwrap_or_default()
    }
}

impl Default for Window {
    fn default() -> Self {
        Self { inflate: Box::default(), bytes: alloc::vec![0; WINDOW], output: (0, 0) }
    }
}

//! Makes the index of any gzip file in one pass over it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::super::crc32;
use super::super::member::HeaderParser;
use super::format::HEAD;
use super::index::{MOST_CHECKPOINTS, WINDOW};
use super::{Collector, Index, MemberTable, WindowPlace};
use crate::code::Code;
use crate::problem::{Place, Problem, Result};

/// Size of the output buffer, in bytes: the history and room for what comes.
const BUFFER: usize = WINDOW + 96 * 1024;

/// Blocks are put together to stretches of so many bytes of content: a stretch costs a window that is remembered.
const LEAST: u64 = 4096;

/// How hard windows are compressed.
const WINDOW_LEVEL: u8 = 6;

/// Takes a gzip file from front to end and notes where reading can begin.
pub struct Scanner {
    state: State,
    inflate: Inflate,
    points: Collector,
    /// Where the stretch begins that will be added next: bit in the file, and the bytes before it.
    begun: (u64, Vec<u8>),
    /// How long a stretch is at least, if it is not the last.
    least: u64,
    /// Where the next window will be in the file of the index.
    window_at: u64,
    /// CRC-32 of the stretch so far, which knows its length.
    crc: crc32::Hasher,
    consumed: u64,
}

/// What comes of a file on the way.
pub enum Scanned<'a> {
    /// The next bytes of the content; not proved before the end.
    Content(&'a [u8]),
    /// The next bytes of the file of the index, in which windows stand one after the other behind the first [`HEAD`]
    /// bytes.
    Window(&'a [u8]),
}

enum State {
    Header(HeaderParser),
    Body,
    Trailer(Vec<u8>),
    End,
}

impl Scanner {
    /// Notes checkpoints of which the next is at most `span` bytes of content away, if there is the end of a block,
    /// and `most` at most (never more than [`MOST_CHECKPOINTS`]): with more content the spans become longer.
    pub fn new(span: u64, most: usize) -> Self {
        Self {
            state: State::Header(HeaderParser::new()),
            inflate: Inflate::new(Box::default(), &[]),
            points: Collector::new(span, most.min(MOST_CHECKPOINTS)),
            begun: (0, Vec::new()),
            least: span.clamp(1, LEAST),
            window_at: HEAD as u64,
            crc: crc32::Hasher::new(),
            consumed: 0,
        }
    }

    /// Takes the next bytes of the file.
    ///
    /// # Errors
    /// The codes of [`Gunzip::step`](crate::gzip::Gunzip::step), for the same damages; those of `sink`.
    pub fn feed(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Scanned<'_>) -> Result<()>) -> Result<()> {
        let mut input = bytes;
        let from = self.consumed;
        let here = |input: &[u8]| from + (bytes.len() - input.len()) as u64;
        loop {
            match &mut self.state {
                State::Header(parser) => {
                    if !parser.feed(&mut input)? {
                        break;
                    }
                    self.begun.0 = here(input) * 8;
                    self.state = State::Body;
                }
                State::Body => {
                    let (status, taken, produced) = self.inflate.step(input);
                    input = input.get(taken..).unwrap_or_default();
                    let content = self.inflate.output(&produced);
                    self.crc.update(content);
                    sink(Scanned::Content(content))?;
                    match status {
                        TINFLStatus::BlockBoundary if self.crc.total_len() >= self.least => {
                            self.close(sink)?;
                            let (bit, before) = &mut self.begun;
                            *bit = here(input) * 8 - u64::from(self.inflate.spare_bits());
                            before.clear();
                            before.extend_from_slice(self.inflate.window());
                        }
                        TINFLStatus::Done => {
                            self.close(sink)?;
                            self.state = State::Trailer(Vec::new());
                        }
                        TINFLStatus::NeedsMoreInput => break,
                        TINFLStatus::BlockBoundary | TINFLStatus::HasMoreOutput => {}
                        _ => return Err(Problem::new(Code::GzipDeflate).at(Place::File(here(input)))),
                    }
                }
                State::Trailer(trailer) => {
                    let (now, later) = input.split_at((8 - trailer.len()).min(input.len()));
                    trailer.extend_from_slice(now);
                    input = later;
                    if let Ok([c0, c1, c2, c3, s0, s1, s2, s3]) = <[u8; 8]>::try_from(trailer.as_slice()) {
                        let at = Place::File(here(input) - 8);
                        if u32::from_le_bytes([c0, c1, c2, c3]) != self.points.crc32() {
                            return Err(Problem::new(Code::GzipCrc).at(at));
                        }
                        if u32::from_le_bytes([s0, s1, s2, s3]) != self.points.length() as u32 {
                            return Err(Problem::new(Code::GzipSize).at(at));
                        }
                        self.state = State::End;
                    } else {
                        break;
                    }
                }
                State::End if input.is_empty() => break,
                State::End => return Err(Problem::new(Code::GzipTrailing).at(Place::File(here(input)))),
            }
        }
        self.consumed += bytes.len() as u64;
        Ok(())
    }

    /// The index, when the file has ended, without what is known of members; `None` for a file without content.
    ///
    /// # Errors
    /// [`Code::GzipTruncated`].
    pub fn finish(self) -> Result<Option<Index>> {
        if !matches!(self.state, State::End) {
            return Err(Problem::new(Code::GzipTruncated).at(Place::File(self.consumed)));
        }
        let (content_len, crc) = (self.points.length(), self.points.crc32());
        let checkpoints = self.points.finish();
        let some = !checkpoints.is_empty();
        let (file_len, waypoints, members) = (self.consumed, Vec::new(), MemberTable::default());
        Ok(some.then_some(Index { file_len, content_len, crc, checkpoints, waypoints, members }))
    }

    /// The stretch is complete.
    fn close(&mut self, sink: &mut dyn FnMut(Scanned<'_>) -> Result<()>) -> Result<()> {
        let crc = core::mem::take(&mut self.crc);
        let (bit, before) = &self.begun;
        let at = self.window_at;
        let window = || {
            if before.is_empty() {
                return Ok(None);
            }
            let data = compress_to_vec(before, WINDOW_LEVEL);
            sink(Scanned::Window(&data))?;
            self.window_at += data.len() as u64;
            Ok(Some(WindowPlace { at, len: data.len() as u32 }))
        };
        self.points.add(*bit, crc.total_len(), crc.finalize(), window)
    }
}

/// The inflater, with the bytes that it may refer to.
pub(in crate::gzip) struct Inflate {
    decompressor: Box<DecompressorOxide>,
    buffer: Vec<u8>,
    /// Where the next byte goes.
    at: usize,
}

impl Inflate {
    /// Goes on behind `window`, which is at most 32 KiB long.
    pub(in crate::gzip) fn new(decompressor: Box<DecompressorOxide>, window: &[u8]) -> Self {
        let mut buffer = Vec::with_capacity(BUFFER);
        buffer.extend_from_slice(window);
        buffer.resize(BUFFER, 0);
        Self { decompressor, buffer, at: window.len() }
    }

    /// One call: how it ended, how much input was taken, and where the output is until the next call.
    pub(in crate::gzip) fn step(&mut self, input: &[u8]) -> (TINFLStatus, usize, Range<usize>) {
        if self.at == BUFFER {
            self.buffer.copy_within(BUFFER - WINDOW.., 0);
            self.at = WINDOW;
        }
        let flags = TINFL_FLAG_HAS_MORE_INPUT
            | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF
            | TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY;
        let from = self.at;
        let (status, taken, len) = decompress(&mut self.decompressor, input, &mut self.buffer, from, flags);
        self.at += len;
        (status, taken, from..self.at)
    }

    /// The bytes of a step.
    pub(in crate::gzip) fn output(&self, range: &Range<usize>) -> &[u8] {
        self.buffer.get(range.clone()).unwrap_or_default()
    }

    /// What may be referred to: the last 32 KiB, or all there is.
    pub(super) fn window(&self) -> &[u8] {
        self.buffer.get(self.at.saturating_sub(WINDOW)..self.at).unwrap_or_default()
    }

    /// At a block boundary: how many bits of the last byte that was taken belong to the next block.
    pub(super) fn spare_bits(&self) -> u8 {
        self.decompressor.block_boundary_state().map_or(0, |state| state.num_bits)
    }
}

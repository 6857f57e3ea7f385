//! Push inflate of one gzip member in bounded memory, with both checks of its trailer.

use alloc::boxed::Box;
use alloc::vec::Vec;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::member::HeaderParser;
use crate::code::Code;
use crate::problem::{Place, Problem, Result};

/// How far deflate may look back, in bytes.
const HISTORY: usize = 32 * 1024;

/// Size of the output window, in bytes: the history and room for what comes. When the room is
/// used up, the history moves to the front. (A ring would save the move, and cost the inflater
/// more on every match.)
const WINDOW: usize = HISTORY + 96 * 1024;

/// Decompresses one gzip member.
///
/// Bytes are pushed in; [`Gunzip::step`] gives decompressed bytes back in pieces that borrow the
/// window. After an error or [`Step::End`] it takes no more.
pub struct Gunzip {
    state: State,
    inflate: Box<DecompressorOxide>,
    window: Vec<u8>,
    /// Where the next decompressed byte goes in the window.
    position: usize,
    crc: crc32fast::Hasher,
    consumed: u64,
    produced: u64,
    trailer_start: u64,
}

/// What one step gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// All input was taken; push more, or call [`Gunzip::finish`].
    NeedsInput,
    /// The next decompressed bytes.
    Output(&'a [u8]),
    /// The member is complete and its trailer agrees.
    End,
}

enum State {
    Header(HeaderParser),
    Body,
    /// The deflate data is damaged; what came out before the damage was given already.
    Broken {
        at: u64,
    },
    Trailer {
        bytes: [u8; 8],
        filled: usize,
    },
    /// `held` is the first byte after the member, kept until the second tells what follows.
    End {
        held: Option<u64>,
    },
    Failed,
}

impl Gunzip {
    /// Waits for the first byte of a gzip file.
    pub fn new() -> Self {
        Self {
            state: State::Header(HeaderParser::new()),
            inflate: Box::default(),
            window: alloc::vec![0; WINDOW],
            position: 0,
            crc: crc32fast::Hasher::new(),
            consumed: 0,
            produced: 0,
            trailer_start: 0,
        }
    }

    /// Takes what it can from the front of `input` and gives the next piece. Call it until it
    /// says [`Step::NeedsInput`].
    ///
    /// # Errors
    /// [`Code::GzipHeader`], [`Code::GzipMethod`], [`Code::GzipFlags`], [`Code::GzipHeaderCrc`],
    /// [`Code::GzipDeflate`], [`Code::GzipCrc`], [`Code::GzipSize`]; once the member has ended,
    /// [`Code::GzipMembers`] or [`Code::GzipTrailing`] for any byte more. The place of
    /// [`Code::GzipDeflate`] is where the inflater stopped, up to a few bytes after the damage.
    pub fn step(&mut self, input: &mut &[u8]) -> Result<Step<'_>> {
        let before = input.len();
        let result = self.advance(input);
        self.consumed += (before - input.len()) as u64;
        match result {
            Ok(Progress::NeedsInput) => Ok(Step::NeedsInput),
            Ok(Progress::Output { from, len }) => Ok(Step::Output(&self.window[from..from + len])),
            Ok(Progress::End) => Ok(Step::End),
            Err(problem) => {
                self.state = State::Failed;
                Err(problem)
            }
        }
    }

    /// Says whether the member was complete when the input ended.
    ///
    /// # Errors
    /// [`Code::GzipTruncated`], at the offset where the file ends; [`Code::GzipTrailing`] for a
    /// single byte after the member that could have begun another one.
    pub fn finish(&self) -> Result<()> {
        match self.state {
            State::End { held: None } | State::Failed => Ok(()),
            State::End { held: Some(at) } => Err(Problem::new(Code::GzipTrailing).at(Place::File(at))),
            _ => Err(Problem::new(Code::GzipTruncated).at(Place::File(self.consumed))),
        }
    }

    /// Compressed bytes taken so far, header and trailer included.
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Decompressed bytes given so far.
    pub fn produced(&self) -> u64 {
        self.produced
    }

    /// CRC-32 of the decompressed bytes so far.
    pub fn crc32(&self) -> u32 {
        self.crc.clone().finalize()
    }

    fn advance(&mut self, input: &mut &[u8]) -> Result<Progress> {
        let before = input.len();
        loop {
            match &mut self.state {
                State::Header(parser) => {
                    if !parser.feed(input)? {
                        return Ok(Progress::NeedsInput);
                    }
                    self.state = State::Body;
                }
                State::Body => {
                    if let Some(progress) = self.inflate_some(input, before)? {
                        return Ok(progress);
                    }
                }
                State::Broken { at } => return Err(Problem::new(Code::GzipDeflate).at(Place::File(*at))),
                State::Trailer { bytes, filled } => {
                    while *filled < bytes.len() {
                        let Some((&byte, rest)) = input.split_first() else {
                            return Ok(Progress::NeedsInput);
                        };
                        bytes[*filled] = byte;
                        *filled += 1;
                        *input = rest;
                    }
                    let bytes = *bytes;
                    self.check_trailer(bytes)?;
                    self.state = State::End { held: None };
                    return Ok(Progress::End);
                }
                State::End { held } => {
                    let [first, second] = super::MAGIC;
                    let Some((&byte, rest)) = input.split_first() else {
                        return Ok(Progress::NeedsInput);
                    };
                    let (code, at) = match *held {
                        None if byte == first => {
                            *held = Some(self.consumed + (before - input.len()) as u64);
                            *input = rest;
                            continue;
                        }
                        None => (Code::GzipTrailing, self.consumed + (before - input.len()) as u64),
                        Some(at) if byte == second => (Code::GzipMembers, at),
                        Some(at) => (Code::GzipTrailing, at),
                    };
                    return Err(Problem::new(code).at(Place::File(at)));
                }
                State::Failed => {
                    *input = &[];
                    return Ok(Progress::NeedsInput);
                }
            }
        }
    }

    /// One call of the inflater. `None` when the deflate stream ended without further output.
    /// `before` is how long the input was when the step began.
    fn inflate_some(&mut self, input: &mut &[u8], before: usize) -> Result<Option<Progress>> {
        if self.position == WINDOW {
            self.window.copy_within(WINDOW - HISTORY.., 0);
            self.position = HISTORY;
        }
        // The inflater knows where the data began, and refuses to look back beyond it, as zlib does.
        let from = self.position;
        let flags = TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let (status, taken, len) = decompress(&mut self.inflate, input, &mut self.window, from, flags);
        *input = input.get(taken..).unwrap_or_default();
        let at = self.consumed + (before - input.len()) as u64;
        self.crc.update(&self.window[from..from + len]);
        self.produced += len as u64;
        self.position = from + len;
        match status {
            TINFLStatus::Done => {
                self.trailer_start = at;
                self.state = State::Trailer { bytes: [0; 8], filled: 0 };
            }
            TINFLStatus::NeedsMoreInput | TINFLStatus::HasMoreOutput => {}
            _ => self.state = State::Broken { at },
        }
        Ok(match (len, status) {
            (1.., _) => Some(Progress::Output { from, len }),
            (0, TINFLStatus::NeedsMoreInput) => Some(Progress::NeedsInput),
            (0, _) => None,
        })
    }

    fn check_trailer(&self, bytes: [u8; 8]) -> Result<()> {
        let [c0, c1, c2, c3, s0, s1, s2, s3] = bytes;
        let (crc, size) = (u32::from_le_bytes([c0, c1, c2, c3]), u32::from_le_bytes([s0, s1, s2, s3]));
        let start = Place::File(self.trailer_start);
        if crc != self.crc32() {
            return Err(Problem::new(Code::GzipCrc)
                .at(start)
                .expected(format_args!("{crc:08x}"))
                .found(format_args!("{:08x}", self.crc32())));
        }
        if size != self.produced as u32 {
            return Err(Problem::new(Code::GzipSize)
                .at(start)
                .expected(format_args!("{size} (modulo 2^32)"))
                .found(self.produced));
        }
        Ok(())
    }
}

enum Progress {
    NeedsInput,
    Output { from: usize, len: usize },
    End,
}

impl Default for Gunzip {
    fn default() -> Self {
        Self::new()
    }
}

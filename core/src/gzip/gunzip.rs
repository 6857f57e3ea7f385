//! Push inflate of one gzip member in bounded memory, with both checks of its trailer.

use super::crc32;
use super::inflate::{Inflate, InflateStatus, Inflated, Window};
use super::member::HeaderParser;
use crate::code::Code;
use crate::problem::{Place, Problem, Result};

/// Decompresses one gzip member.
///
/// Bytes are pushed in; [`Gunzip::step`] gives decompressed bytes back in pieces that borrow the
/// memory of the engine that inflates. After an error or [`Step::End`] it takes no more.
pub struct Gunzip<I = Window> {
    state: State,
    engine: I,
    crc: crc32::Hasher,
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
        Self::with(Window::default())
    }
}

impl<I: Inflate> Gunzip<I> {
    /// Waits for the first byte of a gzip file, and inflates with an engine that has not begun yet.
    pub fn with(engine: I) -> Self {
        Self {
            state: State::Header(HeaderParser::new()),
            engine,
            crc: crc32::Hasher::new(),
            consumed: 0,
            produced: 0,
            trailer_start: 0,
        }
    }

    /// Goes on within a member: `consumed` bytes of the file and `produced` bytes of the content, with this CRC-32, came
    /// before what the engine inflates next.
    pub fn resumed(engine: I, consumed: u64, produced: u64, crc32: u32) -> Self {
        let crc = crc32::Hasher::new_with_initial_len(crc32, produced);
        Self { state: State::Body, crc, consumed, produced, ..Self::with(engine) }
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
            Ok(Progress::Output) => Ok(Step::Output(self.engine.output())),
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

    /// The engine, for whoever must make room in it.
    pub fn engine(&mut self) -> &mut I {
        &mut self.engine
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
        let Inflated { status, taken } = self.engine.inflate(input);
        *input = input.get(taken..).unwrap_or_default();
        let at = self.consumed + (before - input.len()) as u64;
        let output = self.engine.output();
        self.crc.update(output);
        self.produced += output.len() as u64;
        match status {
            InflateStatus::End => {
                self.trailer_start = at;
                self.state = State::Trailer { bytes: [0; 8], filled: 0 };
            }
            InflateStatus::NeedsInput | InflateStatus::HasOutput => {}
            InflateStatus::Damaged => self.state = State::Broken { at },
        }
        Ok(match (output.is_empty(), status) {
            (false, _) => Some(Progress::Output),
            (true, InflateStatus::NeedsInput) => Some(Progress::NeedsInput),
            (true, _) => None,
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
    Output,
    End,
}

impl Default for Gunzip {
    fn default() -> Self {
        Self::new()
    }
}

//! Reading an archive as its bytes come, exactly or leniently.

use alloc::string::String;
use alloc::vec::Vec;

use super::block::BLOCK;
use super::header::{Announced, MemberHeader};
use super::judge::Judge;
use super::{Kind, Member, NameSet, writer};
use crate::allowance::Allowance;
use crate::code::Code;
use crate::problem::{Place, Problem, Result};

/// How many members are accepted unless [`Options`] say otherwise. A riscv context is a directory
/// of chunks of at most 4 KiB, so millions are real.
pub const DEFAULT_MAX_MEMBERS: u64 = 1 << 22;

/// How to read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Go on where other tar programs would, with remarks. For inspection only.
    pub lenient: bool,
    /// Most members, and directories that they name, that are accepted; bounds the memory for
    /// their names.
    pub max_members: u64,
}

/// Reads an archive that is pushed in. [`Reader::step`] gives one thing after the other.
pub struct Reader {
    options: Options,
    /// All members of a snapshot but some hundred are named by hashes.
    allowance: Allowance,
    judge: Judge,
    state: State,
    block: [u8; BLOCK],
    filled: usize,
    offset: u64,
    member: Member,
    announced: Announced,
    names: NameSet,
    count: u64,
    bytes: u64,
}

/// What one step gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// All input was taken; push more, or call [`Reader::finish`].
    NeedsInput,
    /// A member begins.
    Member(&'a Member),
    /// The next bytes of its content.
    Data(&'a [u8]),
    /// Its content is complete.
    MemberEnd(&'a Member),
    /// There is something to [take](Reader::take_remarks), and the reader goes on only when it was
    /// taken; a lenient reader only.
    Remarks,
    /// The two zero blocks: the archive is complete.
    End,
}

enum State {
    /// A member header, or a zero block; `zero` is where a first zero block was.
    Header {
        zero: Option<u64>,
    },
    /// The payload of an extended header or of a long name.
    Payload {
        kind: u8,
        left: u64,
        gathered: Vec<u8>,
    },
    Body {
        left: u64,
    },
    /// Zero bytes up to the next block, after a content or after an extended header.
    Padding {
        left: usize,
        of_member: bool,
        /// A byte was not zero, and that was said.
        dirty: bool,
    },
    End {
        reported: bool,
    },
    Failed,
}

impl Reader {
    /// A reader for an archive that starts at `offset` of its stream.
    pub fn new(offset: u64, options: Options) -> Self {
        Self {
            judge: Judge::new(options.lenient),
            options,
            allowance: Allowance::default(),
            state: State::Header { zero: None },
            block: [0; BLOCK],
            filled: 0,
            offset,
            member: Member {
                name: String::new(),
                size: 0,
                mode: 0,
                mtime: 0,
                kind: Kind::File,
                header_offset: 0,
                data_offset: 0,
            },
            announced: Announced::default(),
            names: NameSet::default(),
            count: 0,
            bytes: 0,
        }
    }

    /// Takes what it can from the front of `input` and gives the next thing. Call it until it
    /// says [`Step::NeedsInput`]. After an error it takes no more.
    ///
    /// # Errors
    /// Any `tar.*` code but [`Code::TarTruncated`].
    pub fn step<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Result<Step<'s>> {
        match self.advance(input) {
            Ok(step) => Ok(match step {
                Found::NeedsInput => Step::NeedsInput,
                Found::Member => Step::Member(&self.member),
                Found::Data(data) => Step::Data(data),
                Found::MemberEnd => Step::MemberEnd(&self.member),
                Found::Remarks => Step::Remarks,
                Found::End => Step::End,
            }),
            Err(problem) => {
                self.state = State::Failed;
                Err(problem)
            }
        }
    }

    /// Says whether the archive was complete when the stream ended.
    ///
    /// # Errors
    /// [`Code::TarTruncated`], at the offset where the stream ends.
    pub fn finish(&self) -> Result<()> {
        let truncated = |what: &str| Err(Problem::new(Code::TarTruncated).at(self.here()).expected(what));
        match &self.state {
            State::End { .. } | State::Failed => Ok(()),
            State::Header { zero: Some(_) } => truncated("a second zero block"),
            State::Header { zero: None } => truncated("a member header or two zero blocks"),
            State::Payload { left, .. } => truncated(&alloc::format!("{left} bytes of an extended header")),
            State::Body { left } => truncated(&alloc::format!("{left} more bytes"))
                .map_err(|problem| problem.member(&*self.member.name)),
            State::Padding { left, of_member, .. } => truncated(&alloc::format!("{left} bytes of padding"))
                .map_err(|problem| if *of_member { problem.member(&*self.member.name) } else { problem }),
        }
    }

    /// How many bytes of the content of the member at hand are still to come.
    pub fn content_left(&self) -> u64 {
        match self.state {
            State::Body { left } => left,
            _ => 0,
        }
    }

    /// How many bytes must come at least before the content of a member can: 0 within one.
    pub fn structure_left(&self) -> u64 {
        match &self.state {
            State::Header { .. } => (BLOCK - self.filled) as u64,
            State::Payload { left, .. } => *left,
            State::Padding { left, .. } => *left as u64,
            State::Body { left: 0 } => match writer::padding(self.member.size) {
                0 => BLOCK as u64,
                padding => padding as u64,
            },
            State::Body { .. } => 0,
            State::End { .. } | State::Failed => u64::MAX,
        }
    }

    /// The next `len` bytes of the stream are not looked at: as many of the content of the member at
    /// hand as there are [left](Reader::content_left), or less.
    pub fn skip(&mut self, len: u64) {
        if let State::Body { left } = &mut self.state {
            let len = len.min(*left);
            *left -= len;
            self.offset += len;
        }
    }

    /// What comes next is at `offset` of the stream, where a member header is due.
    pub fn go_to(&mut self, offset: u64) {
        self.state = State::Header { zero: None };
        self.announced = Announced::default();
        self.filled = 0;
        self.offset = offset;
    }

    /// So many bytes of the file were read by now, as it lies there: compressed, if it is. Where nobody says
    /// so, only [`Options::max_members`] counts.
    pub fn read(&mut self, bytes: u64) {
        self.allowance.read(bytes);
    }

    /// How many members began so far.
    pub fn members(&self) -> u64 {
        self.count
    }

    /// Sum of the sizes of the members that are complete, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the end of the archive was seen.
    pub fn is_complete(&self) -> bool {
        matches!(self.state, State::End { .. })
    }

    /// What a lenient reader let pass since the last call.
    pub fn take_remarks(&mut self) -> Vec<Problem> {
        self.judge.take_remarks()
    }

    fn advance<'a>(&mut self, input: &mut &'a [u8]) -> Result<Found<'a>> {
        loop {
            // Told at once, so that they never gather.
            if self.judge.has_remarks() {
                return Ok(Found::Remarks);
            }
            match &mut self.state {
                State::Header { .. } => {
                    if !self.fill_block(input) {
                        return Ok(Found::NeedsInput);
                    }
                    if let Some(found) = self.take_block()? {
                        return Ok(found);
                    }
                }
                State::Payload { kind, left, gathered } => {
                    let piece = split(input, *left);
                    gathered.extend_from_slice(piece);
                    *left -= piece.len() as u64;
                    self.offset += piece.len() as u64;
                    if *left > 0 {
                        return Ok(Found::NeedsInput);
                    }
                    let (kind, payload) = (*kind, core::mem::take(gathered));
                    let at = self.offset - payload.len() as u64;
                    self.announced.take(kind, &payload, at, &mut self.judge)?;
                    let left = writer::padding(payload.len() as u64);
                    self.state = State::Padding { left, of_member: false, dirty: false };
                }
                State::Body { left: 0 } => {
                    self.bytes += self.member.size;
                    let left = writer::padding(self.member.size);
                    self.state = State::Padding { left, of_member: true, dirty: false };
                    return Ok(Found::MemberEnd);
                }
                State::Body { left } => {
                    let piece = split(input, *left);
                    *left -= piece.len() as u64;
                    self.offset += piece.len() as u64;
                    return Ok(if piece.is_empty() { Found::NeedsInput } else { Found::Data(piece) });
                }
                State::Padding { left, of_member, dirty } => {
                    let piece = split(input, *left as u64);
                    *left -= piece.len();
                    let (done, of_member, told) = (*left == 0, *of_member, *dirty);
                    let dirt = piece.iter().position(|&byte| byte != 0).filter(|_| !told);
                    *dirty |= dirt.is_some();
                    let at = self.offset;
                    self.offset += piece.len() as u64;
                    if done {
                        self.state = State::Header { zero: None };
                    }
                    if let Some(dirt) = dirt {
                        let problem = Problem::new(Code::TarPadding).at(Place::Stream(at + dirt as u64));
                        let name = of_member.then_some(&*self.member.name);
                        self.judge.complain(name.into_iter().fold(problem, Problem::member))?;
                    }
                    if !done {
                        return Ok(Found::NeedsInput);
                    }
                }
                State::End { reported } => {
                    let report = !input.is_empty() && !*reported;
                    *reported |= report;
                    let problem = report.then(|| trailing(input).at(self.here()));
                    self.offset += input.len() as u64;
                    *input = &[];
                    if let Some(problem) = problem {
                        self.judge.complain(problem)?;
                    }
                    return Ok(Found::NeedsInput);
                }
                State::Failed => {
                    *input = &[];
                    return Ok(Found::NeedsInput);
                }
            }
        }
    }

    fn fill_block(&mut self, input: &mut &[u8]) -> bool {
        let piece = split(input, (BLOCK - self.filled) as u64);
        self.block[self.filled..self.filled + piece.len()].copy_from_slice(piece);
        self.filled += piece.len();
        self.offset += piece.len() as u64;
        if self.filled < BLOCK {
            return false;
        }
        self.filled = 0;
        true
    }

    /// A whole block where a member header or the end is due.
    fn take_block(&mut self) -> Result<Option<Found<'static>>> {
        let at = self.offset - BLOCK as u64;
        let State::Header { zero } = self.state else { return Ok(None) };
        if self.block.iter().all(|&byte| byte == 0) {
            if zero.is_some() {
                if self.announced.is_some() {
                    let problem = Problem::new(Code::TarPax).found("an extended header without a member");
                    self.judge.complain(problem.at(Place::Stream(zero.unwrap_or(at))))?;
                }
                self.state = State::End { reported: false };
                return Ok(Some(Found::End));
            }
            self.state = State::Header { zero: Some(at) };
            return Ok(None);
        }
        if let Some(zero) = zero {
            self.judge.complain(Problem::new(Code::TarEnd).at(Place::Stream(zero)))?;
        }
        let header = MemberHeader::read(&self.block, at)?;
        if let Some(kind) = header.extended(&self.judge) {
            let left = header.payload_len(&self.announced, &mut self.judge)?;
            self.state = State::Payload { kind, left, gathered: Vec::new() };
            return Ok(None);
        }
        let announced = core::mem::take(&mut self.announced);
        self.member = header.member(announced, &mut self.judge)?;
        self.enter_member()?;
        Ok(Some(Found::Member))
    }

    /// A member begins: one more, and under a name of its own.
    fn enter_member(&mut self) -> Result<()> {
        let place = Place::Stream(self.member.header_offset);
        let most = self.options.max_members.min(self.allowance.hashes());
        if self.count >= most || self.names.len() > most {
            let problem =
                Problem::new(Code::TarMembers).at(place).expected(format_args!("at most {most} members"));
            return Err(match self.allowance.file_bytes() {
                Some(read) if most < self.options.max_members => {
                    problem.because(format_args!("{read} bytes of a file do not name more by their hashes"))
                }
                _ => problem,
            });
        }
        if let Err(problem) = self.names.insert(&self.member.name) {
            self.judge.complain(problem.at(place))?;
        }
        self.count += 1;
        self.state = State::Body { left: self.member.size };
        Ok(())
    }

    fn here(&self) -> Place {
        Place::Stream(self.offset)
    }
}

enum Found<'a> {
    NeedsInput,
    Member,
    Data(&'a [u8]),
    MemberEnd,
    Remarks,
    End,
}

/// What follows the end. A download that took its space at once and did not get all of it leaves zeros, and two blocks of
/// these look like the end. The first byte decides, so that it is the same in whatever pieces the bytes come.
fn trailing(bytes: &[u8]) -> Problem {
    let problem = Problem::new(Code::TarTrailing);
    match bytes.first() {
        Some(0) => problem
            .because("it goes on with zeros: perhaps a hole, as a download leaves one that was not finished"),
        _ => problem,
    }
}

/// Takes up to `len` bytes from the front of `input`.
fn split<'a>(input: &mut &'a [u8], len: u64) -> &'a [u8] {
    let len = usize::try_from(len).unwrap_or(usize::MAX).min(input.len());
    let (piece, rest) = input.split_at(len);
    *input = rest;
    piece
}

impl Default for Options {
    fn default() -> Self {
        Self { lenient: false, max_members: DEFAULT_MAX_MEMBERS }
    }
}

//! Reading an archive as its bytes come, exactly or leniently.

use alloc::string::String;
use alloc::vec::Vec;

use super::block::{self, BLOCK};
use super::{Kind, Member, NameSet, check_name, pax, writer};
use crate::code::Code;
use crate::problem::{Place, Problem, Result};

/// How many members are accepted unless [`Options`] say otherwise. A riscv context is a directory
/// of chunks of at most 4 KiB, so millions are real.
pub const DEFAULT_MAX_MEMBERS: u64 = 1 << 22;

/// Longest name that a lenient reader takes, in bytes: what Linux takes for a path.
const MAX_LENIENT_NAME: usize = 4096;

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
    state: State,
    block: [u8; BLOCK],
    filled: usize,
    offset: u64,
    member: Member,
    announced: Announced,
    names: NameSet,
    count: u64,
    bytes: u64,
    remarks: Vec<Problem>,
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

/// What the members before say about the next one.
#[derive(Default)]
struct Announced {
    size: Option<u64>,
    name: Option<String>,
}

impl Announced {
    fn is_some(&self) -> bool {
        self.size.is_some() || self.name.is_some()
    }
}

impl Reader {
    /// A reader for an archive that starts at `offset` of its stream.
    pub fn new(offset: u64, options: Options) -> Self {
        Self {
            options,
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
            remarks: Vec::new(),
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
        core::mem::take(&mut self.remarks)
    }

    fn advance<'a>(&mut self, input: &mut &'a [u8]) -> Result<Found<'a>> {
        loop {
            // Told at once, so that they never gather.
            if !self.remarks.is_empty() {
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
                    self.take_payload(kind, &payload)?;
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
                        self.complain(name.into_iter().fold(problem, Problem::member))?;
                    }
                    if !done {
                        return Ok(Found::NeedsInput);
                    }
                }
                State::End { reported } => {
                    let report = !input.is_empty() && !*reported;
                    *reported |= report;
                    let problem = report.then(|| Problem::new(Code::TarTrailing).at(self.here()));
                    self.offset += input.len() as u64;
                    *input = &[];
                    if let Some(problem) = problem {
                        self.complain(problem)?;
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
                    self.complain(problem.at(Place::Stream(zero.unwrap_or(at))))?;
                }
                self.state = State::End { reported: false };
                return Ok(Some(Found::End));
            }
            self.state = State::Header { zero: Some(at) };
            return Ok(None);
        }
        if let Some(zero) = zero {
            self.complain(Problem::new(Code::TarEnd).at(Place::Stream(zero)))?;
        }
        let stored = block::octal(&self.block[block::CHECKSUM]);
        let computed = u64::from(block::checksum(&self.block));
        if stored != Some(computed) {
            let field = block::text(&self.block[block::CHECKSUM]);
            return Err(Problem::new(Code::TarChecksum)
                .at(Place::Stream(at))
                .expected(format_args!("{computed:07o}"))
                .found(format_args!("\"{}\"", field.escape_ascii())));
        }
        match self.block[block::TYPE] {
            pax::TYPE => self.begin_payload(at, pax::TYPE).map(|()| None),
            kind @ (pax::GLOBAL_TYPE | LONG_NAME_TYPE) if self.options.lenient => {
                self.begin_payload(at, kind).map(|()| None)
            }
            _ => self.begin_member(at).map(|()| Some(Found::Member)),
        }
    }

    fn begin_payload(&mut self, at: u64, kind: u8) -> Result<()> {
        let problem = |code| Problem::new(code).at(Place::Stream(at));
        let size = self.number(at, "size", block::SIZE)?;
        if size > pax::MAX_PAYLOAD {
            return Err(problem(Code::TarPax)
                .expected(format_args!("at most {} bytes", pax::MAX_PAYLOAD))
                .found(size));
        }
        if self.announced.is_some() || self.block != writer::encode(pax::NAME, 0o400, size, 0, pax::TYPE) {
            self.complain(problem(Code::TarPax).found("an extended header of another form"))?;
        }
        self.state = State::Payload { kind, left: size, gathered: Vec::new() };
        Ok(())
    }

    fn take_payload(&mut self, kind: u8, payload: &[u8]) -> Result<()> {
        let place = Place::Stream(self.offset - payload.len() as u64);
        match kind {
            LONG_NAME_TYPE => {
                let name = String::from_utf8_lossy(block::text(payload));
                self.announced.name = Some(name.into());
            }
            pax::TYPE => {
                let malformed = || Problem::new(Code::TarPax).at(place.clone());
                let said = pax::parse(payload).ok_or_else(malformed)?;
                if said.size.is_none_or(|size| payload != pax::records(size)) {
                    self.complain(malformed().expected("the records gid, size and uid"))?;
                }
                self.announced = Announced { size: said.size, name: said.path };
            }
            _ => {}
        }
        Ok(())
    }

    fn begin_member(&mut self, at: u64) -> Result<()> {
        let announced = core::mem::take(&mut self.announced);
        let name = match announced.name {
            Some(name) => name.into_bytes(),
            None if self.options.lenient => self.prefixed_name(),
            None => block::text(&self.block[block::NAME]).to_vec(),
        };
        if name.len() > MAX_LENIENT_NAME {
            return Err(Problem::new(Code::TarNameForm)
                .at(Place::Stream(at))
                .expected(format_args!("at most {MAX_LENIENT_NAME} bytes"))
                .found(name.len()));
        }
        let shown = String::from_utf8_lossy(&name).into_owned();
        let place = |problem: Problem| problem.at(Place::Stream(at));
        let size = match announced.size {
            Some(size) => size,
            None => self.number(at, "size", block::SIZE)?,
        };
        let type_byte = self.block[block::TYPE];
        self.member = Member {
            kind: Kind::of(type_byte, &shown),
            name: shown,
            size,
            mode: self.number(at, "mode", block::MODE)? as u32,
            mtime: self.number(at, "time", block::MTIME)?,
            header_offset: at,
            data_offset: self.offset,
        };
        let concerns = |problem: Problem, member: &Member| place(problem).member(&*member.name);
        if self.member.kind != Kind::File {
            let problem =
                Problem::new(Code::TarType).expected("a regular file").found(self.member.kind.words());
            self.complain(concerns(problem, &self.member))?;
        }
        // After the kind: the names of GNU's special members would mislead.
        if let Err(problem) = check_name(&name) {
            self.complain(concerns(problem, &self.member))?;
        }
        if announced.size.is_some_and(|size| size <= block::MAX_PLAIN_SIZE) {
            let problem = Problem::new(Code::TarPax).found("an extended header for a size below 8 GiB");
            self.complain(concerns(problem, &self.member))?;
        }
        if announced.size.is_none() && size > block::MAX_PLAIN_SIZE {
            let problem = Problem::new(Code::TarDialect).expected("an extended header for 8 GiB and more");
            self.complain(concerns(problem.found(size), &self.member))?;
        }
        if let Some(problem) = self.foreign_form(at, &name) {
            self.complain(concerns(problem.at(Place::Stream(at)), &self.member))?;
        }
        if self.offset.checked_add(size).is_none_or(|end| end > i64::MAX as u64) {
            return Err(concerns(Problem::new(Code::TarSize).found(size), &self.member));
        }
        if self.count >= self.options.max_members || self.names.len() > self.options.max_members {
            return Err(place(Problem::new(Code::TarMembers))
                .expected(format_args!("at most {} members", self.options.max_members)));
        }
        if let Err(problem) = self.names.insert(&self.member.name) {
            self.complain(place(problem))?;
        }
        self.count += 1;
        self.state = State::Body { left: size };
        Ok(())
    }

    /// Whether the writer of the nodes would have made another header of the same facts.
    fn foreign_form(&self, at: u64, name: &[u8]) -> Option<Problem> {
        let Member { mode, size, mtime, .. } = self.member;
        let ours = writer::encode(name, mode, size, mtime, 0);
        let differs = ours.iter().zip(&self.block).position(|(a, b)| a != b)?;
        Some(
            Problem::new(Code::TarDialect)
                .expected(format_args!("{:02x} at byte {}", ours[differs], at + differs as u64))
                .found(format_args!("{:02x}", self.block[differs])),
        )
    }

    fn number(&mut self, at: u64, what: &str, field: block::Field) -> Result<u64> {
        let text = &self.block[field.clone()];
        if let Some(number) = block::octal(text) {
            return Ok(number);
        }
        let problem = Problem::new(Code::TarNumber)
            .at(Place::Stream(at + field.start as u64))
            .member(String::from_utf8_lossy(block::text(&self.block[block::NAME])))
            .expected(format_args!("octal digits ({what})"))
            .found(format_args!("\"{}\"", text.escape_ascii()));
        // A blank field reads as zero elsewhere; anything else cannot be read at all.
        if text.iter().all(|byte| matches!(byte, 0 | b' ')) {
            self.complain(problem)?;
            return Ok(0);
        }
        Err(problem)
    }

    /// Prefix and name of the later formats.
    fn prefixed_name(&self) -> Vec<u8> {
        let name = block::text(&self.block[block::NAME]);
        let prefix = block::text(&self.block[block::PREFIX]);
        if !self.block[block::MAGIC].starts_with(b"ustar") || prefix.is_empty() {
            return name.to_vec();
        }
        let prefix = prefix.strip_suffix(b"/").unwrap_or(prefix);
        [prefix, b"/", name].concat()
    }

    fn complain(&mut self, problem: Problem) -> Result<()> {
        if !self.options.lenient {
            return Err(problem);
        }
        self.remarks.push(problem);
        Ok(())
    }

    fn here(&self) -> Place {
        Place::Stream(self.offset)
    }
}

/// Type byte of GNU tar for a member that holds the name of the next one.
const LONG_NAME_TYPE: u8 = b'L';

enum Found<'a> {
    NeedsInput,
    Member,
    Data(&'a [u8]),
    MemberEnd,
    Remarks,
    End,
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

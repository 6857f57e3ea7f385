//! The rules for one member header: it is what the writer of the nodes makes of the same facts
//! (`docs/FORMAT.md`, section 4).

use alloc::string::String;
use alloc::vec::Vec;

use super::block::{self, BLOCK};
use super::judge::Judge;
use super::{Kind, Member, check_name, pax, writer};
use crate::code::Code;
use crate::problem::{Place, Problem, Result};

/// Longest name that a lenient reader takes, in bytes: what Linux takes for a path.
const MAX_LENIENT_NAME: usize = 4096;

/// Type byte of GNU tar for a member that holds the name of the next one.
const LONG_NAME_TYPE: u8 = b'L';

/// A member header, at an offset of the stream.
pub(super) struct MemberHeader<'b> {
    block: &'b [u8; BLOCK],
    at: u64,
}

impl<'b> MemberHeader<'b> {
    /// A block at this offset, which is not zero.
    ///
    /// # Errors
    /// [`Code::TarChecksum`].
    pub(super) fn read(block: &'b [u8; BLOCK], at: u64) -> Result<Self> {
        let stored = block::octal(&block[block::CHECKSUM]);
        let computed = u64::from(block::checksum(block));
        if stored != Some(computed) {
            let field = block::text(&block[block::CHECKSUM]);
            return Err(Problem::new(Code::TarChecksum)
                .at(Place::Stream(at))
                .expected(format_args!("{computed:07o}"))
                .found(format_args!("\"{}\"", field.escape_ascii())));
        }
        Ok(Self { block, at })
    }

    /// Its type byte, when it only announces something about the next member.
    pub(super) fn extended(&self, judge: &Judge) -> Option<u8> {
        match self.block[block::TYPE] {
            pax::TYPE => Some(pax::TYPE),
            kind @ (pax::GLOBAL_TYPE | LONG_NAME_TYPE) if judge.is_lenient() => Some(kind),
            _ => None,
        }
    }

    /// How many bytes of an announcement follow. `before`: what was announced already.
    ///
    /// # Errors
    /// [`Code::TarPax`], [`Code::TarNumber`].
    pub(super) fn payload_len(&self, before: &Announced, judge: &mut Judge) -> Result<u64> {
        let problem = || self.place(Problem::new(Code::TarPax));
        let size = self.number("size", block::SIZE, judge)?;
        if size > pax::MAX_PAYLOAD {
            return Err(problem().expected(format_args!("at most {} bytes", pax::MAX_PAYLOAD)).found(size));
        }
        if before.is_some() || *self.block != writer::encode(pax::NAME, 0o400, size, 0, pax::TYPE) {
            judge.complain(problem().found("an extended header of another form"))?;
        }
        Ok(size)
    }

    /// The member that it begins.
    ///
    /// # Errors
    /// Any `tar.*` code that is about one member header.
    pub(super) fn member(&self, announced: Announced, judge: &mut Judge) -> Result<Member> {
        let name = match announced.name {
            Some(name) => name.into_bytes(),
            None if judge.is_lenient() => self.prefixed_name(),
            None => block::text(&self.block[block::NAME]).to_vec(),
        };
        if name.len() > MAX_LENIENT_NAME {
            return Err(self
                .place(Problem::new(Code::TarNameForm))
                .expected(format_args!("at most {MAX_LENIENT_NAME} bytes"))
                .found(name.len()));
        }
        let shown = String::from_utf8_lossy(&name).into_owned();
        let size = match announced.size {
            Some(size) => size,
            None => self.number("size", block::SIZE, judge)?,
        };
        let member = Member {
            kind: Kind::of(self.block[block::TYPE], &shown),
            name: shown,
            size,
            mode: self.number("mode", block::MODE, judge)? as u32,
            mtime: self.number("time", block::MTIME, judge)?,
            header_offset: self.at,
            data_offset: self.at + BLOCK as u64,
        };
        let concerns = |problem: Problem| self.place(problem).member(&*member.name);
        if member.kind != Kind::File {
            let problem = Problem::new(Code::TarType).expected("a regular file").found(member.kind.words());
            judge.complain(concerns(problem))?;
        }
        // After the kind: the names of GNU's special members would mislead.
        if let Err(problem) = check_name(&name) {
            judge.complain(concerns(problem))?;
        }
        if announced.size.is_some_and(|size| size <= block::MAX_PLAIN_SIZE) {
            let problem = Problem::new(Code::TarPax).found("an extended header for a size below 8 GiB");
            judge.complain(concerns(problem))?;
        }
        if announced.size.is_none() && size > block::MAX_PLAIN_SIZE {
            let problem = Problem::new(Code::TarDialect).expected("an extended header for 8 GiB and more");
            judge.complain(concerns(problem.found(size)))?;
        }
        if let Some(problem) = self.foreign_form(&member, &name) {
            judge.complain(concerns(problem))?;
        }
        if member.data_offset.checked_add(size).is_none_or(|end| end > i64::MAX as u64) {
            return Err(concerns(Problem::new(Code::TarSize).found(size)));
        }
        Ok(member)
    }

    /// Whether the writer of the nodes would have made another header of the same facts.
    fn foreign_form(&self, member: &Member, name: &[u8]) -> Option<Problem> {
        let ours = writer::encode(name, member.mode, member.size, member.mtime, 0);
        let differs = ours.iter().zip(self.block).position(|(a, b)| a != b)?;
        Some(
            Problem::new(Code::TarDialect)
                .expected(format_args!("{:02x} at byte {}", ours[differs], self.at + differs as u64))
                .found(format_args!("{:02x}", self.block[differs])),
        )
    }

    fn number(&self, what: &str, field: block::Field, judge: &mut Judge) -> Result<u64> {
        let text = &self.block[field.clone()];
        if let Some(number) = block::octal(text) {
            return Ok(number);
        }
        let problem = Problem::new(Code::TarNumber)
            .at(Place::Stream(self.at + field.start as u64))
            .member(String::from_utf8_lossy(block::text(&self.block[block::NAME])))
            .expected(format_args!("octal digits ({what})"))
            .found(format_args!("\"{}\"", text.escape_ascii()));
        // A blank field reads as zero elsewhere; anything else cannot be read at all.
        if text.iter().all(|byte| matches!(byte, 0 | b' ')) {
            judge.complain(problem)?;
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

    fn place(&self, problem: Problem) -> Problem {
        problem.at(Place::Stream(self.at))
    }
}

/// What extended headers say about the next member.
#[derive(Default)]
pub(super) struct Announced {
    size: Option<u64>,
    name: Option<String>,
}

impl Announced {
    pub(super) fn is_some(&self) -> bool {
        self.size.is_some() || self.name.is_some()
    }

    /// Takes the payload of an extended header of this type, which begins at this offset of the stream.
    ///
    /// # Errors
    /// [`Code::TarPax`].
    pub(super) fn take(&mut self, kind: u8, payload: &[u8], at: u64, judge: &mut Judge) -> Result<()> {
        match kind {
            LONG_NAME_TYPE => self.name = Some(String::from_utf8_lossy(block::text(payload)).into()),
            pax::TYPE => {
                let malformed = || Problem::new(Code::TarPax).at(Place::Stream(at));
                let said = pax::parse(payload).ok_or_else(malformed)?;
                if said.size.is_none_or(|size| payload != pax::records(size)) {
                    judge.complain(malformed().expected("the records gid, size and uid"))?;
                }
                *self = Self { size: said.size, name: said.path };
            }
            _ => {}
        }
        Ok(())
    }
}

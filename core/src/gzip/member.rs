//! The header of a gzip member, with all its optional fields, taken bytewise (RFC 1952, 2.3).

use super::crc32;
use crate::code::Code;
use crate::problem::{Place, Problem, Result};
use crate::read_at::ReadAt;

/// What the writer puts in front: no flags, no time, no level, unknown system. The nodes write the
/// same ten bytes.
pub(super) const WRITTEN: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Beyond this length a header is not looked through: all its fields, with long names.
const LONGEST: u64 = 128 * 1024;

const FHCRC: u8 = 1 << 1;
pub(super) const FEXTRA: u8 = 1 << 2;
const FNAME: u8 = 1 << 3;
const FCOMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// Takes the bytes of a member header one by one and keeps none of them.
pub(super) struct HeaderParser {
    field: Field,
    flags: u8,
    /// Of everything before the CRC-16 field, which holds its low half.
    crc: crc32::Hasher,
    taken: u64,
}

#[derive(Clone, Copy)]
enum Field {
    Fixed { at: usize },
    ExtraLength { low: Option<u8> },
    Extra { left: u16 },
    Name,
    Comment,
    Crc { low: Option<u8> },
    Done,
}

impl HeaderParser {
    pub(super) fn new() -> Self {
        Self { field: Field::Fixed { at: 0 }, flags: 0, crc: crc32::Hasher::new(), taken: 0 }
    }

    /// Takes bytes from the front of `input`; true when the header is complete.
    pub(super) fn feed(&mut self, input: &mut &[u8]) -> Result<bool> {
        while !matches!(self.field, Field::Done) {
            let Some((&byte, rest)) = input.split_first() else { return Ok(false) };
            self.field = self.take(byte)?;
            *input = rest;
            self.taken += 1;
        }
        Ok(true)
    }

    fn take(&mut self, byte: u8) -> Result<Field> {
        if !matches!(self.field, Field::Crc { .. }) {
            self.crc.update(&[byte]);
        }
        Ok(match self.field {
            Field::Fixed { at } => {
                self.check_fixed(at, byte)?;
                if at < 9 { Field::Fixed { at: at + 1 } } else { self.after_fixed() }
            }
            Field::ExtraLength { low: None } => Field::ExtraLength { low: Some(byte) },
            Field::ExtraLength { low: Some(low) } => match u16::from_le_bytes([low, byte]) {
                0 => self.after_extra(),
                left => Field::Extra { left },
            },
            Field::Extra { left: 1 } => self.after_extra(),
            Field::Extra { left } => Field::Extra { left: left - 1 },
            Field::Name if byte == 0 => self.after_name(),
            Field::Comment if byte == 0 => self.after_comment(),
            Field::Crc { low: None } => Field::Crc { low: Some(byte) },
            Field::Crc { low: Some(low) } => {
                self.check_crc(u16::from_le_bytes([low, byte]))?;
                Field::Done
            }
            field @ (Field::Name | Field::Comment | Field::Done) => field,
        })
    }

    fn check_fixed(&mut self, at: usize, byte: u8) -> Result<()> {
        let problem = |code| Err(Problem::new(code).at(Place::File(at as u64)));
        match at {
            0 | 1 if byte != super::MAGIC[at] => problem(Code::GzipHeader),
            2 if byte != 8 => problem(Code::GzipMethod).map_err(|p| p.expected(8).found(byte)),
            3 if byte & RESERVED != 0 => {
                problem(Code::GzipFlags).map_err(|p| p.found(format_args!("{byte:#04x}")))
            }
            3 => {
                self.flags = byte;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn check_crc(&self, stored: u16) -> Result<()> {
        let computed = self.crc.clone().finalize() as u16;
        if stored == computed {
            return Ok(());
        }
        Err(Problem::new(Code::GzipHeaderCrc)
            .at(Place::File(self.taken - 1))
            .expected(format_args!("{computed:04x}"))
            .found(format_args!("{stored:04x}")))
    }

    fn after_fixed(&self) -> Field {
        if self.flags & FEXTRA != 0 { Field::ExtraLength { low: None } } else { self.after_extra() }
    }

    fn after_extra(&self) -> Field {
        if self.flags & FNAME != 0 { Field::Name } else { self.after_name() }
    }

    fn after_name(&self) -> Field {
        if self.flags & FCOMMENT != 0 { Field::Comment } else { self.after_comment() }
    }

    fn after_comment(&self) -> Field {
        if self.flags & FHCRC != 0 { Field::Crc { low: None } } else { Field::Done }
    }
}

/// How long the header of a gzip file is, in bytes.
///
/// # Errors
/// Those of [`HeaderParser::feed`], [`Code::GzipTruncated`] (also when it is longer than any real
/// one), and whatever the file reports.
pub(super) fn length<R: ReadAt + ?Sized>(file: &R) -> Result<u64> {
    let mut parser = HeaderParser::new();
    let mut piece = [0; 512];
    let mut at = 0;
    while at < file.len().min(LONGEST) {
        let len = piece.len().min(usize::try_from(file.len() - at).unwrap_or(usize::MAX));
        let bytes = &mut piece[..len];
        file.read_at(at, bytes)?;
        at += len as u64;
        let mut input = &*bytes;
        if parser.feed(&mut input)? {
            return Ok(at - input.len() as u64);
        }
    }
    Err(Problem::new(Code::GzipTruncated).at(Place::File(at)))
}

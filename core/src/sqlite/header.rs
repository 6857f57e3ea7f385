//! The first 100 bytes of the file ("The Database Header") and what follows from them: how large
//! a page is and how many there are.

use core::fmt::Display;

use crate::code::Code;
use crate::problem::{Place, Problem, Result};
use crate::read_at::ReadAt;

/// Length of the database header, which lies at the start of page 1.
pub(super) const LEN: usize = 100;

/// What the header says of the database itself, beside its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Bytes in a page.
    pub page_size: i64,
    /// How texts are written: 1 is UTF-8, 2 and 3 are UTF-16.
    pub encoding: i64,
    /// Whether free pages are given back: 0 is no.
    pub auto_vacuum: i64,
    /// A number for the application.
    pub user_version: i64,
    /// Which application's file it is, as others may look it up.
    pub application_id: i64,
}

impl Settings {
    /// Reads the header of a database.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`] when there is none, and what the source reports.
    pub fn read(reader: &impl ReadAt) -> Result<Self> {
        let header = bytes(reader)?;
        Ok(Self {
            page_size: match u16::from_be_bytes([header[16], header[17]]) {
                1 => 65536,
                size => size.into(),
            },
            encoding: match word(&header, 56) {
                // Written so by a database in which nothing was ever created.
                0 => 1,
                encoding => encoding.into(),
            },
            // The largest root page; how much is given back at once stands elsewhere.
            auto_vacuum: i64::from(word(&header, 52) != 0),
            user_version: i64::from(word(&header, 60) as i32),
            application_id: i64::from(word(&header, 68) as i32),
        })
    }
}

/// The shape of the file.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// Bytes in a page: a power of two from 512 to 65536.
    pub(super) page_size: usize,
    /// Bytes in a page without the reserved ones at its end: at least 480.
    pub(super) usable: usize,
    /// Pages in the file. They are numbered from 1.
    pub(super) pages: u32,
}

impl Layout {
    /// Reads and checks the header.
    pub(super) fn read(reader: &impl ReadAt) -> Result<Self> {
        let header = bytes(reader)?;
        let page_size = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65536,
            size if size >= 512 && size.is_power_of_two() => usize::from(size),
            other => return Err(refused(16, "a page size, a power of two from 512 to 65536", other)),
        };
        if header[19] > 2 {
            return Err(refused(19, "file format 1 (journal) or 2 (write-ahead log)", header[19]));
        }
        let usable = page_size - usize::from(header[20]);
        if usable < 480 {
            return Err(refused(20, "at least 480 usable bytes in a page", usable));
        }
        if header[21..24] != [64, 32, 32] {
            return Err(refused(
                21,
                "the payload fractions 64, 32, 32",
                format_args!("{:?}", &header[21..24]),
            ));
        }
        match word(&header, 56) {
            1 => {}
            // Written so by a database in which nothing was ever created.
            0 if word(&header, 44) == 0 => {}
            2 => return Err(refused(56, "text in UTF-8", "UTF-16le")),
            3 => return Err(refused(56, "text in UTF-8", "UTF-16be")),
            other => return Err(refused(56, "text encoding 1 (UTF-8)", other)),
        }
        if word(&header, 44) > 4 {
            return Err(refused(44, "a schema format up to 4", word(&header, 44)));
        }
        Ok(Self { page_size, usable, pages: pages(&header, reader.len() / page_size as u64)? })
    }

    /// Where a page starts in the file.
    pub(super) const fn offset(&self, page: u32) -> u64 {
        (page as u64).saturating_sub(1) * self.page_size as u64
    }

    /// Something is wrong at the byte `within` a page.
    pub(super) fn damaged(
        &self,
        page: u32,
        within: usize,
        expected: impl Display,
        found: impl Display,
    ) -> Problem {
        refused(self.offset(page) + within as u64, expected, found)
            .because(format_args!("page {page} of the database"))
    }
}

/// The header, if it is one.
fn bytes(reader: &impl ReadAt) -> Result<[u8; LEN]> {
    let mut header = [0; LEN];
    if reader.len() < LEN as u64 {
        return Err(refused(0, "a database header of 100 bytes", format_args!("{} bytes", reader.len())));
    }
    reader.read_at(0, &mut header)?;
    if header.starts_with(b"SQLite format 3\0") {
        return Ok(header);
    }
    Err(refused(0, "the name \"SQLite format 3\"", "a file of another kind, or an encrypted one"))
}

/// The number of pages. The header's own count holds only while its change counter agrees with
/// "version-valid-for"; older writers did not keep it.
fn pages(header: &[u8; LEN], whole: u64) -> Result<u32> {
    let stated = word(header, 28);
    let there = u32::try_from(whole).unwrap_or(u32::MAX - 1);
    let valid = stated != 0 && word(header, 24) == word(header, 92);
    if there == 0 || (valid && stated > there) {
        let expected = if valid { stated } else { 1 };
        return Err(
            refused(28, format_args!("{expected} pages in the file"), there).because("the file is cut short")
        );
    }
    Ok(if valid { stated } else { there })
}

/// The big-endian number of 4 bytes at a fixed offset of the header.
fn word(header: &[u8; LEN], at: usize) -> u32 {
    u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

fn refused(offset: u64, expected: impl Display, found: impl Display) -> Problem {
    Problem::new(Code::StoreDamaged)
        .at(Place::File(offset))
        .expected(format_args!("{expected}"))
        .found(format_args!("{found}"))
}

//! Member headers as the nodes write them.

use alloc::vec::Vec;

use super::block::{self, BLOCK, MAX_PLAIN_SIZE};
use super::name::MAX_NAME;
use super::{Member, pax};
use crate::code::Code;
use crate::problem::{Problem, Result};

/// The end of every archive.
pub const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// Latest time that fits the twelve bytes of its field, in seconds since 1970.
pub const MAX_MTIME: u64 = 0o777_777_777_777;

/// Largest mode that fits its seven digits.
const MAX_MODE: u32 = 0o7_777_777;

/// The bytes in front of a member's content: one block, or three when the size needs an extended
/// header.
///
/// # Errors
/// [`Code::TarNameForm`] for a name over 100 bytes, [`Code::TarNumber`] for a mode or a time that
/// does not fit its field.
pub fn member_header(member: &Member) -> Result<Vec<u8>> {
    let name = member.name.as_bytes();
    if name.len() > MAX_NAME {
        return Err(Problem::new(Code::TarNameForm)
            .member(&*member.name)
            .expected("at most 100 bytes")
            .found(name.len()));
    }
    if member.mtime > MAX_MTIME || member.mode > MAX_MODE {
        return Err(Problem::new(Code::TarNumber).member(&*member.name));
    }
    let mut bytes = Vec::with_capacity(3 * BLOCK);
    if member.size > MAX_PLAIN_SIZE {
        let records = pax::records(member.size);
        bytes.extend_from_slice(&encode(pax::NAME, 0o400, records.len() as u64, 0, pax::TYPE));
        bytes.extend_from_slice(&records);
        bytes.resize(2 * BLOCK, 0);
    }
    bytes.extend_from_slice(&encode(name, member.mode, member.size, member.mtime, 0));
    Ok(bytes)
}

/// How many zero bytes follow a content of this size.
pub const fn padding(size: u64) -> usize {
    (size.wrapping_neg() % BLOCK as u64) as usize
}

/// One header block. The nodes print numbers with at least as many digits as the field has room
/// for before its NUL, and cut what is longer: the NUL first, then the low digits.
pub(super) fn encode(name: &[u8], mode: u32, size: u64, mtime: u64, type_byte: u8) -> [u8; BLOCK] {
    let mut out = [0; BLOCK];
    put(&mut out, block::NAME, name);
    put(&mut out, block::MODE, alloc::format!("{mode:07o}").as_bytes());
    put(&mut out, block::UID, b"0000000");
    put(&mut out, block::GID, b"0000000");
    put(&mut out, block::SIZE, alloc::format!("{size:011o}").as_bytes());
    put(&mut out, block::MTIME, alloc::format!("{mtime:011o}").as_bytes());
    out[block::TYPE] = type_byte;
    let sum = block::checksum(&out);
    put(&mut out, block::CHECKSUM, alloc::format!("{sum:07o}").as_bytes());
    out
}

fn put(out: &mut [u8; BLOCK], field: block::Field, text: &[u8]) {
    let len = text.len().min(field.len());
    out[field][..len].copy_from_slice(&text[..len]);
}

//! One 512-byte member header: fields, checksum, numbers (`docs/FORMAT.md`, section 4).

use crate::members::MemberKind;

/// Length of a tar block, in bytes.
pub const BLOCK: usize = 512;

/// Largest size that fits the 11 octal digits of a member header, in bytes; what is larger is
/// announced by an extended header.
pub const MAX_PLAIN_SIZE: u64 = 0o77_777_777_777;

/// A field: where it is in the block.
pub(super) type Field = core::ops::Range<usize>;

pub(super) const NAME: Field = 0..100;
pub(super) const MODE: Field = 100..108;
pub(super) const UID: Field = 108..116;
pub(super) const GID: Field = 116..124;
pub(super) const SIZE: Field = 124..136;
pub(super) const MTIME: Field = 136..148;
pub(super) const CHECKSUM: Field = 148..156;
pub(super) const TYPE: usize = 156;
pub(super) const MAGIC: Field = 257..263;
pub(super) const PREFIX: Field = 345..500;

/// Sum of the bytes of the block, the checksum field itself counted as eight spaces.
pub(super) fn checksum(block: &[u8; BLOCK]) -> u32 {
    let sum = |bytes: &[u8]| bytes.iter().map(|&byte| u32::from(byte)).sum::<u32>();
    sum(block) - sum(&block[CHECKSUM]) + 8 * u32::from(b' ')
}

/// Whether the checksum field holds the checksum of the block, in any of the usual notations.
pub fn checksum_matches(block: &[u8; BLOCK]) -> bool {
    octal(&block[CHECKSUM]) == Some(u64::from(checksum(block)))
}

/// Whether this block looks like the header of a member that belongs in a snapshot: the test that
/// tells the two forms of the snapshot header apart.
pub fn is_member_header(block: &[u8; BLOCK]) -> bool {
    let name = text(&block[NAME]);
    let plausible =
        name == b"paxheader" || core::str::from_utf8(name).is_ok_and(|name| MemberKind::of(name).is_some());
    plausible && checksum_matches(block)
}

/// The bytes of a field up to the first NUL.
pub(super) fn text(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// An octal number in any of the usual notations: digits between spaces and NULs. `None` for
/// everything else; a field of spaces and NULs only is no number.
pub(super) fn octal(field: &[u8]) -> Option<u64> {
    let blank = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !blank(byte))?;
    let end = field.iter().rposition(|byte| !blank(byte))? + 1;
    field[start..end].iter().try_fold(0u64, |value, &byte| match byte {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

//! What all searches for repeats share.

/// How far back a match may lie, in bytes.
pub(super) const WINDOW: usize = 32 * 1024;
/// The longest match of deflate, in bytes.
pub(super) const LONGEST: usize = 258;
/// Bytes that are compared at once.
pub(super) const WORD: usize = 8;
/// No match begins in the last bytes, so that whole words can be read.
pub(super) const MARGIN: usize = WORD;
/// The longest step over bytes that have no repeats.
pub(super) const STRIDE: usize = 64;

/// Literals, then a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) literals: u32,
    /// 3 to 258 bytes.
    pub(super) length: u16,
    /// 1 to 32 768 bytes back.
    pub(super) distance: u16,
}

/// The bucket of so many bits for the bytes of a number.
#[inline(always)]
pub(super) fn hash(bytes: u32, buckets: u32) -> usize {
    (bytes.wrapping_mul(0x9e37_79b1) >> (32 - buckets)) as usize
}

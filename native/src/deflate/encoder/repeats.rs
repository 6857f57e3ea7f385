//! What all searches for repeats share: sequences, and the comparison of bytes.

/// How far back a match may lie, in bytes.
pub(super) const WINDOW: usize = 32 * 1024;
/// The longest match of deflate, in bytes.
pub(super) const LONGEST: usize = 258;
/// Bytes that are compared at once.
pub(super) const WORD: usize = 8;
/// No match begins in the last bytes, so that whole words can be read.
pub(super) const MARGIN: usize = WORD;

/// Literals, then a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) literals: u32,
    /// 3 to 258 bytes.
    pub(super) length: u16,
    /// 1 to 32 768 bytes back.
    pub(super) distance: u16,
}

/// Eight bytes.
#[inline(always)]
pub(super) fn word(data: &[u8], at: usize) -> u64 {
    match data.get(at..at + WORD).and_then(|bytes| bytes.try_into().ok()) {
        Some(bytes) => u64::from_le_bytes(bytes),
        None => 0,
    }
}

/// How many bytes at `at` are the same `distance` before; `known` of them are for certain.
#[inline(always)]
pub(super) fn common(data: &[u8], at: usize, distance: usize, known: usize) -> usize {
    let most = LONGEST.min(data.len() - at);
    let mut length = known;
    while length + WORD <= most {
        let differ = word(data, at + length) ^ word(data, at + length - distance);
        if differ != 0 {
            return length + (differ.trailing_zeros() / 8) as usize;
        }
        length += WORD;
    }
    while length < most && data[at + length] == data[at + length - distance] {
        length += 1;
    }
    length
}

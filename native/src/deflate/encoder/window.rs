//! The bytes that a match may refer to, in a place of fixed size: what indexes it needs no check.

use super::repeats::{LONGEST, WINDOW, WORD};

/// Bytes behind the last place: the longest match, and words that are read whole.
const SPARE: usize = LONGEST + 2 * WORD;

/// Twice the window, so that from the later half the whole window can be seen. A place is an offset in here, and fits into
/// 16 bits.
pub(super) struct Window {
    bytes: Box<[u8; 2 * WINDOW + SPARE]>,
    /// Offset in the data of place `WINDOW`.
    base: usize,
}

impl Window {
    pub(super) fn new() -> Self {
        Self { bytes: Box::new([0; 2 * WINDOW + SPARE]), base: 0 }
    }

    /// Begins with the first bytes of other data, at place `WINDOW`.
    pub(super) fn begin(&mut self, data: &[u8]) {
        self.base = 0;
        self.fill(data);
    }

    /// Goes on by a window: places become less by so much.
    pub(super) fn slide(&mut self, data: &[u8]) {
        self.bytes.copy_within(WINDOW..2 * WINDOW, 0);
        self.base += WINDOW;
        self.fill(data);
    }

    fn fill(&mut self, data: &[u8]) {
        let fresh = data.get(self.base..).unwrap_or_default();
        let fresh = &fresh[..fresh.len().min(WINDOW + SPARE)];
        self.bytes[WINDOW..WINDOW + fresh.len()].copy_from_slice(fresh);
    }

    /// What is added to an offset in the data to get its place.
    #[inline(always)]
    pub(super) fn shift(&self) -> usize {
        WINDOW.wrapping_sub(self.base)
    }

    /// Four bytes.
    #[inline(always)]
    pub(super) fn half(&self, place: usize) -> u32 {
        match self.bytes.get(place..place + 4).and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) => u32::from_le_bytes(bytes),
            None => 0,
        }
    }

    /// Eight bytes.
    #[inline(always)]
    pub(super) fn word(&self, place: usize) -> u64 {
        match self.bytes.get(place..place + WORD).and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) => u64::from_le_bytes(bytes),
            None => 0,
        }
    }

    /// How many bytes are the same at both places, up to `most`; `known` of them are for certain.
    #[inline(always)]
    pub(super) fn common(&self, one: usize, other: usize, known: usize, most: usize) -> usize {
        let mut length = known;
        while length < most {
            let differ = self.word(one + length) ^ self.word(other + length);
            if differ != 0 {
                return most.min(length + (differ.trailing_zeros() / 8) as usize);
            }
            length += WORD;
        }
        most
    }
}

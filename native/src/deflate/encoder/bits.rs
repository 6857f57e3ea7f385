//! Bits into bytes, the least significant first, as deflate packs them (RFC 1951, 3.1.1).

/// Gathers bits in a word and moves whole bytes to the end of a vector.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    /// Where the next byte goes: the vector may be longer, for writing whole words.
    at: usize,
    word: u64,
    count: u32,
}

impl<'a> BitWriter<'a> {
    /// Goes on after what is in the vector.
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        let at = out.len();
        Self { out, at, word: 0, count: 0 }
    }

    /// Makes room for so many bits. [`BitWriter::flush`] must not be called for more.
    pub(super) fn reserve(&mut self, bits: usize) {
        self.out.resize(self.at + bits / 8 + 24, 0);
    }

    /// Appends the `count` low bits of `bits`; the others must be zero. At most 56 bits between two
    /// flushes.
    #[inline(always)]
    pub(super) fn put(&mut self, bits: u64, count: u32) {
        self.word |= bits << self.count;
        self.count += count;
    }

    /// Moves whole bytes out of the word; up to seven bits stay.
    #[inline(always)]
    pub(super) fn flush(&mut self) {
        self.out[self.at..self.at + 8].copy_from_slice(&self.word.to_le_bytes());
        self.at += (self.count / 8) as usize;
        self.word >>= self.count & !7;
        self.count %= 8;
    }

    /// Fills up to a byte boundary with zeros and appends bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.align();
        self.out.truncate(self.at);
        self.out.extend_from_slice(bytes);
        self.at = self.out.len();
    }

    /// Ends on a byte boundary.
    pub(super) fn finish(mut self) {
        self.align();
        self.out.truncate(self.at);
    }

    fn align(&mut self) {
        self.reserve(0);
        self.flush();
        self.count = self.count.next_multiple_of(8);
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bits of RFC 1951: the first one is the lowest of the first byte.
    #[test]
    fn bits_fill_bytes_from_the_low_end() {
        let mut out = vec![0xaa];
        let mut bits = BitWriter::new(&mut out);
        bits.reserve(64);
        bits.put(0b1, 1);
        bits.put(0b101, 3);
        bits.flush();
        bits.put(0b1_1111_0000, 9);
        bits.flush();
        bits.bytes(b"xy");
        bits.put(0b1, 1);
        bits.finish();
        assert_eq!(out, [0xaa, 0b0000_1011, 0b0001_1111, b'x', b'y', 1]);
    }
}

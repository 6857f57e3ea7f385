//! Numbers and lengths as the OCaml library `repr` writes them.

use alloc::vec::Vec;

use super::{Hash, Malformed};

type Result<T> = core::result::Result<T, Malformed>;

/// Takes records from the front of a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Malformed("it ends too early"))?;
        self.0 = rest;
        Ok(*head)
    }

    /// The next byte.
    pub(crate) fn byte(&mut self) -> Result<u8> {
        self.array().map(|[byte]| byte)
    }

    /// A natural number of eight bytes, big-endian, as offsets and lengths are.
    pub(crate) fn natural64(&mut self) -> Result<u64> {
        let value = u64::from_be_bytes(self.array()?);
        if value >> 62 == 0 { Ok(value) } else { Err(Malformed("a number is negative or too large")) }
    }

    /// A number of eight bytes that may be negative, as dates are.
    pub(crate) fn int64(&mut self) -> Result<i64> {
        self.array().map(i64::from_be_bytes)
    }

    /// A natural number in groups of seven bits, the low ones first; at most nine bytes.
    pub(crate) fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return if value >> 62 == 0 { Ok(value) } else { Err(Malformed("a number is too large")) };
            }
        }
        Err(Malformed("a number has more than nine bytes"))
    }

    /// A length and as many bytes.
    pub(crate) fn string(&mut self) -> Result<&'a [u8]> {
        let len = self.varint()?;
        self.bytes(usize::try_from(len).unwrap_or(usize::MAX))
    }

    /// The next `len` bytes.
    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(Malformed("a length leads beyond its end"))?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn hash(&mut self) -> Result<Hash> {
        self.array()
    }

    /// Nothing may follow.
    pub(crate) fn end(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed("bytes follow its end")) }
    }
}

/// Appends a natural number in groups of seven bits.
pub(crate) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many bytes [`put_varint`] appends.
pub(crate) const fn varint_len(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// Appends a length and the bytes.
pub(crate) fn put_string(bytes: &[u8], out: &mut Vec<u8>) {
    put_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LEB128, by hand.
    #[test]
    fn numbers_in_groups_of_seven_bits() {
        for (value, bytes) in
            [(0, &[0][..]), (127, &[127]), (128, &[0x80, 1]), (300, &[0xac, 2]), (16_384, &[0x80, 0x80, 1])]
        {
            let mut out = Vec::new();
            put_varint(value, &mut out);
            assert_eq!(out, bytes);
            assert_eq!(varint_len(value), bytes.len());
            assert_eq!(Reader(bytes).varint(), Ok(value));
            assert!(Reader(&bytes[..bytes.len() - 1]).varint().is_err());
        }
        assert!(Reader(&[0xff; 12]).varint().is_err());
        assert!(Reader(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).varint().is_err());
    }
}

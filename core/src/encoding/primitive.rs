//! Numbers and lengths as the OCaml library `data-encoding` writes them.

use alloc::vec::Vec;

use super::Malformed;

type Result<T> = core::result::Result<T, Malformed>;

/// Takes `N` bytes from the front.
pub(crate) fn bytes<const N: usize>(input: &mut &[u8]) -> Result<[u8; N]> {
    let (head, rest) = input.split_first_chunk().ok_or(Malformed("it ends too early"))?;
    *input = rest;
    Ok(*head)
}

/// A signed number of four bytes.
pub(crate) fn int32(input: &mut &[u8]) -> Result<i32> {
    bytes(input).map(i32::from_be_bytes)
}

/// A length prefix of four bytes, and as many bytes as it says.
pub(crate) fn prefixed<'a>(input: &mut &'a [u8]) -> Result<&'a [u8]> {
    let length = u32::from_be_bytes(bytes(input)?) as usize;
    let (head, rest) = input.split_at_checked(length).ok_or(Malformed("a length leads beyond its end"))?;
    *input = rest;
    Ok(head)
}

/// A natural number: groups of seven bits, the low ones first, the high bit saying that more
/// follow. The nodes know no bound; 2^128 is one that no tick or index comes near.
pub(crate) fn natural(input: &mut &[u8]) -> Result<u128> {
    let mut value = 0u128;
    for shift in (0..).step_by(7) {
        let [byte] = bytes(input)?;
        let group = u128::from(byte & 0x7f);
        if group.checked_shl(shift).is_none_or(|part| part >> shift != group) {
            return Err(Malformed("a number is too large"));
        }
        value |= group << shift;
        if byte < 0x80 {
            let minimal = byte != 0 || shift == 0;
            return if minimal { Ok(value) } else { Err(Malformed("a number has a needless last group")) };
        }
    }
    Err(Malformed("a number is too large"))
}

/// The bytes of a natural number, as [`natural`] reads them.
pub(crate) fn natural_bytes(mut value: u128) -> Vec<u8> {
    let mut out = Vec::with_capacity(4);
    loop {
        let group = (value & 0x7f) as u8;
        value >>= 7;
        out.push(if value == 0 { group } else { group | 0x80 });
        if value == 0 {
            return out;
        }
    }
}

/// Nothing may follow.
pub(crate) fn end(input: &[u8]) -> Result<()> {
    if input.is_empty() { Ok(()) } else { Err(Malformed("bytes follow its end")) }
}

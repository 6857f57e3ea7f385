//! The leaves of a state: numbers and texts as the PVM writes them, and how to say that one is not.
//!
//! `n` is a natural number in groups of seven bits, low ones first; `z` the same with a sign, in the
//! second highest bit of the first byte. Both have one form only: a last group of zeros is malformed.

use alloc::format;
use alloc::vec::Vec;

use crate::code::Code;
use crate::context::edit::{Bytes, Node, Tree};
use crate::context::path;
use crate::encoding::{Malformed, primitive};
use crate::problem::{Problem, Result};

/// Steps from the root of the state to an object in it.
pub(super) type Steps<'a> = [&'a [u8]];

/// Writes `n`.
pub(super) fn natural(value: u128) -> Vec<u8> {
    primitive::natural_bytes(value)
}

/// Writes `z`, for numbers that are not negative: the PVM has no others.
pub(super) fn integer(value: u64) -> Vec<u8> {
    let first = (value & 0x3f) as u8;
    match value >> 6 {
        0 => Vec::from([first]),
        rest => {
            let mut out = Vec::from([first | 0x80]);
            out.extend(natural(u128::from(rest)));
            out
        }
    }
}

/// Writes a text with its length before it.
pub(super) fn text(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(4 + value.len());
    out.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(value);
    out
}

/// Reads `n`.
pub(super) fn read_natural(input: &mut &[u8]) -> Result<u128, Malformed> {
    primitive::natural(input)
}

/// Reads `n` where nothing near 2^64 makes sense.
pub(super) fn read_count(input: &mut &[u8]) -> Result<u64, Malformed> {
    u64::try_from(read_natural(input)?).map_err(|_| Malformed("a number is too large"))
}

/// Reads `z`, which must not be negative.
pub(super) fn read_integer(input: &mut &[u8]) -> Result<u64, Malformed> {
    let [first] = primitive::bytes(input)?;
    let low = u64::from(first & 0x3f);
    if first & 0x40 != 0 {
        return Err(Malformed("a number is negative"));
    }
    if first & 0x80 == 0 {
        return Ok(low);
    }
    let rest = read_natural(input)?;
    if rest == 0 {
        return Err(Malformed("a number has a needless last group"));
    }
    let rest = u64::try_from(rest).ok().filter(|rest| rest >> 58 == 0);
    Ok(rest.ok_or(Malformed("a number is too large"))? << 6 | low)
}

/// A number in decimal digits, as the names of chunks and outboxes are.
pub(super) struct Decimal {
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    /// The digits of a number.
    pub(super) fn new(mut number: u64) -> Self {
        let mut digits = [b'0'; 20];
        let mut start = digits.len();
        for (at, digit) in digits.iter_mut().enumerate().rev() {
            *digit = b'0' + (number % 10) as u8;
            start = at;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        Self { digits, start }
    }

    /// As a name.
    pub(super) fn name(&self) -> &[u8] {
        self.digits.get(self.start..).unwrap_or_default()
    }
}

/// The leaf at a path, if there is one.
pub(super) fn leaf(tree: &Tree, path: &Steps<'_>) -> Result<Option<Bytes>> {
    match tree.get(path)? {
        Some(Node::Value(bytes)) => Ok(Some(bytes)),
        Some(Node::Directory(_)) => Err(damaged(path).expected("a value").found("a directory")),
        None => Ok(None),
    }
}

/// The leaf at a path, decoded; nothing may follow in it.
pub(super) fn field<T>(
    tree: &Tree,
    path: &Steps<'_>,
    read: impl FnOnce(&mut &[u8]) -> Result<T, Malformed>,
) -> Result<T> {
    optional(tree, path, read)?.ok_or_else(|| damaged(path).expected("a value").found("nothing"))
}

/// As [`field`], where there may be no leaf.
pub(super) fn optional<T>(
    tree: &Tree,
    path: &Steps<'_>,
    read: impl FnOnce(&mut &[u8]) -> Result<T, Malformed>,
) -> Result<Option<T>> {
    let Some(bytes) = leaf(tree, path)? else { return Ok(None) };
    let mut input = &*bytes;
    let value = read(&mut input).and_then(|value| primitive::end(input).map(|()| value));
    value.map(Some).map_err(|why| damaged(path).because(why))
}

/// Something in the state is malformed, at this path.
pub(super) fn damaged(path: &Steps<'_>) -> Problem {
    Problem::new(Code::PvmState).path(format!("pvm_state/{}", path::show(path)))
}

/// A path made of two parts.
pub(super) fn join<'a>(first: &Steps<'a>, second: &Steps<'a>) -> Vec<&'a [u8]> {
    [first, second].concat()
}

#[cfg(test)]
mod tests;

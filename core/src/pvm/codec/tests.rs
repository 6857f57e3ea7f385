//! Numbers: the vectors of the format, and that there is one form only.

use super::*;

fn all<T>(bytes: &[u8], read: fn(&mut &[u8]) -> Result<T, Malformed>) -> Option<T> {
    let mut input = bytes;
    let value = read(&mut input).ok()?;
    input.is_empty().then_some(value)
}

/// Vectors of another implementation.
#[test]
fn numbers_are_those_of_the_format() {
    for (value, bytes) in [
        (0u128, &[0u8][..]),
        (127, &[0x7f]),
        (128, &[0x80, 0x01]),
        (300, &[0xac, 0x02]),
        (1000, &[0xe8, 0x07]),
        (11_000_000_000, &[0x80, 0xdc, 0x9a, 0xfd, 0x28]),
        (880_000_000_000, &[0x80, 0xc0, 0xd9, 0xa0, 0xce, 0x19]),
    ] {
        assert_eq!(natural(value), bytes);
        assert_eq!(all(bytes, read_natural), Some(value));
    }
    for (value, bytes) in
        [(0u64, &[0u8][..]), (1, &[1]), (63, &[0x3f]), (64, &[0x80, 0x01]), (100, &[0xa4, 0x01])]
    {
        assert_eq!(integer(value), bytes);
        assert_eq!(all(bytes, read_integer), Some(value));
    }
}

#[test]
fn numbers_have_one_form() {
    // −1 and −64; groups of zeros at the end; nothing; too large.
    for bytes in [&[0x41][..], &[0xc0, 0x01], &[0x80, 0x00], &[0x80], &[], &[0xff; 20]] {
        assert_eq!(all(bytes, read_integer), None, "{bytes:x?}");
    }
    for first in 0..=255u8 {
        for second in 0..=255u8 {
            for bytes in [&[first][..], &[first, second], &[first, second, 0], &[first, second, 1]] {
                if let Some(value) = all(bytes, read_natural) {
                    assert_eq!(natural(value), bytes);
                }
                if let Some(value) = all(bytes, read_integer) {
                    assert_eq!(integer(value), bytes);
                }
            }
        }
    }
    for value in [u64::MAX, u64::MAX >> 1, 1 << 63, 1 << 62, 1 << 58] {
        assert_eq!(all(&integer(value), read_integer), Some(value));
    }
}

#[test]
fn decimal_digits() {
    for number in [0, 7, 10, 1001, 241_920, u64::MAX] {
        assert_eq!(Decimal::new(number).name(), format!("{number}").as_bytes());
    }
}

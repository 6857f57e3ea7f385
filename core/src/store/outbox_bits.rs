//! A set of messages of an outbox: a number in decimal digits, in which the bit of each message is set.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::fmt;

use crate::encoding::is_outbox_message;

/// The set; as text the number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxBits(
    /// The bits, the lowest first; the last word has some.
    Vec<u64>,
);

/// So many digits fit into a word.
const CHUNK: usize = 19;

impl OutboxBits {
    /// Reads the number as the nodes write it: digits alone, and no zero before others. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        if text.starts_with('0') && text != "0" {
            return None;
        }
        let mut words: Vec<u64> = Vec::new();
        let (first, rest) = text.split_at(text.len() % CHUNK);
        let rest = rest.as_bytes().chunks(CHUNK).filter_map(|chunk| str::from_utf8(chunk).ok());
        for digits in [first].into_iter().filter(|first| !first.is_empty()).chain(rest) {
            let (mut carry, power) = (u128::from(digits.parse::<u64>().ok()?), power(digits.len()));
            for word in &mut words {
                let product = u128::from(*word) * power + carry;
                (*word, carry) = (product as u64, product >> 64);
            }
            if carry > 0 {
                words.push(carry as u64);
            }
        }
        Some(Self(words))
    }

    /// All messages of an outbox.
    pub fn all<M>(messages: &[M]) -> Self {
        Self::of(messages.iter().map(|_| true))
    }

    /// Those messages of an outbox that layer 1 can read, which are the ones that nodes record.
    pub fn readable<M: AsRef<[u8]>>(messages: &[M]) -> Self {
        Self::of(messages.iter().map(|message| is_outbox_message(message.as_ref())))
    }

    /// The set of those that are true.
    pub fn of(those: impl Iterator<Item = bool>) -> Self {
        let mut words: Vec<u64> = Vec::new();
        for (at, is_in) in those.enumerate() {
            if is_in {
                words.resize(words.len().max(at / 64 + 1), 0);
                if let Some(word) = words.get_mut(at / 64) {
                    *word |= 1 << (at % 64);
                }
            }
        }
        Self(words)
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Whether all of these are in others.
    pub fn is_within(&self, others: &Self) -> bool {
        let others = others.0.iter().copied().chain(core::iter::repeat(0));
        self.0.iter().zip(others).all(|(word, other)| word & !other == 0)
    }

    /// Those that are in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut words: Vec<u64> = self.0.iter().zip(&other.0).map(|(one, other)| one & other).collect();
        while words.last() == Some(&0) {
            words.pop();
        }
        Self(words)
    }
}

impl fmt::Display for OutboxBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // To this base, the lowest digit first.
        const BASE: u64 = 1_000_000_000;
        let mut digits: Vec<u64> = vec![0];
        for bit in self.0.iter().rev().flat_map(|word| (0..64).rev().map(move |at| word >> at & 1)) {
            let mut carry = bit;
            for digit in &mut digits {
                let doubled = *digit * 2 + carry;
                (*digit, carry) = (doubled % BASE, doubled / BASE);
            }
            if carry > 0 {
                digits.push(carry);
            }
        }
        let mut text = String::new();
        for digit in digits.iter().rev() {
            text += &if text.is_empty() { digit.to_string() } else { format!("{digit:09}") };
        }
        f.pad(&text)
    }
}

fn power(digits: usize) -> u128 {
    (0..digits).fold(1, |power, _| power * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sets() {
        let bits = |text: &str| OutboxBits::parse(text).unwrap();
        let set = |those: &[usize]| OutboxBits::of((0..200).map(|at| those.contains(&at)));
        for (text, those) in [
            ("0", &[][..]),
            ("1", &[0]),
            ("18446744073709551616", &[64]),
            // 2^70 + 5, 2^99, 2^128 + 1.
            ("1180591620717411303429", &[0, 2, 70]),
            ("633825300114114700748351602688", &[99]),
            ("340282366920938463463374607431768211457", &[0, 128]),
        ] {
            assert_eq!(bits(text), set(those), "{text}");
            assert_eq!(set(those).to_string(), text);
        }
        assert!(bits("4").is_within(&bits("1180591620717411303429")));
        assert!(!bits("2").is_within(&bits("1180591620717411303429")));
        assert!(!bits("1180591620717411303424").is_within(&bits("5")));
        // 2^20 - 1, 2^64 - 1, 2^100 - 1.
        for (count, expected) in [
            (0, "0"),
            (1, "1"),
            (20, "1048575"),
            (64, "18446744073709551615"),
            (100, "1267650600228229401496703205375"),
        ] {
            assert_eq!(OutboxBits::all(&vec![(); count]).to_string(), expected);
        }
        assert_eq!(bits("1180591620717411303429").and(&bits("7")), bits("5"));
        assert_eq!(bits("1180591620717411303424").and(&bits("7")), bits("0"));
        assert!(bits("0").is_empty() && bits("0").is_within(&bits("0")) && !bits("8").is_empty());
        for text in ["", "00", "01", "-1", "+1", "0x1", "1 ", "١", "1.0"] {
            assert_eq!(OutboxBits::parse(text), None, "{text:?}");
        }
    }
}

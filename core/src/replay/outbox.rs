//! Which messages of an outbox a store records: a set of bits, written as a decimal number, in which each message that
//! can be read as one of layer 1's outbox messages has the bit of its index.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::encoding::is_outbox_message;
use crate::store::shortened;

/// What a store records of the outbox of a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outbox {
    /// Stores of this version, or of this age, record no outboxes of such levels.
    NotRecorded,
    /// No message.
    Nothing,
    /// These: the decimal number.
    Messages(String),
}

impl Outbox {
    /// Whether messages that came out are not recorded.
    pub fn lacks<M>(&self, messages: &[M]) -> bool {
        *self == Self::NotRecorded && !messages.is_empty()
    }

    /// Compares it with the messages that came out.
    ///
    /// # Errors
    /// What is recorded, and what it should be.
    pub(super) fn check<M: AsRef<[u8]>>(&self, messages: &[M]) -> Result<(), (String, String)> {
        let recorded = match self {
            Self::NotRecorded => return Ok(()),
            Self::Nothing => "0",
            Self::Messages(text) => text,
        };
        let readable: Vec<bool> =
            messages.iter().map(|message| is_outbox_message(message.as_ref())).collect();
        let count = messages.len();
        // What layer 1 cannot execute, the nodes leave out; some that keep stores for others do not.
        let all = alloc::vec![true; count];
        if [&readable, &all].into_iter().any(|bits| decimal(bits) == recorded) {
            return Ok(());
        }
        let found = match count {
            0 => "no message".into(),
            1 => format!("one message, bits {}", decimal(&readable)),
            _ => format!("{count} messages, bits {}", decimal(&readable)),
        };
        Err((format!("bits {}", shortened(recorded)), found))
    }
}

/// The number whose bits these are, the lowest first, in decimal digits.
fn decimal(bits: &[bool]) -> String {
    const BASE: u64 = 1_000_000_000;
    // To this base, the lowest digit first.
    let mut digits: Vec<u64> = alloc::vec![0];
    for bit in bits.iter().rev() {
        let mut carry = u64::from(*bit);
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
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_a_decimal_number() {
        for (bits, expected) in [(0, "0"), (1, "1"), (20, "1048575"), (64, "18446744073709551615")] {
            assert_eq!(decimal(&alloc::vec![true; bits]), expected);
        }
        // 2^100 - 1, and 2^99.
        assert_eq!(decimal(&[true; 100]), "1267650600228229401496703205375");
        let mut one = [false; 100];
        one[99] = true;
        assert_eq!(decimal(&one), "633825300114114700748351602688");
    }

    #[test]
    fn all_messages_or_those_that_can_be_read() {
        let junk = [&b"junk"[..], b"more"];
        let row = |text: &str| Outbox::Messages(text.into());
        assert_eq!(row("3").check(&junk), Ok(()));
        assert_eq!(Outbox::Nothing.check(&junk), Ok(()));
        assert_eq!(Outbox::NotRecorded.check(&junk), Ok(()));
        for text in ["1", "2", "4", "7", "03", "", "x", "-3"] {
            assert!(row(text).check(&junk).is_err(), "{text}");
        }
        // An empty batch of untyped transactions.
        let batch = [&[0, 0, 0, 0, 0][..]];
        assert_eq!(row("1").check(&batch), Ok(()));
        assert!(Outbox::Nothing.check(&batch).is_err() && row("0").check(&batch).is_err());
        assert!(Outbox::NotRecorded.lacks(&batch) && !Outbox::Nothing.lacks(&batch));
    }
}

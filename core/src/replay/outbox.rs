//! Which messages of an outbox a store records: a set of bits, written as a decimal number, in which each message that
//! can be read as one of layer 1's outbox messages has the bit of its index.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::code::Code;
use crate::encoding::is_outbox_message;
use crate::problem::{Place, Problem};
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
    /// What it means that a store has no row for a level: `first` is the lowest one for which it has one. Older nodes
    /// recorded none, and a converted store has those of later levels only.
    pub fn absent(level: i32, first: Option<i32>) -> Self {
        if first.is_none_or(|first| level < first) { Self::NotRecorded } else { Self::Nothing }
    }

    /// Whether messages that came out are not recorded.
    pub fn lacks<M>(&self, messages: &[M]) -> bool {
        *self == Self::NotRecorded && !messages.is_empty()
    }

    /// Which messages it names, where layer 1 cannot read some of those that came out; `None` where that makes no
    /// difference, and where it names others.
    pub fn names<M: AsRef<[u8]>>(&self, messages: &[M]) -> Option<Names> {
        let bits = self.bits()?;
        let readable = readable(messages);
        if readable.iter().all(|readable| *readable) {
            return None;
        }
        if bits == decimal(&readable) {
            return Some(Names::Readable);
        }
        (bits == decimal(&alloc::vec![true; messages.len()])).then_some(Names::All)
    }

    fn bits(&self) -> Option<&str> {
        match self {
            Self::NotRecorded => None,
            Self::Nothing => Some("0"),
            Self::Messages(text) => Some(text),
        }
    }

    /// Compares it with the messages that came out.
    ///
    /// # Errors
    /// What is recorded, and what it should be.
    pub(super) fn check<M: AsRef<[u8]>>(&self, messages: &[M]) -> Result<(), (String, String)> {
        let Some(recorded) = self.bits() else { return Ok(()) };
        let readable = readable(messages);
        let count = messages.len();
        // What layer 1 cannot read, the nodes leave out; others that write stores do not.
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

/// Which messages the outboxes of a store name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// All that came out.
    All,
    /// Those that layer 1 can read.
    Readable,
}

/// What the outboxes of a store have named so far: one who writes a store does the same at every level.
#[derive(Clone, Copy, Debug, Default)]
pub struct Habit(Option<(i32, Names)>);

impl Habit {
    /// Compares the outbox of a level with those before it.
    ///
    /// # Errors
    /// [`Code::ReplayOutbox`] when it names others.
    pub fn check(&mut self, level: i32, names: Option<Names>) -> Result<(), Problem> {
        let Some(names) = names else { return Ok(()) };
        let (first, habit) = *self.0.get_or_insert((level, names));
        if names == habit {
            return Ok(());
        }
        let words = |names| match names {
            Names::All => "all messages",
            Names::Readable => "only messages that layer 1 can read",
        };
        let expected = format!("{}, as at level {first}", words(habit));
        let problem = Problem::new(Code::ReplayOutbox).at(Place::Level(level));
        Err(problem.expected(expected).found(words(names)))
    }
}

fn readable<M: AsRef<[u8]>>(messages: &[M]) -> Vec<bool> {
    messages.iter().map(|message| is_outbox_message(message.as_ref())).collect()
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
        let both = [batch[0], junk[0]];
        assert_eq!((row("1").names(&both), row("3").names(&both)), (Some(Names::Readable), Some(Names::All)));
        assert_eq!((row("2").names(&both), row("1").names(&batch)), (None, None));
        let mut habit = Habit::default();
        for names in [None, Some(Names::All), None, Some(Names::All)] {
            assert_eq!(habit.check(7, names), Ok(()));
        }
        assert_eq!(habit.check(8, Some(Names::Readable)).unwrap_err().code(), Code::ReplayOutbox);
        assert!(Outbox::NotRecorded.lacks(&batch) && !Outbox::Nothing.lacks(&batch));
    }
}

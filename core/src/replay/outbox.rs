//! Which messages of an outbox a store records: a set of bits, written as a decimal number, in which each message that
//! can be read as one of layer 1's outbox messages has the bit of its index.

use alloc::format;
use alloc::string::{String, ToString};

use crate::code::Code;
use crate::problem::{Place, Problem};
use crate::store::{OutboxBits, shortened};

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

    /// Whether it names messages of a block that puts none into the outbox, and says nothing of the state after it
    /// (`state`: whether it does). That accuses nobody: an older node, which does not record states, leaves such a row
    /// where it is killed before it writes the block, and another block of the level takes its place.
    pub fn is_left<M>(&self, messages: &[M], state: bool) -> bool {
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            Self::Messages(text) if messages.is_empty() && !state => {
                !text.is_empty() && is_number(text) && !text.starts_with('0')
            }
            _ => false,
        }
    }

    /// Which messages it names, where layer 1 cannot read some of those that came out; `None` where that makes no
    /// difference, and where it names others.
    pub fn names<M: AsRef<[u8]>>(&self, messages: &[M]) -> Option<Names> {
        let bits = self.bits()?;
        let (readable, all) = (OutboxBits::readable(messages), OutboxBits::all(messages));
        if readable == all {
            return None;
        }
        if bits == readable.to_string() {
            return Some(Names::Readable);
        }
        (bits == all.to_string()).then_some(Names::All)
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
        let readable = OutboxBits::readable(messages);
        let count = messages.len();
        // What layer 1 cannot read, the nodes leave out; others that write stores do not.
        if [&readable, &OutboxBits::all(messages)].into_iter().any(|bits| bits.to_string() == recorded) {
            return Ok(());
        }
        let found = match count {
            0 => "no message".into(),
            1 => format!("one message, bits {}", readable),
            _ => format!("{count} messages, bits {}", readable),
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

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn rows_that_killed_nodes_leave() {
        let row = |text: &str| Outbox::Messages(text.into());
        let (none, one): ([&[u8]; 0], _) = ([], [b"junk".as_slice()]);
        assert!(row("1").is_left(&none, false) && row("36893488147419103232").is_left(&none, false));
        assert!(!row("1").is_left(&none, true), "nodes that record states write the block with the row");
        assert!(!row("2").is_left(&one, false), "the row of the other block is replaced");
        for text in ["", "01", "-1", "x", "1 "] {
            assert!(!row(text).is_left(&none, false), "{text}");
        }
        assert!(!Outbox::Nothing.is_left(&none, false) && !Outbox::NotRecorded.is_left(&none, false));
    }
}

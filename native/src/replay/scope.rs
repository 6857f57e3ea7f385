//! Which blocks are run again, as a user says it.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use rollsnap_core::{Code, Problem, Result};

/// Which blocks are run again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All that follow the first context that is there.
    #[default]
    All,
    /// The newest ones, so many.
    Last(u32),
    /// So many, chosen at random, spread over all of them.
    Sample(u32),
    /// Those of these levels, both included.
    Levels(i32, i32),
    /// Those whose contexts are missing, and those between the newest context and the head if that is missing or none is:
    /// what an import of a compact snapshot makes, and where one that was interrupted goes on.
    Missing,
    /// Those whose contexts cannot be checked out, and all between the first and the last of them; where a level is named
    /// also all above it, from the last context up to there on.
    Lost(Option<i32>),
}

/// One of several machines that share the work: number `number`, from 1, of `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: u32,
    of: NonZeroU32,
}

impl Shard {
    /// Number `number` of `of`; `None` unless it is from 1 to `of`.
    pub fn new(number: u32, of: u32) -> Option<Self> {
        let of = NonZeroU32::new(of)?;
        (1..=of.get()).contains(&number).then_some(Self { number, of })
    }

    /// Its number, from 1.
    pub const fn number(self) -> u32 {
        self.number
    }

    /// How many there are.
    pub const fn of(self) -> u32 {
        self.of.get()
    }
}

impl FromStr for Scope {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Problem::new(Code::Usage)
                .headline("these are no blocks to replay")
                .expected("all, last:N, sample:N or FROM..TO")
                .found(format_args!("{text:?}"))
        };
        if text == "all" {
            return Ok(Self::All);
        }
        let count = |number: &str| digits(number).filter(|count| *count > 0).ok_or_else(wrong);
        if let Some(number) = text.strip_prefix("last:") {
            return count(number).map(Self::Last);
        }
        if let Some(number) = text.strip_prefix("sample:") {
            return count(number).map(Self::Sample);
        }
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        match (digits(from), digits(to)) {
            (Some(from), Some(to)) if from <= to => Ok(Self::Levels(from, to)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.pad("all"),
            Self::Last(count) => write!(f, "last:{count}"),
            Self::Sample(count) => write!(f, "sample:{count}"),
            Self::Levels(from, to) => write!(f, "{from}..{to}"),
            Self::Missing => f.pad("missing"),
            Self::Lost(_) => f.pad("lost"),
        }
    }
}

impl FromStr for Shard {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self> {
        let shard = text.split_once('/').and_then(|(number, of)| Self::new(digits(number)?, digits(of)?));
        shard.ok_or_else(|| {
            Problem::new(Code::Usage)
                .headline("this is no share of the work")
                .expected("K/N, with K from 1 to N")
                .found(format_args!("{text:?}"))
        })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// A number without a sign, which `parse` alone would take.
fn digits<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_and_shards_are_read_and_written() {
        for (text, scope) in [
            ("all", Scope::All),
            ("last:7", Scope::Last(7)),
            ("sample:100", Scope::Sample(100)),
            ("5..9", Scope::Levels(5, 9)),
            ("5..5", Scope::Levels(5, 5)),
        ] {
            assert_eq!(text.parse::<Scope>().unwrap(), scope);
            assert_eq!(scope.to_string(), text);
        }
        let wrong = [
            "", "ALL", "last", "last:", "last:0", "last:-1", "last:+1", "sample:x", "9..5", "5..", "..5", "5",
        ];
        for text in wrong.into_iter().chain(["1..2147483648", "-1..5", "5...9", "missing"]) {
            assert_eq!(text.parse::<Scope>().unwrap_err().code(), Code::Usage, "{text}");
        }
        assert_eq!("2/4".parse::<Shard>().unwrap(), Shard::new(2, 4).unwrap());
        for text in ["", "1", "0/4", "5/4", "1/0", "1/x", "+1/4", "1/4/4"] {
            assert_eq!(text.parse::<Shard>().unwrap_err().code(), Code::Usage, "{text}");
        }
    }
}

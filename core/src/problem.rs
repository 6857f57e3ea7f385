//! A [`Problem`]: one entry of the error table that came true, with where and what.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::rule::Rule;
use crate::shown::shown;

/// Something is wrong. It names the [`Code`], where it was found, what was expected and what was
/// found instead; `Display` says it in one sentence, [`Problem::advice`] what to do.
///
/// What it quotes comes from files, databases and servers, and its parts give it back as it is: a surface shows them
/// through [`shown`](crate::shown()).
#[derive(Clone)]
pub struct Problem(Box<Parts>);

/// The result of everything that can meet a [`Problem`].
pub type Result<T, E = Problem> = core::result::Result<T, E>;

/// Where something was found. In JSON `{"stream_offset":N}`, `{"file_offset":N}`, `{"context_offset":N}`, `{"level":N}` or
/// `{"path":"…"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// Byte offset in the decompressed stream (header first, so the tar starts at 58).
    #[serde(rename = "stream_offset")]
    Stream(u64),
    /// Byte offset in the file as it is, compressed or not.
    #[serde(rename = "file_offset")]
    File(u64),
    /// Global offset of an object of the context, which collections do not change.
    #[serde(rename = "context_offset")]
    Context(u64),
    /// Level of a block.
    #[serde(rename = "level")]
    Level(i32),
    /// A path of the file system.
    #[serde(rename = "path")]
    Path(String),
}

#[derive(Clone)]
struct Parts {
    code: Code,
    rule: Option<Rule>,
    headline: Option<String>,
    place: Option<Place>,
    member: Option<String>,
    expected: Option<String>,
    found: Option<String>,
    cause: Option<String>,
    /// The error whose text the cause is, for programs.
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Problem {
    /// The bare problem: the words of the table, no place.
    pub fn new(code: Code) -> Self {
        Self(Box::new(Parts {
            code,
            rule: None,
            headline: None,
            place: None,
            member: None,
            expected: None,
            found: None,
            cause: None,
            source: None,
        }))
    }

    /// A store says something that a node never writes there. `path` is the name of the file.
    pub fn damaged_store(path: &str, what: &str) -> Self {
        Self::new(Code::StoreDamaged).headline(format!("the store is damaged: {what}")).path(path)
    }

    /// Says it in these words instead of the title of the table.
    pub fn headline(mut self, text: impl Into<String>) -> Self {
        self.0.headline = Some(text.into());
        self
    }

    /// A rule of the nodes does not hold, and this is what they say then.
    pub fn breaks(mut self, rule: Rule, words: impl Into<String>) -> Self {
        self.0.rule = Some(rule);
        self.headline(words)
    }

    /// Found here.
    pub fn at(mut self, place: Place) -> Self {
        self.0.place = Some(place);
        self
    }

    /// Found at this path of the file system.
    pub fn path(self, path: impl ToString) -> Self {
        self.at(Place::Path(path.to_string()))
    }

    /// Concerns the archive member of this name.
    pub fn member(mut self, name: impl Into<String>) -> Self {
        self.0.member = Some(name.into());
        self
    }

    /// What should have been there.
    pub fn expected(mut self, what: impl ToString) -> Self {
        self.0.expected = Some(what.to_string());
        self
    }

    /// What was there.
    pub fn found(mut self, what: impl ToString) -> Self {
        self.0.found = Some(what.to_string());
        self
    }

    /// Why: one more sentence, for instance what the operating system says.
    pub fn because(mut self, cause: impl ToString) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// Why: this error, of another library or of the system. People read its text as the cause, programs get it as
    /// [`Error::source`].
    pub fn caused_by(mut self, error: impl Error + Send + Sync + 'static) -> Self {
        self.0.cause = Some(error.to_string());
        self.0.source = Some(Arc::new(error));
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Where it was found, if that is known.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// The archive member that it concerns.
    pub fn member_name(&self) -> Option<&str> {
        self.0.member.as_deref()
    }

    /// What should have been there.
    pub fn expected_text(&self) -> Option<&str> {
        self.0.expected.as_deref()
    }

    /// What was there.
    pub fn found_text(&self) -> Option<&str> {
        self.0.found.as_deref()
    }

    /// Why: one more sentence.
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// The rule of the nodes that does not hold; `None` for what only rollsnap finds.
    pub fn rule(&self) -> Option<Rule> {
        self.0.rule
    }

    /// What to do about it; empty where there is nothing to add.
    pub fn advice(&self) -> &'static str {
        self.0.code.advice()
    }

    /// What comes below the first line: where, what was expected and found, why.
    pub fn details(&self) -> Vec<String> {
        let Parts { place, member, expected, found, cause, .. } = &*self.0;
        let mut lines = Vec::new();
        match (member, place) {
            (Some(member), Some(place)) => lines.push(format!("member {member:?}, {place}")),
            (Some(member), None) => lines.push(format!("member {member:?}")),
            (None, Some(place)) => lines.push(place.to_string()),
            (None, None) => {}
        }
        match (expected, found) {
            (Some(expected), Some(found)) => lines.push(format!("expected {expected}, found {found}")),
            (Some(expected), None) => lines.push(format!("expected {expected}")),
            (None, Some(found)) => lines.push(format!("found {found}")),
            (None, None) => {}
        }
        lines.extend(cause.clone());
        lines
    }

    /// All of it in one sentence, with foreign texts as they are: for what goes on in another problem or in JSON.
    /// `Display` is for people.
    pub fn sentence(&self) -> String {
        let mut sentence = String::from(self.title());
        for line in self.details() {
            sentence.push_str(": ");
            sentence.push_str(&line);
        }
        sentence
    }

    /// The first line: the exact text of the peers where they have one.
    pub fn title(&self) -> &str {
        self.0.headline.as_deref().unwrap_or(self.0.code.title())
    }
}

/// `title: member "m", at byte 158 of the decompressed stream: expected X, found Y: cause`, fit to be
/// [`shown`](crate::shown()).
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.sentence()))
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {self}", self.0.code)
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}

/// Two problems are equal when they say the same.
impl PartialEq for Problem {
    fn eq(&self, other: &Self) -> bool {
        fn said(parts: &Parts) -> impl PartialEq + '_ {
            let Parts { code, rule, headline, place, member, expected, found, cause, source: _ } = parts;
            (code, rule, headline, place, member, expected, found, cause)
        }
        said(&self.0) == said(&other.0)
    }
}

impl Eq for Problem {}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(offset) => write!(f, "at byte {offset} of the decompressed stream"),
            Self::File(offset) => write!(f, "at byte {offset} of the file"),
            Self::Context(offset) => write!(f, "at offset {offset} of the context"),
            Self::Level(level) => write!(f, "at level {level}"),
            Self::Path(path) => f.write_str(path),
        }
    }
}

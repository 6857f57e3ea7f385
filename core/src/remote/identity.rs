//! Which file an answer is of.

use alloc::string::{String, ToString};
use core::ops::Range;

use serde::{Deserialize, Serialize};

use super::answer::{Answer, ContentRange, status};
use crate::code::Code;
use crate::problem::{Problem, Result};

/// What tells one version of a file from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validator {
    /// A strong `ETag`, with its quotes.
    Etag(String),
    /// `x-goog-generation`.
    Generation(String),
    /// `x-amz-version-id`.
    Version(String),
    /// `Last-Modified`: two versions within a second look the same.
    Modified(String),
    /// Nothing but the length.
    None,
}

impl Validator {
    /// The best one that an answer has.
    pub fn of(answer: &Answer<'_>) -> Self {
        let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(ToString::to_string);
        // `null` stands for all versions of a bucket that keeps none.
        let version = answer.x_amz_version_id.filter(|version| *version != "null");
        given(strong(answer.etag))
            .map(Self::Etag)
            .or_else(|| given(answer.x_goog_generation).map(Self::Generation))
            .or_else(|| given(version).map(Self::Version))
            .or_else(|| given(answer.last_modified).map(Self::Modified))
            .unwrap_or(Self::None)
    }

    /// Whether equal ones stand for equal bytes.
    pub fn is_strong(&self) -> bool {
        !matches!(self, Self::Modified(_) | Self::None)
    }

    /// What the request header `If-Range` may say.
    pub fn if_range(&self) -> Option<&str> {
        match self {
            Self::Etag(etag) => Some(etag),
            _ => None,
        }
    }

    /// The same header of another answer.
    fn same_of<'a>(&self, answer: &Answer<'a>) -> Option<&'a str> {
        match self {
            Self::Etag(_) => answer.etag,
            Self::Generation(_) => answer.x_goog_generation,
            Self::Version(_) => answer.x_amz_version_id,
            Self::Modified(_) => answer.last_modified,
            Self::None => None,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Etag(text) | Self::Generation(text) | Self::Version(text) | Self::Modified(text) => {
                Some(text)
            }
            Self::None => None,
        }
    }

    /// Compares it with what a later answer says.
    fn accept(&self, answer: &Answer<'_>) -> Result<()> {
        let Some(pinned) = self.text() else { return Ok(()) };
        match self.same_of(answer) {
            Some(found) if found == pinned => Ok(()),
            Some(found) => Err(Problem::new(Code::RemoteChanged).expected(pinned).found(found)),
            None => Err(wrong("it does not say which version of the file it is of")),
        }
    }
}

/// The mark of a weak one says that equal ones may stand for other bytes.
fn strong(etag: Option<&str>) -> Option<&str> {
    etag.filter(|etag| etag.len() > 2 && etag.starts_with('"'))
}

/// A file that the first answer has pinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// How long it is, in bytes.
    pub len: u64,
    /// Which version it is.
    pub validator: Validator,
    /// `Content-Encoding`: how the server says that it stored the file, which is taken as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
}

/// What the first answer, to a request for [`FIRST`](super::FIRST) bytes, makes possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// The body are the first bytes, and others can be asked for.
    Ranges(Identity),
    /// The body is the whole file, which cannot be asked for in parts; its length, where the server says it.
    Whole(Option<u64>),
    /// The file is empty.
    Empty,
}

impl Opening {
    /// Judges the first answer.
    ///
    /// # Errors
    /// [`Code::RemoteStatus`], [`Code::RemoteAnswer`].
    pub fn of(answer: &Answer<'_>) -> Result<Self> {
        let range = answer.content_range.map(|text| ContentRange::parse(text).ok_or(text));
        match (answer.status, range) {
            (206, Some(Ok(ContentRange::Part { start: 0, end, total: Some(len) }))) => {
                if answer.content_length.is_some_and(|length| length != end) {
                    return Err(wrong("its length is not that of its range"));
                }
                let encoding = answer.content_encoding.map(Into::into);
                Ok(Self::Ranges(Identity { len, validator: Validator::of(answer), encoding }))
            }
            (200, _) if answer.content_length == Some(0) => Ok(Self::Empty),
            (200, _) => Ok(Self::Whole(answer.content_length)),
            (416, Some(Ok(ContentRange::Nothing { total: 0 }))) => Ok(Self::Empty),
            (206, Some(Ok(ContentRange::Part { start, total, .. }))) => Err(match total {
                Some(_) => wrong("it does not begin where the file does").expected("byte 0").found(start),
                None => wrong("it does not say how long the file is"),
            }),
            (206, None) => Err(wrong("it does not say which part of the file it is")),
            (206, Some(_)) => Err(unreadable(answer)),
            (other, _) => Err(status(other)),
        }
    }
}

/// How much may come before what was asked for, in bytes: one that always sends all of a file would send it for every part.
const MOST_BEFORE: u64 = 1 << 20;

/// What of an answer is wanted: so many bytes behind those that are skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fitting {
    /// How many bytes come before what was asked for.
    pub skip: u64,
    /// How many of the wanted bytes come then: at least one, at most as many as were asked for.
    pub len: u64,
}

impl Identity {
    /// Judges the answer to a request for these bytes.
    ///
    /// # Errors
    /// [`Code::RemoteChanged`] when it is of another file; [`Code::RemoteAnswer`] when it brings something else than was
    /// asked for; [`Code::RemoteStatus`].
    pub fn accept(&self, asked: &Range<u64>, answer: &Answer<'_>) -> Result<Fitting> {
        let range = answer.content_range.and_then(ContentRange::parse);
        let is_long = |total: u64| match total == self.len {
            true => Ok(()),
            false => Err(Problem::new(Code::RemoteChanged)
                .expected(format_args!("{} bytes", self.len))
                .found(format_args!("{total} bytes"))),
        };
        match (answer.status, range) {
            (206, Some(ContentRange::Part { start, end, total: Some(total) })) => {
                is_long(total)?;
                self.validator.accept(answer)?;
                if answer.content_encoding != self.encoding.as_deref() {
                    return Err(wrong("it is encoded in another way than the first one"));
                }
                if answer.content_length.is_some_and(|length| length != end - start) {
                    return Err(wrong("its length is not that of its range"));
                }
                if start > asked.start || end <= asked.start {
                    let text = format_args!("bytes {start} to {}", end - 1);
                    let other = wrong("it brings another part of the file");
                    return Err(other.expected(format_args!("bytes from {} on", asked.start)).found(text));
                }
                if asked.start - start > MOST_BEFORE {
                    return Err(wrong("it begins far before the part that was asked for").found(start));
                }
                let len = end.min(asked.end).saturating_sub(asked.start);
                Ok(Fitting { skip: asked.start - start, len })
            }
            (206, _) => Err(unreadable(answer)),
            (200, _) => {
                answer.content_length.map_or(Ok(()), is_long)?;
                self.validator.accept(answer)?;
                Err(wrong("it brings the whole file where a part was asked for"))
            }
            (412, _) => Err(Problem::new(Code::RemoteChanged)),
            (416, Some(ContentRange::Nothing { total })) => {
                is_long(total)?;
                Err(wrong("the server does not have the part that was asked for"))
            }
            (other, _) => Err(status(other)),
        }
    }
}

fn unreadable(answer: &Answer<'_>) -> Problem {
    wrong("it does not say which part of the file it is").found(answer.content_range.unwrap_or("nothing"))
}

fn wrong(why: &str) -> Problem {
    Problem::new(Code::RemoteAnswer).because(why)
}

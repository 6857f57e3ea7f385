//! The head of an answer.

use crate::code::Code;
use crate::problem::Problem;

/// What the head of an HTTP answer says, as far as it matters here. Names of fields are those of the headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Answer<'a> {
    pub status: u16,
    pub content_range: Option<&'a str>,
    pub content_length: Option<u64>,
    pub content_encoding: Option<&'a str>,
    pub etag: Option<&'a str>,
    pub last_modified: Option<&'a str>,
    pub x_goog_generation: Option<&'a str>,
    pub x_amz_version_id: Option<&'a str>,
}

/// What `Content-Range` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContentRange {
    /// The bytes from `start` on and before `end`, of `total`; `None` where the server does not know how many there are.
    Part { start: u64, end: u64, total: Option<u64> },
    /// None of the bytes that were asked for are there.
    Nothing { total: u64 },
}

impl ContentRange {
    /// Reads `bytes 0-99/1000`, `bytes 0-99/*` or `bytes */1000`; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (unit, rest) = text.trim().split_once(' ')?;
        let (range, total) = rest.trim().split_once('/')?;
        if !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        let total = if total == "*" { None } else { Some(number(total)?) };
        if range == "*" {
            return Some(Self::Nothing { total: total? });
        }
        let (first, last) = range.split_once('-')?;
        let (start, end) = (number(first)?, number(last)?.checked_add(1)?);
        let fits = start < end && total.is_none_or(|total| end <= total);
        fits.then_some(Self::Part { start, end, total })
    }
}

/// `parse` alone would also take a sign.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// The problem of an answer with a status that brings no file.
pub fn status(status: u16) -> Problem {
    let why = match status {
        401 => "it wants a user name and a password: https://USER:PASSWORD@HOST, special characters as %40",
        403 => "it forbids access",
        404 => "it has no such file",
        407 => "the proxy of the environment wants a user name and a password",
        410 => "it has no such file any more",
        408 | 425 | 429 | 500..=599 => "it is busy, or out of order",
        _ => "that is no answer that brings a file",
    };
    Problem::new(Code::RemoteStatus).found(format_args!("status {status}")).because(why)
}

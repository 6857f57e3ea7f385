//! `Range`, and the conditions of a request, as RFC 9110 has them.

use core::ops::Range;

use super::request::Request;
use super::resource::Resource;

/// What part of a resource a request is for.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Wanted {
    /// No range, several of them, or one that is not understood: all of it.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// A range behind the end.
    Beyond,
}

impl Wanted {
    /// What the header `Range` means in a resource of this length.
    pub(super) fn of(range: Option<&str>, total: u64) -> Self {
        Self::parse(range, total).unwrap_or(Self::Whole)
    }

    /// The first byte, for the limits of faults.
    pub(super) fn start(&self, total: u64) -> u64 {
        match self {
            Self::Whole => 0,
            Self::Part(part) => part.start,
            Self::Beyond => total,
        }
    }

    fn parse(range: Option<&str>, total: u64) -> Option<Self> {
        let (first, last) = range?.strip_prefix("bytes=")?.split_once('-')?;
        let part = if first.is_empty() {
            total.saturating_sub(number(last)?)..total
        } else {
            let last = if last.is_empty() { u64::MAX } else { number(last)? };
            let first = number(first)?;
            // A range that ends before it begins is no range.
            (first <= last).then(|| first..last.saturating_add(1).min(total))?
        };
        Some(if part.is_empty() { Self::Beyond } else { Self::Part(part) })
    }
}

/// Whether the resource is one that `If-Match` names.
pub(super) fn matches(request: &Request, resource: &Resource) -> bool {
    let Some(wanted) = request.header("if-match") else { return true };
    wanted == "*" || wanted.split(',').any(|tag| strong(resource.etag.as_deref(), tag.trim()))
}

/// Whether the resource is the one that `If-Range` names.
pub(super) fn unchanged(request: &Request, resource: &Resource) -> bool {
    let Some(known) = request.header("if-range") else { return true };
    strong(resource.etag.as_deref(), known) || resource.last_modified.as_deref() == Some(known)
}

/// A weak tag equals nothing, itself neither.
fn strong(tag: Option<&str>, other: &str) -> bool {
    tag.is_some_and(|tag| tag == other && !tag.starts_with("W/"))
}

/// Digits only: no sign.
fn number(digits: &str) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::Wanted::{self, Beyond, Part, Whole};

    #[test]
    fn ranges_mean_what_the_standard_says() {
        let wanted = |range| Wanted::of(Some(range), 10_000);
        // The examples of RFC 9110, section 14.1.2, on its representation of 10000 bytes.
        assert_eq!(wanted("bytes=0-499"), Part(0..500));
        assert_eq!(wanted("bytes=500-999"), Part(500..1000));
        assert_eq!(wanted("bytes=-500"), Part(9500..10_000));
        assert_eq!(wanted("bytes=9500-"), Part(9500..10_000));
        // What reaches over an end ends there.
        assert_eq!(wanted("bytes=-20000"), Part(0..10_000));
        assert_eq!(wanted("bytes=9999-18446744073709551615"), Part(9999..10_000));
        for beyond in ["bytes=10000-", "bytes=10000-10001", "bytes=-0"] {
            assert_eq!(wanted(beyond), Beyond, "{beyond}");
        }
        for whole in ["bytes=0-0,-1", "bytes=5-4", "bytes=+1-2", "bytes=-", "bytes=", "lines=0-1", "0-1"] {
            assert_eq!(wanted(whole), Whole, "{whole}");
        }
        assert_eq!(Wanted::of(None, 10_000), Whole);
        assert_eq!(Wanted::of(Some("bytes=0-"), 0), Beyond);
        assert_eq!(Wanted::of(Some("bytes=-1"), 0), Beyond);
    }
}

//! A snapshot of this computer that the page may read, in whatever parts it asks for.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rollsnap_core::{Code, Problem, Result};

use super::http::{Request, Response};
use crate::dir::open_regular;
use crate::io;

/// What stands in a path as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A file and its index, if there is one beside it.
pub(super) struct Shared {
    /// Below the address of the page, percent-encoded.
    pub(super) path: String,
    file: Served,
    index: Option<Served>,
}

/// A file that is held open: what is put in its place meanwhile is another one.
struct Served(Arc<File>);

impl Shared {
    /// # Errors
    /// Any `io.*` code; [`Code::IoOther`] for what is no regular file.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let missing = || Problem::new(Code::IoNotFound).headline(format!("cannot open {}", path.display()));
        let file = Served::open(path)?.ok_or_else(missing)?;
        // What has the name of an index and cannot be opened is none.
        let index = Served::open(&io::with_suffix(path, ".idx")).ok().flatten();
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        Ok(Self { path: format!("/file/{}", utf8_percent_encode(&name, PATH)), file, index })
    }

    /// The answer to a request for one of both; `None` for any other.
    pub(super) fn answer(&self, path: &str, request: &Request) -> Option<Response> {
        match path.strip_prefix(&*self.path)? {
            "" => Some(self.file.answer(request)),
            ".idx" => Some(self.index.as_ref()?.answer(request)),
            _ => None,
        }
    }
}

impl Served {
    fn open(path: &Path) -> Result<Option<Self>> {
        Ok(open_regular(path)?.map(|file| Self(Arc::new(file))))
    }

    fn answer(&self, request: &Request) -> Response {
        // Asked each time: somebody may write to it meanwhile, and then it is another file.
        let Ok(about) = self.0.metadata() else {
            return Response::refusal("500 Internal Server Error", "the file cannot be read");
        };
        let len = about.len();
        let etag = format!("\"{:x}-{len:x}-{:x}-{:x}\"", about.ino(), about.mtime(), about.mtime_nsec());
        // A condition that does not hold asks for all of it.
        let asked =
            request.range.as_deref().filter(|_| request.if_range.as_ref().is_none_or(|tag| *tag == etag));
        let file = self.0.clone();
        match asked.map_or(Range::All, |asked| Range::parse(asked, len)) {
            Range::All => Response::file(file, (0, len), len, &etag, false),
            Range::Part(from, end) => Response::file(file, (from, end), len, &etag, true),
            Range::Beyond => Response::beyond(len, &etag),
        }
    }
}

/// What a header `Range` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    /// Everything: there is no such header, or it is not understood.
    All,
    /// From the first number up to the second.
    Part(u64, u64),
    /// What lies behind the end.
    Beyond,
}

impl Range {
    fn parse(asked: &str, len: u64) -> Self {
        let Some((from, to)) = asked.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-'))
        else {
            return Self::All;
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(from) || !digits(to) {
            return Self::All;
        }
        // A number that is too long lies behind any end.
        let number = |text: &str| text.parse::<u64>().unwrap_or(u64::MAX);
        match (from, to) {
            ("", "") => Self::All,
            ("", last) if number(last) == 0 => Self::Beyond,
            ("", last) => Self::Part(len.saturating_sub(number(last)), len),
            (from, _) if number(from) >= len => Self::Beyond,
            (from, "") => Self::Part(number(from), len),
            (from, to) if number(to) < number(from) => Self::All,
            (from, to) => Self::Part(number(from), number(to).saturating_add(1).min(len)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (asked, range) in [
            ("bytes=0-", Range::Part(0, 100)),
            ("bytes=0-0", Range::Part(0, 1)),
            ("bytes=10-19", Range::Part(10, 20)),
            ("bytes=10-1000", Range::Part(10, 100)),
            ("bytes=99-99999999999999999999999", Range::Part(99, 100)),
            ("bytes=-7", Range::Part(93, 100)),
            ("bytes=-1000", Range::Part(0, 100)),
            ("bytes=-0", Range::Beyond),
            ("bytes=100-", Range::Beyond),
            ("bytes=99999999999999999999999-", Range::Beyond),
            ("bytes=-", Range::All),
            ("bytes=5-4", Range::All),
            ("bytes=1-2,4-5", Range::All),
            ("bytes=+1-2", Range::All),
            ("lines=1-2", Range::All),
            ("", Range::All),
        ] {
            assert_eq!(Range::parse(asked, 100), range, "{asked}");
        }
        assert_eq!(Range::parse("bytes=-1", 0), Range::Part(0, 0));
    }
}

//! What is served at a path: content, what identifies it, and its encodings.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use std::path::Path;
use std::sync::Arc;

use rollsnap::files::Part;
use rollsnap_core::read_at::ReadAt;

/// What a page of another origin needs to see of an answer.
const EXPOSED: &str = "Content-Range, Content-Length, ETag, Accept-Ranges, Last-Modified, Retry-After";

/// Content that any connection can read, from anywhere.
pub(super) type Content = Arc<dyn ReadAt + Send + Sync>;

/// Content with the headers that belong to it. A clone is the same resource.
#[derive(Clone)]
pub struct Resource {
    pub(super) content: Content,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) encoding: Encoding,
    /// What pages of other origins see of an answer, where they may read it.
    pub(super) exposed: Option<String>,
}

/// What a resource does with `Accept-Encoding: gzip`.
#[derive(Clone)]
pub(super) enum Encoding {
    /// Nothing.
    Identity,
    /// The content is compressed, and sent as this to those who do not accept that.
    Stored(Content),
    /// The content is sent as this to those who accept it.
    OnTheWay(Content),
}

impl Resource {
    /// Content that is read as it is sent: a file, or made up. Its `ETag` is strong, and no other resource
    /// of this process has it.
    pub fn new(content: impl ReadAt + Send + Sync + 'static) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(1);
        let etag = format!("\"{:x}-{}\"", content.len(), MADE.fetch_add(1, Ordering::Relaxed));
        Self {
            content: Arc::new(content),
            etag: Some(etag),
            last_modified: None,
            headers: Vec::new(),
            encoding: Encoding::Identity,
            exposed: None,
        }
    }

    /// Content in memory.
    pub fn of_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(bytes.into())
    }

    /// A file, however large.
    pub fn open(path: &Path) -> Self {
        let file = Part::open(path).expect("the file can be read");
        Self::new(file.unwrap_or_else(|| panic!("{}: there is no such file", path.display())))
    }

    /// With this `ETag`, verbatim: `"a"` with its quotes, `W/"a"` for a weak one.
    #[must_use]
    pub fn etag(mut self, value: &str) -> Self {
        self.etag = Some(value.to_owned());
        self
    }

    /// Without `ETag`.
    #[must_use]
    pub fn no_etag(mut self) -> Self {
        self.etag = None;
        self
    }

    /// With this `Last-Modified`, verbatim; [`http_date`](super::http_date) makes one.
    #[must_use]
    pub fn last_modified(mut self, value: impl Into<String>) -> Self {
        self.last_modified = Some(value.into());
        self
    }

    /// With one more header in all answers that are about it, such as `x-goog-generation` or
    /// `x-amz-version-id`.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Pages of all origins may read it: answers `OPTIONS`, and exposes what a reader of ranges needs.
    #[must_use]
    pub fn cors(self) -> Self {
        self.cors_exposing(EXPOSED)
    }

    /// Pages of all origins may read it, and see of its answers these headers only, beside those that every page sees.
    #[must_use]
    pub fn cors_exposing(mut self, headers: &str) -> Self {
        self.exposed = Some(headers.to_owned());
        self
    }

    /// Serves the content, which is gzip, as Google Cloud Storage does what was stored with
    /// `Content-Encoding: gzip`: as it is, with ranges, if the request has `Accept-Encoding: gzip`. Else
    /// decompressed, that is as `decompressed`, chunked, and whatever the range.
    #[must_use]
    pub fn stored_as_gzip(mut self, decompressed: impl Into<Vec<u8>>) -> Self {
        self.encoding = Encoding::Stored(Arc::new(decompressed.into()));
        self
    }

    /// Serves the content as a web server does that compresses on the way: if the request has
    /// `Accept-Encoding: gzip`, as `compressed`, chunked, and whatever the range.
    #[must_use]
    pub fn compressed_on_the_way(mut self, compressed: impl Into<Vec<u8>>) -> Self {
        self.encoding = Encoding::OnTheWay(Arc::new(compressed.into()));
        self
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource")
            .field("len", &self.content.len())
            .field("etag", &self.etag)
            .finish_non_exhaustive()
    }
}

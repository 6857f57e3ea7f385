//! A response: its head, and how its body is sent.

use core::ops::Range;
use std::sync::Arc;

use super::resource::{Content, Resource};

/// A response, and how its body is sent.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content: Content,
    /// The part of the content that is sent.
    pub(super) part: Range<u64>,
    pub(super) length: Length,
    /// To a `HEAD`: without a body.
    pub(super) head_only: bool,
    /// Bytes a second.
    pub(super) rate: Option<u64>,
    /// After so many bytes of the body, something else happens.
    pub(super) cut: Option<(u64, Cut)>,
    /// Places of the content at which a bit is inverted.
    pub(super) corrupt: Vec<u64>,
}

/// How the client learns where the body ends.
pub(super) enum Length {
    Said(u64),
    Chunked,
    UntilClose,
    /// Chunked, with zeros behind the content.
    Endless,
}

/// What happens within a body.
#[derive(Clone, Copy)]
pub(super) enum Cut {
    Close,
    Reset,
    Stall,
}

impl Response {
    /// All of a content.
    pub(super) fn new(status: u16, content: Content) -> Self {
        let part = 0..content.len();
        let length = Length::Said(part.end);
        let headers = Vec::new();
        Self {
            status,
            headers,
            content,
            part,
            length,
            head_only: false,
            rate: None,
            cut: None,
            corrupt: vec![],
        }
    }

    /// A line that says the status, if a body may be there.
    pub(super) fn text(status: u16) -> Self {
        let text = if matches!(status, 204 | 304) { String::new() } else { format!("{status} by plan\n") };
        Self::new(status, Arc::new(text.into_bytes()))
    }

    /// Whether the body is content, not a line about what is wrong.
    pub(super) fn has_content(&self) -> bool {
        matches!(self.status, 200 | 206)
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With the headers that say which resource it is.
    pub(super) fn about(mut self, resource: &Resource) -> Self {
        self = self.with("Content-Type", "application/octet-stream");
        let known = [("ETag", &resource.etag), ("Last-Modified", &resource.last_modified)];
        for (name, value) in known {
            self = if let Some(value) = value { self.with(name, value) } else { self };
        }
        self.headers.extend_from_slice(&resource.headers);
        self
    }

    pub(super) fn of_unknown_length(self) -> Self {
        Self { length: Length::Chunked, ..self }
    }
}

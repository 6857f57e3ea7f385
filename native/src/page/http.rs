//! What the page needs of HTTP/1.1: one request on a connection, one answer, and good-bye.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Longest head of a request, in bytes.
const MAX_HEAD: usize = 8192;

/// Most headers of a request; browsers send about 15.
const MAX_HEADERS: usize = 64;

/// How long a request may take to come, and how long the other side may leave an answer unread.
const PATIENCE: Duration = Duration::from_secs(10);

/// The same for a file: the page checks what it has read before it reads on.
const PATIENCE_FOR_FILES: Duration = Duration::from_secs(300);

/// How much of a file is read at once, in bytes.
const PIECE: usize = 1 << 18;

/// Most that is read of what comes behind the head, in bytes: bodies are of no interest, but a
/// connection that is closed with unread bytes takes the answer with it.
const MAX_BODY: usize = 1 << 16;

/// A connection of a browser.
pub(super) struct Connection {
    stream: TcpStream,
    /// Whether a request has come.
    asked: AtomicBool,
}

/// The head of a request, as far as it matters here.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    /// The values of its `Host` headers: one, if all is well.
    pub(super) hosts: Vec<String>,
    /// The values of `Range` and `If-Range`.
    pub(super) range: Option<String>,
    pub(super) if_range: Option<String>,
}

/// What comes on a connection.
pub(super) enum Asked {
    /// Nothing, or not all of it: the other side has left.
    Nothing,
    /// What is no request; this is the answer to it.
    Wrongly(Response),
    /// A request.
    For(Request),
}

/// An answer.
pub(super) struct Response {
    status: &'static str,
    kind: &'static str,
    /// Headers that are its own, each with its line break.
    headers: String,
    body: Body,
}

enum Body {
    Bytes(Cow<'static, [u8]>),
    /// From the first offset up to the second.
    File(Arc<File>, u64, u64),
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, asked: AtomicBool::new(false) }
    }

    /// Whether a request has come, or what is none.
    pub(super) fn has_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Waits for a request.
    pub(super) fn ask(&self) -> Asked {
        let asked = self.wait();
        self.asked.store(true, Ordering::Relaxed);
        asked
    }

    fn wait(&self) -> Asked {
        // Some systems pass it on from the socket that listens.
        if self.stream.set_nonblocking(false).is_err() {
            return Asked::Nothing;
        }
        let deadline = Instant::now() + PATIENCE;
        let mut head = Vec::new();
        loop {
            match self.read(&mut head, MAX_HEAD, deadline) {
                Ok(0) if head.len() == MAX_HEAD => {
                    return Asked::wrongly("431 Request Header Fields Too Large", "the request is too long");
                }
                Err(err) if timed_out(&err) && !head.is_empty() => {
                    return Asked::wrongly("408 Request Timeout", "the request takes too long");
                }
                Ok(0) | Err(_) => return Asked::Nothing,
                Ok(_) => {}
            }
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut request = httparse::Request::new(&mut headers);
            match request.parse(&head) {
                Ok(httparse::Status::Partial) => {}
                Ok(httparse::Status::Complete(_)) => return Asked::For(Request::of(&request)),
                Err(_) => return Asked::wrongly("400 Bad Request", "this is not understood"),
            }
        }
    }

    /// Sends an answer and closes the connection. A browser that goes away has no use for an
    /// answer: nothing here can fail.
    pub(super) fn answer(&self, response: &Response, head_only: bool) {
        let sent = self
            .stream
            .set_write_timeout(Some(PATIENCE))
            .and_then(|()| (&self.stream).write_all(response.head().as_bytes()))
            .and_then(|()| if head_only { Ok(()) } else { self.send(&response.body) });
        if sent.is_ok() && self.stream.shutdown(Shutdown::Write).is_ok() {
            self.read_the_rest();
        }
    }

    fn send(&self, body: &Body) -> io::Result<()> {
        let (file, mut at, end) = match body {
            Body::Bytes(bytes) => return (&self.stream).write_all(bytes),
            Body::File(file, from, end) => (file, *from, *end),
        };
        self.stream.set_write_timeout(Some(PATIENCE_FOR_FILES))?;
        let mut piece = vec![0; PIECE];
        while at < end {
            let len = (PIECE as u64).min(end - at) as usize;
            let now = &mut piece[..len];
            // A file that has become shorter ends the connection: what was promised does not come.
            file.read_exact_at(now, at)?;
            (&self.stream).write_all(now)?;
            at += len as u64;
        }
        Ok(())
    }

    /// Ends it at once, whoever waits for something on it.
    pub(super) fn hang_up(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn read_the_rest(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut rest = Vec::new();
        while matches!(self.read(&mut rest, MAX_BODY, deadline), Ok(read) if read > 0) {}
    }

    /// Reads what has come behind `bytes`, to at most `most` bytes in all; 0 at the end, and when
    /// there is no more room.
    fn read(&self, bytes: &mut Vec<u8>, most: usize, deadline: Instant) -> io::Result<usize> {
        let mut piece = [0; 4096];
        let room = piece.len().min(most - bytes.len());
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        let read = (&self.stream).read(&mut piece[..room])?;
        bytes.extend_from_slice(&piece[..read]);
        Ok(read)
    }
}

impl Asked {
    fn wrongly(status: &'static str, why: &str) -> Self {
        Self::Wrongly(Response::refusal(status, why))
    }
}

impl Request {
    fn of(request: &httparse::Request<'_, '_>) -> Self {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let named = |name: &str| {
            let mut found = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
            found.next().map(|header| text(header.value))
        };
        let hosts = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("Host"));
        Self {
            range: named("Range"),
            if_range: named("If-Range"),
            method: request.method.unwrap_or_default().into(),
            target: request.path.unwrap_or_default().into(),
            hosts: hosts.map(|host| text(host.value)).collect(),
        }
    }
}

impl Response {
    /// A file. It may be kept, but is asked for again: the next version of the program has others.
    pub(super) fn of(kind: &'static str, body: &'static [u8]) -> Self {
        Self { status: "200 OK", kind, headers: String::new(), body: Body::Bytes(body.into()) }
    }

    /// A file of `len` bytes that is held open, or what lies between two offsets of it.
    pub(super) fn file(
        file: Arc<File>,
        (from, end): (u64, u64),
        len: u64,
        etag: &str,
        is_part: bool,
    ) -> Self {
        let part = match end.checked_sub(1) {
            Some(last) if is_part => format!("Content-Range: bytes {from}-{last}/{len}\r\n"),
            _ => String::new(),
        };
        Self {
            status: if is_part { "206 Partial Content" } else { "200 OK" },
            kind: "application/octet-stream",
            headers: format!("Accept-Ranges: bytes\r\nETag: {etag}\r\n{part}"),
            body: Body::File(file, from, end),
        }
    }

    /// The answer to a request for what lies behind the end of a file.
    pub(super) fn beyond(len: u64, etag: &str) -> Self {
        let headers = format!("Accept-Ranges: bytes\r\nETag: {etag}\r\nContent-Range: bytes */{len}\r\n");
        Self { headers, ..Self::refusal("416 Range Not Satisfiable", "the file ends before that") }
    }

    /// Status and reason of a refusal.
    pub(super) fn refusal(status: &'static str, why: &str) -> Self {
        let body = Body::Bytes(format!("{why}\n").into_bytes().into());
        Self { status, kind: "text/plain; charset=utf-8", headers: String::new(), body }
    }

    fn head(&self) -> String {
        let Self { status, kind, headers, body } = self;
        let length = match body {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File(_, from, end) => end.saturating_sub(*from),
        };
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nAllow: GET, HEAD\r\n{headers}\
             Cache-Control: no-cache\r\n{GUARD}Connection: close\r\n\r\n"
        )
    }
}

/// What the browser is told to keep others from: no other site shows the page in a frame, reads its files, holds
/// on to its window or learns that it was left. What the page itself may do stands in its own policy, which cannot
/// say the first.
const GUARD: &str = "Content-Security-Policy: frame-ancestors 'none'\r\n\
                     X-Frame-Options: DENY\r\n\
                     X-Content-Type-Options: nosniff\r\n\
                     Cross-Origin-Resource-Policy: same-origin\r\n\
                     Cross-Origin-Opener-Policy: same-origin\r\n\
                     Referrer-Policy: no-referrer\r\n";

/// A read that comes to its time limit says one or the other.
fn timed_out(err: &io::Error) -> bool {
    matches!(err.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

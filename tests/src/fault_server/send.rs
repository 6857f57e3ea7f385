//! Sends a response: its head, then its body in pieces, at its rate and up to its cut.

use core::time::Duration;
use std::io::{self, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use super::log::Entry;
use super::response::{Cut, Length, Response};
use super::shared::Shared;

/// The most that is written at once.
const PIECE: u64 = 64 << 10;
/// How far a body that was held up may fall behind before it gives up catching up.
const LAG: Duration = Duration::from_millis(200);

/// What becomes of the connection.
pub(super) enum Then {
    /// The next request.
    Next,
    Close,
    Reset,
    Stall,
}

/// Sends a response on a connection; `keep` says whether the client wants to use that again. Also returns how
/// many bytes of the body went out.
///
/// # Errors
/// What the connection reports, and `Other` for content that cannot be read.
pub(super) fn send(
    response: &Response,
    stream: &TcpStream,
    keep: bool,
    shared: &Shared,
    entry: &Entry,
) -> io::Result<(Then, u64)> {
    entry.answered(response.status);
    write_head(response, stream, keep)?;
    if response.head_only {
        return Ok((if keep { Then::Next } else { Then::Close }, 0));
    }
    let len = response.part.end - response.part.start;
    let all = if matches!(response.length, Length::Endless) { u64::MAX } else { len };
    let end = response.cut.map_or(all, |(at, _)| at);
    let mut pace = response.rate.map(Pace::new);
    let piece = response.rate.map_or(PIECE, |rate| (rate / 50).clamp(1, PIECE));
    let mut buffer = vec![0; piece as usize];
    let mut done = 0;
    while done < end {
        let size = piece.min(end - done);
        let bytes = &mut buffer[..size as usize];
        fill(response, done, bytes)?;
        if let Some(pace) = &mut pace {
            pace.wait(size);
        }
        write_piece(response, stream, bytes, |written| shared.count(entry, written))?;
        done += size;
    }
    let then = match (response.cut, &response.length) {
        (Some((_, Cut::Close)), _) => Then::Close,
        (Some((_, Cut::Reset)), _) => Then::Reset,
        (Some((_, Cut::Stall)), _) => Then::Stall,
        (None, Length::UntilClose) => Then::Close,
        (None, Length::Said(said)) if *said > len => Then::Close,
        (None, length) => {
            if matches!(length, Length::Chunked) {
                (&*stream).write_all(b"0\r\n\r\n")?;
            }
            if keep { Then::Next } else { Then::Close }
        }
    };
    Ok((then, done))
}

fn write_head(response: &Response, mut stream: &TcpStream, keep: bool) -> io::Result<()> {
    let status = response.status;
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    for (name, value) in &response.headers {
        head += &format!("{name}: {value}\r\n");
    }
    match response.length {
        Length::Said(_) if matches!(status, 204 | 304) => {}
        Length::Said(length) => head += &format!("Content-Length: {length}\r\n"),
        Length::Chunked | Length::Endless => head += "Transfer-Encoding: chunked\r\n",
        Length::UntilClose => {}
    }
    if !keep || matches!(response.length, Length::UntilClose) {
        head += "Connection: close\r\n";
    }
    stream.write_all((head + "\r\n").as_bytes())
}

/// The bytes of the body from `done` on.
fn fill(response: &Response, done: u64, bytes: &mut [u8]) -> io::Result<()> {
    let start = response.part.start + done;
    let left = response.part.end.saturating_sub(start);
    let (content, zeros) = bytes.split_at_mut(left.min(bytes.len() as u64) as usize);
    if !content.is_empty() {
        response.content.read_at(start, content).map_err(|why| io::Error::other(why.sentence()))?;
    }
    zeros.fill(0);
    for at in &response.corrupt {
        let place = at.checked_sub(start).and_then(|place| content.get_mut(place as usize));
        if let Some(byte) = place {
            *byte ^= 1;
        }
    }
    Ok(())
}

/// Writes a piece of the body, and counts as it goes: the client may leave at any byte.
fn write_piece(
    response: &Response,
    mut stream: &TcpStream,
    bytes: &[u8],
    count: impl Fn(u64),
) -> io::Result<()> {
    let chunked = matches!(response.length, Length::Chunked | Length::Endless);
    if chunked {
        stream.write_all(format!("{:x}\r\n", bytes.len()).as_bytes())?;
    }
    let mut left = bytes;
    while !left.is_empty() {
        let written = stream.write(left)?;
        count(written as u64);
        left = &left[written..];
    }
    if chunked { stream.write_all(b"\r\n") } else { Ok(()) }
}

/// Holds a body to a rate: each piece goes out when a line of that rate would have carried it. The times are
/// counted from the beginning, so that a sleep that took too long makes the next one shorter.
struct Pace {
    rate: u64,
    due: Instant,
}

impl Pace {
    fn new(rate: u64) -> Self {
        Self { rate, due: Instant::now() }
    }

    fn wait(&mut self, bytes: u64) {
        self.due += Duration::from_secs_f64(bytes as f64 / self.rate as f64);
        let now = Instant::now();
        match self.due.checked_duration_since(now) {
            Some(early) => thread::sleep(early),
            None => self.due = self.due.max(now.checked_sub(LAG).unwrap_or(now)),
        }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        410 => "Gone",
        412 => "Precondition Failed",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "By Plan",
    }
}

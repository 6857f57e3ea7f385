//! Requests, read from a connection.

use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;

use super::log::value;

/// More than any client sends.
const MAX_HEAD: usize = 64 << 10;

/// A request without a body.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// The path with its query.
    pub(super) target: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    old: bool,
}

impl Request {
    /// The next request; `None` at the end of the connection. Its last byte is left in the system's buffer:
    /// a socket that is closed with unread bytes resets its connection, which is what
    /// [`Fault::ResetAfter`](super::Fault::ResetAfter) needs. [`finish`] takes it from there.
    ///
    /// # Errors
    /// `InvalidData` for what is no request, and what the connection reports.
    pub(super) fn read(mut stream: &TcpStream) -> io::Result<Option<Self>> {
        let mut head = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let waiting = match stream.peek(&mut buffer) {
                Err(err) if err.kind() == ErrorKind::Interrupted => continue,
                other => other?,
            };
            let known = head.len();
            head.extend_from_slice(&buffer[..waiting]);
            // A client that begins TLS would wait for ever for the rest of this request.
            let no_method = head.first().is_some_and(|byte| !byte.is_ascii_uppercase());
            if no_method || head.len() > MAX_HEAD {
                return Err(ErrorKind::InvalidData.into());
            }
            let from = known.saturating_sub(3);
            let end = head[from..].windows(4).position(|four| four == b"\r\n\r\n").map(|at| from + at + 4);
            let taken = end.map_or(waiting, |end| end - known - 1);
            stream.read_exact(&mut buffer[..taken])?;
            match end {
                Some(end) => return Self::parse(&head[..end]).ok_or(ErrorKind::InvalidData.into()).map(Some),
                None if waiting == 0 => return Ok(None),
                None => {}
            }
        }
    }

    /// Without the query.
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The value of a header, by its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        value(&self.headers, name)
    }

    /// Whether the client will send further requests on this connection.
    pub(super) fn keeps_alive(&self) -> bool {
        let connection = self.header("connection").unwrap_or_default().to_ascii_lowercase();
        if self.old { connection.contains("keep-alive") } else { !connection.contains("close") }
    }

    /// Whether the client takes `Content-Encoding: gzip`.
    pub(super) fn accepts_gzip(&self) -> bool {
        self.header("accept-encoding").unwrap_or_default().split(',').any(|coding| {
            let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
            name.trim().eq_ignore_ascii_case("gzip") && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.000")
        })
    }

    fn parse(head: &[u8]) -> Option<Self> {
        let mut lines = core::str::from_utf8(head).ok()?.lines();
        let mut first = lines.next()?.split(' ');
        let (method, target, version) = (first.next()?, first.next()?, first.next()?);
        let headers = lines
            .take_while(|line| !line.is_empty())
            .map(|line| {
                let (name, value) = line.split_once(':')?;
                Some((name.to_ascii_lowercase(), value.trim().to_owned()))
            })
            .collect::<Option<_>>()?;
        version.starts_with("HTTP/1.").then(|| Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers,
            old: version == "HTTP/1.0",
        })
    }
}

/// Takes the byte of the last request that [`Request::read`] has left.
pub(super) fn finish(mut stream: &TcpStream) -> io::Result<()> {
    stream.read_exact(&mut [0])
}

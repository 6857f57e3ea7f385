//! A client of one socket that shows what came, and how it ended.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rollsnap_tests::fault_server::Server;

/// A connection.
pub(crate) struct Client(BufReader<TcpStream>);

/// The head of an answer; the body is what comes then.
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
}

/// How a connection ended.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum End {
    Closed,
    Reset,
    /// Nothing came for a while.
    Silent,
}

impl Client {
    pub(crate) fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    /// Sends a request with these lines.
    pub(crate) fn ask(&mut self, method: &str, path: &str, headers: &[&str]) {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
        headers.iter().for_each(|line| request += &format!("{line}\r\n"));
        self.send((request + "\r\n").as_bytes());
    }

    pub(crate) fn head(&mut self) -> Head {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the head ends early: {lines:?}");
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &String| {
            let (name, value) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
            (name.to_ascii_lowercase(), value.to_owned())
        };
        Head { status, headers: lines[1..].iter().map(header).collect() }
    }

    /// So many bytes of a body.
    pub(crate) fn body(&mut self, len: usize) -> Vec<u8> {
        let mut body = vec![0; len];
        self.0.read_exact(&mut body).unwrap();
        body
    }

    /// All that comes until the end, or until nothing comes for a while.
    pub(crate) fn rest(&mut self) -> (Vec<u8>, End) {
        let mut bytes = Vec::new();
        let end = match self.0.read_to_end(&mut bytes) {
            Ok(_) => End::Closed,
            Err(err) if err.kind() == ErrorKind::ConnectionReset => End::Reset,
            Err(err) => {
                assert!(matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{err}");
                End::Silent
            }
        };
        (bytes, end)
    }

    /// From now on silence is found out soon.
    pub(crate) fn hurry(&mut self) {
        self.0.get_ref().set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    }
}

impl Head {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// One request on a connection of its own: the head, and all that came until the end.
pub(crate) fn get(server: &Server, path: &str, headers: &[&str]) -> (Head, Vec<u8>) {
    let mut client = Client::connect(server);
    let mut lines = vec!["Connection: close"];
    lines.extend(headers);
    client.ask("GET", path, &lines);
    let head = client.head();
    let (body, end) = client.rest();
    assert_eq!(end, End::Closed);
    (head, body)
}

/// The statuses of so many requests without a range.
pub(crate) fn statuses(server: &Server, path: &str, count: usize) -> Vec<u16> {
    (0..count).map(|_| get(server, path, &[]).0.status).collect()
}

/// The data of a chunked body, which must end as one does.
pub(crate) fn dechunked(mut body: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    loop {
        let line = body.iter().position(|byte| *byte == b'\r').unwrap();
        let size = usize::from_str_radix(core::str::from_utf8(&body[..line]).unwrap(), 16).unwrap();
        let (chunk, rest) = body[line + 2..].split_at(size);
        data.extend_from_slice(chunk);
        body = rest.strip_prefix(b"\r\n").unwrap();
        if size == 0 {
            assert_eq!(body, b"");
            return data;
        }
    }
}

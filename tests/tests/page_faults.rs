//! The page's server when the system has nothing more to give: it goes on, and it does not spin.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rollsnap_tests::faults::{self, Which};

const PROGRAM: &str = env!("CARGO_BIN_EXE_page-child");

/// A server in a process of its own, which ends with the test.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        assert!(address.starts_with("127.0.0.1:"), "{line}");
        Self { child, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// Whether a request is answered with the page.
    fn answers(&self) -> bool {
        let mut stream = self.connect();
        let mut answer = Vec::new();
        let asked = write!(stream, "GET / HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        asked.is_ok() && stream.read_to_end(&mut answer).is_ok() && answer.ends_with(b"<p>the page\n")
    }

    /// Processor time so far, in hundredths of a second.
    fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // One that has ended was found out already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn few_descriptors() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 20; exec \"$1\"", "sh"]).arg(PROGRAM);
    let mut served = Served::start(command);
    let silent: Vec<TcpStream> = (0..40).map(|_| served.connect()).collect();
    let before = served.ticks();
    thread::sleep(Duration::from_secs(2));
    assert!(served.ticks() - before < 50, "it spins");
    assert!(served.answers(), "others are silent");
    drop(silent);
    assert!(served.answers());
    assert!(served.child.try_wait().unwrap().is_none(), "it has ended");
}

#[test]
fn connections_that_cannot_be_taken() {
    // ECONNABORTED, EPROTO, EMFILE, ENFILE, ENOBUFS, ENOMEM, ENETDOWN, EPERM.
    for errno in [103, 71, 24, 23, 105, 12, 100, 1] {
        let mut command = Command::new(PROGRAM);
        faults::prepare(&mut command, "accept", errno, Which::Only(1));
        assert!(Served::start(command).answers(), "{errno}");
    }
    let mut command = Command::new(PROGRAM);
    faults::prepare(&mut command, "accept", 24, Which::From(1));
    let mut served = Served::start(command);
    let _waiting = served.connect();
    let before = served.ticks();
    thread::sleep(Duration::from_secs(2));
    assert!(served.ticks() - before < 50, "it spins");
    assert!(served.child.try_wait().unwrap().is_none(), "it has ended");
}

#[test]
fn threads_that_cannot_be_started() {
    for number in 1..=3 {
        let mut command = Command::new(PROGRAM);
        faults::prepare(&mut command, "thread", 11, Which::Only(number));
        let served = Served::start(command);
        let answered = (0..4).filter(|_| served.answers()).count();
        assert!(answered >= 3, "{number}: {answered}");
    }
}

//! Layer 1 nodes for tests: the stub of `fixtures/l1_stub.py`, and bare sockets that misbehave.
//! All of them listen on the loopback interface only and end with the test.

use core::time::Duration;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

/// A running stub; it stops when this is dropped.
#[derive(Debug)]
pub struct Stub {
    child: Child,
    url: String,
    dir: TempDir,
}

impl Stub {
    /// Serves a view of L1 with these failure switches, on a free port.
    pub fn start(view: &Value, switches: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("l1.json");
        fs::write(&path, view.to_string()).expect("the view is written");
        let mut child = Command::new("python3")
            .arg(fixtures().join("l1_stub.py"))
            .arg(&path)
            .arg("--log")
            .arg(dir.path().join("log"))
            .args(switches)
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("its output is piped");
        BufReader::new(stdout).read_line(&mut url).expect("the stub tells its address");
        Self { child, url: url.trim().into(), dir }
    }

    /// Its address, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The requests so far, one `METHOD PATH STATUS` each. The stub writes a line after its answer
    /// has gone out, so this waits until there are as many as the caller knows of.
    pub fn log(&self, at_least: usize) -> Vec<String> {
        let path = self.dir.path().join("log");
        let mut lines = Vec::new();
        for _ in 0..1000 {
            let log = fs::read_to_string(&path).unwrap_or_default();
            lines = log.lines().map(Into::into).collect();
            if lines.len() >= at_least {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        lines
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `NAME.l1.json`, the view of L1 that belongs to a data directory of the fixtures.
pub fn view(name: &str) -> Value {
    json(&format!("{name}.l1.json"))
}

/// `NAME.expect.json`: what stands in a data directory of the fixtures.
pub fn expected(name: &str) -> Value {
    json(&format!("{name}.expect.json"))
}

/// Accepts connections for ever; each request, once read, is left to `answer`. Returns the address.
pub fn socket(answer: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it has an address"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if read_request(&stream) {
                answer(stream);
            }
        }
    });
    url
}

/// An address at which nobody listens.
pub fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("it has an address"))
}

/// Reads up to the empty line that ends a request without a body.
fn read_request(mut stream: &TcpStream) -> bool {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => seen.extend(byte),
            _ => return false,
        }
    }
    true
}

fn json(name: &str) -> Value {
    let path = fixtures().join("data-dir").join(name);
    let bytes = fs::read(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
    serde_json::from_slice(&bytes).expect("it is JSON")
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

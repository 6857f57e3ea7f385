//! The page that the program serves: the files of `www/`, to this computer only.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rollsnap::page::Page;
use rollsnap_core::feedback::Phase;
use rollsnap_core::{Code, Feedback};

/// A job that goes on until the flag is set.
struct Until<'a>(&'a AtomicBool);

impl Feedback for Until<'_> {
    fn phase(&mut self, _: Phase) {}
    fn advance(&mut self, _: u64) {}
    fn note(&mut self, _: &str) {}
    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the server answers to one request: status line and headers, and the body.
fn ask(url: &str, host: &str, request: &str) -> (String, Vec<u8>) {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let host = if host.is_empty() { address } else { host };
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{request} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    (String::from_utf8(answer[..end].to_vec()).unwrap(), answer[end + 4..].to_vec())
}

#[test]
fn the_page_is_served_or_said_to_be_missing() {
    let page = match Page::listen(0) {
        Ok(page) => page,
        // The program was built before the page was.
        Err(problem) => {
            assert_eq!(problem.code(), Code::PageMissing);
            eprintln!("built without the page: nothing is served");
            return;
        }
    };
    let www = Path::new(env!("CARGO_MANIFEST_DIR")).join("../www");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let server = scope.spawn(|| page.serve(&Until(&stop)));
        let url = page.url();
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        for (path, file, kind) in [
            ("/", "index.html", "text/html"),
            ("/style.css", "style.css", "text/css"),
            ("/js/main.js", "js/main.js", "text/javascript"),
            ("/icon.svg?x=1", "icon.svg", "image/svg+xml"),
        ] {
            let (head, body) = ask(&url, "", &format!("GET {path}"));
            assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
            assert!(head.contains(&format!("Content-Type: {kind}")), "{path}: {head}");
            assert_eq!(body, fs::read(www.join(file)).unwrap(), "{path}");
        }
        let (head, _) = ask(&url, "", "HEAD /pkg/rollsnap_bg.wasm");
        assert!(head.contains("Content-Type: application/wasm"), "{head}");
        for (host, request, status) in [
            ("", "GET /nothing", 404),
            ("", "GET /../Cargo.toml", 404),
            ("", "GET /%2e%2e/Cargo.toml", 404),
            ("", "POST /", 405),
            ("somebody.example", "GET /", 403),
        ] {
            let (head, body) = ask(&url, host, request);
            assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{request} of {host}: {head}");
            assert!(body.len() < 100, "{request}");
        }
        stop.store(true, Ordering::Relaxed);
        server.join().unwrap().unwrap();
    });
}

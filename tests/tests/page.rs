//! The page that the program serves: the files of `www/`, to this computer only.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rollsnap::page::{Files, Page};
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

const FILES: Files = &[
    ("index.html", include_bytes!("../../www/index.html")),
    ("style.css", include_bytes!("../../www/style.css")),
    ("js/main.js", include_bytes!("../../www/js/main.js")),
    ("icon.svg", include_bytes!("../../www/icon.svg")),
    ("pkg/rollsnap_bg.wasm", b"\0asm"),
];

/// Serves some files while `visit` is given the address.
fn served(visit: impl FnOnce(&str)) {
    serving(&Page::of(FILES, 0).unwrap(), visit);
}

/// Serves this page while `visit` is given its address.
fn serving(page: &Page, visit: impl FnOnce(&str)) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let server = scope.spawn(|| page.serve(&Until(&stop)));
        // A visit that fails must not leave the server running.
        let visited = catch_unwind(AssertUnwindSafe(|| visit(&page.url())));
        stop.store(true, Ordering::Relaxed);
        server.join().unwrap().unwrap();
        if let Err(panic) = visited {
            resume_unwind(panic);
        }
    });
}

fn connect(url: &str) -> TcpStream {
    let stream = TcpStream::connect(address(url)).unwrap();
    // A server that forgets a connection fails the test and does not hang it.
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

fn address(url: &str) -> &str {
    url.trim_start_matches("http://").trim_end_matches('/')
}

/// All that comes until the server closes: status line and headers, and the body.
fn hear(mut stream: &TcpStream) -> (String, Vec<u8>) {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    (String::from_utf8(answer[..end].to_vec()).unwrap(), answer[end + 4..].to_vec())
}

/// What the server answers to one request.
fn ask(url: &str, request: &str, headers: &str) -> (String, Vec<u8>) {
    let mut stream = connect(url);
    write!(stream, "{request} HTTP/1.1\r\n{headers}\r\n").unwrap();
    hear(&stream)
}

#[test]
fn files_are_served_and_nothing_else() {
    served(|url| {
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        let www = Path::new(env!("CARGO_MANIFEST_DIR")).join("../www");
        let host = format!("Host: {}\r\n", address(url));
        for (path, file, kind) in [
            ("/", "index.html", "text/html; charset=utf-8"),
            ("/style.css", "style.css", "text/css; charset=utf-8"),
            ("/js/main.js", "js/main.js", "text/javascript; charset=utf-8"),
            ("/icon.svg?x=1", "icon.svg", "image/svg+xml"),
        ] {
            let (head, body) = ask(url, &format!("GET {path}"), &host);
            let expected = fs::read(www.join(file)).unwrap();
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {head}");
            for header in [
                &*format!("Content-Type: {kind}"),
                &*format!("Content-Length: {}", expected.len()),
                "Cache-Control: no-cache",
                "X-Content-Type-Options: nosniff",
                "Content-Security-Policy: frame-ancestors 'none'",
                "Cross-Origin-Resource-Policy: same-origin",
                "Connection: close",
            ] {
                assert!(head.lines().any(|line| line == header), "{path}: no {header} in {head}");
            }
            assert_eq!(body, expected, "{path}");
        }
        let (head, body) = ask(url, "HEAD /pkg/rollsnap_bg.wasm", &host);
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.contains("Content-Type: application/wasm\r\nContent-Length: 4\r\n"), "{head}");
        assert_eq!(body, b"");
        let long = format!("{host}X: {}\r\n", "x".repeat(9000));
        let local = host.replace("127.0.0.1", "localhost");
        for (request, headers, status) in [
            ("GET /", &*local, 200),
            ("GET /nothing", &*host, 404),
            ("GET /js", &*host, 404),
            ("GET /../Cargo.toml", &*host, 404),
            ("GET /%2e%2e/Cargo.toml", &*host, 404),
            ("POST /", &*host, 405),
            ("GET /", "Host: somebody.example\r\n", 403),
            ("GET /", "", 403),
            ("GET /", &*format!("{host}Host: somebody.example\r\n"), 403),
            ("GET /", &*format!("{host}{host}"), 403),
            ("GET /", &*host.replace("\r\n", ".somebody.example\r\n"), 403),
            ("GET /", &*host.replace("127", "x@127"), 403),
            ("GET http://somebody.example/", &*host, 403),
            (&*format!("GET {url}"), &*host, 200),
            (&*format!("GET {url}"), "Host: somebody.example\r\n", 403),
            (&*format!("GET {url}style.css"), &*local, 200),
            ("GET //index.html", &*host, 404),
            ("GET index.html", &*host, 400),
            ("OPTIONS *", &*host, 405),
            ("GET /", "this is no header\r\n", 400),
            ("", &*host, 400),
            ("GET /", &*long, 431),
        ] {
            let (head, body) = ask(url, request, headers);
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{request} with {headers}: {head}");
            assert!(status == 200 || body.len() < 100, "{request}");
        }
        // The body of a request is not listened to, and does not cost the answer.
        let (head, _) =
            ask(url, "POST /", &format!("{host}Content-Length: 60000\r\n\r\n{}", "x".repeat(60_000)));
        assert!(head.starts_with("HTTP/1.1 405 "), "{head}");
    });
}

/// Browsers open six connections or more before they ask anything, and keep them.
#[test]
fn as_many_connections_as_a_browser_opens_are_answered() {
    served(|url| {
        let silent = [(); 8].map(|()| connect(url));
        let mut asking = [(); 8].map(|()| connect(url));
        let host = address(url);
        for stream in &mut asking {
            write!(stream, "GET /style.css HTTP/1.1\r\nHost: {host}\r\nConnection: keep-alive\r\n\r\n")
                .unwrap();
        }
        for stream in &asking {
            let (head, body) = hear(stream);
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            assert_eq!(body, include_bytes!("../../www/style.css"));
        }
        // Those that had nothing to say yet.
        for mut stream in &silent {
            write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
            assert_eq!(hear(stream).1, include_bytes!("../../www/index.html"));
        }
    });
}

#[test]
fn the_end_waits_for_nobody() {
    let mut open = Vec::new();
    served(|url| {
        open.extend([(); 3].map(|()| connect(url)));
        write!(open[0], "GET / HT").unwrap();
        // Connections are taken in the order in which they come: the three are in.
        ask(url, "GET /", "");
    });
    for mut stream in open {
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn a_program_without_the_page_says_so() {
    match Page::listen(0) {
        Ok(page) => assert!(page.url().starts_with("http://127.0.0.1:")),
        Err(problem) => assert_eq!(problem.code(), Code::PageMissing),
    }
}

/// More connections than are served at the same time, and none of them says anything.
#[test]
fn slow_connections_keep_no_other_waiting() {
    served(|url| {
        let slow: Vec<TcpStream> = (0..100).map(|_| connect(url)).collect();
        for mut stream in &slow {
            // The oldest may have made room already.
            let _ = write!(stream, "GET / HTTP/1.1\r\n");
        }
        let begun = std::time::Instant::now();
        let (head, _) = ask(url, "GET /", &format!("Host: {}\r\n", address(url)));
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    });
}

/// What comes behind one request on a connection is not answered, whatever its head says of its length.
#[test]
fn one_request_gets_one_answer() {
    served(|url| {
        let host = format!("Host: {}\r\n", address(url));
        for rest in [
            format!("\r\nGET /style.css HTTP/1.1\r\n{host}\r\n"),
            "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\nGET /etc HTTP/1.1\r\n\r\n"
                .into(),
        ] {
            let mut stream = connect(url);
            write!(stream, "GET /style.css HTTP/1.1\r\n{host}{rest}").unwrap();
            let (head, body) = hear(&stream);
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            assert_eq!(body, include_bytes!("../../www/style.css"));
        }
    });
}

/// A file that is shared is read in parts, like that of a server on the network; nothing else of its directory is.
#[test]
fn a_file_is_served_in_parts() {
    let dir = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..600_000_u32).map(|at| (at % 251) as u8).collect();
    let path = dir.path().join("a b&é.snapshot");
    fs::write(&path, &content).unwrap();
    fs::write(dir.path().join("secret"), b"not this").unwrap();
    let page = Page::of(FILES, 0).unwrap().with_file(&path).unwrap();
    serving(&page, |url| {
        let (base, hash) = url.split_once("#url=").unwrap();
        let base = base.trim_end_matches('/');
        assert!(hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'%'), "{hash}");
        let target = "/file/a%20b%26%C3%A9.snapshot";
        let host = format!("Host: {}\r\n", address(base));
        let get = |target: &str, more: &str| ask(base, &format!("GET {target}"), &format!("{host}{more}"));
        let (head, body) = get(target, "");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("Accept-Ranges: bytes"), "{head}");
        assert_eq!(body, content);
        let etag = head.lines().find_map(|line| line.strip_prefix("ETag: ")).unwrap().to_owned();
        assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
        for (range, from, end) in [
            ("10-19", 10, 20),
            ("300000-", 300_000, 600_000),
            ("-5", 599_995, 600_000),
            ("599999-9999999", 599_999, 600_000),
        ] {
            let (head, body) = get(target, &format!("Range: bytes={range}\r\nIf-Range: {etag}\r\n"));
            assert!(head.starts_with("HTTP/1.1 206 "), "{head}");
            assert!(head.contains(&format!("Content-Range: bytes {from}-{}/600000", end - 1)), "{head}");
            assert_eq!(body, content[from..end], "{range}");
        }
        let (head, _) = get(target, "Range: bytes=600000-\r\n");
        assert!(head.starts_with("HTTP/1.1 416 ") && head.contains("bytes */600000"), "{head}");
        let (head, body) = get(target, "Range: bytes=1-2\r\nIf-Range: \"other\"\r\n");
        assert!(head.starts_with("HTTP/1.1 200 ") && body.len() == content.len(), "{head}");
        let (head, body) = ask(base, &format!("HEAD {target}"), &host);
        assert!(head.contains("Content-Length: 600000") && body.is_empty(), "{head}");
        for other in
            ["/file/secret", "/file/", "/file", "/file/a%20b%26%C3%A9.snapshot.idx", "/file/../secret"]
        {
            assert!(get(other, "").0.starts_with("HTTP/1.1 404 "), "{other}");
        }
        // Another site that leads here by a name of its own.
        let (head, _) = ask(base, &format!("GET {target}"), "Host: evil.example\r\n");
        assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
        // Somebody writes to it: what follows is no part of the file that was there.
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"more").unwrap();
        let (head, body) = get(target, &format!("Range: bytes=1-2\r\nIf-Range: {etag}\r\n"));
        assert!(head.starts_with("HTTP/1.1 200 ") && body.len() == content.len() + 4, "{head}");
        let content = [&content[..], b"more"].concat();
        // What is put in its place is another file; the one that was named is held.
        fs::rename(dir.path().join("secret"), &path).unwrap();
        assert_eq!(get(target, "").1, content);
    });
}

#[test]
fn an_index_beside_it_is_served_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.snapshot");
    fs::write(&path, b"").unwrap();
    fs::create_dir(dir.path().join("a.snapshot.idx")).unwrap();
    Page::of(FILES, 0).unwrap().with_file(&path).unwrap();
    fs::remove_dir(dir.path().join("a.snapshot.idx")).unwrap();
    fs::write(dir.path().join("a.snapshot.idx"), b"the index").unwrap();
    let page = Page::of(FILES, 0).unwrap().with_file(&path).unwrap();
    serving(&page, |url| {
        let base = url.split_once("/#").unwrap().0;
        let host = format!("Host: {}\r\n", address(base));
        assert_eq!(ask(base, "GET /file/a.snapshot.idx", &host).1, b"the index");
        let (head, body) = ask(base, "GET /file/a.snapshot", &format!("{host}Range: bytes=0-9\r\n"));
        assert!(head.starts_with("HTTP/1.1 416 ") && body.len() < 100, "{head}");
    });
}

#[test]
fn what_is_no_file_is_not_shared() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().to_owned(), dir.path().join("missing"), "/dev/null".into()] {
        let refused = Page::of(FILES, 0).unwrap().with_file(&path).map(|_| ()).unwrap_err();
        assert!(matches!(refused.code(), Code::IoOther | Code::IoNotFound), "{refused}");
    }
}

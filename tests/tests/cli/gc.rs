//! `--rollup-node-endpoint`: the node is asked to stop its garbage collection before the locks are
//! waited for, and whatever it answers, the export goes on.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use rollsnap_tests::cli::Ground;

/// Answers one request with this status and body, and gives the request line.
fn node(status: &'static str, body: &'static str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
            request.push(byte[0]);
        }
        let length = body.len();
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
            .unwrap();
        String::from_utf8(request).unwrap().lines().next().unwrap().to_owned()
    });
    (url, answer)
}

#[test]
fn the_node_is_asked_first() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    for (status, body, line) in [
        ("200 OK", "true", "Rollup node GC canceled\nAcquiring GC lock\n"),
        ("200 OK", "false\n", "No ongoing GC in rollup node\nAcquiring GC lock\n"),
        ("200 OK", "{}", "the answer is neither true nor false. Continuing anyway.\nAcquiring GC lock\n"),
        ("401 Unauthorized", "", "HTTP status 401. Continuing anyway.\nAcquiring GC lock\n"),
    ] {
        let (url, answer) = node(status, body);
        let words = ["export", "out", "--force", "--data-dir", &data, "--rollup-node-endpoint", &url];
        let run = ground.run(&words).ok();
        assert!(run.err.contains(line), "{run}");
        assert_eq!(answer.join().unwrap(), "GET /admin/cancel_gc HTTP/1.1");
    }
}

#[test]
fn a_node_that_is_not_there_does_not_matter() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    // The port was free a moment ago, and nothing listens on it now.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let run = ground.run(&["export", "out", "--data-dir", &data, "--rollup-node-endpoint", &url]).ok();
    assert!(
        run.err.contains("Could not cancel rollup node GC (use --rollup-node-endpoint for that)"),
        "{run}"
    );
    assert!(run.err.contains("Continuing anyway."), "{run}");
}

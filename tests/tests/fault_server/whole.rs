//! Answers that are not the content.

use std::time::{Duration, UNIX_EPOCH};

use rollsnap_tests::fault_server::{Fault, Plan, http_date};

use crate::client::{Client, End, get, statuses};
use crate::serving;

#[test]
fn statuses_bring_what_belongs_to_them() {
    let server = serving(Plan::new());
    let answer = |fault: Fault| {
        server.set(fault);
        get(&server, "/a", &["Range: bytes=0-9"]).0
    };
    for status in [401, 403, 404, 410, 500, 502, 504] {
        assert_eq!(answer(Fault::Status(status)).status, status);
    }
    for value in ["7", "Sun, 06 Nov 1994 08:49:37 GMT", "soon", "-1", "99999999999999999999"] {
        for status in [429, 503] {
            let head = answer(Fault::retry_after(status, value));
            assert_eq!((head.status, head.get("retry-after")), (status, Some(value)));
        }
    }
    for location in ["/a", "b", "../c", "//other/d", "file:///etc/passwd", "https://127.0.0.1/", ""] {
        for status in [301, 302, 303, 307, 308] {
            let head = answer(Fault::redirect(status, location));
            assert_eq!((head.status, head.get("location")), (status, Some(location)));
        }
    }
    server.set(Fault::Status(302));
    assert_eq!(get(&server, "/a", &[]).0.get("location"), None);
    server.remove("/a");
    server.set(Plan::new());
    assert_eq!(statuses(&server, "/a", 1), [404]);
}

#[test]
fn something_else_comes() {
    let server = serving(Fault::Html);
    let (head, body) = get(&server, "/a", &["Range: bytes=0-9"]);
    assert_eq!((head.status, head.get("content-type")), (200, Some("text/html")));
    assert!(body.starts_with(b"<!DOCTYPE html>"));

    server.set(Fault::Garbage);
    let mut client = Client::connect(&server);
    client.ask("GET", "/a", &[]);
    let (bytes, end) = client.rest();
    assert!(bytes.starts_with(b"SSH-2.0-") && end == End::Closed, "{bytes:?}");

    server.set(Fault::EndlessHeaders);
    let mut client = Client::connect(&server);
    client.ask("GET", "/a", &[]);
    let bytes = client.body(4 << 20);
    assert!(bytes.starts_with(b"HTTP/1.1 200 OK\r\nX-Filler-0: "));
    assert!(!bytes.windows(4).any(|four| four == b"\r\n\r\n"));
}

#[test]
fn a_delay_comes_before_the_answer() {
    let server = serving(Plan::of(Fault::Delay(Duration::from_millis(50))).with(Fault::Status(403)).first(1));
    assert_eq!(statuses(&server, "/a", 2), [403, 200]);
    // A long one does not keep the server from ending.
    server.set(Fault::Delay(Duration::from_secs(3600)));
    let mut client = Client::connect(&server);
    client.ask("GET", "/a", &[]);
    client.hurry();
    assert_eq!(client.rest().1, End::Silent);
    drop(server);
}

/// The dates are those of `date -u -d @N`.
#[test]
fn dates_are_spelled_as_in_http() {
    for (seconds, text) in [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
    ] {
        assert_eq!(http_date(UNIX_EPOCH + Duration::from_secs(seconds)), text);
    }
}

//! What connections carry, how they end, and how bodies say their length.

use rollsnap_tests::fault_server::{Fault, Plan, Resource, Server};

use crate::client::{Client, End, dechunked, get};
use crate::{content, serving};

/// What came of the 1000 bytes, and how it ended.
fn came(server: &Server) -> (Vec<u8>, End) {
    let mut client = Client::connect(server);
    client.ask("GET", "/a", &[]);
    assert_eq!(client.head().get("content-length"), Some("1000"));
    client.rest()
}

#[test]
fn bodies_are_cut() {
    let server = serving(Fault::DropAfter(333));
    assert_eq!(came(&server), (content(1000)[..333].to_vec(), End::Closed));
    server.set(Fault::DropAfter(0));
    assert_eq!(came(&server), (Vec::new(), End::Closed));
    server.set(Fault::ResetAfter(333));
    let (bytes, end) = came(&server);
    assert_eq!(end, End::Reset);
    assert!(content(333).starts_with(&bytes));
    assert_eq!(server.log().iter().map(|exchange| exchange.sent).collect::<Vec<_>>(), [333, 0, 333]);
    assert_eq!(server.body_bytes(), 666);
}

#[test]
fn each_connection_carries_so_much() {
    let server = serving(Fault::DropEvery(250));
    for _ in 0..2 {
        let mut client = Client::connect(&server);
        for _ in 0..2 {
            client.ask("GET", "/a", &["Range: bytes=0-99"]);
            client.head();
            assert_eq!(client.body(100), content(100));
        }
        client.ask("GET", "/a", &["Range: bytes=0-99"]);
        assert_eq!(client.head().get("content-length"), Some("100"));
        assert_eq!(client.rest(), (content(50), End::Closed));
    }
    assert_eq!((server.connections(), server.body_bytes()), (2, 500));
}

#[test]
fn silence_lasts_until_the_server_ends() {
    let server = serving(Fault::StallAfter(10));
    let mut within = Client::connect(&server);
    within.ask("GET", "/a", &[]);
    within.head();
    within.hurry();
    assert_eq!(within.rest(), (content(10), End::Silent));
    server.set(Fault::StallBefore);
    let mut before = Client::connect(&server);
    before.ask("GET", "/a", &[]);
    before.hurry();
    assert_eq!(before.rest(), (Vec::new(), End::Silent));
    assert_eq!((server.open_connections(), server.log()[1].status), (2, 0));
    drop(server);
    assert_eq!((within.rest().1, before.rest().1), (End::Closed, End::Closed));
}

#[test]
fn connections_are_dropped_at_once() {
    let server = serving(Plan::new());
    let mut idle = Client::connect(&server);
    idle.ask("GET", "/a", &["Range: bytes=0-0"]);
    idle.head();
    idle.body(1);
    server.drop_connections();
    assert_eq!(idle.rest(), (Vec::new(), End::Closed));
    server.set(Fault::DropBefore);
    let mut client = Client::connect(&server);
    client.ask("GET", "/a", &[]);
    assert_eq!(client.rest(), (Vec::new(), End::Closed));
}

#[test]
fn lengths_are_missing_or_wrong() {
    let server = serving(Fault::Chunked);
    let (head, body) = get(&server, "/a", &[]);
    assert_eq!((head.get("content-length"), head.get("transfer-encoding")), (None, Some("chunked")));
    assert_eq!(dechunked(&body), content(1000));
    server.set(Fault::UntilClose);
    let (head, body) = get(&server, "/a", &[]);
    assert_eq!((head.get("content-length"), head.get("transfer-encoding")), (None, None));
    assert_eq!(body, content(1000));
    for (fault, said) in [(Fault::LengthOver(5), "1005"), (Fault::LengthUnder(5), "995")] {
        server.set(fault);
        let (head, body) = get(&server, "/a", &[]);
        assert_eq!((head.get("content-length"), body), (Some(said), content(1000)));
    }
}

#[test]
fn an_endless_body_goes_on_with_zeros() {
    let server = serving(Fault::Endless);
    let mut client = Client::connect(&server);
    client.ask("GET", "/a", &[]);
    client.head();
    // The first chunk and its size, `10000`: 64 KiB, of which the content is the beginning.
    let body = client.body(7 + (64 << 10));
    assert_eq!(body[..7], *b"10000\r\n");
    assert_eq!(body[7..1007], content(1000));
    assert!(body[1007..].iter().all(|byte| *byte == 0));
    client.body(10 << 20);
}

#[test]
fn a_throttled_body_is_the_same_body() {
    let server = serving(Fault::Throttle(1_000_000));
    let bytes = content(100_001);
    server.put("/a", Resource::of_bytes(bytes.clone()));
    assert_eq!(get(&server, "/a", &[]).1, bytes);
    // The lowest rate goes byte by byte.
    server.set(Fault::Throttle(40));
    assert_eq!(get(&server, "/a", &["Range: bytes=7-10"]).1, bytes[7..11]);
}

#[test]
fn what_is_no_request_is_refused() {
    let server = serving(Plan::new());
    // The beginning of TLS, as a client sends it that was told https.
    let mut tls = Client::connect(&server);
    tls.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    assert_eq!(tls.head().status, 400);
    let mut nonsense = Client::connect(&server);
    nonsense.send(b"HELLO\r\n\r\n");
    assert_eq!(nonsense.head().status, 400);
    let mut slow = Client::connect(&server);
    for piece in ["GE", "T /a HTTP/1.1\r\nRange: byt", "es=1-1\r\n\r", "\n"] {
        slow.send(piece.as_bytes());
    }
    assert_eq!(slow.head().get("content-range"), Some("bytes 1-1/1000"));
}

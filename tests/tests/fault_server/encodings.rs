//! `Accept-Encoding: gzip`, and pages of other origins.

use rollsnap_tests::fault_server::{Plan, Resource};

use crate::client::{Client, dechunked, get};
use crate::serving;

const GZIP: &str = "Accept-Encoding: gzip";
const RANGE: &str = "Range: bytes=1-2";

#[test]
fn what_is_stored_as_gzip_is_decompressed_for_others() {
    let server = serving(Plan::new());
    server.put("/a", Resource::of_bytes("abcd").stored_as_gzip("decompressed"));
    for accept in [GZIP, "Accept-Encoding: deflate, GZIP;q=0.5"] {
        let (head, body) = get(&server, "/a", &[RANGE, accept]);
        assert_eq!((head.status, head.get("content-encoding")), (206, Some("gzip")));
        assert_eq!(body, b"bc");
    }
    for other in ["Accept: */*", "Accept-Encoding: identity", "Accept-Encoding: gzip;q=0"] {
        let (head, body) = get(&server, "/a", &[RANGE, other]);
        assert_eq!((head.status, head.get("content-encoding")), (200, None), "{other}");
        assert_eq!(dechunked(&body), b"decompressed");
        assert_eq!((head.get("content-length"), head.get("accept-ranges")), (None, None));
    }
}

#[test]
fn what_is_compressed_on_the_way_has_a_weak_tag() {
    let server = serving(Plan::new());
    server.put("/a", Resource::of_bytes("abcd").etag("\"v1\"").compressed_on_the_way("compressed"));
    let (head, body) = get(&server, "/a", &[RANGE, GZIP]);
    assert_eq!(
        (head.status, head.get("content-encoding"), head.get("etag")),
        (200, Some("gzip"), Some("W/\"v1\""))
    );
    assert_eq!(dechunked(&body), b"compressed");
    let (head, body) = get(&server, "/a", &[RANGE]);
    assert_eq!((head.status, head.get("content-encoding"), head.get("etag")), (206, None, Some("\"v1\"")));
    assert_eq!(body, b"bc");
}

#[test]
fn pages_of_other_origins_read_what_they_may() {
    let server = serving(Plan::new());
    assert_eq!(get(&server, "/a", &[]).0.get("access-control-allow-origin"), None);
    server.put("/b", Resource::of_bytes("abcd").cors());
    let (head, _) = get(&server, "/b", &[RANGE]);
    assert_eq!(head.get("access-control-allow-origin"), Some("*"));
    assert!(head.get("access-control-expose-headers").unwrap().contains("Content-Range"));
    let mut client = Client::connect(&server);
    for (path, status) in [("/b", 204), ("/b", 204), ("/a", 405)] {
        client.ask("OPTIONS", path, &["Access-Control-Request-Headers: if-range"]);
        let head = client.head();
        assert_eq!(head.status, status);
        let allowed = head.get("access-control-allow-headers").unwrap_or_default();
        assert_eq!(allowed.contains("If-Range"), status == 204);
    }
}

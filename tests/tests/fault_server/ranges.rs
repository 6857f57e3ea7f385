//! Ranges and conditions: as they should be, and every fault of them.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use rollsnap_tests::fault_server::{Fault, Plan, Resource};

use crate::client::{Client, get};
use crate::{content, serving};

/// Status, `Content-Range` and body of a request for a range of the 1000 bytes.
fn part(plan: impl Into<Plan>, headers: &[&str]) -> (u16, Option<String>, Vec<u8>) {
    let server = serving(plan);
    let (head, body) = get(&server, "/a", headers);
    assert_eq!(head.get("content-length"), Some(body.len().to_string().as_str()));
    (head.status, head.get("content-range").map(Into::into), body)
}

/// What an answer with these bytes of the content must be.
fn held(range: core::ops::Range<usize>) -> (u16, Option<String>, Vec<u8>) {
    let said = format!("bytes {}-{}/1000", range.start, range.end - 1);
    (206, Some(said), content(1000)[range].to_vec())
}

fn whole() -> (u16, Option<String>, Vec<u8>) {
    (200, None, content(1000))
}

#[test]
fn without_faults_ranges_are_served() {
    let ask = |range: &str| part(Plan::new(), &[&format!("Range: bytes={range}")]);
    assert_eq!(ask("0-0"), held(0..1));
    assert_eq!(ask("100-299"), held(100..300));
    assert_eq!(ask("990-"), held(990..1000));
    assert_eq!(ask("-7"), held(993..1000));
    assert_eq!(ask("900-5000"), held(900..1000));
    let (status, range, _) = ask("1000-");
    assert_eq!((status, range.as_deref()), (416, Some("bytes */1000")));
    assert_eq!(part(Plan::new(), &[]), whole());
    assert_eq!(ask("1-2,5-6"), whole());
}

#[test]
fn many_requests_share_a_connection() {
    let server = serving(Plan::new());
    let mut client = Client::connect(&server);
    for start in (0..1000).step_by(100) {
        client.ask("GET", "/a?x=1", &[&format!("Range: bytes={start}-{}", start + 99)]);
        assert_eq!(client.head().status, 206);
        assert_eq!(client.body(100), content(1000)[start..start + 100]);
    }
    client.ask("HEAD", "/a", &[]);
    let head = client.head();
    assert_eq!((head.get("content-length"), head.get("etag")), (Some("1000"), Some("\"v1\"")));
    client.ask("GET", "/b", &[]);
    assert_eq!(client.head().status, 404);
    let log = server.log();
    assert_eq!((log.len(), server.connections()), (12, 1));
    assert_eq!((log[3].method.as_str(), log[3].path.as_str()), ("GET", "/a?x=1"));
    assert_eq!((log[3].header("range"), log[3].status, log[3].sent), (Some("bytes=300-399"), 206, 100));
    assert_eq!((log[10].method.as_str(), log[10].sent), ("HEAD", 0));
    // The line of the 404 is a body too.
    assert_eq!(server.body_bytes(), 1000 + log[11].sent);
}

#[test]
fn conditions_are_about_strong_validators() {
    let range = "Range: bytes=1-2";
    assert_eq!(part(Plan::new(), &[range, "If-Range: \"v1\""]), held(1..3));
    assert_eq!(part(Plan::new(), &[range, "If-Range: \"v2\""]), whole());
    assert_eq!(part(Fault::IgnoreIfRange, &[range, "If-Range: \"v2\""]), held(1..3));
    assert_eq!(part(Plan::new(), &[range, "If-Match: \"v0\", \"v1\""]), held(1..3));
    assert_eq!(part(Plan::new(), &[range, "If-Match: \"v2\""]).0, 412);
    assert_eq!(part(Fault::IgnoreIfMatch, &[range, "If-Match: \"v2\""]), held(1..3));

    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let server = serving(Plan::new());
    server.put(
        "/a",
        Resource::of_bytes("abc").etag("W/\"v1\"").last_modified(date).header("x-goog-generation", "7"),
    );
    let (head, body) = get(&server, "/a", &[range, "If-Range: W/\"v1\""]);
    assert_eq!((head.status, body.as_slice()), (200, b"abc".as_slice()), "a weak tag does not hold");
    let (head, body) = get(&server, "/a", &[range, &format!("If-Range: {date}")]);
    assert_eq!((head.status, body.as_slice()), (206, b"bc".as_slice()));
    assert_eq!((head.get("last-modified"), head.get("x-goog-generation")), (Some(date), Some("7")));
    server.put("/a", Resource::of_bytes("abc").no_etag());
    assert_eq!(get(&server, "/a", &[]).0.get("etag"), None);
}

#[test]
fn ranges_are_wrong_as_planned() {
    let asked = ["Range: bytes=300-399"];
    assert_eq!(part(Fault::IgnoreRange, &asked), whole());
    assert_eq!(part(Fault::Early(50), &asked), held(250..400));
    assert_eq!(part(Fault::Early(5000), &asked), held(0..400));
    assert_eq!(part(Fault::Late(50), &asked), held(350..400));
    assert_eq!(part(Fault::Late(5000), &asked), held(399..400));
    assert_eq!(part(Fault::Short(50), &asked), held(300..350));
    let (_, said, _) = held(300..400);
    assert_eq!(part(Fault::Shift(600), &asked), (206, said, content(1000)[900..1000].to_vec()));
    let bytes = || content(1000)[300..400].to_vec();
    assert_eq!(part(Fault::WrongTotal(77), &asked), (206, Some("bytes 300-399/77".into()), bytes()));
    assert_eq!(part(Fault::UnknownTotal, &asked), (206, Some("bytes 300-399/*".into()), bytes()));
    assert_eq!(part(Fault::NoContentRange, &asked), (206, None, bytes()));
    let mut damaged = bytes();
    damaged[17] ^= 1;
    assert_eq!(part(Fault::Corrupt(317), &asked).2, damaged);
    // What cannot change an answer leaves it alone.
    for fault in [Fault::Short(100), Fault::Shift(601), Fault::Corrupt(400), Fault::Corrupt(299)] {
        assert_eq!(part(fault, &asked), held(300..400));
    }
    let head = get(&serving(Fault::IgnoreRange), "/a", &asked).0;
    assert_eq!(head.get("accept-ranges"), None);
}

#[test]
fn a_replaced_resource_is_seen_by_its_validator() {
    let server = serving(Plan::new());
    server.add(Plan::of(Fault::Replace(Resource::of_bytes("new").etag("\"v2\""))).after(1).first(1));
    let asked = ["Range: bytes=1-2", "If-Range: \"v1\""];
    assert_eq!(get(&server, "/a", &asked).0.get("etag"), Some("\"v1\""));
    let (head, body) = get(&server, "/a", &asked);
    assert_eq!((head.status, head.get("etag"), body.as_slice()), (200, Some("\"v2\""), b"new".as_slice()));
    let made = |bytes: &str| {
        server.put("/b", Resource::of_bytes(bytes));
        get(&server, "/b", &[]).0.get("etag").unwrap().to_owned()
    };
    assert_ne!(made("one"), made("two"), "the same length, another resource");
}

#[test]
fn a_file_larger_than_memory_is_served_from_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sparse");
    let mut file = File::create(&path).unwrap();
    file.seek(SeekFrom::Start(5 << 30)).unwrap();
    file.write_all(b"the end").unwrap();
    drop(file);
    let server = serving(Plan::new());
    server.put("/sparse", Resource::open(&path));
    let (head, body) = get(&server, "/sparse", &["Range: bytes=-7"]);
    assert_eq!(body, b"the end");
    assert_eq!(head.get("content-range"), Some("bytes 5368709120-5368709126/5368709127"));
}

//! The L1 client against a stub of the node and against sockets that misbehave.

use core::cell::Cell;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use rollsnap::l1::{At, L1, Options};
use rollsnap_core::feedback::{Phase, Silent};
use rollsnap_core::hash::{CommitmentHash, RollupAddress};
use rollsnap_core::{Class, Code, Feedback, Problem, Result};
use rollsnap_tests::l1::{Stub, closed_port, socket, view};

const ROLLUP: &str = "sr1CnSVbNpLGRVSAxFhCNPnUZDWVdBwdwTLQ";
const LAST: &str = "src13yJ9vETsTqi4dsgNjLJvcaM5BcMAYhNUNNKzEPReB6ddLbwKz9";

fn quick() -> Options {
    Options { retries: 0, pause: Duration::from_millis(1), ..Options::default() }
}

fn impatient() -> Options {
    Options {
        connect: Duration::from_millis(300),
        read: Duration::from_millis(300),
        total: Duration::from_millis(600),
        ..quick()
    }
}

fn at(url: &str, options: Options) -> L1 {
    L1::new(url, options).unwrap()
}

fn rollup() -> RollupAddress {
    ROLLUP.parse().unwrap()
}

fn last() -> CommitmentHash {
    LAST.parse().unwrap()
}

fn head(l1: &L1) -> Result<i32> {
    l1.head_level(&mut Silent)
}

/// The problem of asking a socket that sends these bytes and closes.
fn answered_with(bytes: &'static [u8], options: Options) -> Problem {
    let url = socket(move |mut stream| drop(stream.write_all(bytes)));
    head(&at(&url, options)).unwrap_err()
}

#[test]
fn typed_requests() {
    let stub = Stub::start(&view("v5-archive"), &[]);
    let l1 = at(stub.url(), quick());
    let silent = &mut Silent;
    assert_eq!(l1.head_level(silent), Ok(1029));
    assert_eq!(l1.savepoint(silent), Ok(999));
    assert_eq!(l1.challenge_window(1020, silent), Ok(10));
    let lcc = l1.last_cemented(At::Head, &rollup(), silent).unwrap();
    let lcc_hash = "src12XQNBxrNnrWvg5GxK5XVZfAcQphvBjWbLmBUf24grxY43Mnjxx";
    assert_eq!((lcc.hash.to_string().as_str(), lcc.level), (lcc_hash, 1015));
    let genesis = l1.genesis_info(At::Head, &rollup(), silent).unwrap();
    let genesis_hash = "src12kHDDmmdbAGMsGMWuZY7iFLKndLUg13ABPNWAh6Cm3EdjW8bjx";
    assert_eq!((genesis.hash.to_string().as_str(), genesis.level), (genesis_hash, 1000));

    let found = l1.commitment(At::Head, &rollup(), &last(), silent).unwrap().unwrap();
    let state = "srs12LX6pqyzDYRYuJ7QNa9FhY9Kjm6QRqV3GUnhrr3Mo4kS2g8h1T";
    assert_eq!(found.compressed_state.to_string(), state);
    assert_eq!((found.inbox_level, found.number_of_ticks), (1020, 283796933596));
    assert_eq!(found.predecessor.to_string(), lcc_hash);
    // It was published at level 1022.
    assert!(l1.commitment(At::Level(1022), &rollup(), &last(), silent).unwrap().is_some());
    assert_eq!(l1.commitment(At::Level(1021), &rollup(), &last(), silent), Ok(None));
    assert_eq!(l1.commitment(At::Head, &rollup(), &CommitmentHash::ZERO, silent), Ok(None));
}

#[test]
fn a_slash_at_the_end_and_a_prefix_are_fine() {
    let stub = Stub::start(&view("v5-archive"), &[]);
    assert_eq!(head(&at(&format!("{}/", stub.url()), quick())), Ok(1029));
    assert_eq!(stub.log(1), ["GET /chains/main/blocks/head/header/shell 200"]);
    let problem = head(&at(&format!("{}/no/such/", stub.url()), quick())).unwrap_err();
    assert_eq!(problem.code(), Code::L1Answer);
    assert_eq!(stub.log(2)[1], "GET /no/such/chains/main/blocks/head/header/shell 404");
}

#[test]
fn another_rollup_is_not_an_unknown_commitment() {
    let stub = Stub::start(&view("v5-archive"), &[]);
    let other = "sr1PZp36n7oMkvpHmmk6z6S4FdTfwhmJNPSR".parse().unwrap();
    let problem = at(stub.url(), quick()).commitment(At::Head, &other, &last(), &mut Silent).unwrap_err();
    assert_eq!(problem.code(), Code::L1UnknownRollup);
}

#[test]
fn forbidden_storage_says_so() {
    let stub = Stub::start(&view("v5-archive"), &["--forbid-rollup", "--forbid-levels"]);
    let l1 = at(stub.url(), quick());
    assert_eq!(head(&l1), Ok(1029));
    let storage = l1.commitment(At::Head, &rollup(), &last(), &mut Silent).unwrap_err();
    assert_eq!(storage.code(), Code::L1Forbidden);
    let text = "this L1 node does not serve smart rollup storage (its access list forbids it)";
    assert_eq!(storage.to_string(), text);
    let levels = l1.savepoint(&mut Silent).unwrap_err();
    assert_eq!(levels.code(), Code::L1Forbidden);
    let text = "this L1 node does not serve its savepoint (its access list forbids it)";
    assert_eq!(levels.to_string(), text);
}

#[test]
fn pruned_blocks_need_an_archive_node() {
    for status in ["404", "410"] {
        let stub = Stub::start(&view("v5-archive"), &["--savepoint", "1020", "--pruned", status]);
        let l1 = at(stub.url(), quick());
        assert_eq!(l1.savepoint(&mut Silent), Ok(1020));
        let asked = l1.commitment(At::Level(1019), &rollup(), &last(), &mut Silent);
        let problem = asked.unwrap_err();
        assert_eq!(problem.code(), Code::L1Pruned);
        assert_eq!(problem.title(), "block 1019 pruned or unknown: use an archive node");
        assert!(problem.found_text().unwrap().starts_with(&format!("status {status} for /chains/main/")));
        assert_eq!(l1.challenge_window(1019, &mut Silent).unwrap_err().code(), Code::L1Pruned);
    }
}

#[test]
fn errors_of_the_node_are_told_and_not_retried() {
    let switches = ["--error-500", "header/shell", "--unknown", LAST, "--proto", "001-PtAtLas"];
    let stub = Stub::start(&view("v5-archive"), &switches);
    let l1 = at(stub.url(), Options { retries: 3, ..quick() });
    let problem = head(&l1).unwrap_err();
    assert_eq!(problem.code(), Code::L1Status);
    assert!(problem.to_string().ends_with("header/shell: proto.001-PtAtLas.stub_failure"), "{problem}");
    assert_eq!(stub.log(1).len(), 1);
    assert_eq!(l1.commitment(At::Head, &rollup(), &last(), &mut Silent), Ok(None));
    assert_eq!(stub.log(2).len(), 2);
}

#[test]
fn garbage_is_not_understood() {
    let stub = Stub::start(&view("v5-archive"), &["--garbage", "shell", "--garbage", "commitment"]);
    let l1 = at(stub.url(), quick());
    let problem = head(&l1).unwrap_err();
    assert_eq!(problem.code(), Code::L1Answer);
    assert!(problem.found_text().unwrap().starts_with("\"<html>not JSON\" for /chains/main/"), "{problem}");
    let problem = l1.commitment(At::Head, &rollup(), &last(), &mut Silent).unwrap_err();
    assert_eq!(problem.code(), Code::L1Answer);
}

#[test]
fn values_of_the_wrong_kind_are_not_understood() {
    let mut wrong = view("v5-archive");
    wrong["constants"]["smart_rollup_challenge_window_in_blocks"] = 0.into();
    wrong["lcc"][3]["hash"] = "BKmmaZ22tPgaUJd8FdGjH86G59dqjx83WFYXSqg5bjixxqZP7Xc".into();
    wrong["rollup"]["genesis_info"]["commitment_hash"] = "src1".into();
    wrong["commitments"][4]["commitment"]["number_of_ticks"] = "9223372036854775808".into();
    let stub = Stub::start(&wrong, &[]);
    let l1 = at(stub.url(), quick());
    let silent = &mut Silent;
    for problem in [
        l1.challenge_window(1020, silent).unwrap_err(),
        l1.last_cemented(At::Head, &rollup(), silent).unwrap_err(),
        l1.genesis_info(At::Head, &rollup(), silent).unwrap_err(),
        l1.commitment(At::Head, &rollup(), &last(), silent).unwrap_err(),
    ] {
        assert_eq!(problem.code(), Code::L1Answer, "{problem}");
    }
}

#[test]
fn a_broken_connection_is_tried_again() {
    let stub = Stub::start(&view("v5-archive"), &["--reset", "3"]);
    let mut told = Notes::default();
    let l1 = at(stub.url(), Options { retries: 3, ..quick() });
    assert_eq!(l1.head_level(&mut told), Ok(1029));
    assert_eq!(told.notes.len(), 3);
    assert!(told.notes[0].ends_with("; trying again"), "{}", told.notes[0]);
    assert_eq!(stub.log(4).len(), 4);
}

#[test]
fn a_connection_that_stays_broken_is_given_up() {
    let stub = Stub::start(&view("v5-archive"), &["--reset", "-1"]);
    let problem = head(&at(stub.url(), Options { retries: 2, ..quick() })).unwrap_err();
    assert_eq!(problem.code(), Code::L1Unreachable);
    assert_eq!(problem.code().class(), Class::Environment);
    assert_eq!(stub.log(3).len(), 3);
}

#[test]
fn nobody_listens() {
    let url = closed_port();
    let problem = head(&at(&url, quick())).unwrap_err();
    assert_eq!(problem.code(), Code::L1Unreachable);
    let text = problem.to_string();
    assert!(text.starts_with(&format!("the L1 node at {url} cannot be reached: ")), "{text}");
    assert!(text.to_lowercase().contains("refused"), "{text}");
}

#[test]
fn a_slow_node_is_not_waited_for() {
    let stub = Stub::start(&view("v5-archive"), &["--slow", "30"]);
    let problem = head(&at(stub.url(), impatient())).unwrap_err();
    assert_eq!(problem.code(), Code::L1Unreachable);
    assert!(problem.to_string().ends_with("it takes too long to answer"), "{problem}");
}

#[test]
fn drops_of_an_answer_end_at_the_total_time() {
    let drip = |mut stream: TcpStream| {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
        let mut sent = stream.write_all(head);
        while sent.is_ok() {
            thread::sleep(Duration::from_millis(20));
            sent = stream.write_all(b" ");
        }
    };
    // Each drop comes in time: only the total ends it.
    let options = Options { read: Duration::from_secs(20), ..impatient() };
    let problem = head(&at(&socket(drip), options)).unwrap_err();
    assert_eq!(problem.code(), Code::L1Unreachable);
    assert!(problem.to_string().ends_with("it takes too long to answer"), "{problem}");
}

#[test]
fn huge_answers_are_cut_off() {
    let announced = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n".iter().copied();
    let announced: Vec<u8> = announced.chain([b' '; 2000]).collect();
    let endless = |mut stream: TcpStream| {
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut sent = stream.write_all(head);
        while sent.is_ok() {
            sent = stream.write_all(b"8\r\n[[[[[[[[\r\n");
        }
    };
    let options = || Options { max_body: 1000, ..quick() };
    for url in [socket(move |mut stream| drop(stream.write_all(&announced))), socket(endless)] {
        let problem = head(&at(&url, options())).unwrap_err();
        assert_eq!(problem.code(), Code::L1Answer);
        assert!(problem.to_string().ends_with("the answer is longer than 1000 bytes"), "{problem}");
    }
    // The limit itself is not too long.
    let body = r#"{"level":7}"#;
    let bytes = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 11\r\n\r\n{\"level\":7}";
    let url = socket(move |mut stream| drop(stream.write_all(bytes)));
    let limit = body.len() as u64;
    assert_eq!(head(&at(&url, Options { max_body: limit, ..quick() })), Ok(7));
}

#[test]
fn redirects_are_told_not_followed() {
    let target = Stub::start(&view("v5-archive"), &[]);
    let location = format!("{}/chains/main/blocks/head/header/shell", target.url());
    let reply = format!(
        "HTTP/1.1 301 Moved\r\nLocation: {location}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    );
    let url = socket(move |mut stream| drop(stream.write_all(reply.as_bytes())));
    let problem = head(&at(&url, quick())).unwrap_err();
    assert_eq!(problem.code(), Code::L1Answer);
    let text = format!("it redirects to {location}, which is not followed: give that address");
    assert!(problem.to_string().ends_with(&text), "{problem}");
    assert!(target.log(0).is_empty());
}

#[test]
fn an_empty_answer_is_no_answer() {
    let problem =
        answered_with(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", quick());
    assert_eq!(problem.code(), Code::L1Answer);
    assert!(problem.found_text().unwrap().starts_with("an empty answer for /chains/"), "{problem}");
}

#[test]
fn what_is_not_http_is_not_understood() {
    let problem = answered_with(b"220 mail.example ESMTP\r\n\r\n", quick());
    assert_eq!(problem.code(), Code::L1Answer);
    assert!(problem.to_string().ends_with("this is not an HTTP answer"), "{problem}");
}

#[test]
fn half_an_answer_is_a_broken_connection() {
    let problem = answered_with(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"level\":", quick());
    assert_eq!(problem.code(), Code::L1Unreachable);
    assert!(problem.to_string().contains("closed the connection"), "{problem}");
}

#[test]
fn https_to_a_plain_port_is_refused_at_once() {
    let stub = Stub::start(&view("v5-archive"), &[]);
    let url = stub.url().replace("http:", "https:");
    let mut told = Notes::default();
    let l1 = at(&url, Options { retries: 3, ..quick() });
    let problem = l1.head_level(&mut told).unwrap_err();
    assert_eq!(problem.code(), Code::L1Unreachable);
    assert!(problem.to_string().contains("no secure connection can be made"), "{problem}");
    assert!(told.notes.is_empty());
}

#[test]
fn control_characters_of_a_node_do_not_reach_the_terminal() {
    let reply = b"HTTP/1.1 503 Busy\r\nContent-Length: 12\r\n\r\n\x1b]0;title\x07\r\n.";
    let problem = answered_with(reply, quick());
    assert_eq!(problem.code(), Code::L1Status);
    assert!(!problem.to_string().contains(char::is_control), "{problem:?}");
}

/// Answers these, one a request, and then the level 7.
fn answering(replies: &'static [&'static str]) -> String {
    let asked = AtomicUsize::new(0);
    socket(move |mut stream| {
        let reply = replies.get(asked.fetch_add(1, Ordering::Relaxed)).copied().unwrap_or(SEVEN);
        let _ = stream.write_all(reply.as_bytes());
    })
}

const SEVEN: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 11\r\n\r\n{\"level\":7}";
const BUSY: &str = "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const LATER: &str =
    "HTTP/1.1 429 Slow down\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const NEVER: &str = "HTTP/1.1 503 Busy\r\nRetry-After: 18446744073709551615\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const DATE: &str = "HTTP/1.1 504 Late\r\nRetry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const BROKEN: &str = "HTTP/1.1 500 Error\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

#[test]
fn what_is_busy_is_asked_again() {
    let ask = |replies, retries| {
        let mut told = Notes::default();
        let level = at(&answering(replies), Options { retries, ..quick() }).head_level(&mut told);
        (level.map_err(|problem| problem.code()), told.notes.len())
    };
    assert_eq!(ask(&[BUSY, DATE, BUSY], 3), (Ok(7), 3));
    assert_eq!(ask(&[BUSY, BUSY, BUSY], 2), (Err(Code::L1Status), 2));
    // Its own errors are answers.
    assert_eq!(ask(&[BROKEN], 3), (Err(Code::L1Status), 0));
    // Longer than the whole request may take: not waited for.
    assert_eq!(ask(&[NEVER], 3), (Err(Code::L1Status), 0));
    let begin = Instant::now();
    assert_eq!(ask(&[LATER], 1), (Ok(7), 1));
    assert!(begin.elapsed() >= Duration::from_secs(1), "it asked for a second");
}

#[test]
fn a_user_name_and_a_password_are_sent_as_they_are_meant() {
    let (sender, requests) = mpsc::channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for reply in [
            SEVEN,
            "HTTP/1.1 401 Who?\r\nWWW-Authenticate: Basic\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        ] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap();
            sender.send(String::from_utf8_lossy(&request[..read]).to_lowercase()).unwrap();
            stream.write_all(reply.as_bytes()).unwrap();
        }
    });
    let l1 = at(&format!("http://user:p%3Aw%40@{address}"), quick());
    assert_eq!(head(&l1), Ok(7));
    // `printf user:p:w@ | base64`, in lower case as the rest of it.
    assert!(requests.recv().unwrap().contains("authorization: basic dxnlcjpwonda"));
    let problem = head(&l1).unwrap_err();
    assert_eq!(problem.code(), Code::L1Forbidden);
    let said = format!("{problem} {l1:?}");
    assert!(said.contains("password") && !said.contains("p%3A") && !said.contains("p:w@"), "{said}");
}

#[test]
fn cancelling_ends_the_tries() {
    let mut cancelled = CancelAfter(Cell::new(2));
    let l1 = at(&closed_port(), Options { retries: 1000, ..quick() });
    assert_eq!(l1.head_level(&mut cancelled).unwrap_err().code(), Code::Cancelled);
}

/// Keeps the notes.
#[derive(Default)]
struct Notes {
    notes: Vec<String>,
}

impl Feedback for Notes {
    fn phase(&mut self, _: Phase) {}
    fn advance(&mut self, _: u64) {}
    fn note(&mut self, text: &str) {
        self.notes.push(text.into());
    }
}

/// Says "stop" when it was asked so often.
struct CancelAfter(Cell<u32>);

impl Feedback for CancelAfter {
    fn phase(&mut self, _: Phase) {}
    fn advance(&mut self, _: u64) {}
    fn note(&mut self, _: &str) {}
    fn cancelled(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        left == 0
    }
}

/// The kernel of the rollup in the fixture is the one of the published genesis (408 bytes).
#[test]
fn the_boot_sector_is_in_the_block_of_the_origination() {
    let mut view = view("v5-genesis");
    let rollup: RollupAddress = view["rollup"]["address"].as_str().unwrap().parse().unwrap();
    let level = i32::try_from(view["rollup"]["genesis_info"]["level"].as_i64().unwrap()).unwrap();
    let stub = Stub::start(&view, &[]);
    let l1 = at(stub.url(), quick());
    let found = l1.origination(level, &rollup, &mut Silent).unwrap().unwrap();
    let kernel = found.boot_sector;
    assert_eq!(kernel.len(), 408);
    assert!(kernel.starts_with(b"\0asm\x01\0\0\0"));
    // Another rollup was not originated there, nor this one in another block.
    let other: RollupAddress = ROLLUP.parse().unwrap();
    assert_eq!(l1.origination(level, &other, &mut Silent), Ok(None));
    assert_eq!(l1.origination(level + 1, &rollup, &mut Silent), Ok(None));
    for text in ["0", "zz", "é"] {
        view["rollup"]["boot_sector"] = text.into();
        let stub = Stub::start(&view, &[]);
        let problem = at(stub.url(), quick()).origination(level, &rollup, &mut Silent).unwrap_err();
        assert_eq!(problem.code(), Code::L1Answer, "{text}");
    }
}

#[test]
fn constants_of_the_dal() {
    let mut view = view("v5-archive");
    view["constants"]["dal_parametric"] = serde_json::json!({
        "feature_enable": true, "incentives_enable": true, "number_of_slots": 32, "attestation_lag": 8,
        "attestation_threshold": 66, "redundancy_factor": 8, "page_size": 3967, "slot_size": 126_944,
        "number_of_shards": 512
    });
    view["constants"]["smart_rollup_reveal_activation_level"] = serde_json::json!({
        "raw_data": {"Blake2B": 0}, "metadata": 0, "dal_page": 5_726_209, "dal_parameters": 5_726_209,
        "dal_attested_slots_validity_lag": 241_920
    });
    let ask = |view: &serde_json::Value| {
        let stub = Stub::start(view, &[]);
        at(stub.url(), quick()).dal_constants(1010, &mut Silent)
    };
    let quebec = "PsQuebecnLByd3JwTiGadoG4nGWi3HYiLXUjkibeFV8dCFeVMUg".parse().unwrap();
    let known = rollsnap::l1::DalConstants::of_protocol(&quebec).unwrap();
    let expected = rollsnap::l1::DalConstants { active_since: Some(5_726_209), ..known };
    assert_eq!(ask(&view), Ok(expected));
    view["constants"]["dal_parametric"]["feature_enable"] = false.into();
    assert_eq!(ask(&view).unwrap().active_since, None);
    view["constants"]["dal_parametric"]["page_size"] = 0.into();
    assert_eq!(ask(&view).unwrap_err().code(), Code::L1Answer);
}

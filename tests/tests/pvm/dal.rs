//! What is known of the data availability layer (DAL): protocols and slots in a store, pages of a DAL node, which may
//! be anything but one.

use core::time::Duration;
use std::cell::Cell;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use rollsnap::data_dir::PvmKind;
use rollsnap::l1::DalConstants;
use rollsnap::l1::{L1, Options};
use rollsnap::replay::{DalNode, Levels, PreImages, Reveals, StoreLevels};
use rollsnap_core::feedback::{Phase, Silent};
use rollsnap_core::pvm::{DalPage, Reveal, Rollup};
use rollsnap_core::{Code, Feedback, Problem, Result};
use rollsnap_tests::cli::Ground;
use rollsnap_tests::fixtures::unhex;
use rollsnap_tests::l1::{Stub, closed_port, view};
use rollsnap_tests::store_v4;
use serde_json::{Value, json};

const QUEBEC: &str = "PsQuebecnLByd3JwTiGadoG4nGWi3HYiLXUjkibeFV8dCFeVMUg";
const RIO: &str = "PsRiotumaAMotcRoDWW1bysEhQy2n1M5fy8JgRp8jjRfHGmfeA7";
const ATLAS: &str = "PtAtLasdzXg4XxeVNtWheo13nG4wHXP22qYMqFcT3fyBpWkFero";
const BOREAS: &str = "PtBoreasK2KPuKbeYtXeEdudEHS7YcMFHE9amwheUc4kejTxgRi";

fn levels(ground: &Ground, base: &str) -> (StoreLevels, String) {
    let data = ground.unpack(base, base);
    (StoreLevels::open(Path::new(&data), None).unwrap(), data)
}

/// The block that activates a protocol is one of the protocol before; where a node met its first protocol, that
/// level is the protocol's.
#[test]
fn the_protocol_of_a_level() {
    let ground = Ground::new();
    for (base, first, first_level, second, activation) in
        [("v5-archive", QUEBEC, 1000, RIO, 1007), ("v4-archive", ATLAS, 4000, BOREAS, 4007)]
    {
        let (levels, _) = levels(&ground, base);
        let protocol = |level| levels.protocol(level).map(ToString::to_string);
        assert_eq!(protocol(first_level - 1), None, "{base}");
        assert_eq!(protocol(i32::MIN), None, "{base}");
        for level in [first_level, activation - 1, activation] {
            assert_eq!(protocol(level).as_deref(), Some(first), "{base} {level}");
        }
        for level in [activation + 1, i32::MAX] {
            assert_eq!(protocol(level).as_deref(), Some(second), "{base} {level}");
        }
    }
}

/// A status stands at the block at which it was settled, as many levels after the publication as the lag says.
#[test]
fn slots_of_a_database() {
    let ground = Ground::new();
    let (mut levels, data) = levels(&ground, "v5-archive");
    let store = rusqlite::Connection::open(format!("{data}/store.sqlite")).unwrap();
    let mut statuses = 0;
    let mut query = store
        .prepare("SELECT l.level, s.slot_index, s.attested FROM dal_slots_statuses s JOIN l2_levels l ON l.block_hash = s.block_hash")
        .unwrap();
    let mut rows = query.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let (level, slot, attested): (i32, u8, bool) =
            (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
        if level - 8 >= 1000 {
            assert_eq!(levels.is_attested(level - 8, slot), Ok(Some(attested)), "{level} {slot}");
            assert_eq!(levels.is_attested(level - 7, slot), Ok(None), "{level} {slot}");
            statuses += 1;
        }
    }
    assert_eq!(statuses, 12);
    // No such slot, no such level, no constants, no level at all.
    for (level, slot) in [(1001, 2), (1001, 255), (1020, 0), (999, 0), (i32::MAX, 0), (i32::MIN, 0)] {
        assert_eq!(levels.is_attested(level, slot), Ok(None), "{level} {slot}");
    }
    let known = DalConstants::of_protocol(&QUEBEC.parse().unwrap());
    assert!(known.is_some() && levels.dal_constants(1000) == Ok(known));
    // A value that no node writes is reported, not taken for an answer.
    let sql = "UPDATE dal_slots_statuses SET attested = 'yes' WHERE slot_index = 1";
    drop(rows);
    drop(query);
    assert!(store.execute(sql, []).unwrap() > 0);
    drop(store);
    let mut levels = StoreLevels::open(Path::new(&data), None).unwrap();
    let problem = levels.is_attested(1001, 1).unwrap_err();
    assert!(problem.code().is_about_contents(), "{problem}");
}

/// Statuses in files, as the node's own code listed them: `dal/slots_statuses/BLOCK` has a length, then number and
/// status of each slot.
#[test]
fn slots_of_files() {
    let ground = Ground::new();
    let data = ground.path("data");
    for (name, content) in store_v4::directory("archive") {
        let path = data.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let dump = store_v4::dump("archive");
    let chain = dump["chain_from_head"].as_array().unwrap();
    let level_of = |hash: &str| {
        let block = chain.iter().find(|block| block["hash"] == hash)?;
        block["level"].as_i64().and_then(|level| i32::try_from(level).ok())
    };
    let mut view = view("v5-archive");
    view["constants"]["dal_parametric"] = json!({
        "feature_enable": true, "number_of_slots": 32, "attestation_lag": 3, "page_size": 3967, "slot_size": 126_944
    });
    view["constants"]["smart_rollup_reveal_activation_level"] =
        json!({"dal_page": 1, "dal_attested_slots_validity_lag": 241_920});
    let stub = Stub::start(&view, &[]);
    // Of Mavkit's protocols only layer 1 knows the constants.
    let mut alone = StoreLevels::open(&data, None).unwrap();
    assert_eq!(alone.dal_constants(1005), Ok(None));
    assert_eq!(alone.is_attested(1005, 0), Ok(None));
    let l1 = L1::new(stub.url(), quick()).unwrap();
    let mut levels = StoreLevels::open(&data, None).unwrap().asking(l1, Box::new(Silent));
    let mut seen = [0, 0];
    for (name, value) in dump["irmin_store"]["values"].as_object().unwrap() {
        let Some(block) = name.strip_prefix("dal/slots_statuses/") else { continue };
        let level = level_of(block).unwrap();
        if level < 1003 {
            // Published before the first protocol that the store knows.
            continue;
        }
        for slot in unhex(value.as_str().unwrap())[4..].chunks(2) {
            let attested = slot[1] == 0;
            assert_eq!(levels.is_attested(level - 3, slot[0]), Ok(Some(attested)), "{level}");
            assert_eq!(levels.is_attested(level - 4, slot[0]), Ok(None), "{level}");
            seen[usize::from(attested)] += 1;
        }
        assert_eq!(levels.is_attested(level - 3, 200), Ok(None));
    }
    assert!(seen[0] > 2 && seen[1] > 2, "{seen:?}");
    // Asked once for each protocol.
    let constants = stub.log(1).iter().filter(|line| line.contains("context/constants")).count();
    assert!((1..=2).contains(&constants), "{:?}", stub.log(1));
}

fn quick() -> Options {
    Options {
        connect: Duration::from_millis(400),
        read: Duration::from_millis(400),
        total: Duration::from_millis(800),
        retries: 0,
        pause: Duration::from_millis(1),
        ..Options::default()
    }
}

/// What a server does with the path of a request.
type Answer = dyn Fn(&str, TcpStream) + Send + Sync;

/// A DAL node that may be anything, and the paths that it was asked for.
fn node(answer: impl Fn(&str, TcpStream) + Send + Sync + 'static) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asked, answer): (Arc<Mutex<Vec<String>>>, Arc<Answer>) = (Arc::default(), Arc::new(answer));
    let log = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
            thread::spawn(move || {
                let mut lines =
                    BufReader::new(stream.try_clone().unwrap()).lines().map_while(std::io::Result::ok);
                let Some(first) = lines.next() else { return };
                for line in lines {
                    if line.is_empty() {
                        break;
                    }
                }
                let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
                log.lock().unwrap().push(path.clone());
                answer(&path, stream);
            });
        }
    });
    (url, asked)
}

fn reply(mut stream: TcpStream, status: u16, body: &str) {
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

/// Page number `n` has its number in all of its bytes.
fn pages(count: usize, size: usize) -> Value {
    (0..count).map(|number| format!("{number:02x}").repeat(size)).collect()
}

/// From level 150 on Quebec; of no slot anything is known.
struct Unknown;

impl Levels for Unknown {
    fn dal_constants(&mut self, level: i32) -> Result<Option<DalConstants>> {
        Ok(DalConstants::of_protocol(&QUEBEC.parse().unwrap()).filter(|_| level >= 150))
    }

    fn is_attested(&mut self, _: i32, slot: u8) -> Result<Option<bool>> {
        Ok((slot == 9).then_some(true))
    }
}

fn reveals(url: &str, options: Options, feedback: Box<dyn Feedback>) -> Reveals<Unknown> {
    let rollup =
        Rollup { address: "sr1CnSVbNpLGRVSAxFhCNPnUZDWVdBwdwTLQ".parse().unwrap(), origination_level: 100 };
    let pre_images = PreImages::of(Path::new("/nowhere"), PvmKind::Wasm200);
    Reveals::new(pre_images, rollup, Unknown).with_pages(DalNode::new(url, options, feedback).unwrap())
}

fn page(slot: u8, page: i16) -> DalPage {
    DalPage { published_level: 160, slot, page }
}

#[test]
fn pages_of_a_node() {
    let (url, asked) = node(|path, stream| match path.rsplit('/').next().unwrap() {
        "pages" => reply(stream, 200, &pages(32, 3967).to_string()),
        _ => match path.split('/').nth(4).unwrap() {
            "0" => reply(stream, 200, "\"attested\""),
            "1" => reply(stream, 200, r#"{"kind":"attested","attestation_lag":8}"#),
            // Attested so late that the window has not begun.
            "2" => reply(stream, 200, r#"{"kind":"attested","attestation_lag":300}"#),
            "3" => reply(stream, 200, "\"unattested\""),
            "4" => reply(stream, 200, "\"unpublished\""),
            "5" => reply(stream, 200, r#"{"status":"attested"}"#),
            "6" => reply(stream, 200, "\"waiting_attestation\""),
            _ => reply(stream, 404, "[]"),
        },
    });
    let mut reveals = reveals(&url, Options::default(), Box::new(Silent));
    for (slot, number) in [(0, 0), (0, 31), (1, 7), (5, 1), (9, 2)] {
        let bytes = reveals.dal_page(200, page(slot, number)).unwrap();
        assert_eq!(&bytes[..], [number as u8; 3967], "{slot} {number}");
    }
    for slot in [2, 3, 4] {
        assert_eq!(reveals.dal_page(200, page(slot, 0)).unwrap().len(), 0, "{slot}");
    }
    let waiting = reveals.dal_page(200, page(6, 0)).unwrap_err();
    assert_eq!(waiting.code(), Code::PvmRefusedReveal);
    assert!(
        waiting.to_string().contains("whether slot 6 that was published at level 160 was attested"),
        "{waiting}"
    );
    // A page that the slot does not have asks nobody, nor what is too old or too new.
    let before = asked.lock().unwrap().len();
    for (level, page) in [(200, page(0, 32)), (200, page(0, -1)), (200, page(32, 0)), (167, page(0, 0))] {
        assert_eq!(reveals.dal_page(level, page).unwrap().len(), 0);
    }
    assert_eq!(asked.lock().unwrap().len(), before);
    // The content of a slot is asked for once.
    let log = asked.lock().unwrap();
    let count = |path: &str| log.iter().filter(|asked| *asked == path).count();
    assert_eq!(count("/levels/160/slots/0/pages"), 1, "{log:?}");
    assert_eq!(count("/levels/160/slots/9/status"), 0, "{log:?}");
}

/// Asks a node that answers everything so for page 3 of slot 9, which was attested.
fn fails(options: Options, answer: impl Fn(&str, TcpStream) + Send + Sync + 'static) -> Problem {
    let (url, _) = node(answer);
    let begun = Instant::now();
    let problem = reveals(&url, options, Box::new(Silent)).dal_page(200, page(9, 3)).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(10), "{problem}");
    let text = problem.to_string();
    assert!(text.contains("page 3 of slot 9 that was published at level 160"), "{text}");
    assert!(!text.contains(char::is_control) && text.len() < 2000, "{text:?}");
    problem
}

#[test]
fn hostile_nodes() {
    let odd = |body: String| fails(quick(), move |_, stream| reply(stream, 200, &body)).code();
    let mut one_longer = pages(32, 3967);
    one_longer[31] = "00".repeat(3968).into();
    let mut not_hex = pages(32, 3967);
    not_hex[5] = "zz".repeat(3967).into();
    for body in [
        String::new(),
        "null".into(),
        "{}".into(),
        "[]".into(),
        "\u{1b}[31m".into(),
        "[".repeat(100_000),
        pages(31, 3967).to_string(),
        pages(33, 3967).to_string(),
        pages(32, 3966).to_string(),
        pages(32, 0).to_string(),
        one_longer.to_string(),
        not_hex.to_string(),
        json!([1, 2, 3]).to_string(),
        "é".repeat(1000),
    ] {
        let shown: String = body.chars().take(40).collect();
        assert_eq!(odd(body), Code::DalAnswer, "{shown:?}");
    }
    for (status, code) in [
        (404, Code::PvmRefusedReveal),
        (410, Code::PvmRefusedReveal),
        (500, Code::DalAnswer),
        (401, Code::DalAnswer),
        (302, Code::DalAnswer),
    ] {
        let problem = fails(quick(), move |_, stream| reply(stream, status, "<h1>\u{1b}[31mno</h1>"));
        assert_eq!(problem.code(), code, "{status}");
    }
    // Silence, a connection that breaks off, and one that never ends.
    let silent = fails(quick(), |_, stream| {
        thread::sleep(Duration::from_secs(5));
        drop(stream);
    });
    assert_eq!(silent.code(), Code::DalUnreachable);
    let short = fails(quick(), |_, mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n[");
    });
    assert_eq!(short.code(), Code::DalUnreachable);
    let small = Options { max_body: 100_000, ..quick() };
    for options in [small, quick()] {
        let endless = fails(options, |_, mut stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            while stream.write_all(&[b' '; 4096]).is_ok() {}
        });
        assert!([Code::DalAnswer, Code::DalUnreachable].contains(&endless.code()), "{endless}");
    }
    let other = fails(quick(), |_, mut stream| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n");
    });
    assert_eq!(other.code(), Code::DalAnswer);
    let gone = reveals(&closed_port(), quick(), Box::new(Silent)).dal_page(200, page(9, 3)).unwrap_err();
    assert_eq!(gone.code(), Code::DalUnreachable);
    assert!(gone.to_string().contains("the DAL node at http://127.0.0.1:"), "{gone}");
    let ftp = DalNode::new("ftp://me:secret@node.example", quick(), Box::new(Silent)).unwrap_err();
    assert_eq!(ftp.code(), Code::DalEndpoint);
    assert!(!ftp.to_string().contains("secret"), "{ftp}");
}

#[test]
fn statuses_that_make_no_sense() {
    for body in [
        "\"later\"",
        "7",
        "{}",
        r#"{"kind":"attested"}"#,
        r#"{"kind":"attested","attestation_lag":-1}"#,
        "[]",
    ] {
        let (url, _) = node(move |_, stream| reply(stream, 200, body));
        let problem = reveals(&url, quick(), Box::new(Silent)).dal_page(200, page(0, 3)).unwrap_err();
        assert_eq!(problem.code(), Code::DalAnswer, "{body}: {problem}");
    }
}

/// Says "stop" as soon as it is told to.
struct Stop(Rc<Cell<bool>>, Instant);

impl Feedback for Stop {
    fn phase(&mut self, _: Phase) {}
    fn advance(&mut self, _: u64) {}
    fn note(&mut self, _: &str) {}
    fn cancelled(&self) -> bool {
        self.0.get() || self.1.elapsed() > Duration::from_millis(300)
    }
}

#[test]
fn a_user_who_stops_does_not_wait_for_the_node() {
    let (url, _) = node(|_, stream| {
        thread::sleep(Duration::from_secs(20));
        drop(stream);
    });
    let begun = Instant::now();
    let stop = Box::new(Stop(Rc::default(), begun));
    let problem = reveals(&url, Options::default(), stop).dal_page(200, page(9, 3)).unwrap_err();
    assert_eq!(problem.code(), Code::Cancelled);
    assert!(begun.elapsed() < Duration::from_millis(1300), "{:?}", begun.elapsed());
}

#[test]
fn passing_failures_are_tried_again() {
    let tries = Arc::new(Mutex::new(0));
    let count = Arc::clone(&tries);
    let (url, _) = node(move |_, stream| {
        let mut count = count.lock().unwrap();
        *count += 1;
        if *count == 3 {
            reply(stream, 200, &pages(32, 3967).to_string());
        }
    });
    let options = Options { retries: 3, total: Duration::from_secs(20), ..quick() };
    let bytes = reveals(&url, options, Box::new(Silent)).dal_page(200, page(9, 3)).unwrap();
    assert_eq!((bytes.len(), *tries.lock().unwrap()), (3967, 3));
}

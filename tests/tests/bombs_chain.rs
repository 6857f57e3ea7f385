//! Small stores whose chain is long, or asks for much: every block is cheap to write down and dear to check.

use std::fs;

use rollsnap_tests::bomb::{Bomb, Content};
use rollsnap_tests::cli::{Ground, Run};
use rollsnap_tests::limits::BOMB;

const V4: &str = "data-dir/v4-full.head.snapshot.gz";

/// Length of the header of a block in `l2_head` and in the index, in bytes.
const HEADER: usize = 228;

/// Every command that goes through a chain. `S` stands for the snapshot.
const COMMANDS: [&[&str]; 5] = [
    &["verify", "--json", "S"],
    &["info", "--full", "S"],
    &["import", "S", "--data-dir", "made"],
    &["convert", "S", "-o", "made"],
    &["convert", "--no-check", "S", "-o", "made"],
];

fn defuse(bomb: &Bomb) -> Vec<Run> {
    let ground = Ground::new();
    let snapshot = bomb.write(&ground, "chain");
    let size = fs::metadata(&snapshot).unwrap().len();
    assert!(size < 8 << 20, "{size} bytes are no small file");
    let run = |words: &&[&str]| {
        let words: Vec<&str> = words.iter().map(|&word| if word == "S" { &snapshot } else { word }).collect();
        let (run, used) = ground.run_within(BOMB, &words);
        eprintln!("{used}: {size} bytes: {} → {} {}", words.join(" "), run.status, run.err);
        let made = ground.path("made");
        let _ = if made.is_dir() { fs::remove_dir_all(made) } else { fs::remove_file(made) };
        run
    };
    COMMANDS.iter().map(run).collect()
}

fn key(number: u64) -> Vec<u8> {
    [&number.to_be_bytes()[..], &[0x11; 24]].concat()
}

/// An index log with this many entries, which are made of 1, 2, 3 …
fn log(lead: &[u8], entries: u64, make: impl Fn(u64) -> Vec<u8> + 'static) -> Content {
    let bytes = make(1).len() as u64 * entries;
    let lead = [&bytes.to_be_bytes(), &lead[8..32]].concat();
    Content::Counted { lead, make: Box::new(move |number| make(number + 1)), times: entries }
}

/// A store of so many blocks, all of which name one list of messages.
fn chain(blocks: u64, messages: Content) -> Bomb {
    let mut bomb = Bomb::of(V4);
    let head = bomb.bytes("storage/l2_head");
    let lead = bomb.bytes("storage/messages/1/index/index/log");
    for table in ["l2_blocks", "messages", "levels_to_hashes"] {
        bomb.members.retain(|name, _| !name.starts_with(&format!("storage/{table}")));
    }
    let level = i32::from_be_bytes(head[32..36].try_into().unwrap());
    let first = level - blocks as i32 + 1;
    let metadata = String::from_utf8(bomb.bytes("metadata")).unwrap();
    let genesis = r#""level": 800000"#;
    assert!(metadata.contains(genesis), "{metadata}");
    let metadata = metadata.replace(genesis, &format!(r#""level": {first}"#));
    let (witness, rest) = (head[164..196].to_vec(), head.clone());
    let header = move |number: u64| {
        let level = first + number as i32 - 1;
        [&key(number)[..], &level.to_be_bytes(), &key(number - 1), &[0; 32], &rest[100..HEADER]].concat()
    };
    let body = head[HEADER..].to_vec();
    let last = [&header(blocks)[..], &body].concat();
    let block = move |number: u64| [&key(number)[..], &[0; 8], &header(number)].concat();
    let at = move |number: u64| [&(first + number as i32 - 1).to_be_bytes()[..], &key(number)].concat();
    let list = [&72_u64.to_be_bytes(), &lead[8..32], &witness, &[0; 8], &key(1)].concat();
    bomb.members.remove("storage/gc_levels");
    bomb.put_bytes("metadata", metadata.into_bytes())
        .put_bytes("storage/l2_head", last)
        .put("storage/l2_blocks/index/index/log", log(&lead, blocks, block))
        .put_bytes("storage/l2_blocks/data", [&(body.len() as u32).to_be_bytes()[..], &body].concat())
        .put("storage/levels_to_hashes/index/log", log(&lead, blocks, at))
        .put_bytes("storage/messages/index/index/log", list)
        .put("storage/messages/data", messages)
}

/// A value of the file of messages: so many messages of nothing.
fn messages(count: u32) -> Content {
    let lead = [(4 * count + 4).to_be_bytes(), (4 * count).to_be_bytes()].concat();
    Content::Repeated { lead, unit: vec![0; 4], times: count.into() }
}

fn said(run: &Run, code: &str) -> bool {
    let report = run.json();
    report["checks"].as_array().unwrap().iter().any(|check| check["code"] == code)
}

/// A short chain of the same form is gone through to its end: what is found wrong is what is wrong.
#[test]
fn some_blocks_are_checked() {
    let runs = defuse(&chain(1000, messages(3)));
    assert!(said(&runs[0], "messages.witness"), "{}", runs[0]);
    assert!(!said(&runs[0], "chain.work") && !said(&runs[0], "messages.work"), "{}", runs[0]);
}

#[test]
fn blocks_without_end() {
    let runs = defuse(&chain(150_000, messages(3)));
    assert_eq!(runs[0].json()["verdicts"]["consistent"], "no", "{}", runs[0]);
    // What is wrong with the first blocks comes first.
    assert!(runs[2..4].iter().all(|run| run.status == 1), "{} {}", runs[2], runs[3]);
    assert!(runs[4].status == 4 && runs[4].err.contains("[chain.work]"), "{}", runs[4]);
    assert!(runs[4].err.contains("blocks in"), "the number: {}", runs[4]);
}

/// Each key would have to be looked for in all stale stores that are newer.
#[test]
fn stale_stores_that_do_not_hide_each_other() {
    const STORES: u64 = 60;
    let mut bomb = Bomb::of(V4);
    let lead = bomb.bytes("storage/levels_to_hashes/index/log");
    for store in 1..=STORES {
        let at = move |number: u64| [&((store * 4000 + number) as i32).to_be_bytes()[..], &[0; 32]].concat();
        bomb = bomb.put(&format!("storage/levels_to_hashes.{store}/index/log"), log(&lead, 4000, at));
    }
    let runs = defuse(&bomb);
    assert!(said(&runs[0], "chain.work") && runs[0].status == 4, "{}", runs[0]);
    assert_eq!(runs[0].json()["verdicts"]["consistent"], "unknown", "{}", runs[0]);
}

/// More records of publications than a file of this size can name commitments.
#[test]
fn publications_without_end() {
    let mut bomb = Bomb::of(V4);
    let lead = bomb.bytes("storage/levels_to_hashes/index/log");
    let key = |number: u64| [&number.to_be_bytes()[..], &[0; 32]].concat();
    bomb = bomb.put("storage/commitments_published_at_level/index/log", log(&lead, 600_000, key));
    let runs = defuse(&bomb);
    assert_eq!(runs[0].json()["verdicts"]["consistent"], "unknown", "{}", runs[0]);
    assert!(runs[0].status == 5 && said(&runs[0], "limit.memory"), "{}", runs[0]);
    for run in &runs[2..] {
        assert!(run.status == 5 && run.err.contains("[limit.memory]"), "{run}");
    }
}

/// Those that hold the same keys, as collections leave them that failed, are read.
#[test]
fn stale_stores_that_hide_each_other() {
    let mut bomb = Bomb::of(V4);
    let lead = bomb.bytes("storage/levels_to_hashes/index/log");
    for store in 1..=60_u64 {
        let key = |number: u64| [&number.to_be_bytes()[..], &[0; 32]].concat();
        bomb = bomb
            .put(&format!("storage/commitments_published_at_level.{store}/index/log"), log(&lead, 4000, key));
    }
    let runs = defuse(&bomb);
    assert!(!said(&runs[0], "chain.work"), "{}", runs[0]);
}

/// A data directory is no small file, so all of its blocks are gone through; what is wrong with each of them is not kept.
#[test]
fn a_directory_with_faults_in_every_block() {
    const BLOCKS: u64 = 100_000;
    let ground = Ground::new();
    let snapshot = chain(BLOCKS, messages(3)).write(&ground, "chain");
    ground.run(&["import", &snapshot, "--no-check", "--data-dir", "data"]).ok();
    let (run, used) = ground.run_within(BOMB, &["verify", "--json", "data"]);
    eprintln!("{used}");
    let report = run.json();
    assert_eq!(report["verdicts"]["consistent"], "no", "{run}");
    let listed = report["checks"].as_array().unwrap().len() as u64;
    let all = listed + report["checks_left_out"].as_u64().unwrap();
    assert!(listed == 1000 && all > BLOCKS, "{listed} of {all}");
    let (run, used) = ground.run_within(BOMB, &["export", "--data-dir", "data", "out"]);
    eprintln!("{used}");
    assert!(run.status == 1 && run.err.contains(" more; rollsnap verify shows all"), "{run}");
}

/// Each level is within its limits; all of them together are not.
#[test]
fn one_list_for_all_blocks() {
    for count in [1_000_000, 10_000] {
        let runs = defuse(&chain(3000, messages(count)));
        assert_eq!(runs[0].json()["verdicts"]["consistent"], "no", "{}", runs[0]);
        assert!(runs[2..4].iter().all(|run| run.status == 1), "{} {}", runs[2], runs[3]);
        assert!(runs[4].status == 4 && runs[4].err.contains("[messages.work]"), "{}", runs[4]);
    }
}

//! Small files that are made to take much memory, time or space, and how much they take: 100 MiB and ten
//! seconds of one processor, whatever they say.
//!
//! Each is a consistent snapshot of the fixtures but for one thing.

use std::time::{Duration, Instant};

use rollsnap_tests::bomb::{Bomb, Content};
use rollsnap_tests::cli::{Ground, Run, Running};
use rollsnap_tests::damaged::fix_checksum;
use rollsnap_tests::fixtures;
use rollsnap_tests::limits::{BOMB, Limits};
use rustix::process::{Pid, Signal, kill_process};

const V5: &str = "data-dir/v5-full.finalized.snapshot.gz";
const V4: &str = "data-dir/v4-full.head.snapshot.gz";

const MIB: u64 = 1 << 20;

/// Every command that reads a snapshot to its end. `S` stands for the snapshot.
const ALL: [&[&str]; 7] = [
    &["verify", "S"],
    &["verify", "--context", "none", "--json", "S"],
    &["info", "--full", "S"],
    &["context", "log", "S"],
    &["context", "stat", "S"],
    &["import", "S", "--data-dir", "imported"],
    &["import", "--no-check", "S", "--data-dir", "imported"],
];

/// Runs commands on a snapshot, each within the limits, and shows what they took. No input ends in a panic or
/// by a signal.
fn defuse(ground: &Ground, snapshot: &str, commands: &[&[&str]]) -> Vec<Run> {
    let size = std::fs::metadata(snapshot).unwrap().len();
    assert!(size < 8 * MIB, "{size} bytes are no small file");
    let run = |words: &&[&str]| {
        let words: Vec<&str> = words.iter().map(|&word| if word == "S" { snapshot } else { word }).collect();
        let (run, used) = ground.run_within(BOMB, &words);
        eprintln!("{used}: {size} bytes: {} → {} {}", words.join(" "), run.status, run.err);
        assert!(run.status <= 5, "{run}");
        for made in ["imported", "extracted", "converted"] {
            let _ = std::fs::remove_dir_all(ground.path(made));
        }
        run
    };
    commands.iter().map(run).collect()
}

/// A control file that counts more of the dictionary, or of the suffix.
fn control(bomb: &Bomb, at: usize, value: u64) -> Vec<u8> {
    let mut control = bomb.bytes("context/store.control");
    control[at..at + 8].copy_from_slice(&value.to_be_bytes());
    fix_checksum(&mut control);
    control
}

const DICT_END: usize = 8;
const SUFFIX_END: usize = 16;

fn index(entries: u64, original: &[u8]) -> Vec<u8> {
    [&(45 * entries + original.len() as u64 - 32).to_be_bytes(), &original[8..]].concat()
}

#[test]
fn an_honest_snapshot_is_far_below_the_limits() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(V5);
    let (run, used) = ground.run_within(BOMB, &["verify", &snapshot]);
    run.ok();
    assert!(used.rss > MIB && used.rss < 64 * MIB && used.wall > 0.0, "{used}");
}

#[test]
fn what_is_beyond_a_limit_is_seen() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(V5);
    let tight = Limits { memory: MIB, ..BOMB };
    let caught = std::panic::catch_unwind(|| ground.run_within(tight, &["verify", &snapshot]));
    assert!(caught.is_err());
}

#[test]
fn a_dictionary_of_names_of_nothing() {
    let ground = Ground::new();
    let bomb = Bomb::of(V5);
    let names = 128 * MIB / 4;
    let end = bomb.bytes("context/store.dict").len() as u64 + 4 * names;
    let control = control(&bomb, DICT_END, end);
    let bomb = bomb.go_on("context/store.dict", &[0; 4], names).put_bytes("context/store.control", control);
    let runs = defuse(&ground, &bomb.write(&ground, "dict"), &ALL);
    assert!(runs[0].text().contains("Consistent:  no"), "{}", runs[0]);
}

/// As many as are read, each with a name that is long and unlike the others.
#[test]
fn a_dictionary_that_is_full() {
    let ground = Ground::new();
    let bomb = Bomb::of(V5);
    let lead = bomb.bytes("context/store.dict");
    let names = 1_000_000;
    let make = |number: u64| [&[0, 0, 0, 24][..], format!("{number:024}").as_bytes()].concat();
    let control = control(&bomb, DICT_END, lead.len() as u64 + 28 * names);
    let dict = Content::Counted { lead, make: Box::new(make), times: names };
    let bomb = bomb.put("context/store.dict", dict).put_bytes("context/store.control", control);
    let runs = defuse(&ground, &bomb.write(&ground, "dict"), &ALL[..4]);
    assert!(runs[0].text().contains("Consistent:  yes"), "{}", runs[0]);
}

#[test]
fn a_dictionary_with_much_behind_its_end() {
    let ground = Ground::new();
    let bomb = Bomb::of(V5).go_on("context/store.dict", &[0; 1024], 200 << 10);
    let runs = defuse(&ground, &bomb.write(&ground, "dict"), &ALL[..1]);
    assert!(runs[0].text().contains("Consistent:  yes"), "{}", runs[0]);
}

#[test]
fn an_index_of_zeros() {
    for file in ["log", "log_async", "data"] {
        let ground = Ground::new();
        let bomb = Bomb::of(V5);
        let times = 256 * MIB / 45;
        let lead = index(times, &bomb.bytes("context/index/log"));
        let index = Content::Repeated { lead, unit: vec![0; 45], times };
        let bomb = bomb.put(&format!("context/index/{file}"), index);
        defuse(&ground, &bomb.write(&ground, "index"), if file == "log" { &ALL } else { &ALL[..1] });
    }
}

#[test]
fn an_index_with_the_same_commits_again_and_again() {
    let ground = Ground::new();
    let bomb = Bomb::of(V5);
    let log = bomb.bytes("context/index/log");
    let entries = ((log.len() - 32) / 45) as u64;
    let times = 1_500_000 / entries;
    let lead = index(times * entries, &log);
    let log = Content::Repeated { lead, unit: log[32..].to_vec(), times };
    let bomb = bomb.put("context/index/log", log);
    let runs = defuse(&ground, &bomb.write(&ground, "index"), &ALL);
    assert!(runs[0].text().contains("Consistent:  yes"), "{}", runs[0]);
}

/// No two alike, and still small in the file.
#[test]
fn an_index_of_commits_that_are_counted() {
    let ground = Ground::new();
    let bomb = Bomb::of(V5);
    let times = 600_000;
    let lead = index(times, &bomb.bytes("context/index/log"));
    let make = |number: u64| [&number.to_be_bytes()[..], &[7; 37]].concat();
    let bomb = bomb.put("context/index/log", Content::Counted { lead, make: Box::new(make), times });
    defuse(&ground, &bomb.write(&ground, "index"), &[ALL[0], ALL[1], ALL[2], ALL[5]]);
}

/// The hash of contents without a byte is right, so that nothing is wrong with any of them.
#[test]
fn a_suffix_of_objects_of_nothing() {
    let nothing = fixtures::unhex("81e47a19e6b29b0a65b9591762ce5143ed30d0261e5d24a3201752506b20f15c");
    for kind in *b"BRO" {
        let ground = Ground::new();
        let bomb = Bomb::of(V5);
        let object = [&nothing[..], &[kind, 0]].concat();
        let times = 256 * MIB / 34;
        let end = bomb.bytes("context/store.1.suffix").len() as u64 + 34 * times;
        let control = control(&bomb, SUFFIX_END, end);
        let bomb = bomb.go_on("context/store.1.suffix", &object, times);
        let bomb = bomb.put_bytes("context/store.control", control);
        let commands = if kind == b'B' { &ALL[..] } else { &ALL[..1] };
        let runs = defuse(&ground, &bomb.write(&ground, "suffix"), commands);
        if kind == b'B' {
            let said = runs[0].text();
            assert!(
                runs[0].status == 5
                    && said.contains("Consistent:  not checked")
                    && said.contains("limit.memory"),
                "{said}"
            );
            assert!(said.contains("bytes of memory"), "the number: {said}");
        }
    }
}

#[test]
fn a_suffix_of_zeros() {
    let ground = Ground::new();
    let bomb = Bomb::of(V5);
    let end = bomb.bytes("context/store.1.suffix").len() as u64 + 512 * MIB;
    let control = control(&bomb, SUFFIX_END, end);
    let bomb = bomb.go_on("context/store.1.suffix", &[0; 1024], 512 << 10);
    let bomb = bomb.put_bytes("context/store.control", control);
    defuse(&ground, &bomb.write(&ground, "suffix"), &ALL);
}

#[test]
fn members_without_end() {
    let ground = Ground::new();
    let bomb = Bomb::of(V5).empty_members(250_000, |number| format!("wasm_2_0_0/{number:066x}"));
    let snapshot = bomb.write(&ground, "members");
    let commands: [&[&str]; 5] = [
        &["verify", "S"],
        &["verify", "--json", "S"],
        &["info", "--full", "S"],
        &["ls", "--json", "--check", "S"],
        &["extract", "S", "metadata", "-C", "extracted"],
    ];
    defuse(&ground, &snapshot, &commands);
}

#[test]
fn files_of_the_context_without_end() {
    let ground = Ground::new();
    let bomb =
        Bomb::of(V5).empty_members(100_000, |number| format!("context/store.{}.suffix", number + 1000));
    let runs = defuse(&ground, &bomb.write(&ground, "files"), &ALL[..3]);
    assert!(runs[0].text().contains("context.unchecked"), "{}", runs[0]);
}

#[test]
fn directories_in_directories() {
    let ground = Ground::new();
    let name = |number| format!("wasm_2_0_0/{number:06}/{}b", "a/".repeat(40));
    let bomb = Bomb::of(V5).empty_members(20_000, name);
    defuse(&ground, &bomb.write(&ground, "deep"), &[&["verify", "S"], &["ls", "--check", "S"]]);
}

#[test]
fn a_pre_image_without_end() {
    let ground = Ground::new();
    let name = format!("wasm_2_0_0/00{}", "5".repeat(64));
    let large = Content::Repeated { lead: vec![], unit: vec![0; 1024], times: 512 << 10 };
    let bomb = Bomb::of(V5).put(&name, large);
    let runs = defuse(&ground, &bomb.write(&ground, "page"), &ALL[..6]);
    assert!(runs[0].text().contains("pre-image.size"), "{}", runs[0]);
    assert!(runs[5].status == 1 && runs[5].err.contains(&name), "{}", runs[5]);
}

/// The temporary copy of a store of zeros takes no space.
#[test]
fn a_store_of_zeros_stays_a_hole() {
    let ground = Ground::new();
    for (original, name) in [(V5, "store.sqlite"), (V4, "storage/messages/data")] {
        let zeros = Content::Repeated { lead: vec![], unit: vec![0; 1 << 20], times: 768 };
        let bomb = Bomb::of(original).put(name, zeros);
        defuse(&ground, &bomb.write(&ground, "store"), &ALL[..4]);
    }
}

/// And one that is no hole ends at a limit, which is said.
#[test]
fn a_store_that_is_larger_than_its_file_can_be() {
    let ground = Ground::new();
    let noise = Content::Repeated { lead: vec![], unit: b"0123456789abcdef".repeat(64), times: 512 << 10 };
    let bomb = Bomb::of(V5).put("store.sqlite", noise);
    let runs = defuse(&ground, &bomb.write(&ground, "store"), &ALL[..6]);
    for run in &runs {
        assert!(run.status == 5 && run.err.contains("[limit.space]"), "{run}");
        assert!(run.err.contains("MiB"), "the number: {run}");
    }
}

#[test]
fn metadata_without_end() {
    let ground = Ground::new();
    let bomb = Bomb::of(V5).go_on("metadata", &[b' '; 1024], 40 << 10);
    defuse(&ground, &bomb.write(&ground, "metadata"), &ALL[..6]);
}

/// Logs of a table that no collection left, with one entry for ever.
#[test]
fn logs_of_version_4() {
    for (table, entry, generations, times) in [
        ("l2_blocks", 268_u64, 1, 400_000_u64),
        ("l2_blocks", 268, 20, 20_000),
        ("inboxes", 40, 1, 6_000_000),
        ("messages", 72, 3, 700_000),
    ] {
        let ground = Ground::new();
        let mut bomb = Bomb::of(V4);
        let lead = bomb.bytes(&format!("storage/{table}/1/index/index/log"));
        for generation in 2..2 + generations {
            let lead = [&(entry * times).to_be_bytes(), &lead[8..32]].concat();
            let log = Content::Repeated { lead, unit: vec![0; entry as usize], times };
            bomb = bomb.put(&format!("storage/{table}/{generation}/index/index/log"), log);
            bomb = bomb.put_bytes(&format!("storage/{table}/{generation}/data"), vec![]);
        }
        let snapshot = bomb.write(&ground, "logs");
        let commands: [&[&str]; 4] = [
            &["verify", "S"],
            &["info", "--full", "S"],
            &["import", "S", "--data-dir", "imported"],
            &["convert", "S", "-o", "converted"],
        ];
        defuse(&ground, &snapshot, &commands);
    }
}

/// Whatever it reads, a command ends soon when it is told to.
#[test]
fn a_bomb_can_be_stopped() {
    let ground = Ground::new();
    let bomb = Bomb::of(V5);
    let times = 1024 * MIB / 45;
    let lead = index(times, &bomb.bytes("context/index/log"));
    let bomb = bomb.put("context/index/log", Content::Repeated { lead, unit: vec![0; 45], times });
    let snapshot = bomb.write(&ground, "index");
    for words in [
        &["verify", &snapshot, "--progress", "json"][..],
        &["info", "--full", &snapshot, "--progress", "json"],
        &["context", "log", &snapshot, "--progress", "json"],
        &["import", &snapshot, "--data-dir", "imported", "--progress", "json"],
    ] {
        let mut job = Running::start(words, ground.command(words));
        job.until("\"event\":\"phase\"");
        // A gibibyte of nothing takes some tenths of a second.
        std::thread::sleep(Duration::from_millis(20));
        assert!(job.runs(), "{words:?} is over before it can be stopped");
        kill_process(Pid::from_raw(job.id().try_into().unwrap()).unwrap(), Signal::TERM).unwrap();
        let told = Instant::now();
        job.end().ends(130);
        // A second on a machine that does nothing else.
        assert!(told.elapsed() < Duration::from_secs(10), "{words:?}: {:?}", told.elapsed());
        assert!(!ground.path("imported").exists());
    }
}

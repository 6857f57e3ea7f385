//! A failure is not a verdict: whatever the system keeps from being read, a check of it says "not checked" with exit
//! status 5 (or 4), and never "no".

#![cfg(all(target_os = "linux", target_env = "gnu"))]
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rollsnap_tests::cli::{Ground, Run};
use rollsnap_tests::faults::{self, Kind, Which};

const EIO: i32 = 5;
const EAGAIN: i32 = 11;
const ENOMEM: i32 = 12;
const EACCES: i32 = 13;
const EMFILE: i32 = 24;
const ENOLCK: i32 = 37;

/// Most calls of a kind that are tried, spread over all of them.
const MOST: u64 = 10;

const SNAPSHOT: &str = "data-dir/v5-full.finalized.snapshot.gz";

/// Lets one call after the other fail, and all from one on.
fn each(ground: &Ground, words: &[&str], kind: Kind, errno: i32, mut judge: impl FnMut(&Run, &str)) {
    let calls = faults::count(ground.command(words), kind);
    let step = calls.div_ceil(MOST).max(1);
    for number in (1..=calls).step_by(step as usize) {
        for which in [Which::Only(number), Which::From(number)] {
            let run = Run::of(words, faults::run(ground.command(words), kind, errno, which));
            assert!(!run.err.contains("panicked"), "{kind} {errno} {which:?}: {run}");
            judge(&run, &format!("{kind} {errno} {which:?}"));
        }
    }
}

/// A verdict is given, or what stood in its way: nobody is accused.
fn accuses_nobody(run: &Run, context: &str) {
    assert!(matches!(run.status, 0 | 4 | 5), "{context}: {run}");
    let report = run.json();
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["status"] != "no"), "{context}: {run}");
    for name in ["intact", "consistent", "anchored"] {
        assert_ne!(report["verdicts"][name], "no", "{context}: {run}");
    }
    if run.status != 0 {
        // What could not be read is named.
        let hindered =
            |code: &str| code.starts_with("io.") || code == "lock.held" || code == "source.changed";
        let open = checks.iter().filter(|check| check["status"] == "unknown");
        let named = |check: &&serde_json::Value| hindered(check["code"].as_str().unwrap());
        assert!(
            open.filter(named).any(|check| !check["text"].as_str().unwrap().is_empty()),
            "{context}: {run}"
        );
    }
}

const KINDS: [(Kind, i32); 9] = [
    ("open", EMFILE),
    ("open", EACCES),
    ("open", EIO),
    ("read", EIO),
    ("stat", EIO),
    ("list", EIO),
    ("lock", ENOLCK),
    ("map", ENOMEM),
    ("access", EIO),
];

#[test]
fn a_snapshot_is_not_accused_of_what_cannot_be_read() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(SNAPSHOT);
    for (kind, errno) in KINDS {
        each(&ground, &["verify", "--json", &snapshot], kind, errno, accuses_nobody);
    }
}

#[test]
fn a_data_directory_is_not_accused_of_what_cannot_be_read() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    for (kind, errno) in KINDS {
        each(&ground, &["verify", "--json", &data], kind, errno, accuses_nobody);
    }
}

#[test]
fn a_store_in_files_is_not_accused_of_what_cannot_be_read() {
    let ground = Ground::new();
    let data = ground.unpack("v4-full", "data");
    for (kind, errno) in KINDS {
        each(&ground, &["verify", "--json", "--context", "head", &data], kind, errno, accuses_nobody);
    }
}

/// Levels that are there and could not be read are no reason to list commits without them.
#[test]
fn no_level_is_missing_from_a_list_of_commits() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let words = ["context", "log", "--json", &data];
    let whole = ground.run(&words).ok().json()["commits"].clone();
    for (kind, errno) in [("open", EMFILE), ("read", EIO), ("stat", EIO), ("list", EIO)] {
        each(&ground, &words, kind, errno, |run, context| match run.status {
            0 => assert_eq!(run.json()["commits"], whole, "{context}: {run}"),
            status => assert!(matches!(status, 4 | 5), "{context}: {run}"),
        });
    }
}

/// With no thread at all, or one less than wanted, a command works or says so.
#[test]
fn threads_that_cannot_be_started_are_no_reason_to_hang() {
    let ground = Ground::new();
    let (snapshot, data) = (ground.snapshot(SNAPSHOT), ground.unpack("v5-full", "data"));
    let old = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    let commands: [&[&str]; 13] = [
        &["verify", &snapshot],
        &["verify", &data],
        &["verify", "--context", "head", &data],
        &["info", "--full", &snapshot],
        &["ls", "--check", &snapshot],
        &["cat", &snapshot, "metadata"],
        &["index", "-o", "made.idx", "--force", &snapshot],
        &["extract", "-C", "extracted", "--force", &snapshot],
        &["export", "--force", "--data-dir", &data, "made.snapshot"],
        &["export", "--force", "--compact", "--data-dir", &data, "made.snapshot"],
        &["import", "--no-check", &snapshot, "--data-dir", "fresh"],
        &["convert", "--force", "-o", "converted.snapshot", &old],
        &["context", "stat", "--progress", "bar", &snapshot],
    ];
    for words in commands {
        for number in 1..=12 {
            for which in [Which::Only(number), Which::From(number)] {
                let _ = std::fs::remove_dir_all(ground.path("fresh"));
                let run = in_time(ground.command(words), which);
                assert!(matches!(run.0, 0 | 5), "{words:?} {which:?}: {run:?}");
                assert!(!run.1.contains("panicked"), "{words:?} {which:?}: {run:?}");
                assert_eq!(run.0 == 5, run.1.contains("thread"), "{words:?} {which:?}: {run:?}");
            }
        }
    }
}

/// Exit status and what was said, of a command that ends within a minute.
fn in_time(mut command: Command, which: Which) -> (i32, String) {
    faults::prepare(&mut command, "thread", EAGAIN, which);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let said = thread::spawn(move || {
        let (mut text, mut rest) = (Vec::new(), Vec::new());
        err.read_to_end(&mut text).unwrap();
        out.read_to_end(&mut rest).unwrap();
        String::from_utf8_lossy(&[text, rest].concat()).into_owned()
    });
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code().unwrap_or(-1);
        }
        if begun.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            break -2;
        }
        thread::sleep(Duration::from_millis(2));
    };
    (status, said.join().unwrap())
}

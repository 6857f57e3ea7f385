//! The store kept in memory and read without a database engine: the same findings as `rollsnap verify`, which
//! has it on disk and reads version 5 with SQLite, for every good directory and snapshot and for every mutant.

#![allow(clippy::std_instead_of_alloc, reason = "a test has all of std")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rollsnap::files::FileSet;
use rollsnap::replay::StoreLevels;
use rollsnap::store::open_any;
use rollsnap_core::members::MemberKind;
use rollsnap_core::replay::{self, Blocks, Recorded};
use rollsnap_core::report::{Check, Report, Status};
use rollsnap_core::store::{DEFAULT_MAX_STORE, Opened, Rows};
use rollsnap_core::{Verdict, problem::Place};
use rollsnap_tests::cli::Ground;
use rollsnap_tests::store_v4::Dir;
use rollsnap_tests::{fixtures, gathered};
use serde_json::Value;

const DIRECTORIES: [&str; 8] = [
    "v4-archive",
    "v4-full",
    "v5-archive",
    "v5-full",
    "v5-genesis",
    "v5-old-schema",
    "v5-reorg",
    "v5-sparse",
];

/// Findings by code and level: other places are told by readers of different kinds.
pub(crate) type Findings = BTreeSet<(String, Option<i64>)>;

/// What the program says of a file or a directory, without what it says of layer 1.
fn by_the_program(ground: &Ground, target: &str) -> Value {
    let run = ground.run(&["verify", target, "--json"]);
    let mut report = run.json();
    let checks = report["checks"].as_array_mut().unwrap();
    checks.retain(|check| check["code"] != "l1.commitment");
    report
}

pub(crate) fn failing(report: &Value) -> Findings {
    let failing = report["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "no");
    failing.map(|check| (check["code"].as_str().unwrap().to_owned(), check["at"]["level"].as_i64())).collect()
}

pub(crate) fn failing_in_core(report: &Report) -> Findings {
    let level = |check: &Check| match check.at {
        Some(Place::Level(level)) => Some(level.into()),
        _ => None,
    };
    report.failures().map(|check| (check.code.as_str().to_owned(), level(check))).collect()
}

/// As if the directory were a snapshot without a header.
pub(crate) fn directory_in_core(root: &Path) -> Report {
    let mut files = Dir::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if MemberKind::of(&name).is_some() {
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    gathered::of_files(&files, DEFAULT_MAX_STORE)
}

#[test]
fn good_directories() {
    let ground = Ground::new();
    for name in DIRECTORIES {
        let root = ground.unpack(name, name);
        let expected = by_the_program(&ground, &root);
        let found = serde_json::to_value(directory_in_core(Path::new(&root))).unwrap();
        assert_eq!(found["verdicts"]["consistent"], "yes", "{name}: {:#}", found["checks"]);
        assert_eq!(found["checks"], expected["checks"], "{name}");
    }
}

#[test]
fn snapshots() {
    let ground = Ground::new();
    for snapshot in fixtures::snapshots() {
        let name = &snapshot.name;
        fs::write(ground.path("snapshot"), &snapshot.file).unwrap();
        let mut expected = by_the_program(&ground, &ground.at("snapshot"));
        for key in ["advice", "exit_status", "failures", "phases"] {
            expected.as_object_mut().unwrap().remove(key);
        }
        let found = gathered::of_snapshot(&snapshot.file, 10_007, DEFAULT_MAX_STORE).0;
        let mut told = serde_json::to_value(&found).unwrap();
        // Only where the files of the context are kept it can say more of the head's commit.
        if let Some(context) = told.get_mut("context") {
            let head = context["head"].take();
            assert!(head.is_null() || head["objects"]["count"].as_u64() > Some(1), "{name}: {head}");
        }
        assert_eq!(told, expected, "{name}");
        if name.starts_with('v') {
            assert_eq!(found.verdicts.consistent, Verdict::Yes, "{name}");
        }
    }
}

#[test]
fn mutants() {
    let mutants = fixtures::mutants();
    let of_a_store = |entry: &&Value| {
        let base = fixtures::base_of(entry);
        base.starts_with("v4") || base.starts_with("v5")
    };
    let ids = mutants.iter().filter(of_a_store).map(|entry| entry["id"].as_str().unwrap());
    let ids: Vec<&str> = ids.collect();
    let ground = Ground::new();
    ground.mutants(&ids);
    let (mut compared, mut guilty) = (0, 0);
    for id in ids {
        let data = ground.path(&format!("{id}/data"));
        let has_store = data.join("store.sqlite").is_file() || data.join("storage").is_dir();
        if has_store && !data.join("store.sqlite-wal").exists() {
            let expected = by_the_program(&ground, data.to_str().unwrap());
            let found = directory_in_core(&data);
            assert_eq!(failing_in_core(&found), failing(&expected), "{id} {:#?}", found.checks);
            compared += 1;
            guilty += usize::from(found.verdicts.consistent == Verdict::No);
        }
        let snapshot = ground.path(&format!("{id}/snapshot"));
        if snapshot.is_file() {
            let expected = by_the_program(&ground, snapshot.to_str().unwrap());
            let file = fs::read(&snapshot).unwrap();
            let (found, _) = gathered::of_snapshot(&file, 1 << 20, DEFAULT_MAX_STORE);
            assert_eq!(failing_in_core(&found), failing(&expected), "{id}");
            compared += 1;
            guilty += usize::from(found.verdicts.consistent == Verdict::No);
        }
    }
    // As many as the records have; a mutant that is no longer made would be missed.
    assert!(compared > 100 && guilty > 60, "{compared} compared, {guilty} of them with a finding");
}

#[test]
fn a_store_above_the_bound_is_left_open() {
    let snapshot = fixtures::read("data-dir/v5-archive.head.snapshot.gz");
    let (report, _) = gathered::of_snapshot(&snapshot, usize::MAX, 1000);
    assert_eq!((report.verdicts.intact, report.verdicts.consistent), (Verdict::Yes, Verdict::Unknown));
    let open = report.checks.iter().find(|check| check.status == Status::Unknown).unwrap();
    assert!(open.text.contains("at most 1000 are kept in memory"), "{}", open.text);
}

/// What a replay is told of each block, and of the data availability layer.
#[test]
fn what_a_replay_asks() {
    let ground = Ground::new();
    let mut statuses = 0;
    for name in DIRECTORIES {
        let root = ground.unpack(name, name);
        let root = Path::new(&root);
        let (by_engine, in_core) =
            (open_any(root, None).unwrap(), Opened::open(&FileSet::Directory(root.into())));
        let in_core = in_core.unwrap();
        let head = by_engine.head().unwrap().level;
        let mut expected = rollsnap::store::Records::new(&by_engine).unwrap();
        let mut found = replay::Records::new(&in_core).unwrap();
        for level in head - 30..=head + 1 {
            let told = |recorded: rollsnap_core::Result<Recorded<'_>>| match recorded {
                Ok(recorded) => format!("{recorded:?}"),
                Err(problem) => problem.code().to_string(),
            };
            assert_eq!(told(found.at(level)), told(expected.at(level)), "{name} {level}");
        }
        let levels = StoreLevels::open(root, None).unwrap();
        let protocols = replay::protocols(&in_core).unwrap();
        assert_eq!(protocols, levels.into_protocols(), "{name}");
        let Opened::Database(store) = &in_core else { continue };
        let database = rusqlite::Connection::open(root.join("store.sqlite")).unwrap();
        let mut rows =
            database.prepare("SELECT block_hash, slot_index, attested FROM dal_slots_statuses").unwrap();
        let rows = rows.query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, u8>(1)?, row.get::<_, bool>(2)?))
        });
        for row in rows.unwrap() {
            let (block, slot, attested) = row.unwrap();
            let block = block.parse().unwrap();
            assert_eq!(store.is_attested(&block, slot), Ok(Some(attested)), "{name} {block} {slot}");
            assert_eq!(store.is_attested(&block, 99), Ok(None), "{name}");
            statuses += 1;
        }
    }
    assert!(statuses > 20, "{statuses}");
}

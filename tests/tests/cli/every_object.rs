//! A bit that is flipped in an object of an older commit: import, export and conversion refuse it as `verify` does, and
//! with `--context head` they say what they did not check. Which objects the head needs, a reader in Python says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rollsnap_tests::cli::{Ground, Run};
use serde_json::Value;

/// How the note begins that names what was left out.
const LEFT_OUT: &str = "Note: not checked: the objects of ";

/// The dump of a context; `None` where the reader in Python finds something wrong.
fn dump(root: &str) -> Option<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cli/irmin.py");
    let output =
        Command::new("python3").arg(script).arg("dump").arg(Path::new(root).join("context")).output();
    let output = output.unwrap();
    let dumps: Option<Vec<Value>> =
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap());
    dumps.map(|mut dumps| dumps.remove(0))
}

/// An object that no commit but older ones need.
struct Older {
    kind: &'static str,
    hash: Vec<u8>,
    length: usize,
}

/// Two objects of each kind that the newest commit does not need, the first one and the last one. Those that opening a
/// commit reads are left out.
fn older(root: &str) -> Vec<Older> {
    let dump = dump(root).unwrap();
    let mut by_offset = BTreeMap::new();
    for commit in dump["commits"].as_array().unwrap() {
        if commit["available"] != false {
            by_offset.insert(commit["offset"].as_u64().unwrap(), commit["hash"].as_str().unwrap());
        }
    }
    let (_, head) = by_offset.pop_last().unwrap();
    let rows = |commit: &str| dump["paths"][commit].as_array().unwrap().iter();
    let needed: BTreeSet<u64> = rows(head).filter_map(|row| row["offset"].as_u64()).collect();
    let mut found = Vec::new();
    for kind in ["contents", "node"] {
        let mut others = BTreeMap::new();
        for row in by_offset.values().flat_map(|commit| rows(commit)).filter(|row| row["kind"] == kind) {
            let offset = row["offset"].as_u64().unwrap();
            if !needed.contains(&offset) && row["path"].as_array().unwrap().len() > 1 {
                others.insert(offset, row);
            }
        }
        let unhex = |row: &&Value| rollsnap_tests::fixtures::unhex(row["hash"].as_str().unwrap());
        // What is stored once.
        let alone = |row: &&&Value| places(root, &unhex(row)).len() == 1;
        assert!(others.len() > 10, "{kind}: {}", others.len());
        for row in [others.values().find(alone), others.values().rfind(alone)] {
            let (hash, length) = (unhex(row.unwrap()), row.unwrap()["length"].as_u64().unwrap() as usize);
            found.push(Older { kind, hash, length });
        }
    }
    found
}

/// Files of a data directory with objects.
fn packs(root: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(Path::new(root).join("context")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|of| of == "suffix" || of == "prefix")).collect()
}

/// Where an object with this hash is stored.
fn places(root: &str, hash: &[u8]) -> Vec<(PathBuf, usize)> {
    let mut places = Vec::new();
    for path in packs(root) {
        let bytes = fs::read(&path).unwrap();
        let here = bytes.windows(32).enumerate().filter(|(_, window)| *window == hash);
        places.extend(here.map(|(at, _)| (path.clone(), at)));
    }
    places
}

/// Flips a bit of byte `at` of the object with this hash.
fn flip(root: &str, hash: &[u8], at: usize) {
    let (path, start) = places(root, hash).remove(0);
    let mut bytes = fs::read(&path).unwrap();
    bytes[start + at] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

/// The code that a run ended with.
fn code(run: &Run) -> String {
    let line = run.err.lines().find(|line| line.starts_with("  [")).unwrap_or_else(|| panic!("{run}"));
    line.trim().trim_start_matches('[').split(']').next().unwrap().to_owned()
}

/// What `verify` says that says no to the consistency of a target: its status, and the codes.
fn refuted(ground: &Ground, target: &str) -> (i32, BTreeSet<String>) {
    let run = ground.run(&["verify", target, "--json"]);
    assert_eq!(run.json()["verdicts"]["consistent"], "no", "{run}");
    (run.status, run.json()["failures"].as_object().unwrap().keys().cloned().collect())
}

#[test]
fn a_flipped_bit_in_an_older_commit_is_refused() {
    for base in ["v5-archive", "v5-full"] {
        let sound = Ground::new();
        let objects = older(&sound.unpack(base, "sound"));
        for (number, Older { kind, hash, length }) in objects.into_iter().enumerate() {
            // Its hash, or its last byte.
            let at = if number % 2 == 0 { 5 } else { length - 1 };
            let what = format!("{base}: byte {at} of a {kind}");
            let ground = Ground::new();
            let run = |words: &[&[&str]]| ground.run(&words.concat());
            let damaged = ground.unpack(base, "damaged");
            flip(&damaged, &hash, at);
            assert!(dump(&damaged).is_none(), "{what}");
            let of = ["-d", &damaged, "--level", "head"];
            run(&[&["export", "damaged.snapshot", "--no-check"], &of]).ok();
            let (status, codes) = refuted(&ground, "damaged.snapshot");
            assert_ne!(status, 0, "{what}");
            let tree = || ground.tree().only(|name| !name.ends_with("lock"));
            let before = tree();

            let import = ["import", "damaged.snapshot", "-d", "node"];
            for words in [&import[..], &["export", "again"], &["export", "-"]] {
                let of = if words == import { &[][..] } else { &of };
                let run = run(&[words, of]).ends(status);
                assert!(codes.contains(&code(&run)), "{what}: {run}");
                assert!(run.out.is_empty(), "{what}: {run}");
                before.same_as(&tree(), &what);
            }
            for words in [&[&["export", "again"], &of[..]].concat()[..], &import] {
                let run = run(&[words, &["--context", "head"]]).ok();
                assert!(run.err.contains(LEFT_OUT), "{what}: {run}");
            }
            assert_eq!(refuted(&ground, "node"), (status, codes), "{what}");
        }
    }
}

#[test]
fn what_was_there_stays_when_a_forced_import_is_refused() {
    let ground = Ground::new();
    let old = ground.unpack("v5-full", "node");
    let damaged = ground.unpack("v5-archive", "damaged");
    let objects = older(&damaged);
    flip(&damaged, &objects[1].hash, 33);
    ground.run(&["export", "damaged.snapshot", "-d", &damaged, "--no-check", "--level", "head"]).ok();
    let before = ground.tree();
    for words in [&["--force"][..], &["--force", "--level", "2000030"]] {
        let run = ground.run(&[&["import", "damaged.snapshot", "-d", &old], words].concat());
        assert_ne!(run.status, 0, "{run}");
        before.same_as(&ground.tree(), "after a refusal");
    }
}

#[test]
fn all_of_a_sound_context_is_proved() {
    let ground = Ground::new();
    let snapshot = ground.snapshot("data-dir/v5-archive.head.snapshot.gz");
    let whole = ground.run(&["verify", &snapshot, "--json"]).ok().json();
    let run = ground.run(&["import", &snapshot, "-d", "node", "--json"]).ok();
    assert!(!run.err.contains(LEFT_OUT), "{run}");
    assert_eq!(run.json()["context"]["objects"], whole["context"]["objects"], "{run}");
    assert_eq!(run.json()["verdicts"]["consistent"], "yes", "{run}");
    let run = ground.run(&["export", "again", "-d", "node", "--level", "head", "--json"]).ok();
    assert_eq!(run.json()["context"]["objects"], whole["context"]["objects"], "{run}");
    assert_eq!(run.json()["verdicts"]["consistent"], "yes", "{run}");

    for words in [&["import", &snapshot, "-d", "other"][..], &["export", "other", "-d", "node"]] {
        for more in [&["--context", "none"][..], &["--context", "head", "--no-check"]] {
            ground.run(&[words, more].concat()).ends(2);
        }
    }
}

#[test]
fn a_conversion_proves_every_object_too() {
    let ground = Ground::new();
    let damaged = ground.unpack("v4-archive", "damaged");
    let objects = older(&damaged);
    flip(&damaged, &objects[0].hash, 33);
    ground.run(&["export", "damaged.snapshot", "-d", &damaged, "--no-check"]).ok();
    let (status, codes) = refuted(&ground, "damaged.snapshot");
    let tree = || ground.tree().only(|name| !name.ends_with("lock"));
    let before = tree();
    for words in [
        &["convert", "damaged.snapshot", "-o", "made"][..],
        &["convert", "damaged", "-o", "made"],
        &["convert", "--in-place", "damaged"],
        &["import", "damaged.snapshot", "-d", "made", "--to", "v5"],
    ] {
        let run = ground.run(words).ends(status);
        assert!(codes.contains(&code(&run)), "{run}");
        before.same_as(&tree(), "after a refusal");
    }
    let run = ground.run(&["convert", "damaged.snapshot", "-o", "made", "--context", "head"]).ok();
    assert!(run.err.contains(LEFT_OUT), "{run}");
}

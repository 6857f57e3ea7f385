//! The index of a context, made anew: against what the real library listed, as a reader in Python (`tests/cli/irmin.py`)
//! finds it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use rollsnap::context::Reindex;
use rollsnap::dir::Dir;
use rollsnap_core::feedback::{Phase, Silent};
use rollsnap_core::index::{KeyOrder, Shape, fan_out};
use rollsnap_core::{Code, Problem};
use rollsnap_tests::irmin;
use serde_json::Value;
use tempfile::TempDir;

/// Those that the reader in Python reads in a moment.
const STORES: [&str; 20] = [
    "empty",
    "tiny",
    "tiny-octez",
    "tiny-index-merged",
    "one-tiny",
    "one-tiny-more",
    "gc-nosplit",
    "one-split",
    "one-from-gc",
    "gc-last",
    "gc-boundary",
    "gc-chunk1",
    "one-split-gc",
    "split",
    "gc-twice",
    "1_no_gc",
    "3_gced",
    "5_gced_twice",
    "7_one_commit_append",
    "9_written_append",
];

fn look(dir: &Path) -> Result<Reindex, Problem> {
    Reindex::look(&Dir::open(dir)?, Phase::only("Reading context"), &mut Silent)
}

fn dump(dirs: &[&Path]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cli/irmin.py");
    let output = Command::new("python3").arg(script).arg("dump").args(dirs).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What the index lists, of the commits that can be read, and these.
fn available(dump: &Value) -> (BTreeMap<String, Value>, Vec<Value>) {
    let commits = dump["commits"].as_array().unwrap().iter();
    let there: Vec<Value> = commits.filter(|commit| commit["available"] == true).cloned().collect();
    let index = dump["index"].as_array().unwrap().iter();
    let index = index.map(|entry| (entry["hash"].as_str().unwrap().to_owned(), entry.clone()));
    let listed = |hash: &String| there.iter().any(|commit| commit["hash"] == **hash);
    (index.filter(|(hash, _)| listed(hash)).collect(), there)
}

fn sorted(mut commits: Vec<Value>) -> Vec<Value> {
    commits.sort_by_key(|commit| commit["hash"].to_string());
    commits
}

type Damage = fn(&Path);

fn edit(dir: &Path, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let path = dir.join(name);
    let Ok(mut bytes) = fs::read(&path) else { return };
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

const DAMAGES: [(&str, Damage); 9] = [
    ("no directory", |dir| fs::remove_dir_all(dir.join("index")).unwrap()),
    ("no log", |dir| fs::remove_file(dir.join("index/log")).unwrap()),
    ("an empty log", |dir| fs::write(dir.join("index/log"), "").unwrap()),
    ("a log cut in its header", |dir| edit(dir, "index/log", |log| log.truncate(31))),
    ("a log of zeros", |dir| edit(dir, "index/log", |log| log.fill(0))),
    ("a log of other bytes", |dir| edit(dir, "index/log", |log| log.fill(0xa5))),
    ("a log that says it has nothing", |dir| edit(dir, "index/log", |log| log[..8].fill(0))),
    ("a log cut in its last entry", |dir| {
        edit(dir, "index/log", |log| {
            let len = log.len() - 1;
            log.truncate(len);
        });
    }),
    ("an offset that leads elsewhere", |dir| {
        edit(dir, "index/log", |log| {
            let last = log.len() - 1;
            log[last - 12..last - 4].copy_from_slice(&0u64.to_be_bytes());
        });
    }),
];

/// Whatever happened to the index, the new one lists the commits of the old one that are still in the pack.
#[test]
fn the_new_index_lists_what_the_real_one_did() {
    let originals: Vec<TempDir> = STORES.iter().map(|name| irmin::dir(name)).collect();
    let paths: Vec<&Path> = originals.iter().map(TempDir::path).collect();
    let expected: Vec<_> = dump(&paths).iter().map(available).collect();
    let (mut dirs, mut names, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
    for (name, expected) in STORES.iter().zip(&expected) {
        for most in [usize::MAX, 0] {
            // The reader in Python takes seconds for a store that is not tiny.
            let is_tiny = name.contains("tiny") || name.starts_with(['1', 'e']);
            let damages = DAMAGES.into_iter().enumerate().filter(|(at, _)| is_tiny || [0, 5].contains(at));
            for (_, (what, damage)) in damages {
                let dir = irmin::dir(name);
                damage(dir.path());
                let had_lock = dir.path().join("index/lock").exists();
                let reindex = look(dir.path()).unwrap().merged_after(most);
                assert_eq!(reindex.commits(), expected.0.len(), "{name}: {what}");
                if reindex.judged().is_sound() {
                    // Nothing was lost: an index without entries may say that it has none, and of two for a commit one
                    // suffices.
                    assert!(
                        *name == "empty" || (fs::read(dir.path().join("index/data")).is_ok()),
                        "{name}: {what}"
                    );
                } else {
                    reindex.write(&Silent).unwrap();
                }
                let again = look(dir.path()).unwrap();
                assert!(again.judged().is_sound(), "{name}: {what}: {}", again.judged());
                assert_eq!(dir.path().join("index/lock").exists(), had_lock, "{name}: {what}");
                names.push(format!("{name}: {what}, {most}"));
                wanted.push(expected);
                dirs.push(dir);
            }
        }
    }
    let paths: Vec<&Path> = dirs.iter().map(TempDir::path).collect();
    for ((name, expected), dump) in names.iter().zip(wanted).zip(dump(&paths)) {
        let found = available(&dump);
        assert_eq!(found.0, expected.0, "{name}");
        assert_eq!(sorted(found.1), sorted(expected.1.clone()), "{name}");
    }
}

/// A sound index needs no repair, also one of which a part was collected or merged.
#[test]
fn a_sound_index_is_found_sound() {
    for name in irmin::STORES.iter().chain(irmin::UPSTREAM.iter().filter(|name| **name != "6_index_data")) {
        let dir = irmin::dir(name);
        let reindex = look(dir.path()).unwrap();
        assert!(reindex.judged().is_sound(), "{name}: {}", reindex.judged());
    }
}

/// The table of the file that the real library merged 2992 entries into.
#[test]
fn the_fan_out_is_that_of_the_real_library() {
    for (name, entries, slots) in [("6_index_data", 2992, 64), ("tiny-index-merged", 9, 1)] {
        let store = irmin::store(name);
        let data = store.get("index/data");
        let number = |at: usize| u64::from_be_bytes(data[at..at + 8].try_into().unwrap());
        let fan = number(24) as usize;
        assert_eq!((number(0) / 45, fan / 8), (entries, slots), "{name}");
        let table: Vec<u64> = (0..fan / 8).map(|slot| number(32 + slot * 8)).collect();
        let shape = Shape { key: 32, value: 13, order: KeyOrder::Bytes };
        let hashes = data[32 + fan..].chunks_exact(45).map(|entry| shape.order.hash(&entry[..32]));
        assert_eq!(fan_out(shape, entries, hashes), table, "{name}");
    }
}

/// What an index cannot help is refused by name, and nothing is written.
#[test]
fn a_damaged_pack_is_refused() {
    let refusals: [(Damage, Code); 6] = [
        (|dir| fs::remove_file(dir.join("store.control")).unwrap(), Code::ContextMissing),
        (|dir| edit(dir, "store.control", |control| control[20] ^= 1), Code::ContextControl),
        (|dir| edit(dir, "store.0.suffix", |chunk| chunk.truncate(1000)), Code::ContextFile),
        (|dir| edit(dir, "store.0.suffix", |chunk| chunk[32] = 0), Code::ContextEntry),
        // The last commit, whose length is 59 bytes.
        (
            |dir| edit(dir, "store.0.suffix", |chunk| *chunk.iter_mut().nth_back(5).unwrap() ^= 1),
            Code::ContextCommit,
        ),
        (|dir| fs::remove_file(dir.join("store.dict")).unwrap(), Code::ContextFile),
    ];
    for (damage, code) in refusals {
        let dir = irmin::dir("tiny");
        fs::remove_file(dir.path().join("index/log")).unwrap();
        damage(dir.path());
        assert_eq!(look(dir.path()).unwrap_err().code(), code);
        assert!(!dir.path().join("index/log").exists());
    }
}

/// Nothing but files is written to, and nothing is reached through a link.
#[test]
fn what_somebody_else_put_there_is_refused() {
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("log"), "precious").unwrap();
    type Plant = fn(&Path, &Path);
    let planted: [(&str, Plant); 5] = [
        ("index", |dir, outside| {
            fs::remove_dir_all(dir.join("index")).unwrap();
            symlink(outside, dir.join("index")).unwrap();
        }),
        ("index/log", |dir, outside| {
            fs::remove_file(dir.join("index/log")).unwrap();
            symlink(outside.join("log"), dir.join("index/log")).unwrap();
        }),
        ("index/log_tmp", |dir, outside| symlink(outside.join("log"), dir.join("index/log_tmp")).unwrap()),
        ("index/data", |dir, _| fs::create_dir(dir.join("index/data")).unwrap()),
        ("index/log", |dir, _| {
            fs::remove_file(dir.join("index/log")).unwrap();
            let made = Command::new("mkfifo").arg(dir.join("index/log")).status().unwrap();
            assert!(made.success());
        }),
    ];
    for (name, plant) in planted {
        let dir = irmin::dir("tiny");
        plant(dir.path(), outside.path());
        let problem = look(dir.path()).and_then(|reindex| reindex.write(&Silent)).unwrap_err();
        assert_eq!(problem.code(), Code::IoOther, "{name}");
        assert!(problem.to_string().contains(name), "{problem}");
    }
    assert_eq!(fs::read(outside.path().join("log")).unwrap(), b"precious");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

/// Leftovers of a repair that was killed do not stand in the way, and go.
#[test]
fn drafts_of_a_killed_repair_go() {
    let dir = irmin::dir("tiny");
    fs::remove_file(dir.path().join("index/log")).unwrap();
    fs::write(dir.path().join("index/log_tmp"), "half").unwrap();
    fs::write(dir.path().join("index/merge"), "half").unwrap();
    fs::write(dir.path().join("index/log_async"), "half").unwrap();
    look(dir.path()).unwrap().write(&Silent).unwrap();
    let mut names: Vec<_> =
        fs::read_dir(dir.path().join("index")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["lock", "log"]);
}

/// Entries of `data` that are out of their order are not found by a node, however many there are; and an index that is
/// larger than any is not read.
#[test]
fn what_nodes_do_not_find_is_not_taken_for_listed() {
    let damages: [(Damage, &str); 4] = [
        (|dir| edit(dir, "index/data", |data| data[40..130].rotate_left(45)), "entry"),
        (|dir| edit(dir, "index/data", |data| data.truncate(400)), "cut"),
        (|dir| edit(dir, "index/log", |log| log[23] = 0), "generation 0"),
        (
            |dir| {
                let data = fs::File::options().write(true).open(dir.join("index/data")).unwrap();
                data.set_len(1 << 40).unwrap();
            },
            "longer than any index",
        ),
    ];
    for (damage, why) in damages {
        let dir = irmin::dir("tiny-index-merged");
        damage(dir.path());
        let reindex = look(dir.path()).unwrap();
        assert!(reindex.judged().to_string().contains(why), "{why}: {}", reindex.judged());
        reindex.write(&Silent).unwrap();
        assert!(look(dir.path()).unwrap().judged().is_sound());
        assert!(!dir.path().join("index/data").exists());
    }
}

//! The real commands on small data directories, for the crash tests.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Path below the directory → content; `None` for a directory.
pub type Tree = BTreeMap<String, Option<Vec<u8>>>;

/// A kill does not ask the disk: in memory the hundreds of runs do not wait for each sync.
pub fn workplace() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// `rollsnap` with these arguments.
pub fn rollsnap(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollsnap-child"));
    command.args(args).env("NO_COLOR", "1").env_remove("ROLLSNAP_ENDPOINT");
    command
}

/// Runs it to its good end.
#[track_caller]
pub fn run_well(args: &[&str]) -> Output {
    let output = rollsnap(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", said(&output));
    output
}

/// All that a command printed.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Unpacks a data directory as `place/name`.
pub fn fixture(name: &str, place: &Path) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/data-dir");
    let archive = File::open(fixtures.join(format!("{name}.tar"))).unwrap();
    tar::Archive::new(archive).unpack(place).unwrap();
    place.join(name)
}

/// Everything below a directory; empty if there is none.
pub fn tree(root: &Path) -> Tree {
    let mut found = Tree::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        let Ok(entries) = fs::read_dir(&dir) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let is_dir = fs::symlink_metadata(&path).unwrap().is_dir();
            found.insert(name, (!is_dir).then(|| fs::read(&path).unwrap()));
            if is_dir {
                dirs.push(path);
            }
        }
    }
    found
}

/// Makes a tree that [`tree`] has seen.
pub fn plant(tree: &Tree, root: &Path) {
    fs::create_dir(root).unwrap();
    for (name, content) in tree {
        match content {
            None => fs::create_dir(root.join(name)).unwrap(),
            Some(bytes) => fs::write(root.join(name), bytes).unwrap(),
        }
    }
}

/// Two trees without the bytes: what is only in one of them, and what differs.
#[track_caller]
pub fn assert_same(found: &Tree, expected: &Tree, context: &str) {
    let names = |tree: &Tree| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{context}");
    let differ: Vec<_> = found.keys().filter(|name| found[*name] != expected[*name]).collect();
    assert!(differ.is_empty(), "{context}: {differ:?} differ");
}

/// Says something that the test harness does not keep to itself.
pub fn tell(text: std::fmt::Arguments<'_>) {
    let mut beside_the_harness = std::io::stderr().lock();
    writeln!(beside_the_harness, "{text}").unwrap();
}

/// The numbers 1 to `total`: the first ten, then every `step`th, and each one from `dense` on.
pub fn sample(total: u64, step: usize, dense: u64) -> Vec<u64> {
    let dense = dense.min(total);
    (1..10).chain((10..dense).step_by(step)).chain(dense..=total).collect()
}

//! `rollsnap import` under fire: killed or failing at its calls that change the file system, it
//! leaves the old data directory or the new one, and the next command says what it found.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

use crate::commands;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use commands::{Tree, assert_same, fixture, plant, rollsnap, run_well, said, sample, tell, tree, workplace};
use rollsnap::dir::Dir;
use rollsnap::store::reset_to_level;
use rollsnap::swap::{self, Pending};
use rollsnap_tests::crash::{self, How, was_killed};
use rusqlite::Connection;
use tempfile::TempDir;

/// The head of the old store and that of the snapshot.
const OLD_LEVEL: i32 = 2_000_020;
const NEW_LEVEL: i32 = 2_000_029;

const STAGING: &str = ".rollsnap-import";

/// A snapshot, a data directory before the import and the same one after it.
struct Ground {
    dir: TempDir,
    snapshot: PathBuf,
    /// The level of the snapshot.
    level: i32,
    /// Whether the command after a kill may be an export.
    exports: bool,
    old: Tree,
    new: Tree,
}

impl Ground {
    /// Over a populated data directory. Its store is older, with a write-ahead log that a crashed
    /// node has left; it has pre-images, settings and notes of its own.
    fn populated() -> Self {
        let (dir, snapshot) = with_snapshot();
        let old = dir.path().join("v5-full");
        reset_to_level(&Dir::open(&old).unwrap(), OLD_LEVEL).unwrap();
        fs::write(old.join("wasm_2_0_0/00own"), "a pre-image of the operator's").unwrap();
        fs::create_dir(old.join("notes")).unwrap();
        fs::write(old.join("notes/unrelated"), "kept").unwrap();
        fs::remove_file(old.join("context/store.dict")).unwrap();
        fs::write(old.join("context/store.0.prefix"), "of the old context only").unwrap();
        let node = Connection::open(old.join("store.sqlite")).unwrap();
        let written = "REPLACE INTO rollup_node_state VALUES ('last_gc_target', NULL, 7)";
        node.execute_batch(&format!("PRAGMA wal_autocheckpoint = 0; {written}")).unwrap();
        assert_ne!(fs::metadata(old.join("store.sqlite-wal")).unwrap().len(), 0);
        let before = essence(&old);
        drop(node);
        Self { dir, snapshot, level: NEW_LEVEL, exports: true, old: before, new: Tree::new() }
            .settle(|name| name == "store.sqlite-wal" || name == "context/store.0.prefix")
    }

    /// Into a data directory that does not exist.
    fn fresh() -> Self {
        let (dir, snapshot) = with_snapshot();
        Self { dir, snapshot, level: NEW_LEVEL, exports: true, old: Tree::new(), new: Tree::new() }
            .settle(|_| false)
    }

    /// Over a store of version 5, whose database goes, a snapshot of version 4, whose `storage/` comes.
    fn of_the_other_family() -> Self {
        let (dir, _) = with_snapshot();
        let old = dir.path().join("v5-full");
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/data-dir");
        let metadata = fs::read(fixture("v4-full", dir.path()).join("metadata")).unwrap();
        fs::write(old.join("metadata"), metadata).unwrap();
        let node = Connection::open(old.join("store.sqlite")).unwrap();
        node.execute("UPDATE rollup_node_state SET level = 9 WHERE name = 'l2_head'", []).unwrap();
        drop(node);
        let (snapshot, old) = (fixtures.join("v4-full.head.snapshot.gz"), essence(&old));
        Self { dir, snapshot, level: 800_029, exports: false, old, new: Tree::new() }
            .settle(|name| name == "store.sqlite" || name.starts_with("context/"))
    }

    /// Learns what an import makes of the directory; of what was there only this goes.
    fn settle(mut self, goes: impl Fn(&str) -> bool) -> Self {
        let ground = &mut self;
        let root = ground.root("undisturbed");
        let output = ground.import(&root).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        ground.new = essence(&root);
        assert!(!root.join(STAGING).exists() && ground.new != ground.old);
        let missing = ground.old.keys().filter(|name| !ground.new.contains_key(*name));
        assert_eq!(missing.filter(|name| !goes(name)).collect::<Vec<_>>(), Vec::<&String>::new());
        self
    }

    /// A data directory in the old state, if there is one.
    fn root(&self, name: &str) -> PathBuf {
        let root = self.dir.path().join(name);
        if root.exists() {
            fs::remove_dir_all(&root).unwrap();
        }
        if !self.old.is_empty() {
            plant(&self.old, &root);
        }
        root
    }

    fn import(&self, root: &Path) -> Command {
        let (snapshot, root) = (self.snapshot.to_str().unwrap(), root.to_str().unwrap());
        let mut command = rollsnap(&["import", snapshot, "--data-dir", root]);
        if !self.old.is_empty() {
            command.arg("--force");
        }
        command
    }

    /// Kills an import before or in the middle of call `n`, then runs the next command.
    fn kill(&self, n: u64, how: How, seen: &mut BTreeMap<String, u64>) {
        let root = self.root("data");
        let context = format!("{how:?} at {n}");
        assert!(was_killed(crash::run_at(self.import(&root), n, how).status), "{context}");
        let pending = swap::pending(&root).unwrap();
        let is_new = match pending {
            Some(Pending::HalfWay) => true,
            _ => self.state(&root, &context),
        };
        let context = format!("{context}, found {pending:?}");
        // An export needs data: not after a kill that left none.
        let exports = self.exports && n.is_multiple_of(3) && (is_new || !self.old.is_empty());
        let next = if exports { self.then_export(&root) } else { self.import(&root) };
        let mut next = next;
        let output = next.output().unwrap();
        let said = said(&output);
        let context = format!("{context}, then {next:?}: {said}");
        let note = match (pending, exports) {
            (Some(Pending::HalfWay), _) => "while its files were put in place: it is complete now",
            (Some(Pending::NotBegun), false) => {
                "before it changed anything: its staging directory was deleted"
            }
            (Some(Pending::Leftovers), false) => "while it cleaned up: its leftovers were deleted",
            _ => "",
        };
        assert_eq!(said.contains("An earlier import into"), !note.is_empty(), "{context}");
        assert!(said.contains(note), "{context}");
        let expect_new = is_new || !exports;
        assert_same(&essence(&root), if expect_new { &self.new } else { &self.old }, &context);
        if exports {
            assert!(output.status.success(), "{context}");
            let level = if is_new { NEW_LEVEL } else { OLD_LEVEL };
            let exported = fs::read(self.dir.path().join("exported")).unwrap();
            assert_eq!(exported[22..26], level.to_be_bytes(), "{context}");
        } else {
            let at = format!("already at level {}", self.level);
            let refused = if self.old.is_empty() { "already populated" } else { &at };
            let refusal = if self.old.is_empty() { 4 } else { 6 };
            assert_eq!(output.status.code(), Some(if is_new { refusal } else { 0 }), "{context}");
            assert_eq!(said.contains(refused), is_new, "{context}");
        }
        assert!(!root.join(STAGING).exists() || note.is_empty(), "{context}");
        *seen.entry(format!("{pending:?}, {}", if exports { "export" } else { "import" })).or_default() += 1;
    }

    /// Exactly new, or exactly old.
    fn state(&self, root: &Path, context: &str) -> bool {
        let found = essence(root);
        let is_new = found == self.new;
        if !is_new {
            assert_same(&found, &self.old, context);
        }
        is_new
    }

    fn then_export(&self, root: &Path) -> Command {
        let out = self.dir.path().join("exported");
        let words = ["--uncompressed", "--no-check", "--force", "--level", "head"];
        let mut command = rollsnap(&["export", out.to_str().unwrap(), "--data-dir", root.to_str().unwrap()]);
        command.args(words);
        command
    }
}

/// The fixture, and a snapshot of its head.
fn with_snapshot() -> (TempDir, PathBuf) {
    let dir = workplace();
    let source = fixture("v5-full", dir.path());
    let snapshot = dir.path().join("snapshot");
    let args =
        ["export", snapshot.to_str().unwrap(), "--level", "head", "--data-dir", source.to_str().unwrap()];
    run_well(&args);
    (dir, snapshot)
}

/// What counts of a data directory: not the staging directory, not lock files,
/// which are empty, and not what the database engine makes for itself: its index of the log, and an empty
/// log.
fn essence(root: &Path) -> Tree {
    let mut tree = tree(root);
    tree.retain(|name, content| {
        let empty = content.as_ref().is_some_and(Vec::is_empty);
        match name.as_str() {
            "store.sqlite-shm" => false,
            "store.sqlite-wal" | "lock" | "gc_lock" | "processing_lock" => !empty,
            name => !name.starts_with(STAGING),
        }
    });
    tree
}

#[test]
fn a_killed_import_leaves_old_or_new() {
    let ground = Ground::populated();
    let calls = crash::trace(ground.import(&ground.root("data")));
    let total = calls.len() as u64;
    assert_eq!(essence(&ground.dir.path().join("data")), ground.new, "the same import gives the same data");
    let mut seen = BTreeMap::new();
    let mut kills = 0;
    for n in 1..=total {
        ground.kill(n, How::Kill, &mut seen);
        kills += 1;
        if calls[n as usize - 1].name == "write" && n.is_multiple_of(4) {
            ground.kill(n, How::Torn, &mut seen);
            kills += 1;
        }
    }
    tell(format_args!("{kills} kills of an import over old data with {total} calls: {seen:?}"));
    assert!(kills >= 100, "{kills}");
    for state in ["NotBegun", "HalfWay", "Leftovers"] {
        for next in ["import", "export"] {
            assert!(seen.contains_key(&format!("Some({state}), {next}")), "{state} was never met: {seen:?}");
        }
    }
}

/// Without `--force`: what a killed import left must not look like somebody's data to the next.
#[test]
fn a_killed_import_into_nothing_leaves_nothing_or_all() {
    let ground = Ground::fresh();
    let calls = crash::trace(ground.import(&ground.root("data")));
    let total = calls.len() as u64;
    let dense = calls.iter().position(|call| call.name == "rename").unwrap() as u64;
    let mut seen = BTreeMap::new();
    let numbers = sample(total, 4, dense - 2);
    for n in &numbers {
        ground.kill(*n, How::Kill, &mut seen);
    }
    tell(format_args!("{} kills of an import into nothing with {total} calls: {seen:?}", numbers.len()));
    assert!(seen.contains_key("Some(HalfWay), import"), "{seen:?}");
}

/// Database out, `storage/` in: never both, never neither. What is before the first rename is that of every
/// import.
#[test]
fn a_killed_import_leaves_one_family_or_the_other() {
    let ground = Ground::of_the_other_family();
    let calls = crash::trace(ground.import(&ground.root("data")));
    let total = calls.len() as u64;
    let first = calls.iter().position(|call| call.name == "rename").unwrap() as u64;
    let mut seen = BTreeMap::new();
    for n in first..=total {
        ground.kill(n, How::Kill, &mut seen);
    }
    tell(format_args!("kills {first} to {total} of an import over the other family: {seen:?}"));
    for state in ["NotBegun", "HalfWay", "Leftovers"] {
        assert!(seen.contains_key(&format!("Some({state}), import")), "{state} was never met: {seen:?}");
    }
}

/// A call that fails: the import says no and nothing has changed, or it says yes and all has.
#[test]
fn a_failing_import_changes_nothing() {
    let ground = Ground::populated();
    let total = crash::count(ground.import(&ground.root("data")));
    let (mut no, mut yes, mut late) = (0, 0, 0);
    for (offset, errno) in [(1, 28), (2, 5)] {
        for n in (offset..=total).step_by(3) {
            let root = ground.root("data");
            let output = crash::run_at(ground.import(&root), n, How::Fail(errno));
            let context = format!("error {errno} at {n}: {}", said(&output));
            if output.status.success() {
                yes += 1;
                assert_same(&essence(&root), &ground.new, &context);
                assert!(
                    !root.join(STAGING).exists() || context.contains("could not be deleted"),
                    "{context}"
                );
            } else if context.contains("[import.unfinished]") {
                // Everything is in place; only the sync that makes it final was refused.
                late += 1;
                assert_eq!(output.status.code(), Some(4), "{context}");
                assert_same(&essence(&root), &ground.new, &context);
                let output = ground.import(&root).output().unwrap();
                assert!(said(&output).contains("it is complete now") || said(&output).contains("cleaned up"));
                assert_same(&essence(&root), &ground.new, &context);
                assert!(!root.join(STAGING).exists(), "{context}");
            } else {
                no += 1;
                assert_eq!(output.status.code(), Some(5), "{context}");
                assert_same(&essence(&root), &ground.old, &context);
                assert!(!root.join(STAGING).exists(), "{context}");
            }
        }
    }
    tell(format_args!("{no} errors refused the import, {yes} did not stop it, {late} came after it"));
    // What does not stop it is deleting what was replaced, and what the database engine does for itself.
    assert!(no >= 45 && yes > 0 && late <= 2, "{no} {yes} {late}");
}

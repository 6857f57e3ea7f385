//! The swap under fire: killed, torn or failing at every call that changes the file system, the
//! directory holds the old state or the new one, never something between.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rollsnap_tests::crash::{self, Call, How, was_killed};
use tempfile::TempDir;

/// Path → what it is and holds; `/` for a directory, `->` for a link.
type Tree = BTreeMap<String, String>;

const OLD: &[(&str, &str)] = &[
    ("config.json", "mine"),
    ("context", "/"),
    ("context/deep", "/"),
    ("context/deep/er", "/"),
    ("context/deep/er/file", "old deep"),
    ("context/link", "-> ../../elsewhere"),
    ("context/store.control", "old control"),
    ("lock", ""),
    ("notes", "/"),
    ("notes/unrelated", "kept"),
    ("storage", "/"),
    ("storage/head", "old head"),
    ("store.sqlite", "old store"),
    ("store.sqlite-wal", "old wal"),
    ("wasm_2_0_0", "/"),
    ("wasm_2_0_0/own", "own pre-image"),
    ("wasm_2_0_0/shared", "shared, old"),
];

const NEW: &[(&str, &str)] = &[
    ("config.json", "mine"),
    ("context", "/"),
    ("context/index", "/"),
    ("context/index/data", "new index"),
    ("context/store.control", "new control"),
    ("fresh", "a new entry"),
    ("lock", ""),
    ("notes", "/"),
    ("notes/unrelated", "kept"),
    ("store.sqlite", "new store"),
    ("wasm_2_0_0", "/"),
    ("wasm_2_0_0/own", "own pre-image"),
    ("wasm_2_0_0/shared", "shared, new"),
];

/// A directory in the old state, with a neighbour that a link inside points to.
struct Ground {
    dir: TempDir,
}

impl Ground {
    fn new() -> Self {
        // A kill does not ask the disk: in memory the thousand runs do not wait for each sync.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let root = dir.path().join("data");
        fs::create_dir(&root).unwrap();
        for (path, what) in OLD {
            let path = root.join(path);
            match what.strip_prefix("-> ") {
                Some(target) => symlink(target, path).unwrap(),
                None if *what == "/" => fs::create_dir(path).unwrap(),
                None => fs::write(path, what).unwrap(),
            }
        }
        fs::create_dir(dir.path().join("elsewhere")).unwrap();
        fs::write(dir.path().join("elsewhere/precious"), "untouched").unwrap();
        Self { dir }
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn command(&self, job: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_swap-child"));
        command.arg(job).arg(self.root());
        command
    }

    /// Recovery in a run without faults; the word that it says.
    fn recover(&self) -> String {
        let output = self.command("recover").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        match lines.as_slice() {
            ["Nothing"] => "Nothing".to_owned(),
            [note, word] if note.starts_with("note: An earlier import into") => (*word).to_owned(),
            _ => panic!("not one note and one word: {text}"),
        }
    }

    /// True when every name of the old state still leads to the old entry, and nothing else is
    /// there but the staging directory.
    fn is_untouched(&self) -> bool {
        let mut tree = tree(&self.root());
        tree.retain(|path, _| !path.starts_with(".rollsnap-import"));
        tree == expected(OLD)
    }

    #[track_caller]
    fn assert_is(&self, state: &[(&str, &str)], context: &str) {
        assert_eq!(tree(&self.root()), expected(state), "{context}");
        let outside = tree(&self.dir.path().join("elsewhere"));
        assert_eq!(outside, expected(&[("precious", "untouched")]), "{context}");
    }
}

fn expected(state: &[(&str, &str)]) -> Tree {
    state.iter().map(|(path, what)| ((*path).to_owned(), (*what).to_owned())).collect()
}

fn tree(root: &Path) -> Tree {
    let mut found = Tree::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            let what = if kind.is_symlink() {
                format!("-> {}", fs::read_link(&path).unwrap().display())
            } else if kind.is_dir() {
                dirs.push(path.clone());
                "/".to_owned()
            } else {
                fs::read_to_string(&path).unwrap()
            };
            found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), what);
        }
    }
    found
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn calls_of_commit() -> u64 {
    crash::count(Ground::new().command("commit"))
}

#[test]
fn an_undisturbed_commit_makes_the_new_state() {
    let ground = Ground::new();
    let output = ground.command("commit").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    ground.assert_is(NEW, "commit");
    assert_eq!(ground.recover(), "Nothing");
    ground.assert_is(NEW, "recover after commit");
}

/// Killed before every call, and in the middle of every write.
#[test]
fn a_kill_at_every_call_leaves_old_or_new() {
    let total = calls_of_commit();
    let mut seen = BTreeMap::<String, u64>::new();
    for how in [How::Kill, How::Torn] {
        let mut is_new_from = None;
        for n in 1..=total {
            let ground = Ground::new();
            assert!(was_killed(crash::run_at(ground.command("commit"), n, how).status), "call {n}");
            let untouched = ground.is_untouched();
            let word = ground.recover();
            let context = format!("{how:?} at {n} of {total}: {word}");
            ground.assert_is(if untouched { OLD } else { NEW }, &context);
            match untouched {
                true => assert_eq!(is_new_from, None, "{context}: old again after it was new"),
                false => is_new_from = is_new_from.or(Some(n)),
            }
            let words: &[&str] = if untouched {
                &["Nothing", "RolledBack", "CleanedUp"]
            } else {
                &["Finished", "CleanedUp", "Nothing"]
            };
            assert!(words.contains(&word.as_str()), "{context}");
            *seen.entry(word).or_default() += 1;
            assert_eq!(ground.recover(), "Nothing", "{context}");
        }
        assert!(is_new_from.is_some_and(|n| 1 < n && n < total), "both states were met");
    }
    for word in ["RolledBack", "Finished", "CleanedUp"] {
        assert!(seen.get(word).is_some_and(|times| *times > 1), "{word} was never met: {seen:?}");
    }
    println!("{} kills of a commit with {total} calls: {seen:?}", 2 * total);
}

/// Killed, and the recovery killed at every one of its calls too.
#[test]
fn a_kill_during_recovery_changes_nothing_of_the_outcome() {
    let total = calls_of_commit();
    let mut runs = 0;
    for n in (1..=total).step_by(3) {
        let ground = Ground::new();
        assert!(was_killed(crash::run_killed_at(ground.command("commit"), n)));
        if !ground.root().join(".rollsnap-import").exists() {
            continue;
        }
        let calls = crash::count(ground.command("recover"));
        for m in 1..=calls {
            let ground = Ground::new();
            assert!(was_killed(crash::run_killed_at(ground.command("commit"), n)));
            let state = if ground.is_untouched() { OLD } else { NEW };
            assert!(was_killed(crash::run_killed_at(ground.command("recover"), m)), "{n}, {m}");
            ground.recover();
            ground.assert_is(state, &format!("killed at {n}, recovery at {m} of {calls}"));
            assert_eq!(ground.recover(), "Nothing");
            runs += 1;
        }
    }
    println!("{runs} kills during recovery");
    assert!(runs >= 200, "{runs}");
}

/// A call that fails instead: the commit says yes and everything is new, or it says no and
/// everything is old. Never half, and without a look by recovery, unless the failure hit the
/// cleaning up.
#[test]
fn an_error_at_every_call_leaves_old_or_new() {
    let total = calls_of_commit();
    let (mut no, mut yes) = (0, 0);
    for errno in [5, 28] {
        for n in 1..=total {
            let ground = Ground::new();
            let output = crash::run_at(ground.command("commit"), n, How::Fail(errno));
            let context = format!("error {errno} at {n} of {total}: {}", said(&output));
            assert!(!was_killed(output.status), "{context}");
            let refused = !output.status.success();
            if refused && !context.contains("the next run goes on") {
                assert!(ground.is_untouched(), "{context}");
            }
            let word = ground.recover();
            let is_new = tree(&ground.root()) == expected(NEW);
            ground.assert_is(if is_new { NEW } else { OLD }, &context);
            if refused {
                no += 1;
                assert!(!is_new || context.contains("the next run goes on"), "{context}");
            } else {
                yes += 1;
                assert!(is_new, "{context}");
                assert!(word == "Nothing" || context.contains("could not be deleted"), "{context}{word}");
            }
        }
    }
    println!("{no} errors refused the commit, {yes} did not stop it");
    assert!(no > yes && yes > 0, "{no} {yes}");
}

/// Killed while a refused move is being undone: old or new all the same.
#[test]
fn a_kill_while_undoing_leaves_old_or_new() {
    let calls = crash::trace(Ground::new().command("commit"));
    let (mut runs, mut old, mut new) = (0, 0, 0);
    for (index, _) in calls.iter().enumerate().filter(|(_, call)| call.name == "rename") {
        let n = index as u64 + 1;
        for m in n + 1.. {
            let ground = Ground::new();
            let output = crash::run_at(ground.command("commit"), n, How::FailThenKill(16, m));
            if !was_killed(output.status) {
                break;
            }
            let state = if ground.is_untouched() { OLD } else { NEW };
            *(if state == OLD { &mut old } else { &mut new }) += 1;
            ground.recover();
            ground.assert_is(state, &format!("error at {n}, killed at {m}"));
            runs += 1;
        }
    }
    println!("{runs} kills while undoing: {old} old, {new} new");
    assert!(runs >= 100 && old > 0 && new > 0, "{runs} {old} {new}");
}

#[test]
fn a_refusal_in_the_middle_is_undone() {
    let ground = Ground::new();
    // The last rename into place is refused; everything before it must come back.
    let calls = crash::trace(Ground::new().command("commit"));
    let last_in = calls
        .iter()
        .rposition(|call| call.name == "rename" && call.paths[0].contains("/.rollsnap-import/new/"))
        .unwrap() as u64
        + 1;
    let output = crash::run_at(ground.command("commit"), last_in, How::Fail(16));
    assert!(said(&output).contains("is it a mount point?"), "{}", said(&output));
    assert!(!output.status.success());
    ground.assert_is(OLD, "undone without recovery");
    assert_eq!(ground.recover(), "Nothing");
}

/// What the journal speaks of is on disk before the journal is; nothing is deleted before the
/// marker is; the renames are durable before either.
#[test]
fn everything_is_synced_in_the_documented_order() {
    // In memory, which is synced at once; and where nothing is known about the file system.
    for plain in [false, true] {
        synced_in_order(plain);
    }
}

fn synced_in_order(plain: bool) {
    let ground = Ground::new();
    let root = ground.root();
    let root = root.to_str().unwrap();
    let mut command = ground.command("commit");
    if plain {
        command.env("CRASH_PLAIN_FS", "1");
    }
    let calls = crash::trace(command);
    let at_once = calls.iter().any(|call| call.name == "syncfs");
    assert!(if plain { !at_once } else { at_once || !root.starts_with("/dev/shm") });
    let home = format!("{root}/.rollsnap-import");
    let at = |name: &str, paths: &[&str]| -> usize {
        let call = Call { name: name.into(), paths: paths.iter().map(|path| (*path).to_owned()).collect() };
        calls.iter().position(|other| *other == call).unwrap_or_else(|| panic!("no {call:?}"))
    };
    let synced_between = |path: &str, from: usize, to: usize| {
        let syncs = |call: &Call| match &*call.name {
            "sync" => call.paths[0] == path,
            "syncfs" => path.starts_with(&call.paths[0]),
            _ => false,
        };
        assert!(calls[from..to].iter().any(syncs), "{path} is not synced between call {from} and {to}");
    };
    let journal = at("rename", &[&format!("{home}/journal.tmp"), &format!("{home}/journal")]);
    let done = at("rename", &[&format!("{home}/journal"), &format!("{home}/done")]);

    for file in ["context/store.control", "context/index/data", "store.sqlite", "fresh", "wasm_2_0_0/shared"]
    {
        let path = format!("{home}/new/{file}");
        let written = calls.iter().rposition(|call| call.name == "write" && call.paths[0] == path).unwrap();
        synced_between(&path, written, journal);
    }
    let linked = at("link", &[&format!("{root}/wasm_2_0_0/own"), &format!("{home}/new/wasm_2_0_0/own")]);
    for dir in ["new/wasm_2_0_0", "new/context", "new/context/index", "new"] {
        synced_between(&format!("{home}/{dir}"), linked, journal);
    }
    let drafted = calls.iter().rposition(|call| call.name == "write").unwrap();
    assert_eq!(calls[drafted].paths, [format!("{home}/journal.tmp")]);
    synced_between(&format!("{home}/journal.tmp"), drafted, journal);
    synced_between(&home, drafted, journal);
    synced_between(root, drafted, journal);

    let moves = |from: &str| -> Vec<usize> {
        let is_move = |call: &Call| {
            call.name == "rename" && Path::new(&call.paths[0]).parent() == Some(Path::new(from))
        };
        (0..calls.len()).filter(|index| is_move(&calls[*index])).collect()
    };
    let out = moves(root);
    let into = moves(&format!("{home}/new"));
    assert_eq!((out.len(), into.len()), (5, 4), "five old entries leave, four new ones come");
    synced_between(&home, journal, out[0]);
    synced_between(&format!("{home}/old"), out[4], into[0]);
    synced_between(root, out[4], into[0]);
    synced_between(root, into[3], done);
    let deleted = |call: &Call| call.name == "unlink" || call.name == "rmdir";
    let first_deleted = calls.iter().position(deleted).unwrap();
    synced_between(&home, done, first_deleted);
    let marker = at("unlink", &[&format!("{home}/done")]);
    let old = at("rmdir", &[&format!("{home}/old")]);
    synced_between(&home, old, marker);
    assert_eq!(calls.last().unwrap().paths, [root], "and the root last of all");
}

/// The library itself: a fault hits the call that was named, and no other.
#[test]
fn the_fault_hits_the_named_call() {
    let calls = crash::trace(Ground::new().command("commit"));
    assert_eq!(calls.len() as u64, calls_of_commit());
    let n = calls.iter().position(|call| call.name == "write").unwrap() as u64 + 1;
    let staged = |ground: &Ground| ground.root().join(".rollsnap-import/new/context/store.control");

    let ground = Ground::new();
    crash::run_killed_at(ground.command("commit"), n);
    assert_eq!(fs::read_to_string(staged(&ground)).unwrap(), "");
    let ground = Ground::new();
    crash::run_at(ground.command("commit"), n, How::Torn);
    assert_eq!(fs::read_to_string(staged(&ground)).unwrap(), "new c");
    let ground = Ground::new();
    crash::run_killed_at(ground.command("commit"), n + 1);
    assert_eq!(fs::read_to_string(staged(&ground)).unwrap(), "new control");
    let ground = Ground::new();
    assert!(crash::run_at(ground.command("commit"), calls.len() as u64 + 1, How::Kill).status.success());
}

/// The staging directory is nobody else's to read, and the taken over pre-image is the same file.
#[test]
fn staging_is_private_and_pre_images_are_linked() {
    let calls = crash::trace(Ground::new().command("commit"));
    let journal = calls.iter().position(|call| call.name == "rename").unwrap() as u64 + 1;
    let ground = Ground::new();
    crash::run_killed_at(ground.command("commit"), journal);
    let home = ground.root().join(".rollsnap-import");
    assert_eq!(fs::metadata(&home).unwrap().permissions().mode() & 0o777, 0o700);
    let inode = |path: PathBuf| fs::metadata(path).unwrap().ino();
    assert_eq!(inode(home.join("new/wasm_2_0_0/own")), inode(ground.root().join("wasm_2_0_0/own")));
}

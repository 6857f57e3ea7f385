//! Commits added to contexts: against what the real library wrote when it added the same ones, as a reader in Python
//! (`tests/cli/irmin.py`) sees them, and under fire.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use rollsnap::context::{ContextWriter, Flushing};
use rollsnap::dir::Dir;
use rollsnap_core::context::edit::{Node, ObjectStore, Tree};
use rollsnap_core::context::pack::{Control, MAX_DICT_STEPS, Status, hashing};
use rollsnap_core::context::{Context, State};
use rollsnap_core::feedback::Silent;
use rollsnap_core::hash::ContextHash;
use rollsnap_core::{Code, Problem, ReadAt};
use rollsnap_tests::appended::{self, COMMITS};
use rollsnap_tests::irmin::{self, Store};
use serde_json::Value;
use tempfile::TempDir;

fn open(dir: &Path, flushing: Flushing) -> Result<ContextWriter, Problem> {
    ContextWriter::open(&Dir::open(dir).unwrap(), flushing)
}

fn refusal(dir: &Path) -> Problem {
    open(dir, Flushing::ALWAYS).expect_err("it is refused")
}

/// What the reader in Python finds; it checks every hash and every shape.
fn dump(dirs: &[&Path]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cli/irmin.py");
    let output = Command::new("python3").arg(script).arg("dump").args(dirs).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn files(dir: &Path) -> Store {
    let mut store = Store::default();
    for (below, prefix) in [(dir.to_path_buf(), ""), (dir.join("index"), "index/")] {
        for entry in fs::read_dir(below).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
                *store.edit(&name) = fs::read(entry.path()).unwrap();
            }
        }
    }
    store
}

/// Makes one tree of another with as few changes as there are.
fn transfer(into: &mut Tree, from: &Tree, path: &[Vec<u8>]) {
    let names = |tree: &Tree| -> Vec<Vec<u8>> {
        let listing = tree.list(path, 0, u64::MAX).unwrap();
        listing.map_or(vec![], |listing| listing.entries.iter().map(|(name, _)| name.to_vec()).collect())
    };
    let wanted = names(from);
    for name in names(into).into_iter().filter(|name| !wanted.contains(name)) {
        into.remove(&[path, &[name]].concat()).unwrap();
    }
    for name in wanted {
        let below = [path, &[name]].concat();
        match from.get(&below).unwrap().unwrap() {
            Node::Value(bytes) if into.find(&below).unwrap().as_ref() != Some(&bytes) => {
                into.add(&below, bytes).unwrap()
            }
            Node::Value(_) => {}
            Node::Directory(tree) if into.hash_of(&below).unwrap() == Some(tree.hash().unwrap()) => {}
            Node::Directory(_) => transfer(into, from, &below),
        }
    }
}

/// The commits of a context that can be read, in the order of their offsets: hash, author, root.
fn commits(store: Store) -> Vec<(ContextHash, Vec<u8>, Tree)> {
    let context = Context::open(store.clone()).unwrap();
    let objects = ObjectStore::checked(Context::open(store).unwrap());
    let listed = context.commits(&Silent).unwrap().map(Result::unwrap);
    let read = listed.filter_map(|listed| listed.available().cloned());
    read.map(|commit| (commit.hash, commit.author, Tree::load(&objects, commit.root))).collect()
}

/// Adds commits to a directory, the tree of each taken from elsewhere.
fn add(dir: &Path, wanted: &[(ContextHash, Vec<u8>, Tree)]) {
    let mut writer = open(dir, Flushing::default()).unwrap();
    let (_, last) = writer.context().commits(&Silent).unwrap().fold((0, None), |(count, last), listed| {
        let available = listed.unwrap().available().cloned();
        (count + 1, available.or(last))
    });
    let mut root = Tree::load(writer.store(), last.unwrap().root);
    for (hash, author, tree) in wanted {
        transfer(&mut root, tree, &[]);
        writer.commit_root(&root, author, hash).unwrap();
        root.commit().unwrap();
    }
    assert_eq!(writer.pending(), wanted.len());
    writer.close().unwrap();
}

/// Kind, hash and length of every entry.
fn entries(bytes: &[u8]) -> Vec<(u8, Vec<u8>, usize)> {
    let entry = |entry: &irmin::Entry| {
        (bytes[entry.start + 32], bytes[entry.start..entry.start + 32].to_vec(), entry.end - entry.start)
    };
    irmin::entries(bytes).iter().map(entry).collect()
}

/// The real library wrote these commits to the same context. Ours has the same objects, of the same lengths; control
/// file and dictionary are the same byte for byte; and so is the log but for the offsets.
#[test]
fn the_same_commits_as_the_real_library_adds() {
    for (from, to) in [("one-tiny", "one-tiny-more"), ("4_one_commit", "7_one_commit_append")] {
        let (before, after) = (irmin::store(from), irmin::store(to));
        let dir = before.to_dir();
        let wanted = commits(after.clone());
        add(dir.path(), &wanted[1..]);
        let found = files(dir.path());
        let chunk = after.0.keys().rfind(|name| name.ends_with(".suffix")).unwrap();
        let sorted = |store: &Store| {
            let mut entries = entries(store.get(chunk));
            entries.sort();
            entries
        };
        assert_eq!(sorted(&found), sorted(&after), "{to}");
        for name in ["store.control", "store.dict", "store.branches"] {
            assert_eq!(found.get(name), after.get(name), "{to}: {name}");
        }
        let hashes = |store: &Store| -> Vec<Vec<u8>> {
            let log = store.get("index/log");
            log[32..].chunks(45).map(|entry| [&entry[..32], &entry[40..]].concat()).collect()
        };
        assert_eq!(hashes(&found), hashes(&after), "{to}");
        assert_eq!(found.get("index/log")[..32], after.get("index/log")[..32], "{to}");
    }
}

/// To contexts that the real library wrote, whatever became of them: never collected, split, collected once and
/// twice, exported, with a merged index.
#[test]
fn contexts_of_all_kinds_take_more_commits() {
    // Not all of them: the reader in Python takes a minute for the one of medium size.
    let names = [
        "tiny",
        "tiny-index-merged",
        "one-tiny-more",
        "one-from-gc",
        "split",
        "gc-nosplit",
        "gc-boundary",
        "gc-last",
        "gc-twice",
        "one-split-gc",
        "1_no_gc",
        "3_gced",
    ];
    let dirs: Vec<TempDir> = names.iter().map(|name| irmin::dir(name)).collect();
    let mut added = Vec::new();
    for (name, dir) in names.iter().zip(&dirs) {
        let mut root = commits(irmin::store(name)).pop().unwrap().2;
        let wanted: Vec<_> = (0..3u32)
            .map(|number| {
                root.add(&["pvm_state".to_owned(), format!("number-{number}")], number.to_be_bytes())
                    .unwrap();
                root.remove(&["pvm_state", "durable", "kernel"]).unwrap();
                let hash = hashing::commit(&root.hash().unwrap(), 0, b"Mavryk", b"");
                (ContextHash::new(hash), b"Mavryk".to_vec(), root.clone())
            })
            .collect();
        add(dir.path(), &wanted);
        added.push(wanted);
    }
    let paths: Vec<&Path> = dirs.iter().map(TempDir::path).collect();
    for (((name, wanted), dir), dump) in names.iter().zip(added).zip(&dirs).zip(dump(&paths)) {
        let before = Context::open(irmin::store(name)).unwrap();
        let was = before.control();
        let now = *Context::open(files(dir.path())).unwrap().control();
        assert_eq!(
            (now.first_chunk, now.chunks, now.status),
            (was.first_chunk, was.chunks, was.status),
            "{name}"
        );
        let readable = |dump: &Value| -> Vec<String> {
            let commits = dump["commits"].as_array().unwrap().iter();
            let there = commits.filter(|commit| commit["available"] == true);
            there.map(|commit| commit["hash"].as_str().unwrap().to_owned()).collect()
        };
        let mut all = commits(irmin::store(name));
        all.extend(wanted);
        let mut all: Vec<String> =
            all.iter().map(|(hash, ..)| rollsnap_tests::fixtures::hex(hash.as_bytes())).collect();
        let mut found = readable(&dump);
        all.sort();
        found.sort();
        assert_eq!(found, all, "{name}");
    }
}

#[test]
fn a_commit_with_another_hash_is_not_added() {
    let dir = TempDir::new().unwrap();
    appended::begin(dir.path());
    let before = files(dir.path());
    let mut writer = open(dir.path(), Flushing::ALWAYS).unwrap();
    let (mut state, _) = writer.state(&appended::expected(0), &Silent).unwrap();
    appended::change(&mut state, 1).unwrap();
    let problem = writer.commit_state(&state, b"Mavryk", &appended::expected(1)).unwrap_err();
    assert_eq!(problem.code(), Code::ContextCommit);
    assert!(problem.to_string().contains(&appended::expected(1).to_string()), "{problem}");
    assert_eq!(writer.pending(), 0);
    // It goes on as if nothing had been.
    writer.commit_state(&state, appended::AUTHOR, &appended::expected(1)).unwrap();
    writer.close().unwrap();
    assert_ne!(files(dir.path()).get("store.control"), before.get("store.control"));
    assert_eq!(dump(&[dir.path()])[0]["commits"].as_array().unwrap().len(), 2);
    // And nothing was changed where nothing is added.
    let dir = TempDir::new().unwrap();
    appended::begin(dir.path());
    let mut writer = open(dir.path(), Flushing::ALWAYS).unwrap();
    let (state, _) = writer.state(&appended::expected(0), &Silent).unwrap();
    writer.commit_state(&state, appended::AUTHOR, &appended::expected(3)).unwrap_err();
    writer.close().unwrap();
    assert_eq!(files(dir.path()).0, before.0);
}

/// All of them are there, and nothing but them.
fn check_complete(dir: &Path) {
    let found = commits(files(dir));
    let hashes: Vec<ContextHash> = found.iter().map(|(hash, ..)| *hash).collect();
    assert_eq!(hashes, (0..COMMITS).map(appended::expected).collect::<Vec<_>>());
}

fn lengths(store: &Store) -> BTreeMap<&str, u64> {
    store.0.iter().map(|(name, bytes)| (&**name, bytes.len())).collect()
}

#[test]
fn what_crashes_leave_is_overwritten() {
    let clean = TempDir::new().unwrap();
    appended::begin(clean.path());
    assert_eq!(appended::go_on(clean.path(), 3).unwrap(), 1);
    check_complete(clean.path());
    let clean = files(clean.path());
    for name in
        ["store.1.suffix", "store.dict", "index/log", "store.control.tmp", "store.0.prefix", "store.2.suffix"]
    {
        for len in [1, 100_000] {
            let dir = TempDir::new().unwrap();
            appended::begin(dir.path());
            let path = dir.path().join(name);
            let bytes = [fs::read(&path).unwrap_or_default(), vec![0xa5; len]].concat();
            fs::write(&path, bytes).unwrap();
            appended::go_on(dir.path(), 3).unwrap();
            check_complete(dir.path());
            let found = files(dir.path());
            if ["store.1.suffix", "store.dict", "store.control.tmp"].contains(&name) {
                assert_eq!(lengths(&found), lengths(&clean), "{name}");
            }
            for same in ["store.1.suffix", "store.dict", "store.control"] {
                assert_eq!(found.get(same), clean.get(same), "{name}: {same}");
            }
        }
    }
}

/// The library writes to a second log while it merges the first one; a merged index may have no log at all.
#[test]
fn an_index_in_the_middle_of_a_merge() {
    let dir = TempDir::new().unwrap();
    appended::begin(dir.path());
    let index = dir.path().join("index");
    fs::rename(index.join("log"), index.join("log_async")).unwrap();
    appended::go_on(dir.path(), 3).unwrap();
    check_complete(dir.path());
    assert!(!index.join("log_async").exists());
    // `data` has a generation, which a new log takes over.
    let store = irmin::store("tiny-index-merged");
    let dir = store.to_dir();
    let index = dir.path().join("index");
    let data = fs::read(index.join("data")).unwrap();
    assert!(
        fs::read(index.join("log")).unwrap()[..32] == *store.get("index/log").first_chunk::<32>().unwrap()
    );
    fs::remove_file(index.join("log")).unwrap();
    let there = commits(files(dir.path()));
    let (_, _, mut root) = there.last().unwrap().clone();
    root.add(&["pvm_state", "new"], *b"1").unwrap();
    let hash = ContextHash::new(hashing::commit(&root.hash().unwrap(), 0, b"Mavryk", b""));
    add(dir.path(), &[(hash, b"Mavryk".to_vec(), root)]);
    let log = fs::read(index.join("log")).unwrap();
    assert_eq!((log.len(), &log[16..24]), (32 + 45, &data[16..24]));
    assert_eq!(commits(files(dir.path())).len(), there.len() + 1);
}

/// Control files of version 3 and 4 are read, and become version 5, as the library does it.
#[test]
fn an_old_control_file_is_upgraded() {
    let dir = irmin::dir("1_no_gc");
    let control = dir.path().join("store.control");
    let was = Control::parse(&fs::read(&control).unwrap()).unwrap();
    assert_eq!(was.status, Status::NoGcYet);
    let mut old = b"00000003".to_vec();
    old.extend(was.dict_end.to_be_bytes());
    old.extend(was.last_chunk_end.to_be_bytes());
    old.push(1);
    fs::write(&control, old).unwrap();
    let (_, author, mut root) = commits(files(dir.path())).pop().unwrap();
    root.add(&["pvm_state", "new"], *b"1").unwrap();
    let hash = ContextHash::new(hashing::commit(&root.hash().unwrap(), 0, &author, b""));
    add(dir.path(), &[(hash, author, root)]);
    let now = Control::parse(&fs::read(&control).unwrap()).unwrap();
    assert_eq!((now.version, now.upgraded_from, now.status), (5, Some(3), Status::NoGcYet));
    assert_eq!(commits(files(dir.path())).len(), 3);
    // A store that indexes everything stays one.
    let dir = irmin::dir("1_no_gc");
    let always = Control { status: Status::NonMinimal, ..was };
    fs::write(dir.path().join("store.control"), always.to_bytes()).unwrap();
    let (_, author, mut root) = commits(files(dir.path())).pop().unwrap();
    root.add(&["pvm_state", "new"], *b"1").unwrap();
    let hash = ContextHash::new(hashing::commit(&root.hash().unwrap(), 0, &author, b""));
    add(dir.path(), &[(hash, author, root)]);
    assert_eq!(dump(&[dir.path()])[0]["control"]["status"], "Used_non_minimal_indexing_strategy");
}

/// The dictionary is full with 100,001 names; others stand in the directories.
#[test]
fn a_full_dictionary_takes_no_more() {
    let dir = TempDir::new().unwrap();
    appended::begin(dir.path());
    let mut writer = open(dir.path(), Flushing::default()).unwrap();
    let (mut state, _) = writer.state(&appended::expected(0), &Silent).unwrap();
    for number in 0..MAX_DICT_STEPS + 50 {
        state.add(&["many".to_owned(), format!("name-{number}")], *b"x").unwrap();
    }
    let mut root = Tree::new();
    root.add_tree(&["pvm_state"], state.clone()).unwrap();
    let hash = ContextHash::new(hashing::commit(&root.hash().unwrap(), 0, b"Tezos", b""));
    writer.commit_state(&state, b"Tezos", &hash).unwrap();
    writer.flush().unwrap();
    state.shrink(writer.store(), 0);
    assert_eq!(
        state.find(&["many", &format!("name-{}", MAX_DICT_STEPS + 49)]).unwrap().as_deref(),
        Some(&b"x"[..])
    );
    writer.close().unwrap();
    let context = Context::open(files(dir.path())).unwrap();
    assert_eq!(context.dict().len(), MAX_DICT_STEPS);
    let commit = context.checkout(&hash, &Silent).unwrap();
    assert!(context.tree(&commit).unwrap().walk().all(|object| object.is_ok()));
}

#[test]
fn what_is_no_file_of_ours_is_not_written_to() {
    let fresh = || {
        let dir = TempDir::new().unwrap();
        appended::begin(dir.path());
        dir
    };
    let outside = TempDir::new().unwrap();
    for name in
        ["store.1.suffix", "store.dict", "store.control", "index/log", "index/lock", "store.control.tmp"]
    {
        let dir = fresh();
        let target = outside.path().join("precious");
        let path = dir.path().join(name);
        let bytes = fs::read(&path).unwrap_or_default();
        fs::write(&target, &bytes).unwrap();
        let _ = fs::remove_file(&path);
        symlink(&target, &path).unwrap();
        let problem = refusal(dir.path());
        assert_eq!(problem.code(), Code::IoOther, "{name}");
        assert!(problem.to_string().contains("it is a symbolic link"), "{problem}");
        assert_eq!(fs::read(&target).unwrap(), bytes);
    }
    for name in ["store.1.suffix", "store.dict", "index/log"] {
        let dir = fresh();
        fs::hard_link(dir.path().join(name), dir.path().join("other")).unwrap();
        let problem = refusal(dir.path());
        assert!(problem.to_string().contains("it has 2 names"), "{problem}");
    }
    let dir = fresh();
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    assert_eq!(refusal(dir.path()).code(), Code::ContextFile);
    let dir = fresh();
    fs::remove_file(dir.path().join("store.control")).unwrap();
    assert_eq!(refusal(dir.path()).code(), Code::ContextMissing);
    for (name, code) in [
        ("store.control", Code::ContextControl),
        ("store.dict", Code::ContextDict),
        ("index/log", Code::ContextIndex),
        ("store.1.mapping", Code::ContextMapping),
    ] {
        let dir = fresh();
        let path = dir.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        bytes[12..].fill(0xff);
        fs::write(&path, bytes).unwrap();
        assert_eq!(refusal(dir.path()).code(), code, "{name}");
    }
}

/// Killed, torn or without space at every call that changes the file system: the context opens, holds the commits up to
/// one of the flushes, and goes on to the same end.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn a_crash_leaves_the_commits_up_to_a_flush() {
    use rollsnap_tests::crash::{self, How, was_killed};

    let ground = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let mut number = 0;
    let mut fresh = || {
        number += 1;
        let dir = ground.path().join(number.to_string());
        appended::begin(&dir);
        // Something that a crash before has left.
        fs::write(dir.join("store.control.tmp"), "left").unwrap();
        dir
    };
    let child = |dir: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_append-child"));
        command.arg(dir);
        command
    };
    let calls = crash::trace(child(&fresh()));
    let renames = calls.iter().filter(|call| call.name == "rename").count();
    assert_eq!(renames, 3, "three flushes: {calls:?}");
    let mut states: BTreeMap<u32, u32> = BTreeMap::new();
    let mut judged = Vec::new();
    for n in 1..=calls.len() as u64 {
        for how in [How::Kill, How::Torn, How::Fail(28), How::Fail(5)] {
            let dir = fresh();
            let output = crash::run_at(child(&dir), n, how);
            match how {
                How::Kill | How::Torn => assert!(was_killed(output.status), "call {n}: {output:?}"),
                // Cleaning up fails without a word.
                _ => assert!(output.status.code().is_some(), "call {n}: {output:?}"),
            }
            let found = commits(files(&dir));
            let hashes: Vec<ContextHash> = found.iter().map(|(hash, ..)| *hash).collect();
            let wanted: Vec<_> = (0..found.len() as u32).map(appended::expected).collect();
            assert_eq!(hashes, wanted, "call {n}, {how:?}");
            assert!([1, 4, 7, 8].contains(&found.len()), "call {n}, {how:?}: {}", found.len());
            let context = Context::open(files(&dir)).unwrap();
            assert!(
                context
                    .commits(&Silent)
                    .unwrap()
                    .all(|listed| matches!(listed.unwrap().state, State::Available(_)))
            );
            *states.entry(found.len() as u32).or_default() += 1;
            assert_eq!(appended::go_on(&dir, 3).unwrap() as usize, found.len());
            check_complete(&dir);
            judged.push(dir);
        }
    }
    assert!(states.len() == 4, "{states:?}");
    let paths: Vec<&Path> = judged.iter().map(|dir| &**dir).collect();
    assert_eq!(dump(&paths).len(), judged.len());
    // Nothing but what is needed goes into a flush.
    assert!(judged.len() > 100, "{}", judged.len());
}

/// Many small commits: what is kept of them in memory.
#[test]
fn many_commits_take_little_memory() {
    let dir = TempDir::new().unwrap();
    appended::begin(dir.path());
    let mut writer = open(dir.path(), Flushing::default()).unwrap();
    let (mut state, _) = writer.state(&appended::expected(0), &Silent).unwrap();
    let mut in_memory = 0;
    for number in 0..3000u32 {
        state.add(&["tick"], number.to_be_bytes()).unwrap();
        state.add(&["outboxes".to_owned(), number.to_string(), "length".to_owned()], [0]).unwrap();
        let mut root = Tree::new();
        root.add_tree(&["pvm_state"], state.clone()).unwrap();
        let hash = ContextHash::new(hashing::commit(&root.hash().unwrap(), 0, b"Tezos", b""));
        drop(root);
        writer.commit_state(&state, b"Tezos", &hash).unwrap();
        state.commit().unwrap();
        state.shrink(writer.store(), 1 << 20);
        in_memory = in_memory.max(writer.store().loaded());
    }
    writer.close().unwrap();
    assert!(in_memory < 2 << 20, "{in_memory}");
    assert_eq!(commits(files(dir.path())).len(), 3001);
}

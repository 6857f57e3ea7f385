//! The data directory: its locks against those of another program, and the files of a snapshot.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by them")]

mod common;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use common::{Fixture, names, staged};
use rollsnap::data_dir::{DataDir, Listing, Lock, Name, PvmKind, SourceFile, Top, metadata};
use rollsnap_core::feedback::{Feedback, Phase, Silent};
use rollsnap_core::{Code, Problem};

/// Takes a lock as the nodes do and lets it go when told to.
struct Holder(Child);

impl Holder {
    /// `None` if the lock is held by somebody else.
    fn new(path: &Path) -> Option<Self> {
        const SCRIPT: &str = "
import fcntl, sys
f = open(sys.argv[1], 'r+b')
try:
    fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    print('held', flush=True)
    sys.exit()
print('taken', flush=True)
sys.stdin.readline()
";
        let mut child = Command::new("python3")
            .args(["-c", SCRIPT])
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let holder = Self(child);
        match line.trim() {
            "taken" => Some(holder),
            "held" => None,
            other => panic!("{other:?}"),
        }
    }

    fn release(mut self) {
        self.0.stdin.take().unwrap().write_all(b"\n").unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[derive(Clone, Default)]
struct Listener {
    notes: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
}

impl Feedback for Listener {
    fn phase(&mut self, _: Phase) {}
    fn advance(&mut self, _: u64) {}
    fn note(&mut self, text: &str) {
        self.notes.lock().unwrap().push(text.into());
    }
    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

#[test]
fn the_lock_of_a_running_node_is_respected() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    fs::write(&path, b"4711").unwrap();
    let node = Holder::new(&path).unwrap();
    let problem = Lock::try_node(dir.path()).unwrap_err();
    assert_eq!(problem.code(), Code::LockHeld);
    let text = format!(
        "Could not acquire lock on data directory, another rollup node may already be running with \
         this data. If this is not the case, consider removing manually the file \"{}\"",
        path.display()
    );
    assert_eq!(problem.title(), text);
    assert!(problem.cause().is_some_and(|cause| cause.contains("(python3")), "{problem}");
    node.release();
    let lock = Lock::try_node(dir.path()).unwrap();
    assert!(Holder::new(&path).is_none(), "we hold it");
    lock.discard().unwrap();
    assert!(Holder::new(&path).is_some());
    assert_eq!(fs::read(&path).unwrap(), b"4711", "neither truncated nor removed");
}

#[test]
fn a_lock_file_of_our_own_can_be_discarded() {
    let dir = tempfile::tempdir().unwrap();
    let lock = Lock::try_node(dir.path()).unwrap();
    let mode = lock.path().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777 & !0o644, 0);
    assert!(Holder::new(lock.path()).is_none());
    lock.discard().unwrap();
    assert_eq!(names(dir.path()), [""; 0]);
    let lock = Lock::try_node(dir.path()).unwrap();
    drop(lock);
    assert_eq!(names(dir.path()), ["lock"], "only discarding removes it");
    let missing = Lock::try_node(&dir.path().join("none")).unwrap_err();
    assert_eq!(missing.code(), Code::IoNotFound);
}

#[test]
fn an_export_waits_for_the_node() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("processing_lock");
    fs::write(&path, b"").unwrap();
    let node = Holder::new(&path).unwrap();
    let listener = Listener::default();
    let mut feedback = listener.clone();
    let root = dir.path().to_owned();
    let waiting = thread::spawn(move || Lock::wait(&root, Name::Processing, None, &mut feedback));
    while listener.notes.lock().unwrap().is_empty() {
        thread::sleep(Duration::from_millis(5));
    }
    assert!(!waiting.is_finished());
    node.release();
    let lock = waiting.join().unwrap().unwrap();
    assert!(Holder::new(&path).is_none(), "we hold it");
    drop(lock);
    assert!(Holder::new(&path).is_some());
    let mut feedback = listener.clone();
    Lock::wait(dir.path(), Name::Gc, None, &mut feedback).unwrap();
    assert_eq!(*listener.notes.lock().unwrap(), ["Acquiring process lock", "Acquiring GC lock"]);
    assert_eq!(names(dir.path()), ["gc_lock", "processing_lock"]);
}

#[test]
fn waiting_can_be_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gc_lock");
    fs::write(&path, b"").unwrap();
    let _node = Holder::new(&path).unwrap();
    let mut listener = Listener::default();
    listener.stop.store(true, Ordering::Relaxed);
    let problem = Lock::wait(dir.path(), Name::Gc, None, &mut listener).unwrap_err();
    assert_eq!(problem.code(), Code::Cancelled);
}

#[test]
fn the_fixtures_are_recognised() {
    for (name, kind) in [("v5-archive", PvmKind::Wasm200), ("v5-full", PvmKind::Wasm200)] {
        let fixture = Fixture::new(name);
        let dir = DataDir::new(&fixture.root);
        dir.require_v5().unwrap();
        assert!(dir.is_populated().unwrap());
        let metadata = metadata::require(&fixture.root).unwrap();
        let expect = &fixture.expect;
        assert_eq!(metadata.kind, kind);
        assert_eq!(metadata.kind.as_str(), expect["kind"]);
        assert_eq!(metadata.rollup_address.to_string(), expect["rollup_address"]);
        assert_eq!(i64::from(metadata.genesis_level), expect["genesis_info"]["level"]);
        assert_eq!(metadata.genesis_commitment.to_string(), expect["genesis_info"]["commitment_hash"]);
    }
}

/// What a snapshot of a store of version 5 takes, without the database.
const TOPS: [Top; 4] = [Top::Context, Top::Metadata, Top::PreImages, Top::Version];

fn snapshot_files(root: &Path, feedback: &dyn Feedback) -> Result<Vec<SourceFile>, Problem> {
    Listing::of(root, &TOPS, feedback).map(|listing| listing.files)
}

#[test]
fn files_are_those_that_a_node_archives() {
    let fixture = Fixture::new("v5-full");
    let model = fixture.temp.path().join("staged");
    fs::create_dir(fixture.root.join("storage")).unwrap();
    fs::write(fixture.root.join("storage/version"), br#"{ "store_version": 5 }"#).unwrap();
    staged(&fixture.root, &model, "head");
    let files = snapshot_files(&fixture.root, &Silent).unwrap();
    let mut expected: Vec<_> = common::everything(&model)
        .into_keys()
        .map(|path| path.strip_prefix(&model).unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "store.sqlite")
        .collect();
    expected.sort();
    let found: Vec<_> = files.iter().map(|file| file.name.clone()).collect();
    assert_eq!(found, expected);
    for file in files {
        assert_eq!(file.path, fixture.root.join(&file.name));
        assert_eq!(file.size, fs::read(&file.path).unwrap().len() as u64);
        if !file.name.starts_with("storage") {
            // As `tar -tv` lists the fixture.
            let mode = if file.name == "context/index/lock" { 0o600 } else { 0o644 };
            assert_eq!((file.mtime, file.mode), (1_700_000_000, mode), "{}", file.name);
        }
    }
}

/// A directory with `metadata` and `context/a`.
fn small() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("context")).unwrap();
    fs::write(dir.path().join("metadata"), b"{}").unwrap();
    fs::write(dir.path().join("context/a"), b"alpha").unwrap();
    dir
}

fn listed(root: &Path) -> Vec<(String, u64)> {
    let files = snapshot_files(root, &Silent).unwrap();
    files.into_iter().map(|file| (file.name, file.size)).collect()
}

#[test]
fn what_does_not_belong_is_left_out() {
    let dir = small();
    let root = dir.path();
    for name in
        ["config.json", "lock", "gc_lock", "store.sqlite", "store.sqlite-wal", "version", "logs", "arith"]
    {
        fs::write(root.join(name), b"x").unwrap();
    }
    fs::create_dir_all(root.join("storage/inboxes")).unwrap();
    fs::create_dir_all(root.join("storage/versions/old")).unwrap();
    fs::create_dir_all(root.join("riscv/empty")).unwrap();
    fs::write(root.join("storage/inboxes/data"), b"x").unwrap();
    fs::write(root.join("storage/lpc"), b"x").unwrap();
    fs::write(root.join("storage").join(OsStr::from_bytes(b"\xff")), b"x").unwrap();
    fs::write(root.join("storage/version"), b"five").unwrap();
    fs::write(root.join("storage/versions/old/n"), b"").unwrap();
    let expected = [("context/a", 5), ("metadata", 2), ("storage/version", 4), ("storage/versions/old/n", 0)];
    assert_eq!(listed(root), expected.map(|(name, size)| (name.to_owned(), size)));
    assert_eq!(listed(&root.join("nowhere")), []);
}

#[test]
fn links_are_followed() {
    let dir = small();
    let root = dir.path();
    let other = tempfile::tempdir().unwrap();
    let long = other.path().join("a-file-with-a-long-name");
    fs::write(&long, b"0123456789").unwrap();
    fs::set_permissions(&long, fs::Permissions::from_mode(0o4640)).unwrap();
    let file = fs::File::options().write(true).open(&long).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1_234_567_890)).unwrap();
    symlink(&long, root.join("context/link")).unwrap();
    symlink(other.path(), root.join("wasm_2_0_0")).unwrap();
    symlink(other.path(), root.join("context/again")).unwrap();
    let files = snapshot_files(root, &Silent).unwrap();
    let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
    let in_dir = |dir: &str| format!("{dir}/a-file-with-a-long-name");
    let (again, wasm) = (in_dir("context/again"), in_dir("wasm_2_0_0"));
    assert_eq!(names, ["context/a", &again, "context/link", "metadata", &wasm]);
    for file in [&files[1], &files[2], &files[4]] {
        assert_eq!((file.size, file.mode, file.mtime), (10, 0o640, 1_234_567_890), "{}", file.name);
    }
}

#[test]
fn what_cannot_be_archived_is_named() {
    type Prepare = fn(&Path);
    let cases: [(&str, Prepare); 11] = [
        ("leads nowhere", |at| symlink("/nonexistent", at).unwrap()),
        ("back to itself", |at| symlink(at, at).unwrap()),
        ("a directory above it", |at| symlink("..", at).unwrap()),
        ("a directory above it", |at| {
            fs::create_dir_all(at.join("deep")).unwrap();
            symlink(at, at.join("deep/up")).unwrap();
        }),
        ("not a file", |at| {
            assert!(Command::new("mkfifo").arg(at).status().unwrap().success());
        }),
        ("not a file", |at| drop(std::os::unix::net::UnixListener::bind(at).unwrap())),
        ("not a file", |at| symlink("/dev/null", at).unwrap()),
        ("not UTF-8", |at| fs::write(at.with_file_name(OsStr::from_bytes(b"bad\xff")), b"").unwrap()),
        ("backslash", |at| fs::write(at.with_file_name("bad\\slash"), b"").unwrap()),
        ("control", |at| fs::write(at.with_file_name("bad\nline"), b"").unwrap()),
        ("100 bytes", |at| fs::write(at.with_file_name("bad".repeat(31)), b"").unwrap()),
    ];
    for (why, prepare) in cases {
        let dir = small();
        prepare(&dir.path().join("context/bad"));
        let problem = snapshot_files(dir.path(), &Silent).expect_err(why);
        assert_eq!(problem.code(), Code::SourceFile, "{why}");
        let text = problem.to_string();
        assert!(text.contains(why) && text.contains("context/bad"), "{why}: {text}");
        assert!(!text.contains('\n'), "{text}");
    }
    let dir = small();
    let longest = format!("context/{}", "n".repeat(92));
    fs::write(dir.path().join(&longest), b"").unwrap();
    assert!(listed(dir.path()).contains(&(longest, 0)), "a name of 100 bytes fits");
}

#[test]
fn a_walk_can_be_stopped() {
    let dir = small();
    let listener = Listener::default();
    assert!(snapshot_files(dir.path(), &listener).is_ok());
    listener.stop.store(true, Ordering::Relaxed);
    assert_eq!(snapshot_files(dir.path(), &listener).unwrap_err().code(), Code::Cancelled);
}

#[test]
fn of_version_4_the_whole_storage_is_taken_but_lpc() {
    let dir = small();
    let root = dir.path();
    for name in ["lpc", "l2_head", "l2_heada1b2c3.tmp", "messages/tmp/lpc", "messages/data", "version"] {
        let path = root.join("storage").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"x").unwrap();
    }
    let listing = Listing::of(root, &[Top::Metadata, Top::Storage], &Silent).unwrap();
    let names: Vec<&str> = listing.files.iter().map(|file| file.name.as_str()).collect();
    let expected = ["l2_head", "l2_heada1b2c3.tmp", "messages/data", "messages/tmp/lpc", "version"];
    assert_eq!(names[0], "metadata");
    assert_eq!(names[1..], expected.map(|name| format!("storage/{name}")));
}

/// A list is taken as it was only when nothing can have been added to it since.
#[test]
fn a_listing_is_made_again_where_something_may_have_changed() {
    let names = |listing: Listing| listing.files.into_iter().map(|file| file.name).collect::<Vec<_>>();
    for rest in [false, true] {
        let dir = small();
        let root = dir.path();
        fs::create_dir_all(root.join("wasm_2_0_0/deep")).unwrap();
        fs::write(root.join("wasm_2_0_0/deep/a"), b"a").unwrap();
        if rest {
            // The coarsest clock that file systems have.
            std::thread::sleep(Duration::from_millis(3100));
        }
        let list = || Listing::of(root, &[Top::PreImages], &Silent).unwrap();
        // What was listed is not looked at again, if no directory has changed.
        let before = list();
        fs::write(root.join("wasm_2_0_0/deep/a"), b"longer").unwrap();
        let size = before.clone().renewed(&Silent).unwrap().files[0].size;
        assert_eq!(size, if rest { 1 } else { 6 });
        for name in ["wasm_2_0_0/deep/b", "arith/c"] {
            let before = list();
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), b"new").unwrap();
            assert!(names(before.renewed(&Silent).unwrap()).contains(&name.to_owned()), "{name}");
        }
        let before = list();
        fs::remove_file(root.join("arith/c")).unwrap();
        assert_eq!(names(before.renewed(&Silent).unwrap()), ["wasm_2_0_0/deep/a", "wasm_2_0_0/deep/b"]);
    }
}

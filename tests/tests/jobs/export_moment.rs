//! An export beside a node that does not wait: whatever the node does once the locks are released,
//! the snapshot is the one of the moment under the locks, to the byte.

use std::cell::{Cell, RefCell};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rollsnap::context::Moment;
use rollsnap::export::{self, Compression, Options, Outcome, Output};
use rollsnap::files::FileSet;
use rollsnap::store::Packing;
use rollsnap_core::feedback::Phase;
use rollsnap_core::{Code, Feedback, Files, ReadAt};
use rollsnap_tests::cli::{Ground, Tree, members};

/// The node in `tests/cli/node.py`.
fn script() -> Command {
    let mut command = Command::new("python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("cli/node.py"));
    command
}

/// Makes a directory larger, as a node would.
#[track_caller]
fn grow(data: &str) {
    let output = script().args(["grow", data]).output().unwrap();
    assert!(output.status.success(), "{data}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A node that goes on when it is asked to. It is a process of its own, because locks do not keep out the process that
/// holds them, and one for all turns, because a turn is tried at every step of an export.
struct Node(Child);

impl Node {
    fn start(data: &str) -> Self {
        Self(script().args(["serve", data]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
    }

    /// Whether both locks were free, and the node went on.
    fn goes_on(&mut self, turn: usize) -> bool {
        writeln!(self.0.stdin.as_mut().unwrap(), "{turn}").unwrap();
        let mut answer = String::new();
        BufReader::with_capacity(1, self.0.stdout.as_mut().unwrap()).read_line(&mut answer).unwrap();
        match answer.trim_end() {
            "done" => true,
            "locked" => false,
            other => panic!("the node said {other:?}"),
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

/// A node that gets its turn as soon as the export has released the locks, before anything is copied,
/// and whenever it begins a new phase.
struct Neighbour {
    node: RefCell<Node>,
    phases: Vec<&'static str>,
    /// The export is about to take the locks, or did.
    locking: bool,
    /// The first turn is over.
    had_turn: Cell<bool>,
}

impl Feedback for Neighbour {
    fn phase(&mut self, phase: Phase) {
        assert!(self.had_turn.get(), "{} before the locks were free", phase.name);
        assert!(self.node.get_mut().goes_on(self.phases.len() + 1), "{}: a lock is held", phase.name);
        self.phases.push(phase.name);
    }

    fn advance(&mut self, _: u64) {}

    fn note(&mut self, text: &str) {
        self.locking |= text == "Acquiring process lock";
    }

    fn cancelled(&self) -> bool {
        if self.locking && !self.had_turn.get() {
            self.had_turn.set(self.node.borrow_mut().goes_on(100));
        }
        false
    }
}

fn options(data: &str, out: PathBuf) -> Options {
    let mut options = Options::new(data);
    options.output = Output::File(out);
    options.compression = Compression::None;
    options
}

/// Exports a directory at rest, then with the neighbour, and compares.
#[track_caller]
fn is_undisturbed(base: &str, change: impl Fn(&mut Options), phases: &[&str]) {
    let ground = Ground::new();
    let data = ground.unpack(base, "data");
    grow(&data);
    let mut quiet = options(&data, ground.path("quiet"));
    change(&mut quiet);
    let expected = export::run(&quiet, &mut rollsnap_core::feedback::Silent).unwrap();
    let had_turn = Cell::new(false);
    let node = RefCell::new(Node::start(&data));
    let mut neighbour = Neighbour { node, phases: Vec::new(), locking: false, had_turn };
    let mut beside = quiet;
    beside.output = Output::File(ground.path("beside"));
    let outcome: Outcome = export::run(&beside, &mut neighbour).unwrap();
    assert_eq!(neighbour.phases, phases);
    let (quiet, beside_path) = (expected.path.unwrap(), outcome.path.unwrap());
    assert!(fs::read(&quiet).unwrap() == fs::read(&beside_path).unwrap(), "{base}: other bytes");
    assert_eq!(outcome.report.verdicts, expected.report.verdicts);
    let before = members(quiet.to_str().unwrap());
    // The node did change what is in the snapshot.
    let mut after = beside;
    (after.check, after.output) = (false, Output::File(ground.path("after")));
    let after = export::run(&after, &mut rollsnap_core::feedback::Silent);
    assert!(after.is_err() || members(&ground.at("after")) != before);
}

#[test]
fn a_full_export() {
    let all = ["Exporting snapshot", "Checking chain", "Checking snapshot", "Checking context"];
    for base in ["v5-full", "v5-archive"] {
        is_undisturbed(base, |_| {}, &all);
    }
    let change = |options: &mut Options| {
        options.compression = Compression::Gzip;
        options.packing = Packing::Pages;
        options.check = false;
    };
    is_undisturbed("v5-full", change, &all[..1]);
}

#[test]
fn a_compact_export() {
    let all = [
        "Reading context",
        "Copying context",
        "Checking context",
        "Exporting snapshot",
        "Checking chain",
        "Checking snapshot",
    ];
    is_undisturbed("v5-full", |options| options.compact = true, &all);
}

/// Of version 4 nothing but the moment tells one state of the store from another.
#[test]
fn an_export_of_version_4() {
    let all = ["Exporting snapshot", "Checking chain", "Checking snapshot", "Checking context"];
    for base in ["v4-full", "v4-archive"] {
        is_undisturbed(base, |_| {}, &all);
    }
    let compact = [
        "Reading context",
        "Copying context",
        "Checking context",
        "Exporting snapshot",
        "Checking chain",
        "Checking snapshot",
    ];
    is_undisturbed("v4-full", |options| options.compact = true, &compact);
}

/// Somebody removes or cuts a file that no node would touch, once it is about to be copied.
#[test]
fn a_file_that_vanishes_or_shrinks_is_named() {
    struct Vandal<'a>(&'a dyn Fn());
    impl Feedback for Vandal<'_> {
        fn phase(&mut self, phase: Phase) {
            if phase.name == "Exporting snapshot" {
                (self.0)();
            }
        }
        fn advance(&mut self, _: u64) {}
        fn note(&mut self, _: &str) {}
    }
    for (base, pattern, remove) in [
        ("v5-full", "wasm_2_0_0/00", true),
        ("v5-full", "wasm_2_0_0/00", false),
        ("v5-full", "context/store.1.suffix", false),
        ("v4-full", "context/store.1.suffix", false),
        ("v4-full", "storage/messages/data", false),
        ("v4-full", "storage/l2_blocks/index/index/log", false),
    ] {
        let ground = Ground::new();
        let data = ground.unpack(base, "data");
        grow(&data);
        let before = Tree::of(data.as_ref());
        let name = *before.files().keys().find(|name| name.starts_with(pattern)).unwrap();
        let path = ground.path("data").join(name);
        let damage = || {
            if remove {
                fs::remove_file(&path).unwrap();
            } else {
                fs::File::options().write(true).open(&path).unwrap().set_len(3).unwrap();
            }
        };
        let problem = export::run(&options(&data, ground.path("out")), &mut Vandal(&damage)).unwrap_err();
        assert_eq!(problem.code(), Code::SourceChanged, "{name}: {problem:?}");
        assert!(format!("{problem:?}").contains(name), "{name}: {problem:?}");
        assert!(!ground.tree().names().iter().any(|name| name.contains("out") || name.contains(".rollsnap")));
        let unchanged = |tree: Tree| tree.only(|other| other != name);
        unchanged(Tree::of(data.as_ref())).same_as(&unchanged(before.clone()), name);
    }
}

/// A database that nobody has put into WAL mode keeps writers out while it is read, so it is copied
/// before the locks are released.
#[test]
fn a_database_without_a_log_is_copied_under_the_locks() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    let script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA journal_mode = delete')";
    let store = format!("{data}/store.sqlite");
    assert!(Command::new("python3").args(["-c", script, &store]).status().unwrap().success());

    struct Locks<'a>(&'a str, Vec<(&'static str, bool)>);
    impl Feedback for Locks<'_> {
        fn phase(&mut self, phase: Phase) {
            let script = "import fcntl, sys\n\
                for path in sys.argv[1:]:\n  fcntl.lockf(open(path, 'r+b'), fcntl.LOCK_EX | fcntl.LOCK_NB)";
            let mut command = Command::new("python3");
            command.args(["-c", script]).arg(format!("{}/processing_lock", self.0));
            self.1.push((phase.name, command.output().unwrap().status.success()));
        }
        fn advance(&mut self, _: u64) {}
        fn note(&mut self, _: &str) {}
    }
    let mut locks = Locks(&data, Vec::new());
    let mut options = options(&data, ground.path("out"));
    options.check = false;
    export::run(&options, &mut locks).unwrap();
    assert_eq!(locks.1, [("Copying database", false), ("Exporting snapshot", true)]);
}

/// The header of a log says how much of it counts, so it is taken at once; what follows is only
/// appended to.
#[test]
fn a_log_that_grows_stays_what_it_was() {
    let ground = Ground::new();
    let context = ground.path("context");
    fs::create_dir_all(context.join("index")).unwrap();
    let content: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
    for name in ["index/log", "index/data", "store.9.suffix", "store.branches"] {
        let content = if name == "store.branches" { &content[..1000] } else { &content[..] };
        fs::write(context.join(name), content).unwrap();
    }
    let moment = Moment::take(&FileSet::Directory(context.clone())).unwrap();
    for name in ["index/log", "store.branches"] {
        let file = fs::File::options().write(true).open(context.join(name)).unwrap();
        file.write_all_at(b"another header, 32 bytes of it..", 0).unwrap();
        file.write_all_at(b"appended", if name == "index/log" { 200_000 } else { 1000 }).unwrap();
    }
    for name in ["index/data", "store.9.suffix"] {
        fs::remove_file(context.join(name)).unwrap();
    }
    for (name, len) in [
        ("index/log", 200_000),
        ("index/data", 200_000),
        ("store.9.suffix", 200_000),
        ("store.branches", 1000),
    ] {
        let held = moment.open(name).unwrap().unwrap();
        assert_eq!(held.len(), len as u64, "{name}");
        for (offset, wanted) in [(0, len), (0, 10), (5, 40), (31, 2), (32, 900), (500, 1)] {
            let wanted = wanted.min(len - offset);
            let mut bytes = vec![0; wanted];
            held.read_at(offset as u64, &mut bytes).unwrap();
            assert_eq!(bytes, content[offset..offset + wanted], "{name} at {offset}");
        }
        assert!(held.read_at(len as u64 - 3, &mut [0; 4]).is_err(), "{name}");
    }
}

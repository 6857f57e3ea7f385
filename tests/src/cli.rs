//! The command line from outside: a place to run `rollsnap` in, alone with its own home, and what
//! is needed to judge what it did. Expected values come from the fixtures and from Python
//! (`tests/cli/oracle.py`).

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::fixtures;

/// A directory for one test: `home` for the user, `tmp` for temporary files, and the directory
/// itself to work in.
pub struct Ground {
    dir: TempDir,
}

/// What a command printed, and how it ended.
pub struct Run {
    /// The arguments.
    pub words: Vec<String>,
    /// Exit status; 128 and the signal's number when a signal ended it.
    pub status: i32,
    /// Standard output.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: String,
}

impl Ground {
    /// A new, empty one; in memory where that can be had, because the commands under test sync
    /// what they write.
    #[allow(clippy::new_without_default, reason = "it touches the disk")]
    pub fn new() -> Self {
        let mut builder = tempfile::Builder::new();
        builder.prefix("cli-");
        let dir = builder.tempdir_in("/dev/shm").or_else(|_| builder.tempdir()).unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        fs::create_dir(dir.path().join("tmp")).unwrap();
        Self { dir }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// The same as text.
    pub fn at(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Unpacks the data directory `base` of the fixtures under a name; its path.
    pub fn unpack(&self, base: &str, name: &str) -> String {
        let spare = self.path(&format!("{name}.unpacking"));
        let file = fixtures::read(&format!("data-dir/{base}.tar"));
        let mut archive = tar::Archive::new(&file[..]);
        archive.set_preserve_permissions(true);
        archive.unpack(&spare).unwrap();
        fs::rename(spare.join(base), self.path(name)).unwrap();
        fs::remove_dir(&spare).unwrap();
        self.at(name)
    }

    /// A copy of a snapshot of the fixtures; its path.
    pub fn snapshot(&self, name: &str) -> String {
        let place = self.at(Path::new(name).file_name().unwrap().to_str().unwrap());
        fs::write(&place, fixtures::read(name)).unwrap();
        place
    }

    /// The mutant with this name, in a directory of this name.
    pub fn mutants(&self, names: &[&str]) {
        let root = self.root().to_str().unwrap();
        oracle(&[&["apply", root], names].concat());
    }

    /// The command, ready to run here.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(program());
        // Help texts show the name that a command was called by.
        command.arg0("rollsnap");
        self.isolate(command.args(words));
        command
    }

    /// Takes away what the command could learn from the machine.
    pub fn isolate<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env_clear();
        for name in ["PATH", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("HOME", self.path("home")).env("TMPDIR", self.path("tmp")).env("LC_ALL", "C.UTF-8");
        command.current_dir(self.root()).stdin(Stdio::null())
    }

    /// Runs `rollsnap` with these arguments.
    pub fn run(&self, words: &[&str]) -> Run {
        Run::of(words, self.command(words).output().unwrap())
    }

    /// Runs it with bytes on standard input.
    pub fn run_with(&self, words: &[&str], input: &[u8]) -> Run {
        let mut command = self.command(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            // The command need not read all of it.
            scope.spawn(move || drop(stdin.write_all(input)));
            Run::of(words, child.wait_with_output().unwrap())
        })
    }

    /// What is in the directory, without what belongs to the ground itself.
    pub fn tree(&self) -> Tree {
        let mut tree = Tree::of(self.root());
        tree.0.retain(|name, _| !name.is_empty());
        tree
    }
}

impl Run {
    /// The outcome of a command that has ended.
    pub fn of(words: &[&str], output: Output) -> Self {
        let status = output.status;
        Self {
            words: words.iter().map(|&word| word.to_owned()).collect(),
            status: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
            out: output.stdout,
            err: String::from_utf8(output.stderr).expect("messages are text"),
        }
    }

    /// Standard output as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.out).expect("standard output is text")
    }

    /// Standard output as one JSON value on one line.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.text().matches('\n').count(), 1, "one line: {self}");
        serde_json::from_slice(&self.out).unwrap_or_else(|err| panic!("{err}: {self}"))
    }

    /// It must have succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.ends(0)
    }

    /// It must have ended with this status.
    #[track_caller]
    pub fn ends(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// It must have ended with this status, nothing on standard output, and this text in its error.
    #[track_caller]
    pub fn refused(self, status: i32, text: &str) -> Self {
        assert_eq!(self.text(), "", "{self}");
        let this = self.ends(status);
        assert!(this.err.contains("Error: ") && this.err.contains(text), "expected {text:?}: {this}");
        this
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let out = String::from_utf8_lossy(&self.out);
        let shown: String = out.chars().take(2000).collect();
        write!(f, "rollsnap {} → {}\n{shown}\n--- errors\n{}", self.words.join(" "), self.status, self.err)
    }
}

/// Everything below a directory: names, kinds, modes, times and contents.
#[derive(Clone, PartialEq, Eq)]
pub struct Tree(pub BTreeMap<String, Entry>);

/// One entry of a directory tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Kind and permissions, as `st_mode` has them.
    pub mode: u32,
    /// Time of the last change of a file, in nanoseconds since 1970; 0 for a directory.
    pub mtime: i128,
    /// SHA-256 of a file, target of a link.
    pub content: String,
}

impl Tree {
    /// Looks at a directory; its own entry is the empty name. Empty if there is none.
    pub fn of(root: &Path) -> Self {
        let mut entries = BTreeMap::new();
        add(root, "", &mut entries);
        Self(entries)
    }

    /// Only entries whose names pass.
    pub fn only(mut self, pass: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|name, _| pass(name));
        self
    }

    /// The names.
    pub fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// The files alone: their names and the hashes of their contents.
    pub fn files(&self) -> BTreeMap<&str, &str> {
        let files = self.0.iter().filter(|(_, entry)| entry.mode & 0o170_000 == 0o100_000);
        files.map(|(name, entry)| (name.as_str(), entry.content.as_str())).collect()
    }

    /// Nothing may differ. Times of directories are not looked at: a lock file, or what SQLite
    /// keeps beside a database while it reads it, may have come and gone.
    #[track_caller]
    pub fn same_as(&self, other: &Self, what: &str) {
        let names: std::collections::BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        for name in names {
            assert_eq!(self.0.get(name), other.0.get(name), "{what}: {name:?}");
        }
    }
}

fn add(path: &Path, name: &str, entries: &mut BTreeMap<String, Entry>) {
    let Ok(metadata) = path.symlink_metadata() else { return };
    let content = if metadata.is_symlink() {
        fs::read_link(path).unwrap().to_string_lossy().into_owned()
    } else if metadata.is_file() {
        fixtures::sha256(&fs::read(path).unwrap_or_default())
    } else {
        String::new()
    };
    let mtime = if metadata.is_dir() {
        0
    } else {
        i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec())
    };
    entries.insert(name.to_owned(), Entry { mode: metadata.mode(), mtime, content });
    if metadata.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            let last = entry.unwrap().file_name().to_string_lossy().into_owned();
            let name = if name.is_empty() { last.clone() } else { format!("{name}/{last}") };
            add(&path.join(&last), &name, entries);
        }
    }
}

/// The program under test, built with the tests.
pub fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().and_then(Path::parent).unwrap().join("rollsnap-child");
    assert!(program.exists(), "{} is built with the tests", program.display());
    program
}

/// Asks Python; see `tests/cli/oracle.py`.
#[track_caller]
pub fn oracle(words: &[&str]) -> Value {
    ask("oracle.py", words)
}

/// Asks a reader that is as strict as the nodes and more; see `tests/cli/node_rules.py`.
#[track_caller]
pub fn node_rules(words: &[&str]) -> Vec<Value> {
    let Value::Array(answers) = ask("node_rules.py", words) else { panic!("a list of answers") };
    answers
}

#[track_caller]
fn ask(script: &str, words: &[&str]) -> Value {
    let output = python().arg(scripts().join(script)).args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Code and level (0 where it is not about one) of every check in a report that says no, in order.
pub fn failures(report: &Value) -> Vec<(String, i64)> {
    let checks = report["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "no");
    let mut failures: Vec<_> = checks
        .map(|check| {
            (check["code"].as_str().unwrap().to_owned(), check["at"]["level"].as_i64().unwrap_or_default())
        })
        .collect();
    failures.sort();
    failures
}

/// What Python's sqlite3 reads in a database.
#[track_caller]
pub fn dump(database: &str) -> Value {
    oracle(&["dump", database])[0].take()
}

/// What Python's gzip and tarfile read in a snapshot.
#[track_caller]
pub fn members(snapshot: &str) -> Value {
    oracle(&["members", snapshot])[0].take()
}

/// What the record of a data directory says.
pub fn expect(base: &str) -> Value {
    serde_json::from_slice(&fixtures::read(&format!("data-dir/{base}.expect.json"))).unwrap()
}

/// A Python process that holds POSIX locks until this is dropped.
pub struct Holder(Child);

impl Holder {
    /// Locks files that exist.
    pub fn of(files: &[String]) -> Self {
        let mut command = python();
        command
            .arg(scripts().join("oracle.py"))
            .arg("hold")
            .args(files)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Self(child)
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

/// A command that runs beside the test. Its standard error is read line by line.
pub struct Running {
    words: Vec<String>,
    child: Child,
    errors: BufReader<std::process::ChildStderr>,
    seen: String,
}

impl Running {
    /// Starts it.
    pub fn start(words: &[&str], mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        Self {
            words: words.iter().map(|&word| word.to_owned()).collect(),
            child,
            errors,
            seen: String::new(),
        }
    }

    /// Waits until it writes a line with this text to standard error.
    #[track_caller]
    pub fn until(&mut self, text: &str) {
        loop {
            let mut line = String::new();
            let len = self.errors.read_line(&mut line).unwrap();
            assert_ne!(len, 0, "{:?} ended before it said {text:?}:\n{}", self.words, self.seen);
            self.seen += &line;
            if line.contains(text) {
                return;
            }
        }
    }

    /// Its standard input, if the command was given a pipe.
    pub fn take_stdin(&mut self) -> std::process::ChildStdin {
        self.child.stdin.take().unwrap()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    pub fn end(mut self) -> Run {
        self.errors.read_to_string(&mut self.seen).unwrap();
        let mut out = Vec::new();
        self.child.stdout.take().unwrap().read_to_end(&mut out).unwrap();
        let status = self.child.wait().unwrap();
        let status = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
        Run { words: self.words, status, out, err: self.seen }
    }
}

/// What runs a program under limits; see `tests/cli/limited.py`.
pub(crate) fn limited() -> Command {
    let mut command = python();
    command.arg(scripts().join("limited.py"));
    command
}

/// The interpreter itself: a wrapper around it would cost time at each call.
fn python() -> Command {
    static PYTHON: OnceLock<String> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        let ask = ["-c", "import sys; print(sys.executable, end='')"];
        let output = Command::new("python3").args(ask).output().expect("python3 is installed");
        String::from_utf8(output.stdout).unwrap()
    });
    Command::new(python)
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cli")
}

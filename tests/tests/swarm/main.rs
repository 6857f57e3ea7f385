//! A malicious directory: somebody else may write where a command works, and has put links, FIFOs, sockets, devices
//! and foreign files there, before it starts or while it runs. Nothing outside changes, nothing is waited for, and
//! what is refused is named.

#![cfg(unix)]

mod left;
mod members;
mod modes;
mod owners;
mod places;
mod races;
mod staging;
mod stopped;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rollsnap_tests::cli::{Ground, Run};
use rollsnap_tests::fixtures;

/// A command that takes longer is taken for one that waits for ever. On an idle machine each takes less than a
/// second.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a link is to lead to: a directory of somebody else, beside everything that commands are told.
const VICTIM: &str = "victim";

/// A data directory `data`, snapshots, an empty directory `dest`, and a victim.
fn ground() -> Ground {
    let ground = Ground::new();
    ground.unpack("v5-full", "data");
    ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    fs::create_dir(ground.path("dest")).unwrap();
    for name in ["", "sub", "new", "old", "context", "index"] {
        fs::create_dir(ground.path(VICTIM).join(name)).unwrap();
    }
    for name in ["file", "sub/x", "old/x", "new/metadata", "owner", "done", "journal", "store.sqlite", "lock"]
    {
        fs::write(ground.path(VICTIM).join(name), format!("precious {name}")).unwrap();
    }
    ground
}

/// The same snapshot without compression, made on the ground.
fn plain(ground: &Ground) -> Vec<u8> {
    if !ground.path("plain").exists() {
        run(ground, &["export", "--uncompressed", "--no-check", "--data-dir", "data", "plain"]).ok();
    }
    fs::read(ground.path("plain")).unwrap()
}

/// Everything about something outside.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    mode: u32,
    owner: (u32, u32),
    /// How many names it has, and when anything about it changed last, which tells what leaves no other trace.
    links: u64,
    changed: (i64, i64),
    content: String,
}

/// Everything about everything that the victim has.
#[derive(Debug, PartialEq, Eq)]
struct Outside(BTreeMap<String, Seen>);

impl Outside {
    fn of(ground: &Ground) -> Self {
        let mut found = BTreeMap::new();
        let mut todo = vec![ground.path(VICTIM)];
        while let Some(path) = todo.pop() {
            let about = path.symlink_metadata().unwrap();
            let mut content = String::new();
            if about.is_dir() {
                todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else if about.is_file() {
                content = fixtures::sha256(&fs::read(&path).unwrap());
            }
            let seen = Seen {
                mode: about.mode(),
                owner: (about.uid(), about.gid()),
                links: about.nlink(),
                changed: (about.ctime(), about.ctime_nsec()),
                content,
            };
            found.insert(path.to_string_lossy().into_owned(), seen);
        }
        Self(found)
    }

    /// A second name that was planted may go; content, owner and mode may not change.
    #[track_caller]
    fn has_its_content(&self, ground: &Ground, what: &str) {
        let mut now = Self::of(ground);
        for (name, seen) in &mut now.0 {
            if let Some(before) = self.0.get(name) {
                (seen.links, seen.changed) = (before.links, before.changed);
            }
        }
        assert_eq!(*self, now, "{what}");
    }

    #[track_caller]
    fn is_unchanged(&self, ground: &Ground, what: &str) {
        assert_eq!(*self, Self::of(ground), "{what}");
    }
}

/// Runs a command that must end by itself.
#[track_caller]
fn run(ground: &Ground, words: &[&str]) -> Run {
    ends(words, ground.command(words))
}

#[track_caller]
fn ends(words: &[&str], mut command: Command) -> Run {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    // Pipes must be read while it runs.
    let out = std::thread::spawn(move || drain(&mut out));
    let err = std::thread::spawn(move || drain(&mut err));
    let since = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if since.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("rollsnap {} does not end", words.join(" "));
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let (stdout, stderr) = (out.join().unwrap(), err.join().unwrap());
    Run::of(words, std::process::Output { status, stdout, stderr })
}

fn drain(from: &mut impl std::io::Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    bytes
}

/// The commands that write to the data directory `data`, by the name that they are told.
const INTO_DATA: [&[&str]; 4] = [
    &["import", "v5-full.finalized.snapshot.gz", "--data-dir", "data"],
    &["import", "v5-full.finalized.snapshot.gz", "--data-dir", "data", "--force"],
    &["convert", "v4-full.head.snapshot.gz", "--as", "data-dir", "-o", "data"],
    &["convert", "v4-full.head.snapshot.gz", "--as", "data-dir", "-o", "data", "--force"],
];

/// Those that only read it, and write elsewhere if at all.
const FROM_DATA: [&[&str]; 7] = [
    &["verify", "data"],
    &["context", "log", "data"],
    &["context", "stat", "data"],
    &["export", "--data-dir", "data", "out"],
    &["export", "--data-dir", "data", "--dest", "dest", "--force"],
    &["export", "--compact", "--data-dir", "data", "--dest", "dest", "--force"],
    &["convert", "data", "--as", "snapshot", "-o", "converted", "--force"],
];

/// Those that write into the directory `dest`.
const INTO_DEST: [&[&str]; 6] = [
    &["export", "--data-dir", "data", "--dest", "dest", "--force"],
    &["export", "--compact", "--data-dir", "data", "--dest", "dest", "--force"],
    &["index", "v5-full.finalized.snapshot.gz", "-o", "dest/i.idx", "--force"],
    &["convert", "v4-full.head.snapshot.gz", "-o", "dest/o", "--force"],
    &["extract", "v5-full.finalized.snapshot.gz", "-C", "dest", "--force"],
    &["extract", "v5-full.finalized.snapshot.gz", "-C", "dest", "--force", "metadata"],
];

/// Something that somebody else puts in the place of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plant {
    /// A link to the victim's directory.
    LinkToDirectory,
    /// A link to a file of the victim.
    LinkToFile,
    /// A link to a device that never ends.
    LinkToZero,
    /// A link to nothing.
    Dangling,
    /// A second name of a file of the victim.
    HardLink,
    /// A FIFO that nobody writes to.
    Fifo,
    /// A socket.
    Socket,
    /// A device, where the test may make one.
    Device,
    /// A directory.
    Directory,
}

const PLANTS: [Plant; 9] = [
    Plant::LinkToDirectory,
    Plant::LinkToFile,
    Plant::LinkToZero,
    Plant::Dangling,
    Plant::HardLink,
    Plant::Fifo,
    Plant::Socket,
    Plant::Device,
    Plant::Directory,
];

impl Plant {
    /// Puts it there, in the place of what is there. `false` where it cannot be made.
    fn put(self, ground: &Ground, at: &Path) -> bool {
        if at.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            fs::remove_dir_all(at).unwrap();
        } else if at.symlink_metadata().is_ok() {
            fs::remove_file(at).unwrap();
        }
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        let victim = ground.path(VICTIM);
        match self {
            Self::LinkToDirectory => symlink(victim, at).unwrap(),
            Self::LinkToFile => symlink(victim.join("file"), at).unwrap(),
            Self::LinkToZero => symlink("/dev/zero", at).unwrap(),
            Self::Dangling => symlink("/nonexistent/file", at).unwrap(),
            Self::HardLink => fs::hard_link(victim.join("file"), at).unwrap(),
            Self::Fifo => assert!(Command::new("mkfifo").arg(at).status().unwrap().success()),
            Self::Socket => {
                // A path of a socket is short; the name stays when the listener goes.
                let short = tempfile::tempdir().unwrap();
                let place = short.path().join("s");
                drop(UnixListener::bind(&place).unwrap());
                if fs::rename(&place, at).is_err() {
                    return UnixListener::bind(at).is_ok();
                }
            }
            Self::Device => {
                let made = Command::new("mknod").arg(at).args(["c", "1", "5"]).stderr(Stdio::null()).status();
                return made.is_ok_and(|status| status.success());
            }
            Self::Directory => fs::create_dir(at).unwrap(),
        }
        true
    }
}

/// Whether the tests may make files of other users.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

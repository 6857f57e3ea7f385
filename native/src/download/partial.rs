//! The part of a file that is there: `NAME.part`, and what is known of it: `NAME.part.state`.
//!
//! The state is written anew under another name and renamed, when what it speaks of is on the disk, so that it never says
//! more than is true. Both are taken only where they are regular files of the same user with one name each: whatever else
//! lies there belongs to somebody.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rollsnap_core::feedback::Notice;
use rollsnap_core::remote::Identity;
use rollsnap_core::{Code, Feedback, Problem, Result};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::dir::{Dir, Entry, Kind, sync_data};
use crate::files::Part;
use crate::interrupt;
use crate::io::problem;
use crate::output::Output;
use crate::size::Size;
use crate::source::sum::sha256;

/// After so many bytes, or so long a time, what is there is made to last.
const INTERVAL: (u64, Duration) = (64 << 20, Duration::from_secs(10));

/// How long a process that was killed may take to be gone.
const LEAVING: Duration = Duration::from_secs(2);

/// A state is no longer, in bytes.
const LONGEST_STATE: u64 = 64 << 10;

/// A file that is being fetched.
pub(super) struct Partial {
    directory: Dir,
    name: String,
    file: File,
    /// How much was written.
    len: u64,
    state: Option<State>,
    /// How much the state on the disk speaks of, and since when.
    recorded: (u64, Instant),
}

/// What is known of the part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// [`FORM`]
    rollsnap: String,
    /// The file that it is a part of.
    identity: Identity,
    /// The address that has pinned the file, as it may be shown.
    #[serde(default)]
    source: Option<String>,
    /// SHA-256 of the first bytes of it.
    beginning: String,
    /// How many bytes of it are on the disk.
    bytes: u64,
}

/// The addresses of a file, as they may be shown.
pub(super) struct Sources {
    /// The one that has pinned it.
    pub(super) leader: String,
    pub(super) all: Vec<String>,
}

impl State {
    /// Whether it is of the same file. A mirror names its version in its own way: of another one of the sources, length and
    /// beginning are compared, as while they are read together.
    fn is_of(&self, now: &Self, sources: &Sources) -> bool {
        let other = self
            .source
            .as_ref()
            .is_some_and(|source| *source != sources.leader && sources.all.contains(source));
        let same = match other {
            true => self.identity.len == now.identity.len,
            false => self.identity == now.identity,
        };
        same && self.beginning == now.beginning
    }
}

const FORM: &str = "download/1";

impl Partial {
    /// Opens the part of an earlier download, or makes a new one. `restart`: what is there is forgotten.
    ///
    /// # Errors
    /// [`Code::DownloadPartial`] for what is not ours to write to, and while another download writes to it; any `io.*` code.
    pub(super) fn open(directory: &Dir, name: &str, restart: bool) -> Result<Self> {
        let part = format!("{name}.part");
        let place = directory.place(&part);
        let state = read_state(directory, &format!("{part}.state"))?.filter(|_| !restart);
        refuse_foreign(directory, &format!("{part}.state.new"))?;
        let found = directory.look(&part)?;
        let file = match found {
            None => directory.create(&part, 0o666).map_err(|err| problem("create", &place, err))?,
            Some(entry) if !is_own(&entry) => return Err(not_own(&place)),
            Some(_) => directory.file_for_writing(&part)?.ok_or_else(|| foreign(&place))?,
        };
        // What was opened is what counts: others may have put something else there meanwhile.
        let opened = Entry::of_file(&file).map_err(|err| problem("look at", &place, err))?;
        if !is_own(&opened) {
            return Err(not_own(&place));
        }
        let len = file.metadata().map_err(|err| problem("look at", &place, err))?.len();
        // One that was killed before its first record leaves an empty file, in which nothing can be lost.
        if state.is_none() && !restart && len > 0 {
            return Err(foreign(&place).because("nothing beside it says which download it is a part of"));
        }
        lock(&file, &place)?;
        Ok(Self {
            directory: directory.clone(),
            name: name.into(),
            file,
            len: 0,
            state,
            recorded: (0, Instant::now()),
        })
    }

    /// Compares the part with the file that is to be fetched, and says from where on to go on.
    ///
    /// # Errors
    /// [`Code::RemoteChanged`] when it is of another file; any `io.*` code.
    pub(super) fn begin(
        &mut self,
        identity: &Identity,
        sources: &Sources,
        beginning: &[u8],
        feedback: &mut dyn Feedback,
    ) -> Result<u64> {
        let beginning = sha256(beginning);
        let fresh = State {
            rollsnap: FORM.into(),
            identity: identity.clone(),
            source: Some(sources.leader.clone()),
            beginning,
            bytes: 0,
        };
        let begin = match &self.state {
            None => 0,
            Some(state) if !state.is_of(&fresh, sources) => {
                return Err(Problem::new(Code::RemoteChanged)
                    .path(self.place().display())
                    .because("what is there is of the old one: --restart begins anew"));
            }
            Some(state) => {
                let len = self.file.metadata().map_err(|err| self.failed("look at", err))?.len();
                if len < state.bytes || state.bytes > identity.len {
                    let text = format!(
                        "{} is shorter than it should be: it is fetched anew",
                        self.place().display()
                    );
                    feedback.notice(Notice::NotUsed(&text));
                    0
                } else {
                    state.bytes
                }
            }
        };
        self.state = Some(State { bytes: begin, ..fresh });
        self.go_to(begin)?;
        self.record()?;
        Ok(begin)
    }

    /// Begins with nothing, for what cannot be gone on with.
    ///
    /// # Errors
    /// [`Code::DownloadPartial`] when an earlier download has fetched something; any `io.*` code.
    pub(super) fn begin_anew(&mut self) -> Result<()> {
        if self.state.as_ref().is_some_and(|state| state.bytes > 0) {
            let why = "the server does not serve parts of the file any more, so that nothing can go on there";
            return Err(foreign(&self.place()).because(why));
        }
        self.state = None;
        self.remove_state()?;
        self.go_to(0)
    }

    /// # Errors
    /// Any `io.*` code.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|err| self.failed("write", err))?;
        self.len += bytes.len() as u64;
        let (recorded, since) = self.recorded;
        if self.len - recorded >= INTERVAL.0 || since.elapsed() >= INTERVAL.1 {
            self.record()?;
        }
        Ok(())
    }

    /// All of it was written: makes it last.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(super) fn complete(&mut self) -> Result<()> {
        match self.state {
            Some(_) => self.record(),
            None => sync_data(&self.file).map_err(|err| self.failed("sync", err)),
        }
    }

    /// Says that the part stays, after a failure.
    pub(super) fn keep(&mut self, feedback: &mut dyn Feedback) {
        // Where that fails, the state that is there speaks of less.
        let _ = self.record();
        let (recorded, _) = self.recorded;
        feedback.notice(Notice::Kept(&format!(
            "Kept {} of it as {}: the same command goes on there",
            Size(recorded),
            self.place().display()
        )));
    }

    /// Removes the part, which nothing can go on with.
    pub(super) fn remove(&self, feedback: &mut dyn Feedback) {
        if let Err(err) = self.directory.unlink(self.part_name()) {
            let text = format!("Cannot remove {}: {err}", self.place().display());
            feedback.notice(Notice::NotRemoved(&text));
        }
    }

    /// Gives the finished file its name.
    ///
    /// # Errors
    /// [`Code::OutputExists`], any `io.*` code.
    pub(super) fn put(&self, path: &Path, force: bool, feedback: &mut dyn Feedback) -> Result<()> {
        let held = Entry::of_file(&self.file).map_err(|err| self.failed("look at", err))?;
        if self.directory.look(self.part_name())?.map(|entry| entry.id) != Some(held.id) {
            return Err(foreign(&self.place()).because("somebody has put something else there meanwhile"));
        }
        Output::put_from(&self.directory, &self.part_name(), &self.directory, path, force, feedback)?;
        if let Err(problem) = self.remove_state() {
            feedback.notice(Notice::NotRemoved(&problem.sentence()));
        }
        Ok(())
    }

    /// Puts other bytes in the place of some that were written.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(super) fn patch(&self, at: u64, bytes: &[u8]) -> Result<()> {
        self.file.write_all_at(bytes, at).map_err(|err| self.failed("write", err))?;
        sync_data(&self.file).map_err(|err| self.failed("sync", err))
    }

    /// What was written, to be read.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(super) fn part(&self) -> Result<Part> {
        Ok(Part::of(self.file()?, &self.place(), self.len))
    }

    /// The file, at its beginning.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(super) fn file(&self) -> Result<File> {
        let mut file = self.file.try_clone().map_err(|err| self.failed("open", err))?;
        file.seek(SeekFrom::Start(0)).map_err(|err| self.failed("read", err))?;
        Ok(file)
    }

    pub(super) fn place(&self) -> PathBuf {
        self.directory.place(self.part_name())
    }

    /// Whether a later download can go on with it.
    pub(super) fn can_go_on(&self) -> bool {
        self.state.is_some()
    }

    fn part_name(&self) -> String {
        format!("{}.part", self.name)
    }

    fn go_to(&mut self, at: u64) -> Result<()> {
        self.file.set_len(at).map_err(|err| self.failed("write", err))?;
        self.file.seek(SeekFrom::Start(at)).map_err(|err| self.failed("write", err))?;
        (self.len, self.recorded) = (at, (at, Instant::now()));
        Ok(())
    }

    /// Makes what is there last, and says so in the state.
    fn record(&mut self) -> Result<()> {
        let Some(state) = &mut self.state else { return Ok(()) };
        sync_data(&self.file)
            .map_err(|err| problem("sync", &self.directory.place(format!("{}.part", self.name)), err))?;
        state.bytes = self.len;
        let (name, new) = (format!("{}.part.state", self.name), format!("{}.part.state.new", self.name));
        let place = self.directory.place(&new);
        let failed = |err| problem("write", &place, err);
        let text = serde_json::to_vec(&state).map_err(|err| failed(err.into()))?;
        // One that a kill has left is not complete.
        match self.directory.unlink(&new) {
            Err(err) if err.kind() != ErrorKind::NotFound => return Err(failed(err)),
            _ => {}
        }
        let mut file = self.directory.create(&new, 0o666).map_err(failed)?;
        file.write_all(&text).and_then(|()| sync_data(&file)).map_err(failed)?;
        self.directory.move_over(&new, &self.directory, &name).map_err(failed)?;
        self.recorded = (self.len, Instant::now());
        Ok(())
    }

    fn remove_state(&self) -> Result<()> {
        let name = format!("{}.state", self.part_name());
        match self.directory.unlink(&name) {
            Err(err) if err.kind() != ErrorKind::NotFound => {
                Err(problem("remove", &self.directory.place(&name), err))
            }
            _ => Ok(()),
        }
    }

    fn failed(&self, doing: &str, err: std::io::Error) -> Problem {
        problem(doing, &self.place(), err)
    }
}

/// The state of an earlier download; `None` where there is none, or none that can be believed.
fn read_state(directory: &Dir, name: &str) -> Result<Option<State>> {
    refuse_foreign(directory, name)?;
    let Some(file) = directory.file(name)? else { return Ok(None) };
    let mut text = Vec::new();
    file.take(LONGEST_STATE)
        .read_to_end(&mut text)
        .map_err(|err| problem("read", &directory.place(name), err))?;
    let state: Option<State> = serde_json::from_slice(&text).ok();
    Ok(state.filter(|state| state.rollsnap == FORM))
}

/// Whether it can be a file of an earlier download: a regular file of this user with one name.
fn is_own(entry: &Entry) -> bool {
    entry.kind == Kind::File && entry.links == 1 && entry.is_ours()
}

/// What has the name of a file of ours and is none stays.
fn refuse_foreign(directory: &Dir, name: &str) -> Result<()> {
    match directory.look(name)? {
        Some(entry) if !is_own(&entry) => Err(not_own(&directory.place(name))),
        _ => Ok(()),
    }
}

fn not_own(place: &Path) -> Problem {
    foreign(place).found("no regular file of this user with one name")
}

/// Keeps others out, who would write to the same file. One that was killed just now may need a moment to be gone. A file
/// system without locks has nobody to keep out but ourselves.
fn lock(file: &File, place: &Path) -> Result<()> {
    let begun = Instant::now();
    while flock(file, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
        interrupt::checkpoint()?;
        if begun.elapsed() > LEAVING {
            return Err(foreign(place).because("another download is writing to it"));
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn foreign(place: &Path) -> Problem {
    Problem::new(Code::DownloadPartial).path(place.display())
}

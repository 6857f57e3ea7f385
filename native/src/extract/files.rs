//! Members on their way to files: gathered here, written by a thread of their own, so that inflating
//! and reading the archive go on meanwhile.

use std::ops::Range;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread::{self, JoinHandle};

use rollsnap_core::feedback::Notice;
use rollsnap_core::snapshot::Event;
use rollsnap_core::tar::Member;
use rollsnap_core::{Code, Feedback, Problem, Report, Result};

use crate::dir::{Dir, SpaceCheck, Tree};
use crate::io;
use crate::resume::Log;
use crate::source::{Place, SumSoFar};

/// When a batch is handed over, in bytes of content and names.
const BATCH: usize = 256 * 1024;

/// How many batches may wait for the thread.
const WAITING: usize = 4;

/// Writes members below a directory that nobody else writes to. Names come from an inspector,
/// which lets only those pass that stay inside.
///
/// One thread makes all calls, in the order of the archive; memory is bounded by a few batches. An
/// error of the thread comes out of one of the next calls, at the latest of [`Files::finish`]. When it is
/// dropped before that, the thread has ended too: what it has made can be removed.
#[derive(Debug)]
pub struct Files {
    /// Whether somebody keeps account of how far it has come.
    is_logged: bool,
    /// Whether a file has begun: members that nobody wants are not written.
    open: bool,
    filling: Batch,
    /// `None` when nothing more may be handed over.
    batches: Option<SyncSender<Batch>>,
    /// Batches for use again.
    spare: Receiver<Batch>,
    thread: Option<JoinHandle<Result<u64>>>,
}

/// Steps, and the bytes that they speak of.
#[derive(Debug, Default)]
struct Batch {
    steps: Vec<Step>,
    bytes: Vec<u8>,
    /// Bytes of content and names, and something for each step.
    weight: usize,
    /// How many bytes of the snapshot were read, if that was told.
    read: Option<u64>,
}

#[derive(Debug)]
enum Step {
    /// A file of so many bytes begins, with these permissions.
    Begin { name: String, mode: u32, size: u64 },
    /// Its next bytes.
    Data(Range<usize>),
    /// It is complete, and gets its time, in seconds since 1970.
    End { mtime: u64 },
    /// A file of so many bytes goes on behind those that are there.
    Reopen { name: String, there: u64, size: u64 },
    /// Somebody wants to know that all before this is written.
    Tell(SyncSender<()>),
    /// The next bytes of the content that are no member's.
    Structure(Range<usize>),
    /// All content before this offset has come, and reading can begin again at this place, with this sum of the
    /// file.
    Record { content: u64, place: Box<Place>, sum: Option<SumSoFar> },
    /// All has come, and this is what it has shown.
    Complete(Box<Report>),
}

impl Files {
    /// Files below `root`, which must exist and be empty.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn new(root: &Dir) -> Result<Self> {
        Self::within(root, SpaceCheck::default())
    }

    /// The same, with what the user says about space.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(crate) fn within(root: &Dir, space: SpaceCheck) -> Result<Self> {
        Self::with(root, space, None)
    }

    /// The same, with a log of how far it has come.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(crate) fn logged(root: &Dir, space: SpaceCheck, log: Log) -> Result<Self> {
        Self::with(root, space, Some(log))
    }

    fn with(root: &Dir, space: SpaceCheck, log: Option<Log>) -> Result<Self> {
        let mut tree = Tree::below(root).within(space);
        let is_logged = log.is_some();
        if log.as_ref().is_some_and(Log::goes_on) {
            tree = tree.replacing();
        }
        let (batches, queue) = mpsc::sync_channel(WAITING);
        let (back, spare) = mpsc::channel();
        let thread =
            thread::Builder::new().name("write".into()).spawn(move || write(tree, log, &queue, &back));
        let thread = thread.map_err(io::no_thread)?;
        Ok(Self {
            is_logged,
            open: false,
            filling: Batch::default(),
            batches: Some(batches),
            spare,
            thread: Some(thread),
        })
    }

    /// Does what an event of an inspection tells: members become files. What is wrong with the snapshot is an
    /// error.
    ///
    /// # Errors
    /// The code of an [`Event::Problem`], any `io.*` code.
    pub fn follow(&mut self, event: &Event<'_>) -> Result<()> {
        match event {
            Event::Member(member) => self.begin(member),
            Event::Data(data) => self.data(data),
            Event::MemberEnd { member, .. } => self.end(member),
            Event::Problem(problem) => Err((*problem).clone()),
            Event::Read(bytes) => {
                self.filling.read = Some(*bytes);
                Ok(())
            }
            Event::Structure(bytes) => self.structure(bytes),
            Event::Header(_) | Event::End => Ok(()),
        }
    }

    /// Whether somebody keeps account of how far it has come.
    pub(crate) fn is_logged(&self) -> bool {
        self.is_logged
    }

    /// Goes on with the file of a member, of which `there` bytes were written before.
    ///
    /// # Errors
    /// As [`Files::begin`].
    pub(crate) fn reopen(&mut self, member: &Member, there: u64) -> Result<()> {
        self.open = true;
        let (name, size) = (member.name.clone(), member.size);
        self.add(Step::Reopen { name, there, size }, member.name.len())
    }

    /// All content before `content` has come, and reading can begin again at this place, with this sum of the
    /// file.
    ///
    /// # Errors
    /// As [`Files::begin`].
    pub(crate) fn record(&mut self, content: u64, place: Place, sum: Option<SumSoFar>) -> Result<()> {
        self.add(Step::Record { content, place: place.into(), sum }, 0)?;
        // Not when the batch is full, which may take a while.
        self.hand_over()
    }

    /// Lets somebody know as soon as all that was handed over by now is written, so that it can be read.
    ///
    /// # Errors
    /// As [`Files::begin`].
    pub(crate) fn tell(&mut self, written: SyncSender<()>) -> Result<()> {
        self.add(Step::Tell(written), 0)?;
        self.hand_over()
    }

    fn structure(&mut self, mut bytes: &[u8]) -> Result<()> {
        while self.is_logged && !bytes.is_empty() {
            let (now, later) = bytes.split_at(BATCH.min(bytes.len()));
            let start = self.filling.bytes.len();
            self.filling.bytes.extend_from_slice(now);
            self.add(Step::Structure(start..start + now.len()), now.len())?;
            bytes = later;
        }
        Ok(())
    }

    /// Creates the file of a member, and the directories above it. The author of a snapshot does not decide who may
    /// write to the files of others: of its permissions only those to read and to execute count, as far as the umask
    /// lets them, and its owner may always read and write it.
    ///
    /// # Errors
    /// Any `io.*` code, also of what came before.
    pub fn begin(&mut self, member: &Member) -> Result<()> {
        self.open = true;
        let mode = member.mode & 0o755 | 0o600;
        self.add(Step::Begin { name: member.name.clone(), mode, size: member.size }, member.name.len())
    }

    /// Writes the next bytes of the member's content, if its file was begun.
    ///
    /// # Errors
    /// As [`Files::begin`].
    pub fn data(&mut self, mut data: &[u8]) -> Result<()> {
        while self.open && !data.is_empty() {
            let room = BATCH.saturating_sub(self.filling.weight).max(1);
            let (now, later) = data.split_at(room.min(data.len()));
            let start = self.filling.bytes.len();
            self.filling.bytes.extend_from_slice(now);
            let end = self.filling.bytes.len();
            match self.filling.steps.last_mut() {
                Some(Step::Data(range)) => {
                    range.end = end;
                    self.weigh(now.len())?;
                }
                _ => self.add(Step::Data(start..end), now.len())?,
            }
            data = later;
        }
        Ok(())
    }

    /// Completes the file, if it was begun: it gets its time as in the archive, where the file system has that.
    ///
    /// # Errors
    /// As [`Files::begin`].
    pub fn end(&mut self, member: &Member) -> Result<()> {
        if !core::mem::take(&mut self.open) {
            return Ok(());
        }
        self.add(Step::End { mtime: member.mtime }, 0)
    }

    /// Everything was read, with this report, which the log keeps: it can be gone on from there.
    ///
    /// # Errors
    /// As [`Files::begin`].
    pub(crate) fn complete(&mut self, report: &Report) -> Result<()> {
        self.add(Step::Complete(report.clone().into()), 0)
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// As [`Files::begin`].
    pub fn finish(mut self, feedback: &mut dyn Feedback) -> Result<()> {
        self.hand_over()?;
        let untimed = self.outcome()?;
        if untimed > 0 {
            feedback.notice(Notice::Remark(&format!(
                "The times of {untimed} files are those of now: the file system refuses to set others"
            )));
        }
        Ok(())
    }

    fn add(&mut self, step: Step, weight: usize) -> Result<()> {
        self.filling.steps.push(step);
        self.weigh(weight + size_of::<Step>())
    }

    fn weigh(&mut self, weight: usize) -> Result<()> {
        self.filling.weight += weight;
        if self.filling.weight < BATCH { Ok(()) } else { self.hand_over() }
    }

    fn hand_over(&mut self) -> Result<()> {
        let next = self.spare.try_recv().unwrap_or_default();
        let full = core::mem::replace(&mut self.filling, next);
        match &self.batches {
            Some(batches) if batches.send(full).is_ok() => Ok(()),
            // It ends early only when something has failed.
            _ => self.outcome().and_then(|_| Err(ended())),
        }
    }

    /// Waits for the thread, which counts the files that have not got their times. Later calls find that it has ended.
    fn outcome(&mut self) -> Result<u64> {
        self.batches = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            _ => Err(ended()),
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // Somebody else has failed, and tells.
        let _ = self.outcome();
    }
}

fn write(mut tree: Tree, mut log: Option<Log>, queue: &Receiver<Batch>, back: &Sender<Batch>) -> Result<u64> {
    for mut batch in queue {
        if let Some(bytes) = batch.read.take() {
            tree.read(bytes);
        }
        for step in batch.steps.drain(..) {
            match step {
                Step::Begin { name, mode, size } => tree.create(name, mode, size)?,
                Step::Data(range) => tree.write(batch.bytes.get(range).unwrap_or_default())?,
                Step::End { mtime } => tree.complete(Some(mtime))?,
                Step::Reopen { name, there, size } => tree.reopen(name, there, size)?,
                Step::Tell(written) => {
                    tree.flush()?;
                    // Whoever does not wait any more need not know.
                    let _ = written.try_send(());
                }
                Step::Structure(range) => {
                    let bytes = batch.bytes.get(range).unwrap_or_default();
                    log.as_mut().map_or(Ok(()), |log| log.structure(bytes))?;
                }
                Step::Record { content, place, sum } => {
                    tree.flush()?;
                    log.as_mut().map_or(Ok(()), |log| log.record(content, *place, sum))?;
                }
                Step::Complete(report) => log.take().map_or(Ok(()), |log| log.complete(report))?,
            }
        }
        batch.bytes.clear();
        batch.weight = 0;
        // Nobody takes it when there is nothing more to fill.
        let _ = back.send(batch);
    }
    Ok(tree.untimed())
}

fn ended() -> Problem {
    Problem::new(Code::IoOther).headline("a thread that writes has ended")
}

//! The one way in which a long job tells how far it is, and learns what its user wants: that it stop, and
//! how much memory it may take.

use alloc::boxed::Box;

use crate::allowance::Allowance;
use crate::code::Code;
use crate::problem::{Problem, Result};
use crate::scratch::Scratch;

/// One named stretch of a job, such as "2/4 Checking context".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase {
    /// Its number, from 1.
    pub index: u32,
    /// How many phases the job has.
    pub of: u32,
    /// What is done in it.
    pub name: &'static str,
    /// How much there is to do, in `unit`s; `None` when nobody can know (a pipe).
    pub total: Option<u64>,
    /// What is counted.
    pub unit: Unit,
    /// The stage of the job that this is a part of; `None` for a stage without parts.
    pub stage: Option<&'static str>,
}

impl Phase {
    /// The only phase of a job, which counts bytes.
    pub const fn only(name: &'static str) -> Self {
        Self { index: 1, of: 1, name, total: None, unit: Unit::Bytes, stage: None }
    }

    /// The first part of a stage, and with `after` those that follow it.
    #[must_use]
    pub const fn part(self, after: u32, name: &'static str) -> Self {
        Self { index: self.index.saturating_add(after), name, stage: Some(self.name), ..self }
    }
}

/// What the progress of a phase counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes read or written.
    Bytes,
    /// Files.
    Files,
    /// L2 blocks.
    Blocks,
}

/// Something that happened in a job, in words for its user. What it is, is for those who listen: what they do must not
/// hang on the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice<'t> {
    /// A lock is taken, for which another program may have to be waited for.
    WaitingForLock(&'t str),
    /// What did not answer is asked once more.
    Retrying(&'t str),
    /// An earlier job that was interrupted was finished, or undone.
    Recovered(&'t str),
    /// Something that an interrupted job had left was removed.
    Removed(&'t str),
    /// Something could not be removed, and stays.
    NotRemoved(&'t str),
    /// Something of the user's own stays as it is.
    Kept(&'t str),
    /// Something of the user's own is not there any more.
    NotKept(&'t str),
    /// Something that was found is of no use, and the job goes on without.
    NotUsed(&'t str),
    /// Temporary files take space.
    TakesSpace(&'t str),
    /// To whom files belong now.
    Owner(&'t str),
    /// The file system lacks something, and the job does without.
    Lacking(&'t str),
    /// Anything else worth knowing.
    Remark(&'t str),
}

impl<'t> Notice<'t> {
    /// What it is, in one word for programs.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::WaitingForLock(_) => "waiting-for-lock",
            Self::Retrying(_) => "retrying",
            Self::Recovered(_) => "recovered",
            Self::Removed(_) => "removed",
            Self::NotRemoved(_) => "not-removed",
            Self::Kept(_) => "kept",
            Self::NotKept(_) => "not-kept",
            Self::NotUsed(_) => "not-used",
            Self::TakesSpace(_) => "takes-space",
            Self::Owner(_) => "owner",
            Self::Lacking(_) => "lacking",
            Self::Remark(_) => "remark",
        }
    }

    /// The words.
    pub const fn text(self) -> &'t str {
        match self {
            Self::WaitingForLock(text)
            | Self::Retrying(text)
            | Self::Recovered(text)
            | Self::Removed(text)
            | Self::NotRemoved(text)
            | Self::Kept(text)
            | Self::NotKept(text)
            | Self::NotUsed(text)
            | Self::TakesSpace(text)
            | Self::Owner(text)
            | Self::Lacking(text)
            | Self::Remark(text) => text,
        }
    }
}

/// The user of a job, to it: hears how far it is, and says what it may do. Jobs call it a few times a second at
/// most per step of work; the receiver decides what becomes visible.
pub trait Feedback {
    /// A phase begins; the one before it is complete.
    fn phase(&mut self, phase: Phase);

    /// So much more of the current phase is done, in its unit.
    fn advance(&mut self, done: u64);

    /// The words of a [`Notice`].
    fn note(&mut self, text: &str);

    /// Something happened that the user should know. Those who only show it take the [words](Feedback::note).
    fn notice(&mut self, notice: Notice<'_>) {
        self.note(notice.text());
    }

    /// Whether the user wants the job to stop.
    fn cancelled(&self) -> bool {
        false
    }

    /// How much memory the job may take for what it keeps of its input. What would take more is not checked
    /// ([`Code::LimitMemory`]).
    fn allowance(&self) -> Allowance {
        Allowance::default()
    }

    /// Temporary space for what does not fit into the memory that is [meant for it](Allowance::table), each time a new
    /// one; `None` where there is none.
    fn scratch(&self) -> Option<Box<dyn Scratch>> {
        None
    }

    /// `Err` when the user wants the job to stop; jobs call it between steps.
    fn checkpoint(&self) -> Result<()> {
        if self.cancelled() { Err(Problem::new(Code::Cancelled)) } else { Ok(()) }
    }
}

/// The user of a job that goes on with what came out of a file: as much memory is allowed as such a file can need.
pub struct OfFile<'f> {
    feedback: &'f mut dyn Feedback,
    allowance: Allowance,
}

impl<'f> OfFile<'f> {
    /// The file has so many bytes; `None` where it was none, or nobody knows.
    pub fn new(feedback: &'f mut dyn Feedback, bytes: Option<u64>) -> Self {
        let mut allowance = feedback.allowance();
        bytes.into_iter().for_each(|bytes| allowance.read(bytes));
        Self { feedback, allowance }
    }
}

impl Feedback for OfFile<'_> {
    fn phase(&mut self, phase: Phase) {
        self.feedback.phase(phase);
    }

    fn advance(&mut self, done: u64) {
        self.feedback.advance(done);
    }

    fn note(&mut self, text: &str) {
        self.feedback.note(text);
    }

    fn notice(&mut self, notice: Notice<'_>) {
        self.feedback.notice(notice);
    }

    fn cancelled(&self) -> bool {
        self.feedback.cancelled()
    }

    fn allowance(&self) -> Allowance {
        self.allowance
    }

    fn scratch(&self) -> Option<Box<dyn Scratch>> {
        self.feedback.scratch()
    }
}

/// Listens to nothing and never stops.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Feedback for Silent {
    fn phase(&mut self, _: Phase) {}
    fn advance(&mut self, _: u64) {}
    fn note(&mut self, _: &str) {}
}

//! The stages of a long job: what a job goes through is written down once, before it begins. Bars, lines of progress and
//! the outcome all take names, numbers and times from here.

use std::time::{Duration, Instant};

use rollsnap_core::context::verify::PARTS;
use rollsnap_core::feedback::{Notice, Phase};
use rollsnap_core::scratch::Scratch;
use rollsnap_core::{Allowance, Feedback};

/// A stretch of a job with a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What is done in it.
    pub name: &'static str,
    /// What that consists of, if whoever does it announces the parts. They are phases of their own then.
    pub parts: &'static [&'static str],
}

impl Stage {
    /// A stage without parts.
    pub const fn new(name: &'static str) -> Self {
        Self { name, parts: &[] }
    }

    const fn phases(self) -> u32 {
        if self.parts.is_empty() { 1 } else { self.parts.len() as u32 }
    }
}

/// Reads a snapshot and writes its members to files.
pub const EXTRACTING: Stage = Stage::new("Extracting snapshot");

/// Reads a snapshot.
pub const READING: Stage = Stage::new("Reading snapshot");

/// Copies the files of a data directory.
pub const COPYING_DATA: Stage = Stage::new("Copying data");

/// Copies a database that cannot be read beside its users.
pub const COPYING_DATABASE: Stage = Stage::new("Copying database");

/// Looks for what the commit of a compact export needs.
pub const READING_CONTEXT: Stage = Stage::new("Reading context");

/// Writes the context of a compact export.
pub const COPYING_CONTEXT: Stage = Stage::new("Copying context");

/// Writes the archive.
pub const EXPORTING: Stage = Stage::new("Exporting snapshot");

/// Reads the archive that was written.
pub const CHECKING_SNAPSHOT: Stage = Stage::new("Checking snapshot");

/// Checks the store that is converted.
pub const CHECKING_STORE: Stage = Stage::new("Checking store");

/// Writes the store that it is converted to.
pub const WRITING_STORE: Stage = Stage::new("Writing store");

/// Runs the blocks of a compact snapshot again and writes the contexts that it lacks.
pub const RECONSTRUCTING: Stage = Stage::new("Reconstructing context");

/// Asks a node of layer 1.
pub const LAYER_1: Stage = Stage::new("Asking layer 1");

/// Renames what is complete.
pub const PUTTING_IN_PLACE: Stage = Stage::new("Putting data in place");

/// Follows the head's commit and checks the objects that it needs.
pub const CONTEXT_OF_HEAD: Stage = Stage { name: "Checking context", parts: &PARTS };

/// Reads every object of a context in one go.
pub const WHOLE_CONTEXT: Stage = Stage::new("Checking context");

/// The rules of the store, and the walk over its chain.
pub const CHAIN: Stage = Stage::new("Checking chain");

/// Unpacks a snapshot for a replay.
pub const UNPACKING: Stage = Stage::new("Unpacking snapshot");

/// Runs blocks again.
pub const REPLAYING: Stage = Stage::new("Replaying blocks");

/// How long a stage took, and its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timed {
    /// Its name.
    pub name: &'static str,
    /// The time.
    pub time: Duration,
    /// Name and time of each part, in order; empty where it has none.
    pub parts: Vec<(&'static str, Duration)>,
}

/// Announces and times the stages of a job.
#[derive(Debug)]
pub struct Stages {
    plan: Vec<Stage>,
    /// How many of the plan are over or were left out.
    passed: usize,
    begun: Option<(Stage, Instant)>,
    parts: Vec<(&'static str, Instant)>,
    done: Vec<Timed>,
}

impl Stages {
    /// A job that goes through these, in this order. It may leave some out.
    pub fn new(plan: impl IntoIterator<Item = Stage>) -> Self {
        let plan = plan.into_iter().collect();
        Self { plan, passed: 0, begun: None, parts: Vec::new(), done: Vec::new() }
    }

    /// Plans one more stage before those that are still to come: what was read by now shows that it is needed.
    pub fn add(&mut self, stage: Stage) {
        self.plan.insert(self.plan.len().min(self.passed), stage);
    }

    /// This stage of the plan comes before the others that are still to come.
    pub fn bring_forward(&mut self, stage: Stage) {
        let ahead = self.plan.iter().skip(self.passed).position(|planned| *planned == stage);
        if let Some(ahead) = ahead {
            let stage = self.plan.remove(self.passed + ahead);
            self.plan.insert(self.passed, stage);
        }
    }

    /// Begins a stage in which `total` bytes will be read or written.
    pub fn begin(&mut self, stage: Stage, total: Option<u64>, feedback: &mut dyn Feedback) {
        let phase = self.next(stage);
        feedback.phase(Phase { total, ..phase });
    }

    /// Begins a stage that announces itself, once it knows its total. What stands before it in the plan is left out.
    pub fn next(&mut self, stage: Stage) -> Phase {
        self.end();
        let ahead = self.plan[self.passed..].iter().position(|planned| *planned == stage);
        debug_assert!(ahead.is_some(), "{} is not planned", stage.name);
        self.passed += ahead.unwrap_or(0);
        self.begun = Some((stage, Instant::now()));
        let index = 1 + phases(&self.plan[..self.passed]);
        self.passed = self.plan.len().min(self.passed + 1);
        Phase { index, of: phases(&self.plan), ..Phase::only(stage.name) }
    }

    /// As [`Stages::next`], for a stage with parts, which are timed where they are announced to the feedback that this
    /// gives.
    pub fn listen<'a>(&'a mut self, stage: Stage, feedback: &'a mut dyn Feedback) -> (Phase, Listening<'a>) {
        let phase = self.next(stage);
        (phase, Listening { stages: self, feedback })
    }

    /// Ends the last stage. How long each took, in order.
    pub fn finish(mut self) -> Vec<Timed> {
        self.end();
        self.done
    }

    fn end(&mut self) {
        let Some((stage, since)) = self.begun.take() else { return };
        let now = Instant::now();
        let ends = self.parts.iter().skip(1).map(|(_, begun)| *begun).chain([now]);
        let parts = self.parts.iter().zip(ends).map(|((name, begun), end)| (*name, end - *begun)).collect();
        self.done.push(Timed { name: stage.name, time: now - since, parts });
        self.parts.clear();
    }
}

/// How many phases these stages announce.
pub fn phases(stages: &[Stage]) -> u32 {
    stages.iter().map(|stage| stage.phases()).sum()
}

/// The feedback of a job during a stage with parts.
pub struct Listening<'a> {
    stages: &'a mut Stages,
    feedback: &'a mut dyn Feedback,
}

impl Feedback for Listening<'_> {
    fn phase(&mut self, phase: Phase) {
        if phase.stage.is_some() {
            self.stages.parts.push((phase.name, Instant::now()));
        }
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
        self.feedback.allowance()
    }

    fn scratch(&self) -> Option<Box<dyn Scratch>> {
        self.feedback.scratch()
    }
}

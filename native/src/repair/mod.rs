//! Repairs of a data directory: each is planned by reading, carried out in one transaction, and checked before that is
//! committed.
//!
//! A repair is a type with the trait [`Repair`], in a file of its own here, with its options in `cli/repair/`:
//!
//! 1. [`Repair::plan`] reads what is there and gives a [`Plan`]: what is to be changed, one [`Repaired`] each, or nothing.
//!    It keeps in itself what it needs to know later. A dry run ends here, so a plan names everything that it can know.
//! 2. [`Repair::carry_out`] changes it: the store through [`Attempt::writing`], which is a transaction, or a draft of one in
//!    files; other files so that a crash at any instant leaves the old or the new ones. It gives what only came out while it
//!    worked.
//! 3. [`run`] holds the store to the rules of `verify`, before and afterwards (`check`). When something would not hold
//!    that held before, all of the transaction is taken back ([`Code::RepairUnsound`]).
//!
//! To add one: the file `native/src/repair/NAME.rs` and its `mod` and `pub use` below; `native/src/cli/repair/NAME.rs` with
//! a `NameArgs` that flattens `Common` and a function `run` that calls `cli::repair::carry_out`; a variant of
//! `RepairCommand`, with its arms, in `native/src/cli/repair/mod.rs`; and the tests in `tests/tests/repair/`.

mod above;
mod block_store;
mod chain;
mod check;
mod commitments;
mod contexts;
mod filed;
mod head;
mod history;
mod index;
mod known;
mod levels;
mod outbox;
mod pages;
mod periods;
mod pre_images;
mod rewind;
mod rewound;
mod search;
mod states;

use std::path::PathBuf;

use rollsnap_core::context;
use rollsnap_core::feedback::Phase;
use rollsnap_core::report::Problems;
use rollsnap_core::{Code, Feedback, Result};
use serde::Serialize;

use crate::jobs::{self, Stage, Stages, Timed};
use crate::modify::{self, Attempt, Held};

use check::Judged;

pub use commitments::Commitments;
pub use contexts::Contexts;
pub use head::Head;
pub use index::Index;
pub use levels::Levels;
pub use outbox::Outbox;
pub use pre_images::{Name, PreImages};
pub use rewind::{Rewind, To};

/// One kind of repair.
pub trait Repair {
    /// Reads what is there, and says what is to be changed. Writes nothing.
    ///
    /// # Errors
    /// What makes the repair impossible.
    fn plan(&mut self, subject: &mut Subject<'_, '_>, feedback: &mut dyn Feedback) -> Result<Plan>;

    /// Changes what was planned. What only came out while that was done is added to the plan.
    ///
    /// # Errors
    /// Whatever goes wrong: the transaction is then taken back.
    fn carry_out(
        &mut self,
        attempt: &mut Attempt<'_>,
        plan: &mut Plan,
        feedback: &mut dyn Feedback,
    ) -> Result<()>;

    /// What may not hold afterwards although it did before, because no repair of this kind can know better.
    fn may_leave(&self) -> &'static [Code] {
        &[]
    }
}

/// What a repair is planned from.
#[derive(Debug)]
pub struct Subject<'a, 'm> {
    /// The directory, with its store opened for reading.
    pub before: &'a mut Held<'m>,
    /// The contexts that are there.
    pub contexts: &'a context::Contexts,
    /// What does not hold in it, by the rules of `verify` for stores.
    pub problems: &'a Problems,
    /// The phase in which the plan is made: announced with a total, it is shown.
    pub phase: Phase,
}

/// What is to be changed.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Each change. None: there is nothing to do.
    pub repaired: Vec<Repaired>,
    /// The line about the result: what was done where, such as `Took DATA_DIR back from level 9 to 7`. Where there is
    /// nothing to do: why not.
    pub text: String,
    /// What else is to be known.
    pub notes: Vec<String>,
    /// Lines before and after those of the changes, where the nodes print some.
    pub begins: Vec<String>,
    /// See `begins`.
    pub ends: Vec<String>,
}

/// Something that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Repaired {
    /// What kind of thing it is, for programs: `mark`, `rows`, `block`, `commitment`, `outbox`, `context`, `file`.
    pub what: &'static str,
    /// The level that it is of, if it is of one.
    pub level: Option<i32>,
    /// What it was; `None` where there was nothing.
    pub from: Option<String>,
    /// What it is now; `None` where nothing is left.
    pub to: Option<String>,
    /// The line about it.
    pub text: String,
}

/// How to repair.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The data directory.
    pub data_dir: PathBuf,
    /// Plan it, and change nothing.
    pub dry_run: bool,
    /// What becomes of missing migrations, and where the backup goes.
    pub modify: modify::Options,
}

impl Options {
    /// To repair this directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), dry_run: false, modify: modify::Options::default() }
    }
}

/// What became of a repair.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// What was changed, or would be.
    pub plan: Plan,
    /// How far it came.
    pub status: Status,
    /// How many migrations were applied.
    pub migrations: usize,
    /// What does not hold in the store after all; `None` where nothing was changed.
    pub remaining: Option<Problems>,
    /// How long each stage took.
    pub stages: Vec<Timed>,
}

/// How far a repair came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was done.
    Done,
    /// It was planned only.
    Planned,
    /// There was nothing to do.
    Idle,
}

/// Finds out what is to be changed.
pub const PLANNING: Stage = Stage::new("Planning repair");

/// Changes it.
pub const REPAIRING: Stage = Stage::new("Repairing");

/// Repairs a data directory, or plans to.
///
/// # Errors
/// Those of [`Held::take`] and of the repair; [`Code::RepairUnsound`] when something
/// would not hold afterwards that holds now. The directory is then as it was.
pub fn run(repair: &mut dyn Repair, options: &Options, feedback: &mut dyn Feedback) -> Result<Outcome> {
    let mut stages = Stages::new([jobs::CHECKING_STORE, PLANNING, REPAIRING, jobs::CHAIN]);
    let Options { data_dir, dry_run, modify } = options;
    let mut held = match dry_run {
        true => Held::look(data_dir, modify)?,
        false => Held::take(data_dir, modify, feedback)?,
    };
    let (plan, judged) = match planned(repair, &mut held, &mut stages, feedback) {
        Ok(planned) => planned,
        Err(problem) => {
            held.release()?;
            return Err(problem);
        }
    };
    let status = if plan.repaired.is_empty() { Status::Idle } else { Status::Planned };
    if *dry_run || status == Status::Idle {
        held.release()?;
        let mut plan = plan;
        if status == Status::Planned {
            plan.notes.push(UNCHECKED.into());
        }
        let stages = stages.finish();
        return Ok(Outcome { plan, status, migrations: 0, remaining: None, stages });
    }
    let mut plan = plan;
    let (migrations, remaining) = held.change(feedback, |attempt, feedback| {
        let phase = stages.next(REPAIRING);
        feedback.phase(phase);
        repair.carry_out(attempt, &mut plan, feedback)?;
        let remaining = judged.against(attempt, repair.may_leave(), stages.next(jobs::CHAIN), feedback)?;
        Ok((attempt.migrations, remaining))
    })?;
    let stages = stages.finish();
    Ok(Outcome { plan, status: Status::Done, migrations, remaining: Some(remaining), stages })
}

/// What a dry run leaves out.
const UNCHECKED: &str =
    "What the repair would leave was not held to the rules of verify, as it is before it counts";

fn planned(
    repair: &mut dyn Repair,
    held: &mut Held<'_>,
    stages: &mut Stages,
    feedback: &mut dyn Feedback,
) -> Result<(Plan, Judged)> {
    let judged = Judged::of(held, stages.next(jobs::CHECKING_STORE), feedback)?;
    let phase = stages.next(PLANNING);
    feedback.phase(phase);
    let mut subject =
        Subject { before: held, contexts: &judged.contexts, problems: judged.problems(), phase };
    let plan = repair.plan(&mut subject, feedback)?;
    Ok((plan, judged))
}

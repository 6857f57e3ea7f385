//! `rollsnap repair`: what the repairs share, and which there are. `crate::repair` says how one is added.

mod commitments;
mod contexts;
mod head;
mod index;
mod levels;
mod outbox;
mod pre_images;
mod rewind;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Subcommand};
use rollsnap_core::{Class, Code, Feedback, Problem, Result};
use serde::Serialize;

use super::export::{JsonPhase, data_dir, phases};
use super::global::Global;
use super::headings::{OUTPUT, READ, RESULT};
use super::output::{Output, plural, shown_path};
use super::progress::Terminal;
use super::remarks;
use crate::modify::Migrations;
use crate::repair::{self, Options, Outcome, Repair, Repaired, Status};

use commitments::CommitmentsArgs;
use contexts::ContextsArgs;
use head::HeadArgs;
use index::IndexArgs;
use levels::LevelsArgs;
use outbox::OutboxArgs;
use pre_images::PreImagesArgs;
use rewind::RewindArgs;

pub(super) use outbox::{RecomputeArgs, recompute};

/// How many changes have a line.
const MOST_SHOWN: usize = 200;

/// Which repair.
#[derive(Debug, Subcommand)]
pub(super) enum RepairCommand {
    /// Take the store back to an older level, as the nodes do after a reorganisation
    Rewind(RewindArgs),
    /// Set head, finalized block and last commitments to what the chain says
    Head(HeadArgs),
    /// Write the canonical chain into the index of levels
    Levels(LevelsArgs),
    /// Make the index of the context of what its pack holds
    Index(IndexArgs),
    /// Run blocks again whose contexts are lost, and write those
    Contexts(ContextsArgs),
    /// Fetch pre-images that are missing or wrong
    PreImages(PreImagesArgs),
    /// Give the blocks of a protocol the commitments that follow from their states
    Commitments(CommitmentsArgs),
    /// Write the rows of the outboxes anew, as the states of the PVM have them
    Outbox(OutboxArgs),
}

/// The data directory, named in either way.
#[derive(Args, Debug)]
struct Place {
    /// The data directory, whose node is stopped [default: $ROLLSNAP_DATA_DIR, or
    /// ~/.tezos-smart-rollup-node]
    #[arg(value_name = "DATA_DIR", help_heading = READ)]
    directory: Option<PathBuf>,
    /// The same, as the nodes spell it
    #[arg(long, short, value_name = "DIR", conflicts_with = "directory", help_heading = READ)]
    data_dir: Option<PathBuf>,
}

/// How every repair goes about it.
#[derive(Args, Debug)]
struct Common {
    /// Say what would be changed, and change nothing
    #[arg(long, help_heading = RESULT)]
    dry_run: bool,
    /// Copy the store before anything is changed: a database to this new file, a store in files to this new directory
    #[arg(long, value_name = "FILE", help_heading = RESULT)]
    backup: Option<PathBuf>,
    /// Apply the migrations that the store of an older node lacks
    #[arg(long, help_heading = RESULT)]
    migrate: bool,
    /// Print what was changed as JSON
    #[arg(long, help_heading = OUTPUT)]
    json: bool,
    /// The store stays as it is, whichever migrations it lacks
    #[arg(skip)]
    leave: bool,
}

impl Place {
    fn path(&self) -> Result<PathBuf> {
        data_dir(self.directory.as_deref().or(self.data_dir.as_deref()))
    }
}

/// How those repairs go about it that write files beside the store, which may be of any version.
#[derive(Args, Debug)]
struct OfFiles {
    /// Say what would be changed, and change nothing
    #[arg(long, help_heading = RESULT)]
    dry_run: bool,
    /// Print what was changed as JSON
    #[arg(long, help_heading = OUTPUT)]
    json: bool,
}

impl OfFiles {
    /// The same, for a store that stays as it is.
    fn common(&self) -> Common {
        Common { dry_run: self.dry_run, backup: None, migrate: false, json: self.json, leave: true }
    }
}

impl RepairCommand {
    /// Whether results and errors are asked for as JSON.
    pub(super) fn wants_json(&self) -> bool {
        match self {
            Self::Rewind(args) => args.common.json,
            Self::Head(args) => args.common.json,
            Self::Levels(args) => args.common.json,
            Self::Index(args) => args.common.json,
            Self::Contexts(args) => args.common.json,
            Self::PreImages(args) => args.common.json,
            Self::Commitments(args) => args.common.json,
            Self::Outbox(args) => args.common.json,
        }
    }
}

pub(super) fn run(
    command: &RepairCommand,
    global: &Global,
    output: &Output,
    feedback: &mut Terminal,
) -> Result<ExitCode> {
    match command {
        RepairCommand::Rewind(args) => rewind::run(args, output, feedback),
        RepairCommand::Head(args) => head::run(args, global, output, feedback),
        RepairCommand::Levels(args) => levels::run(args, output, feedback),
        RepairCommand::Index(args) => index::run(args, output, feedback),
        RepairCommand::Contexts(args) => contexts::run(args, global, output, feedback),
        RepairCommand::PreImages(args) => pre_images::run(args, output, feedback),
        RepairCommand::Commitments(args) => commitments::run(args, global, output, feedback),
        RepairCommand::Outbox(args) => outbox::run(args, output, feedback),
    }
}

/// Carries a repair out, and says what came of it.
fn carry_out(
    repair: &mut dyn Repair,
    name: &'static str,
    data_dir: PathBuf,
    common: &Common,
    output: &Output,
    feedback: &mut Terminal,
) -> Result<ExitCode> {
    if common.dry_run && common.backup.is_some() {
        let both = "--dry-run changes nothing, so there is nothing to --backup";
        return Err(Problem::new(Code::Usage).headline(both));
    }
    let since = Instant::now();
    let mut options = Options::new(&data_dir);
    options.dry_run = common.dry_run;
    options.modify.backup.clone_from(&common.backup);
    options.modify.migrations = match () {
        () if common.leave => Migrations::Leave,
        () if common.migrate => Migrations::Apply,
        () => Migrations::Refuse,
    };
    let outcome = repair::run(repair, &options, feedback)?;
    feedback.close(true);
    let Outcome { plan, status, migrations, remaining, .. } = &outcome;
    for note in &plan.notes {
        feedback.note(&format!("Note: {note}"));
    }
    let exit_status = match status {
        Status::Idle => Class::Idle.exit_status(),
        _ => 0,
    };
    if *status == Status::Done {
        if let Some(path) = &common.backup {
            feedback.note(&format!("The store as it was is in {}", shown_path(path)));
        }
        let changes = plural(plan.repaired.len() as u64, "change", "changes");
        remarks::made(format_args!("{changes}"), since, feedback);
    }
    let wrong = remaining.as_ref().map(|problems| problems.count());
    if output.is_json() {
        output.json(&Json {
            schema: "rollsnap.repair/1",
            command: name,
            data_dir: data_dir.to_string_lossy().into_owned(),
            dry_run: common.dry_run,
            exit_status,
            repaired: &plan.repaired,
            notes: &plan.notes,
            text: &plan.text,
            migrations: *migrations,
            remaining: wrong,
            backup: common.backup.as_ref().map(|path| path.to_string_lossy().into_owned()),
            phases: phases(&outcome.stages),
        })?;
        return Ok(exit_status.into());
    }
    if *migrations > 0 {
        output.print(format_args!("{} applied\n", plural(*migrations as u64, "migration", "migrations")))?;
    }
    let changes = plan.repaired.iter().map(|Repaired { text, .. }| text).take(MOST_SHOWN);
    let more = plan.repaired.len().saturating_sub(MOST_SHOWN);
    let more = (more > 0).then(|| format!("… and {more} more, which --json lists"));
    for line in plan.begins.iter().chain(changes).chain(&more).chain(&plan.ends) {
        output.print(format_args!("{}\n", rollsnap_core::shown(line)))?;
    }
    let text = rollsnap_core::shown(&plan.text);
    match status {
        Status::Done => output.print(format_args!("{text}\n"))?,
        Status::Planned => output.print(format_args!("Nothing was changed\n"))?,
        Status::Idle => output.print(format_args!("Nothing to do: {text}\n"))?,
    }
    if let Some(wrong) = wrong.filter(|wrong| *wrong > 0) {
        let checks = plural(wrong, "check does", "checks do");
        feedback.note(&format!("Note: {checks} not hold still; rollsnap verify shows what"));
    }
    Ok(exit_status.into())
}

#[derive(Serialize)]
struct Json<'a> {
    schema: &'static str,
    command: &'static str,
    data_dir: String,
    dry_run: bool,
    exit_status: u8,
    repaired: &'a [Repaired],
    notes: &'a [String],
    text: &'a str,
    migrations: usize,
    /// How many checks of the store say no afterwards; `null` where nothing was changed.
    remaining: Option<u64>,
    backup: Option<String>,
    phases: Vec<JsonPhase>,
}

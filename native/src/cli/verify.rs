//! `rollsnap verify`: the verdicts with their evidence.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use rollsnap_core::hash::CommitmentHash;
use rollsnap_core::{Class, Code, Problem, Report, Result, Verdict};
use serde::Serialize;

use super::export::JsonPhase;
use super::global::{Global, StoreFormat};
use super::headings::{CHECKS, LIMITS, OUTPUT, READ, REPLAY};
use super::output::{FAINT, Output, check_row, plural, print, size, verdict};
use super::progress::Terminal;
use super::replay::EngineArgs;
use super::sums::SumArgs;
use super::{several, width};
use crate::data_dir::lock::left_out;
use crate::jobs::Timed;
use crate::remote::shown_name;
use crate::replay::{Scope as Blocks, Shard};
use crate::verify::{self, ContextScope, Interval, Options, Outcome, counts};

const EXAMPLES: &str = "\
Examples:
  rollsnap verify rollup.snapshot --endpoint http://localhost:8732
  rollsnap verify rollup.snapshot --require intact,consistent --quiet
  curl -fL URL | rollsnap verify -
  rollsnap verify ~/.tezos-smart-rollup-node --replay last:100";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct VerifyArgs {
    /// The snapshot file (- for standard input), a data directory, or a context alone; of several, each is verified
    #[arg(value_name = "SNAPSHOT|DATA_DIR|CONTEXT_DIR", required = true, help_heading = READ)]
    targets: Vec<PathBuf>,
    /// The last commitment as you know it from elsewhere
    #[arg(long, value_name = "HASH", help_heading = CHECKS)]
    expect_commitment: Option<CommitmentHash>,
    #[command(flatten)]
    sums: SumArgs,
    /// How much of the context is read: all of it; every commit and the objects of the head (head); or the index of
    /// commits only (none)
    #[arg(long, value_name = "SCOPE", default_value = "all", help_heading = READ)]
    context: Scope,
    /// Whose rules apply: octez (since v21: store version 5) or mavkit (and Octez before: version 4) [default: those of
    /// the nodes that read the store that is there]
    #[arg(long, alias = "format", value_name = "NODES", help_heading = CHECKS)]
    store_format: Option<StoreFormat>,
    /// Answers that must be yes, of intact, consistent, anchored and replayed: the exit status is 0 if all of them are,
    /// whatever the others say
    #[arg(long, value_name = "ANSWER", value_delimiter = ',', help_heading = CHECKS)]
    require: Vec<Answer>,
    /// Run blocks again and compare what comes of them with what is recorded: all, last:N, sample:N or FROM..TO
    #[arg(long, value_name = "BLOCKS", help_heading = REPLAY)]
    replay: Option<Blocks>,
    /// Check a share only, number K of N, of the objects of the context and of the blocks of --replay; rollsnap report
    /// merge makes one report of all
    #[arg(long, value_name = "K/N", help_heading = CHECKS)]
    shard: Option<Shard>,
    #[command(flatten)]
    engine: EngineArgs,
    /// The data directory is a copy that nobody writes to, such as a snapshot of a volume. No lock of a node is taken
    /// anyway; the report says so
    #[arg(long, help_heading = READ)]
    no_lock: bool,
    /// Stop at the first check that does not hold
    #[arg(long, help_heading = CHECKS)]
    fail_fast: bool,
    /// Directory for temporary files: a copy of the store, and what is known of the context and does not fit into memory
    /// [default: the system's]
    #[arg(long, value_name = "DIR", help_heading = LIMITS)]
    temp_dir: Option<PathBuf>,
    /// Forget what an interrupted verify of this address has kept to go on with, and begin anew
    #[arg(long, help_heading = READ)]
    restart: bool,
    /// Print the report as JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(super) json: bool,
}

/// How much of the context is read.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scope {
    /// Every object of every commit
    All,
    /// Every commit, and the objects of the head's; what streams by is read whole
    Head,
    /// The index of commits only
    None,
}

/// One of the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Answer {
    /// The file is whole, to its last byte
    Intact,
    /// Every hash and every link inside agrees
    Consistent,
    /// Layer 1 knows the last commitment, or it is the one that was expected
    Anchored,
    /// The blocks that were run again lead from one recorded state to the next
    Replayed,
}

impl Answer {
    const ALL: [Self; 4] = [Self::Intact, Self::Consistent, Self::Anchored, Self::Replayed];

    fn name(self) -> &'static str {
        match self {
            Self::Intact => "Intact",
            Self::Consistent => "Consistent",
            Self::Anchored => "Anchored",
            Self::Replayed => "Replayed",
        }
    }

    fn of(self, report: &Report) -> Verdict {
        match self {
            Self::Intact => report.verdicts.intact,
            Self::Consistent => report.verdicts.consistent,
            Self::Anchored => report.verdicts.anchored,
            Self::Replayed => report.verdicts.replayed.unwrap_or_default(),
        }
    }
}

impl From<Scope> for ContextScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::All => Self::All,
            Scope::Head => Self::Head,
            Scope::None => Self::None,
        }
    }
}

pub(super) fn run(
    args: &VerifyArgs,
    global: &Global,
    output: &Output,
    feedback: &mut Terminal,
) -> Result<ExitCode> {
    let options = Options {
        endpoint: global.endpoint()?,
        expected: args.expect_commitment,
        context: args.context.into(),
        family: args.store_format.map(Into::into),
        fail_fast: args.fail_fast,
        temp_dir: args.temp_dir.clone(),
        restart: args.restart,
        recording: Interval::default(),
        shard: args.shard,
        replay: args.replay.map(|blocks| args.engine.options(blocks, args.shard, global)),
        checksum: args.sums.read(&args.targets, feedback)?,
    };
    can_be_given(args, &options)?;
    several::each(&args.targets, output, feedback, |target, output, feedback| {
        one(target, args, &options, output, feedback)
    })
}

fn one(
    target: &Path,
    args: &VerifyArgs,
    options: &Options,
    output: &Output,
    feedback: &mut Terminal,
) -> Result<ExitCode> {
    let Outcome { mut report, stages, .. } = verify::run(target, options, feedback)?;
    if args.no_lock && target.is_dir() {
        report.add(left_out(target));
    }
    feedback.close(true);
    let missing = missing(&args.require, &report);
    let status = match &missing {
        None if args.require.is_empty() => exit_status(&report),
        None => 0,
        Some(_) => status_of(&args.require, &report),
    };
    if output.is_json() {
        let phases = super::export::phases(&stages);
        let failures = counts(&report);
        let advice = failures.keys().map(|code| (*code, code.advice())).collect();
        output.json(&Json { report: &report, failures, advice, exit_status: status, phases })?;
    } else {
        print(format_args!("{}", width::fit(&words(&report), 2, width::of_stdout())))?;
        print(format_args!("{}", summary(&report, &stages)))?;
        args.sums.print(report.container.sha256.as_deref(), output)?;
    }
    if let Some(missing) = missing {
        output.error(status, &missing);
    }
    Ok(status.into())
}

/// Refuses to look for an answer that cannot come, before anything is read.
fn can_be_given(args: &VerifyArgs, options: &Options) -> Result<()> {
    let never = |needs| Err(Problem::new(Code::Usage).headline(format!("--require {needs}")));
    if args.require.contains(&Answer::Anchored) && options.endpoint.is_none() && options.expected.is_none() {
        return never("anchored needs --endpoint or --expect-commitment");
    }
    if args.require.contains(&Answer::Replayed) && options.replay.is_none() {
        return never("replayed needs --replay");
    }
    if options.replay.is_some() && args.targets.iter().any(|target| target.as_os_str() == "-") {
        let stream = "the blocks of a snapshot that streams by cannot be replayed; name a file";
        return Err(Problem::new(Code::Usage).headline(stream));
    }
    if args.restart && !args.targets.iter().any(|target| shown_name(target).is_some()) {
        return Err(
            Problem::new(Code::Usage).headline("--restart is for addresses: of files nothing is kept")
        );
    }
    if let Some(shard) = args.shard {
        divides(args, options, shard)?;
    }
    if args.no_lock && !args.targets.iter().any(|target| target.is_dir()) {
        return Err(Problem::new(Code::Usage)
            .headline("--no-lock is for data directories: reading a snapshot takes no lock"));
    }
    if args.require.contains(&Answer::Consistent) && options.context != ContextScope::All {
        return never("consistent needs --context all");
    }
    Ok(())
}

/// Refuses a share of nothing, and a required answer that takes all shares.
fn divides(args: &VerifyArgs, options: &Options, shard: Shard) -> Result<()> {
    let refused = |why: &str| Err(Problem::new(Code::Usage).headline(why));
    if options.replay.is_none() && options.context != ContextScope::All {
        return refused("--shard divides the context (--context all) and the blocks of --replay");
    }
    if args.targets.iter().any(|target| target.as_os_str() == "-") {
        return refused("a snapshot that streams by cannot be divided; name a file");
    }
    if shard.of() > 1 && args.require.contains(&Answer::Consistent) {
        return refused("--require consistent takes all shares: see what rollsnap report merge says");
    }
    if shard.number() > 1 && args.require.contains(&Answer::Anchored) {
        return refused(
            "--require anchored is for the first share, which alone asks about the last commitment",
        );
    }
    Ok(())
}

/// Which of the required answers are not yes, in words; `None` if all are.
fn missing(required: &[Answer], report: &Report) -> Option<String> {
    let list: Vec<_> = not_given(required, report)
        .map(|answer| format!("{}: {}", answer.name(), answer.of(report).words()))
        .collect();
    (!list.is_empty()).then(|| format!("what was required does not hold: {}", list.join(", ")))
}

/// The exit status where a required answer is not yes: no is 1, or 3 for a damaged file; what could not be checked is 4
/// or 5.
fn status_of(required: &[Answer], report: &Report) -> u8 {
    let class = match not_given(required, report).find(|answer| answer.of(report) == Verdict::No) {
        Some(Answer::Intact) => return exit_status(report),
        Some(_) => Class::Answer,
        // A disk or layer 1 kept it from being checked, or the rest of the snapshot did.
        None if report.hindered().any(|check| check.code.class() != Class::Refused) => Class::Environment,
        None => Class::Refused,
    };
    class.exit_status()
}

fn not_given<'a>(required: &'a [Answer], report: &'a Report) -> impl Iterator<Item = Answer> + 'a {
    Answer::ALL.into_iter().filter(|answer| required.contains(answer) && answer.of(report) != Verdict::Yes)
}

/// A report with its summary.
#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    report: &'a Report,
    failures: BTreeMap<Code, u64>,
    /// What to do about each of these codes.
    advice: BTreeMap<Code, &'static str>,
    exit_status: u8,
    phases: Vec<JsonPhase>,
}

/// Damaged where the container is not whole; else the answer of the checks; else what kept one from being done.
pub(super) fn exit_status(report: &Report) -> u8 {
    let class = match (report.failures().next(), report.hindered().next()) {
        (Some(check), _) if report.verdicts.intact == Verdict::No => check.code.class(),
        (Some(_), _) => Class::Answer,
        (None, Some(check)) if check.code.class() == Class::Refused => Class::Refused,
        (None, Some(_)) => Class::Environment,
        (None, None) => return 0,
    };
    class.exit_status()
}

pub(super) fn words(report: &Report) -> String {
    let mut text = String::new();
    if let Some(header) = &report.header {
        text += &format!(
            "{}{} snapshot of {} at level {}\n\n",
            match (report.is_compact(), report.is_partly_compact()) {
                (true, _) => "compact ",
                (_, true) => "partly compact ",
                _ => "",
            },
            header.history_mode,
            header.rollup_address,
            header.head_level
        );
    }
    let is_shown = |answer: &Answer| *answer != Answer::Replayed || report.verdicts.replayed.is_some();
    for answer in Answer::ALL.into_iter().filter(is_shown) {
        text += &format!("{:<12} {}\n", format!("{}:", answer.name()), verdict(answer.of(report)));
    }
    text.push('\n');
    for check in &report.checks {
        text += &check_row(check);
        text.push('\n');
    }
    if report.checks_left_out > 0 {
        text += &format!("  … and {} more\n", report.checks_left_out);
    }
    text + &totals(report)
}

fn totals(report: &Report) -> String {
    let mut line = String::new();
    if let (Some(count), Some(bytes)) = (report.members.count, report.members.bytes) {
        let seen = if report.members.complete { "" } else { " seen before the damage" };
        line += &format!("{}{seen}, {}", plural(count, "member", "members"), size(bytes));
    }
    if let Some(bytes) = report.container.compressed_bytes {
        line += &format!("; file {}", size(bytes));
    }
    // Of a directory there are none.
    if line.is_empty() { "\n".into() } else { format!("\n{line}\n") }
}

/// How often each code was met, and how long it took.
fn summary(report: &Report, stages: &[Timed]) -> String {
    let mut text = String::new();
    for (code, count) in counts(report) {
        text += &format!("{count:>6} × {code}\n");
    }
    for Timed { name, time, .. } in stages {
        text += &format!("{FAINT}{name}: {:.1} s{FAINT:#}\n", time.as_secs_f64());
    }
    text
}

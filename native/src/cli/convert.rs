//! `rollsnap convert`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, ValueEnum};
use rollsnap_core::{Code, Problem, Report, Result};
use serde::Serialize;

use super::dry_run;
use super::export::{JsonPhase, phases};
use super::headings::{CHECKS, LIMITS, OUTPUT, PACKING, READ, RESULT};
use super::output::{NOTHING_TO_REPLACE, Output, shown_path, size};
use super::progress::Terminal;
use super::remarks;
use super::scope::ScopeArgs;
use super::space::SpaceArgs;
use super::stdout::Stdout;
use super::sums::SumArgs;
use crate::convert::{self, Options, Outcome, Table, Upgrade};
use crate::deflate::Level;
use crate::dir::Owner;
use crate::export::Compression;
use crate::io;

const EXAMPLES: &str = "\
Examples:
  rollsnap convert old.snapshot -o new.snapshot
  rollsnap convert --in-place DATA_DIR             its node is stopped
  rollsnap convert OLD_DATA_DIR -o NEW_DATA_DIR    the old node is stopped
  rollsnap convert old.snapshot --as data-dir -o DATA_DIR";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ConvertArgs {
    /// A data directory whose node is stopped, or a snapshot file (- for standard input)
    #[arg(value_name = "SNAPSHOT|DATA_DIR", help_heading = READ)]
    source: PathBuf,
    /// Take no lock of a data directory that is converted: for a copy that nobody writes to, such as a snapshot of a
    /// volume
    #[arg(long, help_heading = READ)]
    no_lock: bool,
    /// The data directory or snapshot to make; - writes a snapshot to standard output
    #[arg(long, short, value_name = "PATH", required_unless_present = "in_place", help_heading = RESULT)]
    output: Option<PathBuf>,
    /// Convert the data directory where it is, all or nothing; its old store stays in it as storage.old
    #[arg(
        long,
        conflicts_with_all = ["output", "kind", "force", "no_lock", "owner", "uncompressed", "fast", "best", "temp_dir", "sha256", "print_sha256", "expect_size", "no_preflight"],
        help_heading = RESULT
    )]
    in_place: bool,
    /// Remove the old store
    #[arg(long, requires = "in_place", conflicts_with = "output", help_heading = RESULT)]
    remove_old: bool,
    /// What to make: data-dir or snapshot [default: what the source is]
    #[arg(long = "as", value_name = "KIND", help_heading = RESULT)]
    kind: Option<Kind>,
    /// What to convert to
    #[arg(long, value_name = "VERSION", default_value = "v5", help_heading = RESULT)]
    to: StoreVersion,
    /// Convert into a populated data directory, or overwrite an existing file
    #[arg(long, help_heading = RESULT)]
    force: bool,
    /// Say what would be read, written, replaced and removed, which locks are taken and how much space that needs; change
    /// nothing
    #[arg(long, conflicts_with = "print_sha256", help_heading = RESULT)]
    dry_run: bool,
    /// Give a data directory to this user and group, names or numbers; for root only [default: those of the data
    /// directory, or, where it is new, of the directory that it is made in]
    #[arg(long, value_name = "USER[:GROUP]", help_heading = RESULT)]
    owner: Option<String>,
    /// Do not compress the snapshot
    #[arg(long, help_heading = PACKING)]
    uncompressed: bool,
    /// Compress the snapshot twice as fast, to about 2 % more
    #[arg(long, conflicts_with_all = ["best", "uncompressed"], help_heading = PACKING)]
    fast: bool,
    /// Compress the snapshot to about 1 % less, in six times the time
    #[arg(long, conflicts_with = "uncompressed", help_heading = PACKING)]
    best: bool,
    /// Check the store, before and afterwards, and the context; the default
    #[arg(long, overrides_with = "no_check", help_heading = CHECKS)]
    check: bool,
    /// Do neither
    #[arg(long, alias = "no-checks", overrides_with = "check", help_heading = CHECKS)]
    no_check: bool,
    #[command(flatten)]
    context: ScopeArgs,
    #[command(flatten)]
    space: SpaceArgs,
    #[command(flatten)]
    sums: SumArgs,
    /// Directory for the data of a snapshot that goes to standard output, until it is written [default: the system's]
    #[arg(long, value_name = "DIR", help_heading = LIMITS)]
    temp_dir: Option<PathBuf>,
    /// Print path, numbers of rows, times and report as JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(super) json: bool,
}

impl ConvertArgs {
    /// Whether the snapshot goes to standard output.
    pub(super) fn streams(&self) -> bool {
        !self.dry_run && self.is_stream()
    }

    /// Whether it would.
    fn is_stream(&self) -> bool {
        self.output.as_ref().is_some_and(|path| path.as_os_str() == "-")
    }
}

/// A version of the store that is made.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum StoreVersion {
    /// That of Octez since v21: store.sqlite
    V5,
}

/// What is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A data directory
    DataDir,
    /// A snapshot file
    Snapshot,
}

fn in_place(args: &ConvertArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let mut options = Upgrade::new(&args.source);
    options.check = !args.no_check;
    options.context = args.context.scope();
    options.keep_old = !args.remove_old;
    if args.dry_run {
        let plan = convert::preflight_upgrade(&options, feedback)?;
        return dry_run::show("convert", &plan, output, feedback);
    }
    let since = Instant::now();
    let outcome = convert::upgrade(&options, feedback)?;
    report(outcome, &args.sums, since, output, feedback)
}

pub(super) fn run(args: &ConvertArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let StoreVersion::V5 = args.to;
    let kind = match args.kind {
        Some(kind) => kind,
        None if io::is_dir(&args.source)? => Kind::DataDir,
        None => Kind::Snapshot,
    };
    let Some(path) = args.output.clone() else { return in_place(args, output, feedback) };
    let made = match kind {
        Kind::DataDir => convert::Output::DataDir(path),
        Kind::Snapshot => convert::Output::Snapshot {
            path,
            compression: if args.uncompressed { Compression::None } else { Compression::Gzip },
            effort: match (args.fast, args.best) {
                (true, _) => Level::FAST,
                (_, true) => Level::BEST,
                _ => Level::DEFAULT,
            },
        },
    };
    let owner = args.owner.as_deref().map(Owner::parse).transpose()?;
    let unfit = |what: &str| Err(Problem::new(Code::Usage).headline(what));
    match kind {
        _ if args.no_lock && !io::is_dir(&args.source)? => {
            return unfit("--no-lock is for data directories: reading a snapshot takes no lock");
        }
        _ if args.force && args.is_stream() => return unfit(NOTHING_TO_REPLACE),
        Kind::Snapshot if owner.is_some() => return unfit("--owner is for data directories (--as data-dir)"),
        Kind::DataDir if args.is_stream() => {
            return unfit(
                "a data directory is not one file: it is not written to standard output (--as snapshot is)",
            );
        }
        _ if args.temp_dir.is_some() && !args.is_stream() => {
            return unfit("--temp-dir is for a snapshot that goes to standard output");
        }
        Kind::DataDir if args.fast || args.best || args.uncompressed => {
            return unfit("--fast, --best and --uncompressed are for snapshots (--as snapshot)");
        }
        _ => {}
    }
    if io::is_dir(&args.source)? {
        args.space.refuse_size("snapshots: the size of a data directory is known")?;
    }
    let options = Options {
        source: args.source.clone(),
        output: made,
        force: args.force,
        check: !args.no_check,
        context: args.context.scope(),
        lock: !args.no_lock,
        owner,
        temp_dir: args.temp_dir.clone(),
        space: args.space.check(),
        checksum: args.sums.read(std::slice::from_ref(&args.source), feedback)?,
    };
    if args.dry_run {
        let plan = convert::preflight(&options, args.is_stream(), feedback)?;
        return dry_run::show("convert", &plan, output, feedback);
    }
    let since = Instant::now();
    let outcome = match args.streams() {
        true => {
            let mut out = Stdout::open("a snapshot", "rollsnap convert SOURCE -o -")?;
            convert::stream(&options, &mut out, feedback)?
        }
        false => convert::run(&options, feedback)?,
    };
    report(outcome, &args.sums, since, output, feedback)
}

/// Says what was made.
fn report(
    outcome: Outcome,
    sums: &SumArgs,
    since: Instant,
    output: &Output,
    feedback: &mut Terminal,
) -> Result<ExitCode> {
    feedback.close(true);
    remarks::tell(&outcome.report, feedback);
    let large = outcome.report.members.bytes.map_or_else(String::new, |bytes| format!(": {}", size(bytes)));
    let lock = remarks::lock(&outcome.report);
    remarks::made(format_args!("Level {}{large}{lock}", outcome.head_level), since, feedback);
    if output.is_json() {
        output.json(&Json {
            report: &outcome.report,
            path: outcome.path.map(|path| path.to_string_lossy().into_owned()),
            from_version: outcome.version,
            first_level: outcome.first_level,
            head_level: outcome.head_level,
            tables: &outcome.carried.tables,
            source_sha256: outcome.source_sha256.as_deref(),
            phases: phases(&outcome.stages),
        })?;
    } else {
        let path = outcome.path.map_or_else(|| "standard output".into(), |path| shown_path(&path));
        output.print(format_args!(
            "Converted store version {} to 5, levels {} to {}: {path}\n",
            outcome.version, outcome.first_level, outcome.head_level,
        ))?;
        sums.print(outcome.source_sha256.as_deref(), output)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A report with the facts of the conversion.
#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    report: &'a Report,
    /// `null` for standard output.
    path: Option<String>,
    from_version: u8,
    first_level: i32,
    head_level: i32,
    tables: &'a [Table],
    /// That of the snapshot that was converted, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_sha256: Option<&'a str>,
    phases: Vec<JsonPhase>,
}

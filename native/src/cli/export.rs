//! `rollsnap export`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use rollsnap_core::{Code, Problem, Report, Result};
use serde::Serialize;

use super::dry_run;
use super::global::{Global, StoreFormat};
use super::headings::{CHECKS, LIMITS, OUTPUT, PACKING, READ, RESULT};
use super::home;
use super::output::{NOTHING_TO_REPLACE, Output, shown_path, size};
use super::progress::Terminal;
use super::remarks;
use super::scope::ScopeArgs;
use super::space::FileSpaceArgs;
use super::stdout::Stdout;
use crate::data_dir::DataDir;
use crate::deflate::Level;
use crate::export::{self, Compression, Options};
use crate::jobs::Timed;
use crate::pool;
use crate::store::Packing;

const EXAMPLES: &str = "\
Examples:
  rollsnap export                              into the current directory
  rollsnap export -o backup/ --fast --quiet    from cron; the node may go on
  rollsnap export -o public/ --best            for many to fetch
  rollsnap export - | ssh HOST rollsnap import -";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ExportArgs {
    /// The snapshot to make; - writes to standard output [default: snapshot-ADDRESS-LEVEL.MODE, and
    /// .compact behind that for a compact one]
    #[arg(value_name = "FILE", conflicts_with_all = ["dest", "output"], help_heading = RESULT)]
    file: Option<PathBuf>,
    /// The same; or a directory to put it in, one that exists or whose name ends with a slash
    #[arg(long, short, value_name = "PATH", conflicts_with = "dest", help_heading = RESULT)]
    output: Option<PathBuf>,
    /// Directory to put the snapshot in; made if missing [default: the current one]
    #[arg(long, value_name = "DIR", help_heading = RESULT)]
    dest: Option<PathBuf>,
    /// Overwrite an existing file
    #[arg(long, help_heading = RESULT)]
    force: bool,
    /// Say what would be read, written, replaced and removed, which locks are taken and how much space that needs; change
    /// nothing
    #[arg(long, help_heading = RESULT)]
    dry_run: bool,
    /// Data directory of the rollup node [default: $ROLLSNAP_DATA_DIR, or
    /// ~/.tezos-smart-rollup-node]
    #[arg(long, short, value_name = "DIR", help_heading = READ)]
    data_dir: Option<PathBuf>,
    /// Cut the store at this level: head, finalized, cemented or a number; stores of version 4 have
    /// their head only [default: finalized]
    #[arg(long, value_name = "LEVEL", help_heading = READ)]
    level: Option<String>,
    /// Take the context of the first available block only: smaller, but nodes rebuild all later
    /// ones by replay when they import it, which takes hours or days
    #[arg(long, help_heading = READ)]
    compact: bool,
    /// Take no locks: for a copy of a data directory that nobody writes to, such as a snapshot of a volume
    #[arg(long, conflicts_with_all = ["lock_timeout", "rollup_node_endpoint"], help_heading = READ)]
    no_lock: bool,
    /// RPC address of the rollup node: its garbage collection is stopped first, instead of
    /// waiting for its end
    #[arg(long, value_name = "URL", help_heading = READ)]
    rollup_node_endpoint: Option<String>,
    /// Do not compress
    #[arg(long, help_heading = PACKING)]
    uncompressed: bool,
    /// Compress twice as fast, to about 2 % more: level 1
    #[arg(long, conflicts_with_all = ["best", "compression_level", "uncompressed"], help_heading = PACKING)]
    fast: bool,
    /// Compress to about 1 % less, in six times the time: level 9, for files that many will fetch
    #[arg(long, conflicts_with_all = ["compression_level", "uncompressed"], help_heading = PACKING)]
    best: bool,
    /// How hard to compress, from 1 (fast) to 9 (small)
    #[arg(
        long,
        value_name = "1-9",
        default_value_t = 6,
        value_parser = clap::value_parser!(u8).range(1..=9),
        conflicts_with = "uncompressed",
        help_heading = PACKING
    )]
    compression_level: u8,
    /// Compress while the archive is written. It always is: the option is there for scripts made for the nodes
    #[arg(long, help_heading = PACKING)]
    compress_on_the_fly: bool,
    /// Copy the database page by page instead of writing it anew: faster for the store, but what the
    /// node has deleted stays in it
    #[arg(long, help_heading = PACKING)]
    no_vacuum: bool,
    /// Check store, chain and context, ask layer 1, and read the finished snapshot back; the default
    #[arg(long, overrides_with = "no_check", help_heading = CHECKS)]
    check: bool,
    /// Do none of that
    #[arg(long, alias = "no-checks", overrides_with = "check", help_heading = CHECKS)]
    no_check: bool,
    #[command(flatten)]
    context: ScopeArgs,
    /// Whose rules apply: octez (since v21: store version 5) or mavkit (and Octez before: version 4) [default: those of
    /// the nodes that read the store that is there]
    #[arg(long, alias = "format", value_name = "NODES", help_heading = CHECKS)]
    store_format: Option<StoreFormat>,
    /// Give up with exit status 4 when the node still holds one of its locks after so many seconds [default: wait]
    #[arg(long, value_name = "SECONDS", help_heading = LIMITS)]
    lock_timeout: Option<u64>,
    /// Directory for a temporary copy of the store, which is as large as the store [default: beside the snapshot; with -,
    /// the system's directory for temporary files]
    #[arg(long, value_name = "DIR", help_heading = LIMITS)]
    temp_dir: Option<PathBuf>,
    #[command(flatten)]
    space: FileSpaceArgs,
    /// Print path, sizes, times and report as JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(super) json: bool,
}

impl ExportArgs {
    /// Whether the snapshot goes to standard output.
    pub(super) fn streams(&self) -> bool {
        !self.dry_run && self.is_stream()
    }

    /// Whether it would.
    fn is_stream(&self) -> bool {
        self.file.iter().chain(&self.output).any(|path| path.as_os_str() == "-")
    }

    /// Where the snapshot goes, unless it goes to standard output.
    fn output(&self) -> Result<export::Output> {
        match (&self.file, &self.output) {
            (Some(file), _) => Ok(export::Output::File(file.clone())),
            (None, Some(path)) => export::Output::at(path),
            (None, None) => Ok(export::Output::Directory(self.dest.clone())),
        }
    }
}

/// How the command was spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// `rollsnap export`
    Ours,
    /// `rollsnap snapshot export`, for scripts that know where a node puts its snapshot.
    Nodes,
}

pub(super) fn run(
    args: &ExportArgs,
    global: &Global,
    spelling: Spelling,
    output: &Output,
    feedback: &mut Terminal,
) -> Result<ExitCode> {
    if args.uncompressed && args.compress_on_the_fly {
        let both = "Cannot have both --uncompressed and --compress-on-the-fly";
        return Err(Problem::new(Code::Usage).headline(both));
    }
    if args.force && args.is_stream() {
        return Err(Problem::new(Code::Usage).headline(NOTHING_TO_REPLACE));
    }
    if args.is_stream() {
        args.space.refuse_size("a file: standard output takes what there is")?;
    }
    let options = Options {
        output: args.output()?,
        compression: if args.uncompressed { Compression::None } else { Compression::Gzip },
        effort: match args.compression_level {
            _ if args.fast => Level::FAST,
            _ if args.best => Level::BEST,
            level => Level::new(level),
        },
        jobs: pool::cores(),
        level: args.level.as_deref().map(str::parse).transpose()?,
        family: args.store_format.map(Into::into),
        packing: if args.no_vacuum { Packing::Pages } else { Packing::Packed },
        compact: args.compact,
        plain_name: spelling == Spelling::Nodes,
        check: !args.no_check,
        context: args.context.scope(),
        force: args.force,
        lock: !args.no_lock,
        lock_timeout: args.lock_timeout.map(Duration::from_secs),
        temp_dir: args.temp_dir.clone(),
        endpoint: global.endpoint()?,
        rollup_node_endpoint: args.rollup_node_endpoint.clone(),
        space: args.space.check(),
        ..Options::new(data_dir(args.data_dir.as_deref())?)
    };
    if args.dry_run {
        let plan = export::preflight(&options, args.is_stream(), feedback)?;
        return dry_run::show("export", &plan, output, feedback);
    }
    let since = Instant::now();
    let outcome = match args.streams() {
        true => export::stream(&options, &mut Stdout::open("a snapshot", "rollsnap export -")?, feedback)?,
        false => export::run(&options, feedback)?,
    };
    feedback.close(true);
    remarks::tell(&outcome.report, feedback);
    if let Some(header) = &outcome.report.header {
        let lock = remarks::lock(&outcome.report);
        remarks::made(
            format_args!("Level {}: {}{lock}", header.head_level, size(outcome.bytes)),
            since,
            feedback,
        );
    }
    if output.is_json() {
        output.json(&Json {
            report: &outcome.report,
            path: outcome.path.map(|path| path.to_string_lossy().into_owned()),
            bytes: outcome.bytes,
            locks_held_ms: outcome.locks_held.as_millis() as u64,
            phases: phases(&outcome.stages),
        })?;
    } else {
        let path = outcome.path.map_or_else(|| "standard output".into(), |path| shown_path(&path));
        output.print(format_args!("Snapshot exported to {path}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A report with the facts of the export.
#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    report: &'a Report,
    /// `null` for standard output.
    path: Option<String>,
    bytes: u64,
    locks_held_ms: u64,
    phases: Vec<JsonPhase>,
}

/// A stage of a job and how long it took, with its parts where it has some.
#[derive(Serialize)]
pub(super) struct JsonPhase {
    name: &'static str,
    ms: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<JsonPhase>,
}

impl JsonPhase {
    fn new(name: &'static str, time: Duration) -> Self {
        Self { name, ms: time.as_millis() as u64, parts: Vec::new() }
    }
}

pub(super) fn phases(stages: &[Timed]) -> Vec<JsonPhase> {
    let of = |stage: &Timed| JsonPhase {
        parts: stage.parts.iter().map(|(name, time)| JsonPhase::new(name, *time)).collect(),
        ..JsonPhase::new(stage.name, stage.time)
    };
    stages.iter().map(of).collect()
}

/// The data directory that is meant: the one that was given, that of the environment, or the default of the nodes.
pub(super) fn data_dir(given: Option<&std::path::Path>) -> Result<PathBuf> {
    // An empty variable means none, as a service file leaves it where nothing is set.
    let variable = || std::env::var_os("ROLLSNAP_DATA_DIR").filter(|value| !value.is_empty()).map(home::path);
    let path = given.map(Into::into).or_else(variable).or_else(DataDir::default_path).ok_or_else(|| {
        Problem::new(Code::Usage)
            .headline("there is no home directory: name the data directory with --data-dir")
    })?;
    home::is_of_nobody(path)
}

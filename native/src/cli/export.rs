//! `rollsnap export`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use rollsnap_core::{Code, Problem, Report, Result};
use serde::Serialize;

use super::global::{Format, Global};
use super::output::{Output, shown_path, size};
use super::progress::Terminal;
use super::remarks;
use super::stdout::Stdout;
use crate::data_dir::DataDir;
use crate::deflate::{self, Level};
use crate::export::{self, Compression, Options};
use crate::jobs::Timed;
use crate::store::Packing;

#[derive(Args, Debug)]
pub(super) struct ExportArgs {
    /// The snapshot file to make; - writes to standard output [default: snapshot-ADDRESS-LEVEL.MODE]
    #[arg(value_name = "FILE", conflicts_with = "dest")]
    file: Option<PathBuf>,
    /// Data directory of the rollup node [default: $ROLLSNAP_DATA_DIR, or
    /// ~/.tezos-smart-rollup-node]
    #[arg(long, short, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Directory to put the snapshot in; made if missing [default: the current one]
    #[arg(long, value_name = "DIR")]
    dest: Option<PathBuf>,
    /// Compress while the archive is written. It always is: the option is there for scripts made for the nodes
    #[arg(long)]
    compress_on_the_fly: bool,
    /// Do not compress
    #[arg(long)]
    uncompressed: bool,
    /// How hard to compress, from 1 (fast) to 9 (small)
    #[arg(long, value_name = "1-9", default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=9))]
    compression_level: u8,
    /// Compress twice as fast, to about 2 % more
    #[arg(long, conflicts_with_all = ["compression_level", "uncompressed"])]
    fast: bool,
    /// How many threads compress [default: one for each core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Cut the store at this level: head, finalized, cemented or a number; stores of version 4 have
    /// their head only [default: finalized]
    #[arg(long, value_name = "LEVEL")]
    level: Option<String>,
    /// Whose rules apply [default: those of the nodes that read the store that is there]
    #[arg(long, value_name = "NODES")]
    format: Option<Format>,
    /// Copy the database page by page instead of writing it anew: faster for the store, but what the
    /// node has deleted stays in it
    #[arg(long)]
    no_vacuum: bool,
    /// Take the context of the first available block only: smaller, but nodes rebuild all later
    /// ones by replay when they import it, which takes hours or days
    #[arg(long)]
    compact: bool,
    /// Do not ask layer 1, do not read the finished snapshot back, do not check its chain
    #[arg(long, alias = "no-checks")]
    no_check: bool,
    /// Overwrite an existing file
    #[arg(long)]
    force: bool,
    /// Give up with exit status 4 when the node still holds one of its locks after so many seconds [default: wait]
    #[arg(long, value_name = "SECONDS")]
    lock_timeout: Option<u64>,
    /// Directory for a temporary copy of the store, which is as large as the store [default: beside the snapshot; with -,
    /// the system's directory for temporary files]
    #[arg(long, value_name = "DIR")]
    temp_dir: Option<PathBuf>,
    /// RPC address of the rollup node: its garbage collection is stopped first, instead of
    /// waiting for its end
    #[arg(long, value_name = "URL")]
    rollup_node_endpoint: Option<String>,
    /// Print path, sizes, times and report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl ExportArgs {
    /// Whether the snapshot goes to standard output.
    pub(super) fn streams(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.as_os_str() == "-")
    }
}

pub(super) fn run(
    args: &ExportArgs,
    global: &Global,
    output: &Output,
    feedback: &mut Terminal,
) -> Result<ExitCode> {
    if args.uncompressed && args.compress_on_the_fly {
        let both = "Cannot have both --uncompressed and --compress-on-the-fly";
        return Err(Problem::new(Code::Usage).headline(both));
    }
    let options = Options {
        output: match &args.file {
            Some(file) => export::Output::File(file.clone()),
            None => export::Output::Directory(args.dest.clone()),
        },
        compression: if args.uncompressed { Compression::None } else { Compression::Gzip },
        effort: if args.fast { Level::Fast } else { Level::Zlib(args.compression_level) },
        jobs: args.jobs.unwrap_or_else(deflate::Options::all_cores),
        level: args.level.as_deref().map(str::parse).transpose()?,
        family: args.format.map(Into::into),
        packing: if args.no_vacuum { Packing::Pages } else { Packing::Packed },
        compact: args.compact,
        check: !args.no_check,
        force: args.force,
        lock_timeout: args.lock_timeout.map(Duration::from_secs),
        temp_dir: args.temp_dir.clone(),
        endpoint: global.node.endpoint.clone(),
        rollup_node_endpoint: args.rollup_node_endpoint.clone(),
        ..Options::new(data_dir(args.data_dir.as_deref())?)
    };
    let since = Instant::now();
    let outcome = match args.streams() {
        true => export::stream(&options, &mut Stdout::open()?, feedback)?,
        false => export::run(&options, feedback)?,
    };
    feedback.close(true);
    remarks::tell(&outcome.report, feedback);
    if let Some(header) = &outcome.report.header {
        remarks::made(format_args!("Level {}: {}", header.head_level, size(outcome.bytes)), since, feedback);
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
    let variable =
        || std::env::var_os("ROLLSNAP_DATA_DIR").filter(|value| !value.is_empty()).map(PathBuf::from);
    given.map(Into::into).or_else(variable).or_else(DataDir::default_path).ok_or_else(|| {
        Problem::new(Code::Usage)
            .headline("there is no home directory: name the data directory with --data-dir")
    })
}

//! `rollsnap replay`: blocks are run again, with a line for each.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use rollsnap_core::hash::BlockHash;
use rollsnap_core::replay::no_start;
use rollsnap_core::store::Rows;
use rollsnap_core::{Code, Feedback, Problem, Report, Result};
use serde::Serialize;

use super::export::data_dir;
use super::global::{Global, StoreFormat};
use super::headings::{CHECKS, LIMITS, OUTPUT, READ, REPLAY};
use super::output::{NOT_UNPACKED, Output, check_row, grouped, plural, print};
use super::progress::Terminal;
use super::verify::exit_status;
use crate::data_dir::metadata;
use crate::memory;
use crate::replay::{self, BlockRun, EngineKind, Options, Outcome, Place, Scope, Shard};
use crate::store::{AnyStore, LevelRequest, open_any};

/// The engine, and what it may take.
#[derive(Args, Debug)]
pub(super) struct EngineArgs {
    /// What runs kernels, all of which come to the same: the interpreter, the compiler (where it was built in), or either
    /// (auto)
    #[arg(long, value_name = "ENGINE", default_value = "auto", help_heading = REPLAY)]
    engine: Engine,
    /// How long one run of a kernel may take, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 600,
        value_parser = clap::value_parser!(u64).range(1..=86_400),
        help_heading = REPLAY
    )]
    kernel_timeout: u64,
    /// Memory that one run of a kernel may take, such as 512M or 4G
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = memory::size, help_heading = REPLAY)]
    kernel_memory: u64,
    /// RPC address of a DAL node, for rollups that read pages of the data availability layer
    #[arg(long, value_name = "URL", help_heading = REPLAY)]
    dal_node: Option<String>,
}

/// What runs kernels.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Engine {
    /// The interpreter, and the compiler where it pays
    Auto,
    /// The interpreter
    Interpreter,
    /// The compiler
    #[cfg(feature = "jit")]
    Compiler,
}

impl EngineArgs {
    pub(super) fn options(&self, scope: Scope, shard: Option<Shard>, global: &Global) -> Options {
        Options {
            scope,
            shard,
            engine: match self.engine {
                Engine::Auto => EngineKind::Auto,
                Engine::Interpreter => EngineKind::Interpreter,
                #[cfg(feature = "jit")]
                Engine::Compiler => EngineKind::Compiler,
            },
            kernel_time: Duration::from_secs(self.kernel_timeout),
            kernel_memory: self.kernel_memory,
            endpoint: global.endpoint.clone(),
            dal_node: self.dal_node.clone(),
            threads: global.jobs,
            ..Options::default()
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  rollsnap replay ~/.tezos-smart-rollup-node     all blocks after the first state
  rollsnap replay rollup.snapshot --from 5010 --to 5020
  rollsnap replay block 5010 --data-dir DIR      as the nodes spell it
  rollsnap replay blocks from 5010 to 5020";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ReplayArgs {
    /// A data directory or a snapshot file; or block BLOCK, or blocks from LEVEL to LEVEL, of --data-dir
    #[arg(value_name = "DATA_DIR|SNAPSHOT", required = true, num_args = 1..=5, help_heading = READ)]
    what: Vec<PathBuf>,
    /// First block: a level, head, finalized or cemented [default: the first one behind a context]
    #[arg(long, value_name = "LEVEL", help_heading = READ)]
    from: Option<String>,
    /// Last block [default: head]
    #[arg(long, value_name = "LEVEL", help_heading = READ)]
    to: Option<String>,
    /// Data directory for block and blocks [default: $ROLLSNAP_DATA_DIR, or
    /// ~/.tezos-smart-rollup-node]
    #[arg(long, short, value_name = "DIR", help_heading = READ)]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArgs,
    /// Whose rules apply: octez (since v21: store version 5) or mavkit (and Octez before: version 4) [default: those of
    /// the nodes that read the store that is there]
    #[arg(long, alias = "format", value_name = "NODES", help_heading = CHECKS)]
    store_format: Option<StoreFormat>,
    /// Directory to unpack a snapshot in [default: the system's]
    #[arg(long, value_name = "DIR", help_heading = LIMITS)]
    temp_dir: Option<PathBuf>,
    /// Print the report with its blocks as JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(super) json: bool,
}

/// Which blocks of what.
struct Wanted {
    target: PathBuf,
    from: Option<String>,
    to: Option<String>,
}

impl ReplayArgs {
    /// Reads the words: a path, or what the nodes say.
    fn wanted(&self) -> Result<Wanted> {
        let words: Vec<&str> = self.what.iter().filter_map(|word| word.to_str()).collect();
        let (from, to) = match words[..] {
            ["block", block] => (block, block),
            ["blocks", "from", from, "to", to] => (from, to),
            _ => {
                let [target] = &self.what[..] else { return Err(misspelled()) };
                if self.data_dir.is_some() {
                    let twice = "the data directory is named twice: as DATA_DIR and with --data-dir";
                    return Err(Problem::new(Code::Usage).headline(twice));
                }
                return Ok(Wanted { target: target.clone(), from: self.from.clone(), to: self.to.clone() });
            }
        };
        if self.from.is_some() || self.to.is_some() {
            return Err(misspelled());
        }
        let target = data_dir(self.data_dir.as_deref())?;
        Ok(Wanted { target, from: Some(from.into()), to: Some(to.into()) })
    }
}

fn misspelled() -> Problem {
    Problem::new(Code::Usage)
        .expected("DATA_DIR, SNAPSHOT, block BLOCK, or blocks from LEVEL to LEVEL")
        .found("other words")
}

pub(super) fn run(
    args: &ReplayArgs,
    global: &Global,
    output: &Output,
    feedback: &mut Terminal,
) -> Result<ExitCode> {
    let Wanted { target, from, to } = args.wanted()?;
    global.endpoint()?;
    if target == Path::new("-") {
        let stream = "the blocks of a snapshot that streams by cannot be replayed; name a file";
        return Err(Problem::new(Code::Usage).headline(stream));
    }
    // What is no level is said before anything is unpacked.
    let from = from.as_deref().map(str::parse).transpose()?;
    let to = to.as_deref().map(str::parse).transpose()?;
    in_order(&from, &to)?;
    let place = Place::open(&target, args.temp_dir.as_deref(), Place::UNPACKING, feedback)?;
    if args.temp_dir.is_some() && place.file_bytes().is_none() {
        feedback.note(NOT_UNPACKED);
    }
    place.file_bytes().into_iter().for_each(|bytes| feedback.of_file(bytes));
    let mut options = args.engine.options(Scope::All, None, global);
    options.family = args.store_format.map(Into::into);
    options.scope = scope(&place, &options, from.as_ref(), to.as_ref())?;
    let mut rows = Vec::new();
    let mut shown = Ok(());
    if !output.is_json() {
        feedback.results_stream();
    }
    let phase = Place::REPLAYING;
    let outcome = replay::run(&place, &options, None, phase, feedback, &mut |run| {
        if output.is_json() {
            rows.push(Row::of(run));
        } else if shown.is_ok() {
            shown = print(format_args!("{}\n", line(run)));
        }
    })?;
    feedback.close(true);
    shown?;
    let mut report = Report::new();
    let info = options.info(&outcome);
    info.conclude(outcome.stopped.as_ref(), &mut report);
    if output.is_json() {
        let millis = u64::try_from(outcome.time.as_millis()).unwrap_or(u64::MAX);
        let exit_status = exit_status(&report);
        output.json(&Json { report: &report, exit_status, blocks: rows, time_ms: millis })?;
    } else {
        for check in &report.checks {
            print(format_args!("{}\n", check_row(check)))?;
        }
        print(format_args!("{}\n", speed(&outcome)))?;
    }
    Ok(exit_status(&report).into())
}

/// A block as a user names it.
enum Named {
    Hash(BlockHash),
    Level(LevelRequest),
}

impl FromStr for Named {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self> {
        text.parse().map(Self::Hash).or_else(|_| text.parse().map(Self::Level))
    }
}

/// What is seen without a store.
fn in_order(from: &Option<Named>, to: &Option<Named>) -> Result<()> {
    match (from, to) {
        (Some(Named::Level(LevelRequest::Level(from))), Some(Named::Level(LevelRequest::Level(to))))
            if from > to =>
        {
            Err(out_of_order(*from, *to))
        }
        _ => Ok(()),
    }
}

fn out_of_order(from: i32, to: i32) -> Problem {
    Problem::new(Code::Usage).headline(format!("level {from} is above level {to}"))
}

/// The blocks between two levels that a user names.
fn scope(place: &Place, options: &Options, from: Option<&Named>, to: Option<&Named>) -> Result<Scope> {
    if from.is_none() && to.is_none() {
        return Ok(Scope::All);
    }
    let store = open_any(place.root(), options.family)?;
    // What is no directory of a node is said in the words that tell so.
    metadata::require(place.root())?;
    let head = store.head()?.level;
    let to = to.map_or(Ok(head), |named| level(&store, named))?;
    let Some(from) = from else {
        let first = store.first_available()?;
        return match to > first {
            true => Ok(Scope::Levels(first.saturating_add(1), to)),
            false => Err(no_start(to).because(format_args!("the first context is that of level {first}"))),
        };
    };
    match level(&store, from)? {
        from if from <= to => Ok(Scope::Levels(from, to)),
        // It is compared with the head where that is all there is to it.
        from if to == head => Ok(Scope::Levels(from, from)),
        from => Err(out_of_order(from, to)),
    }
}

/// The level of a block.
fn level(store: &AnyStore, named: &Named) -> Result<i32> {
    let level = match named {
        Named::Hash(hash) => crate::store::block_of(store, hash)?.map(|block| block.level),
        Named::Level(LevelRequest::Head) => Some(store.head()?.level),
        Named::Level(LevelRequest::Finalized) => store.state()?.finalized.map(|mark| mark.level),
        Named::Level(LevelRequest::Cemented) => store.state()?.lcc.map(|mark| mark.level),
        Named::Level(LevelRequest::Level(level)) => Some(*level),
    };
    let what = || match named {
        Named::Hash(hash) => format!("the store has no block {hash}"),
        Named::Level(LevelRequest::Cemented) => "the store records no cemented commitment".into(),
        Named::Level(_) => "the store records no finalized block".into(),
    };
    level.ok_or_else(|| Problem::new(Code::LevelUnavailable).headline(what()))
}

/// `level 5001: 22,000,000,000 ticks, 1 run, 0.3 ms`
fn line(run: &BlockRun) -> String {
    let context = if run.has_context { ", context" } else { "" };
    let ticks = u64::try_from(run.ticks).map_or_else(|_| run.ticks.to_string(), grouped);
    format!(
        "level {}: {ticks} ticks, {}{context}, {:.1} ms",
        run.level,
        plural(run.runs, "run", "runs"),
        run.time.as_secs_f64() * 1000.0
    )
}

fn speed(outcome: &Outcome) -> String {
    let seconds = outcome.time.as_secs_f64();
    format!("{} in {seconds:.2} s", plural(outcome.blocks, "block", "blocks"))
}

/// A report with its blocks.
#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    report: &'a Report,
    exit_status: u8,
    blocks: Vec<Row>,
    time_ms: u64,
}

/// A block that was run.
#[derive(Serialize)]
struct Row {
    level: i32,
    /// Texts, because ticks have more digits than numbers of JSON have everywhere.
    initial_tick: String,
    ticks: String,
    runs: u64,
    phase: &'static str,
    context: bool,
    time_us: u64,
}

impl Row {
    fn of(run: &BlockRun) -> Self {
        Self {
            level: run.level,
            initial_tick: run.initial_tick.to_string(),
            ticks: run.ticks.to_string(),
            runs: run.runs,
            phase: run.phase.as_str(),
            context: run.has_context,
            time_us: u64::try_from(run.time.as_micros()).unwrap_or(u64::MAX),
        }
    }
}

//! `rollsnap levels`: what a store has at each level, one row a level.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rollsnap_core::feedback::Phase;
use rollsnap_core::store::{Level, Span};
use rollsnap_core::{Class, Code, Feedback, Problem, Result, shown};
use serde::Serialize;

use super::headings::{LIMITS, OUTPUT, READ};
use super::json;
use super::output::{FAINT, NOT_UNPACKED, Output, grouped, plural, written};
use super::progress::Terminal;
use crate::context::{Levels, Target};

const EXAMPLES: &str = "\
Examples:
  rollsnap levels rollup.snapshot
  rollsnap levels DATA_DIR --from 5010 --to 5020
  rollsnap levels DATA_DIR --json | jq 'select(.commitment) | .level'";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct LevelsArgs {
    /// A snapshot file (- for standard input), or a data directory
    #[arg(value_name = "SNAPSHOT|DATA_DIR", help_heading = READ)]
    source: PathBuf,
    /// The first level [default: the lowest one of the store]
    #[arg(long, value_name = "LEVEL", help_heading = READ)]
    from: Option<u32>,
    /// The last level [default: that of the head]
    #[arg(long, value_name = "LEVEL", help_heading = READ)]
    to: Option<u32>,
    /// Directory for temporary files: the store of a compressed snapshot [default: the system's]
    #[arg(long, value_name = "DIR", help_heading = LIMITS)]
    temp_dir: Option<PathBuf>,
    /// Print each level as a line of JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(super) json: bool,
}

pub(super) fn run(args: &LevelsArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let level = |level: Option<u32>| level.map(i32::try_from).transpose();
    let levels = level(args.from).and_then(|from| Ok((from, level(args.to)?)));
    let (from, to) =
        levels.map_err(|_| Problem::new(Code::LevelRequest).headline("no level is above 2147483647"))?;
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(Problem::new(Code::Usage).headline("--from is a level above that of --to"));
    }
    let mut target = Target::open_store(&args.source, args.temp_dir.as_deref(), feedback)?;
    target.file_bytes.into_iter().for_each(|bytes| feedback.of_file(bytes));
    if args.temp_dir.is_some() && target.file_bytes.is_none() {
        feedback.note(NOT_UNPACKED);
    }
    feedback.results_stream();
    feedback.phase(Phase::only("Reading levels"));
    let mut list = List { json: output.is_json(), out: anstream::stdout().lock(), rows: 0, faults: 0 };
    match &mut target.levels {
        Levels::Node(store) => {
            let span = Span::of(store, from, to)?;
            list.begin()?;
            span.read(store, &*feedback, |level| list.row(&level))
        }
        Levels::Snapshot(store) => {
            let span = Span::of(store, from, to)?;
            list.begin()?;
            span.read(store, &*feedback, |level| list.row(&level))
        }
        Levels::None(problem) => Err(problem.clone()),
    }?;
    feedback.close(true);
    list.end(output)
}

/// The rows, printed as they come.
struct List {
    json: bool,
    out: anstream::AutoStream<std::io::StdoutLock<'static>>,
    rows: u64,
    /// How many levels lack something.
    faults: u64,
}

/// A line of JSON.
#[derive(Serialize)]
struct Line<'l> {
    schema: &'static str,
    #[serde(flatten)]
    level: &'l Level,
}

impl List {
    fn begin(&mut self) -> Result<()> {
        if self.json {
            return Ok(());
        }
        let title = format!(
            "{:>10}  {:<51}  {:>8}  {:>12}  {:>18}  {}",
            "level", "block", "messages", "bytes", "ticks", "marks"
        );
        written(writeln!(self.out, "{FAINT}{title}{FAINT:#}"))
    }

    fn row(&mut self, level: &Level) -> Result<()> {
        self.rows += 1;
        self.faults += u64::from(level.problem.is_some());
        if self.json {
            let text = json::text(&Line { schema: "rollsnap.level/1", level });
            let text =
                text.map_err(|err| Problem::new(Code::IoOther).headline("cannot make JSON").caused_by(err))?;
            return written(writeln!(self.out, "{text}"));
        }
        let number = |number: Option<u64>| number.map_or_else(|| "-".into(), grouped);
        let ticks = level.ticks.and_then(|ticks| u64::try_from(ticks).ok());
        let block = level.block.map_or_else(|| "-".into(), |block| block.to_string());
        let mut marks = Vec::new();
        if level.first_context {
            marks.push("first context");
        } else if level.context.is_some() {
            marks.push("context");
        }
        if level.commitment.is_some() {
            marks.push(if level.cemented { "commitment, cemented" } else { "commitment" });
        }
        if level.finalized {
            marks.push("final");
        }
        let marks = marks.join(", ");
        let problem = level.problem.as_ref().map_or_else(String::new, |problem| {
            format!("{}{}", if marks.is_empty() { "" } else { "; " }, shown(problem))
        });
        written(writeln!(
            self.out,
            "{:>10}  {block:<51}  {:>8}  {:>12}  {:>18}  {marks}{problem}",
            level.level,
            number(level.messages),
            number(level.message_bytes),
            number(ticks),
        ))
    }

    /// What is missing is no judgement, but no complete list either.
    fn end(mut self, output: &Output) -> Result<ExitCode> {
        written(self.out.flush())?;
        drop(self.out);
        if self.faults == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        let exit_status = Class::Answer.exit_status();
        let (faults, rows) = (plural(self.faults, "level lacks", "levels lack"), grouped(self.rows));
        output.error(exit_status, &format!("{faults} something, of {rows}: rollsnap verify says what"));
        Ok(exit_status.into())
    }
}

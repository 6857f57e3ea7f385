//! The command line: arguments in, jobs run, words and exit status out.

mod args;
mod context;
mod convert;
mod demo;
mod download;
mod dry_run;
mod export;
mod failure;
mod global;
mod headings;
mod home;
mod import;
mod index;
mod info;
mod json;
mod levels;
mod manifest;
mod members;
mod output;
mod page;
mod progress;
mod remarks;
mod repair;
mod replay;
mod report;
mod rows;
mod schema;
mod scope;
mod several;
mod shell;
mod space;
mod stdout;
mod sums;
mod verify;
mod width;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};
use rollsnap_core::shown::is_plain;
use rollsnap_core::{Code, Problem, Result};

use args::{Cli, Command, SnapshotCommand};
use export::Spelling;
use global::ProgressForm;
use output::Output;
use progress::Terminal;

use crate::{pool, remote};

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match parse(home::arguments()) {
        Ok(cli) => cli,
        Err(err) => return misunderstood(&err),
    };
    cli.global.color.apply();
    cli.global.jobs.into_iter().for_each(pool::limit);
    match cli.global.remote() {
        Ok(options) => remote::set_options(options),
        Err(problem) => return Output::new(cli.command.wants_json()).failure(&problem),
    }
    let mut feedback = match Terminal::new(&cli.global) {
        Ok(feedback) => feedback,
        Err(problem) => return Output::new(false).failure(&problem),
    };
    let output = Output::new(cli.command.wants_json())
        .beside(cli.command.streams())
        .with_events(cli.global.progress == Some(ProgressForm::Json));
    let result = manifest::read(&cli.global, &mut feedback).and_then(|()| run(&cli, &output, &mut feedback));
    feedback.close(result.is_ok());
    match result {
        Ok(code) => code,
        Err(problem) => output.failure(&problem),
    }
}

/// The whole command with its subcommands, for help, manual pages and completions.
pub fn command() -> clap::Command {
    let is_empty =
        |name: &str| std::env::var_os(name).is_some_and(|value| value.as_bytes().trim_ascii().is_empty());
    let command = Cli::command();
    // An empty variable means none, as a service file leaves it where nothing is set.
    let command = match is_empty("ROLLSNAP_ENDPOINT") {
        true => command.mut_arg("endpoint", |arg| arg.env(None)),
        false => command,
    };
    global::spread(command)
}

/// Reads a command line, whose first word is the name of the program.
fn parse(words: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Cli, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(words)?;
    let cli = Cli::from_arg_matches(&matches)?;
    let global = cli.global.or_later(&command, &matches);
    let global = global.map_err(|problem| command.error(ErrorKind::ArgumentConflict, problem.title()))?;
    Ok(Cli { global, ..cli })
}

/// The parser quotes what it was given, and a pattern of the shell gives it any name of a file.
fn misunderstood(err: &clap::Error) -> ExitCode {
    let plain = |arg: OsString| arg.to_string_lossy().chars().all(is_plain);
    let (json, events) = failure::wanted(std::env::args_os());
    let asked = !err.use_stderr();
    if asked || (!json && !events && std::env::args_os().all(plain)) {
        err.exit();
    }
    let said = err.to_string();
    let first = said.lines().next().unwrap_or_default();
    let problem = Problem::new(Code::Usage).because(first.trim_start_matches("error: "));
    Output::new(json).with_events(events).failure(&problem)
}

fn run(cli: &Cli, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    use SnapshotCommand as Snapshot;
    match &cli.command {
        Command::Info(args) | Command::Snapshot { command: Snapshot::Info(args) } => {
            info::run(args, output, feedback)
        }
        Command::Ls(args) => members::list(args, output, feedback),
        Command::Index(args) => index::run(args, output, feedback),
        Command::Cat(args) => members::cat(args, feedback),
        Command::Extract(args) => members::extract(args, output, feedback),
        Command::Download(args) => download::run(args, output, feedback),
        Command::Verify(args) => verify::run(args, &cli.global, output, feedback),
        Command::Export(args) => export::run(args, &cli.global, Spelling::Ours, output, feedback),
        Command::Snapshot { command: Snapshot::Export(args) } => {
            export::run(args, &cli.global, Spelling::Nodes, output, feedback)
        }
        Command::Import(args) | Command::Snapshot { command: Snapshot::Import(args) } => {
            import::run(args, &cli.global, output, feedback)
        }
        Command::Replay(args) => replay::run(args, &cli.global, output, feedback),
        Command::Repair { command } => repair::run(command, &cli.global, output, feedback),
        Command::Recompute(args) => repair::recompute(args, output, feedback),
        Command::Report { command } => report::run(command, output),
        Command::Convert(args) => convert::run(args, output, feedback),
        Command::Levels(args) => levels::run(args, output, feedback),
        Command::Context { command } => context::run(command, output, feedback),
        Command::Demo(args) => demo::run(args, feedback),
        Command::Page(args) => page::run(args, feedback),
        Command::Schema(args) => schema::run(args),
        Command::Completions(args) => shell::completions(args),
        Command::Man(args) => shell::man(args),
    }
}

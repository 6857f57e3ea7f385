//! `rollsnap demo`: the whole job, each step shown as the command that does it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser};
use rollsnap_core::{Code, Problem, Result, shown};

use super::args::Cli;
use super::output::{FAINT, Output, STRONG, print, shown_path};
use super::progress::Terminal;
use crate::{demo, io};

#[derive(Args, Debug)]
pub(super) struct DemoArgs {
    /// Directory to work in; made if missing, must be empty [default: a new one in the
    /// system's directory for temporary files]
    directory: Option<PathBuf>,
}

pub(super) fn run(args: &DemoArgs, feedback: &mut Terminal) -> Result<ExitCode> {
    let directory = workplace(args.directory.as_deref())?;
    let at = |name: &str| directory.join(name).to_string_lossy().into_owned();
    let here = shown_path(&directory);
    print(format_args!(
        "{STRONG}A data directory of a rollup node, with true hashes, in {here}{STRONG:#}\n"
    ))?;
    let data_dir = demo::build(&directory)?.to_string_lossy().into_owned();
    let (snapshot, fresh) = (at("finalized.snapshot"), at("imported"));

    step("Export it in all three ways: compressed, compressed in half the time, not at all")?;
    command(&["export", &snapshot, "--data-dir", &data_dir], feedback)?;
    let fast = at("fast.snapshot");
    command(&["export", &fast, "--fast", "--data-dir", &data_dir], feedback)?;
    let plain = at("plain.snapshot");
    command(&["export", &plain, "--uncompressed", "--data-dir", &data_dir], feedback)?;

    step("See what it says about itself; this reads the first block only")?;
    command(&["info", &snapshot], feedback)?;

    step("List its members")?;
    command(&["ls", &snapshot], feedback)?;

    step("Read it to the last byte")?;
    command(&["verify", &snapshot], feedback)?;

    step("Import it into a fresh data directory")?;
    command(&["import", &snapshot, "--data-dir", &fresh], feedback)?;

    step("The same snapshot again: refused, nothing is changed")?;
    command(&["import", &snapshot, "--force", "--data-dir", &fresh], feedback)?;

    print(format_args!("\n{STRONG}Everything is in {here}{STRONG:#}\n"))?;
    for (name, what) in [
        ("data-dir", "the data directory that was exported, at level 2000029"),
        ("finalized.snapshot", "its snapshot at the finalized level, 2000027"),
        ("fast.snapshot", "the same, compressed in less time"),
        ("plain.snapshot", "the same, not compressed"),
        ("imported", "the fresh data directory"),
    ] {
        print(format_args!("  {name:<20} {FAINT}{what}{FAINT:#}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn step(text: &str) -> Result<()> {
    print(format_args!("\n{STRONG}{text}{STRONG:#}\n"))
}

/// Shows a command and runs it, in this process.
fn command(words: &[&str], feedback: &mut Terminal) -> Result<()> {
    print(format_args!("{FAINT}$ rollsnap {}{FAINT:#}\n", shown(&words.join(" "))))?;
    let cli = Cli::try_parse_from(["rollsnap"].iter().chain(words))
        .map_err(|err| Problem::new(Code::Usage).because(err))?;
    let output = Output::new(false);
    if let Err(problem) = super::run(&cli, &output, feedback) {
        feedback.close(false);
        output.failure(&problem);
        if problem.code() != Code::ImportOlder {
            return Err(problem);
        }
    }
    Ok(())
}

/// An empty directory to work in.
fn workplace(given: Option<&Path>) -> Result<PathBuf> {
    let Some(directory) = given else {
        let temporary = tempfile::Builder::new().prefix("rollsnap-demo-").tempdir();
        return temporary
            .map(tempfile::TempDir::keep)
            .map_err(|err| io::problem("create a directory in", &std::env::temp_dir(), err));
    };
    fs::create_dir_all(directory).map_err(|err| io::problem("create the directory", directory, err))?;
    let mut entries =
        fs::read_dir(directory).map_err(|err| io::problem("read the directory", directory, err))?;
    if entries.next().is_some() {
        return Err(Problem::new(Code::OutputExists)
            .headline(format!("the directory {} is not empty", directory.display())));
    }
    Ok(directory.into())
}

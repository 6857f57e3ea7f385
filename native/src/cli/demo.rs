//! `rollsnap demo`: the whole job, each step shown as the command that does it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use rollsnap_core::{Code, Problem, Result, shown};

use super::headings::RESULT;
use super::output::{FAINT, Output, STRONG, print, shown_path};
use super::progress::Terminal;
use crate::{demo, io};

const EXAMPLES: &str = "\
Examples:
  rollsnap demo
  rollsnap demo -o somewhere";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct DemoArgs {
    /// Directory to work in; made if missing, must be empty [default: a new one in the
    /// system's directory for temporary files]
    #[arg(long, short, value_name = "DIR", help_heading = RESULT)]
    output: Option<PathBuf>,
    #[arg(hide = true, conflicts_with = "output")]
    directory: Option<PathBuf>,
}

pub(super) fn run(args: &DemoArgs, feedback: &mut Terminal) -> Result<ExitCode> {
    let directory = workplace(args.output.as_deref().or(args.directory.as_deref()))?;
    let at = |name: &str| directory.join(name).to_string_lossy().into_owned();
    let here = shown_path(&directory);
    print(format_args!(
        "{STRONG}A data directory of a rollup node, with true states, in {here}{STRONG:#}\n"
    ))?;
    let data_dir = demo::build(&directory)?.to_string_lossy().into_owned();
    let (snapshot, fresh) = (at("rollup.snapshot"), at("imported"));
    feedback.note_once();

    step("Export it at its finalized level")?;
    command(&["export", &snapshot, "--data-dir", &data_dir], feedback)?;

    step("See what the snapshot says about itself; this reads its first block only")?;
    command(&["info", &snapshot], feedback)?;

    step("Read it to the last byte, and prove what can be proved without layer 1")?;
    command(&["verify", &snapshot], feedback)?;

    step("Import it into a fresh data directory")?;
    command(&["import", &snapshot, "--data-dir", &fresh], feedback)?;

    step("Import it again: refused, and nothing is changed")?;
    command(&["import", &snapshot, "--data-dir", &fresh, "--force"], feedback)?;

    print(format_args!("\n{STRONG}Everything is in {here}{STRONG:#}\n"))?;
    for (name, what) in [
        ("data-dir", "the data directory that was exported"),
        ("rollup.snapshot", "its snapshot"),
        ("imported", "the fresh data directory"),
    ] {
        print(format_args!("  {name:<17} {FAINT}{what}{FAINT:#}\n"))?;
    }

    print(format_args!("\n{STRONG}What to try next{STRONG:#}\n"))?;
    for (words, what) in [
        (&["ls", &snapshot][..], "the files in it"),
        (&["context", "log", &fresh], "the states that were imported"),
        (&["export", &at("fast.snapshot"), "--fast", "--data-dir", &data_dir], "the same in half the time"),
    ] {
        print(format_args!("  {}\n    {FAINT}{what}{FAINT:#}\n", shown(&typed(words))))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn step(text: &str) -> Result<()> {
    print(format_args!("\n{STRONG}{text}{STRONG:#}\n"))
}

/// Shows a command and runs it, in this process.
fn command(words: &[&str], feedback: &mut Terminal) -> Result<()> {
    print(format_args!("{FAINT}$ {}{FAINT:#}\n", shown(&typed(words))))?;
    let parsed = super::parse(["rollsnap"].iter().chain(words));
    let cli = parsed.map_err(|err| Problem::new(Code::Usage).because(err))?;
    let output = Output::new(false);
    if let Err(problem) = super::run(&cli, &output, feedback) {
        feedback.close(false);
        output.failure(&problem);
        if problem.code() != Code::ImportSame {
            return Err(problem);
        }
    }
    Ok(())
}

/// A command as it is typed into a shell.
fn typed(words: &[&str]) -> String {
    // A path with a NUL cannot be typed, and cannot exist.
    shlex::try_join(["rollsnap"].iter().chain(words).copied()).unwrap_or_default()
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

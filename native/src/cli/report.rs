//! `rollsnap report`: reports that were made before.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use rollsnap_core::report::merge;
use rollsnap_core::{Code, Problem, Report, Result};

use super::failure::Answered;
use super::headings::{OUTPUT, READ};
use super::output::{Output, print_lines};
use super::verify::{exit_status, words};
use crate::io;

/// Longest report that is read, in bytes. One lists at most 1000 checks.
const MAX_REPORT: u64 = 64 << 20;

#[derive(Debug, Subcommand)]
pub(super) enum ReportCommand {
    /// Make one report of those of all shares (verify --shard K/N --json)
    Merge(MergeArgs),
}

const EXAMPLES: &str = "\
Examples:
  rollsnap verify rollup.snapshot --shard 1/2 --json > 1.json
  rollsnap verify rollup.snapshot --shard 2/2 --json > 2.json
  rollsnap report merge 1.json 2.json";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct MergeArgs {
    /// The reports, in any order
    #[arg(required = true, value_name = "FILE", help_heading = READ)]
    files: Vec<PathBuf>,
    /// Print the report as JSON
    #[arg(long, help_heading = OUTPUT)]
    json: bool,
}

impl ReportCommand {
    pub(super) fn wants_json(&self) -> bool {
        let Self::Merge(args) = self;
        args.json
    }
}

pub(super) fn run(command: &ReportCommand, output: &Output) -> Result<ExitCode> {
    let ReportCommand::Merge(args) = command;
    let mut reports = Vec::new();
    for path in &args.files {
        reports.push((path.display().to_string(), read(path)?));
    }
    let report = merge(reports)?;
    if output.is_json() {
        output.json(&Answered { report: &report, exit_status: exit_status(&report) })?;
    } else {
        print_lines(&words(&report))?;
    }
    Ok(exit_status(&report).into())
}

fn read(path: &Path) -> Result<Report> {
    let failed = |err| io::problem("read", path, err);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_REPORT + 1).read_to_end(&mut bytes).map_err(failed)?;
    let form = || Problem::new(Code::ReportForm).path(path.display());
    if bytes.len() as u64 > MAX_REPORT {
        return Err(form().found(format_args!("more than {MAX_REPORT} bytes")));
    }
    serde_json::from_slice(&bytes).map_err(|err| form().because(err))
}

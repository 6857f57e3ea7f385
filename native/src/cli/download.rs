//! `rollsnap download`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rollsnap_core::report::RemoteInfo;
use rollsnap_core::{Code, Problem, Result};
use serde::Serialize;

use super::headings::{CHECKS, OUTPUT, READ, RESULT};
use super::output::{NOTHING_TO_REPLACE, Output, plural, shown_path, size};
use super::progress::Terminal;
use super::space::FileSpaceArgs;
use super::stdout::Stdout;
use super::sums::ExpectedArgs;
use crate::download::{self, Options, Outcome};
use crate::jobs::Timed;

const EXAMPLES: &str = "\
Examples:
  rollsnap download https://HOST/eth-mainnet.full
  rollsnap download https://HOST/eth-mainnet.full -o rollup.snapshot \\
    --sha256 https://HOST/eth-mainnet.full.sha256";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct DownloadArgs {
    /// The address of the snapshot, http or https
    #[arg(value_name = "URL", help_heading = READ)]
    url: String,
    /// The file to make, or a directory to put it in; - writes to standard output [default: the last name of URL, in
    /// the current directory]
    #[arg(long, short, value_name = "PATH", help_heading = RESULT)]
    output: Option<PathBuf>,
    /// Overwrite an existing file
    #[arg(long, help_heading = RESULT)]
    force: bool,
    /// Forget what an earlier download has fetched, and begin anew
    #[arg(long, help_heading = RESULT)]
    restart: bool,
    /// Read the file to its end before it gets its name; the default
    #[arg(long, overrides_with = "no_check", help_heading = CHECKS)]
    check: bool,
    /// Do not
    #[arg(long, help_heading = CHECKS)]
    no_check: bool,
    #[command(flatten)]
    sums: ExpectedArgs,
    #[command(flatten)]
    space: FileSpaceArgs,
    /// Print path, length, checksum and what came as JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(super) json: bool,
}

impl DownloadArgs {
    /// Whether the file goes to standard output.
    pub(super) fn streams(&self) -> bool {
        self.output.as_ref().is_some_and(|path| path.as_os_str() == "-")
    }
}

pub(super) fn run(args: &DownloadArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let mut options = Options {
        force: args.force,
        restart: args.restart,
        unchecked: args.no_check && !args.check,
        space: args.space.check(),
        sha256: args.sums.read(&[PathBuf::from(&args.url)], feedback)?,
        ..Options::default()
    };
    let outcome = match args.streams() {
        true => {
            if args.force || args.restart {
                return Err(Problem::new(Code::Usage).headline(NOTHING_TO_REPLACE));
            }
            args.space.refuse_all("a file: nothing is written to a disk")?;
            let mut out = Stdout::open("a snapshot", "rollsnap download URL -o -")?;
            download::stream(&args.url, &options, &mut out, feedback)?
        }
        false => {
            options.output.clone_from(&args.output);
            download::run(&args.url, &options, feedback)?
        }
    };
    feedback.close(true);
    if output.is_json() {
        return output.json(&Json::of(outcome)).map(|()| ExitCode::SUCCESS);
    }
    let Outcome { path, bytes, sha256, remote, stages, .. } = &outcome;
    let to = path.as_ref().map_or_else(|| "standard output".into(), |path| shown_path(path));
    let time: f64 = stages.iter().map(|stage| stage.time.as_secs_f64()).sum();
    let requests = plural(remote.requests, "request", "requests");
    output.print(format_args!(
        "Downloaded {}, {}, in {requests} and {time:.1} s\nSHA-256 {sha256}\n",
        to,
        size(*bytes)
    ))?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Json {
    schema: &'static str,
    exit_status: u8,
    /// `null` when it went to standard output.
    path: Option<String>,
    bytes: u64,
    /// How much of it an earlier download had fetched.
    resumed_at: u64,
    sha256: String,
    /// Whether it was read to its end and found intact.
    intact: bool,
    remote: RemoteInfo,
    phases: Vec<Phase>,
}

#[derive(Serialize)]
struct Phase {
    name: &'static str,
    ms: u64,
}

impl Json {
    fn of(outcome: Outcome) -> Self {
        let Outcome { path, bytes, resumed_at, sha256, report, remote, stages } = outcome;
        let phase = |Timed { name, time, .. }| Phase {
            name,
            ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
        };
        Self {
            schema: "rollsnap.download/1",
            exit_status: 0,
            path: path.map(|path| path.to_string_lossy().into_owned()),
            bytes,
            resumed_at,
            sha256,
            intact: report.is_some(),
            remote,
            phases: stages.into_iter().map(phase).collect(),
        }
    }
}

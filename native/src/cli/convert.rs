//! `rollsnap convert`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, ValueEnum};
use rollsnap_core::{Code, Problem, Report, Result};
use serde::Serialize;

use super::args::output_path;
use super::export::{JsonPhase, phases};
use super::output::{Output, print, shown_path, size};
use super::progress::Terminal;
use super::remarks;
use crate::convert::{self, Options, Table};
use crate::deflate::Level;
use crate::dir::Owner;
use crate::export::Compression;
use crate::io;

#[derive(Args, Debug)]
pub(super) struct ConvertArgs {
    /// A data directory whose node is stopped, or a snapshot file (- for standard input)
    #[arg(value_name = "SNAPSHOT|DATA_DIR")]
    source: PathBuf,
    /// What to convert to
    #[arg(long, value_name = "VERSION", default_value = "v5")]
    to: StoreVersion,
    /// The data directory or snapshot to make
    #[arg(long, short, value_name = "OUT", value_parser = output_path)]
    output: PathBuf,
    /// What to make [default: what the source is]
    #[arg(long = "as", value_name = "KIND")]
    kind: Option<Kind>,
    /// Convert into a populated data directory, or overwrite an existing file
    #[arg(long)]
    force: bool,
    /// Do not check the store, neither before nor afterwards
    #[arg(long, alias = "no-checks")]
    no_check: bool,
    /// Give a data directory to this user and group, names or numbers; for root only [default: those of the data
    /// directory, or, where it is new, of the directory that it is made in]
    #[arg(long, value_name = "USER[:GROUP]")]
    owner: Option<String>,
    /// Do not compress the snapshot
    #[arg(long)]
    uncompressed: bool,
    /// Compress the snapshot twice as fast, to about 2 % more
    #[arg(long, conflicts_with = "uncompressed")]
    fast: bool,
    /// Print path, numbers of rows, times and report as JSON
    #[arg(long)]
    pub(super) json: bool,
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

pub(super) fn run(args: &ConvertArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let StoreVersion::V5 = args.to;
    let kind = match args.kind {
        Some(kind) => kind,
        None if io::is_dir(&args.source)? => Kind::DataDir,
        None => Kind::Snapshot,
    };
    let path = args.output.clone();
    let made = match kind {
        Kind::DataDir => convert::Output::DataDir(path),
        Kind::Snapshot => convert::Output::Snapshot {
            path,
            compression: if args.uncompressed { Compression::None } else { Compression::Gzip },
            effort: if args.fast { Level::Fast } else { Level::default() },
        },
    };
    let owner = args.owner.as_deref().map(Owner::parse).transpose()?;
    if owner.is_some() && kind == Kind::Snapshot {
        return Err(Problem::new(Code::Usage).headline("--owner is for data directories (--as data-dir)"));
    }
    let options = Options {
        source: args.source.clone(),
        output: made,
        force: args.force,
        check: !args.no_check,
        owner,
    };
    let since = Instant::now();
    let outcome = convert::run(&options, feedback)?;
    feedback.close(true);
    remarks::tell(&outcome.report, feedback);
    let large = outcome.report.members.bytes.map_or_else(String::new, |bytes| format!(": {}", size(bytes)));
    remarks::made(format_args!("Level {}{large}", outcome.head_level), since, feedback);
    if output.is_json() {
        output.json(&Json {
            report: &outcome.report,
            path: outcome.path.to_string_lossy().into_owned(),
            from_version: outcome.version,
            first_level: outcome.first_level,
            head_level: outcome.head_level,
            tables: &outcome.carried.tables,
            phases: phases(&outcome.stages),
        })?;
    } else {
        print(format_args!(
            "Converted store version {} to 5, levels {} to {}: {}\n",
            outcome.version,
            outcome.first_level,
            outcome.head_level,
            shown_path(&outcome.path)
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A report with the facts of the conversion.
#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    report: &'a Report,
    path: String,
    from_version: u8,
    first_level: i32,
    head_level: i32,
    tables: &'a [Table],
    phases: Vec<JsonPhase>,
}

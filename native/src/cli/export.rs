//! `rollsnap export`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use rollsnap_core::{Code, Problem, Report, Result};
use serde::Serialize;

use super::args::{ExportArgs, Global};
use super::output::{Output, print};
use super::progress::Terminal;
use super::remarks;
use crate::data_dir::DataDir;
use crate::deflate::{self, Level};
use crate::export::{self, Compression, Options};
use crate::store::Packing;

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
        data_dir: data_dir(args.data_dir.as_deref())?,
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
        endpoint: global.node.endpoint.clone(),
        rollup_node_endpoint: args.rollup_node_endpoint.clone(),
    };
    let outcome = export::run(&options, feedback)?;
    feedback.close(true);
    remarks::tell(&outcome.report, feedback);
    if output.is_json() {
        output.json(&Json {
            report: &outcome.report,
            path: outcome.path.to_string_lossy().into_owned(),
            bytes: outcome.bytes,
            locks_held_ms: outcome.locks_held.as_millis() as u64,
            phases: phases(&outcome.phases),
        })?;
    } else {
        print(format_args!("Snapshot exported to {}\n", outcome.path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A report with the facts of the export.
#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    report: &'a Report,
    path: String,
    bytes: u64,
    locks_held_ms: u64,
    phases: Vec<JsonPhase>,
}

/// A phase and how long it took.
#[derive(Serialize)]
pub(super) struct JsonPhase {
    name: &'static str,
    ms: u64,
}

pub(super) fn phases(phases: &[(&'static str, Duration)]) -> Vec<JsonPhase> {
    phases.iter().map(|(name, time)| JsonPhase { name, ms: time.as_millis() as u64 }).collect()
}

/// The data directory that is meant, or the default of the nodes.
pub(super) fn data_dir(given: Option<&std::path::Path>) -> Result<PathBuf> {
    given.map(Into::into).or_else(DataDir::default_path).ok_or_else(|| {
        Problem::new(Code::Usage)
            .headline("there is no home directory: name the data directory with --data-dir")
    })
}

//! `rollsnap index`.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rollsnap_core::Result;
use serde::Serialize;

use super::args::output_path;
use super::output::{Output, plural, print, shown_path, size};
use super::progress::Terminal;
use crate::index::{self, Options};

#[derive(Args, Debug)]
pub(super) struct IndexArgs {
    /// The compressed snapshot, or any gzip file of one member
    file: PathBuf,
    /// The index to write; only FILE.idx is found again by itself [default: FILE.idx]
    #[arg(long, short, value_name = "FILE", value_parser = output_path)]
    output: Option<PathBuf>,
    /// How many MiB of content lie between two places where reading can begin; with more than 16, one core reads
    /// [default: 2, in large files up to 8]
    #[arg(long, value_name = "MIB")]
    span: Option<NonZeroU16>,
    /// Overwrite an existing index, and make one beside a file that holds its own
    #[arg(long)]
    force: bool,
    /// Print path and sizes as JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &IndexArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let span = args.span.map(|mib| u64::from(mib.get()) << 20);
    let options = Options { output: args.output.clone(), force: args.force, span };
    let made = index::run(&args.file, &options, feedback)?;
    feedback.close(true);
    let checkpoints = plural(made.checkpoints as u64, "checkpoint", "checkpoints");
    if output.is_json() {
        output.json(&Json {
            path: made.path.map(|path| path.to_string_lossy().into_owned()),
            bytes: made.bytes,
            checkpoints: made.checkpoints,
            file_bytes: made.file_bytes,
            content_bytes: made.content_bytes,
        })?;
    } else if let Some(path) = made.path {
        let path = shown_path(&path);
        print(format_args!("{checkpoints}, {}, in {path}\n", size(made.bytes)))?;
    } else {
        let file = shown_path(&args.file);
        print(format_args!("{file} has an index in its header: {checkpoints}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Json {
    /// `null` when the header of the file holds an index.
    path: Option<String>,
    bytes: u64,
    checkpoints: usize,
    file_bytes: u64,
    content_bytes: u64,
}

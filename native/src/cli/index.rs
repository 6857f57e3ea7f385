//! `rollsnap index`.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::process::ExitCode;
use std::slice;

use clap::Args;
use rollsnap_core::{Class, Code, Problem, Result};
use serde::Serialize;

use super::headings::{LIMITS, OUTPUT, READ, RESULT};
use super::output::{NOTHING_TO_REPLACE, Output, plural, shown_path, size};
use super::progress::Terminal;
use super::stdout::Stdout;
use super::sums::SumArgs;
use crate::index::{self, Options};

const EXAMPLES: &str = "\
Examples:
  rollsnap index rollup.snapshot                 makes rollup.snapshot.idx
  rollsnap index rollup.snapshot -o - | ssh HOST 'cat > rollup.snapshot.idx'";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct IndexArgs {
    /// The compressed snapshot, or any gzip file of one member
    #[arg(value_name = "FILE", help_heading = READ)]
    file: PathBuf,
    /// The index to write; - writes to standard output. Only FILE.idx is found again by itself [default: FILE.idx]
    #[arg(long, short, value_name = "PATH", help_heading = RESULT)]
    output: Option<PathBuf>,
    /// How many MiB of content lie between two places where reading can begin; with more than 16, one core reads
    /// [default: 2, in large files up to 8]
    #[arg(long, value_name = "MIB", help_heading = RESULT)]
    span: Option<NonZeroU16>,
    /// Overwrite an existing index, and make one beside a file that holds its own
    #[arg(long, help_heading = RESULT)]
    force: bool,
    #[command(flatten)]
    sums: SumArgs,
    /// Directory for an index that goes to standard output, until it is complete [default: the system's]
    #[arg(long, value_name = "DIR", requires = "output", help_heading = LIMITS)]
    temp_dir: Option<PathBuf>,
    /// Print path and sizes as JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(super) json: bool,
}

impl IndexArgs {
    /// Whether the index goes to standard output.
    pub(super) fn streams(&self) -> bool {
        self.output.as_ref().is_some_and(|path| path.as_os_str() == "-")
    }
}

pub(super) fn run(args: &IndexArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let span = args.span.map(|mib| u64::from(mib.get()) << 20);
    if args.temp_dir.is_some() && !args.streams() {
        return Err(
            Problem::new(Code::Usage).headline("--temp-dir is for an index that goes to standard output")
        );
    }
    if args.force && args.streams() {
        return Err(Problem::new(Code::Usage).headline(NOTHING_TO_REPLACE));
    }
    let checksum = args.sums.read(slice::from_ref(&args.file), feedback)?;
    let temp_dir = args.temp_dir.clone();
    let options = Options { force: args.force, span, temp_dir, checksum, ..Options::default() };
    let made = match args.streams() {
        true => {
            let mut out = Stdout::open("an index", "rollsnap index FILE -o -")?;
            index::stream(&args.file, &options, &mut out, feedback)?
        }
        false => {
            let options = Options { output: args.output.clone(), ..options };
            index::run(&args.file, &options, feedback)?
        }
    };
    feedback.close(true);
    let checkpoints = plural(made.checkpoints as u64, "checkpoint", "checkpoints");
    let exit_status = if made.found { Class::Idle.exit_status() } else { 0 };
    if output.is_json() {
        return output
            .json(&Json {
                schema: "rollsnap.index/1",
                exit_status,
                found: made.found,
                path: made.path.map(|path| path.to_string_lossy().into_owned()),
                bytes: made.bytes,
                checkpoints: made.checkpoints,
                file_bytes: made.file_bytes,
                content_bytes: made.content_bytes,
                sha256: made.sha256,
            })
            .map(|()| exit_status.into());
    }
    if let Some(path) = made.path {
        let (path, there) = (shown_path(&path), if made.found { ", as it was" } else { "" });
        output.print(format_args!("{checkpoints}, {}, in {path}{there}\n", size(made.bytes)))?;
    } else if args.streams() {
        output.print(format_args!("{checkpoints}, {}, to standard output\n", size(made.bytes)))?;
    } else {
        let file = shown_path(&args.file);
        output.print(format_args!("{file} has an index in its header: {checkpoints}\n"))?;
    }
    args.sums.print(made.sha256.as_deref(), output)?;
    Ok(exit_status.into())
}

#[derive(Serialize)]
struct Json {
    schema: &'static str,
    exit_status: u8,
    /// Whether it was there already.
    found: bool,
    /// `null` when the header of the file holds an index, or when it went to standard output.
    path: Option<String>,
    bytes: u64,
    checkpoints: usize,
    file_bytes: u64,
    content_bytes: u64,
    /// That of the compressed file, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

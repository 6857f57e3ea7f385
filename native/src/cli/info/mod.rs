//! `rollsnap info`: the six lines of the nodes, and what else is known at once; and what a data directory says.

mod data_dir;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use rollsnap_core::feedback::Phase;
use rollsnap_core::header::Layout;
use rollsnap_core::report::Compression;
use rollsnap_core::{Code, Header, Problem, Report, Result};
use serde::Serialize;

use super::headings::{LIMITS, OUTPUT, READ};
use super::output::{FAINT, Output, check_row, print_lines, size};
use super::progress::Terminal;
use super::several;
use super::sums::SumArgs;
use crate::content_info::{self, ContentInfo};
use crate::io;
use crate::source::{Checksum, Source};

const EXAMPLES: &str = "\
Examples:
  rollsnap info rollup.snapshot
  rollsnap info --full *.snapshot
  rollsnap info ~/.tezos-smart-rollup-node    the node may go on
  curl -L URL | rollsnap info -";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct InfoArgs {
    /// The snapshot file (- for standard input), or a data directory; of several, each is shown
    #[arg(value_name = "SNAPSHOT|DATA_DIR", required = true, help_heading = READ)]
    snapshots: Vec<PathBuf>,
    /// Read the whole file, and say whether it is compact
    #[arg(long, help_heading = READ)]
    full: bool,
    #[command(flatten)]
    sums: SumArgs,
    /// Directory for the temporary copy of the store, with --full [default: the system's]
    #[arg(long, value_name = "DIR", requires = "full", help_heading = LIMITS)]
    temp_dir: Option<PathBuf>,
    /// Print a report as JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(super) json: bool,
}

pub(super) fn run(args: &InfoArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    if args.sums.is_given() && !args.full {
        let what = "without --full only the header is read: --sha256 and --print-sha256 need it";
        return Err(Problem::new(Code::Usage).headline(what));
    }
    let checksum = match args.full {
        true => args.sums.read(&args.snapshots, feedback)?,
        false => Checksum::default(),
    };
    several::each(&args.snapshots, output, feedback, |snapshot, output, feedback| {
        one(snapshot, args, &checksum, output, feedback)
    })
}

fn one(
    snapshot: &Path,
    args: &InfoArgs,
    checksum: &Checksum,
    output: &Output,
    feedback: &mut Terminal,
) -> Result<ExitCode> {
    if io::is_dir(snapshot)? {
        if args.full {
            let what = "--full is for snapshots: rollsnap verify reads all of a data directory";
            return Err(Problem::new(Code::Usage).headline(what));
        }
        return data_dir::show(snapshot, output, feedback);
    }
    let mut source = Source::open(snapshot, feedback)?.summed(checksum)?;
    if args.full {
        return full(args, &mut source, output, feedback);
    }
    let (header, report, one_context) = content_info::glance(&mut source, feedback)?;
    feedback.close(true);
    if output.is_json() {
        output.json(&AtOnce { report: &report, one_context })?;
    } else {
        print_lines(&node_lines(&header, &report))?;
        print_lines(&our_lines(&header, &report))?;
        if one_context == Some(true) {
            print_lines(&format!("{COMPACT}\n"))?;
        }
        print_lines(&format!("{NOTHING_ELSE}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

const NOTHING_ELSE: &str = "Not checked:     everything after the header (rollsnap verify reads all of it)";

const COMPACT: &str =
    "Context:         of one level only, as in a compact snapshot (rollsnap info --full says for sure)";

/// A report with what the index of the context tells, where it comes first or can be reached.
#[derive(Serialize)]
struct AtOnce<'a> {
    #[serde(flatten)]
    report: &'a Report,
    /// `null` where that cannot be told at once.
    one_context: Option<bool>,
}

/// A report with what the whole file tells.
#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    report: &'a Report,
    context: &'a ContentInfo,
    exit_status: u8,
}

/// Reads the whole file. What is wrong with it is an error, as with every command that needs all of it.
fn full(args: &InfoArgs, source: &mut Source, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let phase = Phase::only("Reading snapshot");
    let (report, info) = content_info::read(source, args.temp_dir.as_deref(), phase, feedback)?;
    feedback.close(true);
    let exit_status = super::verify::exit_status(&report);
    if output.is_json() {
        output.json(&Json { report: &report, context: &info, exit_status })?;
        return Ok(exit_status.into());
    }
    if let Some(header) = &report.header {
        print_lines(&node_lines(header, &report))?;
        print_lines(&our_lines(header, &report))?;
    }
    print_lines(&content_lines(&report, &info))?;
    args.sums.print(report.container.sha256.as_deref(), output)?;
    Ok(exit_status.into())
}

/// What a context has besides what can be read of it.
const SECOND_HALF: &str = "in a database of its own (context/nds), which rollsnap does not read";

fn content_lines(report: &Report, info: &ContentInfo) -> String {
    let mut lines = String::new();
    if let (Some(count), Some(bytes)) = (report.members.count, report.members.bytes) {
        lines += &format!("Members:         {count}, {}\n", size(bytes));
    }
    if let Some(store) = &report.store {
        lines += &format!("Store:           version {} ({})\n", store.version, store.writers);
    }
    let levels = info.first_level.zip(info.head_level);
    lines += &match (info.compact, levels) {
        (Some(is_compact), Some(_)) if info.lacking.is_some_and(|lacking| !lacking.is_compact()) => {
            let what = if is_compact { "partly compact" } else { "incomplete" };
            let words = info.lacking.map_or_else(String::new, |lacking| lacking.words());
            let rebuilt = info.lacking.is_some_and(|lacking| lacking.has_first);
            let rebuilt = if rebuilt { "; an import rebuilds what is missing" } else { "" };
            format!("Context:         {what}: {words}{rebuilt}\n")
        }
        (Some(true), Some((first, head))) => format!(
            "Context:         compact: that of level {first} only; an import rebuilds those up to level \
             {head}\n"
        ),
        (Some(false), Some((first, head))) => {
            format!("Context:         full: from level {first} to level {head}\n")
        }
        _ => "Context:         it cannot be told whether it is full or compact\n".into(),
    };
    if info.second_half {
        lines += &format!("Second half:     {SECOND_HALF}\n");
    }
    for check in report.failures() {
        lines += &check_row(check);
        lines.push('\n');
    }
    lines + "Not checked:     what the members hold (rollsnap verify checks it)\n"
}

/// Exactly what `octez-smart-rollup-node snapshot info` prints.
fn node_lines(header: &Header, report: &Report) -> String {
    let format = match report.container.compression {
        Some(Compression::Gzip) => "compressed",
        _ => "uncompressed",
    };
    format!(
        "Valid smart rollup node snapshot.\n\
         Format:          {format}\n\
         History mode:    {}\n\
         Rollup address:  {}\n\
         Head level:      {}\n\
         Last commitment: {}\n",
        header.history_mode, header.rollup_address, header.head_level, header.last_commitment
    )
}

fn our_lines(header: &Header, report: &Report) -> String {
    let mut lines = String::new();
    if let Some(name) = header.rollup_address.known_as() {
        lines += &format!("Known as:        {name} {FAINT}(a name, not a proof){FAINT:#}\n");
    }
    if let Some(bytes) = report.container.compressed_bytes {
        lines += &format!("File size:       {}\n", size(bytes));
    }
    if header.layout == Layout::Unversioned {
        lines += "Header form:     57 bytes without version: no node writes or imports it\n";
    }
    lines
}

//! `rollsnap info`: the six lines of the nodes, and what else is known at once.

use std::process::ExitCode;

use rollsnap_core::header::Layout;
use rollsnap_core::report::Compression;
use rollsnap_core::{Header, Report, Result};

use super::args::InfoArgs;
use super::output::{FAINT, Output, print, size};
use super::progress::Terminal;
use crate::source::Source;

pub(super) fn run(args: &InfoArgs, output: &Output, feedback: &Terminal) -> Result<ExitCode> {
    let mut source = Source::open(&args.snapshot)?;
    let (header, report) = source.read_header(feedback)?;
    if output.is_json() {
        output.json(&report)?;
    } else {
        print(format_args!("{}", node_lines(&header, &report)))?;
        print(format_args!("{}", our_lines(&header, &report)))?;
    }
    Ok(ExitCode::SUCCESS)
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
    lines + "Not checked:     everything after the header (rollsnap verify reads all of it)\n"
}

//! `rollsnap page`.

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use clap::Args;
use rollsnap_core::{Feedback, Result};

use super::headings::{OUTPUT, READ};
use super::output::print;
use super::progress::Terminal;
use crate::page::Page;

const EXAMPLES: &str = "\
Examples:
  rollsnap page --open
  rollsnap page --open snapshot-sr1....full";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct PageArgs {
    /// A snapshot file that the page opens, in whatever parts it needs; else you drop one on it
    #[arg(value_name = "SNAPSHOT", help_heading = READ)]
    file: Option<PathBuf>,
    /// Port to listen on; 0 stands for any free one
    #[arg(long, default_value_t = 0, help_heading = OUTPUT)]
    port: u16,
    /// Show the page in a browser
    #[arg(long, help_heading = OUTPUT)]
    open: bool,
}

pub(super) fn run(args: &PageArgs, feedback: &mut Terminal) -> Result<ExitCode> {
    let page = Page::listen(args.port)?;
    let page = match &args.file {
        Some(file) => page.with_file(file)?,
        None => page,
    };
    let url = page.url();
    print(format_args!("The page is at {url} (this computer only; Ctrl-C stops it)\n"))?;
    if args.open && !open(&url) {
        feedback.note("No browser could be started: open the address by hand");
    }
    page.serve(feedback)?;
    Ok(ExitCode::SUCCESS)
}

/// Asks the desktop to show an address.
fn open(url: &str) -> bool {
    ["xdg-open", "open"].iter().any(|program| {
        let quiet = Stdio::null;
        Command::new(program).arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn().is_ok()
    })
}

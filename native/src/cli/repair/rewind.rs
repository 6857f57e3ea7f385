//! `rollsnap repair rewind`.

use std::process::ExitCode;

use clap::Args;
use rollsnap_core::Result;

use super::{Common, Place, carry_out};
use crate::cli::headings::RESULT;
use crate::cli::output::Output;
use crate::cli::progress::Terminal;
use crate::repair::{Rewind, To};

const EXAMPLES: &str = "\
Examples:
  rollsnap repair rewind DATA_DIR --to 2000020
  rollsnap repair rewind DATA_DIR --to last-sound --dry-run
  rollsnap repair rewind --to finalized --backup store.backup";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct RewindArgs {
    #[command(flatten)]
    place: Place,
    /// The level that becomes the head: a number, or finalized, lcc (of the last cemented commitment), last-committed (the
    /// highest with a context), last-sound (the highest at which every check of the store holds)
    #[arg(long, value_name = "LEVEL", help_heading = RESULT)]
    to: String,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) fn run(args: &RewindArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let to: To = args.to.parse()?;
    carry_out(&mut Rewind::new(to), "repair rewind", args.place.path()?, &args.common, output, feedback)
}

//! `rollsnap repair levels`.

use std::process::ExitCode;

use clap::Args;
use rollsnap_core::Result;

use super::{Common, Place, carry_out};
use crate::cli::output::Output;
use crate::cli::progress::Terminal;
use crate::repair::Levels;

const EXAMPLES: &str = "\
Examples:
  rollsnap repair levels DATA_DIR --dry-run
  rollsnap repair levels DATA_DIR --backup store.backup";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct LevelsArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) fn run(args: &LevelsArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    carry_out(&mut Levels::default(), "repair levels", args.place.path()?, &args.common, output, feedback)
}

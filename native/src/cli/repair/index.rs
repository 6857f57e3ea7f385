//! `rollsnap repair index`.

use std::process::ExitCode;

use clap::Args;
use rollsnap_core::Result;

use super::{OfFiles, Place, carry_out};
use crate::cli::output::Output;
use crate::cli::progress::Terminal;
use crate::repair::Index;

const EXAMPLES: &str = "\
Examples:
  rollsnap repair index DATA_DIR --dry-run
  rollsnap repair index DATA_DIR";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct IndexArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    pub(super) common: OfFiles,
}

pub(super) fn run(args: &IndexArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let common = args.common.common();
    carry_out(&mut Index::default(), "repair index", args.place.path()?, &common, output, feedback)
}

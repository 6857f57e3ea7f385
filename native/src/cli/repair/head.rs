//! `rollsnap repair head`.

use std::process::ExitCode;

use clap::Args;
use rollsnap_core::Result;

use super::{Common, Place, carry_out};
use crate::cli::global::Global;
use crate::cli::output::Output;
use crate::cli::progress::Terminal;
use crate::repair::Head;

const EXAMPLES: &str = "\
Examples:
  rollsnap repair head DATA_DIR --dry-run
  rollsnap repair head DATA_DIR --backup store.backup
  rollsnap repair head DATA_DIR --endpoint http://127.0.0.1:8732";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct HeadArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) fn run(
    args: &HeadArgs,
    global: &Global,
    output: &Output,
    feedback: &mut Terminal,
) -> Result<ExitCode> {
    let mut repair = Head::new(global.endpoint.clone());
    carry_out(&mut repair, "repair head", args.place.path()?, &args.common, output, feedback)
}

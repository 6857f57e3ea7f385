//! `rollsnap repair contexts`.

use std::process::ExitCode;

use clap::Args;
use rollsnap_core::Result;

use super::{OfFiles, Place, carry_out};
use crate::cli::global::Global;
use crate::cli::headings::RESULT;
use crate::cli::output::Output;
use crate::cli::progress::Terminal;
use crate::cli::replay::EngineArgs;
use crate::repair::Contexts;
use crate::replay::Scope;

const EXAMPLES: &str = "\
Examples:
  rollsnap repair contexts DATA_DIR --dry-run
  rollsnap repair contexts DATA_DIR
  rollsnap repair contexts DATA_DIR --from 2000020";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ContextsArgs {
    #[command(flatten)]
    place: Place,
    /// Make the contexts of all blocks above this level, also those that seem to be there
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(i32).range(0..), help_heading = RESULT)]
    from: Option<i32>,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    pub(super) common: OfFiles,
}

pub(super) fn run(
    args: &ContextsArgs,
    global: &Global,
    output: &Output,
    feedback: &mut Terminal,
) -> Result<ExitCode> {
    let options = args.engine.options(Scope::Lost(args.from), None, global);
    let mut repair = Contexts::new(args.from, options);
    let common = args.common.common();
    carry_out(&mut repair, "repair contexts", args.place.path()?, &common, output, feedback)
}

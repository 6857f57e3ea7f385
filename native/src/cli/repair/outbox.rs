//! `rollsnap repair outbox`, and `recompute outbox messages`, as the nodes spell it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rollsnap_core::{Code, Problem, Result};

use super::{Common, Place, carry_out};
use crate::cli::export::data_dir;
use crate::cli::headings::READ;
use crate::cli::output::Output;
use crate::cli::progress::Terminal;
use crate::repair::Outbox;

const EXAMPLES: &str = "\
Examples:
  rollsnap repair outbox DATA_DIR
  rollsnap repair outbox DATA_DIR --from 2000020 --dry-run
  rollsnap recompute outbox messages from 2000020 -d DIR    as the nodes spell it";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct OutboxArgs {
    #[command(flatten)]
    place: Place,
    /// The first level whose outbox is looked at [default: the first available one]
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(i32).range(0..), help_heading = READ)]
    from: Option<i32>,
    #[command(flatten)]
    pub(super) common: Common,
}

const RECOMPUTE_EXAMPLES: &str = "\
Examples:
  rollsnap recompute outbox messages from 2000020
  rollsnap recompute outbox messages from 2000020 --data-dir DIR --dry-run";

#[derive(Args, Debug)]
#[command(after_help = RECOMPUTE_EXAMPLES)]
pub(in crate::cli) struct RecomputeArgs {
    /// The words outbox messages from, and the first level
    #[arg(value_names = ["outbox", "messages", "from", "LEVEL"], required = true, num_args = 4, help_heading = READ)]
    words: Vec<String>,
    /// The data directory, whose node is stopped [default: $ROLLSNAP_DATA_DIR, or
    /// ~/.tezos-smart-rollup-node]
    #[arg(long, short, value_name = "DIR", help_heading = READ)]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

impl RecomputeArgs {
    /// Whether results and errors are asked for as JSON.
    pub(in crate::cli) fn wants_json(&self) -> bool {
        self.common.json
    }

    fn from(&self) -> Result<i32> {
        let misspelled = |found: &str| {
            Problem::new(Code::Usage).expected("outbox messages from LEVEL").found(format_args!("{found:?}"))
        };
        match &self.words[..] {
            [outbox, messages, from, level]
                if (&**outbox, &**messages, &**from) == ("outbox", "messages", "from") =>
            {
                let is_number = level.bytes().all(|byte| byte.is_ascii_digit());
                is_number.then(|| level.parse().ok()).flatten().ok_or_else(|| misspelled(level))
            }
            words => Err(misspelled(&words.join(" "))),
        }
    }
}

pub(in crate::cli) fn recompute(
    args: &RecomputeArgs,
    output: &Output,
    feedback: &mut Terminal,
) -> Result<ExitCode> {
    let mut repair = Outbox::new(Some(args.from()?));
    let directory = data_dir(args.data_dir.as_deref())?;
    carry_out(&mut repair, "repair outbox", directory, &args.common, output, feedback)
}

pub(super) fn run(args: &OutboxArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let mut repair = Outbox::new(args.from);
    carry_out(&mut repair, "repair outbox", args.place.path()?, &args.common, output, feedback)
}

//! `rollsnap repair commitments`, in the spelling of the nodes too.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rollsnap_core::hash::ProtocolHash;
use rollsnap_core::{Code, Problem, Result};

use super::{Common, carry_out};
use crate::cli::export::data_dir;
use crate::cli::global::Global;
use crate::cli::headings::{CHECKS, READ, RESULT};
use crate::cli::output::Output;
use crate::cli::progress::Terminal;
use crate::l1::{self, L1};
use crate::repair::Commitments;

const EXAMPLES: &str = "\
Examples:
  rollsnap repair commitments PROTOCOL DATA_DIR --dry-run
  rollsnap repair commitments PROTOCOL DATA_DIR --period 60
  rollsnap repair commitments for PROTOCOL -d DIR    as the nodes spell it";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct CommitmentsArgs {
    /// The protocol that the repair begins with, and the data directory, whose node is stopped [default:
    /// $ROLLSNAP_DATA_DIR, or ~/.tezos-smart-rollup-node]
    #[arg(value_name = "[for] PROTOCOL [DATA_DIR]", required = true, num_args = 1..=3, help_heading = READ)]
    words: Vec<PathBuf>,
    /// The data directory, as the nodes spell it
    #[arg(long, short, value_name = "DIR", help_heading = READ)]
    data_dir: Option<PathBuf>,
    /// How many levels lie between two commitments [default: as layer 1 says (--endpoint), else as the commitments have
    /// it that are there]
    #[arg(
        long,
        value_name = "LEVELS",
        value_parser = clap::value_parser!(i32).range(1..),
        help_heading = CHECKS
    )]
    period: Option<i32>,
    /// Remove commitments that no block names any more
    #[arg(long, help_heading = RESULT)]
    prune: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

impl CommitmentsArgs {
    /// The protocol and the directory that the words name.
    fn meant(&self) -> Result<(ProtocolHash, PathBuf)> {
        let words = match &self.words[..] {
            [first, rest @ ..] if first.as_os_str() == "for" => rest,
            words => words,
        };
        let (protocol, directory) = match (words, &self.data_dir) {
            ([protocol], given) => (protocol, given.as_ref()),
            ([protocol, directory], None) => (protocol, Some(directory)),
            ([_, _], Some(_)) => {
                let twice = "the data directory is named twice: as DATA_DIR and with --data-dir";
                return Err(Problem::new(Code::Usage).headline(twice));
            }
            _ => {
                return Err(Problem::new(Code::Usage)
                    .expected("[for] PROTOCOL [DATA_DIR]")
                    .found("other words"));
            }
        };
        let text = protocol.to_string_lossy();
        let protocol = text.parse().map_err(|err| {
            let what = format!("{text:?} is not the hash of a protocol");
            Problem::new(Code::HashText).headline(what).because(err)
        })?;
        Ok((protocol, data_dir(directory.map(PathBuf::as_path))?))
    }
}

pub(super) fn run(
    args: &CommitmentsArgs,
    global: &Global,
    output: &Output,
    feedback: &mut Terminal,
) -> Result<ExitCode> {
    let (protocol, directory) = args.meant()?;
    let l1 = match (&global.endpoint, args.period) {
        (Some(endpoint), None) => Some(L1::new(endpoint, l1::Options::default())?),
        _ => None,
    };
    let mut repair = Commitments::new(protocol, args.period, l1, args.prune);
    carry_out(&mut repair, "repair commitments", directory, &args.common, output, feedback)
}

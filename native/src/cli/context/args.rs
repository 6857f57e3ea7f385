//! Options of the commands that look into a context.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::headings::{LIMITS, OUTPUT, READ};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ContextCommand {
    /// List the commits, the newest first
    Log(LogArgs),
    /// List a directory, or the keys of the durable storage below a key
    Ls(LsArgs),
    /// Write contents, or the value of a key of the durable storage, to standard output
    Cat(CatArgs),
    /// Show what a commit consists of: objects by kind, sizes, depth, subtrees
    Stat(StatArgs),
}

impl ContextCommand {
    pub(in crate::cli) fn wants_json(&self) -> bool {
        match self {
            Self::Log(args) => args.json,
            Self::Ls(args) => args.json,
            Self::Cat(_) => false,
            Self::Stat(args) => args.json,
        }
    }
}

/// Whose context.
#[derive(Args, Debug)]
pub(in crate::cli) struct TargetArgs {
    /// A snapshot file (- for standard input), a data directory, or its directory context/
    #[arg(value_name = "SNAPSHOT|DATA_DIR|CONTEXT_DIR", help_heading = READ)]
    pub(in crate::cli) target: PathBuf,
    /// Directory for temporary files: the context of a compressed snapshot, and what does not fit into memory [default:
    /// the system's]
    #[arg(long, value_name = "DIR", help_heading = LIMITS)]
    pub(in crate::cli) temp_dir: Option<PathBuf>,
}

/// Which commit of it.
#[derive(Args, Debug)]
pub(in crate::cli) struct CommitArgs {
    /// The commit: SRCo..., 64 hexadecimal digits or the first of them [default: that of the head,
    /// or the newest one that can be read]
    #[arg(long, value_name = "HASH", conflicts_with = "level", help_heading = READ)]
    pub(in crate::cli) commit: Option<String>,
    /// The commit of the block at this level: head, finalized, cemented or a number
    #[arg(long, value_name = "LEVEL", help_heading = READ)]
    pub(in crate::cli) level: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = LOG_EXAMPLES)]
pub(in crate::cli) struct LogArgs {
    #[command(flatten)]
    pub(in crate::cli) target: TargetArgs,
    /// Print the list as JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(in crate::cli) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = LS_EXAMPLES)]
pub(in crate::cli) struct LsArgs {
    #[command(flatten)]
    pub(in crate::cli) target: TargetArgs,
    /// The directory, such as pvm_state/pvm; or a key, such as /evm [default: the root]
    #[arg(help_heading = READ)]
    pub(in crate::cli) path: Option<OsString>,
    #[command(flatten)]
    pub(in crate::cli) commit: CommitArgs,
    /// Print the list as JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(in crate::cli) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = CAT_EXAMPLES)]
pub(in crate::cli) struct CatArgs {
    #[command(flatten)]
    pub(in crate::cli) target: TargetArgs,
    /// The contents, such as pvm_state/pvm/max_nb_ticks; or a key, such as /kernel/boot.wasm
    #[arg(help_heading = READ)]
    pub(in crate::cli) path: OsString,
    #[command(flatten)]
    pub(in crate::cli) commit: CommitArgs,
}

#[derive(Args, Debug)]
#[command(after_help = STAT_EXAMPLES)]
pub(in crate::cli) struct StatArgs {
    #[command(flatten)]
    pub(in crate::cli) target: TargetArgs,
    #[command(flatten)]
    pub(in crate::cli) commit: CommitArgs,
    /// How many steps from the root subtrees are told apart
    #[arg(
        long,
        value_name = "STEPS",
        default_value_t = 2,
        value_parser = clap::value_parser!(u64).range(0..=8),
        help_heading = READ
    )]
    pub(in crate::cli) depth: u64,
    /// Print the facts as JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(in crate::cli) json: bool,
}

const LOG_EXAMPLES: &str = "\
Examples:
  rollsnap context log ~/.tezos-smart-rollup-node
  rollsnap context log rollup.snapshot --json";

const STAT_EXAMPLES: &str = "\
Examples:
  rollsnap context stat rollup.snapshot
  rollsnap context stat DATA_DIR --level cemented --depth 4";

const LS_EXAMPLES: &str = "\
Paths:
  pvm_state/durable/evm    a path of the tree, from its root
  /evm                     a key of the durable storage, as the kernel knows it
  a\\x2fb, a\\\\b              a slash, a backslash, or any byte within a name

Examples:
  rollsnap context ls rollup.snapshot pvm_state
  rollsnap context ls DATA_DIR /evm --level finalized";

const CAT_EXAMPLES: &str = "\
Paths:
  pvm_state/durable/evm    a path of the tree, from its root
  /evm                     a key of the durable storage, as the kernel knows it
  a\\x2fb, a\\\\b              a slash, a backslash, or any byte within a name

Examples:
  rollsnap context cat DATA_DIR pvm_state/pvm/max_nb_ticks
  rollsnap context cat rollup.snapshot /kernel/boot.wasm > boot.wasm";

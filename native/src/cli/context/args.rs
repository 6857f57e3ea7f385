//! Options of the commands that look into a context.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::headings::{CHECKS, LIMITS, OUTPUT, READ, RESULT};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ContextCommand {
    /// List the commits, the newest first
    Log(LogArgs),
    /// List a directory, or the keys of the durable storage below a key
    Ls(LsArgs),
    /// Write contents, or the value of a key of the durable storage, to standard output
    Cat(CatArgs),
    /// Show what differs between the states of two levels, or of two snapshots or directories
    Diff(DiffArgs),
    /// Prove to somebody who has nothing but a state hash which value a key has, or that it has none
    Prove(ProveArgs),
    /// Check such a proof, which needs nothing else, and show what it proves
    CheckProof(CheckProofArgs),
    /// Show what a commit consists of: objects by kind, sizes, depth, subtrees
    Stat(StatArgs),
}

impl ContextCommand {
    /// Whether standard output takes a file.
    pub(in crate::cli) fn streams(&self) -> bool {
        matches!(self, Self::Prove(args) if args.streams())
    }

    pub(in crate::cli) fn wants_json(&self) -> bool {
        match self {
            Self::Log(args) => args.json,
            Self::Ls(args) => args.json,
            Self::Cat(_) => false,
            Self::Diff(args) => args.json,
            Self::Prove(args) => args.json,
            Self::CheckProof(args) => args.json,
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
#[derive(Args, Debug, Default)]
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

#[derive(Args, Debug)]
#[command(after_help = DIFF_EXAMPLES)]
pub(in crate::cli) struct DiffArgs {
    #[command(flatten)]
    pub(in crate::cli) target: TargetArgs,
    /// A key, such as /evm, or a path of the tree, such as pvm_state/pvm, to which the comparison is limited [default: /,
    /// all keys]
    #[arg(help_heading = READ)]
    pub(in crate::cli) path: Option<OsString>,
    /// The first state: head, finalized, cemented, a level, or a commit as context log shows it [default, with --with: the
    /// newest level of which both have the state]
    #[arg(long, value_name = "LEVEL", required_unless_present = "with", help_heading = READ)]
    pub(in crate::cli) from: Option<String>,
    /// The second state [default: that of the head; with --with, that of --from]
    #[arg(long, value_name = "LEVEL", help_heading = READ)]
    pub(in crate::cli) to: Option<String>,
    /// Another snapshot, data directory or context/, in which --to is looked up
    #[arg(long, value_name = "SNAPSHOT|DATA_DIR|CONTEXT_DIR", help_heading = READ)]
    pub(in crate::cli) with: Option<PathBuf>,
    /// Show the first so many bytes of each value that differs, in hexadecimal
    #[arg(
        long,
        value_name = "BYTES",
        value_parser = clap::value_parser!(u64).range(1..=65536),
        help_heading = OUTPUT
    )]
    pub(in crate::cli) values: Option<u64>,
    /// Print the differences as JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(in crate::cli) json: bool,
}

#[derive(Args, Debug)]
#[command(override_usage = "rollsnap context prove [OPTIONS] -o <PATH> <SNAPSHOT|DATA_DIR> <KEY>...")]
#[command(after_help = PROVE_EXAMPLES)]
pub(in crate::cli) struct ProveArgs {
    #[command(flatten)]
    pub(in crate::cli) target: TargetArgs,
    /// Keys, such as /evm/chain_id, or contents of the state, such as pvm_state/pvm/max_nb_ticks
    #[arg(value_name = "KEY", required = true, help_heading = READ)]
    pub(in crate::cli) keys: Vec<OsString>,
    #[command(flatten)]
    pub(in crate::cli) commit: CommitArgs,
    /// The proof to write; - writes to standard output
    #[arg(long, short, value_name = "PATH", help_heading = RESULT)]
    pub(in crate::cli) output: PathBuf,
    /// Overwrite an existing file
    #[arg(long, help_heading = RESULT)]
    pub(in crate::cli) force: bool,
    /// Print what is proved as JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(in crate::cli) json: bool,
}

impl ProveArgs {
    /// Whether the proof goes to standard output.
    pub(in crate::cli) fn streams(&self) -> bool {
        self.output.as_os_str() == "-"
    }
}

#[derive(Args, Debug)]
#[command(after_help = CHECK_PROOF_EXAMPLES)]
pub(in crate::cli) struct CheckProofArgs {
    /// The proof (- for standard input); the one in a refutation as well
    #[arg(value_name = "FILE", help_heading = READ)]
    pub(in crate::cli) file: PathBuf,
    /// Keys, or contents of the state, that the proof must be about [default: show all that it shows]
    #[arg(value_name = "KEY", help_heading = READ)]
    pub(in crate::cli) keys: Vec<OsString>,
    /// The state that it must be about: srs1..., as a commitment has it
    #[arg(long, value_name = "HASH", help_heading = CHECKS)]
    pub(in crate::cli) state_hash: Option<String>,
    /// Show the first so many bytes of each value, in hexadecimal
    #[arg(
        long,
        value_name = "BYTES",
        value_parser = clap::value_parser!(u64).range(1..=16777216),
        help_heading = OUTPUT
    )]
    pub(in crate::cli) values: Option<u64>,
    /// Print what is proved as JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(in crate::cli) json: bool,
}

const LOG_EXAMPLES: &str = "\
Examples:
  rollsnap context log ~/.tezos-smart-rollup-node
  rollsnap context log rollup.snapshot --json";

const DIFF_EXAMPLES: &str = "\
Examples:
  rollsnap context diff DATA_DIR --from 5010 --to 5020
  rollsnap context diff rollup.snapshot /evm --from finalized --values 64
  rollsnap context diff old.snapshot --with new.snapshot --json";

const PROVE_EXAMPLES: &str = "\
Examples:
  rollsnap context prove DATA_DIR /evm/chain_id -o chain_id.proof
  rollsnap context prove rollup.snapshot /a /b --level cemented -o ab.proof";

const CHECK_PROOF_EXAMPLES: &str = "\
Examples:
  rollsnap context check-proof chain_id.proof --values 32
  rollsnap context check-proof chain_id.proof /evm/chain_id --state-hash srs1...";

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

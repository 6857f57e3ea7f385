//! Every option, spelled as the nodes spell it.

use std::num::{NonZeroU16, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use rollsnap_core::hash::CommitmentHash;

use super::context::ContextCommand;
use super::convert::{ConvertArgs, StoreVersion};
use crate::store::Family;
use crate::verify::ContextScope;

/// Inspect, verify, export and import snapshots of smart rollup nodes
///
/// A snapshot is the state of a Tezos or Mavryk smart rollup node in one file: store, context and
/// pre-images. rollsnap reads, checks and makes such files without a node.
#[derive(Debug, Parser)]
#[command(name = "rollsnap", version, propagate_version = true, after_help = EXIT_STATUS)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_STATUS: &str = "\
Exit status:
  0    done
  1    a check of the contents says no
  2    the command line is not understood
  3    the input cannot be read or is damaged
  4    refused: populated directory, other rollup, older level, locked, output exists
  5    environment: disk full, permission, I/O error
  130  stopped by Ctrl-C; nothing was changed";

/// Options of every command.
#[derive(Args, Debug)]
pub(super) struct Global {
    /// How progress is shown on standard error [default: bar on a terminal, else none]
    #[arg(long, global = true, value_name = "FORM")]
    pub(super) progress: Option<ProgressForm>,
    /// No progress and no remarks, only results and errors
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorWhen,
    #[command(flatten)]
    pub(super) node: NodeOptions,
}

/// Global options of the nodes, taken so that a script need only change the program's name.
#[derive(Args, Debug)]
pub(super) struct NodeOptions {
    /// RPC address of a layer 1 node, for the checks that ask it
    #[arg(long, short = 'E', global = true, value_name = "URL", env = "ROLLSNAP_ENDPOINT")]
    pub(super) endpoint: Option<String>,
    #[arg(long, short = 'd', global = true, hide = true)]
    base_dir: Option<PathBuf>,
    #[arg(long, short = 'l', global = true, hide = true)]
    log_requests: bool,
    #[arg(long, short = 'P', global = true, hide = true)]
    port: Option<u16>,
    #[arg(long, short = 'A', global = true, hide = true)]
    addr: Option<String>,
    #[arg(long, short = 'S', global = true, hide = true)]
    tls: bool,
    #[arg(long, short = 't', global = true, hide = true)]
    timings: bool,
    #[arg(long, global = true, hide = true)]
    better_errors: bool,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ProgressForm {
    /// A moving bar
    Bar,
    /// A line now and then
    Plain,
    /// One JSON object a line
    Json,
    /// Nothing
    None,
}

/// How much of the context is read.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Scope {
    /// Every object of every commit
    All,
    /// Every commit, and the objects of the head's; what streams by is read whole
    Head,
    /// The index of commits only
    None,
}

impl From<Scope> for ContextScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::All => Self::All,
            Scope::Head => Self::Head,
            Scope::None => Self::None,
        }
    }
}

/// Whose rules and words apply.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    /// Tezos' nodes since Octez v21: store version 5
    Octez,
    /// Mavryk's nodes, and Octez before v21: store version 4
    Mavkit,
}

impl From<Format> for Family {
    fn from(format: Format) -> Self {
        match format {
            Format::Octez => Self::Octez,
            Format::Mavkit => Self::Mavkit,
        }
    }
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ColorWhen {
    /// On terminals, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl ColorWhen {
    pub(super) fn apply(self) {
        let choice = match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what a snapshot says about itself; reads the header only
    Info(InfoArgs),
    /// List the members of a snapshot
    Ls(LsArgs),
    /// Make an index beside a compressed snapshot: it is then read on all cores, and from anywhere
    Index(IndexArgs),
    /// Write one member to standard output
    Cat(CatArgs),
    /// Extract members to files
    Extract(ExtractArgs),
    /// Say whether a snapshot or a data directory is intact, consistent and anchored
    Verify(VerifyArgs),
    /// Make a snapshot of a data directory
    Export(ExportArgs),
    /// Import a snapshot into a data directory
    Import(ImportArgs),
    /// Make store version 5, of today's Octez, of a store of version 2, 3 or 4
    Convert(ConvertArgs),
    /// Look into the context of a snapshot or a data directory: commits, trees, contents
    Context {
        #[command(subcommand)]
        command: ContextCommand,
    },
    /// Build a small data directory, export, verify and import it, and show how
    Demo(DemoArgs),
    /// Serve the page to a browser on this computer
    Page(PageArgs),
    /// The commands as the nodes spell them: snapshot export, import and info
    Snapshot {
        #[command(subcommand)]
        command: SnapshotCommand,
    },
    /// Print the completions of a shell
    Completions(CompletionsArgs),
    /// Write the manual pages
    Man(ManArgs),
}

#[derive(Debug, Subcommand)]
pub(super) enum SnapshotCommand {
    /// Make a snapshot of a data directory
    Export(ExportArgs),
    /// Import a snapshot into a data directory
    Import(ImportArgs),
    /// Show what a snapshot says about itself; reads the header only
    Info(InfoArgs),
}

impl Command {
    /// Whether results and errors are asked for as JSON.
    pub(super) fn wants_json(&self) -> bool {
        use SnapshotCommand as Snapshot;
        match self {
            Self::Info(args) | Self::Snapshot { command: Snapshot::Info(args) } => args.json,
            Self::Ls(args) => args.json,
            Self::Index(args) => args.json,
            Self::Extract(args) => args.json,
            Self::Verify(args) => args.json,
            Self::Export(args) | Self::Snapshot { command: Snapshot::Export(args) } => args.json,
            Self::Import(args) | Self::Snapshot { command: Snapshot::Import(args) } => args.json,
            Self::Convert(args) => args.json,
            Self::Context { command } => command.wants_json(),
            Self::Cat(_) | Self::Demo(_) | Self::Page(_) | Self::Completions(_) | Self::Man(_) => false,
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct InfoArgs {
    /// The snapshot file, or - for standard input
    pub(super) snapshot: PathBuf,
    /// Read the whole file, and say whether it is compact
    #[arg(long)]
    pub(super) full: bool,
    /// Directory for the temporary copy of the store, with --full [default: the system's]
    #[arg(long, value_name = "DIR", requires = "full")]
    pub(super) temp_dir: Option<PathBuf>,
    /// Print a report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(super) struct LsArgs {
    /// The snapshot file, or - for standard input
    pub(super) snapshot: PathBuf,
    /// Show the SHA-256 of each member as well
    #[arg(long)]
    pub(super) sha256: bool,
    /// Read contents too, and check that the file is whole, also where an index leads from member to member
    #[arg(long)]
    pub(super) check: bool,
    /// Go on where other tar programs would; every such place is still reported
    #[arg(long)]
    pub(super) lenient: bool,
    /// Print a report with the list as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(super) struct IndexArgs {
    /// The compressed snapshot, or any gzip file of one member
    pub(super) file: PathBuf,
    /// The index to write; only FILE.idx is found again by itself [default: FILE.idx]
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// How many MiB of content lie between two places where reading can begin; with more than 16, one core reads
    /// [default: 2, in large files up to 8]
    #[arg(long, value_name = "MIB")]
    pub(super) span: Option<NonZeroU16>,
    /// Overwrite an existing index, and make one beside a file that holds its own
    #[arg(long)]
    pub(super) force: bool,
    /// Print path and sizes as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(super) struct CatArgs {
    /// The snapshot file, or - for standard input
    pub(super) snapshot: PathBuf,
    /// The member's name, as rollsnap ls shows it
    pub(super) member: String,
    /// Go on where other tar programs would
    #[arg(long)]
    pub(super) lenient: bool,
}

#[derive(Args, Debug)]
pub(super) struct ExtractArgs {
    /// The snapshot file, or - for standard input
    pub(super) snapshot: PathBuf,
    /// The members to extract [default: all]
    pub(super) members: Vec<String>,
    /// Where to; made if missing
    #[arg(long, short = 'C', value_name = "DIR", default_value = ".")]
    pub(super) directory: PathBuf,
    /// Replace files that exist
    #[arg(long)]
    pub(super) force: bool,
    /// Read everything, and extract nothing unless the file is whole, also where members can be reached from
    /// anywhere: in an uncompressed file, or by an index. Without names everything is read anyway
    #[arg(long)]
    pub(super) check: bool,
    /// Print a report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(super) struct VerifyArgs {
    /// The snapshot file (- for standard input), a data directory, or a context alone
    #[arg(value_name = "SNAPSHOT|DATA_DIR|CONTEXT_DIR")]
    pub(super) target: PathBuf,
    /// The last commitment as you know it from elsewhere
    #[arg(long, value_name = "HASH")]
    pub(super) expect_commitment: Option<CommitmentHash>,
    /// How much of the context is read
    #[arg(long, value_name = "SCOPE", default_value = "all")]
    pub(super) context: Scope,
    /// Whose rules apply [default: those of the nodes that read the store that is there]
    #[arg(long, value_name = "NODES")]
    pub(super) format: Option<Format>,
    /// Stop at the first check that does not hold
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// Directory for the temporary copy of the store [default: the system's]
    #[arg(long, value_name = "DIR")]
    pub(super) temp_dir: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(super) struct ExportArgs {
    /// The snapshot file to make [default: snapshot-ADDRESS-LEVEL.MODE]
    #[arg(value_name = "FILE", conflicts_with = "dest")]
    pub(super) file: Option<PathBuf>,
    /// Data directory of the rollup node [default: ~/.tezos-smart-rollup-node]
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// Directory to put the snapshot in; made if missing [default: the current one]
    #[arg(long, value_name = "DIR")]
    pub(super) dest: Option<PathBuf>,
    /// Compress while the archive is written; that is always done, and no other way would be faster
    #[arg(long)]
    pub(super) compress_on_the_fly: bool,
    /// Do not compress
    #[arg(long)]
    pub(super) uncompressed: bool,
    /// How hard to compress, from 1 (fast) to 9 (small)
    #[arg(long, value_name = "1-9", default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=9))]
    pub(super) compression_level: u8,
    /// Compress twice as fast, to about 2 % more
    #[arg(long, conflicts_with_all = ["compression_level", "uncompressed"])]
    pub(super) fast: bool,
    /// How many threads compress [default: one for each core]
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
    /// Cut the store at this level: head, finalized, cemented or a number; stores of version 4 have
    /// their head only [default: finalized]
    #[arg(long, value_name = "LEVEL")]
    pub(super) level: Option<String>,
    /// Whose rules apply [default: those of the nodes that read the store that is there]
    #[arg(long, value_name = "NODES")]
    pub(super) format: Option<Format>,
    /// Copy the database page by page instead of writing it anew: faster for the store, but what the
    /// node has deleted stays in it
    #[arg(long)]
    pub(super) no_vacuum: bool,
    /// Take the context of the first available block only: smaller, but nodes rebuild all later
    /// ones by replay when they import it, which takes hours or days
    #[arg(long)]
    pub(super) compact: bool,
    /// Do not ask layer 1, do not read the finished snapshot back, do not check its chain
    #[arg(long, alias = "no-checks")]
    pub(super) no_check: bool,
    /// Overwrite an existing file
    #[arg(long)]
    pub(super) force: bool,
    /// RPC address of the rollup node: its garbage collection is stopped first, instead of
    /// waiting for its end
    #[arg(long, value_name = "URL")]
    pub(super) rollup_node_endpoint: Option<String>,
    /// Print path, sizes, times and report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(super) struct ImportArgs {
    /// The snapshot file, or - for standard input
    pub(super) snapshot: PathBuf,
    /// Data directory of the rollup node; made if missing [default: ~/.tezos-smart-rollup-node]
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// Import over a populated data directory
    #[arg(long)]
    pub(super) force: bool,
    /// Do not ask layer 1, do not compare header and store, do not check the chain
    #[arg(long, alias = "no-checks")]
    pub(super) no_check: bool,
    /// Whose rules apply [default: those of the nodes that read the store in the snapshot]
    #[arg(long, value_name = "NODES")]
    pub(super) format: Option<Format>,
    /// Convert an older store to this version, for Octez nodes, as rollsnap convert does
    #[arg(long, value_name = "VERSION", conflicts_with = "format")]
    pub(super) to: Option<StoreVersion>,
    /// Take the store back to this level; stores of version 5 only
    #[arg(long, value_name = "LEVEL")]
    pub(super) level: Option<String>,
    /// Import a compact snapshot as it is: a node cannot go on from there before the contexts
    /// that are missing are rebuilt
    #[arg(long)]
    pub(super) keep_compact: bool,
    #[arg(long, hide = true)]
    apply_unsafe_patches: bool,
    #[arg(long, hide = true, value_name = "URL")]
    dal_node: Option<String>,
    /// Print the report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(super) struct DemoArgs {
    /// Directory to work in; made if missing, must be empty [default: a new one in the
    /// system's directory for temporary files]
    pub(super) directory: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct PageArgs {
    /// Port to listen on; 0 stands for any free one
    #[arg(long, default_value_t = 0)]
    pub(super) port: u16,
    /// Show the page in a browser
    #[arg(long)]
    pub(super) open: bool,
}

#[derive(Args, Debug)]
pub(super) struct CompletionsArgs {
    /// Which shell
    pub(super) shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub(super) struct ManArgs {
    /// Directory to write the pages to; made if missing [default: print the main page]
    pub(super) directory: Option<PathBuf>,
}

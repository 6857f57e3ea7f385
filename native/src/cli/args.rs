//! The commands, spelled as the nodes spell them. The options of each stand beside it.

use clap::{Parser, Subcommand};

use super::context::ContextCommand;
use super::convert::ConvertArgs;
use super::demo::DemoArgs;
use super::download::DownloadArgs;
use super::export::ExportArgs;
use super::global::Global;
use super::import::ImportArgs;
use super::index::IndexArgs;
use super::info::InfoArgs;
use super::levels::LevelsArgs;
use super::members::{CatArgs, ExtractArgs, LsArgs};
use super::page::PageArgs;
use super::repair::{RecomputeArgs, RepairCommand};
use super::replay::ReplayArgs;
use super::report::ReportCommand;
use super::schema::SchemaArgs;
use super::shell::{CompletionsArgs, ManArgs};
use super::verify::VerifyArgs;

/// Inspect, verify, export and import snapshots of smart rollup nodes
///
/// A snapshot is the state of a Tezos or Mavryk smart rollup node in one file: store, context and
/// pre-images. rollsnap reads, checks and makes such files without a node.
#[derive(Debug, Parser)]
#[command(name = "rollsnap", version, propagate_version = true, after_help = AFTER_HELP)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  rollsnap info rollup.snapshot      what it says about itself
  rollsnap verify rollup.snapshot    whether that is true
  rollsnap export                    a snapshot of the node on this computer
  rollsnap help COMMAND              more about a command

Exit status:
  0    done
  1    a check of the contents says no
  2    the command line is not understood
  3    the input cannot be read or is damaged
  4    refused: populated, other rollup, older level, locked, output exists
  5    environment: disk full, permission, I/O error
  6    nothing to do: the same level, a store of version 5, nothing to repair
  130  stopped by Ctrl-C; nothing was changed";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what a snapshot says about itself; reads the header only
    Info(InfoArgs),
    /// List the members of a snapshot
    Ls(LsArgs),
    /// Make an index beside a compressed snapshot: it is then read on all cores, and from anywhere
    Index(IndexArgs),
    /// Write one member to standard output; what follows it is not read
    Cat(CatArgs),
    /// Extract members to files
    Extract(ExtractArgs),
    /// Fetch a snapshot from an address to a file; after an interruption, the same command goes on
    Download(DownloadArgs),
    /// Say whether a snapshot or a data directory is intact, consistent and anchored
    Verify(VerifyArgs),
    /// Run blocks of a data directory or a snapshot again, and compare what comes of them
    Replay(ReplayArgs),
    /// Make a snapshot of a data directory
    Export(ExportArgs),
    /// Import a snapshot into a data directory
    Import(ImportArgs),
    /// Convert a store of version 2, 3 or 4 to version 5, which today's Octez nodes read
    Convert(ConvertArgs),
    /// Repair a data directory whose node is stopped: in one transaction, checked before it counts
    #[command(after_help = "Examples:\n  rollsnap repair rewind DATA_DIR --to last-sound --dry-run")]
    Repair {
        #[command(subcommand)]
        command: RepairCommand,
    },
    /// Repair outboxes, as the nodes spell it: recompute outbox messages from LEVEL
    Recompute(RecomputeArgs),
    /// Look into the context of a snapshot or a data directory: commits, trees, contents
    #[command(after_help = "Examples:\n  rollsnap context log rollup.snapshot")]
    Context {
        #[command(subcommand)]
        command: ContextCommand,
    },
    /// List what the store has at each level: block, messages, ticks, commitment, context
    Levels(LevelsArgs),
    /// Work with reports that were made before
    #[command(after_help = "Examples:\n  rollsnap report merge 1.json 2.json")]
    Report {
        #[command(subcommand)]
        command: ReportCommand,
    },
    /// Build a small data directory, export, verify and import it, and show how
    Demo(DemoArgs),
    /// Serve the page to a browser on this computer
    Page(PageArgs),
    /// The commands as the nodes spell them: snapshot export, import and info
    #[command(after_help = "Examples:\n  rollsnap snapshot export --data-dir DIR --dest backup")]
    Snapshot {
        #[command(subcommand)]
        command: SnapshotCommand,
    },
    /// Print the JSON Schemas of what --json and --progress json print
    Schema(SchemaArgs),
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
            Self::Download(args) => args.json,
            Self::Verify(args) => args.json,
            Self::Export(args) | Self::Snapshot { command: Snapshot::Export(args) } => args.json,
            Self::Import(args) | Self::Snapshot { command: Snapshot::Import(args) } => args.json,
            Self::Convert(args) => args.json,
            Self::Replay(args) => args.json,
            Self::Repair { command } => command.wants_json(),
            Self::Recompute(args) => args.wants_json(),
            Self::Report { command } => command.wants_json(),
            Self::Context { command } => command.wants_json(),
            Self::Levels(args) => args.json,
            Self::Cat(_)
            | Self::Demo(_)
            | Self::Page(_)
            | Self::Schema(_)
            | Self::Completions(_)
            | Self::Man(_) => false,
        }
    }

    /// Whether standard output takes a file.
    pub(super) fn streams(&self) -> bool {
        match self {
            Self::Export(args) | Self::Snapshot { command: SnapshotCommand::Export(args) } => args.streams(),
            Self::Index(args) => args.streams(),
            Self::Download(args) => args.streams(),
            Self::Convert(args) => args.streams(),
            Self::Context { command } => command.streams(),
            _ => false,
        }
    }
}

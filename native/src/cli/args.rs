//! The commands and the options that all of them have, spelled as the nodes spell them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::context::ContextCommand;
use super::convert::ConvertArgs;
use super::demo::DemoArgs;
use super::export::ExportArgs;
use super::import::ImportArgs;
use super::index::IndexArgs;
use super::info::InfoArgs;
use super::members::{CatArgs, ExtractArgs, LsArgs};
use super::page::PageArgs;
use super::shell::{CompletionsArgs, ManArgs};
use super::verify::VerifyArgs;
use crate::store::Family;

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
    /// Write one member to standard output; what follows it is not read
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

//! The options that all commands have, or several.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::memory;
use crate::store::Family;

/// Options of every command.
#[derive(Args, Debug)]
pub(super) struct Global {
    /// How progress is shown on standard error [default: bar on a terminal, else none]
    #[arg(long, global = true, value_name = "FORM")]
    pub(super) progress: Option<ProgressForm>,
    /// No progress and no remarks, only results and errors
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// Most memory for what is kept of the input, such as 512M or 16G; what would take more is not checked
    /// [default: three quarters of the machine's]
    #[arg(long, global = true, value_name = "SIZE", value_parser = memory::size)]
    pub(super) memory: Option<u64>,
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
    // Before the command only, as the nodes take them: after it they would be taken for something else in silence.
    #[arg(long, short = 'd', hide = true)]
    base_dir: Option<PathBuf>,
    #[arg(long, short = 'l', hide = true)]
    log_requests: bool,
    #[arg(long, short = 'P', hide = true)]
    port: Option<u16>,
    #[arg(long, short = 'A', hide = true)]
    addr: Option<String>,
    #[arg(long, short = 'S', hide = true)]
    tls: bool,
    #[arg(long, short = 't', hide = true)]
    timings: bool,
    #[arg(long, hide = true)]
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

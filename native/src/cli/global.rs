//! The options that commands share, and which command takes which.

use std::any::Any;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, ValueEnum};
use rollsnap_core::{Code, Problem, Result};

use super::headings::{CHECKS, GROUPS, LIMITS, OUTPUT, READ};
use super::sums;
use crate::l1::{self, client::Client};
use crate::store::Family;
use crate::{memory, remote};

/// Options that several commands have. Before the command all of them are understood, as the nodes take them there;
/// after it, those that mean something to it.
#[derive(Args, Clone, Debug)]
pub(super) struct Global {
    /// RPC address of a layer 1 node, for the checks that ask it
    #[arg(long, short = 'E', value_name = "URL", env = "ROLLSNAP_ENDPOINT", hide_env_values = true, help_heading = CHECKS)]
    pub(super) endpoint: Option<String>,
    /// How many threads work at once [default: one for each core]
    #[arg(long, value_name = "N", help_heading = LIMITS)]
    pub(super) jobs: Option<NonZeroUsize>,
    /// Most memory for what is kept of the input, such as 512M or 16G. What is known of the objects of a context goes to
    /// temporary files where it takes more; anything else is not checked then [default: 256M for those objects, three
    /// quarters of the machine's for all]
    #[arg(long, value_name = "SIZE", value_parser = memory::size, help_heading = LIMITS)]
    pub(super) memory: Option<u64>,
    /// How many connections fetch what is behind an address, from 1 to 16 [default: 8]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=remote::MOST_CONNECTIONS as u64), help_heading = LIMITS)]
    pub(super) connections: Option<usize>,
    /// Give a server up that brings nothing for so long, such as 90s or 15m [default: 15m]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = LIMITS)]
    pub(super) give_up: Option<Duration>,
    /// Another address that serves the same snapshot; may be given several times. What comes is spread over all of them,
    /// and one that fails is replaced by the others
    #[arg(long, value_name = "URL", help_heading = READ)]
    pub(super) mirror: Vec<String>,
    /// What is published about the snapshot, a file or an address: its length, its SHA-256, how much its contents take, and
    /// its mirrors
    #[arg(long, value_name = "FILE|URL", help_heading = READ)]
    pub(super) manifest: Option<String>,
    /// The snapshot that it is about
    #[arg(skip)]
    pub(super) snapshot: Option<OsString>,
    /// How progress is shown on standard error: bar, plain (a line now and then), json (an object a line) or none
    /// [default: bar on a terminal, else none]
    #[arg(long, value_name = "FORM", help_heading = OUTPUT)]
    pub(super) progress: Option<ProgressForm>,
    /// No progress and no remarks, only results and errors
    #[arg(long, short, help_heading = OUTPUT)]
    pub(super) quiet: bool,
    /// When to use colours: auto (on terminals, unless NO_COLOR is set), always or never
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = OUTPUT)]
    pub(super) color: ColorWhen,
    #[command(flatten)]
    node: NodeOptions,
}

/// Global options of the nodes, taken before the command so that a script need only change the program's name. After it
/// they would be taken for something else in silence.
#[derive(Args, Clone, Debug)]
struct NodeOptions {
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

/// What reads snapshots or data directories, and may take its time.
const JOBS: [&str; 19] = [
    "info",
    "download",
    "ls",
    "index",
    "cat",
    "extract",
    "verify",
    "replay",
    "export",
    "import",
    "convert",
    "context log",
    "context ls",
    "context cat",
    "context diff",
    "context prove",
    "context check-proof",
    "context stat",
    "levels",
];

/// What reads snapshots, which may be behind an address.
const READERS: [&str; 17] = [
    "info",
    "ls",
    "index",
    "cat",
    "extract",
    "download",
    "verify",
    "replay",
    "import",
    "convert",
    "context log",
    "context ls",
    "context cat",
    "context diff",
    "context prove",
    "context stat",
    "levels",
];

/// What adds up the SHA-256 of a snapshot file of this machine.
const SUMMED: [&str; 6] = ["info", "index", "extract", "verify", "import", "convert"];

/// Who takes which of the shared options. The table in `docs/STABILITY.md` says the same.
const TAKEN_BY: [(&str, &[&str]); 9] = [
    ("manifest", &READERS),
    ("mirror", &READERS),
    ("connections", &READERS),
    ("give_up", &READERS),
    (
        "endpoint",
        &["verify", "replay", "export", "import", "repair commitments", "repair head", "repair contexts"],
    ),
    ("jobs", &["info", "ls", "extract", "verify", "replay", "export", "import", "convert"]),
    (
        "memory",
        &[
            "info",
            "extract",
            "verify",
            "replay",
            "export",
            "import",
            "convert",
            "context log",
            "context ls",
            "context cat",
            "context diff",
            "context prove",
            "context stat",
            "levels",
        ],
    ),
    ("progress", &JOBS),
    ("quiet", &JOBS),
];

/// Whether a command takes an option. What calls others hands on what it is given.
fn takes(command: &str, option: &str) -> bool {
    let command = command.strip_prefix("snapshot ").unwrap_or(command);
    let row = TAKEN_BY.iter().find(|(name, _)| *name == option);
    // Every repair reads a data directory, and may take its time.
    let is_repair = (command.starts_with("repair ") || command == "recompute")
        && matches!(option, "memory" | "progress" | "quiet");
    option == "color"
        || is_repair
        || (command == "demo" && matches!(option, "progress" | "quiet"))
        || row.is_some_and(|(_, commands)| commands.contains(&command))
}

/// Gives each command those of the shared options that it takes, and its help at the end.
pub(super) fn spread(command: Command) -> Command {
    let shared: Vec<Arg> = command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned().collect();
    let top = command
        .mut_args(|arg| match arg.get_id().as_str() {
            // They mean something to some commands only, whose help has them.
            "endpoint" | "jobs" | "memory" | "connections" | "give_up" | "mirror" | "manifest" => {
                arg.hide(true)
            }
            _ => in_words(arg),
        })
        .mut_subcommands(|sub| {
            let name = sub.get_name().to_owned();
            spread_to(sub, &name, &shared)
        });
    with_help(top, false)
}

fn spread_to(command: Command, path: &str, shared: &[Arg]) -> Command {
    if command.has_subcommands() {
        let inner = command.mut_subcommands(|sub| {
            let path = format!("{path} {}", sub.get_name());
            spread_to(sub, &path, shared)
        });
        return with_help(inner, true);
    }
    let taken = shared.iter().filter(|arg| takes(path, arg.get_id().as_str())).cloned();
    let taken = taken.map(|arg| match (path, arg.get_id().as_str()) {
        ("verify" | "replay", "jobs") => arg.alias("replay-jobs"),
        // The header is read at once, and takes nothing.
        ("info", "jobs" | "memory") => arg.requires("full"),
        _ => arg,
    });
    let command =
        sums::explained(command.args(taken), path).mut_args(|arg| match (path, arg.get_id().as_str()) {
            // Without blocks to run, nothing would come of them.
            ("verify", "engine" | "kernel_timeout" | "kernel_memory" | "dal_node") => {
                in_words(arg.requires("replay"))
            }
            ("completions", _) => arg,
            _ => in_words(arg),
        });
    with_help(command, true)
}

/// Possible values stand in the text, so that an option takes few lines.
fn in_words(arg: Arg) -> Arg {
    let takes_value = arg.get_action().takes_values();
    if takes_value { arg.hide_possible_values(true) } else { arg }
}

/// What every command has stands last in its help.
fn with_help(command: Command, is_inner: bool) -> Command {
    let help = Arg::new("help").long("help").short('h').action(ArgAction::Help).help("Print help");
    let version = Arg::new("version").long("version").short('V').action(ArgAction::Version);
    let command = command
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(help.help_heading(OUTPUT))
        .arg(version.help("Print version").help_heading(OUTPUT).hide(is_inner));
    arranged(command)
}

/// Groups in their order; in each what has no name first, then options in the order in which they came.
fn arranged(command: Command) -> Command {
    let args =
        command.get_arguments().map(|arg| (arg.get_id().clone(), arg.get_help_heading().map(str::to_owned)));
    let args: Vec<_> = args.collect();
    let command = command.mut_args(|arg| {
        let at = args.iter().position(|(id, _)| id == arg.get_id()).unwrap_or_default();
        let order = if arg.is_positional() { at } else { args.len() + at };
        arg.display_order(order)
    });
    // An argument that is changed moves to the end, and a group stands where its first argument does.
    GROUPS.iter().fold(command, |command, group| {
        let of_group = args.iter().filter(|(_, heading)| heading.as_deref() == Some(group));
        of_group.fold(command, |command, (id, _)| command.mut_arg(id.as_str(), |arg| arg))
    })
}

impl Global {
    /// The layer 1 node to ask, before anything is read.
    ///
    /// # Errors
    /// [`Code::L1Endpoint`] for what is no address.
    pub(super) fn endpoint(&self) -> Result<Option<String>> {
        let Some(endpoint) = &self.endpoint else { return Ok(None) };
        Client::new(endpoint, l1::Options::default())?;
        Ok(Some(endpoint.clone()))
    }

    /// How files behind addresses are read.
    ///
    /// # Errors
    /// [`Code::RemoteAddress`] for a mirror that is no address.
    pub(super) fn remote(&self) -> Result<remote::Options> {
        let options = remote::Options::default();
        Ok(remote::Options {
            connections: self.connections.unwrap_or(options.connections),
            give_up: self.give_up.unwrap_or(options.give_up),
            mirrors: self.mirror.iter().map(|mirror| mirror.parse()).collect::<Result<_>>()?,
        })
    }

    /// The snapshot that mirrors and manifest are about.
    fn find_snapshot(&mut self, command: &Command, matches: &ArgMatches, path: &str) -> Result<()> {
        let refused = |headline: &str| Err(Problem::new(Code::Usage).headline(headline));
        let given =
            command.get_positionals().filter_map(|arg| matches.try_get_raw(arg.get_id().as_str()).ok()?);
        let given: Vec<_> = given.flatten().collect();
        let mut addresses = given.iter().filter(|name| remote::shown_name(Path::new(name)).is_some());
        self.snapshot = addresses.next().map(|name| name.to_os_string());
        let several = addresses.next().is_some();
        if !self.mirror.is_empty() {
            match self.snapshot {
                None => {
                    return refused(
                        "--mirror is about a snapshot that is read from an address, and none is given",
                    );
                }
                Some(_) if several => return refused("--mirror is about one address, and several are given"),
                Some(_) => {}
            }
        }
        if self.manifest.is_none() {
            return Ok(());
        }
        let path = path.strip_prefix("snapshot ").unwrap_or(path);
        if several || (matches!(path, "info" | "verify") && given.len() > 1) {
            return refused("--manifest is about one snapshot, and several are given");
        }
        if self.snapshot.is_none() {
            // Of a file of this machine it says the SHA-256, for those who add it up.
            let file = given.first().filter(|file| SUMMED.contains(&path) && !Path::new(file).is_dir());
            self.snapshot = file.map(|file| file.to_os_string());
        }
        match self.snapshot {
            Some(_) => Ok(()),
            None => refused("--manifest is about a snapshot file, or one that is read from an address"),
        }
    }

    /// What is true of a command line: what stands after the command goes before what stands in front of it.
    ///
    /// # Errors
    /// [`Code::Usage`] for an option that has no use for this command line.
    pub(super) fn or_later(mut self, mut command: &Command, top: &ArgMatches) -> Result<Self> {
        let mut chain = vec![top];
        let mut path = Vec::new();
        while let Some((name, inner)) = chain.last().and_then(|matches| matches.subcommand()) {
            path.push(name);
            chain.push(inner);
            command = command.find_subcommand(name).unwrap_or(command);
        }
        let path = path.join(" ");
        for option in ["jobs", "memory", "connections", "give_up", "mirror", "manifest", "progress"] {
            if top.value_source(option) == Some(ValueSource::CommandLine) && !takes(&path, option) {
                return Err(Problem::new(Code::Usage)
                    .headline(format!("--{} means nothing to rollsnap {path}", option.replace('_', "-"))));
            }
        }
        self.endpoint = last(&chain, "endpoint");
        self.jobs = last(&chain, "jobs");
        self.memory = last(&chain, "memory");
        self.connections = last(&chain, "connections");
        self.give_up = last(&chain, "give_up");
        self.mirror = chain.iter().flat_map(|matches| many(matches, "mirror")).collect();
        self.manifest = last(&chain, "manifest");
        if let Some(matches) = chain.last() {
            self.find_snapshot(command, matches, &path)?;
        }
        self.progress = last(&chain, "progress");
        self.quiet = chain.iter().any(|matches| matches!(matches.try_get_one("quiet"), Ok(Some(true))));
        self.color = last(&chain, "color").unwrap_or(self.color);
        Ok(self)
    }
}

/// The last value that was given; without one, that of the environment or the default.
fn last<T: Any + Clone + Send + Sync>(chain: &[&ArgMatches], id: &str) -> Option<T> {
    let value = |matches: &&ArgMatches| matches.try_get_one::<T>(id).ok().flatten().cloned();
    let is_given = |matches: &&&ArgMatches| {
        matches.try_contains_id(id).is_ok() && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    let given = chain.iter().rev().find(is_given).and_then(value);
    given.or_else(|| chain.iter().rev().find_map(value))
}

/// All values that were given.
fn many(matches: &ArgMatches, id: &str) -> Vec<String> {
    let values = matches.try_get_many::<String>(id).ok().flatten();
    values.map(|values| values.cloned().collect()).unwrap_or_default()
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
pub(super) enum StoreFormat {
    /// Tezos' nodes since Octez v21: store version 5
    Octez,
    /// Mavryk's nodes, and Octez before v21: store version 4
    Mavkit,
}

impl From<StoreFormat> for Family {
    fn from(format: StoreFormat) -> Self {
        match format {
            StoreFormat::Octez => Self::Octez,
            StoreFormat::Mavkit => Self::Mavkit,
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

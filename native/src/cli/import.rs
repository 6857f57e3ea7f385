//! `rollsnap import`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use rollsnap_core::nodes::import::level_request;
use rollsnap_core::{Feedback, Report, Result};
use serde::Serialize;

use super::convert::StoreVersion;
use super::dry_run;
use super::export::{JsonPhase, data_dir, phases};
use super::global::{Global, StoreFormat};
use super::headings::{CHECKS, OUTPUT, READ, REPLAY, RESULT};
use super::output::{Output, print, shown_path, size};
use super::progress::Terminal;
use super::remarks;
use super::scope::ScopeArgs;
use super::space::SpaceArgs;
use super::sums::SumArgs;
use crate::context::Flushing;
use crate::dir::Owner;
use crate::import::{self, Interval, Options};

const EXAMPLES: &str = "\
Examples:
  rollsnap import rollup.snapshot --endpoint http://localhost:8732
  rollsnap import rollup.snapshot --data-dir DIR --force    over older data
  curl -fL URL | rollsnap import - --data-dir DIR";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ImportArgs {
    /// The snapshot file, or - for standard input
    #[arg(help_heading = READ)]
    snapshot: PathBuf,
    /// Data directory of the rollup node; made if missing [default: $ROLLSNAP_DATA_DIR, or
    /// ~/.tezos-smart-rollup-node]
    #[arg(long, short, value_name = "DIR", help_heading = RESULT)]
    data_dir: Option<PathBuf>,
    /// Import over a populated data directory
    #[arg(long, help_heading = RESULT)]
    force: bool,
    /// Say what would be read, written, replaced and removed, which locks are taken and how much space that needs; change
    /// nothing
    #[arg(long, conflicts_with = "print_sha256", help_heading = RESULT)]
    dry_run: bool,
    /// Forget what an interrupted import has unpacked, and begin anew
    #[arg(long, help_heading = RESULT)]
    restart: bool,
    /// Take the store back to this level; stores of version 5 only
    #[arg(long, value_name = "LEVEL", help_heading = RESULT)]
    level: Option<String>,
    /// Convert an older store to version 5 (v5), for Octez nodes, as rollsnap convert does
    #[arg(long, value_name = "VERSION", conflicts_with = "store_format", help_heading = RESULT)]
    to: Option<StoreVersion>,
    /// Give the data to this user and group, names or numbers; for root only [default: those of the data
    /// directory, or, where it is new, of the directory that it is made in]
    #[arg(long, value_name = "USER[:GROUP]", help_heading = RESULT)]
    owner: Option<String>,
    /// Compare header and store, check chain and context, and ask layer 1; the default
    #[arg(long, overrides_with = "no_check", help_heading = CHECKS)]
    check: bool,
    /// Do none of that
    #[arg(long, alias = "no-checks", overrides_with = "check", help_heading = CHECKS)]
    no_check: bool,
    #[command(flatten)]
    context: ScopeArgs,
    #[command(flatten)]
    sums: SumArgs,
    /// Whose rules apply: octez (since v21: store version 5) or mavkit (and Octez before: version 4) [default: those of
    /// the nodes that read the store in the snapshot]
    #[arg(long, alias = "format", value_name = "NODES", help_heading = CHECKS)]
    store_format: Option<StoreFormat>,
    /// Import a compact snapshot as it is: a node cannot go on from there, since the contexts that are missing are not
    /// rebuilt
    #[arg(long, help_heading = REPLAY)]
    keep_compact: bool,
    /// A DAL node to ask for the pages that kernels read, while the contexts of a compact snapshot are rebuilt
    #[arg(long, value_name = "URL", conflicts_with = "keep_compact", help_heading = REPLAY)]
    dal_node: Option<String>,
    #[command(flatten)]
    space: SpaceArgs,
    #[arg(long, hide = true)]
    apply_unsafe_patches: bool,
    /// Print the report as JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(super) json: bool,
}

pub(super) fn run(
    args: &ImportArgs,
    global: &Global,
    output: &Output,
    feedback: &mut Terminal,
) -> Result<ExitCode> {
    let options = Options {
        data_dir: data_dir(args.data_dir.as_deref())?,
        force: args.force,
        check: !args.no_check,
        context: args.context.scope(),
        family: args.store_format.map(Into::into),
        to_v5: args.to.is_some(),
        level: args.level.as_deref().map(level).transpose()?,
        keep_compact: args.keep_compact,
        owner: args.owner.as_deref().map(Owner::parse).transpose()?,
        endpoint: global.endpoint()?,
        dal_node: args.dal_node.clone(),
        checksum: args.sums.read(std::slice::from_ref(&args.snapshot), feedback)?,
        space: args.space.check(),
        restart: args.restart,
        recording: Interval::default(),
        flushing: Flushing::default(),
    };
    if args.dry_run {
        let plan = import::preflight(&args.snapshot, &options, feedback)?;
        return dry_run::show("import", &plan, output, feedback);
    }
    let since = Instant::now();
    let outcome = import::run(&args.snapshot, &options, feedback)?;
    feedback.close(true);
    remarks::tell(&outcome.report, feedback);
    // What it was for is known only now.
    let unused = [(args.keep_compact, "--keep-compact"), (args.dal_node.is_some(), "--dal-node")];
    for (_, option) in unused.iter().filter(|(is_given, _)| *is_given && outcome.lacking.is_none()) {
        feedback.note(&format!("Note: {option} had no effect: the snapshot is a full one"));
    }
    if args.apply_unsafe_patches {
        feedback.note("Note: --apply-unsafe-patches had no effect: a state is never patched");
    }
    let (place, bytes) = (shown_path(&options.data_dir), outcome.report.members.bytes.unwrap_or_default());
    let kind = match &outcome.lacking {
        Some(lacking) if lacking.is_compact() => "Compact snapshot: level",
        Some(_) => "Partly compact snapshot: level",
        None => "Level",
    };
    remarks::made(format_args!("{kind} {} in {place}: {}", outcome.head_level, size(bytes)), since, feedback);
    if output.is_json() {
        output.json(&Json {
            report: &outcome.report,
            data_dir: options.data_dir.to_string_lossy().into_owned(),
            head_level: outcome.head_level,
            compact: outcome.lacking.is_some(),
            phases: phases(&outcome.stages),
        })?;
    } else {
        print(format_args!("Snapshot successfully imported\n"))?;
        args.sums.print(outcome.report.container.sha256.as_deref(), output)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A report with the facts of the import.
#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    report: &'a Report,
    data_dir: String,
    head_level: i32,
    compact: bool,
    phases: Vec<JsonPhase>,
}

/// A strictly positive decimal number.
fn level(text: &str) -> Result<i32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let level = text.parse().ok().filter(|level| digits && *level > 0);
    level.ok_or_else(|| level_request(text))
}

//! `rollsnap context stat`: what a commit consists of.

use std::process::ExitCode;

use rollsnap_core::context::stat::{FileFacts, Subtree};
use rollsnap_core::context::{Riscv, Stat};
use rollsnap_core::feedback::Phase;
use rollsnap_core::report::Tally;
use rollsnap_core::{Feedback, Result};
use serde::Serialize;

use super::args::StatArgs;
use super::{Chosen, JsonCommit, Opened, choose, open_for_much};
use crate::cli::output::{FAINT, Output, STRONG, grouped, plural, print, print_lines, size};
use crate::cli::progress::Terminal;
use crate::files::FileSet;
use crate::scratch::Spilling;

/// Name and version of the JSON form.
const SCHEMA: &str = "rollsnap.context-stat/1";

/// How many subtrees are shown to people.
const ROWS: usize = 40;

pub(super) fn run(args: &StatArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let target = open_for_much(&args.target, feedback)?;
    let context = match Opened::of(&target, feedback)? {
        Opened::Riscv(riscv) => return self::riscv(&riscv, output, feedback),
        Opened::Irmin(context) => context,
    };
    let chosen = choose(&context, &target.levels, &args.commit, feedback)?;
    let phase = Phase::only("Counting objects");
    feedback.phase(phase);
    let mut spilling = Spilling::within(feedback, args.target.temp_dir.as_deref());
    let stat = context.stat(&chosen.commit, args.depth, &mut spilling)?;
    let files = context.file_facts();
    feedback.close(true);
    if output.is_json() {
        output.json(&Json { schema: SCHEMA, kind: "irmin", commit: chosen.json(), stat: &stat, files })?;
    } else {
        print_lines(&words(&chosen, &stat, &files))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Json<'a> {
    schema: &'static str,
    kind: &'static str,
    commit: JsonCommit,
    #[serde(flatten)]
    stat: &'a Stat,
    files: FileFacts,
}

fn words(chosen: &Chosen, stat: &Stat, files: &FileFacts) -> String {
    let mut text = format!("Commit {STRONG}{}{STRONG:#}\n\n", chosen.words());
    text += &format!("{FAINT}{:<14}{:>14}{:>16}{FAINT:#}\n", "objects", "number", "bytes");
    for (name, Tally { count, bytes }) in [
        ("contents", stat.contents),
        ("directories", stat.directories),
        ("inner parts", stat.inner),
        ("all", stat.objects),
    ] {
        text += &format!("{name:<14}{:>14}{:>16}\n", grouped(count), grouped(bytes));
    }
    text += &format!("\nContents alone:  {}, the largest {}\n", size(stat.content_bytes), size(stat.largest));
    text += &format!(
        "Depth:           {}, and {} within a directory\n",
        plural(stat.depth, "step", "steps"),
        plural(stat.inner_depth, "part", "parts")
    );
    text += &format!(
        "Files:           {} in {} from before the last collection, {} in {}, {} in {}\n",
        size(files.prefix_bytes),
        plural(files.ranges, "range", "ranges"),
        size(files.suffix_bytes),
        plural(files.chunks, "chunk", "chunks"),
        plural(files.names, "name", "names"),
        size(files.dict_bytes),
    );
    text + &subtrees(stat)
}

/// The largest subtrees, in the order of their paths.
fn subtrees(stat: &Stat) -> String {
    let mut sizes: Vec<u64> = stat.subtrees.iter().map(|tree| tree.objects.bytes).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let least = sizes.get(ROWS - 1).copied().unwrap_or_default();
    let shown = |tree: &&Subtree| tree.objects.bytes >= least;
    if sizes.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{FAINT}{:>8}{:>14}{:>16}  subtree{FAINT:#}\n", "share", "objects", "bytes");
    for tree in stat.subtrees.iter().filter(shown).take(ROWS) {
        let indent = usize::try_from(2 * tree.depth.saturating_sub(1)).unwrap_or_default();
        let name = tree.path.rsplit('/').next().unwrap_or_default();
        text += &format!(
            "{:>6.1} %{:>14}{:>16}  {:indent$}{name}/\n",
            tree.share * 100.0,
            grouped(tree.objects.count),
            grouped(tree.objects.bytes),
            "",
        );
    }
    let hidden = stat.subtrees.len().saturating_sub(ROWS);
    if hidden > 0 || stat.subtrees_left_out {
        let more = if stat.subtrees_left_out { "more than " } else { "" };
        text += &format!("{FAINT}… and {more}{} smaller ones (--json){FAINT:#}\n", grouped(hidden as u64));
    }
    text
}

/// What the files of a riscv context are.
#[derive(Default, Serialize)]
struct RiscvFacts {
    schema: &'static str,
    kind: &'static str,
    /// Commits that can be read, and the bytes of their files.
    commits: Tally,
    /// Files that are no commits.
    chunks: Tally,
    /// Bytes of all states, as if no two shared anything.
    state_bytes: u64,
}

fn riscv(riscv: &Riscv<&FileSet>, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let mut facts = RiscvFacts { schema: SCHEMA, kind: "riscv", ..RiscvFacts::default() };
    for commit in riscv.commits() {
        feedback.checkpoint()?;
        let commit = commit?;
        if !commit.is_available() {
            continue;
        }
        facts.commits.count += 1;
        facts.commits.bytes += 8 + 32 * commit.chunks;
        facts.state_bytes = facts.state_bytes.saturating_add(commit.size);
    }
    for (_, len) in riscv.files() {
        facts.chunks.count += 1;
        facts.chunks.bytes = facts.chunks.bytes.saturating_add(len);
    }
    facts.chunks.count -= facts.commits.count;
    facts.chunks.bytes = facts.chunks.bytes.saturating_sub(facts.commits.bytes);
    feedback.close(true);
    if output.is_json() {
        output.json(&facts)?;
        return Ok(ExitCode::SUCCESS);
    }
    print(format_args!(
        "{}: {}\n{}: {}\nStates:  {}\n",
        plural(facts.commits.count, "commit", "commits"),
        size(facts.commits.bytes),
        plural(facts.chunks.count, "chunk", "chunks"),
        size(facts.chunks.bytes),
        size(facts.state_bytes),
    ))?;
    Ok(ExitCode::SUCCESS)
}

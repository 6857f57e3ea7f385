//! `rollsnap context log`: the commits of a context.

use std::collections::HashMap;
use std::process::ExitCode;

use rollsnap_core::context::stat::FileFacts;
use rollsnap_core::context::{Context, Listed, Riscv, State, path};
use rollsnap_core::hash::ContextHash;
use rollsnap_core::report::Check;
use rollsnap_core::{Class, Code, Problem, Result};
use serde::Serialize;

use super::args::LogArgs;
use super::{Opened, known, open};
use crate::cli::output::{FAINT, Output, check_row, grouped, plural, print};
use crate::cli::progress::Terminal;
use crate::context::Levels;
use crate::files::FileSet;

pub(super) fn run(args: &LogArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let target = open(&args.target, feedback)?;
    let levels = levels(&target.levels, feedback)?;
    let log = match Opened::of(&target)? {
        Opened::Irmin(context) => irmin(&context, &levels)?,
        Opened::Riscv(riscv) => self::riscv(&riscv, &levels)?,
    };
    feedback.close(true);
    let failed = log.checks.iter().any(|check| check.status == rollsnap_core::report::Status::No);
    if output.is_json() {
        output.json(&log)?;
    } else {
        show(&log)?;
    }
    Ok(if failed { Class::Answer.exit_status().into() } else { ExitCode::SUCCESS })
}

/// The commits of a context, the newest first.
#[derive(Serialize)]
struct Log {
    kind: &'static str,
    files: Option<FileFacts>,
    commits: Vec<Row>,
    checks: Vec<Check>,
}

#[derive(Serialize)]
struct Row {
    hash: String,
    context_hash: ContextHash,
    level: Option<i32>,
    state: &'static str,
    offset: Option<u64>,
    length: Option<u64>,
    /// What the commit added to the context; `None` where that is not known.
    added_bytes: Option<u64>,
    author: Option<String>,
    message: Option<String>,
    /// What is wrong with it.
    problem: Option<String>,
    /// How long the state is; riscv only.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

type LevelsByHash = HashMap<ContextHash, i32>;

fn levels(levels: &Levels, feedback: &mut Terminal) -> Result<LevelsByHash> {
    let contexts = known(levels.contexts(), feedback)?.unwrap_or_default();
    Ok(contexts.into_iter().map(|(level, context)| (context, level)).collect())
}

fn irmin(context: &Context<&FileSet>, levels: &LevelsByHash) -> Result<Log> {
    let mut checks: Vec<Check> = context.refusals()?.iter().map(Check::of).collect();
    checks.extend(context.remarks()?.iter().map(Check::warning));
    let mut rows = Vec::new();
    // Where the commit before ends. Offsets are never used again, so this is true of commits that
    // are gone as well; only a context that was made of another one does not say where it begins.
    let mut before = (context.layout().generation() == 0).then_some(0);
    for Listed { entry, state } in context.commits()? {
        let end = entry.offset.saturating_add(u64::from(entry.len));
        let (word, commit, problem) = match &state {
            State::Available(commit) => ("available", Some(commit), None),
            State::Collected => ("collected", None, None),
            State::NotYet => ("not-yet", None, None),
            State::Damaged(problem) => {
                checks.push(Check::of(problem));
                ("damaged", None, Some(problem.sentence()))
            }
        };
        rows.push(Row {
            hash: path::hex(entry.hash.as_bytes()),
            context_hash: entry.hash,
            level: levels.get(&entry.hash).copied(),
            state: word,
            offset: Some(entry.offset),
            length: Some(entry.len.into()),
            added_bytes: before.map(|before| end.saturating_sub(before)),
            author: commit.map(|commit| path::show_step(&commit.author)),
            message: commit.map(|commit| path::show_step(&commit.message)),
            problem,
            size: None,
        });
        before = Some(end);
    }
    rows.reverse();
    Ok(Log { kind: "irmin", files: Some(context.file_facts()), commits: rows, checks })
}

fn riscv(riscv: &Riscv<&FileSet>, levels: &LevelsByHash) -> Result<Log> {
    let mut checks = Vec::new();
    let mut rows = Vec::new();
    for commit in riscv.commits()? {
        let problem = match (commit.sound, commit.missing) {
            (true, 0) => None,
            (false, _) => Some(Problem::new(Code::ContextHash)),
            (true, missing) => Some(
                Problem::new(Code::ContextChild)
                    .expected(plural(commit.chunks, "chunk", "chunks"))
                    .found(format_args!("{} missing", grouped(missing))),
            ),
        };
        let hash = path::hex(commit.hash.as_bytes());
        let problem = problem.map(|problem| problem.member(format!("context/{hash}")));
        checks.extend(problem.iter().map(Check::of));
        rows.push(Row {
            hash,
            context_hash: commit.hash,
            level: levels.get(&commit.hash).copied(),
            state: if problem.is_some() { "damaged" } else { "available" },
            offset: None,
            length: Some(8 + 32 * commit.chunks),
            added_bytes: None,
            author: None,
            message: None,
            problem: problem.map(|problem| problem.sentence()),
            size: Some(commit.size),
        });
    }
    rows.sort_by_key(|row| (std::cmp::Reverse(row.level), row.context_hash));
    Ok(Log { kind: "riscv", files: None, commits: rows, checks })
}

fn show(log: &Log) -> Result<()> {
    let readable = log.commits.iter().filter(|row| row.state == "available").count();
    let form = match &log.files {
        Some(facts) if facts.generation > 0 => {
            format!("irmin-pack, version {}, generation {}", facts.version, facts.generation)
        }
        Some(facts) => format!("irmin-pack, version {}, never collected", facts.version),
        None => "riscv".into(),
    };
    print(format_args!(
        "{form}: {}, {} can be read\n",
        plural(log.commits.len() as u64, "commit", "commits"),
        grouped(readable as u64)
    ))?;
    if !log.commits.is_empty() {
        let (title, hash) = (if log.kind == "riscv" { "bytes" } else { "bytes added" }, "commit");
        print(format_args!("\n{FAINT}{:>10}  {hash:<54}  {title:>13}{FAINT:#}\n", "level"))?;
    }
    for row in &log.commits {
        let level = row.level.map_or_else(|| "-".into(), |level| level.to_string());
        let bytes = row.size.or(row.added_bytes).map_or_else(|| "-".into(), grouped);
        let remark = match (row.state, &row.message) {
            ("available", Some(message)) if !message.is_empty() => format!("  {message}"),
            ("available", _) => String::new(),
            ("not-yet", _) => "  not there yet".into(),
            (state, _) => format!("  {state}"),
        };
        let style = if row.state == "available" { anstyle::Style::new() } else { FAINT };
        print(format_args!("{style}{level:>10}  {:<54}  {bytes:>13}{remark}{style:#}\n", row.context_hash))?;
    }
    if !log.checks.is_empty() {
        print(format_args!("\n"))?;
    }
    for check in &log.checks {
        print(format_args!("{}\n", check_row(check)))?;
    }
    Ok(())
}

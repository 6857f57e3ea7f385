//! `rollsnap context log`: the commits of a context.
//!
//! There may be millions, so that rows are made one by one.

use std::cmp::Reverse;
use std::process::ExitCode;

use rollsnap_core::context::stat::FileFacts;
use rollsnap_core::context::{Context, Listed, Riscv, State, path, riscv};
use rollsnap_core::hash::ContextHash;
use rollsnap_core::members::in_context;
use rollsnap_core::report::{Check, MAX_CHECKS, Status};
use rollsnap_core::{Class, Code, Feedback, Problem, Result};
use serde::Serialize;

use super::args::LogArgs;
use super::{Opened, known, open};
use crate::cli::output::{FAINT, Output, check_row, grouped, plural};
use crate::cli::progress::Terminal;
use crate::cli::rows::{self, Rows};
use crate::cli::width;
use crate::context::Levels;
use crate::files::FileSet;

pub(super) fn run(args: &LogArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let target = open(&args.target, feedback)?;
    let levels = LevelsOfCommits::read(&target.levels, feedback)?;
    let mut log = Log::new(output.is_json());
    let facts = match Opened::of(&target, feedback)? {
        Opened::Irmin(context) => log.irmin(&context, &levels, feedback)?,
        Opened::Riscv(riscv) => log.riscv(&riscv, &levels, feedback)?,
    };
    feedback.close(true);
    log.print(facts).map(ExitCode::from)
}

/// The commits of a context, the newest first.
struct Log {
    json: bool,
    styles: bool,
    width: Option<usize>,
    rows: Rows,
    commits: u64,
    readable: u64,
    checks: Vec<Check>,
    checks_left_out: u64,
}

/// What is printed around the rows, as JSON.
#[derive(Serialize)]
struct Frame {
    schema: &'static str,
    exit_status: u8,
    kind: &'static str,
    files: Option<FileFacts>,
    commits: [Row; 0],
    checks: Vec<Check>,
    #[serde(skip_serializing_if = "is_none")]
    checks_left_out: u64,
}

fn is_none(count: &u64) -> bool {
    *count == 0
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

/// At which level each commit was made: the beginning of its hash, which is enough to tell commits apart, and the
/// level. Twelve bytes a commit, and four for their alignment.
struct LevelsOfCommits(Vec<(u64, i32)>);

impl LevelsOfCommits {
    fn read(levels: &Levels, feedback: &mut Terminal) -> Result<Self> {
        let allowance = feedback.allowance();
        let (mut list, mut room) = (Vec::new(), Ok(()));
        let told = levels.contexts(&mut |level, context| {
            if room.is_ok() {
                list.push((Self::key(&context), level));
                room = allowance.check(size_of_val(&list[..]) as u64, "the levels of the commits");
            }
        });
        known(told, feedback)?;
        room?;
        list.sort_unstable();
        Ok(Self(list))
    }

    /// The level of a commit; of several the highest.
    fn get(&self, hash: &ContextHash) -> Option<i32> {
        let key = Self::key(hash);
        let after = self.0.partition_point(|(other, _)| *other <= key);
        let (found, level) = self.0.get(after.checked_sub(1)?)?;
        (*found == key).then_some(*level)
    }

    fn key(hash: &ContextHash) -> u64 {
        hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }
}

impl Log {
    fn new(json: bool) -> Self {
        Self {
            json,
            styles: rows::has_styles(),
            width: width::of_stdout(),
            rows: Rows::default(),
            commits: 0,
            readable: 0,
            checks: Vec::new(),
            checks_left_out: 0,
        }
    }

    fn irmin(
        &mut self,
        context: &Context<&FileSet>,
        levels: &LevelsOfCommits,
        feedback: &dyn Feedback,
    ) -> Result<Option<FileFacts>> {
        context.refusals()?.iter().for_each(|problem| self.check(Check::of(problem)));
        context.remarks()?.iter().for_each(|problem| self.check(Check::warning(problem)));
        // Only a context that was made of another one does not say where its first commit begins.
        let start = (context.layout().generation() == 0).then_some(0);
        let mut commits = context.commits(feedback)?.rev().peekable();
        while let Some(listed) = commits.next() {
            feedback.checkpoint()?;
            let Listed { entry, state } = listed?;
            let end = entry.offset.saturating_add(u64::from(entry.len));
            // Where the commit before ends. Offsets are never used again, so this is true of commits that are
            // gone as well.
            let before = match commits.peek() {
                Some(Ok(Listed { entry, .. })) => Some(entry.offset.saturating_add(u64::from(entry.len))),
                Some(Err(_)) => None,
                None => start,
            };
            let (word, commit, problem) = match &state {
                State::Available(commit) => ("available", Some(commit), None),
                State::Collected => ("collected", None, None),
                State::NotYet => ("not-yet", None, None),
                State::Damaged(problem) => {
                    self.check(Check::of(problem));
                    ("damaged", None, Some(problem.sentence()))
                }
            };
            self.row(&Row {
                hash: path::hex(entry.hash.as_bytes()),
                context_hash: entry.hash,
                level: levels.get(&entry.hash),
                state: word,
                offset: Some(entry.offset),
                length: Some(entry.len.into()),
                added_bytes: before.map(|before| end.saturating_sub(before)),
                author: commit.map(|commit| path::show_step(&commit.author)),
                message: commit.map(|commit| path::show_step(&commit.message)),
                problem,
                size: None,
            })?;
        }
        Ok(Some(context.file_facts()))
    }

    fn riscv(
        &mut self,
        riscv: &Riscv<&FileSet>,
        levels: &LevelsOfCommits,
        feedback: &dyn Feedback,
    ) -> Result<Option<FileFacts>> {
        let allowance = feedback.allowance();
        let mut commits: Vec<(Option<i32>, riscv::Commit)> = Vec::new();
        for commit in riscv.commits() {
            feedback.checkpoint()?;
            let commit = commit?;
            commits.push((levels.get(&commit.hash), commit));
            allowance.check(size_of_val(&commits[..]) as u64, "the commits of the context")?;
        }
        commits.sort_unstable_by_key(|(level, commit)| (Reverse(*level), commit.hash));
        for (level, commit) in commits {
            feedback.checkpoint()?;
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
            let problem = problem.map(|problem| problem.member(in_context(&hash)));
            problem.iter().for_each(|problem| self.check(Check::of(problem)));
            self.row(&Row {
                hash,
                context_hash: commit.hash,
                level,
                state: if problem.is_some() { "damaged" } else { "available" },
                offset: None,
                length: Some(8 + 32 * commit.chunks),
                added_bytes: None,
                author: None,
                message: None,
                problem: problem.map(|problem| problem.sentence()),
                size: Some(commit.size),
            })?;
        }
        Ok(None)
    }

    fn check(&mut self, check: Check) {
        if self.checks.len() < MAX_CHECKS {
            self.checks.push(check);
        } else {
            self.checks_left_out += 1;
        }
    }

    fn row(&mut self, row: &Row) -> Result<()> {
        self.commits += 1;
        self.readable += u64::from(row.state == "available");
        if self.json {
            return self.rows.element(row);
        }
        let level = row.level.map_or_else(|| "-".into(), |level| level.to_string());
        let bytes = row.size.or(row.added_bytes).map_or_else(|| "-".into(), grouped);
        let remark = match (row.state, &row.message) {
            ("available", Some(message)) if !message.is_empty() => format!("  {message}"),
            ("available", _) => String::new(),
            ("not-yet", _) => "  not there yet".into(),
            (state, _) => format!("  {state}"),
        };
        let style = if row.state == "available" || !self.styles { anstyle::Style::new() } else { FAINT };
        let hash = row.context_hash;
        let row = format!("{style}{level:>10}  {hash:<54}  {bytes:>12}{remark}{style:#}");
        self.rows.text(format_args!("{}\n", width::fit(&row, 2, self.width)))
    }

    /// Prints it; `files` are those of an irmin-pack store, `None` for the kind `riscv`. Gives the exit status.
    fn print(self, files: Option<FileFacts>) -> Result<u8> {
        let failed = self.checks.iter().any(|check| check.status == Status::No);
        let exit_status = if failed { Class::Answer.exit_status() } else { 0 };
        let Self { json, rows, commits, readable, checks, checks_left_out, .. } = self;
        if json {
            let kind = if files.is_some() { "irmin" } else { "riscv" };
            let schema = "rollsnap.context-log/1";
            let frame = Frame { schema, exit_status, kind, files, commits: [], checks, checks_left_out };
            return rows.print_in(&frame, "commits").map(|()| exit_status);
        }
        let form = match &files {
            Some(facts) if facts.generation > 0 => {
                format!("irmin-pack, version {}, generation {}", facts.version, facts.generation)
            }
            Some(facts) => format!("irmin-pack, version {}, never collected", facts.version),
            None => "riscv".into(),
        };
        let count = plural(commits, "commit", "commits");
        let mut before = format!("{form}: {count}, {} can be read\n", grouped(readable));
        if commits > 0 {
            let (title, hash) = (if files.is_some() { "bytes added" } else { "bytes" }, "commit");
            before += &format!("\n{FAINT}{:>10}  {hash:<54}  {title:>12}{FAINT:#}\n", "level");
        }
        let mut after = String::new();
        if !checks.is_empty() {
            after.push('\n');
        }
        for check in &checks {
            after += &format!("{}\n", check_row(check));
        }
        if checks_left_out > 0 {
            after += &format!("  … and {} more\n", grouped(checks_left_out));
        }
        rows.print(&before, &after).map(|()| exit_status)
    }
}

//! `rollsnap context`: what is in a context, without a node.

mod args;
mod diff;
mod log;
mod prove;
mod stat;
mod tree;

use std::process::ExitCode;

use rollsnap_core::context::{Commit, Context, Index, Riscv, State, path};
use rollsnap_core::hash::ContextHash;
use rollsnap_core::{Code, Feedback, Problem, Result};
use serde::Serialize;

pub(super) use args::ContextCommand;
use args::{CommitArgs, TargetArgs};

use super::output::{NOT_UNPACKED, Output};
use super::progress::Terminal;
use crate::context::{Levels, Target};
use crate::files::FileSet;
use crate::store::LevelRequest;

pub(super) fn run(command: &ContextCommand, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    match command {
        ContextCommand::Log(args) => log::run(args, output, feedback),
        ContextCommand::Ls(args) => tree::list(args, output, feedback),
        ContextCommand::Cat(args) => tree::cat(args, feedback),
        ContextCommand::Diff(args) => diff::run(args, output, feedback),
        ContextCommand::Prove(args) => prove::run(args, output, feedback),
        ContextCommand::CheckProof(args) => prove::check(args, output, feedback),
        ContextCommand::Stat(args) => stat::run(args, output, feedback),
    }
}

/// What kind of context it is.
enum Opened<'t> {
    Irmin(Box<Context<&'t FileSet>>),
    Riscv(Riscv<&'t FileSet>),
}

impl<'t> Opened<'t> {
    fn of(target: &'t Target, feedback: &dyn Feedback) -> Result<Self> {
        let riscv = Riscv::recognise(&&target.files)?;
        if riscv {
            Riscv::open(&target.files, feedback).map(Self::Riscv)
        } else {
            Context::open(&target.files).map(|context| Self::Irmin(context.into()))
        }
    }

    /// The commands that need paths.
    fn irmin(self) -> Result<Context<&'t FileSet>> {
        match self {
            Self::Irmin(context) => Ok(*context),
            Self::Riscv(_) => Err(Problem::new(Code::Usage)
                .headline(
                    "this is the context of a riscv rollup: its state is one string of bytes without paths",
                )
                .because("rollsnap context log and rollsnap context stat show its commits")),
        }
    }
}

fn open(args: &TargetArgs, feedback: &mut Terminal) -> Result<Target> {
    let target = open_for_much(args, feedback)?;
    if args.temp_dir.is_some() && target.file_bytes.is_none() {
        feedback.note(NOT_UNPACKED);
    }
    Ok(target)
}

/// The same for a command that may need temporary files whatever the target is.
fn open_for_much(args: &TargetArgs, feedback: &mut Terminal) -> Result<Target> {
    let target = Target::open(&args.target, args.temp_dir.as_deref(), feedback)?;
    target.file_bytes.into_iter().for_each(|bytes| feedback.of_file(bytes));
    if let Levels::None(problem) = &target.levels
        && (problem.code() != Code::StoreMissing || problem.title() != Code::StoreMissing.title())
    {
        feedback.note(&format!("Levels are not known: {problem}"));
    }
    Ok(target)
}

/// A commit, and its level where the store tells.
struct Chosen {
    commit: Commit,
    level: Option<i32>,
}

/// What is said of it in JSON.
#[derive(Serialize)]
struct JsonCommit {
    hash: String,
    context_hash: ContextHash,
    level: Option<i32>,
    author: String,
    message: String,
}

impl Chosen {
    fn json(&self) -> JsonCommit {
        JsonCommit {
            hash: path::hex(self.commit.hash.as_bytes()),
            context_hash: self.commit.hash,
            level: self.level,
            author: path::show_step(&self.commit.author),
            message: path::show_step(&self.commit.message),
        }
    }

    /// `SRCo… at level N`
    fn words(&self) -> String {
        let level = self.level.map_or_else(String::new, |level| format!(" at level {level}"));
        format!("{}{level}", self.commit.hash)
    }
}

/// The commit that was asked for; else that of the head, else the newest one that can be read.
fn choose(
    context: &Context<&FileSet>,
    levels: &Levels,
    args: &CommitArgs,
    feedback: &mut Terminal,
) -> Result<Chosen> {
    if let Some(text) = &args.commit {
        return of_commit(context, levels, text, feedback);
    }
    if let Some(text) = &args.level {
        return at_level(context, levels, text.parse()?, feedback);
    }
    let chosen = match levels.head() {
        Ok(Some(head)) => {
            let commit = head.context.map(|hash| context.checkout(&hash, feedback));
            match commit {
                Some(Ok(commit)) => Some(Chosen { commit, level: Some(head.level) }),
                Some(Err(problem)) if !problem.code().is_about_contents() => return Err(problem),
                Some(Err(problem)) => {
                    feedback.note(&format!("Not the commit of the head, at level {}: {problem}", head.level));
                    None
                }
                None => None,
            }
        }
        Ok(None) => None,
        Err(problem) if !problem.code().is_about_contents() => return Err(problem),
        Err(problem) => {
            feedback.note(&format!("The head is not known: {problem}"));
            None
        }
    };
    let chosen = match chosen {
        Some(chosen) => chosen,
        None => {
            let commit = newest(context, feedback)?.ok_or_else(|| {
                Problem::new(Code::ContextCommit).headline("the context has no commit that can be read")
            })?;
            let level = level_of(levels, &commit.hash, feedback)?;
            Chosen { commit, level }
        }
    };
    feedback.note(&format!("Commit {}", chosen.words()));
    Ok(chosen)
}

/// The commit that a text names.
fn of_commit(
    context: &Context<&FileSet>,
    levels: &Levels,
    text: &str,
    feedback: &mut Terminal,
) -> Result<Chosen> {
    let commit = context.checkout(&named(context, text, feedback)?, feedback)?;
    let level = level_of(levels, &commit.hash, feedback)?;
    Ok(Chosen { commit, level })
}

/// The commit of a block.
fn at_level(
    context: &Context<&FileSet>,
    levels: &Levels,
    request: LevelRequest,
    feedback: &dyn Feedback,
) -> Result<Chosen> {
    let block = levels.block(request)?;
    let hash = block.context.ok_or_else(|| {
        Problem::new(Code::LevelUnavailable)
            .headline(format!("the block at level {} has no context", block.level))
            .because("the node keeps only the contexts of blocks that have a commitment")
    })?;
    Ok(Chosen { commit: context.checkout(&hash, feedback)?, level: Some(block.level) })
}

/// The newest commit that can be read.
fn newest(context: &Context<&FileSet>, feedback: &Terminal) -> Result<Option<Commit>> {
    for listed in context.commits(feedback)?.rev() {
        feedback.checkpoint()?;
        if let State::Available(commit) = listed?.state {
            return Ok(Some(commit));
        }
    }
    Ok(None)
}

/// The commit that a text names: as the store has it, in hexadecimal, or by the beginning of that.
fn named(context: &Context<&FileSet>, text: &str, feedback: &dyn Feedback) -> Result<ContextHash> {
    if text.starts_with(ContextHash::TEXT_PREFIX) {
        return text.parse().map_err(|err| {
            Problem::new(Code::HashText).headline(format!("{text:?} is not a context hash")).caused_by(err)
        });
    }
    if let Some(hash) = path::unhex(text) {
        return Ok(ContextHash::new(hash));
    }
    let digits = text.to_ascii_lowercase();
    if text.len() < MIN_DIGITS || text.len() > 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Problem::new(Code::HashText)
            .headline(format!("{text:?} names no commit"))
            .expected(format_args!("SRCo…, 64 hexadecimal digits, or at least {MIN_DIGITS} of them"))
            .found(text));
    }
    let (mut found, mut another) = (None, false);
    Index::for_each(context.files(), feedback, |entry| {
        if path::hex(entry.hash.as_bytes()).starts_with(&digits) {
            another |= *found.get_or_insert(entry.hash) != entry.hash;
        }
    })?;
    match (found, another) {
        (Some(hash), false) => Ok(hash),
        (None, _) => Err(Problem::new(Code::ContextCommit)
            .headline(format!("the index has no commit whose hash begins with {digits}"))),
        (Some(_), true) => Err(Problem::new(Code::HashText)
            .headline(format!("the index has several commits whose hashes begin with {digits}"))),
    }
}

/// How many digits of a hash are enough to look for it.
const MIN_DIGITS: usize = 4;

/// The level of a commit, if the store knows it.
fn level_of(levels: &Levels, hash: &ContextHash, feedback: &mut Terminal) -> Result<Option<i32>> {
    let mut found = None;
    let told = levels.contexts(&mut |level, context| {
        if context == *hash {
            found.get_or_insert(level);
        }
    });
    known(told, feedback)?;
    Ok(found)
}

/// What a store says of levels. That it is damaged is no reason to stop, and gets a remark; that it cannot be read
/// is: levels that are there would be missing from the answer.
fn known<T>(told: Result<T>, feedback: &mut Terminal) -> Result<Option<T>> {
    match told {
        Ok(told) => Ok(Some(told)),
        Err(problem) if problem.code().is_about_contents() => {
            feedback.note(&format!("Levels are not known: {problem}"));
            Ok(None)
        }
        Err(problem) => Err(problem),
    }
}

/// Bytes in hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

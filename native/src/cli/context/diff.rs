//! `rollsnap context diff`: what differs between two states.
//!
//! There may be millions of differences, so that rows are made one by one.

use std::path::Path;
use std::process::ExitCode;

use rollsnap_core::context::diff::{Change, Diff, Found, Leaf};
use rollsnap_core::context::{Context, Named, durable, path};
use rollsnap_core::feedback::Phase;
use rollsnap_core::hash::{ContextHash, StateHash};
use rollsnap_core::{Code, Feedback, Problem, Result};
use serde::Serialize;

use super::args::{DiffArgs, TargetArgs};
use super::tree::Wanted;
use super::{Chosen, JsonCommit, Opened, at_level, choose, known, of_commit, open};
use crate::cli::context::args::CommitArgs;
use crate::cli::output::{FAINT, Output, grouped};
use crate::cli::progress::Terminal;
use crate::cli::rows::Rows;
use crate::cli::width;
use crate::context::{Levels, Target};
use crate::files::FileSet;

pub(super) fn run(args: &DiffArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let wanted = Wanted::parse(args.path.as_deref().unwrap_or("/".as_ref()))?;
    let target = open(&args.target, feedback)?;
    let context = Opened::of(&target, feedback)?.irmin()?;
    let Some(with) = &args.with else {
        let from = named_state(&context, &target.levels, args.from.as_deref().unwrap_or("head"), feedback)?;
        let to = match &args.to {
            Some(to) => named_state(&context, &target.levels, to, feedback)?,
            None => choose(&context, &target.levels, &CommitArgs::default(), feedback)?,
        };
        let sides = [Side { context: &context, chosen: from }, Side { context: &context, chosen: to }];
        return compare(args, &wanted, &sides, output, feedback);
    };
    let other = open_other(with, args.target.temp_dir.as_deref(), feedback)?;
    let there = Opened::of(&other, feedback)?.irmin()?;
    let (from, to) = match (&args.from, &args.to) {
        (None, None) => newest_common((&context, &target.levels), (&there, &other.levels), feedback)?,
        (from, to) => {
            // What is said of one side is true of both, unless both are named.
            let text = |one: &Option<String>, other: &Option<String>| one.clone().or_else(|| other.clone());
            let (from, to) = (text(from, to).unwrap_or_default(), text(to, from).unwrap_or_default());
            (
                named_state(&context, &target.levels, &from, feedback)?,
                named_state(&there, &other.levels, &to, feedback)?,
            )
        }
    };
    let sides = [Side { context: &context, chosen: from }, Side { context: &there, chosen: to }];
    compare(args, &wanted, &sides, output, feedback)
}

fn open_other(with: &Path, temp_dir: Option<&Path>, feedback: &mut Terminal) -> Result<Target> {
    open(&TargetArgs { target: with.into(), temp_dir: temp_dir.map(Into::into) }, feedback)
}

/// The state that a text names, by its level or by its commit.
fn named_state(
    context: &Context<&FileSet>,
    levels: &Levels,
    text: &str,
    feedback: &mut Terminal,
) -> Result<Chosen> {
    let is_commit = text.starts_with(ContextHash::TEXT_PREFIX)
        || text.len() > 10 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_commit {
        return of_commit(context, levels, text, feedback);
    }
    at_level(context, levels, text.parse()?, feedback)
}

/// The states of the newest level of which both have one that can be read.
fn newest_common(
    left: (&Context<&FileSet>, &Levels),
    right: (&Context<&FileSet>, &Levels),
    feedback: &mut Terminal,
) -> Result<(Chosen, Chosen)> {
    let (left_levels, right_levels) = (contexts(left.1, feedback)?, contexts(right.1, feedback)?);
    for (level, hash) in left_levels.iter().rev() {
        feedback.checkpoint()?;
        let Ok(at) = right_levels.binary_search_by_key(level, |(level, _)| *level) else { continue };
        let Some((_, other)) = right_levels.get(at) else { continue };
        match (left.0.checkout(hash, feedback), right.0.checkout(other, feedback)) {
            (Ok(from), Ok(to)) => {
                let level = Some(*level);
                return Ok((Chosen { commit: from, level }, Chosen { commit: to, level }));
            }
            (Err(problem), _) | (_, Err(problem)) if !problem.code().is_about_contents() => {
                return Err(problem);
            }
            (Err(problem), _) | (_, Err(problem)) => {
                feedback.note(&format!("Not the states of level {level}: {problem}"));
            }
        }
    }
    Err(Problem::new(Code::LevelUnavailable)
        .headline("there is no level of which both have the state")
        .because("--from and --to name two levels, or two commits"))
}

/// The levels that have a commit, in their order.
fn contexts(levels: &Levels, feedback: &mut Terminal) -> Result<Vec<(i32, ContextHash)>> {
    let allowance = feedback.allowance();
    let (mut list, mut room) = (Vec::new(), Ok(()));
    let told = levels.contexts(&mut |level, context| {
        if room.is_ok() {
            list.push((level, context));
            room = allowance.check(size_of_val(&list[..]) as u64, "the levels of the commits");
        }
    });
    known(told, feedback)?;
    room?;
    list.sort_unstable();
    list.dedup_by_key(|(level, _)| *level);
    Ok(list)
}

/// One of the states.
struct Side<'c, 't> {
    context: &'c Context<&'t FileSet>,
    chosen: Chosen,
}

#[derive(Serialize)]
struct JsonSide {
    #[serde(flatten)]
    commit: JsonCommit,
    /// The hash of the PVM state.
    state_hash: Option<StateHash>,
}

/// What is printed around the rows, as JSON.
#[derive(Serialize)]
struct Frame {
    schema: &'static str,
    from: JsonSide,
    to: JsonSide,
    path: String,
    added: u64,
    removed: u64,
    changed: u64,
    changes: [Row; 0],
}

#[derive(Serialize)]
struct Row {
    path: String,
    change: &'static str,
    before: Option<Value>,
    after: Option<Value>,
}

#[derive(Serialize)]
struct Value {
    size: u64,
    /// Its first bytes, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    begins: Option<String>,
    /// Why they cannot be read: the state itself lacks a part of the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl Side<'_, '_> {
    fn root(&self) -> Named {
        Named { offset: self.chosen.commit.root, hash: self.chosen.commit.root_hash }
    }

    fn state_hash(&self) -> Result<Option<StateHash>> {
        Ok(self.context.pvm_state_of(&self.chosen.commit)?.map(|state| StateHash::new(state.hash)))
    }

    fn json(&self) -> Result<JsonSide> {
        Ok(JsonSide { commit: self.chosen.json(), state_hash: self.state_hash()? })
    }

    fn words(&self, label: &str) -> Result<String> {
        let state = match self.state_hash()? {
            Some(state) => format!("state {state}"),
            None => "no PVM state".into(),
        };
        Ok(format!("{label:<6}{}, {state}\n", self.chosen.words()))
    }

    /// What is shown of a leaf.
    fn value(&self, found: &Found, most: Option<u64>, feedback: &dyn Feedback) -> Result<Value> {
        let mut value = Value { size: found.size, begins: None, problem: None };
        let Some(most) = most else { return Ok(value) };
        let mut begins = String::new();
        let read = found.read(self.context, 0, most, |bytes| {
            feedback.checkpoint()?;
            begins += &super::hex(bytes);
            Ok::<_, Problem>(())
        });
        match read {
            Ok(()) => value.begins = Some(begins),
            // Kernels can leave values that lack chunks.
            Err(problem) if problem.code() == Code::ContextState => value.problem = Some(problem.sentence()),
            Err(problem) => return Err(problem),
        }
        Ok(value)
    }
}

fn compare(
    args: &DiffArgs,
    wanted: &Wanted,
    sides: &[Side<'_, '_>; 2],
    output: &Output,
    feedback: &mut Terminal,
) -> Result<ExitCode> {
    let [from, to] = sides;
    let (path, leaf) = match wanted {
        Wanted::Path(path) => (path.clone(), Leaf::Contents),
        Wanted::Key(key) => (durable::path_of(key), Leaf::Values),
    };
    let diff = Diff::at((from.context, from.root()), (to.context, to.root()), &path, leaf)?;
    let mut diff = diff.ok_or_else(|| wanted.in_neither())?;
    feedback.phase(Phase::only("Comparing states"));
    let (mut rows, width) = (Rows::default(), width::of_stdout());
    let (mut added, mut removed, mut changed) = (0, 0, 0);
    while let Some(Change { path, before, after }) = diff.next(feedback)? {
        let (change, count) = match (&before, &after) {
            (None, _) => ("added", &mut added),
            (_, None) => ("removed", &mut removed),
            _ => ("changed", &mut changed),
        };
        *count += 1;
        let value = |side: &Side<'_, '_>, found: &Option<Found>, feedback: &dyn Feedback| {
            found.as_ref().map(|found| side.value(found, args.values, feedback)).transpose()
        };
        let (before, after) = (value(from, &before, feedback)?, value(to, &after, feedback)?);
        let path = match leaf {
            Leaf::Values => durable::show(path.get(2..).unwrap_or_default()),
            Leaf::Contents => path::show(&path),
        };
        let row = Row { path, change, before, after };
        if output.is_json() {
            rows.element(&row)?;
        } else {
            rows.text(format_args!("{}\n", width::fit(&row.words(), 2, width)))?;
        }
        feedback.advance(added + removed + changed);
    }
    feedback.close(true);
    if output.is_json() {
        let (from, to) = (from.json()?, to.json()?);
        let schema = "rollsnap.context-diff/1";
        let frame = Frame { schema, from, to, path: wanted.show(), added, removed, changed, changes: [] };
        rows.print_in(&frame, "changes")?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut before = from.words("From")? + &to.words("To")?;
    let mut after = String::new();
    if rows.is_empty() {
        after = format!(
            "\nNo difference{}\n",
            match wanted.show() {
                path if path.is_empty() => path,
                path => format!(" at {path}"),
            }
        );
    } else {
        before += &format!("\n{FAINT}{:<8}{:>14}{:>14}  key or path{FAINT:#}\n", "", "bytes before", "after");
        after += &format!(
            "\n{} added, {} removed, {} changed\n",
            grouped(added),
            grouped(removed),
            grouped(changed)
        );
    }
    rows.print(&before, &after)?;
    Ok(ExitCode::SUCCESS)
}

impl Row {
    /// `changed           12            14  /evm/x`, and the values below it.
    fn words(&self) -> String {
        let size =
            |value: &Option<Value>| value.as_ref().map_or_else(|| "-".into(), |value| grouped(value.size));
        let mut text =
            format!("{:<8}{:>14}{:>14}  {}", self.change, size(&self.before), size(&self.after), self.path);
        for (label, value) in [("before", &self.before), ("after", &self.after)] {
            let Some(value) = value else { continue };
            if let Some(begins) = &value.begins {
                let more = if begins.len() as u64 / 2 < value.size { "…" } else { "" };
                text += &format!("\n    {label:<8}{begins}{more}");
            }
            if let Some(problem) = &value.problem {
                text += &format!("\n    {label:<8}{problem}");
            }
        }
        text
    }
}

//! `--dry-run`: what a job would do, for people and as JSON.

use std::fmt::Write as _;
use std::process::ExitCode;

use rollsnap_core::Result;
use serde::Serialize;

use super::output::{Output, print_lines, shown_path, size};
use super::progress::Terminal;
use crate::preflight::{Amount, Preflight};
use crate::size::Size;

/// Shows it on standard output, which nothing else takes then.
pub(super) fn show(
    command: &'static str,
    plan: &Preflight,
    output: &Output,
    feedback: &mut Terminal,
) -> Result<ExitCode> {
    feedback.close(true);
    if output.is_json() {
        output.json(&Json { schema: "rollsnap.dry-run/1", command, plan })?;
    } else {
        print_lines(&lines(plan))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Json<'a> {
    schema: &'static str,
    command: &'static str,
    #[serde(flatten)]
    plan: &'a Preflight,
}

fn lines(plan: &Preflight) -> String {
    let mut text = String::new();
    for read in &plan.reads {
        let bytes = read.bytes.map_or_else(|| "to its end".into(), size);
        let _ = writeln!(text, "Would read:      {}, {bytes}", shown_path(&read.path));
    }
    for write in &plan.writes {
        let temporary = if write.temporary { ", for the time of the job" } else { "" };
        let _ = writeln!(
            text,
            "Would write:     {}, {}{temporary}",
            shown_path(&write.path),
            amount(write.amount)
        );
    }
    for path in &plan.replaces {
        let _ = writeln!(text, "Would replace:   {}", shown_path(path));
    }
    for path in &plan.removes {
        let _ = writeln!(text, "Would remove:    {}", shown_path(path));
    }
    for lock in &plan.locks {
        let now = match (&lock.holder, lock.held) {
            (Some(holder), _) => format!("which {} holds now", rollsnap_core::shown(holder)),
            (None, None) => "which cannot be looked at".into(),
            (None, Some(true)) => "which is held now".into(),
            (None, Some(false)) => "which is free".into(),
        };
        let _ = writeln!(text, "Would lock:      {}, {now}", shown_path(&lock.path));
    }
    for space in &plan.space {
        let short = space.needed.at_most.is_none_or(|most| most > space.free);
        let doubt = if short { "; that may not suffice" } else { "" };
        let (path, needed) = (shown_path(&space.path), amount(space.needed));
        let _ = writeln!(text, "Space:           {path}: needs {needed}, {} free{doubt}", Size(space.free));
    }
    for note in &plan.notes {
        let _ = writeln!(text, "Note:            {}", rollsnap_core::shown(note));
    }
    text + "Nothing was changed\n"
}

/// How much it is: exactly, or between which limits.
fn amount(amount: Amount) -> String {
    match amount {
        Amount { at_least, at_most: Some(at_most) } if at_least == at_most => size(at_most),
        Amount { at_least: 0, at_most: Some(at_most) } => format!("at most {}", Size(at_most)),
        Amount { at_least, at_most: Some(at_most) } => {
            format!("{} to {} (an estimate)", Size(at_least), Size(at_most))
        }
        Amount { at_least: 0, at_most: None } => "a size that is not known in advance".into(),
        Amount { at_least, at_most: None } => format!("at least {}", Size(at_least)),
    }
}

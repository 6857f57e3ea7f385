//! One report of those of several machines that shared a replay.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Check, ReplayInfo, Report, Share, Verdict, Verdicts};
use crate::code::Code;
use crate::problem::{Problem, Result};

/// A report, and where it came from.
pub type Named = (String, Report);

/// Merges the reports of all shares of one replay, in any order: what one machine would have said. Other verdicts and
/// checks are those of all of them: one "no" outweighs all else, and a "yes" takes a "yes" of each.
///
/// # Errors
/// [`Code::ReportShare`] for a report that is none of a share, [`Code::ReportOther`] for reports of different snapshots or
/// divisions, [`Code::ReportOverlap`] and [`Code::ReportGap`] when the shares are not each there once, end to end.
pub fn merge(reports: Vec<Named>) -> Result<Report> {
    let mut shares = Vec::with_capacity(reports.len());
    for (name, report) in reports {
        let share = report.replay.as_ref().and_then(|replay| Some((replay.clone(), replay.share?)));
        let (info, share) = share.ok_or_else(|| Problem::new(Code::ReportShare).path(&name))?;
        shares.push(Part { name, report, info, share });
    }
    shares.sort_by_key(|part| part.share.number);
    let Some(first) = shares.first() else {
        return Err(Problem::new(Code::ReportGap).found("no report at all"));
    };
    shares.iter().skip(1).try_for_each(|other| first.same(other))?;
    all_there(&shares)?;
    let mut merged = Report::new();
    let Part { report, info, .. } = first;
    merged.header.clone_from(&report.header);
    merged.container = report.container.clone();
    merged.members = report.members.clone();
    merged.context = shares.iter().find_map(|part| part.report.context.clone());
    merged.store.clone_from(&report.store);
    let all = |verdict: fn(&Report) -> Verdict| together(shares.iter().map(|part| verdict(&part.report)));
    merged.verdicts = Verdicts {
        intact: all(|report| report.verdicts.intact),
        consistent: all(|report| report.verdicts.consistent),
        anchored: all(|report| report.verdicts.anchored),
        replayed: Some(all(|report| report.verdicts.replayed.unwrap_or_default())),
    };
    let sum = shares.iter().skip(1).fold(info.clone(), |sum, part| add(sum, &part.info));
    let sum = ReplayInfo { share: None, ..sum };
    for part in &shares {
        for check in &part.report.checks {
            // What all say is said once, and how many blocks were run is said of all of them.
            let is_sum = check.code == Code::ReplayBlocks && merged.verdicts.replayed == Some(Verdict::Yes);
            if !is_sum && !merged.checks.contains(check) {
                merged.add(check.clone());
            }
        }
        merged.checks_left_out = merged.checks_left_out.saturating_add(part.report.checks_left_out);
    }
    if merged.verdicts.replayed == Some(Verdict::Yes) {
        merged.add(Check::yes(Code::ReplayBlocks, sum.words()));
    }
    merged.replay = Some(sum);
    Ok(merged)
}

struct Part {
    name: String,
    report: Report,
    info: ReplayInfo,
    share: Share,
}

impl Part {
    /// Both are of the same snapshot, divided alike.
    fn same(&self, other: &Self) -> Result<()> {
        let differs = |what: &str, expected: String, found: String| {
            let problem = Problem::new(Code::ReportOther).path(&other.name).expected(expected).found(found);
            Err(problem.because(format!("{what} is not that of {}", self.name)))
        };
        let (mine, its) = (&self.info, &other.info);
        if self.report.header != other.report.header {
            let words =
                |report: &Report| report.header.map_or_else(|| "none".into(), |header| format!("{header:?}"));
            return differs("the header", words(&self.report), words(&other.report));
        }
        if mine.head != its.head {
            return differs("the newest block", mine.head.to_string(), its.head.to_string());
        }
        if self.report.container != other.report.container || self.report.store != other.report.store {
            return differs("the file or its store", "the same".into(), "another".into());
        }
        let levels = |info: &ReplayInfo| format!("levels {} to {}", info.first_level, info.head_level);
        if levels(mine) != levels(its) || mine.of != its.of {
            return differs("what can be replayed", levels(mine), levels(its));
        }
        if mine.scope != its.scope {
            return differs("what was to be replayed", mine.scope.clone(), its.scope.clone());
        }
        if self.share.of != other.share.of {
            return differs("the number of shares", self.share.of.to_string(), other.share.of.to_string());
        }
        Ok(())
    }
}

/// Each share is there once, and its blocks follow those of the share before.
fn all_there(shares: &[Part]) -> Result<()> {
    let mut last: Option<&Part> = None;
    let of = shares.first().map_or(0, |part| part.share.of);
    for part in shares {
        let number = last.map_or(1, |last| last.share.number.saturating_add(1));
        if let Some(last) = last.filter(|last| last.share.number == part.share.number) {
            let problem = Problem::new(Code::ReportOverlap).path(&part.name);
            return Err(problem.found(format!("share {} of {of}, as in {}", part.share.number, last.name)));
        }
        if part.share.number != number {
            return Err(Problem::new(Code::ReportGap).expected(format!("share {number} of {of}")));
        }
        let begins = last.map_or(part.info.first_level, |last| last.share.last_level).saturating_add(1);
        if part.share.first_level != begins {
            let code = if part.share.first_level < begins { Code::ReportOverlap } else { Code::ReportGap };
            let problem =
                Problem::new(code).path(&part.name).expected(format!("blocks from level {begins} on"));
            return Err(problem.found(part.share.first_level));
        }
        last = Some(part);
    }
    match last {
        Some(last) if last.share.number != of => {
            Err(Problem::new(Code::ReportGap).expected(format!("share {} of {of}", last.share.number + 1)))
        }
        Some(last) if last.share.last_level != last.info.head_level => Err(Problem::new(Code::ReportGap)
            .path(&last.name)
            .expected(format!("blocks up to level {}", last.info.head_level))
            .found(last.share.last_level)),
        _ => Ok(()),
    }
}

/// One "no" outweighs all else, and a "yes" takes a "yes" of each.
fn together(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    verdicts.fold(Verdict::Yes, |all, verdict| match (all, verdict) {
        (Verdict::No, _) | (_, Verdict::No) => Verdict::No,
        (Verdict::Yes, Verdict::Yes) => Verdict::Yes,
        _ => Verdict::Unknown,
    })
}

fn add(sum: ReplayInfo, other: &ReplayInfo) -> ReplayInfo {
    let number = |text: &str| text.parse::<u128>().unwrap_or(0);
    ReplayInfo {
        planned: sum.planned.saturating_add(other.planned),
        blocks: sum.blocks.saturating_add(other.blocks),
        ticks: number(&sum.ticks).saturating_add(number(&other.ticks)).to_string(),
        runs: sum.runs.saturating_add(other.runs),
        contexts: sum.contexts.saturating_add(other.contexts),
        states: sum.states.saturating_add(other.states),
        commitments: sum.commitments.saturating_add(other.commitments),
        outboxes: sum.outboxes.saturating_add(other.outboxes),
        outboxes_missing: sum.outboxes_missing.saturating_add(other.outboxes_missing),
        outboxes_left: sum.outboxes_left.saturating_add(other.outboxes_left),
        ..sum
    }
}

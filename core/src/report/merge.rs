//! One report of those of several machines that divided the work.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Check, ContextShare, ContextStats, ReplayInfo, Report, Share, ShareInfo, Verdict, Verdicts};
use crate::code::Code;
use crate::problem::{Problem, Result};

/// A report, and where it came from.
pub type Named = (String, Report);

/// Merges the reports of all shares, in any order: what one machine would have said. One "no" outweighs all else, and a
/// "yes" takes a "yes" of each that had to do with it.
///
/// # Errors
/// [`Code::ReportShare`] for a report that is none of a share, [`Code::ReportForm`] for one that contradicts itself,
/// [`Code::ReportOther`] for reports of different snapshots or divisions, [`Code::ReportOverlap`] and [`Code::ReportGap`]
/// when the shares are not each there once, end to end.
pub fn merge(reports: Vec<Named>) -> Result<Report> {
    let mut parts = Vec::with_capacity(reports.len());
    for (name, report) in reports {
        let Some(share) = report.share.clone() else {
            return Err(Problem::new(Code::ReportShare).path(&name));
        };
        share.check(&report).map_err(|problem| problem.path(&name))?;
        parts.push(Part { name, report, share });
    }
    parts.sort_by_key(|part| part.share.number);
    let Some(first) = parts.first() else {
        return Err(Problem::new(Code::ReportGap).found("no report at all"));
    };
    parts.iter().skip(1).try_for_each(|other| first.same(other))?;
    all_there(&parts)?;
    blocks_all_there(&parts)?;
    bytes_all_there(&parts)?;
    let mut merged = Report::new();
    let Part { report, .. } = first;
    merged.header.clone_from(&report.header);
    merged.container = report.container.clone();
    merged.container.sha256 = parts.iter().find_map(|part| part.report.container.sha256.clone());
    merged.members = report.members.clone();
    merged.context = stats(&parts);
    merged.store.clone_from(&report.store);
    merged.verdicts = verdicts(&parts);
    merged.replay = replay(&parts);
    checks(&parts, &mut merged);
    Ok(merged)
}

struct Part {
    name: String,
    report: Report,
    share: ShareInfo,
}

impl Part {
    fn blocks(&self) -> Option<(&ReplayInfo, Share)> {
        let replay = self.report.replay.as_ref()?;
        Some((replay, replay.share?))
    }

    /// What it has of a context that is divided and of which it read its part alone.
    fn bytes(&self) -> Option<&ContextShare> {
        self.share.context.as_ref().filter(|part| !part.whole)
    }

    fn is_whole(&self) -> bool {
        self.share.context.as_ref().is_some_and(|part| part.whole)
    }

    /// Both are of the same snapshot, divided alike.
    fn same(&self, other: &Self) -> Result<()> {
        let differs = |what: &str, expected: String, found: String| {
            let problem = Problem::new(Code::ReportOther).path(&other.name).expected(expected).found(found);
            Err(problem.because(format!("{what} is not that of {}", self.name)))
        };
        if self.share.of != other.share.of {
            return differs("the number of shares", self.share.of.to_string(), other.share.of.to_string());
        }
        if self.report.header != other.report.header {
            let words =
                |report: &Report| report.header.map_or_else(|| "none".into(), |header| format!("{header:?}"));
            return differs("the header", words(&self.report), words(&other.report));
        }
        let same_file = self.report.container.fits(&other.report.container);
        if !same_file || self.report.store != other.report.store {
            return differs("the file or its store", "the same".into(), "another".into());
        }
        let files =
            |part: &Self| part.share.context.as_ref().map(|context| (context.files.clone(), context.bytes));
        match (files(self), files(other)) {
            (mine, its) if mine == its => {}
            (Some((mine, _)), Some((its, _))) => return differs("the context", mine, its),
            (mine, _) => {
                let words = |is: bool| if is { "its part of the context" } else { "nothing of the context" };
                let is = mine.is_some();
                return differs("what it checked", words(is).into(), words(!is).into());
            }
        }
        let (Some(mine), Some(its)) = (&self.report.replay, &other.report.replay) else { return Ok(()) };
        if mine.head != its.head {
            return differs("the newest block", mine.head.to_string(), its.head.to_string());
        }
        let levels = |info: &ReplayInfo| format!("levels {} to {}", info.first_level, info.head_level);
        if levels(mine) != levels(its) || mine.of != its.of {
            return differs("what can be replayed", levels(mine), levels(its));
        }
        if mine.scope != its.scope {
            return differs("what was to be replayed", mine.scope.clone(), its.scope.clone());
        }
        Ok(())
    }
}

/// Each share is there once.
fn all_there(parts: &[Part]) -> Result<()> {
    let mut last: Option<&Part> = None;
    let of = parts.first().map_or(0, |part| part.share.of);
    let lacks = |number: u32| Err(Problem::new(Code::ReportGap).expected(format!("share {number} of {of}")));
    for part in parts {
        let number = last.map_or(1, |last| last.share.number.saturating_add(1));
        if let Some(last) = last.filter(|last| last.share.number == part.share.number) {
            let problem = Problem::new(Code::ReportOverlap).path(&part.name);
            return Err(problem.found(format!("share {} of {of}, as in {}", part.share.number, last.name)));
        }
        if part.share.number != number {
            return lacks(number);
        }
        last = Some(part);
    }
    match last.map_or(0, |last| last.share.number) {
        last if last < of => lacks(last + 1),
        _ => Ok(()),
    }
}

/// The blocks of each follow those of the share before. A share that replayed nothing says why.
fn blocks_all_there(parts: &[Part]) -> Result<()> {
    let replayed: Vec<_> = parts.iter().filter_map(|part| Some((part, part.blocks()?))).collect();
    if replayed.len() < parts.len() {
        return Ok(());
    }
    let mut ends: Option<i32> = None;
    for (part, (info, share)) in &replayed {
        let begins = ends.unwrap_or(info.first_level).saturating_add(1);
        if share.first_level != begins {
            let code = if share.first_level < begins { Code::ReportOverlap } else { Code::ReportGap };
            let problem =
                Problem::new(code).path(&part.name).expected(format!("blocks from level {begins} on"));
            return Err(problem.found(share.first_level));
        }
        ends = Some(share.last_level);
    }
    match replayed.last() {
        Some((part, (info, share))) if share.last_level != info.head_level => {
            Err(Problem::new(Code::ReportGap)
                .path(&part.name)
                .expected(format!("blocks up to level {}", info.head_level))
                .found(share.last_level))
        }
        _ => Ok(()),
    }
}

/// The bytes of each follow those of the share before, unless one checked all of them.
fn bytes_all_there(parts: &[Part]) -> Result<()> {
    if parts.iter().any(Part::is_whole) {
        return Ok(());
    }
    let mut begins = 0;
    for (part, of) in parts.iter().filter_map(|part| Some((part, part.bytes()?))) {
        if of.first != begins {
            let code = if of.first < begins { Code::ReportOverlap } else { Code::ReportGap };
            let problem = Problem::new(code).path(&part.name);
            return Err(problem.expected(format!("objects from byte {begins} on")).found(of.first));
        }
        begins = of.end;
    }
    match parts.last().and_then(|last| Some((last, last.bytes()?))) {
        Some((last, of)) if of.end != of.bytes => Err(Problem::new(Code::ReportGap)
            .path(&last.name)
            .expected(format!("objects up to byte {}", of.bytes))
            .found(of.end)),
        _ => Ok(()),
    }
}

/// The numbers of one that checked the whole context, or those of all together.
fn stats(parts: &[Part]) -> Option<ContextStats> {
    let whole = parts.iter().find(|part| part.is_whole() && part.report.context.is_some());
    if whole.is_some() || !parts.iter().any(|part| part.bytes().is_some()) {
        let part = whole.or_else(|| parts.iter().find(|part| part.report.context.is_some()));
        return part.and_then(|part| part.report.context.clone());
    }
    let mut sum = ContextStats::default();
    for part in parts {
        sum.add(part.report.context.as_ref()?);
    }
    Some(sum)
}

fn verdicts(parts: &[Part]) -> Verdicts {
    let all = |verdict: fn(&Part) -> Verdict| together(parts.iter().map(verdict));
    let is_replayed = parts.iter().any(|part| part.report.verdicts.replayed.is_some());
    // The first share alone asks about the last commitment.
    let anchored = parts.iter().map(|part| part.report.verdicts.anchored);
    let first = anchored.clone().next().unwrap_or_default();
    let denied = anchored.clone().any(|verdict| verdict == Verdict::No);
    Verdicts {
        intact: all(|part| part.report.verdicts.intact),
        consistent: all(|part| part.share.holds),
        anchored: if denied { Verdict::No } else { first },
        replayed: is_replayed.then(|| all(|part| part.report.verdicts.replayed.unwrap_or_default())),
    }
}

fn replay(parts: &[Part]) -> Option<ReplayInfo> {
    let mut infos = parts.iter().map(|part| part.report.replay.as_ref());
    let first = infos.next()??.clone();
    let sum = infos.try_fold(first, |sum, info| Some(add(sum, info?)))?;
    Some(ReplayInfo { share: None, ..sum })
}

/// What all say is said once, and how much was checked is said of all of them.
fn checks(parts: &[Part], merged: &mut Report) {
    let replayed = merged.verdicts.replayed == Some(Verdict::Yes);
    let divided = parts.iter().all(|part| part.share.context.is_some());
    let objects = of_objects(parts, merged.context.as_ref());
    let (mut left_out, mut of_whole) = (0u64, 0);
    for part in parts {
        for check in &part.report.checks {
            if check.code == Code::ReportDivided || replayed && check.code == Code::ReplayBlocks {
                continue;
            }
            if divided && check.is_of_objects() {
                if let Some(all) = objects.as_ref().filter(|all| !merged.checks.contains(all)) {
                    merged.add(all.clone());
                }
            } else if !merged.checks.contains(check) {
                merged.add(check.clone());
            }
        }
        // Those that checked the whole context left out the same.
        let left = part.report.checks_left_out;
        if part.is_whole() { of_whole = left.max(of_whole) } else { left_out = left_out.saturating_add(left) }
    }
    merged.checks_left_out = merged.checks_left_out.saturating_add(left_out).saturating_add(of_whole);
    if let Some(sum) = merged.replay.as_ref().filter(|_| replayed) {
        let check = Check::yes(Code::ReplayBlocks, sum.words());
        merged.add(check);
    }
}

/// What one machine says of the objects, where all shares of them are sound.
fn of_objects(parts: &[Part], stats: Option<&ContextStats>) -> Option<Check> {
    let said = |part: &Part| part.report.checks.iter().find(|check| check.is_of_objects()).cloned();
    let all = parts.iter().map(|part| Some((part.is_whole(), said(part)?))).collect::<Option<Vec<_>>>()?;
    match all.into_iter().find(|(is_whole, _)| *is_whole) {
        Some((_, check)) => Some(check),
        None => stats.map(|stats| Check::yes(Code::ContextHash, stats.words())),
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

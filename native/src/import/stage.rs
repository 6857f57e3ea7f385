//! Extraction into the staging directory: only what belongs in a snapshot, and only from a snapshot
//! that is intact to its last byte. What an interrupted import has extracted is gone on with.

use std::cell::RefCell;

use rollsnap_core::feedback::{Notice, Phase};
use rollsnap_core::members::{CONTEXT, METADATA};
use rollsnap_core::snapshot::{Event, Options};
use rollsnap_core::{Code, Feedback, Header, Problem, Report, Result};

use super::behind::Behind;
use super::stream_policy::StreamPolicy;
use crate::extract::{Account, Files};
use crate::resume::{GoingOn, Log, NOT_AS_LEFT, Record};
use crate::source::{Begun, NoPlaces, Places, Source};
use crate::swap::Staging;

/// Extracts everything. The policy judges the header before anything is written.
pub(super) fn extract(
    source: &mut Source,
    staging: &mut Staging,
    options: &super::Options,
    phase: Phase,
    (policy, behind): (&mut StreamPolicy<'_>, &mut Behind),
    feedback: &mut dyn Feedback,
) -> Result<(Header, Report)> {
    let report = match gone_on(source, staging, options, phase, (policy, behind), feedback)? {
        Some(report) => report,
        None => {
            let log = source
                .identity()?
                .map(|snapshot| Log::new(staging.home(), Record::new(snapshot, &options.in_words())));
            let mut files = match log {
                Some(log) => Files::logged(staging.held(), options.space, log)?,
                None => Files::within(staging.held(), options.space)?,
            };
            let goes = (&*staging, &mut files);
            let report = read(source, goes, None, options, phase, (policy, behind), feedback)?;
            finish(files, &report, feedback)?;
            report
        }
    };
    let header = report.header.ok_or_else(|| Problem::new(Code::FileEmpty))?;
    if staging.held().has(METADATA)? {
        policy.end()?;
        if !staging.held().has(CONTEXT)? {
            return Err(Problem::new(Code::SnapshotStore).expected(CONTEXT).found("no such member"));
        }
    }
    Ok((header, report))
}

/// Goes on where an interrupted import has come to; `None` where there is nothing to go on with, and all is read from the
/// beginning.
fn gone_on(
    source: &mut Source,
    staging: &mut Staging,
    options: &super::Options,
    phase: Phase,
    (policy, behind): (&mut StreamPolicy<'_>, &mut Behind),
    feedback: &mut dyn Feedback,
) -> Result<Option<Report>> {
    let Some(kept) = staging.unpacked()? else { return Ok(None) };
    kept.check(source.identity()?.as_ref(), &options.in_words())?;
    let (record, fresh) = (kept.record.clone(), policy.clone());
    let judge = &mut |event: &Event<'_>| {
        judge(policy, event)?;
        behind.hear(event, staging, None).map(|()| true)
    };
    if let Some(going_on) = kept.go_on(staging.held(), Options::default(), feedback, judge)? {
        feedback.notice(Notice::Recovered(&record.words(source.size())));
        if let Some(mut report) = record.report {
            source.check_sum(&mut report, feedback)?;
            report.remote = source.remote();
            return Ok(Some(*report));
        }
        let GoingOn { begun, open, log } = going_on;
        let mut files = Files::logged(staging.held(), options.space, log)?;
        open.iter().try_for_each(|(member, there)| files.reopen(member, *there))?;
        let again = source.again()?;
        let goes = (&*staging, &mut files);
        match read(source, goes, Some(begun), options, phase, (policy, behind), feedback) {
            Ok(report) => {
                finish(files, &report, feedback)?;
                return Ok(Some(report));
            }
            // Whether that is the fault of the snapshot shows when it is read as a whole.
            Err(problem) if problem.code().is_about_contents() => *source = again,
            Err(problem) => return Err(problem),
        }
    }
    behind.forget();
    feedback.notice(Notice::NotUsed(NOT_AS_LEFT));
    staging.begin_anew()?;
    *policy = fresh;
    Ok(None)
}

fn read(
    source: &mut Source,
    (staging, files): (&Staging, &mut Files),
    begun: Option<Begun>,
    options: &super::Options,
    phase: Phase,
    (policy, behind): (&mut StreamPolicy<'_>, &mut Behind),
    feedback: &mut dyn Feedback,
) -> Result<Report> {
    let files = RefCell::new(files);
    let mut account =
        Account::new(&files, options.recording, begun.as_ref().map_or(0, |begun| begun.content));
    let places: &mut dyn Places = if files.borrow().is_logged() { &mut account } else { &mut NoPlaces };
    source.inspect_on(Options::default(), begun, places, phase, feedback, &mut |event| {
        judge(policy, &event)?;
        let files = &mut **files.borrow_mut();
        behind.hear(&event, staging, Some(files))?;
        files.follow(&event)
    })
}

/// Records that all was read, and waits until it is written.
fn finish(mut files: Files, report: &Report, feedback: &mut dyn Feedback) -> Result<()> {
    files.complete(report)?;
    files.finish(feedback)
}

fn judge(policy: &mut StreamPolicy<'_>, event: &Event<'_>) -> Result<()> {
    match event {
        Event::Header(header) => policy.header(header),
        Event::Member(member) => policy.member(&member.name),
        _ => Ok(()),
    }
}

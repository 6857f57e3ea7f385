//! A `verify` of a snapshot behind an address that can be gone on with after an interruption.
//!
//! What comes is kept in the directory for temporary files, as an extraction keeps it ([`crate::resume`]). The next run
//! tells the checker of it again, from the disk, and reads on where the record says: nothing that it covers is fetched or
//! inflated twice. It goes when there is a verdict. Files of this machine are read again as quickly as their copy would
//! be, so nothing is kept of them.

mod again;
mod held;

use std::cell::RefCell;

use rollsnap_core::context::layout::Layout;
use rollsnap_core::context::pack::Dict;
use rollsnap_core::feedback::{Notice, Phase, Silent};
use rollsnap_core::snapshot::{Event, Options as Inspection};
use rollsnap_core::{Feedback, Report, Result};

use super::contents::{self, Checker};
use super::{ContextScope, Options};
use crate::dir::space::{Known, free};
use crate::dir::{Descent, Dir, SpaceCheck};
use crate::extract::{Account, Files, Writes, new_in};
use crate::resume::{GoingOn, Kept, Log, NOT_AS_LEFT, Record};
use crate::size::Size;
use crate::source::{Begun, Fingerprint, NoPlaces, Places, Source};
use crate::workspace::Workspace;

use again::Again;
pub(super) use held::Held;
use held::forget;

/// What the record says of the command.
const WORDS: &str = "verify";

/// How many leftovers are looked at: one that cannot be removed would come again and again.
const ATTEMPTS: u32 = 16;

/// How a snapshot is read.
pub(super) struct Way<'o> {
    pub(super) options: &'o Options,
    /// How much of its context is checked as it comes.
    pub(super) scope: ContextScope,
    pub(super) phase: Phase,
    /// What is known of it before it comes.
    pub(super) known: Option<(Layout, Dict)>,
}

impl Way<'_> {
    fn checker(&self, feedback: &mut dyn Feedback) -> Checker {
        contents::checker(self.options, self.scope, self.known.clone(), feedback)
    }
}

/// Reads a snapshot to its last byte, and tells a checker.
pub(super) fn read(
    source: &mut Source,
    way: &Way<'_>,
    held: &mut Held,
    feedback: &mut dyn Feedback,
) -> Result<(Report, Checker)> {
    let Some((place, snapshot)) = recordable(source, way.options, feedback)? else {
        let checker = way.checker(feedback);
        return run(source, way, None, (checker, None), feedback);
    };
    for _ in 0..ATTEMPTS {
        let Some((work, kept)) = adopt(&place, &snapshot)? else { break };
        let why = match kept.record.snapshot.is(&snapshot) {
            true if way.options.restart || held.careful => "left by an interrupted command",
            true => {
                held.work = Some(work);
                if let Some(read) = go_on(source, way, kept, held, feedback)? {
                    return Ok(read);
                }
                feedback.notice(Notice::NotUsed(NOT_AS_LEFT));
                held.resumed = false;
                held.work.take().into_iter().for_each(|work| forget(work, feedback));
                continue;
            }
            false => "left by an interrupted command: the file at that address is another one now",
        };
        let place = work.dir().display().to_string();
        forget(work, feedback);
        feedback.notice(Notice::Removed(&format!("Removed {place}, {why}")));
    }
    let checker = way.checker(feedback);
    let Some(files) = begin(source, &place, snapshot, held, feedback)? else {
        return run(source, way, None, (checker, None), feedback);
    };
    run(source, way, None, (checker, Some((files, held))), feedback)
}

/// Where what comes can be kept, and which snapshot it is of.
fn recordable(
    source: &Source,
    options: &Options,
    feedback: &mut dyn Feedback,
) -> Result<Option<(Dir, Fingerprint)>> {
    // Shares read the file in another way, more than once.
    if source.remote().is_none() || options.shard.is_some() {
        return Ok(None);
    }
    let Some(snapshot) = source.identity()? else { return Ok(None) };
    let path = options.temp_dir.clone().unwrap_or_else(std::env::temp_dir);
    // If the place cannot be used, the check reports that when it needs it.
    let Ok(place) = Dir::open(&path) else { return Ok(None) };
    if options.temp_dir.is_none() && place.is_in_memory() {
        feedback.notice(Notice::Lacking(&format!(
            "What comes is not kept for another run, since {} is in memory: --temp-dir names a directory on a disk",
            path.display()
        )));
        return Ok(None);
    }
    Ok(Some((place, snapshot)))
}

/// What an interrupted run has left of this snapshot, or of an older one at the same address.
fn adopt(place: &Dir, snapshot: &Fingerprint) -> Result<Option<(Workspace, Kept)>> {
    let mut found = None;
    let work = Workspace::adopt(place, |dir| {
        // What cannot be read is left alone.
        found = Kept::find(dir).ok().flatten().filter(|kept| {
            let kept = &kept.record;
            kept.options == WORDS && (kept.snapshot.is(snapshot) || kept.snapshot.was_replaced_by(snapshot))
        });
        found.is_some()
    })?;
    Ok(work.zip(found))
}

/// Files for what comes; `None` where there is no space for it.
fn begin(
    source: &Source,
    place: &Dir,
    snapshot: Fingerprint,
    held: &mut Held,
    feedback: &mut dyn Feedback,
) -> Result<Option<Files>> {
    let (words, bytes) = match source.content_len() {
        Known::Exactly(bytes) => ("", bytes),
        // Such files become half as long again, and more.
        Known::AtLeast(bytes) => ("about ", bytes.saturating_mul(2)),
    };
    // The check may take as much: a table of objects, those that wait, and a copy of the store.
    if let Some(free) = free(place).filter(|free| *free < bytes.saturating_mul(2)) {
        feedback.notice(Notice::Lacking(&format!(
            "What comes is not kept for another run: that takes {words}{}, the check as much at most, and {} are free in {}",
            Size(bytes),
            Size(free),
            place.path().display()
        )));
        return Ok(None);
    }
    // What others have left there was reported when the checker was made.
    let work = Workspace::within(place, &mut Silent)?;
    feedback.notice(Notice::TakesSpace(&format!(
        "What comes is kept in {} until there is a verdict, {words}{}, so that the same command can go on",
        work.dir().display(),
        Size(bytes)
    )));
    let log = Log::new(work.held(), Record::new(snapshot, WORDS));
    let files = Files::logged(&new_in(&work)?, unchecked_space(), log)?;
    (held.work, held.resumed) = (Some(work), false);
    Ok(Some(files))
}

/// Space was looked at as a whole.
fn unchecked_space() -> SpaceCheck {
    SpaceCheck { skipped: true, ..SpaceCheck::default() }
}

/// Goes on where an interrupted run was; `None` where what it has left is not what it was.
fn go_on(
    source: &mut Source,
    way: &Way<'_>,
    kept: Kept,
    held: &mut Held,
    feedback: &mut dyn Feedback,
) -> Result<Option<(Report, Checker)>> {
    held.resumed = true;
    let Some(new) = held.work.as_ref().and_then(|work| new_in(work).ok()) else { return Ok(None) };
    let record = kept.record.clone();
    feedback.notice(Notice::Recovered(&record.words(source.size())));
    feedback.phase(Phase { total: Some(record.content), ..way.phase });
    let mut again = Again { checker: way.checker(feedback), unpacked: Descent::from(&new), is_whole: true };
    again.checker.on_event(&Event::Read(record.place.file()))?;
    let going_on = kept.go_on(&new, inspection(), feedback, &mut |event| again.hear(event, feedback))?;
    let Some(GoingOn { begun, open, log }) = going_on.filter(|_| again.is_whole) else { return Ok(None) };
    if let Some((member, there)) = &open {
        again.contents(member, *there, feedback)?;
    }
    let Again { checker, is_whole: true, .. } = again else { return Ok(None) };
    if let Some(mut report) = record.report {
        source.check_sum(&mut report, feedback)?;
        report.remote = source.remote();
        return Ok(Some((*report, checker)));
    }
    let mut files = Files::logged(&new, unchecked_space(), log)?;
    open.iter().try_for_each(|(member, there)| files.reopen(member, *there))?;
    let rest = source.again()?;
    let (report, checker) = run(source, way, Some(begun), (checker, Some((files, held))), feedback)?;
    if report.failures().next().is_some() {
        *source = rest;
        return Ok(None);
    }
    Ok(Some((report, checker)))
}

/// Reads what is left, tells the checker, and keeps it if it can be kept.
fn run(
    source: &mut Source,
    way: &Way<'_>,
    begun: Option<Begun>,
    (mut checker, kept): (Checker, Option<(Files, &mut Held)>),
    feedback: &mut dyn Feedback,
) -> Result<(Report, Checker)> {
    let content = begun.as_ref().map_or(0, |begun| begun.content);
    let is_kept = kept.is_some();
    let mut recorder = Recorder { kept };
    let fail_fast = way.options.fail_fast;
    let shared = RefCell::new(&mut recorder);
    let mut account = Account::new(&shared, way.options.recording, content);
    let places: &mut dyn Places = if is_kept { &mut account } else { &mut NoPlaces };
    let report = source.inspect_on(inspection(), begun, places, way.phase, feedback, &mut |event| {
        if let Event::Problem(problem) = event
            && fail_fast
        {
            return Err(problem.clone());
        }
        shared.borrow_mut().hear(&event);
        checker.on_event(&event)
    });
    // When their thread has ended, what was recorded is on the disk.
    let Some((mut files, held)) = recorder.kept.take() else { return Ok((report?, checker)) };
    let report = report?;
    if report.failures().next().is_none() && files.complete(&report).is_ok() && files.finish(feedback).is_ok()
    {
        return Ok((report, checker));
    }
    held.work = None;
    Ok((report, checker))
}

/// Keeps what comes, as long as it can.
struct Recorder<'h> {
    kept: Option<(Files, &'h mut Held)>,
}

impl Recorder<'_> {
    fn hear(&mut self, event: &Event<'_>) {
        // The check goes on without, as it would have where there is no space.
        if self.kept.as_mut().is_some_and(|(files, _)| files.follow(event).is_err())
            && let Some((files, held)) = self.kept.take()
        {
            drop(files);
            held.work = None;
        }
    }
}

impl Writes for Recorder<'_> {
    fn files(&mut self) -> Option<&mut Files> {
        self.kept.as_mut().map(|(files, _)| files)
    }
}

fn inspection() -> Inspection {
    Inspection { digests: false, ..Inspection::default() }
}

//! Extraction of all that a pass over the snapshot shows, which goes on where an interrupted one was.

use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rollsnap_core::feedback::{Notice, Phase};
use rollsnap_core::snapshot::{self, Event};
use rollsnap_core::{Feedback, Problem, Report, Result};
use sha2::{Digest, Sha256};

use super::stage::{Names, Stage, new_in};
use super::{Account, Options};
use crate::dir::space::Known;
use crate::dir::{Dir, MadeDirs};
use crate::resume::{self, GoingOn, Kept, Log, NOT_AS_LEFT, Record};
use crate::source::{Begun, Fingerprint, NoPlaces, Places, Source};
use crate::workspace::Workspace;

/// Unpacks what is wanted. With the problem comes whether what was unpacked is kept.
pub(super) fn unpack<'t>(
    source: &mut Source,
    dirs: &MadeDirs,
    names: &Names<'t>,
    needed: Known,
    options: &Options,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<(Report, Stage<'t>), (Problem, bool)> {
    let lost = |problem| (problem, false);
    let (mut stage, mut begun) = (None, None);
    let identity = source.identity().map_err(lost)?;
    if let Some(snapshot) = &identity {
        let found =
            go_on(dirs.dir(), snapshot, names.clone(), options, source.size(), feedback).map_err(lost)?;
        if let Some((goes_on, at)) = found {
            (stage, begun) = (Some(goes_on), Some(at));
        }
    }
    let mut stage = match (stage, identity) {
        (Some(stage), _) => stage,
        (None, identity) => {
            let new = || match identity {
                None => Stage::new(dirs.dir(), names.clone(), options.space, feedback),
                Some(snapshot) => {
                    let work = Workspace::within(dirs.dir(), feedback)?;
                    let log = Log::new(work.held(), Record::new(snapshot, &in_words(options)));
                    Stage::logged(work, names.clone(), options.space, log)
                }
            };
            new().map_err(lost)?
        }
    };
    let resumed = begun.is_some();
    let there = begun.as_ref().map_or(0, |begun: &Begun| begun.content);
    if let Err(problem) = options.space.require(dirs.dir(), needed.beyond(there), feedback) {
        let work = stage.into_work();
        if resumed {
            work.keep();
        }
        return Err((problem, resumed));
    }
    let again = if resumed { Some(source.again().map_err(lost)?) } else { None };
    match read(source, &mut stage, begun, options, phase, feedback) {
        Ok(report) => Ok((report, stage)),
        Err(problem) => {
            let work = stage.into_work();
            let kept = Kept::find(work.held()).is_ok_and(|kept| kept.is_some());
            if kept && resume::can_go_on(&problem) {
                work.keep();
                feedback.notice(Notice::Kept(
                    "What was unpacked is kept: the same command goes on from there, and --restart forgets it",
                ));
                return Err((problem, true));
            }
            drop(work);
            // Whether that is the fault of the snapshot shows when it is read as a whole.
            if let Some(again) = again.filter(|_| problem.code().is_about_contents()) {
                feedback.notice(Notice::NotUsed(NOT_AS_LEFT));
                *source = again;
                return unpack(source, dirs, names, needed, options, phase, feedback);
            }
            Err(lost(problem))
        }
    }
}

/// Removes what interrupted extractions have left in a directory to go on with.
pub(super) fn forget_kept(directory: &Dir, feedback: &mut dyn Feedback) -> Result<()> {
    while let Some(work) =
        Workspace::adopt(directory, |dir| Kept::find(dir).is_ok_and(|kept| kept.is_some()))?
    {
        Kept::forget(work.held())?;
        let place = work.dir().display().to_string();
        work.remove(feedback);
        feedback.notice(Notice::Removed(&format!("Removed {place}, left by an interrupted extraction")));
    }
    Ok(())
}

/// Looks for what an interrupted extraction of the same members has left.
fn go_on<'t>(
    directory: &Dir,
    snapshot: &Fingerprint,
    mut names: Names<'t>,
    options: &Options,
    size: Option<u64>,
    feedback: &mut dyn Feedback,
) -> Result<Option<(Stage<'t>, Begun)>> {
    let mut found = None;
    let work = Workspace::adopt(directory, |dir| {
        // What cannot be read is left alone, with a line.
        let kept = Kept::find(dir).ok().flatten();
        found = kept.filter(|kept| kept.check(Some(snapshot), &in_words(options)).is_ok());
        found.is_some()
    })?;
    let (Some(work), Some(kept)) = (work, found) else { return Ok(None) };
    let record = kept.record.clone();
    let listing = snapshot::Options { list: true, ..Default::default() };
    let going_on = match new_in(&work) {
        Ok(new) => kept.go_on(&new, listing, feedback, &mut |event| names.take(event))?,
        // Something else has its name.
        Err(_) => None,
    };
    let Some(GoingOn { begun, open, log }) = going_on else {
        Kept::forget(work.held())?;
        feedback.notice(Notice::NotUsed(NOT_AS_LEFT));
        return Ok(None);
    };
    feedback.notice(Notice::Recovered(&record.words(size)));
    let mut stage = Stage::logged(work, names, options.space, log)?;
    open.iter().try_for_each(|(member, there)| stage.files.reopen(member, *there))?;
    Ok(Some((stage, begun)))
}

fn read(
    source: &mut Source,
    stage: &mut Stage<'_>,
    begun: Option<Begun>,
    options: &Options,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<Report> {
    let listing = snapshot::Options { list: true, ..Default::default() };
    let content = begun.as_ref().map_or(0, |begun| begun.content);
    let is_logged = stage.files.is_logged();
    let stage = RefCell::new(stage);
    let mut account = Account::new(&stage, options.recording, content);
    let places: &mut dyn Places = if is_logged { &mut account } else { &mut NoPlaces };
    source.inspect_on(listing, begun, places, phase, feedback, &mut |event: Event<'_>| {
        stage.borrow_mut().take(&event)
    })
}

/// The options that what is unpacked depends on.
fn in_words(options: &Options) -> String {
    let mut sum = Sha256::new();
    for member in &options.members {
        sum.update(member.len().to_le_bytes());
        sum.update(member);
    }
    match options.members.len() {
        0 => "all members".into(),
        _ => format!("members {}", BASE64.encode(sum.finalize())),
    }
}

//! *Replayed*: the blocks that the user names are run again, and lead from one recorded state to the next.

use std::path::Path;

use rollsnap_core::report::{Check, ReplayInfo};
use rollsnap_core::{Code, Feedback, Report, Result, Verdict};

use super::{Contents, Options};
use crate::jobs::{self, Stage, Stages};
use crate::replay::{self, Place};

/// The stages that it takes.
pub(super) fn stages(options: &Options, directory: bool) -> Vec<Stage> {
    match options.replay {
        // What a share reads of a snapshot is unpacked before, unless it could not be divided.
        Some(_) if directory => vec![jobs::REPLAYING],
        Some(_) => vec![jobs::UNPACKING, jobs::REPLAYING],
        None => Vec::new(),
    }
}

/// Says that the blocks of a context alone cannot be run.
pub(super) fn leave_out(options: &Options, report: &mut Report) {
    if options.replay.is_some() {
        report.verdicts.replayed = Some(Verdict::Unknown);
        let why = "not checked: a context alone has no store with the messages of its blocks";
        report.add(Check::unknown(Code::ReplayBlocks, why));
    }
}

pub(super) fn check(
    target: &Path,
    contents: &mut Contents,
    options: &Options,
    report: &mut Report,
    stages: &mut Stages,
    feedback: &mut dyn Feedback,
) -> Result<()> {
    let Some(wanted) = &options.replay else { return Ok(()) };
    report.verdicts.replayed = Some(Verdict::Unknown);
    let directory = contents.is_data_dir();
    if let Some(why) = hindrance(target, directory, report) {
        report.add(Check::unknown(Code::ReplayBlocks, why));
        return Ok(());
    }
    let mut wanted = wanted.clone();
    wanted.family = wanted.family.or(options.family);
    wanted.shard = wanted.shard.or(options.shard);
    let place = match contents.take_copy() {
        Some(copy) => copy,
        None if directory => Place::data_dir(target),
        None => Place::open(target, options.temp_dir.as_deref(), stages.next(jobs::UNPACKING), feedback)?,
    };
    let phase = stages.next(jobs::REPLAYING);
    match replay::run(&place, &wanted, None, phase, feedback, &mut |_| {}) {
        Ok(outcome) => {
            wanted.info(&outcome).conclude(outcome.stopped.as_ref(), report);
            Ok(())
        }
        Err(problem) if problem.code() == Code::Cancelled => Err(problem),
        Err(problem) => {
            // The report names the damage already; here it is only why nothing was replayed.
            let told = report.failures().any(|check| check.code == problem.code());
            if told {
                let why = format!("not checked: {}", problem.sentence());
                report.add(Check::unknown(Code::ReplayBlocks, why));
            } else {
                ReplayInfo::refuse(&problem, report);
            }
            Ok(())
        }
    }
}

/// Why blocks cannot be run.
fn hindrance(target: &Path, directory: bool, report: &Report) -> Option<&'static str> {
    if directory {
        return None;
    }
    if target == Path::new("-") {
        return Some("not checked: the blocks of a snapshot that streams by cannot be replayed; name a file");
    }
    (report.verdicts.intact != Verdict::Yes).then_some("not checked: the file is damaged")
}

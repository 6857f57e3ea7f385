//! Verify: is a snapshot, or a data directory, good?
//!
//! Three answers from one pass. *Intact* comes from the container; *Consistent* from the store,
//! which goes to temporary files while the rest is checked as it streams by; *Anchored* from
//! layer 1 or from the commitment that the user expects.

pub(crate) mod anchored;
mod beside;
mod commits;
mod consistent;
mod contents;
mod context;
mod known;
pub(crate) mod pre_images;
mod recorded;
mod replayed;
mod share;
mod staged;
pub(crate) mod store_copy;

use std::path::{Path, PathBuf};

use rollsnap_core::context::verify::{Audited, AuditedShare};
use rollsnap_core::feedback::{Notice, OfFile, Silent};
use rollsnap_core::hash::CommitmentHash;
use rollsnap_core::report::{Check, ContextStats, ShareInfo};
use rollsnap_core::{Class, Code, Feedback, Report, Result, Verdict};

use crate::context::is_context;
use crate::data_dir::DataDir;
use crate::files::FileSet;
use crate::io;
use crate::jobs::{self, Stage, Stages, Timed};
use crate::replay;
use crate::source::{Checksum, Source};
use crate::store::Family;
use crate::swap::{self, Pending};

pub use crate::resume::Interval;
pub(crate) use beside::ContextBeside;
pub(crate) use commits::states;
pub(crate) use consistent::genesis;
pub use consistent::{Streamed, Subject, check_store, counts};
pub use contents::Contents;
pub use context::Reading;
pub use pre_images::PreImages;
use recorded::{Held, Way};
pub(crate) use staged::Staged;

/// How much of the context is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContextScope {
    /// Every object of every commit.
    #[default]
    All,
    /// Every commit, and the objects of the head's. What streams by is read whole.
    Head,
    /// The index of commits only.
    None,
}

impl ContextScope {
    /// The stage in which it is read where it can be read at random.
    pub(crate) const fn stage(self) -> Stage {
        match self {
            Self::Head => jobs::CONTEXT_OF_HEAD,
            Self::All | Self::None => jobs::WHOLE_CONTEXT,
        }
    }
}

/// How to verify.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// RPC address of a layer 1 node to ask.
    pub endpoint: Option<String>,
    /// The last commitment that the user knows from elsewhere.
    pub expected: Option<CommitmentHash>,
    /// Stop at the first check that does not hold.
    pub fail_fast: bool,
    /// How much of the context is read.
    pub context: ContextScope,
    /// Whose rules apply; `None`: those of the nodes that read the store that is there.
    pub family: Option<Family>,
    /// Directory for the temporary copy of the store; the system's if `None`.
    pub temp_dir: Option<PathBuf>,
    /// Check a share only of what several machines divide: the context, where all of it is read, and the blocks of
    /// [`Options::replay`]. The first share checks all else as well.
    pub shard: Option<replay::Shard>,
    /// Run blocks again, and how; `None`: not at all. It takes a data directory, or the file of a snapshot.
    pub replay: Option<replay::Options>,
    /// What is asked about the SHA-256 of the snapshot file. One that is not the expected one is not intact.
    pub checksum: Checksum,
    /// Forget what an interrupted run has kept of the snapshot behind this address, and begin anew.
    pub restart: bool,
    /// How often it is recorded how far the reading of an address has come, so that another run can go on there.
    pub recording: Interval,
}

/// What was found out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The answers with their evidence.
    pub report: Report,
    /// How long each stage took.
    pub stages: Vec<Timed>,
}

/// Verifies a snapshot file (`-`: standard input), a data directory, or a context alone.
///
/// # Errors
/// When the input cannot be read at all, and [`rollsnap_core::Code::Cancelled`]; everything else stands in the
/// report.
pub fn run(target: &Path, options: &Options, feedback: &mut dyn Feedback) -> Result<Outcome> {
    let mut held = Held::default();
    loop {
        let outcome = match once(target, options, &mut held, feedback) {
            Ok(outcome) => outcome,
            Err(problem) => {
                held.leave(&problem, feedback);
                return Err(problem);
            }
        };
        if held.is_certain(&outcome.report, feedback) {
            return Ok(outcome);
        }
    }
}

/// Does what [`run`] says. What is kept of a snapshot until there is a verdict is `held`.
fn once(target: &Path, options: &Options, held: &mut Held, feedback: &mut dyn Feedback) -> Result<Outcome> {
    let directory = io::is_dir(target)?;
    if directory {
        options.checksum.refuse_directory(target)?;
    }
    if directory && is_context(target)? {
        return context_alone(target, options, feedback);
    }
    if directory {
        DataDir::new(target).require()?;
        // Of a staging directory that cannot be read nobody knows; most are of an import that has not begun.
        if matches!(swap::pending(target), Ok(Some(Pending::HalfWay))) {
            swap::require_whole(target)?;
        }
    }
    let mut plan = match directory {
        true => vec![options.context.stage(), jobs::CHAIN],
        false if options.context_shard().is_some() => {
            vec![jobs::READING, jobs::UNPACKING, jobs::WHOLE_CONTEXT, jobs::CHAIN]
        }
        false => vec![jobs::READING, jobs::WHOLE_CONTEXT, jobs::CHAIN],
    };
    plan.extend(options.endpoint.as_ref().map(|_| jobs::LAYER_1));
    plan.extend(replayed::stages(options, directory));
    let mut stages = Stages::new(plan);
    let (mut report, mut contents) = if directory {
        (Report::new(), Contents::of_data_dir(target, options, &mut stages, feedback)?)
    } else if let Some(shard) = options.context_shard() {
        stream_share(target, options, shard, held, &mut stages, feedback)?
    } else {
        let whole = options.context;
        stream(target, (options, whole), Some(jobs::WHOLE_CONTEXT), held, &mut stages, feedback)?
    };
    let header = report.header;
    let feedback = &mut OfFile::new(feedback, report.container.compressed_bytes);
    if !(options.fail_fast && report.failures().next().is_some()) {
        let header = header.as_ref();
        let checked = consistent::check(&contents, header, options, &mut report, &mut stages, feedback);
        unless_hindered(checked, &mut report)?;
        if options.is_first() {
            let checked = anchored::check(&contents, header, options, &mut report, &mut stages, feedback);
            unless_hindered(checked, &mut report)?;
        }
        let checked = replayed::check(target, &mut contents, options, &mut report, &mut stages, feedback);
        unless_hindered(checked, &mut report)?;
    }
    share::note(options, &mut report);
    // What was stopped half-way is no answer.
    feedback.checkpoint()?;
    Ok(Outcome { report, stages: stages.finish() })
}

/// What keeps one verdict from being given stands in the report, and the others are given.
fn unless_hindered(checked: Result<()>, report: &mut Report) -> Result<()> {
    match checked {
        Err(problem) if matches!(problem.code().class(), Class::Environment | Class::Refused) => {
            report.add(Check::of(&problem));
            Ok(())
        }
        other => other,
    }
}

/// Verifies a context with no store that tells which blocks its commits belong to.
fn context_alone(target: &Path, options: &Options, feedback: &mut dyn Feedback) -> Result<Outcome> {
    let stage = options.context.stage();
    let mut stages = Stages::new([stage]);
    let (phase, mut listening) = stages.listen(stage, feedback);
    let reading = Reading { scope: options.context, head: None, temp_dir: options.temp_dir.as_deref() };
    let mut share = options.share_info();
    let audited = match options.context_shard() {
        Some(shard) => {
            let files = FileSet::Directory(target.into());
            let AuditedShare { audited, context } =
                reading.share_or_whole(&files, shard, phase, &mut listening)?;
            share = share.map(|share| ShareInfo { context: Some(context), ..share });
            audited
        }
        None => reading.directory(target, phase, &mut listening)?,
    };
    let Audited { mut evidence, totals, .. } = audited;
    let mut report = Report::new();
    report.context = totals.as_ref().map(ContextStats::from);
    if options.is_first() {
        let why = "not checked: which blocks the commits belong to, for a context alone has no store";
        evidence.checks.push(Check::unknown(Code::StoreMissing, why));
    }
    if options.fail_fast {
        evidence.keep_first_problem();
    }
    match share {
        Some(share) => share.conclude(evidence, &mut report, true),
        None => evidence.conclude(&mut report, true),
    }
    replayed::leave_out(options, &mut report);
    Ok(Outcome { report, stages: stages.finish() })
}

/// Reads a snapshot to its last byte and keeps what later checks need. `scope`: how much of its context is checked as it
/// comes, and to its end in stage `last`, if that takes any.
fn stream(
    target: &Path,
    (options, scope): (&Options, ContextScope),
    last: Option<Stage>,
    held: &mut Held,
    stages: &mut Stages,
    feedback: &mut dyn Feedback,
) -> Result<(Report, Contents)> {
    let mut source = Source::open(target, feedback)?.summed(&options.checksum)?;
    let shown = if target == Path::new("-") { Path::new("standard input") } else { target };
    let phase = stages.next(jobs::READING);
    let known = match scope {
        ContextScope::None => None,
        _ => {
            let known = if held.is_careful() { None } else { known::beforehand(&source, feedback)? };
            let place = options.temp_dir.as_deref();
            context::announce_stream(place, source.content_len(), known.is_none(), feedback);
            known
        }
    };
    let way = Way { options, scope, phase, known };
    let (report, checker) = recorded::read(&mut source, &way, held, feedback)?;
    if let Some(note) = checker.members().note() {
        feedback.notice(Notice::TakesSpace(&note));
    }
    let checked = match last {
        Some(last) => checker.finish(stages.next(last), feedback)?,
        None => checker.finish(phase, &mut Silent)?,
    };
    held.differs(checked.findings.audited.differs);
    Ok((report, Contents::of_snapshot(checked, shown, options)))
}

/// The same for a share: the context is checked from a copy, which can be read at any offset. The whole of it is, as it
/// streams by once more, where it cannot be divided.
fn stream_share(
    target: &Path,
    options: &Options,
    shard: replay::Shard,
    held: &mut Held,
    stages: &mut Stages,
    feedback: &mut dyn Feedback,
) -> Result<(Report, Contents)> {
    let (report, contents) = stream(target, (options, ContextScope::None), None, held, stages, feedback)?;
    if report.verdicts.intact == Verdict::Yes
        && let Some((place, found)) = share::of_snapshot(target, options, shard, stages, feedback)?
    {
        return Ok((report, contents.with_share(place, found)));
    }
    drop(contents);
    for stage in [jobs::WHOLE_CONTEXT, jobs::READING] {
        stages.add(stage);
    }
    let again = (options, ContextScope::All);
    let (report, contents) = stream(target, again, Some(jobs::WHOLE_CONTEXT), held, stages, feedback)?;
    Ok((report, contents.with_whole()))
}

/// What was found out about a context, for who goes on only with one that could be checked.
///
/// # Errors
/// What kept it from being checked.
pub(crate) fn unhindered(audited: Audited) -> Result<Audited> {
    match audited.hindered {
        Some(problem) => Err(problem),
        None => Ok(audited),
    }
}

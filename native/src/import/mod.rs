//! Import: from a snapshot to a data directory.
//!
//! The snapshot is extracted into a staging directory inside the data directory, checked there,
//! and only then put in place ([`crate::swap`]). A refused, failed or interrupted import changes
//! nothing; `config.json`, locks and everything else that a snapshot does not carry stays.

mod adjustments;
mod behind;
mod existing;
mod layer1;
mod preflight;
mod rebuild;
mod rules;
mod stage;
mod stream_policy;

use std::path::{Path, PathBuf};

use rollsnap_core::context::second_half;
use rollsnap_core::feedback::{Notice, OfFile};
use rollsnap_core::layer1::not_asked;
use rollsnap_core::members::TOP_LEVEL;
use rollsnap_core::report::Check;
use rollsnap_core::store::Lacking;
use rollsnap_core::{Code, Feedback, Problem, Report, Result};

use crate::context::Flushing;
use crate::contexts;
use crate::convert;
use crate::data_dir::metadata;
use crate::destination::{self, Compact, Destination};
use crate::dir::{self, Owner, SpaceCheck};
use crate::files::FileSet;
use crate::jobs::{self, Stages, Timed};
use crate::resume;
use crate::source::{Checksum, Source};
use crate::store::{Family, close_any, open_any};
use crate::swap::{self, Staging};
use crate::verify::{ContextScope, Staged};

use adjustments::Adjustments;
use behind::Behind;
use existing::Existing;
use layer1::Layer1;
use stream_policy::StreamPolicy;

pub use crate::resume::Interval;
pub use preflight::preflight;

/// What to import, and where to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The data directory; it is made if missing.
    pub data_dir: PathBuf,
    /// Import over a populated directory.
    pub force: bool,
    /// Compare header and store of the snapshot, and check the store, its chain and the context. Default: yes.
    pub check: bool,
    /// How much of the context is checked. Default: every object.
    pub context: ContextScope,
    /// Whose rules apply; `None`: those of the nodes that read the store in the snapshot.
    pub family: Option<Family>,
    /// Convert an older store to version 5, which Octez nodes read.
    pub to_v5: bool,
    /// Take the store back to this level.
    pub level: Option<i32>,
    /// Import a compact snapshot as it is, without rebuilding the contexts that it lacks.
    pub keep_compact: bool,
    /// Whom root gives the data to; `None`: the owner of the data directory.
    pub owner: Option<Owner>,
    /// RPC address of a layer 1 node to ask about the last commitment.
    pub endpoint: Option<String>,
    /// RPC address of a DAL node, for the pages that kernels read while the contexts of a compact snapshot are rebuilt.
    pub dal_node: Option<String>,
    /// What is asked about the SHA-256 of the snapshot file. Where it is not the expected one, nothing is changed.
    pub checksum: Checksum,
    /// What is said about the space that the contents of the snapshot need.
    pub space: SpaceCheck,
    /// Forget what an interrupted import has unpacked, and begin anew.
    pub restart: bool,
    /// How often it is recorded how far the import has come, so that the same one can go on there.
    pub recording: Interval,
    /// When contexts that are rebuilt go to the disk: what an interrupted import has to do again.
    pub flushing: Flushing,
}

impl Options {
    /// What `rollsnap import` does without further options.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            force: false,
            check: true,
            context: ContextScope::All,
            family: None,
            to_v5: false,
            level: None,
            keep_compact: false,
            owner: None,
            endpoint: None,
            dal_node: None,
            checksum: Checksum::default(),
            space: SpaceCheck::default(),
            restart: false,
            recording: Interval::default(),
            flushing: Flushing::default(),
        }
    }
}

impl Options {
    /// Those that what is unpacked, and how it is changed, depends on.
    fn in_words(&self) -> String {
        let level = self.level.map_or_else(String::new, |level| format!("--level {level} "));
        let to = if self.to_v5 { "--to v5" } else { "" };
        format!("{level}{to}").trim().into()
    }
}

/// A finished import.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// What reading the snapshot showed.
    pub report: Report,
    /// The level that the data directory is at now.
    pub head_level: i32,
    /// The contexts that the snapshot lacks, as a compact one does: they were rebuilt, or are missing now. `None` for a
    /// full snapshot.
    pub lacking: Option<Lacking>,
    /// How long each stage took.
    pub stages: Vec<Timed>,
}

/// Imports a snapshot file; `-` stands for standard input.
///
/// # Errors
/// The codes of rules I1 to I5c ([`Code::ImportPopulated`], [`Code::LockHeld`], `header.*`,
/// [`Code::ImportRollup`], [`Code::ImportMode`], [`Code::ImportLevel`], [`Code::ImportSame`], [`Code::ImportOlder`]), of
/// a damaged snapshot (`gzip.*`, `tar.*`, `snapshot.*`, [`Code::FileChecksum`]), of what it holds (`metadata.*`,
/// `store.*`, [`Code::HeaderStore`]), [`Code::ImportStore`], [`Code::ImportLink`],
/// [`Code::ImportUnfinished`], [`Code::Cancelled`], any `io.*` code; for a compact snapshot, those of a replay
/// (`replay.*`, `pvm.*`).
pub fn run(snapshot: &Path, options: &Options, feedback: &mut dyn Feedback) -> Result<Outcome> {
    import(|feedback| Source::open(snapshot, feedback), options, feedback)
}

/// Imports a snapshot that was opened already, such as one that comes from a [`Read`](std::io::Read)er
/// ([`Source::from_reader`]).
///
/// # Errors
/// As [`run`].
pub fn from_source(source: Source, options: &Options, feedback: &mut dyn Feedback) -> Result<Outcome> {
    import(|_| Ok(source), options, feedback)
}

/// The snapshot is opened when nothing speaks against the place that it goes to.
fn import(
    open: impl FnOnce(&mut dyn Feedback) -> Result<Source>,
    options: &Options,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {
    if let Some(owner) = &options.owner {
        owner.check_permitted()?;
    }
    // What an interrupted import has left is nobody's data yet: it is settled before it is judged.
    if swap::pending(&options.data_dir)?.is_none() {
        destination::not_populated(&options.data_dir, options.force)?;
    }
    let target = Destination::prepare(&options.data_dir, options.owner)?;
    let result = into(&target, open, options, feedback);
    // A refused import leaves no trace, not even an empty directory or lock file of its own.
    if result.is_err() {
        target.discard()
    } else {
        target.keep()
    }
    result
}

fn into(
    target: &Destination,
    open: impl FnOnce(&mut dyn Feedback) -> Result<Source>,
    options: &Options,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {
    let root = &*options.data_dir;
    swap::recover_but_partial(root, feedback)?;
    destination::not_populated(root, options.force)?;
    let source = open(feedback)?.summed(&options.checksum)?;
    let existing = Existing::read(root, options.family, options.force, feedback)?;
    let converting = if options.to_v5 { convert::writing(options.check) } else { &[] };
    let made = Staged::stages(options.context);
    let checking = if options.check { &made[..] } else { &[] };
    let plan = [&[jobs::EXTRACTING], converting, checking, &[jobs::PUTTING_IN_PLACE]];
    let planned = || Stages::new(plan.concat());

    let mut staging = Staging::begin(root)?;
    if options.restart && staging.unpacked()?.is_some() {
        staging.begin_anew()?;
        feedback.notice(Notice::Removed("Removed what an interrupted import had unpacked"));
    }
    staging.can_move(&TOP_LEVEL)?;
    let again = if staging.goes_on() { source.again().ok() } else { None };
    let mut stages = planned();
    let mut filled = fill(&mut staging, source, &existing, options, &mut stages, feedback);
    // Whether that is the fault of the snapshot shows when nothing of an earlier run is left.
    if let (Err(problem), Some(again)) = (&filled, again)
        && staging.goes_on()
        && problem.code().is_about_contents()
    {
        feedback.notice(Notice::NotUsed(resume::NOT_AS_LEFT));
        staging.forget()?;
        staging.begin_anew()?;
        stages = planned();
        filled = fill(&mut staging, again, &existing, options, &mut stages, feedback);
    }
    let filled = filled.and_then(|filled| {
        stages.begin(jobs::PUTTING_IN_PLACE, None, feedback);
        target.give(&staging)?;
        let plan = destination::plan(&mut staging, feedback)?;
        feedback.checkpoint()?;
        Ok((filled, plan))
    });
    let (filled, plan) = match filled {
        Ok(filled) => filled,
        Err(problem) => {
            settle(&mut staging, &problem, feedback)?;
            return Err(problem);
        }
    };
    staging.commit(&plan, feedback)?;
    target.given(feedback);
    dir::say_what_lacks(feedback);
    let Filled { report, head_level, family, lacking, kept_compact } = filled;
    if let Some(old) = existing.family.filter(|old| *old != family) {
        feedback.notice(Notice::Remark(&format!(
            "The store is another one now: {} go on from there, and {} do not",
            family.nodes(),
            old.nodes()
        )));
    }
    if let Some(compact) = kept_compact {
        feedback.notice(Notice::Remark(&compact.consequence()));
    }
    Ok(Outcome { report: remarked(report, options), head_level, lacking, stages: stages.finish() })
}

/// Says what the next import can go on with, or sees to it that it does not.
fn settle(staging: &mut Staging, problem: &Problem, feedback: &mut dyn Feedback) -> Result<()> {
    let (rebuilt, unpacked) = (staging.is_kept(), staging.can_go_on()?);
    if (rebuilt && rebuild::can_go_on(problem)) || (unpacked && resume::can_go_on(problem)) {
        feedback.notice(Notice::Kept(match (rebuilt, unpacked) {
            (true, _) => "What was rebuilt is kept: the same import goes on from there",
            (false, _) => {
                "What was unpacked is kept: the same import goes on from there, and --restart forgets it"
            }
        }));
        return Ok(());
    }
    staging.forget()?;
    staging.forget_unpacked()
}

/// What is staged, and checked.
struct Filled {
    report: Report,
    head_level: i32,
    family: Family,
    /// What the snapshot lacked.
    lacking: Option<Lacking>,
    /// It is a compact snapshot, and stays one.
    kept_compact: Option<Compact>,
}

/// Extracts the snapshot, makes it fit, rebuilds what it lacks and checks it.
fn fill(
    staging: &mut Staging,
    mut source: Source,
    existing: &Existing,
    options: &Options,
    stages: &mut Stages,
    feedback: &mut dyn Feedback,
) -> Result<Filled> {
    let root = &*options.data_dir;
    // What is unpacked takes no less; of each member it is looked at again.
    let needed = source.content_len();
    // What an interrupted import has unpacked is there already.
    let there = staging.unpacked()?.map_or(0, |kept| kept.record.content);
    options.space.require(staging.held(), needed.beyond(there), feedback)?;
    let layer1 = Layer1::new(options)?;
    // What is converted is for an Octez node, whoever made it.
    let family = options.family.or(options.to_v5.then_some(Family::Octez));
    let mut policy = StreamPolicy::new(existing, &layer1, options.level, family);
    let phase = stages.next(jobs::EXTRACTING);
    let mut behind = Behind::new(options, feedback);
    let watching = (&mut policy, &mut behind);
    let (header, mut report) = stage::extract(&mut source, staging, options, phase, watching, feedback)?;
    options.space.compare(needed, report.members.bytes.unwrap_or_default(), feedback);
    let feedback = &mut OfFile::new(feedback, report.container.compressed_bytes);

    let mut converted = None;
    if options.to_v5 {
        staging.forget_unpacked()?;
        converted = convert::in_place(staging.held(), root, &header, options.check, stages, feedback)?;
        if converted.is_none() {
            feedback.notice(Notice::Remark("Nothing to convert: the store is of version 5 already"));
        }
    }
    // The old store was held against the header as Mavkit makes it: older than the store, sometimes.
    let check_header = options.check && converted.is_none();
    let dir = staging.dir().to_path_buf();
    // In the words of the nodes, which name the directory that the snapshot was to go to.
    let missing = || metadata::missing(root).because("the snapshot holds none, and nothing was changed");
    let metadata = metadata::read(&dir)?.ok_or_else(missing)?;
    let mut store = open_any(&dir, policy.family)?;
    let level = rules::staged(&store, &metadata, &header, check_header)?;
    let contexts = contexts::read(&dir, feedback)?;
    let head_level = options.level.unwrap_or(level);
    let adjustments = Adjustments::of(&header, existing, options.level);
    if !adjustments.is_empty() {
        close_any(store)?;
        staging.forget_unpacked()?;
        adjustments.make(staging.held(), feedback)?;
        store = open_any(&dir, policy.family)?;
    }
    // Only now: taken back to its first level, a compact snapshot lacks nothing.
    let mut staged = Staged::new(&dir, root, store, contexts);
    let lacking = Compact::of(&staged)?;
    let (compact, kept_compact) = match lacking {
        Some(lacking) if options.keep_compact => (None, Some(lacking)),
        Some(lacking) if lacking.is_rebuilt(&metadata, options.check)? => (Some(lacking), None),
        _ => (None, None),
    };
    let mut rebuilt = None;
    if let Some(compact) = &compact {
        staged.close()?;
        // What is missing is written to the files that it reads.
        behind.forget();
        stages.add(jobs::RECONSTRUCTING);
        let phase = stages.next(jobs::RECONSTRUCTING);
        rebuilt = Some(rebuild::contexts(staging, compact, options, phase, feedback)?);
        staged = Staged::new(&dir, root, open_any(&dir, policy.family)?, contexts::read(&dir, feedback)?);
    } else if kept_compact.is_some() {
        staged = staged.lacking_some();
    }
    let family = Family::of_store(&staged.store);
    if options.check {
        layer1.after(&header, &mut staged, &mut report, feedback)?;
        let old_lists = converted.as_ref().is_some_and(|(carried, _)| carried.partial_lists > 0);
        staged.check(options.context, behind.take(), old_lists, &mut report, stages, feedback)?;
    } else {
        staged.close()?;
    }
    let is_said = report.checks.iter().any(|check| check.code == Code::ContextDual);
    if let Some(found) = second_half(&FileSet::context_of(&dir))?.filter(|_| !is_said) {
        report.add(Check::open(&Problem::new(Code::ContextDual).found(found)));
    }
    for check in converted.into_iter().flat_map(|(_, checks)| checks).chain(rebuilt) {
        report.add(check);
    }
    let lacking = compact.as_ref().or(kept_compact.as_ref()).map(|compact| compact.lacking);
    Ok(Filled { report, head_level, family, lacking, kept_compact })
}

fn remarked(mut report: Report, options: &Options) -> Report {
    if !options.check {
        let text = "not checked: header, store, chain and layer 1 (--no-check)";
        report.add(Check::unknown(Code::HeaderStore, text));
    } else if options.endpoint.is_none() {
        report.add(not_asked("no --endpoint"));
    }
    report
}

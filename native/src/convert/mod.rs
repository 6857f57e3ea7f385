//! Convert: from a store of version 2, 3 or 4 to one of version 5, which today's Octez nodes read.
//!
//! The context is copied as it is, author and all, so the hashes of its commits stay, and with them
//! everything that the blocks name. What is made anew is the store: row by row from the old one,
//! which is checked before, as the new one is afterwards (`store`). The source is never written to.
//!
//! The result is a data directory, put in place as an import does it ([`crate::swap`]), or a
//! snapshot, made as an export does it ([`crate::export`]).

mod blocks;
mod left_out;
mod preflight;
mod stage;
mod states;
pub(crate) mod store;
mod upgrade;

use std::io::Write;
use std::path::{Path, PathBuf};

use rollsnap_core::feedback::{Notice, OfFile, Phase};
use rollsnap_core::members::TOP_LEVEL;
use rollsnap_core::nodes::import::other_rollup;
use rollsnap_core::report::Check;
use rollsnap_core::scratch::Scratch;
use rollsnap_core::store::Rows;
use rollsnap_core::{Allowance, Code, Feedback, Header, Place, Problem, Report, Result};

use crate::contexts;
use crate::data_dir::{lock, metadata};
use crate::deflate::Level;
use crate::destination::{self, Compact, Destination};
use crate::dir::{Dir, Owner, SpaceCheck};
use crate::export::{self, Compression};
use crate::io;
use crate::jobs::{self, Stage, Stages, Timed};
use crate::source::Checksum;
use crate::store::{Family, LevelRequest, Packing, open_any};
use crate::swap::{self, Staging};
use crate::verify::{ContextScope, Staged};
use crate::workspace::Workspace;

use left_out::LeftOut;
use store::Conversion;

pub use preflight::{preflight, preflight_upgrade};
pub use store::{Carried, Table};
pub use upgrade::{OLD_STORE, Upgrade, upgrade};

/// What to convert, and into what.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// A data directory, or a snapshot file (`-`: standard input).
    pub source: PathBuf,
    /// What is made.
    pub output: Output,
    /// Put the data into a populated directory, or overwrite a file.
    pub force: bool,
    /// Check the store before, and the result afterwards. Default: yes.
    pub check: bool,
    /// How much of the context is checked. Default: every object.
    pub context: ContextScope,
    /// Take the lock of a data directory that is converted. Without, nobody may write to it: it is a copy, such as a
    /// snapshot of a volume. Default: yes.
    pub lock: bool,
    /// Whom root gives a data directory to; `None`: the owner of the directory.
    pub owner: Option<Owner>,
    /// Where the data are made of a snapshot that goes to a stream; `None`: in the system's directory for temporary
    /// files.
    pub temp_dir: Option<PathBuf>,
    /// What is asked about the SHA-256 of a snapshot that is converted. Where it is not the expected one, nothing is
    /// made.
    pub checksum: Checksum,
    /// What is said about the space that the contents of a snapshot need which is converted.
    pub space: SpaceCheck,
}

impl Options {
    /// What `rollsnap convert` does without further options.
    pub fn new(source: impl Into<PathBuf>, output: Output) -> Self {
        Self {
            source: source.into(),
            output,
            force: false,
            check: true,
            context: ContextScope::All,
            lock: true,
            owner: None,
            temp_dir: None,
            checksum: Checksum::default(),
            space: SpaceCheck::default(),
        }
    }
}

impl Options {
    /// How much of the context is checked, if anything is.
    fn checked(&self) -> Option<ContextScope> {
        self.check.then_some(self.context)
    }
}

/// What is made of the source.
#[derive(Clone, Debug)]
pub enum Output {
    /// A data directory; it is made if missing.
    DataDir(PathBuf),
    /// A snapshot: this file, or one of the nodes' name in this directory.
    Snapshot {
        /// The file, or the directory.
        path: PathBuf,
        /// When it is compressed.
        compression: Compression,
        /// How hard.
        effort: Level,
    },
}

/// A finished conversion.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// What was checked, and what was left out.
    pub report: Report,
    /// The version of the old store.
    pub version: u8,
    /// What was carried over.
    pub carried: Carried,
    /// SHA-256 of the snapshot that was converted, in hexadecimal digits, where it was asked for.
    pub source_sha256: Option<String>,
    /// The data directory or snapshot that was made; `None` when it went to a stream.
    pub path: Option<PathBuf>,
    /// The first level that is available.
    pub first_level: i32,
    /// The level of the newest block.
    pub head_level: i32,
    /// How long each stage took.
    pub stages: Vec<Timed>,
}

/// Converts.
///
/// # Errors
/// [`Code::ConvertStore`] where there is nothing to convert; the codes of a damaged snapshot or store;
/// [`Code::ImportPopulated`], [`Code::ImportRollup`], [`Code::OutputExists`]; [`Code::LockHeld`];
/// [`Code::Cancelled`], any `io.*` code. Nothing has changed then.
pub fn run(options: &Options, feedback: &mut dyn Feedback) -> Result<Outcome> {
    if let Some(owner) = &options.owner {
        owner.check_permitted()?;
    }
    match &options.output {
        Output::DataDir(root) => data_dir(root, options, feedback),
        Output::Snapshot { path, compression, effort } => {
            snapshot(path, *compression, *effort, options, feedback)
        }
    }
}

fn data_dir(root: &Path, options: &Options, feedback: &mut dyn Feedback) -> Result<Outcome> {
    stage::apart(&options.source, root, true)?;
    if swap::pending(root)?.is_none() {
        destination::not_populated(root, options.force)?;
    }
    let target = Destination::prepare(root, options.owner)?;
    let result = into_place(root, &target, options, feedback);
    // A refused conversion leaves no trace, as a refused import.
    if result.is_err() {
        target.discard()
    } else {
        target.keep()
    }
    result
}

fn into_place(
    root: &Path,
    target: &Destination,
    options: &Options,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {
    swap::recover(root, feedback)?;
    destination::not_populated(root, options.force)?;
    destination::no_links(root)?;
    let mut staging = Staging::begin(root)?;
    staging.can_move(&TOP_LEVEL)?;
    let plan = own(options)?;
    let mut stages = Stages::new(plan.into_iter().chain([jobs::PUTTING_IN_PLACE]));
    let mut outcome = staged(staging.held(), true, options, &mut stages, feedback)?;
    same_rollup(root, staging.dir())?;
    stages.begin(jobs::PUTTING_IN_PLACE, None, feedback);
    target.give(&staging)?;
    let plan = destination::plan(&mut staging, feedback)?;
    feedback.checkpoint()?;
    staging.commit(&plan, feedback)?;
    target.given(feedback);
    crate::dir::say_what_lacks(feedback);
    outcome.path = Some(root.into());
    outcome.stages = stages.finish();
    Ok(outcome)
}

fn snapshot(
    path: &Path,
    compression: Compression,
    effort: Level,
    options: &Options,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {
    let output = export::Output::at(path)?;
    stage::apart(&options.source, path, false)?;
    output.check_early(options.force)?;
    let work = Workspace::create(&output.directory(), feedback)?;
    let goes = Goes::To(output);
    exported(work, goes, (compression, effort), options, feedback)
}

/// Converts to a snapshot that goes to a stream, such as a pipe to another program: [`Options::output`] says how it is
/// packed, and its path is not used. The store is converted, and everything checked, before the first byte is written.
///
/// # Errors
/// As [`run`], before anything was written; [`Code::Usage`] for a data directory, which is no stream; what writing to
/// `out` says, or [`Code::Cancelled`], afterwards: then the stream ends in the middle of a snapshot.
pub fn stream(options: &Options, out: &mut dyn Write, feedback: &mut dyn Feedback) -> Result<Outcome> {
    let Output::Snapshot { compression, effort, .. } = options.output else {
        return Err(
            Problem::new(Code::Usage).headline("a data directory is not one file, and makes no stream")
        );
    };
    let work = Workspace::temporary(options.temp_dir.as_deref(), feedback)?;
    exported(work, Goes::Along(out), (compression, effort), options, feedback)
}

/// How much of the context is checked once more when a snapshot is made of data that have just been checked.
const OF_COPY: ContextScope = ContextScope::Head;

/// Where a snapshot goes.
enum Goes<'o> {
    To(export::Output),
    Along(&'o mut dyn Write),
}

/// Makes the data in a working directory, and a snapshot of them.
fn exported(
    work: Workspace,
    goes: Goes<'_>,
    (compression, effort): (Compression, Level),
    options: &Options,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {
    let made = work.held().make("data");
    let made =
        made.map_err(|err| crate::io::problem("create the directory", &work.held().place("data"), err))?;
    let dir = made.path().to_path_buf();
    let own = own(options)?;
    // The new store is in WAL mode, as the nodes want it, and so stays what it is.
    let is_stream = matches!(goes, Goes::Along(_));
    let check = options.check.then_some(OF_COPY);
    let stages_of_export = match is_stream {
        true => export::stages_of_stream(true, None, check),
        false => export::stages(true, None, check),
    };
    let mut stages = Stages::new(own.iter().chain(&stages_of_export).copied());
    let mut outcome = staged(&made, false, options, &mut stages, feedback)?;
    outcome.stages = stages.finish();
    let exporting = export::Options {
        compression,
        effort,
        level: Some(LevelRequest::Head),
        family: Some(Family::Octez),
        // There is nothing in it but what was just written.
        packing: Packing::Pages,
        check: options.check,
        context: OF_COPY,
        force: options.force,
        space: SpaceCheck { expected: None, ..options.space },
        old_lists: outcome.carried.partial_lists > 0,
        ..export::Options::new(dir)
    };
    let before = jobs::phases(&own);
    let of = before + jobs::phases(&stages_of_export);
    let mut second_half = SecondHalf { feedback, before, of };
    let exported = match goes {
        Goes::To(output) => export::run(&export::Options { output, ..exporting }, &mut second_half)?,
        Goes::Along(out) => {
            let temp_dir = Some(work.dir().into());
            export::stream(&export::Options { temp_dir, ..exporting }, out, &mut second_half)?
        }
    };
    // The checks of the stores are in the report already; they are not listed twice.
    outcome.report.header = exported.report.header;
    outcome.report.container = exported.report.container;
    outcome.report.members = exported.report.members;
    outcome.report.verdicts.intact = exported.report.verdicts.intact;
    outcome.path = exported.path;
    outcome.stages.extend(exported.stages);
    work.remove(feedback);
    Ok(outcome)
}

/// The stages of any conversion: the data come, the store is written, and both stores are checked.
fn own(options: &Options) -> Result<Vec<Stage>> {
    let comes = if io::is_dir(&options.source)? { jobs::COPYING_DATA } else { jobs::EXTRACTING };
    Ok([&[comes], writing(options.check), &made(options.checked())].concat())
}

/// Those in which the result is checked, if it is.
fn made(checked: Option<ContextScope>) -> Vec<Stage> {
    checked.map_or_else(Vec::new, |scope| Staged::stages(scope).into())
}

/// Those of the store alone.
pub(crate) const fn writing(check: bool) -> &'static [Stage] {
    const STAGES: &[Stage] = &[jobs::CHECKING_STORE, jobs::WRITING_STORE];
    if check { STAGES } else { STAGES.split_at(1).1 }
}

/// Fills the directory `dir` with the data of version 5, and checks them.
fn staged(
    held: &Dir,
    is_operators: bool,
    options: &Options,
    stages: &mut Stages,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {
    let source = stage::Source::open(&options.source, options.lock)?;
    let (root, report) = source.stage(held, options, stages, feedback)?;
    let header = report.header;
    let feedback = &mut OfFile::new(feedback, report.container.compressed_bytes);
    let conversion = Conversion {
        root: &root,
        dir: held,
        shown: &options.source,
        header: header.as_ref(),
        pre_images: held.path(),
        keeps_lpc: is_operators && source.is_data_dir(),
        check: options.check,
    };
    let mut outcome = converted(conversion, options.context, report, stages, feedback)?;
    if let stage::Source::DataDir { root, .. } = &source {
        let mut left_out = LeftOut::default();
        left_out.beside_the_data(root)?;
        left_out.into_checks().into_iter().for_each(|check| outcome.report.add(check));
        if !options.lock {
            outcome.report.add(lock::left_out(root));
        }
    }
    Ok(outcome)
}

/// Converts the store, and checks what came of it.
fn converted(
    conversion: Conversion<'_>,
    scope: ContextScope,
    mut report: Report,
    stages: &mut Stages,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {
    let Conversion { dir, shown, pre_images, check, .. } = conversion;
    let dir = dir.path();
    let (carried, checks) = conversion.run(stages, feedback)?;
    checks.into_iter().for_each(|check| report.add(check));
    let contexts = contexts::read(dir, feedback)?;
    let mut staged =
        Staged::new(dir, shown, open_any(dir, Some(Family::Octez))?, contexts).with_pre_images(pre_images);
    let (first_level, head_level) = (staged.store.first_available()?, staged.store.head()?.level);
    let compact = Compact::of(&staged)?.filter(Compact::is_for_nodes);
    if compact.is_some() {
        staged = staged.lacking_some();
    }
    if check {
        staged.check(scope, None, carried.partial_lists > 0, &mut report, stages, feedback)?;
    } else {
        staged.close()?;
        report.add(unchecked());
    }
    if let Some(compact) = compact {
        let how = format!(
            "rollsnap import --to v5 rebuilds them, or takes it with --level {first_level} or --keep-compact"
        );
        let problem = match compact.lacking.is_compact() {
            true => Problem::new(Code::ContextCompact).at(Place::Level(first_level)).because(how),
            false => Problem::new(Code::ContextPartial)
                .at(Place::Level(compact.lacking.levels.0))
                .because(format_args!("{}; {how}", compact.lacking.words())),
        };
        return Err(problem);
    }
    Ok(Outcome {
        source_sha256: report.container.sha256.clone(),
        report,
        version: carried.version,
        carried,
        path: None,
        first_level,
        head_level,
        stages: Vec::new(),
    })
}

/// What stands in the report of a conversion without checks.
fn unchecked() -> Check {
    Check::unknown(Code::HeaderStore, "not checked: old store, new store and context (--no-check)")
}

/// Converts what an import has staged in `dir`, if it is an older store. `None` where it is of version 5
/// already.
///
/// # Errors
/// As [`run`].
pub(crate) fn in_place(
    dir: &Dir,
    shown: &Path,
    header: &Header,
    check: bool,
    stages: &mut Stages,
    feedback: &mut dyn Feedback,
) -> Result<Option<(Carried, Vec<Check>)>> {
    if Family::of(dir.path())? != Some(Family::Mavkit) {
        return Ok(None);
    }
    let conversion = Conversion {
        root: dir.path(),
        dir,
        shown,
        header: Some(header),
        pre_images: dir.path(),
        keeps_lpc: false,
        check,
    };
    conversion.run(stages, feedback).map(Some)
}

/// Rule I4: what is in place belongs to the same rollup, if it says so.
fn same_rollup(root: &Path, dir: &Path) -> Result<()> {
    let Some(existing) = metadata::read(root).ok().flatten() else { return Ok(()) };
    let (old, new) = (existing.rollup_address, metadata::require(dir)?.rollup_address);
    if old == new {
        return Ok(());
    }
    Err(other_rollup(&old, "source", &new))
}

/// The export that follows a conversion: its phases are numbered on, and what nobody else knows of has no locks
/// to tell about.
struct SecondHalf<'a> {
    feedback: &'a mut dyn Feedback,
    /// How many phases were before.
    before: u32,
    of: u32,
}

impl Feedback for SecondHalf<'_> {
    fn phase(&mut self, phase: Phase) {
        self.feedback.phase(Phase { index: self.before + phase.index, of: self.of, ..phase });
    }

    fn advance(&mut self, done: u64) {
        self.feedback.advance(done);
    }

    fn note(&mut self, text: &str) {
        self.feedback.note(text);
    }

    fn notice(&mut self, notice: Notice<'_>) {
        if !matches!(notice, Notice::WaitingForLock(_)) {
            self.feedback.notice(notice);
        }
    }

    fn cancelled(&self) -> bool {
        self.feedback.cancelled()
    }

    fn allowance(&self) -> Allowance {
        self.feedback.allowance()
    }

    fn scratch(&self) -> Option<Box<dyn Scratch>> {
        self.feedback.scratch()
    }
}

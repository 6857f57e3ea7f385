//! Export: from a data directory to a snapshot file.
//!
//! What the snapshot holds is captured under the locks of the data directory (`capture`), and copied
//! when they are released. The file is made in a hidden directory next to its final place, synced,
//! read back completely and only then given its name. A failed or interrupted export leaves what was
//! there before.

mod archive;
mod capture;
mod check;
mod compact;
mod layer1;
mod locks;
mod output;
mod packer;
mod rules;
mod stored;
mod workspace;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rollsnap_core::context::verify::Audited;
use rollsnap_core::report::{Check, Compression as Form};
use rollsnap_core::{Code, Feedback, Header, Place, Problem, Report, Result};

use crate::contexts;
use crate::data_dir::{DataDir, Lock, PvmKind, SourceFile, metadata};
use crate::deflate::{self, Level};
use crate::jobs::Phases;
use crate::store::{Family, LevelRequest, Packing};
use crate::verify::{ContextScope, Reading};
use crate::{io, swap};

use archive::{Archive, Member};
use capture::{Captured, Lists};
use locks::Locks;
use packer::Packer;
use rules::Rules;
use stored::Stored;

pub use output::Output;
pub(crate) use workspace::Workspace;

/// What to export, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data directory.
    pub data_dir: PathBuf,
    /// Where the snapshot goes.
    pub output: Output,
    /// How it is compressed.
    pub compression: Compression,
    /// How hard it is compressed.
    pub effort: Level,
    /// How many threads compress.
    pub jobs: NonZeroUsize,
    /// At which level the store is cut; `None`: as the nodes do, at the finalized level, and of version
    /// 4 at the head.
    pub level: Option<LevelRequest>,
    /// Whose store it must be; `None`: whose it is.
    pub family: Option<Family>,
    /// Whether the database is written anew.
    pub packing: Packing,
    /// Take the context of the first available block only: nodes rebuild the others when they
    /// import the snapshot.
    pub compact: bool,
    /// Read the finished file back and compare it with what was written.
    pub check: bool,
    /// Overwrite an existing file.
    pub force: bool,
    /// RPC address of a layer 1 node to ask about the commitment before the last one.
    pub endpoint: Option<String>,
    /// RPC address of the rollup node, whose garbage collection is stopped first.
    pub rollup_node_endpoint: Option<String>,
}

/// When the archive is compressed, as the nodes put it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Once it is complete: takes room for both.
    #[default]
    After,
    /// While it is written.
    OnTheFly,
    /// Not at all.
    None,
}

/// A finished export.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The snapshot.
    pub path: PathBuf,
    /// Its size, in bytes.
    pub bytes: u64,
    /// What reading it back showed; without that, what was written.
    pub report: Report,
    /// How long the node could not process blocks.
    pub locks_held: Duration,
    /// How long each phase took.
    pub phases: Vec<(&'static str, Duration)>,
}

/// Exports.
///
/// # Errors
/// The codes of rules E1 to E8 (`store.*`, `metadata.*`, `level.*`), [`Code::OutputExists`],
/// [`Code::SourceFile`], [`Code::SourceChanged`], [`Code::ExportCheck`],
/// [`Code::ImportUnfinished`], [`Code::Cancelled`], any `io.*` code; of a compact export `context.*`.
/// The data directory is not changed, and neither is an existing output file.
pub fn run(options: &Options, feedback: &mut dyn Feedback) -> Result<Outcome> {
    let data_dir = DataDir::new(&options.data_dir);
    let root = data_dir.root();
    settle_import(root, feedback)?;
    let rules = Rules::of(&data_dir, options)?;
    let metadata = metadata::require(root)?;
    options.output.check_early(options.force)?;
    let published = layer1::before(&data_dir, &rules, &metadata, options, feedback)?;

    let lists = Lists::before(root, &rules, options.compact, feedback)?;
    let gc = rules.waits_for_gc(options.compact);
    if gc {
        layer1::cancel_gc(options.rollup_node_endpoint.as_deref(), feedback)?;
    }
    let mut locks = Locks::wait(root, gc, feedback)?;
    let mut captured = Captured::take(root, &rules, lists, feedback)?;
    if captured.is_stable() {
        locks.release();
    }
    let mut members = captured.members(root, options.compact);
    let Captured { database, context, small, .. } = captured;
    let (database, file) = database.unzip();
    let store = Stored::open(database, &small, &metadata)?;
    let described = store.describe(&rules, &metadata, &contexts::of(&context)?, root)?;
    let header = described.header;
    // As with the nodes: what a compact export copies is spread over many files already.
    let compression = match options.compression {
        Compression::After if options.compact => Compression::OnTheFly,
        other => other,
    };
    let path = options.output.path(&header, compression);
    options.output.check(&path, options.force)?;

    let mut phases = Phases::new(phases(
        rules.family,
        options.compact.then_some(metadata.kind),
        compression,
        options.check,
    ));
    let work = workspace::Workspace::create(&options.output.directory(), feedback)?;
    let store = store.copy(work.dir(), &mut phases, feedback)?;
    locks.release();
    if let (Stored::Database(copied), Some(file)) = (&store, file) {
        members.push(Member::packed(SourceFile { size: copied.bytes()?, ..file }));
    }
    let mut store = store.pack(described.cut, options.packing)?;

    let mut remarks = Vec::new();
    let mut one = None;
    if options.compact {
        let level = described.first;
        let missing = || Problem::new(Code::ChainBlock).at(Place::Level(level));
        let first = described.first_block.ok_or_else(missing)?;
        feedback.note(&format!("Exporting context snapshot with first level {level}"));
        let written = compact::One::of(&context, &first, metadata.kind)?.write(
            work.dir(),
            options.check,
            &mut phases,
            feedback,
        )?;
        members.extend(written.files.into_iter().map(Member::at_path));
        remarks = written.remarks;
        one = Some(written.contexts);
    } else {
        remarks.extend(compact::second_half(&context)?);
    }
    let count = members.len();
    let written = Writing { header: &header, compression, options, work: work.dir() };
    let plan = archive::Plan::new(members);
    let (finished, digests) = written.run(plan, store.packer(), &mut phases, feedback)?;
    let bytes = size(&finished)?;
    let mut report = if options.check {
        let read = check::read_back(&finished, &header, &digests, &mut phases, feedback)?;
        let audited = match one {
            // That one was checked when it was written.
            Some(contexts) => Audited { contexts, ..Audited::default() },
            None => {
                let (scope, head) = (ContextScope::Head, described.head_context);
                let reading = Reading { scope, head, temp_dir: Some(work.dir()) };
                reading.moment(&context, phases.next_two("Checking context"), feedback)?
            }
        };
        let about = (&metadata, &header, &audited.contexts);
        let found = store.check(about, root, phases.next("Checking chain"), feedback)?;
        check::settle(found, &audited, read)?
    } else {
        unchecked(&header, bytes, compression, count)
    };
    remarks.into_iter().for_each(|remark| report.add(remark));
    feedback.checkpoint()?;
    options.output.put(&finished, &path, options.force)?;
    if let Err(problem) = work.remove() {
        feedback.note(&format!(
            "The snapshot is complete, but its working directory could not be removed: {problem}. \
             The next export tries again"
        ));
    }
    Ok(Outcome {
        path,
        bytes,
        report: layer1::remarked(report, published, &rules, options),
        locks_held: locks.held(),
        phases: phases.finish(),
    })
}

/// An import that was interrupted half-way comes first: until it is finished there is no data
/// directory to export. Finishing it needs the lock of the node.
fn settle_import(root: &Path, feedback: &mut dyn Feedback) -> Result<()> {
    match swap::pending(root)? {
        Some(pending) if !pending.is_readable() => {
            let lock = Lock::try_node(root)?;
            swap::recover(root, feedback)?;
            drop(lock);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// How many phases an export has; `compact` is the kind of the PVM where that makes some.
pub(crate) fn phases(family: Family, compact: Option<PvmKind>, compression: Compression, check: bool) -> u32 {
    let database = u32::from(family == Family::Octez);
    let compressing = u32::from(compression == Compression::After);
    let context = compact.map_or(2 * u32::from(check), |kind| compact::phases(kind, check));
    database + 1 + context + compressing + 2 * u32::from(check)
}

/// How the archive is written.
struct Writing<'a> {
    header: &'a Header,
    compression: Compression,
    options: &'a Options,
    work: &'a Path,
}

impl Writing<'_> {
    /// Writes it; gives the file, and what reading it back must find.
    fn run(
        &self,
        plan: archive::Plan,
        packer: Option<&mut Packer>,
        phases: &mut Phases,
        feedback: &mut dyn Feedback,
    ) -> Result<(PathBuf, Vec<archive::MemberDigest>)> {
        phases.begin("Exporting snapshot", Some(plan.bytes()), feedback);
        let raw = self.work.join("snapshot");
        let deflate =
            deflate::Options { level: self.options.effort, jobs: self.options.jobs, expected: None };
        let on_the_fly = (self.compression == Compression::OnTheFly).then_some(deflate);
        let archive = Archive { plan, header: self.header, digests: self.options.check, packer };
        let digests = archive::write(archive, on_the_fly, &raw, feedback)?;
        if self.compression != Compression::After {
            return Ok((raw, digests));
        }
        phases.begin("Compressing snapshot", Some(size(&raw)?), feedback);
        let compressed = self.work.join("snapshot.gz");
        archive::compress(&raw, &compressed, deflate, feedback)?;
        io::remove_if_there(&raw)?;
        Ok((compressed, digests))
    }
}

fn unchecked(header: &Header, bytes: u64, compression: Compression, members: usize) -> Report {
    let mut report = Report::new();
    report.header = Some(*header);
    report.container.compressed_bytes = Some(bytes);
    report.container.compression =
        Some(if compression == Compression::None { Form::None } else { Form::Gzip });
    report.members.count = Some(members as u64);
    report.add(Check::unknown(Code::ExportCheck, "not read back (--no-check)"));
    report
}

fn size(path: &Path) -> Result<u64> {
    Ok(std::fs::metadata(path).map_err(|err| io::problem("look at", path, err))?.len())
}

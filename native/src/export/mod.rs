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
mod packer;
mod rules;
mod stored;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rollsnap_core::context::verify::Audited;
use rollsnap_core::members::PvmKind;
use rollsnap_core::report::{Check, Evidence};
use rollsnap_core::store::Findings;
use rollsnap_core::{Code, Feedback, Header, Place, Problem, Report, Result};

use crate::contexts;
use crate::data_dir::{DataDir, Lock, SourceFile, metadata};
use crate::deflate::{self, Level};
use crate::jobs::Phases;
use crate::store::{Family, LevelRequest, Packing};
use crate::swap;
use crate::verify::{self, ContextScope, Reading};
use crate::workspace::Workspace;

use archive::{Archive, Member};
use capture::{Captured, Lists};
use locks::Locks;
use rules::Rules;
use stored::Stored;

pub use crate::output::Output;
pub use rollsnap_core::report::Compression;

/// What to export, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data directory.
    pub data_dir: PathBuf,
    /// Where the snapshot goes.
    pub output: Output,
    /// How it is compressed; always while it is written. (The nodes, which hold their lock meanwhile, rather do it
    /// when it is complete.)
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

impl Options {
    /// How the archive is compressed, if it is.
    fn deflate(&self) -> Option<deflate::Options> {
        let deflate = deflate::Options { level: self.effort, jobs: self.jobs, expected: None };
        (self.compression == Compression::Gzip).then_some(deflate)
    }
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
    let stable = captured.is_stable();
    if stable {
        locks.release();
    }
    let mut members = captured.members(root, options.compact)?;
    let Captured { database, context, small, .. } = captured;
    let packed =
        database.as_ref().map(|(capture, file)| SourceFile { size: capture.bytes(), ..file.clone() });
    let store = Stored::open(database.map(|(capture, _)| capture), &small, &metadata)?;
    let described = store.describe(&rules, &metadata, &contexts::of(&context, feedback)?, root)?;
    let header = described.header;
    let path = options.output.path(&header, options.compression);
    options.output.check(&path, options.force)?;

    let compact = options.compact.then_some(metadata.kind);
    let mut phases = Phases::new(phases(stable, compact, options.check));
    let work = Workspace::create(&options.output.directory(), feedback)?;
    feedback.checkpoint()?;
    members.extend(packed.map(|file| Member::packed(work.held(), file)));
    let mut store = store.pack(described.cut, options.packing, work.held(), &mut phases, feedback)?;
    locks.release();

    let mut remarks = Vec::new();
    let mut one = None;
    if options.compact {
        let level = described.first;
        let missing = || Problem::new(Code::ChainBlock).at(Place::Level(level));
        let first = described.first_block.ok_or_else(missing)?;
        feedback.note(&format!("Exporting context snapshot with first level {level}"));
        let written = compact::One::of(&context, &first, metadata.kind, feedback)?.write(
            work.held(),
            options.check,
            &mut phases,
            feedback,
        )?;
        members.extend(written.files.into_iter().map(|file| Member::in_dir(work.held(), file)));
        remarks = written.remarks;
        one = Some(written.contexts);
    } else {
        remarks.extend(compact::second_half(&context)?);
    }
    let count = members.len();
    let finished = work.dir().join(FINISHED);
    let plan = archive::Plan::new(members);
    phases.begin("Exporting snapshot", Some(plan.bytes()), feedback);
    let archive = Archive { plan, header: &header, digests: options.check, packer: store.packer() };
    let digests = archive::write(archive, options.deflate(), (work.held(), FINISHED), feedback)?;
    let missing = || Problem::new(Code::ExportCheck).path(finished.display()).found("no such file");
    let bytes = work.held().look(FINISHED)?.ok_or_else(missing)?.len;
    let mut report = if options.check {
        let (mut report, pre_images) = check::read_back(&finished, &header, &digests, &mut phases, feedback)?;
        let audited = match one {
            // That one was checked when it was written.
            Some(contexts) => Audited { contexts, ..Audited::default() },
            None => {
                let (scope, head) = (ContextScope::Head, described.head_context);
                let reading = Reading { scope, head, temp_dir: Some(work.dir()) };
                let phase = phases.next_two("Checking context");
                verify::unhindered(reading.moment(&context, phase, feedback)?)?
            }
        };
        let about = (&metadata, &header, &audited.contexts);
        let store = store.check(about, root, phases.next("Checking chain"), feedback)?;
        Findings { audited, pre_images, others: Evidence::default() }.with(store).require(&mut report)?;
        report
    } else {
        unchecked(&header, bytes, options.compression, count)
    };
    remarks.into_iter().for_each(|remark| report.add(remark));
    feedback.checkpoint()?;
    Output::put(&work, FINISHED, &path, options.force)?;
    work.remove(feedback);
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

/// How many phases an export has: of a store that is `stable` without locks or is copied under them, and with
/// `compact` the kind of the PVM where that makes some.
pub(crate) fn phases(stable: bool, compact: Option<PvmKind>, check: bool) -> u32 {
    let context = compact.map_or(2 * u32::from(check), |kind| compact::phases(kind, check));
    u32::from(!stable) + 1 + context + 2 * u32::from(check)
}

fn unchecked(header: &Header, bytes: u64, compression: Compression, members: usize) -> Report {
    let mut report = Report::new();
    report.header = Some(*header);
    report.container.compressed_bytes = Some(bytes);
    report.container.compression = Some(compression);
    report.members.count = Some(members as u64);
    report.add(Check::unknown(Code::ExportCheck, "not read back (--no-check)"));
    report
}

/// Name of the file until it is finished.
const FINISHED: &str = "snapshot";

//! Export: from a data directory of store version 5 to a snapshot file.
//!
//! The file is made in a hidden directory next to its final place, synced, read back completely and
//! only then given its name. A failed or interrupted export leaves what was there before.

mod archive;
mod check;
mod compact;
mod layer1;
mod output;
mod workspace;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rollsnap_core::context::verify::Audited;
use rollsnap_core::hash::ContextHash;
use rollsnap_core::header::Layout;
use rollsnap_core::report::{Check, Compression as Form};
use rollsnap_core::{Code, Feedback, Header, Place, Problem, Report, Result};

use crate::context::Moment;
use crate::contexts::{self, Contexts};
use crate::data_dir::{DataDir, Lock, Metadata, Name, STORE, files_beside_context, metadata, snapshot_files};
use crate::deflate::{self, Level};
use crate::files::FileSet;
use crate::jobs::Phases;
use crate::store::{Accept, AnyStore, Block, Capture, LevelRequest, Rows, Store};
use crate::verify::{self, ContextScope, Reading, Subject};
use crate::{io, store, swap};

pub use output::Output;

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
    /// At which level the store is cut.
    pub level: LevelRequest,
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
    /// Once it is complete: takes room for both, and holds the locks for less time.
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
    data_dir.require_v5()?;
    let metadata = metadata::require(root)?;
    options.output.check_early(options.force)?;
    let published = layer1::before(&data_dir, &metadata, options, feedback)?;

    let mut locks = Locks::wait(root, options, feedback)?;
    // As with the nodes: what a compact export copies is spread over many files already.
    let compression = match options.compression {
        Compression::After if options.compact => Compression::OnTheFly,
        other => other,
    };
    let compressing = u32::from(compression == Compression::After);
    let copying = if options.compact { compact::phases(metadata.kind, options.check) } else { 0 };
    let following = if options.compact { 0 } else { 2 };
    let mut phases = Phases::new(2 + copying + compressing + (2 + following) * u32::from(options.check));

    let work = workspace::Workspace::create(&options.output.directory(), feedback)?;
    phases.begin("Copying database", None, feedback);
    let capture = Capture::new(&data_dir.store(), work.dir(), feedback)?;
    let contexts = contexts::read(root)?;
    let described = describe(&capture, &metadata, options.level, root, &contexts)?;
    let header = described.header;
    let path = options.output.path(&header, compression);
    options.output.check(&path, options.force)?;

    let mut remarks = Vec::new();
    let (mut one, mut moment) = (None, None);
    let files = if options.compact {
        let captured = compact::Captured::new(root, &described.first, metadata.kind)?;
        let mut files = files_beside_context(root, feedback)?;
        locks.release();
        let level = described.first.level;
        feedback.note(&format!("Exporting context snapshot with first level {level}"));
        let written = captured.write(work.dir(), options.check, &mut phases, feedback)?;
        files.extend(written.files);
        remarks = written.remarks;
        one = Some(written.contexts);
        files
    } else {
        // What cannot be archived is told first, in its own words.
        let files = snapshot_files(root, feedback)?;
        moment = Some(Moment::take(&FileSet::Directory(root.join("context")))?);
        remarks.extend(compact::second_half(root)?);
        files
    };
    let plan = archive::Plan::new(files, capture, described.cut, &data_dir.store())?;
    phases.begin("Exporting snapshot", Some(plan.bytes()), feedback);
    let raw = work.dir().join("snapshot");
    let deflate = deflate::Options { level: options.effort, jobs: options.jobs, expected: None };
    let on_the_fly = (compression == Compression::OnTheFly).then_some(deflate);
    let digests = archive::write(plan, &header, on_the_fly, &raw, feedback, || locks.release())?;

    let finished = if compression == Compression::After {
        let size = std::fs::metadata(&raw).map_err(|err| io::problem("look at", &raw, err))?.len();
        phases.begin("Compressing snapshot", Some(size), feedback);
        let compressed = work.dir().join("snapshot.gz");
        archive::compress(&raw, &compressed, deflate, feedback)?;
        io::remove_if_there(&raw)?;
        compressed
    } else {
        raw
    };
    let bytes = std::fs::metadata(&finished).map_err(|err| io::problem("look at", &finished, err))?.len();
    let mut report = if options.check {
        let report = check::read_back(&finished, &header, &digests, &mut phases, feedback)?;
        let store = work.dir().join(STORE);
        let audited = match &moment {
            Some(moment) => {
                let (scope, head) = (ContextScope::Head, described.head_context);
                let reading = Reading { scope, head, temp_dir: Some(work.dir()) };
                reading.moment(moment, phases.next_two("Checking context"), feedback)?
            }
            // That one was checked when it was written.
            None => Audited { contexts: one.unwrap_or_default(), ..Audited::default() },
        };
        let contexts = Some(&audited.contexts);
        let subject = Subject { root, shown: root, header: Some(&header), contexts };
        let store = Store::open(&store, Accept::Older).map(AnyStore::Database);
        check::chain(subject, store, &audited, report, &mut phases, feedback)?
    } else {
        unchecked(&header, bytes, compression, digests.len())
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
        report: layer1::remarked(report, published, options),
        locks_held: locks.held,
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

/// What the node waits for.
struct Locks {
    locks: Option<(Lock, Option<Lock>)>,
    since: Instant,
    held: Duration,
}

impl Locks {
    /// A compact export does not wait for a garbage collection, nor stops one: what it needs of the
    /// context is opened at once.
    fn wait(root: &Path, options: &Options, feedback: &mut dyn Feedback) -> Result<Self> {
        let gc = if options.compact {
            None
        } else {
            layer1::cancel_gc(options.rollup_node_endpoint.as_deref(), feedback)?;
            Some(Lock::wait(root, Name::Gc, feedback)?)
        };
        let processing = Lock::wait(root, Name::Processing, feedback)?;
        Ok(Self { locks: Some((processing, gc)), since: Instant::now(), held: Duration::ZERO })
    }

    /// Lets them go, in the order in which a node releases them.
    fn release(&mut self) {
        if self.locks.take().is_some() {
            self.held = self.since.elapsed();
        }
    }
}

/// What the captured store says of the snapshot.
struct Described {
    header: Header,
    /// The level to cut the store at unless that is its head.
    cut: Option<i32>,
    /// The commit of the block that becomes the head.
    head_context: Option<ContextHash>,
    /// The first available block.
    first: Block,
}

fn describe(
    capture: &Capture,
    metadata: &Metadata,
    level: LevelRequest,
    root: &Path,
    contexts: &Contexts,
) -> Result<Described> {
    let store = Store::open(capture.path(), store::Accept::Current)?;
    let head = store.head()?;
    let first = store.first_available()?;
    let block = level.resolve(&store)?;
    let history_mode = store.history_mode(root)?;
    let last_commitment = block.most_recent_commitment();
    let missing = || Problem::new(Code::ChainBlock).at(Place::Level(first));
    let first = store.block_at(first)?.ok_or_else(missing)?;
    store.close()?;
    // The nodes look at the head even where an older block is asked for.
    for block in [&head, &block] {
        if block.context.is_some_and(|context| !contexts.contains(&context)) {
            return Err(verify::head_context(block.level));
        }
    }
    let header = Header {
        layout: Layout::Versioned,
        history_mode,
        rollup_address: metadata.rollup_address,
        head_level: block.level,
        last_commitment,
    };
    let cut = (block.level != head.level).then_some(block.level);
    Ok(Described { header, cut, head_context: block.context, first })
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

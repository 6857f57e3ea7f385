//! Export: from a data directory of store version 5 to a snapshot file.
//!
//! The file is made in a hidden directory next to its final place, synced, read back completely and
//! only then given its name. A failed or interrupted export leaves what was there before.

mod archive;
mod check;
mod layer1;
mod output;
mod workspace;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rollsnap_core::header::Layout;
use rollsnap_core::report::{Check, Compression as Form};
use rollsnap_core::{Code, Feedback, Header, Report, Result};

use crate::contexts::{self, Contexts};
use crate::data_dir::{DataDir, Lock, Metadata, Name, STORE, metadata, snapshot_files};
use crate::jobs::Phases;
use crate::store::{Capture, LevelRequest, Rows, Store};
use crate::verify::{self, Subject};
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
    /// At which level the store is cut.
    pub level: LevelRequest,
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
/// [`Code::ImportUnfinished`], [`Code::Cancelled`], any `io.*` code. The data directory is not
/// changed, and neither is an existing output file.
pub fn run(options: &Options, feedback: &mut dyn Feedback) -> Result<Outcome> {
    let data_dir = DataDir::new(&options.data_dir);
    let root = data_dir.root();
    settle_import(root, feedback)?;
    data_dir.require_v5()?;
    let metadata = metadata::require(root)?;
    options.output.check_early(options.force)?;
    let published = layer1::before(&data_dir, &metadata, options, feedback)?;
    layer1::cancel_gc(options.rollup_node_endpoint.as_deref(), feedback)?;

    let gc = Lock::wait(root, Name::Gc, feedback)?;
    let processing = Lock::wait(root, Name::Processing, feedback)?;
    let locked = Instant::now();
    let compressing = u32::from(options.compression == Compression::After);
    let mut phases = Phases::new(2 + compressing + 2 * u32::from(options.check));

    let work = workspace::Workspace::create(&options.output.directory(), feedback)?;
    phases.begin("Copying database", None, feedback);
    let capture = Capture::new(&data_dir.store(), work.dir(), feedback)?;
    let contexts = contexts::read(root)?;
    let (header, cut) = describe(&capture, &metadata, options.level, root, &contexts)?;
    let path = options.output.path(&header, options.compression);
    options.output.check(&path, options.force)?;

    let files = snapshot_files(root, feedback)?;
    let plan = archive::Plan::new(files, capture, cut, &data_dir.store())?;
    phases.begin("Exporting snapshot", Some(plan.bytes()), feedback);
    let raw = work.dir().join("snapshot");
    let mut locks = Some((processing, gc));
    let mut locks_held = Duration::ZERO;
    let on_the_fly = options.compression == Compression::OnTheFly;
    let digests = archive::write(plan, &header, on_the_fly, &raw, feedback, || {
        // In the order in which a node releases them.
        if locks.take().is_some() {
            locks_held = locked.elapsed();
        }
    })?;

    let finished = if options.compression == Compression::After {
        let size = std::fs::metadata(&raw).map_err(|err| io::problem("look at", &raw, err))?.len();
        phases.begin("Compressing snapshot", Some(size), feedback);
        let compressed = work.dir().join("snapshot.gz");
        archive::compress(&raw, &compressed, feedback)?;
        io::remove_if_there(&raw)?;
        compressed
    } else {
        raw
    };
    let bytes = std::fs::metadata(&finished).map_err(|err| io::problem("look at", &finished, err))?.len();
    let report = if options.check {
        let report = check::read_back(&finished, &header, &digests, &mut phases, feedback)?;
        let store = work.dir().join(STORE);
        let header = Some(&header);
        let subject = Subject { root, store: &store, shown: root, header, contexts: Some(&contexts) };
        check::chain(subject, report, &mut phases, feedback)?
    } else {
        unchecked(&header, bytes, options.compression, digests.len())
    };
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
        locks_held,
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

/// The header, from the captured store, and the level to cut it at unless that is its head.
fn describe(
    capture: &Capture,
    metadata: &Metadata,
    level: LevelRequest,
    root: &Path,
    contexts: &Contexts,
) -> Result<(Header, Option<i32>)> {
    let store = Store::open(capture.path(), store::Accept::Current)?;
    let head = store.head()?;
    store.first_available()?;
    let block = level.resolve(&store)?;
    let history_mode = store.history_mode(root)?;
    let last_commitment = block.most_recent_commitment();
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
    Ok((header, (block.level != head.level).then_some(block.level)))
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

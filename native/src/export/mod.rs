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
mod preflight;
mod ready;
mod rules;
mod stored;

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rollsnap_core::report::Evidence;
use rollsnap_core::{Code, Feedback, Header, Problem, Report, Result};

use crate::content_info;
use crate::data_dir::Lock;
use crate::deflate::{self, Level};
use crate::dir::space::{Known, SpaceCheck};
use crate::dir::{self, Room};
use crate::interrupt;
use crate::jobs::{self, Timed};
use crate::source;
use crate::store::{Family, LevelRequest, Packing};
use crate::swap;
use crate::verify::{self, ContextScope};
use crate::workspace::Workspace;

use ready::{Source, Written};

pub use crate::output::Output;
pub use preflight::preflight;
pub use rollsnap_core::report::Compression;

pub(crate) use ready::{stages, stages_of_stream};

/// What to export, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The data directory.
    pub data_dir: PathBuf,
    /// Where the snapshot goes, unless it goes to a stream. Default: into the current directory.
    pub output: Output,
    /// How it is compressed; always while it is written. (The nodes, which hold their lock meanwhile, rather do it
    /// when it is complete.) Default: with gzip.
    pub compression: Compression,
    /// How hard it is compressed.
    pub effort: Level,
    /// How many threads compress. Default: one for each core.
    pub jobs: NonZeroUsize,
    /// At which level the store is cut; `None`: as the nodes do, at the finalized level, and of version
    /// 4 at the head.
    pub level: Option<LevelRequest>,
    /// Whose store it must be; `None`: whose it is.
    pub family: Option<Family>,
    /// Whether the database is written anew. Default: it is.
    pub packing: Packing,
    /// Take the context of the first available block only: nodes rebuild the others when they
    /// import the snapshot.
    pub compact: bool,
    /// Give a compact snapshot the very name that a full one has, as the nodes do, where it goes into a directory.
    /// Default: `.compact` stands behind that.
    pub plain_name: bool,
    /// Check store, chain and context, and read the finished file back and compare it with what was written.
    /// Default: yes.
    pub check: bool,
    /// How much of the context is checked. Default: every object.
    pub context: ContextScope,
    /// Overwrite an existing file.
    pub force: bool,
    /// Take the locks of the data directory. Without, nobody may write to it: it is a copy, such as a snapshot of a
    /// volume. Default: yes.
    pub lock: bool,
    /// How long each lock of the node is waited for; `None`: as long as it takes.
    pub lock_timeout: Option<Duration>,
    /// Directory for temporary copies, which is as large as the store; `None`: that of the snapshot, and of a stream the
    /// system's.
    pub temp_dir: Option<PathBuf>,
    /// RPC address of a layer 1 node to ask about the commitment before the last one.
    pub endpoint: Option<String>,
    /// RPC address of the rollup node, whose garbage collection is stopped first.
    pub rollup_node_endpoint: Option<String>,
    /// What is said about the space that the snapshot needs.
    pub space: SpaceCheck,
    /// Whether a conversion has just made the store, so that lists of messages may be those of a very old node.
    pub(crate) old_lists: bool,
}

impl Options {
    /// What `rollsnap export` does without further options.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            output: Output::Directory(None),
            compression: Compression::Gzip,
            effort: Level::default(),
            jobs: deflate::Options::all_cores(),
            level: None,
            family: None,
            packing: Packing::Packed,
            compact: false,
            plain_name: false,
            check: true,
            context: ContextScope::All,
            force: false,
            lock: true,
            lock_timeout: None,
            temp_dir: None,
            endpoint: None,
            rollup_node_endpoint: None,
            space: SpaceCheck::default(),
            old_lists: false,
        }
    }

    /// How much of the context is checked, if anything is.
    fn checked(&self) -> Option<ContextScope> {
        self.check.then_some(self.context)
    }

    /// How the archive is compressed, if it is.
    fn deflate(&self) -> Option<deflate::Options> {
        let deflate = deflate::Options { level: self.effort, jobs: self.jobs, expected: None };
        (self.compression == Compression::Gzip).then_some(deflate)
    }
}

/// A finished export.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The snapshot; `None` when it went to a stream.
    pub path: Option<PathBuf>,
    /// Its size, in bytes.
    pub bytes: u64,
    /// What reading it back showed; without that, what was written.
    pub report: Report,
    /// How long the node could not process blocks.
    pub locks_held: Duration,
    /// How long each stage took.
    pub stages: Vec<Timed>,
}

/// What is said of [`Packing::Pages`] where there is nothing to pack.
const WITHOUT_DATABASE: &str =
    "--no-vacuum has no effect: a store of version 4 is files, which are copied as they are";

/// Exports to a file.
///
/// # Errors
/// The codes of rules E1 to E8 (`store.*`, `metadata.*`, `level.*`), [`Code::OutputExists`],
/// [`Code::SourceFile`], [`Code::SourceChanged`], [`Code::ExportCheck`],
/// [`Code::ImportUnfinished`], [`Code::Cancelled`], any `io.*` code; of a compact export `context.*`.
/// The data directory is not changed, and neither is an existing output file.
pub fn run(options: &Options, feedback: &mut dyn Feedback) -> Result<Outcome> {
    let Options { output, force, check, .. } = options;
    let source = Source::open(options, Some(output), feedback)?;
    let path = place(options, source.header(), feedback)?;
    let work = Workspace::create(&output.directory(), feedback)?;
    let temporary = options.temp_dir.as_deref();
    let temporary = temporary.map(|place| Workspace::temporary(Some(place), feedback)).transpose()?;
    let room = temporary.as_ref().unwrap_or(&work);
    let (copy, archive) = source.least();
    let needed = Known::AtLeast(archive);
    options.space.require_all(&[(room.held(), copy), (work.held(), options.space.least(needed))])?;
    let mut ready = source.pack(room, Written::File, feedback)?;

    if options.compression == Compression::None && !options.space.skipped {
        Room::new(work.held()).reserve(&path, ready.bytes())?;
    }
    let finished = work.dir().join(FINISHED);
    let place = (work.held(), FINISHED);
    ready.begin_context(room, feedback)?;
    let digests = ready
        .write(|archive, feedback| archive::write(archive, options.deflate(), place, feedback), feedback)?;
    let missing = || Problem::new(Code::ExportCheck).path(finished.display()).found("no such file");
    let bytes = work.held().look(FINISHED)?.ok_or_else(missing)?.len;
    options.space.compare(needed, bytes, feedback);
    let report = if *check {
        let header = *ready.header();
        // It is read while the data that were written are checked.
        let reading = check::read_back(finished, header, digests, feedback.allowance())?;
        let judged = ready.judge(room, feedback)?;
        let (mut report, pre_images) = reading.wait(ready.stages.next(jobs::CHECKING_SNAPSHOT), feedback)?;
        ready.conclude(judged, pre_images, feedback)?.require(&mut report)?;
        report
    } else {
        ready.unchecked(bytes, "not read back (--no-check)")
    };
    feedback.checkpoint()?;
    Output::put(&work, FINISHED, &path, *force, feedback)?;
    work.remove(feedback);
    temporary.into_iter().for_each(|work| work.remove(feedback));
    dir::say_what_lacks(feedback);
    Ok(ready.outcome(Some(path), bytes, report))
}

/// Exports to a stream, such as a pipe to another program. Store, chain, context and pre-images are checked before the
/// first byte is written; the archive cannot be read back, which the report says. It has no index, because that stands
/// in front of what it describes.
///
/// # Errors
/// As [`run`], before anything was written, and what writing to `out` says, or [`Code::Cancelled`], afterwards: then the
/// stream ends in the middle of a snapshot.
pub fn stream(options: &Options, out: &mut dyn Write, feedback: &mut dyn Feedback) -> Result<Outcome> {
    let source = Source::open(options, None, feedback)?;
    let temporary = Workspace::temporary(options.temp_dir.as_deref(), feedback)?;
    options.space.require_all(&[(temporary.held(), source.least().0)])?;
    let mut ready = source.pack(&temporary, Written::Stream, feedback)?;

    const WHY: &str = "not read back: it was written to a stream";
    let mut checks = Vec::new();
    if options.check {
        let pre_images = verify::pre_images::read(&options.data_dir, feedback)?;
        ready.begin_context(&temporary, feedback)?;
        let judged = ready.judge(&temporary, feedback)?;
        checks = ready.conclude(judged, pre_images, feedback)?.refuse()?;
    }
    let bytes =
        ready.write(|archive, feedback| archive::stream(archive, options.deflate(), out, feedback), feedback);
    // What stops a job may stop the writer first.
    let bytes = bytes.or_else(|problem| feedback.checkpoint().and(Err(problem)))?;
    let mut report = ready.unchecked(bytes, if options.check { WHY } else { "not checked (--no-check)" });
    if options.check {
        Evidence { checks, ..Evidence::default() }.conclude(&mut report, true);
    }
    temporary.remove(feedback);
    dir::say_what_lacks(feedback);
    Ok(ready.outcome(None, bytes, report))
}

/// The path of the snapshot, where it may be written.
fn place(options: &Options, header: &Header, feedback: &dyn Feedback) -> Result<PathBuf> {
    let kind = if options.compact && !options.plain_name { COMPACT } else { "" };
    let path = options.output.path(header, kind, options.compression);
    options.output.check(&path, options.force)?;
    if options.compact && matches!(options.output, Output::Directory(_)) {
        not_over_full(&path, feedback)?;
    }
    Ok(path)
}

/// Nothing tells a compact snapshot from a full one but what is in it, so under a name that nobody chose it takes the
/// place of a compact one only.
fn not_over_full(path: &Path, feedback: &dyn Feedback) -> Result<()> {
    if !path.is_file() {
        return Ok(());
    }
    let there = source::Source::open(path, &mut interrupt::Quiet)
        .and_then(|mut there| content_info::glance(&mut there, &mut interrupt::Quiet));
    match there {
        Ok((_, _, Some(true))) => Ok(()),
        _ => {
            feedback.checkpoint()?;
            Err(Problem::new(Code::OutputExists)
                .headline(format!(
                    "{} is not known to be compact, and a compact snapshot does not replace it",
                    path.display()
                ))
                .because("name the file to make, or another directory with --dest"))
        }
    }
}

/// An import that was interrupted half-way comes first: until it is finished there is no data
/// directory to export. Finishing it needs the lock of the node.
fn finish_interrupted_import(root: &Path, feedback: &mut dyn Feedback) -> Result<()> {
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

/// What stands behind the name of a compact snapshot.
const COMPACT: &str = ".compact";

/// Name of the file until it is finished.
const FINISHED: &str = "snapshot";

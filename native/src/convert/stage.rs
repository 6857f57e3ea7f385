//! Where the data come from: a data directory that no node is using, or a snapshot.

use std::path::{Path, PathBuf};

use rollsnap_core::header;
use rollsnap_core::members::MemberKind;
use rollsnap_core::snapshot::{self, Event};
use rollsnap_core::store::v4::{self, Layout};
use rollsnap_core::tar::{Kind, Member};
use rollsnap_core::{Code, Feedback, Problem, ReadAt, Report, Result};

use super::Options;
use crate::data_dir::lock::or_without;
use crate::data_dir::{DataDir, Listing, Lock, SourceFile, Top};
use crate::dir::Dir;
use crate::dir::space::Known;
use crate::extract::Files;
use crate::files::{FileSet, Part};
use crate::jobs::{self, Stages};
use crate::source;
use crate::swap;

/// How much is copied at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// Refuses an output in the source, and a data directory around it.
pub(super) fn apart(source: &Path, output: &Path, is_data_dir: bool) -> Result<()> {
    let real = |path: &Path| path.canonicalize().ok();
    // An output that is not there yet lies where its nearest parent is.
    let place = std::path::absolute(output).ok();
    let place = place.as_deref().into_iter().flat_map(Path::ancestors).find_map(real);
    let (Some(source), Some(place)) = (real(source).filter(|path| path.is_dir()), place) else {
        return Ok(());
    };
    if place.starts_with(&source) || (is_data_dir && output.exists() && source.starts_with(&place)) {
        return Err(Problem::new(Code::Usage)
            .headline("a data directory is not converted into itself")
            .path(output.display())
            .because("the source is never written to: name another directory"));
    }
    Ok(())
}

/// A source that is open.
pub(super) enum Source {
    /// A data directory.
    DataDir {
        /// Where it is.
        root: PathBuf,
        /// The lock of its node, where there can be a node.
        _lock: Option<SourceLock>,
    },
    /// A snapshot.
    Snapshot(PathBuf),
}

/// The lock of a source, which is to be left as it was.
pub(super) struct SourceLock(Option<Lock>);

impl Drop for SourceLock {
    fn drop(&mut self) {
        // An empty lock file that stays does no harm.
        let _ = self.0.take().map(Lock::discard);
    }
}

impl Source {
    /// Opens a source. A data directory must have an older store, and no node: that is `locked` out.
    pub(super) fn open(path: &Path, locked: bool) -> Result<Self> {
        if !path.is_dir() {
            return Ok(Self::Snapshot(path.into()));
        }
        DataDir::new(path).require()?;
        convertible(&FileSet::Directory(path.into()), path)?;
        swap::require_whole(path)?;
        if !locked {
            return Ok(Self::DataDir { root: path.into(), _lock: None });
        }
        let lock = match Lock::try_node(path) {
            Ok(lock) => Some(SourceLock(Some(lock))),
            // The node of another user may be running there.
            Err(problem) if problem.code() == Code::IoPermission => return Err(or_without(problem)),
            Err(problem) => {
                let how = "or convert a snapshot instead, which can be exported while the node runs";
                return Err(problem.because(how));
            }
        };
        Ok(Self::DataDir { root: path.into(), _lock: lock })
    }

    pub(super) fn is_data_dir(&self) -> bool {
        matches!(self, Self::DataDir { .. })
    }

    /// Brings everything but the store into `dir`, and tells the directory of the store.
    pub(super) fn stage(
        &self,
        dir: &Dir,
        options: &Options,
        stages: &mut Stages,
        feedback: &mut dyn Feedback,
    ) -> Result<(PathBuf, Report)> {
        match self {
            Self::DataDir { root, .. } => {
                options.checksum.refuse_directory(root)?;
                let tops = [Top::Metadata, Top::Context, Top::PreImages];
                let listing = Listing::of(root, &tops, feedback)?;
                listing.say_early(feedback);
                let files = listing.files;
                let total = files.iter().map(|file| file.size).sum();
                options.space.require(dir, Known::Exactly(total), feedback)?;
                stages.begin(jobs::COPYING_DATA, Some(total), feedback);
                copy(root, &files, dir, feedback)?;
                Ok((root.clone(), Report::new()))
            }
            Self::Snapshot(path) => {
                let report = extract(path, dir, options, stages, feedback)?;
                convertible(&FileSet::Directory(dir.path().into()), path)?;
                Ok((dir.path().into(), report))
            }
        }
    }
}

/// The store is one of the versions that are converted.
pub(super) fn convertible(files: &FileSet, shown: &Path) -> Result<()> {
    match v4::layout(files)? {
        Layout::Files(_) => Ok(()),
        Layout::Sqlite => Err(current(shown)),
        Layout::Nothing => Err(Problem::new(Code::StoreMissing).path(shown.display())),
    }
}

fn current(shown: &Path) -> Problem {
    Problem::new(Code::ConvertStore).headline("the store is of version 5 already").path(shown.display())
}

/// Extracts a snapshot that is intact to its last byte, and holds nothing else than it should.
fn extract(
    path: &Path,
    dir: &Dir,
    options: &Options,
    stages: &mut Stages,
    feedback: &mut dyn Feedback,
) -> Result<Report> {
    let mut source = source::Source::open(path, feedback)?.summed(&options.checksum)?;
    let needed = source.content_len();
    options.space.require(dir, needed, feedback)?;
    let mut files = Files::within(dir, options.space)?;
    let phase = stages.next(jobs::EXTRACTING);
    let report = source.inspect(snapshot::Options::default(), phase, feedback, &mut |event| match event {
        Event::Header(header) if header.layout == header::Layout::Unversioned => {
            Err(Problem::new(Code::HeaderUnversioned))
        }
        Event::Member(member) if MemberKind::of(&member.name).is_none() => {
            Err(Problem::new(Code::SnapshotMember).member(&*member.name))
        }
        Event::Member(member) if MemberKind::of(&member.name) == Some(MemberKind::Database) => {
            Err(current(path))
        }
        event => files.follow(&event),
    })?;
    files.finish(feedback)?;
    options.space.compare(needed, report.members.bytes.unwrap_or_default(), feedback);
    Ok(report)
}

/// Copies files, each as long as it was when it was listed.
pub(super) fn copy(
    root: &Path,
    sources: &[SourceFile],
    dir: &Dir,
    feedback: &mut dyn Feedback,
) -> Result<()> {
    let root = Dir::open(root)?;
    let mut files = Files::new(dir)?;
    let mut chunk = vec![0; CHUNK];
    for SourceFile { name, path, size, mode, mtime } in sources {
        let member = Member {
            name: name.clone(),
            size: *size,
            mode: *mode,
            mtime: *mtime,
            kind: Kind::File,
            header_offset: 0,
            data_offset: 0,
        };
        let changed = || {
            let problem = Problem::new(Code::SourceChanged).path(path.display());
            problem.expected(format_args!("{size} bytes"))
        };
        let source = Part::open_in(&root, name)?.ok_or_else(|| changed().found("no such file"))?;
        if source.len() < *size {
            return Err(changed().found(source.len()));
        }
        files.begin(&member)?;
        let mut copied = 0;
        while copied < *size {
            feedback.checkpoint()?;
            let len = usize::try_from(*size - copied).map_or(CHUNK, |left| left.min(CHUNK));
            source.read_at(copied, &mut chunk[..len])?;
            files.data(&chunk[..len])?;
            copied += len as u64;
            feedback.advance(len as u64);
        }
        files.end(&member)?;
    }
    files.finish(feedback)
}

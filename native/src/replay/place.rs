//! Where the parts of what is replayed lie: in a data directory, or in what was unpacked of a snapshot.

use std::path::{Path, PathBuf};

use rollsnap_core::context::path::unhex;
use rollsnap_core::feedback::{Notice, Phase, Silent, Unit};
use rollsnap_core::members::{MemberKind, PvmKind};
use rollsnap_core::snapshot::{Event, Options};
use rollsnap_core::{Code, Feedback, Problem, Result};

use super::PreImages;
use crate::context::{MAX_FILES, too_many_files};
use crate::data_dir::DataDir;
use crate::extract;
use crate::files::FileSet;
use crate::io;
use crate::jobs::{REPLAYING, UNPACKING};
use crate::source::Source;
use crate::workspace::Workspace;

/// Store, metadata, context and pre-images.
#[derive(Debug)]
pub struct Place {
    root: PathBuf,
    /// The data directory whose pre-images count, too.
    beside: Option<PathBuf>,
    /// Length of the file that it was unpacked from, if it was.
    file_bytes: Option<u64>,
    /// The directory that it was unpacked to: gone when this is dropped.
    _unpacked: Option<Workspace>,
}

impl Place {
    /// A data directory, or what was unpacked like one.
    pub fn data_dir(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), beside: None, file_bytes: None, _unpacked: None }
    }

    /// A data directory, or a snapshot, which is unpacked below `temp_dir` or the system's directory for temporary
    /// files.
    ///
    /// # Errors
    /// The codes of a damaged snapshot; [`Code::ContextMissing`]; [`Code::Cancelled`]; any `io.*` code.
    pub fn open(
        target: &Path,
        temp_dir: Option<&Path>,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {
        if io::is_dir(target)? {
            DataDir::new(target).require()?;
            return Ok(Self::data_dir(target));
        }
        let mut source = Source::open(target, feedback)?;
        let made = Workspace::temporary(temp_dir, feedback)?;
        let place = made.parent().path().display().to_string();
        feedback.notice(Notice::TakesSpace(&format!("The snapshot is unpacked to {place}")));
        let mut files = extract::Files::new(made.held())?;
        let (mut has_context, mut count) = (false, 0);
        let report = source.inspect(Options::default(), phase, feedback, &mut |event| match event {
            Event::Member(member) => {
                let Some(kind) = MemberKind::of(&member.name) else { return Ok(()) };
                if let MemberKind::Context(name) = kind {
                    has_context = true;
                    count += usize::from(unhex(name).is_none());
                    if count > MAX_FILES {
                        return Err(too_many_files());
                    }
                }
                files.begin(member)
            }
            event => files.follow(&event),
        })?;
        // Nobody looks at the times of these files.
        files.finish(&mut Silent)?;
        if !has_context {
            return Err(Problem::new(Code::ContextMissing).path(source.name().display()));
        }
        let file_bytes = report.container.compressed_bytes;
        Ok(Self { root: made.dir().into(), beside: None, file_bytes, _unpacked: Some(made) })
    }

    /// The phase in which a snapshot is unpacked, of a job that does nothing else but replay it.
    pub const UNPACKING: Phase = Phase { of: 2, ..Phase::only(UNPACKING.name) };

    /// The phase in which blocks are run, of a job that does nothing else.
    pub const REPLAYING: Phase = Phase { unit: Unit::Blocks, ..Phase::only(REPLAYING.name) };

    /// Where store, metadata and pre-images are.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Pre-images that are missing there are looked for in this data directory, where they will be beside it.
    #[must_use]
    pub fn with_pre_images_of(self, data_dir: impl Into<PathBuf>) -> Self {
        Self { beside: Some(data_dir.into()), ..self }
    }

    /// The pre-images of a kind of PVM.
    pub fn pre_images(&self, kind: PvmKind) -> PreImages {
        let there = PreImages::of(&self.root, kind);
        match &self.beside {
            Some(beside) => there.or_of(beside, kind),
            None => there,
        }
    }

    /// The files of the context.
    pub fn context(&self) -> FileSet {
        FileSet::context_of(&self.root)
    }

    /// Length of the file that it was unpacked from; `None` where it was not.
    pub fn file_bytes(&self) -> Option<u64> {
        self.file_bytes
    }
}

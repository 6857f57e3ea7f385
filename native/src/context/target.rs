//! What the user named: a snapshot, a data directory, or a context alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rollsnap_core::chain::Block;
use rollsnap_core::context::Riscv;
use rollsnap_core::context::path::unhex;
use rollsnap_core::feedback::{Notice, Phase, Silent};
use rollsnap_core::hash::ContextHash;
use rollsnap_core::members::{CONTEXT, MemberKind};
use rollsnap_core::report::Compression;
use rollsnap_core::snapshot::{Event, Options};
use rollsnap_core::store::{Opened, Rows, Store as Bare};
use rollsnap_core::{Code, Feedback, Problem, Result};

use super::moment::{MAX_FILES, too_many_files};
use crate::extract;
use crate::files::{FileSet, Part};
use crate::io;
use crate::size::Size;
use crate::source::Source;
use crate::store::{AnyStore, LevelRequest, open_any};
use crate::workspace::Workspace;

/// A context, and the store that tells its levels.
pub struct Target {
    /// Its files.
    pub files: FileSet,
    /// The store.
    pub levels: Levels,
    /// Length of the file that it was unpacked from, if it was.
    pub file_bytes: Option<u64>,
    /// The directory that it was unpacked to: gone when this is dropped.
    _unpacked: Option<Workspace>,
}

/// The store that tells at which level a commit was made.
pub enum Levels {
    /// That of a node, which may be using it.
    Node(AnyStore),
    /// That of a snapshot.
    Snapshot(Opened<Bare<'static, Part>, Part>),
    /// There is none, or none that can be read: why.
    None(Problem),
}

impl Target {
    /// Opens a snapshot (`-`: standard input), a data directory, or a directory `context/`.
    ///
    /// A compressed snapshot is unpacked below `temp_dir`, or the system's directory for temporary files:
    /// its context and its store. Nothing else is copied.
    ///
    /// # Errors
    /// [`Code::ContextMissing`]; the codes of a damaged snapshot; [`Code::Cancelled`]; any `io.*`
    /// code.
    pub fn open(target: &Path, temp_dir: Option<&Path>, feedback: &mut dyn Feedback) -> Result<Self> {
        if io::is_dir(target)? {
            return Self::of_directory(target);
        }
        let mut source = Source::open(target, feedback)?;
        let header = match source.comes_once() {
            false => Some(source.read_header(feedback)?),
            true => None,
        };
        match header {
            Some((_, report)) if report.container.compression == Some(Compression::None) => {
                Self::in_place(source.again()?, feedback)
            }
            Some(_) => Self::unpacked(source.again()?, temp_dir, true, feedback),
            None => Self::unpacked(source, temp_dir, true, feedback),
        }
    }

    /// The same, of which nothing but the store is wanted: no context is unpacked, or need be there.
    ///
    /// # Errors
    /// As [`Target::open`], but for a context that is missing.
    pub fn open_store(target: &Path, temp_dir: Option<&Path>, feedback: &mut dyn Feedback) -> Result<Self> {
        if io::is_dir(target)? {
            let levels = Levels::known(open_any(target, None).map(Levels::Node))?;
            let files = FileSet::Windows(BTreeMap::new());
            return Ok(Self { files, levels, file_bytes: None, _unpacked: None });
        }
        let mut source = Source::open(target, feedback)?;
        if !source.comes_once() {
            let (_, report) = source.read_header(feedback)?;
            source = source.again()?;
            if report.container.compression == Some(Compression::None) {
                let Windows { store, .. } = Windows::of(source, feedback)?;
                let levels = Levels::of(&FileSet::Windows(store))?;
                let files = FileSet::Windows(BTreeMap::new());
                return Ok(Self { files, levels, file_bytes: None, _unpacked: None });
            }
        }
        Self::unpacked(source, temp_dir, false, feedback)
    }

    fn of_directory(target: &Path) -> Result<Self> {
        let (root, files) = if is_context(target)? {
            // As the nodes name it, so that the store is beside it.
            let named = fs::canonicalize(target).unwrap_or_else(|_| target.into());
            let parent = named.parent().filter(|_| named.file_name().is_some_and(|name| name == CONTEXT));
            (parent.map(Path::to_path_buf), FileSet::Directory(target.into()))
        } else {
            (Some(target.into()), FileSet::context_of(target))
        };
        if !files.is_there()? {
            return Err(Problem::new(Code::ContextMissing).path(target.display()));
        }
        let levels = match root {
            Some(root) => Levels::known(open_any(&root, None).map(Levels::Node))?,
            None => Levels::None(Problem::new(Code::StoreMissing)),
        };
        Ok(Self { files: files.held()?, levels, file_bytes: None, _unpacked: None })
    }

    /// Over the members of an uncompressed snapshot, by the rules that every snapshot is read by.
    fn in_place(source: Source, feedback: &mut dyn Feedback) -> Result<Self> {
        let place = source.name().to_owned();
        let Windows { context, store } = Windows::of(source, feedback)?;
        if context.is_empty() {
            return Err(Problem::new(Code::ContextMissing).path(place.display()));
        }
        let levels = Levels::of(&FileSet::Windows(store))?;
        Ok(Self { files: FileSet::Windows(context), levels, file_bytes: None, _unpacked: None })
    }

    /// A copy of what is wanted of a snapshot: its store, and its context if `with_context`.
    fn unpacked(
        mut source: Source,
        temp_dir: Option<&Path>,
        with_context: bool,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {
        let made = Workspace::temporary(temp_dir, feedback)?;
        let free = rustix::fs::fstatvfs(made.parent()).map(|fs| fs.f_bavail.saturating_mul(fs.f_frsize));
        let free = free.map_or_else(|_| String::new(), |free| format!(", where {} are free", Size(free)));
        let size = source.size().map_or_else(String::new, |size| format!(" ({} compressed)", Size(size)));
        feedback.notice(Notice::TakesSpace(&format!(
            "{} of the snapshot{size} {} unpacked to {}{free}",
            if with_context { "Context and store" } else { "The store" },
            if with_context { "are" } else { "is" },
            made.parent().path().display()
        )));
        let phase = Phase::only(if with_context { "Unpacking context" } else { "Unpacking store" });
        let mut files = extract::Files::new(made.held())?;
        let (mut any, mut files_of_context) = (false, 0);
        let report = source.inspect(Options::default(), phase, feedback, &mut |event| match event {
            Event::Member(member) => {
                let kind = MemberKind::of(&member.name);
                if let Some(MemberKind::Context(name)) = kind.filter(|_| with_context) {
                    any = true;
                    files_of_context += usize::from(unhex(name).is_none());
                    if files_of_context > MAX_FILES {
                        return Err(too_many_files());
                    }
                    return files.begin(member);
                }
                if kind.is_some_and(gives_levels) { files.begin(member) } else { Ok(()) }
            }
            event => files.follow(&event),
        })?;
        // Nobody looks at the times of these files.
        files.finish(&mut Silent)?;
        if with_context && !any {
            return Err(Problem::new(Code::ContextMissing).path(source.name().display()));
        }
        Ok(Self {
            files: match with_context {
                true => FileSet::context_of(made.dir()).held()?,
                false => FileSet::Windows(BTreeMap::new()),
            },
            levels: Levels::of(&FileSet::Directory(made.dir().into()))?,
            file_bytes: report.container.compressed_bytes,
            _unpacked: Some(made),
        })
    }
}

/// The members of an uncompressed snapshot, where they lie in its file.
pub(crate) struct Windows {
    /// Those of the context, by their names below `context/`.
    pub(crate) context: BTreeMap<String, Part>,
    /// Store and metadata.
    pub(crate) store: BTreeMap<String, Part>,
}

impl Windows {
    /// Goes through the member headers, by the rules that every snapshot is read by.
    ///
    /// # Errors
    /// The codes of a damaged snapshot; [`Code::Cancelled`]; any `io.*` code.
    pub(crate) fn of(mut source: Source, feedback: &mut dyn Feedback) -> Result<Self> {
        let place = source.name().to_owned();
        let cut = || Problem::new(Code::TarTruncated).path(place.display());
        let whole = source.part().ok_or_else(cut)?;
        let (mut context, mut store) = (BTreeMap::new(), BTreeMap::new());
        let phase = Phase::only("Reading member headers");
        let report = source.list(Options::default(), phase, feedback, &mut |event| {
            let member = match event {
                Event::Member(member) => member,
                Event::Problem(problem) => return Err(problem.clone()),
                _ => return Ok(()),
            };
            let window = || whole.window(member.data_offset, member.size).ok_or_else(cut);
            match MemberKind::of(&member.name) {
                Some(MemberKind::Context(name)) => {
                    context.insert(name.to_owned(), window()?);
                }
                Some(kind) if gives_levels(kind) => {
                    store.insert(member.name.clone(), window()?);
                }
                _ => {}
            }
            Ok(())
        })?;
        report.ok_or_else(cut)?;
        Ok(Self { context, store })
    }
}

/// Whether a directory is a context alone, and not the data directory around one.
///
/// # Errors
/// Any `io.*` code.
pub fn is_context(directory: &Path) -> Result<bool> {
    let control = directory.join("store.control");
    Ok(control.try_exists().map_err(|err| io::problem("look at", &control, err))?
        || io::is_dir(&directory.join("index"))?
        || Riscv::recognise(&FileSet::Directory(directory.into()))?)
}

impl Levels {
    fn of(files: &FileSet) -> Result<Self> {
        Self::known(Opened::open(files).map(Self::Snapshot))
    }

    /// A store that is missing or damaged tells no levels; one that could not be read is not taken for such a one.
    fn known(opened: Result<Self>) -> Result<Self> {
        match opened {
            Err(problem) if problem.code().is_about_contents() => Ok(Self::None(problem)),
            opened => opened,
        }
    }

    /// The newest block; `None` when no store tells.
    ///
    /// # Errors
    /// As [`Rows::head`].
    pub fn head(&self) -> Result<Option<Block>> {
        match self {
            Self::Node(store) => store.head().map(Some),
            Self::Snapshot(store) => store.head().map(Some),
            Self::None(_) => Ok(None),
        }
    }

    /// Gives each level that has a commit, and that, to `each`.
    ///
    /// # Errors
    /// As [`Rows::contexts`].
    pub fn contexts(&self, each: &mut dyn FnMut(i32, ContextHash)) -> Result<()> {
        match self {
            Self::Node(store) => store.contexts(each),
            Self::Snapshot(store) => store.contexts(each),
            Self::None(_) => Ok(()),
        }
    }

    /// The block at a level.
    ///
    /// # Errors
    /// [`Code::LevelUnavailable`] when there is none, and why the store cannot be read.
    pub fn block(&self, request: LevelRequest) -> Result<Block> {
        match self {
            Self::Node(store) => block(store, request),
            Self::Snapshot(store) => block(store, request),
            Self::None(problem) => Err(Problem::new(Code::LevelUnavailable)
                .headline("there is no store that tells which commit a level has")
                .because(problem.sentence())),
        }
    }
}

fn block(store: &impl Rows, request: LevelRequest) -> Result<Block> {
    let state = store.state()?;
    let level = match request {
        LevelRequest::Head => return store.head(),
        LevelRequest::Finalized => state.finalized.map(|mark| mark.level),
        LevelRequest::Cemented => state.lcc.map(|mark| mark.level),
        LevelRequest::Level(level) => Some(level),
    };
    let block = level.map(|level| store.block_at(level)).transpose()?.flatten();
    block.ok_or_else(|| {
        Problem::new(Code::LevelUnavailable).headline(format!("the store has no block at level {request}"))
    })
}

/// Whether the levels are read from it: the store, and the metadata, which say where its rollup begins.
fn gives_levels(kind: MemberKind<'_>) -> bool {
    kind == MemberKind::Metadata || kind.is_of_store()
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("files", &self.files).finish_non_exhaustive()
    }
}

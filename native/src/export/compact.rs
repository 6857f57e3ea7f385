//! The context of a compact snapshot: that of the first available block, alone.
//!
//! Under the lock it is only captured: the commit is looked up, the small files are read, the
//! large ones opened. Open files stay what they are, whatever a garbage collection does to their
//! names; so all the rest comes after the lock is released.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rollsnap_core::context::path::hex;
use rollsnap_core::context::verify::{Immediate, Memory, Stream};
use rollsnap_core::context::write::{SingleCommit, Sink, riscv};
use rollsnap_core::context::{Commit, Context};
use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::hash::{ContextHash, StateHash};
use rollsnap_core::report::Check;
use rollsnap_core::{Code, Feedback, Files, Place, Problem, ReadAt, Result};

use crate::contexts::Contexts;
use crate::data_dir::{PvmKind, SourceFile};
use crate::directory::Directory;
use crate::io;
use crate::jobs::Phases;
use crate::store::Block;

/// How often the files of a context may vanish while it is opened, before it counts as damaged: a
/// garbage collection replaces them all at once.
const ATTEMPTS: u32 = 5;

/// How much is read at once, in bytes.
const CHUNK: usize = 256 << 10;

/// How many phases [`Captured::write`] has.
pub(super) fn phases(kind: PvmKind, check: bool) -> u32 {
    if kind == PvmKind::Riscv { 1 } else { 2 + u32::from(check) }
}

/// The context of a block, as it was under the lock.
pub(super) struct Captured {
    directory: Directory,
    what: What,
    /// What the new files get, so that equal data make equal bytes.
    mode: u32,
    mtime: u64,
}

enum What {
    Irmin(Box<Context<Directory>>, Commit),
    Riscv(ContextHash),
}

/// What goes into the snapshot.
pub(super) struct Written {
    /// The files, under the names that they have in the snapshot.
    pub(super) files: Vec<SourceFile>,
    /// The one commit.
    pub(super) contexts: Contexts,
    /// What there is to say about it.
    pub(super) remarks: Vec<Check>,
}

impl Captured {
    /// Looks for the context of `block` in the data directory `root`.
    pub(super) fn new(root: &Path, block: &Block, kind: PvmKind) -> Result<Self> {
        let directory = Directory::new(root.join("context"));
        let level = Place::Level(block.level);
        let hash = block.context.ok_or_else(|| Problem::new(Code::ChainContext).at(level))?;
        let (what, named) = if kind == PvmKind::Riscv {
            (What::Riscv(hash), hex(hash.as_bytes()))
        } else {
            let context = open(&directory)?;
            let commit = context.checkout(&hash).map_err(|problem| unknown(&hash, problem))?;
            (What::Irmin(Box::new(context), commit), "store.control".to_owned())
        };
        let path = directory.path().join(named);
        let metadata =
            fs::metadata(&path).map_err(|err| unknown(&hash, io::problem("look at", &path, err)))?;
        let mtime = u64::try_from(metadata.mtime()).unwrap_or_default();
        Ok(Self { directory, what, mode: metadata.mode() & 0o777, mtime })
    }

    /// Writes the new context into the directory `work`, and reads it again if it is to be checked.
    pub(super) fn write(
        &self,
        work: &Path,
        check: bool,
        phases: &mut Phases,
        feedback: &mut dyn Feedback,
    ) -> Result<Written> {
        let root = work.join("context");
        let mut files = NewFiles::new(&root);
        let mut remarks = Vec::new();
        let (hash, state, names) = match &self.what {
            What::Irmin(context, commit) => {
                remarks.extend(dual(context, commit)?);
                let copy = SingleCommit::of(context, commit, phases.next("Reading context"), feedback)?;
                copy.write(&mut files, phases.next("Copying context"), feedback)?;
                let names = files.finish()?;
                let state = if check {
                    let phase = phases.next("Checking context");
                    let (state, good) = verify(&root, &names, &commit.hash, phase, feedback)?;
                    remarks.push(good);
                    state
                } else {
                    None
                };
                (commit.hash, state, names)
            }
            What::Riscv(hash) => {
                riscv::copy(&self.directory, hash, &mut files, phases.next("Copying context"), feedback)
                    .map_err(|problem| unknown(hash, problem))?;
                (*hash, None, files.finish()?)
            }
        };
        let contexts = Contexts::default().read([(hash, state)]);
        let files = names.into_iter().map(|name| self.source(&root, name)).collect::<Result<_>>()?;
        Ok(Written { files, contexts, remarks })
    }

    fn source(&self, root: &Path, name: String) -> Result<SourceFile> {
        let path = root.join(&name);
        let size = fs::metadata(&path).map_err(|err| io::problem("look at", &path, err))?.len();
        Ok(SourceFile { name: format!("context/{name}"), path, size, mode: self.mode, mtime: self.mtime })
    }
}

/// Whether the state has a second half, which no snapshot can vouch for.
pub(super) fn second_half(root: &Path) -> Result<Option<Check>> {
    let there = !Directory::new(root.join("context")).names("nds")?.is_empty();
    Ok(there.then(|| not_covered("a directory context/nds")))
}

fn dual(context: &Context<Directory>, commit: &Commit) -> Result<Option<Check>> {
    let found = match context.files().names("nds")?.is_empty() {
        false => Some("a directory context/nds"),
        true if context.tree(commit)?.is_dual()? => Some("its marker pvm/nds_hash in the state"),
        true => None,
    };
    Ok(found.map(not_covered))
}

fn not_covered(found: &str) -> Check {
    Check::open(&Problem::new(Code::ContextDual).found(found))
}

/// Opens a context that a node may collect at any moment.
fn open(directory: &Directory) -> Result<Context<Directory>> {
    let mut attempt = 1;
    loop {
        match Context::open(directory.clone()) {
            Err(problem) if problem.code() == Code::ContextFile && attempt < ATTEMPTS => attempt += 1,
            other => return other,
        }
    }
}

/// Says in the words of the nodes that there is no such commit, if that is what is wrong.
fn unknown(hash: &ContextHash, problem: Problem) -> Problem {
    if !matches!(problem.code(), Code::ContextCommit | Code::IoNotFound) {
        return problem;
    }
    let text = format!("Cannot export context snapshot: unknown context hash {hash}");
    Problem::new(Code::ContextCommit).headline(text).because(problem)
}

/// Reads the finished context as anybody would: every object has its hash, and there is one commit. The
/// hash of its PVM state.
fn verify(
    root: &Path,
    names: &[String],
    commit: &ContextHash,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<(Option<StateHash>, Check)> {
    let directory = Directory::new(root);
    let context = Context::open(directory.clone())?;
    let (layout, dict) = (context.layout().clone(), context.dict().clone());
    let mut stream = Stream::with(Immediate, Memory::default(), layout, dict);
    let mut opened = Vec::new();
    for name in names {
        let missing = || Problem::new(Code::ExportCheck).member(format!("context/{name}"));
        opened.push((name, directory.open(name)?.ok_or_else(missing)?));
    }
    let total = opened.iter().map(|(_, file)| file.len()).sum();
    feedback.phase(Phase { total: Some(total), unit: Unit::Bytes, ..phase });
    let mut chunk = vec![0; CHUNK];
    for (name, file) in opened {
        stream.begin(name, file.len());
        let mut at = 0;
        while at < file.len() {
            feedback.checkpoint()?;
            let len = usize::try_from(file.len() - at).map_or(CHUNK, |left| left.min(CHUNK));
            file.read_at(at, &mut chunk[..len])?;
            stream.data(&chunk[..len])?;
            at += len as u64;
            feedback.advance(len as u64);
        }
        stream.end();
    }
    let outcome = stream.finish(feedback)?;
    crate::verify::refuse(outcome.failures)?;
    crate::verify::refuse(outcome.unchecked)?;
    match outcome.commits[..] {
        [only] if only.hash == *commit => {
            let objects = outcome.totals.all().objects;
            let text = format!("{objects} objects of the context have their hashes");
            Ok((only.state, Check::yes(Code::ContextHash, text)))
        }
        _ => Err(Problem::new(Code::ExportCheck)
            .expected(format_args!("one context, {commit}"))
            .found(outcome.commits.len())),
    }
}

/// Files below a directory that is made for them. Nothing there survives a crash, so nothing is synced.
struct NewFiles {
    root: PathBuf,
    names: Vec<String>,
    open: Option<(PathBuf, BufWriter<File>)>,
}

impl NewFiles {
    fn new(root: &Path) -> Self {
        Self { root: root.into(), names: Vec::new(), open: None }
    }

    /// The names of the files.
    fn finish(mut self) -> Result<Vec<String>> {
        self.complete()?;
        Ok(self.names)
    }

    fn complete(&mut self) -> Result<()> {
        match self.open.take() {
            Some((path, mut file)) => file.flush().map_err(|err| io::problem("write", &path, err)),
            None => Ok(()),
        }
    }
}

impl Sink for NewFiles {
    fn create(&mut self, name: &str) -> Result<()> {
        self.complete()?;
        let path = self.root.join(name);
        let parent = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent).map_err(|err| io::problem("create the directory", parent, err))?;
        let file = File::create_new(&path).map_err(|err| io::problem("create", &path, err))?;
        self.names.push(name.to_owned());
        self.open = Some((path, BufWriter::new(file)));
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.open {
            Some((path, file)) => file.write_all(bytes).map_err(|err| io::problem("write", path, err)),
            None => Ok(()),
        }
    }
}

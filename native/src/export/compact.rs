//! The context of a compact snapshot: that of the first available block, alone.
//!
//! It is copied from what was captured under the lock, whatever a garbage collection does meanwhile.

use std::path::Path;

use rollsnap_core::context::path::hex;
use rollsnap_core::context::verify::Audited;
use rollsnap_core::context::write::{SingleCommit, Sink, riscv};
use rollsnap_core::context::{Commit, Context, second_half};
use rollsnap_core::feedback::Phase;
use rollsnap_core::hash::ContextHash;
use rollsnap_core::members::{CONTEXT, PvmKind, in_context};
use rollsnap_core::report::{Check, Status};
use rollsnap_core::{Code, Feedback, Files, Place, Problem, ReadAt, Result};

use crate::context::Moment;
use crate::contexts::Contexts;
use crate::data_dir::SourceFile;
use crate::dir::{Dir, Tree};
use crate::files::Part;
use crate::jobs::{self, Stage, Stages};
use crate::scratch::Spilling;
use crate::store::Block;
use crate::verify::{ContextScope, Reading};

/// The stages of [`One::write`].
pub(super) fn stages(kind: PvmKind, check: bool) -> &'static [Stage] {
    const STAGES: &[Stage] = &[jobs::READING_CONTEXT, jobs::COPYING_CONTEXT, jobs::WHOLE_CONTEXT];
    match (kind, check) {
        (PvmKind::Riscv, _) => &STAGES[1..2],
        (_, true) => STAGES,
        (_, false) => &STAGES[..2],
    }
}

/// The context of a block, as it was under the lock.
pub(super) struct One<'a> {
    files: &'a Moment,
    what: What,
    /// What the new files get, so that equal data make equal bytes.
    mode: u32,
    mtime: u64,
}

enum What {
    Irmin(Commit),
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

impl<'a> One<'a> {
    /// Looks for the context of `block`.
    pub(super) fn of(
        files: &'a Moment,
        block: &Block,
        kind: PvmKind,
        feedback: &dyn Feedback,
    ) -> Result<Self> {
        let level = Place::Level(block.level);
        let hash = block.context.ok_or_else(|| Problem::new(Code::ChainContext).at(level))?;
        let (what, named) = if kind == PvmKind::Riscv {
            (What::Riscv(hash), hex(hash.as_bytes()))
        } else {
            let context = Context::open(files)?;
            let commit = context.checkout(&hash, feedback).map_err(|problem| unknown(&hash, problem))?;
            if context.tree(&commit)?.is_dual()? {
                return Err(Problem::new(Code::ExportNds).found("its marker pvm/nds_hash in the state"));
            }
            (What::Irmin(commit), "store.control".to_owned())
        };
        let missing = || Problem::new(Code::IoNotFound).path(in_context(&named));
        let held = files.open(&named)?.ok_or_else(missing).map_err(|err| unknown(&hash, err))?;
        Ok(Self { files, what, mode: held.mode, mtime: held.mtime })
    }

    /// Writes the new context into the directory `work`, and reads it again if it is to be checked.
    pub(super) fn write(
        &self,
        work: &Dir,
        check: bool,
        stages: &mut Stages,
        feedback: &mut dyn Feedback,
    ) -> Result<Written> {
        let root = work.place(CONTEXT);
        let mut files = NewFiles::below(work);
        let mut remarks = Vec::new();
        let mut contexts = Contexts::default();
        let names = match &self.what {
            What::Irmin(commit) => {
                let context = Context::open(self.files)?;
                let mut spilling = Spilling::within(feedback, Some(work.path()));
                let phase = stages.next(jobs::READING_CONTEXT);
                let copy = SingleCommit::of(&context, commit, phase, &mut spilling)?;
                copy.write(&mut files, stages.next(jobs::COPYING_CONTEXT), feedback)?;
                let names = files.finish()?;
                if check {
                    let phase = stages.next(jobs::WHOLE_CONTEXT);
                    let audited = verify(&root, &commit.hash, work.path(), phase, feedback)?;
                    remarks.extend(audited.evidence.checks);
                    contexts = audited.contexts;
                }
                names
            }
            What::Riscv(hash) => {
                riscv::copy(&self.files, hash, &mut files, stages.next(jobs::COPYING_CONTEXT), feedback)
                    .map_err(|problem| unknown(hash, problem))?;
                // Its state is for the PVM to tell.
                contexts.begin(&hex(hash.as_bytes()));
                contexts = contexts.complete();
                files.finish()?
            }
        };
        let files = names.into_iter().map(|name| self.source(work, name)).collect::<Result<_>>()?;
        Ok(Written { files, contexts, remarks })
    }

    fn source(&self, work: &Dir, name: String) -> Result<SourceFile> {
        let path = work.place(&name);
        let missing = || Problem::new(Code::ExportCheck).path(path.display()).found("no such file");
        let size = Part::open_in(work, &name)?.ok_or_else(missing)?.len();
        Ok(SourceFile { name, path, size, mode: self.mode, mtime: self.mtime })
    }
}

/// The second half of a state, which a full snapshot takes as it is, unread.
pub(super) fn unread_half(context: &Moment) -> Result<Option<Check>> {
    let unread = |found| Check::open(&Problem::new(Code::ContextDual).found(found));
    Ok(second_half(&context)?.map(unread))
}

/// Refuses what no compact snapshot holds all of.
///
/// # Errors
/// [`Code::ExportNds`].
pub(super) fn one_half(context: &impl Files) -> Result<()> {
    match second_half(context)? {
        Some(found) => Err(Problem::new(Code::ExportNds).found(found)),
        None => Ok(()),
    }
}

/// Says in the words of the nodes that there is no such commit, if that is what is wrong.
fn unknown(hash: &ContextHash, problem: Problem) -> Problem {
    if !matches!(problem.code(), Code::ContextCommit | Code::IoNotFound) {
        return problem;
    }
    let text = format!("Cannot export context snapshot: unknown context hash {hash}");
    Problem::new(Code::ContextCommit).headline(text).because(problem.sentence())
}

/// Reads the finished context as anybody would: every object has its hash, and there is one commit.
fn verify(
    root: &Path,
    commit: &ContextHash,
    place: &Path,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<Audited> {
    let reading = Reading { scope: ContextScope::All, head: None, temp_dir: Some(place) };
    let audited = crate::verify::unhindered(reading.directory(root, phase, feedback)?)?;
    audited.evidence.clone().refuse()?;
    let open = audited.evidence.checks.iter().find(|check| check.status == Status::Unknown);
    if let Some(check) = open {
        return Err(Problem::new(Code::ExportCheck).because(&check.text));
    }
    if audited.contexts.len() != 1 || !audited.contexts.contains(commit) {
        return Err(Problem::new(Code::ExportCheck)
            .expected(format_args!("one context, {commit}"))
            .found(audited.contexts.len()));
    }
    Ok(audited)
}

/// Files below a directory `context` that is made for them. Nothing there survives a crash, so nothing is synced.
struct NewFiles {
    tree: Tree,
    names: Vec<String>,
}

impl NewFiles {
    fn below(work: &Dir) -> Self {
        Self { tree: Tree::below(work), names: Vec::new() }
    }

    /// The names of the files, as they are in the snapshot.
    fn finish(mut self) -> Result<Vec<String>> {
        self.tree.complete(None)?;
        Ok(self.names)
    }
}

impl Sink for NewFiles {
    fn create(&mut self, name: &str) -> Result<()> {
        self.tree.complete(None)?;
        let name = in_context(name);
        self.tree.create(name.clone(), 0o600, 0)?;
        self.names.push(name);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.tree.write(bytes)
    }
}

//! The check of a snapshot that comes as bytes alone, for browsers: what is kept of it is kept in memory, or in
//! temporary space.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::checker::{Checked, Findings, MemberStore, SnapshotChecker};
use super::memory_files::MemoryFiles;
use super::opened::Opened;
use super::retained::RetainedStore;
use super::rows::Rows;
use super::{Genesis, MAX_METADATA, Metadata, Subject, cut_store};
use crate::allowance::Allowance;
use crate::code::Code;
use crate::context::Beginning;
use crate::context::stats::DEPTH;
use crate::context::verify::{Audit, Immediate, Memory};
use crate::feedback::{Feedback, OfFile, Phase, Unit};
use crate::hash::ContextHash;
use crate::members::{METADATA, MemberKind};
use crate::problem::{Problem, Result};
use crate::report::{Check, ContextStats, Evidence, HeadStats, Report, Verdict};
use crate::scratch::Scratch;
use crate::snapshot::Event;
use crate::tar::Member;

/// Largest store that is kept in memory unless told otherwise, in bytes: 512 MiB.
pub const DEFAULT_MAX_STORE: u64 = 512 << 20;

/// Largest context, in bytes, that is kept in memory: 64 MiB.
const MAX_CONTEXT: u64 = 64 << 20;

/// Largest context, in bytes, whose head is described: 1 GiB. It takes some microseconds for each object.
const MAX_DESCRIBED: u64 = 1 << 30;

/// Memory that is taken beside temporary space unless told otherwise, in bytes: 64 MiB.
pub const DEFAULT_MEMORY: u64 = 64 << 20;

/// What stands where the name of a data directory would: the bytes that come have none.
const SHOWN: &str = "snapshot";

/// A [`SnapshotChecker`] for snapshots that come as bytes alone: completes the report of an
/// [`Inspector`](crate::snapshot::Inspector) by *Consistent*. Memory: the store, up to a bound, the context up to
/// another, and 8 bytes for each commit of it; with [temporary space](MemoryChecker::with_space) as much as is said and those
/// 8 bytes.
pub type MemoryChecker = SnapshotChecker<InMemory, Immediate, Memory>;

/// Metadata, store and context, in memory or in temporary space.
#[derive(Debug)]
pub struct InMemory {
    metadata: Option<Vec<u8>>,
    store: MemoryFiles,
    context: MemoryFiles,
    open: Open,
    /// Why nothing more is checked of what comes.
    hindered: Option<Problem>,
}

/// Where the content of the member goes that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Metadata,
    Store,
    Context,
    Nowhere,
}

impl MemberStore for InMemory {
    fn begin(&mut self, kind: MemberKind<'_>, member: &Member) -> Result<()> {
        let Member { name, size, data_offset, .. } = member;
        self.open = match kind {
            MemberKind::Metadata => {
                self.metadata.get_or_insert_default();
                Open::Metadata
            }
            // Not read, but it must be there.
            MemberKind::IrminStore => {
                self.store.begin(name, 0, *data_offset);
                self.store.end();
                Open::Nowhere
            }
            MemberKind::Database | MemberKind::Version | MemberKind::Storage => {
                self.store.begin(name, *size, *data_offset);
                Open::Store
            }
            MemberKind::Context(name) => {
                self.context.begin(name, *size, *data_offset);
                Open::Context
            }
            MemberKind::PreImage(..) => Open::Nowhere,
        };
        Ok(())
    }

    fn data(&mut self, data: &[u8]) -> Result<()> {
        match self.open {
            Open::Metadata => {
                // What is too long is no file of a node; one byte more than the bound is enough to say so.
                let most = usize::try_from(MAX_METADATA).unwrap_or(usize::MAX).saturating_add(1);
                let metadata = self.metadata.get_or_insert_default();
                let room = most.saturating_sub(metadata.len());
                metadata.extend_from_slice(data.get(..room).unwrap_or(data));
            }
            Open::Store => self.store.data(data),
            Open::Context => self.context.data(data),
            Open::Nowhere => {}
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        match core::mem::replace(&mut self.open, Open::Nowhere) {
            Open::Store => self.store.end(),
            Open::Context => self.context.end(),
            Open::Metadata | Open::Nowhere => {}
        }
        Ok(())
    }

    fn read(&mut self, bytes: u64) {
        self.store.read(bytes);
        self.context.read(bytes);
    }

    fn give_up_context(&mut self) {
        self.context.give_up();
    }
}

impl MemoryChecker {
    /// The phase in which a report is completed, for jobs that have no other.
    pub const PHASE: Phase = Phase { index: 2, of: 2, unit: Unit::Blocks, ..Phase::only("Checking chain") };

    /// Waits for the first member. A store of more than `max_store` bytes is not kept.
    pub fn in_memory(max_store: u64) -> Self {
        let audit = Audit::new(Immediate, Memory::default());
        Self::of(MemoryFiles::new(max_store), MemoryFiles::new(MAX_CONTEXT), audit)
    }

    /// The same in about `memory` bytes of memory; the rest goes to temporary space, of which `space` gives a new one
    /// each time. A store of more than `max_store` bytes is not kept.
    pub fn with_space(max_store: u64, memory: u64, mut space: impl FnMut() -> Box<dyn Scratch>) -> Self {
        let near = memory / 8;
        let spool = Memory::new(usize::try_from(near).unwrap_or(usize::MAX)).spilling(Some(space()));
        let allowance = Allowance::default().with_table(memory / 2);
        let audit = Audit::new(Immediate, spool).within(allowance).spilling(space());
        let store = MemoryFiles::new(max_store).spilling(space(), near);
        Self::of(store, MemoryFiles::new(u64::MAX).spilling(space(), near), audit)
    }

    /// The snapshot is not compressed, and can be read at any offset: store and context are not kept, but read where they
    /// stand. To be said before the first member.
    #[must_use]
    pub fn in_place(mut self, mut source: impl FnMut() -> Box<dyn Scratch>) -> Self {
        self.members.store = MemoryFiles::new(u64::MAX).in_place(source());
        self.members.context = MemoryFiles::new(u64::MAX).in_place(source());
        self
    }

    fn of(store: MemoryFiles, context: MemoryFiles, audit: Audit<Immediate, Memory>) -> Self {
        let members = InMemory { metadata: None, store, context, open: Open::Nowhere, hindered: None };
        Self::new(members, audit)
    }

    /// As [`SnapshotChecker::on_event`]. What there is no memory or no space for is part of the evidence.
    pub fn take(&mut self, event: &Event<'_>) {
        if self.members.hindered.is_none()
            && let Err(problem) = self.on_event(event)
        {
            self.members.hindered = Some(problem);
        }
    }

    /// Checks what was kept and completes the report: checks, and the verdict *Consistent*. Leaves
    /// the store for questions that come later.
    ///
    /// # Errors
    /// [`Code::Cancelled`].
    pub fn complete(
        mut self,
        report: &mut Report,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<RetainedStore> {
        let InMemory { store, context, .. } = &mut self.members;
        let [store, context] = [store, context].map(|files| core::mem::replace(files, MemoryFiles::new(0)));
        let mut held = RetainedStore::new(store, context);
        let feedback = &mut OfFile::new(feedback, report.container.compressed_bytes);
        held.genesis = match self.conclude(&held, report, phase, feedback) {
            Err(problem) if problem.code() != Code::Cancelled => unread(&problem, report),
            concluded => concluded?,
        };
        Ok(held)
    }

    fn conclude(
        self,
        held: &RetainedStore,
        report: &mut Report,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<Genesis> {
        if let Some(problem) = &self.members.hindered {
            return Ok(unread(problem, report));
        }
        let whole = report.verdicts.intact == Verdict::Yes;
        if !whole && !self.came().everything(report) {
            report.add(cut_store());
            return Ok(Genesis::unknown("the store did not come whole"));
        }
        let Checked { members, findings, beginning, .. } =
            self.finish(Phase { name: "Checking context", ..phase }, feedback)?;
        let Findings { audited, .. } = &findings;
        report.context = audited.totals.as_ref().map(ContextStats::from);
        if let Some(check) = held.too_large() {
            let Findings { audited, .. } = findings;
            let mut evidence = audited.evidence;
            evidence.merge(Evidence::from(check));
            evidence.conclude(report, false);
            return Ok(Genesis::unknown("the store was not kept"));
        }
        let header = report.header;
        let mut store = held.store();
        let metadata = members.metadata.as_ref().map(|metadata| Metadata::parse(metadata));
        let metadata = metadata.transpose().map_err(|problem| problem.path(METADATA));
        let known = metadata.as_ref().ok().copied().flatten();
        let states = |commit: &ContextHash| Beginning::pvm_state(&beginning, audited.first, commit);
        let subject = Subject {
            metadata,
            store: store.as_mut().map_err(|problem| problem.clone()),
            shown: SHOWN,
            header: header.as_ref(),
            contexts: Some(&audited.contexts),
            states: Some(&states),
            old_lists: false,
        };
        let checked = Opened::check(subject, phase, feedback)?;
        report.store = store.as_ref().ok().map(Opened::info);
        let genesis = match &store {
            Ok(store) => Genesis::find(known.as_ref(), store, Some(&audited.contexts), Some(&states)),
            Err(_) => Genesis::unknown("there is no store that can be read"),
        };
        if let (Ok(store), Some(stats), true) =
            (&store, &mut report.context, audited.evidence.problems.is_empty())
            && let Some(commit) = store.head().ok().and_then(|head| head.context)
        {
            match head(held, &commit, feedback) {
                Ok(head) => stats.head = head,
                Err(problem) if problem.code() == Code::Cancelled => return Err(problem),
                // Of a compact snapshot, for instance: the checks say what is missing.
                Err(_) => {}
            }
        }
        findings.with(checked).conclude(report, whole);
        Ok(genesis)
    }
}

/// What is said where half of a snapshot was looked at: nothing of the other half, nor of what belongs to both.
fn unread(problem: &Problem, report: &mut Report) -> Genesis {
    report.add(Check::open(problem));
    Genesis::unknown("the snapshot was not looked at to its end")
}

/// What a commit consists of, if the files of its context were kept.
///
/// # Errors
/// When the commit cannot be read, and [`Code::Cancelled`].
fn head(
    held: &RetainedStore,
    commit: &ContextHash,
    feedback: &mut dyn Feedback,
) -> Result<Option<HeadStats>> {
    if held.context_bytes() > MAX_DESCRIBED {
        return Ok(None);
    }
    let context = held.context()?;
    let commit = context.checkout(commit, feedback)?;
    context.stat(&commit, DEPTH, feedback).map(|stat| Some(stat.into()))
}

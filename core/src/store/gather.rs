//! What a pass over a snapshot keeps for later: metadata, store, names of contexts; and what it
//! checks on the way: pre-images.

use alloc::vec::Vec;

use super::held::Held;
use super::opened::Opened;
use super::rows::Rows;
use super::shelf::Shelf;
use super::{Genesis, MAX_METADATA, Metadata, PreImages, STORE, Subject, cut_store, settle};
use crate::code::Code;
use crate::context::stats::DEPTH;
use crate::context::verify::{Audit, Immediate, Memory};
use crate::context::{Beginning, Context};
use crate::feedback::{Feedback, OfFile, Phase, Unit};
use crate::hash::ContextHash;
use crate::problem::{Problem, Result};
use crate::report::{ContextStats, HeadStats, MAX_CHECKS, Report, Verdict};
use crate::snapshot::Event;
use crate::tar::{self, Member};

/// Largest store that [`Gather`] keeps in memory unless told otherwise, in bytes: 512 MiB.
pub const DEFAULT_MAX_STORE: u64 = 512 << 20;

/// Largest context whose files are kept to tell what its head consists of, in bytes: 64 MiB.
const MAX_CONTEXT: u64 = 64 << 20;

/// What stands where the name of a data directory would: the bytes that come have none.
const SHOWN: &str = "snapshot";

/// What the names of the files of the context begin with.
const CONTEXT: &str = "context/";

/// What those of a store in files begin with.
const STORAGE: &str = "storage/";

/// Below it no file is read, but must be there.
const IRMIN_STORE: &str = "storage/irmin_store/";

/// Hears the events of an [`Inspector`](crate::snapshot::Inspector) and completes its report by
/// *Consistent*. Memory: the store, up to a bound, and 8 bytes for each commit of the context.
#[derive(Debug)]
pub struct Gather {
    metadata: Kept,
    store: Shelf,
    /// Whether `store.sqlite` came whole.
    has_database: bool,
    audit: Audit<Immediate, Memory>,
    beginning: Beginning,
    context: Shelf,
    pre_images: PreImages,
    problems: Vec<Problem>,
    open: Open,
}

/// A small file.
#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    seen: bool,
    complete: bool,
}

/// Where the content of the member goes that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Metadata,
    Store,
    Context,
    /// It is a pre-image, or nothing that counts.
    Other,
}

impl Gather {
    /// Waits for the first member. A store of more than `max_store` bytes is not kept.
    pub fn new(max_store: u64) -> Self {
        Self {
            metadata: Kept::default(),
            store: Shelf::new(max_store),
            has_database: false,
            audit: Audit::new(Immediate, Memory::default()),
            beginning: Beginning::default(),
            context: Shelf::new(MAX_CONTEXT),
            pre_images: PreImages::default(),
            problems: Vec::new(),
            open: Open::Other,
        }
    }

    /// Takes what the inspector tells.
    pub fn hear(&mut self, event: &Event<'_>) {
        match event {
            Event::Member(member) => self.begin(member),
            Event::Data(data) => self.data(data),
            Event::MemberEnd { member, .. } => self.end(member),
            Event::Read(bytes) => {
                self.audit.read(*bytes);
                self.store.read(*bytes);
                self.context.read(*bytes);
            }
            _ => {}
        }
    }

    /// Checks what was kept and completes the report: checks, and the verdict *Consistent*. Leaves
    /// the store for questions that come later.
    ///
    /// # Errors
    /// [`Code::Cancelled`].
    pub fn judge(mut self, report: &mut Report, phase: Phase, feedback: &mut dyn Feedback) -> Result<Held> {
        let mut held = Held::new(core::mem::replace(&mut self.store, Shelf::new(0)));
        let feedback = &mut OfFile::new(feedback, report.container.compressed_bytes);
        held.genesis = self.settle(&held, report, phase, feedback)?;
        Ok(held)
    }

    fn settle(
        self,
        held: &Held,
        report: &mut Report,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<Genesis> {
        let whole = report.verdicts.intact == Verdict::Yes;
        // Which files a store in files has, only the end of the archive tells.
        let has_store = self.has_database || report.members.complete;
        let has_everything = self.metadata.complete && has_store;
        if !whole && !has_everything {
            report.add(cut_store());
            return Ok(Genesis::unknown("the store did not come whole"));
        }
        let total = Some(self.audit.put_off());
        feedback.phase(Phase { name: "Checking context", total, unit: Unit::Bytes, ..phase });
        let audited = self.audit.finish(feedback)?;
        report.context = audited.totals.as_ref().map(ContextStats::from);
        if let Some(check) = held.too_large() {
            let checks = audited.checks.into_iter().chain([check]).collect();
            settle(report, audited.problems, checks, false);
            return Ok(Genesis::unknown("the store was not kept"));
        }
        let header = report.header;
        let mut store = held.store();
        let metadata = self.metadata.seen.then(|| Metadata::parse(&self.metadata.bytes));
        let metadata = metadata.transpose().map_err(|problem| problem.path("metadata"));
        let known = metadata.as_ref().ok().copied().flatten();
        let states = |commit: &ContextHash| self.beginning.pvm_state(audited.first, commit);
        let subject = Subject {
            metadata,
            store: store.as_mut().map_err(|problem| problem.clone()),
            shown: SHOWN,
            header: header.as_ref(),
            contexts: Some(&audited.contexts),
            states: Some(&states),
        };
        let (mut problems, mut passed) = Opened::check(subject, phase, feedback)?;
        report.store = store.as_ref().ok().map(Opened::info);
        let genesis = match &store {
            Ok(store) => Genesis::find(known.as_ref(), store, Some(&audited.contexts), Some(&states)),
            Err(_) => Genesis::unknown("there is no store that can be read"),
        };
        if let (Ok(store), Some(stats), true) = (&store, &mut report.context, audited.problems.is_empty())
            && let Some(commit) = store.head().ok().and_then(|head| head.context)
        {
            match head(&self.context, &commit, feedback) {
                Ok(head) => stats.head = head,
                Err(problem) if problem.code() == Code::Cancelled => return Err(problem),
                // Of a compact snapshot, for instance: the checks say what is missing.
                Err(_) => {}
            }
        }
        problems.extend(audited.problems);
        passed.extend(audited.checks);
        problems.extend(self.problems);
        problems.extend(self.pre_images.problems());
        passed.extend(self.pre_images.passed());
        settle(report, problems, passed, whole);
        Ok(genesis)
    }

    /// The phase in which a report is completed, for jobs that have no other.
    pub const PHASE: Phase =
        Phase { index: 2, of: 2, name: "Checking chain", total: None, unit: Unit::Blocks };

    fn begin(&mut self, member: &Member) {
        let Member { name, size, .. } = member;
        self.open = Open::Other;
        if let Some(name) = name.strip_prefix(CONTEXT) {
            self.open = Open::Context;
            self.context.begin(name, *size);
            self.audit.begin(name, *size);
            self.beginning.begin(name, *size);
        } else if !tar::belongs_in_a_snapshot(name) {
            if self.problems.len() < MAX_CHECKS {
                self.problems.push(Problem::new(Code::SnapshotMember).member(name));
            }
        } else if name.starts_with(IRMIN_STORE) {
            self.store.begin(name, 0);
            self.store.end();
        } else if name == STORE || name.starts_with(STORAGE) {
            self.open = Open::Store;
            self.store.begin(name, *size);
        } else if name == "metadata" {
            self.open = Open::Metadata;
            self.metadata.seen = true;
        } else {
            self.pre_images.begin(name);
        }
    }

    fn data(&mut self, data: &[u8]) {
        match self.open {
            Open::Metadata => self.metadata.push(data, MAX_METADATA),
            Open::Store => self.store.data(data),
            Open::Context => {
                if let Err(problem) = self.audit.data(data)
                    && self.problems.len() < MAX_CHECKS
                {
                    self.problems.push(problem);
                }
                if self.audit.is_lost() {
                    self.context.give_up();
                }
                self.beginning.data(data);
                self.context.data(data);
            }
            Open::Other => self.pre_images.data(data),
        }
    }

    fn end(&mut self, member: &Member) {
        match self.open {
            Open::Metadata => self.metadata.complete = true,
            Open::Store => {
                self.store.end();
                self.has_database |= member.name == STORE;
            }
            Open::Context => {
                self.audit.end();
                self.beginning.end();
                self.context.end();
            }
            Open::Other => self.pre_images.end(&member.name, member.size),
        }
        self.open = Open::Other;
    }
}

/// What a commit consists of, if the files of its context were kept.
///
/// # Errors
/// When the commit cannot be read, and [`Code::Cancelled`].
fn head(files: &Shelf, commit: &ContextHash, feedback: &mut dyn Feedback) -> Result<Option<HeadStats>> {
    let Some(files) = files.files().filter(|files| !files.is_empty()) else { return Ok(None) };
    let context = Context::open(&files)?;
    let commit = context.checkout(commit, feedback)?;
    context.stat(&commit, DEPTH, feedback).map(|stat| Some(stat.into()))
}

impl Kept {
    /// What is too long is no file of a node; one byte more than the bound is enough to say so.
    fn push(&mut self, data: &[u8], most: u64) {
        let room = usize::try_from(most).unwrap_or(usize::MAX).saturating_add(1) - self.bytes.len();
        self.bytes.extend_from_slice(data.get(..room).unwrap_or(data));
    }
}

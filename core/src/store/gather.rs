//! What a pass over a snapshot keeps for later: metadata, store, names of contexts; and what it
//! checks on the way: pre-images.

use alloc::format;
use alloc::vec::Vec;
use core::mem;

use super::pieces::Pieces;
use super::rows::Rows;
use super::shelf::Shelf;
use super::{
    Accept, Held, MAX_METADATA, MAX_VERSION, Metadata, PreImages, STORE, Store, Subject, check,
    check_version, cut_store, old_store, parse_version, settle,
};
use crate::code::Code;
use crate::context::Facts;
use crate::context::verify::{Audit, Immediate, Memory};
use crate::feedback::{Feedback, Phase, Unit};
use crate::problem::{Problem, Result};
use crate::report::{Check, Report, Verdict};
use crate::snapshot::Event;
use crate::tar::{self, Member};

/// Largest database that [`Gather`] keeps in memory unless told otherwise, in bytes: 512 MiB.
pub const DEFAULT_MAX_STORE: u64 = 512 << 20;

/// What stands where the name of a data directory would: the bytes that come have none.
const SHOWN: &str = "snapshot";

/// What the names of the files of the context begin with.
const CONTEXT: &str = "context/";

/// Hears the events of an [`Inspector`](crate::snapshot::Inspector) and completes its report by
/// *Consistent*. Memory: the database, up to a bound, and 8 bytes for each commit of the context.
#[derive(Debug)]
pub struct Gather {
    max_store: u64,
    metadata: Kept,
    version: Kept,
    store: Pieces,
    store_seen: bool,
    store_complete: bool,
    /// Why the database was not kept.
    too_large: Option<Check>,
    old_store: bool,
    audit: Audit<Immediate, Memory>,
    shelf: Shelf,
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

/// The member whose content comes, as far as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    None,
    Metadata,
    Version,
    Store,
}

impl Gather {
    /// Waits for the first member. A database of more than `max_store` bytes is not kept.
    pub fn new(max_store: u64) -> Self {
        Self {
            max_store,
            metadata: Kept::default(),
            version: Kept::default(),
            store: Pieces::default(),
            store_seen: false,
            store_complete: false,
            too_large: None,
            old_store: false,
            audit: Audit::new(Immediate, Memory::default()),
            shelf: Shelf::default(),
            pre_images: PreImages::default(),
            problems: Vec::new(),
            open: Open::None,
        }
    }

    /// Takes what the inspector tells.
    pub fn hear(&mut self, event: &Event<'_>) {
        match event {
            Event::Member(member) => self.begin(member),
            Event::Data(data) => self.data(data),
            Event::MemberEnd { member, .. } => self.end(member),
            _ => {}
        }
    }

    /// Checks what was kept and completes the report: checks, and the verdict *Consistent*. Leaves
    /// the database for questions that come later.
    ///
    /// # Errors
    /// [`Code::Cancelled`].
    pub fn judge(mut self, report: &mut Report, phase: Phase, feedback: &mut dyn Feedback) -> Result<Held> {
        let store = self.store_seen.then(|| mem::take(&mut self.store));
        let held = Held::new(store, self.too_large.take());
        self.settle(&held, report, phase, feedback)?;
        Ok(held)
    }

    fn settle(
        self,
        held: &Held,
        report: &mut Report,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {
        if self.old_store && !self.store_seen {
            report.add(old_store());
            return Ok(());
        }
        let whole = report.verdicts.intact == Verdict::Yes;
        let has_everything = self.metadata.complete && self.store_complete;
        if !whole && !has_everything {
            report.add(cut_store());
            return Ok(());
        }
        let total = Some(self.audit.put_off());
        feedback.phase(Phase { name: "Checking context", total, unit: Unit::Bytes, ..phase });
        let audited = self.audit.finish(feedback)?;
        report.context = audited.totals.as_ref().map(Facts::from);
        if let Some(check) = held.too_large() {
            let checks = audited.checks.into_iter().chain([check.clone()]).collect();
            settle(report, audited.problems, checks, false);
            return Ok(());
        }
        let header = report.header;
        let version = self.version.seen.then(|| parse_version(&self.version.bytes, "storage/version"));
        let mut store = version.transpose().and_then(check_version).and_then(|()| {
            let missing = || Problem::new(Code::StoreMissing).path(STORE);
            Store::open(held.store().ok_or_else(missing)?, STORE, Accept::Older)
        });
        let metadata = self.metadata.seen.then(|| Metadata::parse(&self.metadata.bytes));
        let subject = Subject {
            metadata: metadata.transpose().map_err(|problem| problem.path("metadata")),
            store: store.as_mut().map_err(|problem| problem.clone()),
            shown: SHOWN,
            header: header.as_ref(),
            contexts: Some(&audited.contexts),
        };
        let (mut problems, mut passed) = check(subject, phase, feedback)?;
        if let (Ok(store), Some(facts), true) = (&store, &mut report.context, audited.problems.is_empty())
            && let Some(commit) = store.head().ok().and_then(|head| head.context)
        {
            match self.shelf.head(&commit, feedback) {
                Ok(head) => facts.head = head,
                Err(problem) if problem.code() == Code::Cancelled => return Err(problem),
                // Of a compact snapshot, for instance: the checks say what is missing.
                Err(_) => {}
            }
        }
        problems.extend(audited.problems);
        passed.extend(audited.checks);
        problems.extend(self.problems);
        problems.extend_from_slice(self.pre_images.problems());
        passed.extend(self.pre_images.passed());
        settle(report, problems, passed, whole);
        Ok(())
    }

    /// The phase in which a report is completed, for jobs that have no other.
    pub const PHASE: Phase =
        Phase { index: 2, of: 2, name: "Checking chain", total: None, unit: Unit::Blocks };

    fn begin(&mut self, member: &Member) {
        let name = &*member.name;
        self.open = match name {
            "metadata" => self.metadata.open(Open::Metadata),
            "storage/version" => self.version.open(Open::Version),
            STORE => {
                self.store_seen = true;
                if member.size > self.max_store {
                    self.give_up(member.size);
                }
                Open::Store
            }
            _ => Open::None,
        };
        if let Some(name) = name.strip_prefix(CONTEXT) {
            self.shelf.begin(name);
            return self.audit.begin(name, member.size);
        }
        match name {
            _ if self.open != Open::None => {}
            _ if name.starts_with("storage/") => self.old_store = true,
            _ if !tar::belongs_in_a_snapshot(name) => {
                self.problems.push(Problem::new(Code::SnapshotMember).member(name));
            }
            _ => self.pre_images.begin(name),
        }
    }

    fn data(&mut self, data: &[u8]) {
        match self.open {
            Open::Metadata => self.metadata.push(data, MAX_METADATA),
            Open::Version => self.version.push(data, MAX_VERSION),
            Open::Store => {
                if self.too_large.is_none() && !self.store.push(data) {
                    self.give_up(0);
                }
            }
            Open::None => {
                if let Err(problem) = self.audit.data(data) {
                    self.problems.push(problem);
                }
                if self.audit.is_lost() {
                    self.shelf.give_up();
                }
                self.shelf.data(data);
                self.pre_images.data(data);
            }
        }
    }

    fn end(&mut self, member: &Member) {
        match self.open {
            Open::Metadata => self.metadata.complete = true,
            Open::Version => self.version.complete = true,
            Open::Store => self.store_complete = true,
            Open::None => {
                self.audit.end();
                self.shelf.end();
                self.pre_images.end(&member.name, member.size);
            }
        }
        self.open = Open::None;
    }

    fn give_up(&mut self, size: u64) {
        self.store = Pieces::default();
        let why = match size {
            0 => "not checked: there is not enough memory for the store".into(),
            size => format!(
                "not checked: the store has {size} bytes, and at most {} are kept in memory here; \
                 rollsnap verify on the command line has no such bound",
                self.max_store
            ),
        };
        self.too_large = Some(Check::unknown(Code::StoreDamaged, why));
    }
}

impl Kept {
    fn open(&mut self, open: Open) -> Open {
        self.seen = true;
        open
    }

    /// What is too long is no file of a node; one byte more than the bound is enough to say so.
    fn push(&mut self, data: &[u8], most: u64) {
        let room = usize::try_from(most).unwrap_or(usize::MAX).saturating_add(1) - self.bytes.len();
        self.bytes.extend_from_slice(data.get(..room).unwrap_or(data));
    }
}

//! One pass over a snapshot for *Consistent*: what is checked while it streams by, and what is kept of it for later.

use super::PreImages;
use crate::allowance::Allowance;
use crate::code::Code;
use crate::context::Beginning;
use crate::context::verify::{Audit, Audited, Hasher, Spool};
use crate::feedback::{Feedback, Phase, Unit};
use crate::members::MemberKind;
use crate::problem::{Problem, Result};
use crate::report::{Evidence, Report};
use crate::snapshot::Event;
use crate::tar::Member;

/// Where members of a snapshot are kept that are read when all have come: its metadata and its store.
pub trait MemberStore {
    /// A member begins. Names come from an inspector, which lets only those pass that stay inside.
    ///
    /// # Errors
    /// What the place reports.
    fn begin(&mut self, kind: MemberKind<'_>, member: &Member) -> Result<()>;

    /// The next bytes of the member that began.
    ///
    /// # Errors
    /// What the place reports.
    fn data(&mut self, data: &[u8]) -> Result<()>;

    /// The member that began is complete.
    ///
    /// # Errors
    /// What the place reports.
    fn end(&mut self) -> Result<()>;

    /// So many bytes of the snapshot were read by now.
    fn read(&mut self, bytes: u64);

    /// The context is damaged: of what is kept of it, nothing will be asked for.
    fn give_up_context(&mut self) {}
}

/// Takes the events of an inspection ([`snapshot`](crate::snapshot)): checks the context and the pre-images as they
/// stream by, and hands metadata and store to `M`.
#[derive(Debug)]
pub struct SnapshotChecker<M, H, S> {
    pub(super) members: M,
    audit: Audit<H, S>,
    beginning: Beginning,
    pre_images: PreImages,
    others: Evidence,
    open: Open,
    came: Came,
}

/// What is known of a snapshot, or of a data directory, beside its store.
#[derive(Debug, Default)]
pub struct Findings {
    /// The context.
    pub audited: Audited,
    /// The pre-images.
    pub pre_images: PreImages,
    /// Members that belong to none of these, nor to the store.
    pub others: Evidence,
}

impl Findings {
    /// All evidence there is, with that of the store.
    pub fn with(&self, store: Evidence) -> Evidence {
        let mut evidence = store;
        evidence.merge(self.audited.evidence.clone());
        evidence.merge(self.others.clone());
        evidence.merge(self.pre_images.evidence());
        evidence
    }
}

/// A snapshot that has been read.
#[derive(Debug)]
pub struct Checked<M> {
    /// What was kept.
    pub members: M,
    /// What was checked.
    pub findings: Findings,
    /// What was kept of the context.
    pub beginning: Beginning,
    /// Which members came whole.
    pub came: Came,
}

/// Which members came whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Came {
    metadata: bool,
    database: bool,
}

impl Came {
    /// Whether metadata and store came whole, also of a file that is damaged. A store in files is many
    /// members, in any order: it is whole when the archive is.
    pub const fn everything(self, report: &Report) -> bool {
        self.metadata && (self.database || report.members.complete)
    }
}

/// What the member is that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Metadata,
    Database,
    Context,
    PreImage,
    /// Another file of the store, or nothing that counts.
    Other,
}

impl<M: MemberStore, H: Hasher, S: Spool> SnapshotChecker<M, H, S> {
    /// Waits for the first member.
    pub fn new(members: M, audit: Audit<H, S>) -> Self {
        Self {
            members,
            audit,
            beginning: Beginning::default(),
            pre_images: PreImages::default(),
            others: Evidence::default(),
            open: Open::Other,
            came: Came::default(),
        }
    }

    /// Takes no more memory for the context than this allows.
    #[must_use]
    pub fn within(mut self, allowance: Allowance) -> Self {
        self.audit = self.audit.within(allowance);
        self
    }

    /// Takes what an inspection has come to.
    ///
    /// # Errors
    /// What `M` and the spool of the context report.
    pub fn on_event(&mut self, event: &Event<'_>) -> Result<()> {
        match event {
            Event::Member(member) => self.begin(member),
            Event::Data(data) => self.data(data),
            Event::MemberEnd { member, .. } => self.end(member),
            Event::Read(bytes) => {
                self.audit.read(*bytes);
                self.members.read(*bytes);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Everything has come: what was put off in the context is checked now.
    ///
    /// # Errors
    /// What the spool reports, and [`Code::Cancelled`].
    pub fn finish(self, phase: Phase, feedback: &mut dyn Feedback) -> Result<Checked<M>> {
        let Self { members, audit, beginning, pre_images, others, came, .. } = self;
        let total = Some(audit.put_off());
        feedback.phase(Phase { total, unit: Unit::Bytes, ..phase });
        let findings = Findings { audited: audit.finish(feedback)?, pre_images, others };
        Ok(Checked { members, findings, beginning, came })
    }

    /// What is kept by now.
    pub fn members(&self) -> &M {
        &self.members
    }

    /// Which members came whole by now.
    pub fn came(&self) -> Came {
        self.came
    }

    /// Notes what is wrong with a member by itself.
    pub(super) fn note(&mut self, problem: Problem) {
        self.others.problems.push(problem);
    }

    fn begin(&mut self, member: &Member) -> Result<()> {
        let name = &*member.name;
        self.open = Open::Other;
        let Some(kind) = MemberKind::of(name) else {
            self.note(Problem::new(Code::SnapshotMember).member(name));
            return Ok(());
        };
        match kind {
            MemberKind::Metadata => self.open = Open::Metadata,
            MemberKind::Database => self.open = Open::Database,
            MemberKind::Version | MemberKind::IrminStore | MemberKind::Storage => {}
            MemberKind::Context(name) => {
                self.open = Open::Context;
                self.audit.begin(name, member.size);
                self.beginning.begin(name, member.size);
            }
            MemberKind::PreImage(_, name) => {
                self.open = Open::PreImage;
                self.pre_images.begin(name);
            }
        }
        self.members.begin(kind, member)
    }

    fn data(&mut self, data: &[u8]) -> Result<()> {
        let audited = match self.open {
            Open::Context => {
                self.beginning.data(data);
                let audited = self.audit.data(data);
                if self.audit.is_lost() {
                    self.members.give_up_context();
                }
                audited
            }
            Open::PreImage => {
                self.pre_images.data(data);
                Ok(())
            }
            Open::Metadata | Open::Database | Open::Other => Ok(()),
        };
        // What cannot be checked is kept all the same.
        self.members.data(data).and(audited)
    }

    fn end(&mut self, member: &Member) -> Result<()> {
        match core::mem::replace(&mut self.open, Open::Other) {
            Open::Metadata => self.came.metadata = true,
            Open::Database => self.came.database = true,
            Open::Context => {
                self.audit.end();
                self.beginning.end();
            }
            Open::PreImage => self.pre_images.end(&member.name, member.size),
            Open::Other => {}
        }
        self.members.end()
    }
}

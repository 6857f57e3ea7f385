//! What every export does before its archive is written, wherever that goes.

use std::path::PathBuf;

use rollsnap_core::context::verify::Audited;
use rollsnap_core::feedback::Notice;
use rollsnap_core::members::PvmKind;
use rollsnap_core::report::{Check, ContextStats, Evidence};
use rollsnap_core::store::Findings;
use rollsnap_core::{Code, Feedback, Header, Place, Problem, Report, Result};

use super::archive::{Archive, Member, Plan};
use super::capture::{Captured, Lists};
use super::locks::Locks;
use super::packer::Packer;
use super::rules::Rules;
use super::stored::{Described, Stored};
use super::{Compression, Options, Outcome, Output, compact, finish_interrupted_import, layer1};
use crate::context::Moment;
use crate::contexts::{self, Contexts};
use crate::data_dir::{DataDir, Metadata, SourceFile, lock, metadata};
use crate::jobs::{self, Stage, Stages};
use crate::store::{Capture, Family, Packing};
use crate::verify::{self, ContextBeside, ContextScope, PreImages, Reading};
use crate::workspace::Workspace;

/// A data directory as it was under the locks. They are still held where the database has to be copied under them.
pub(super) struct Source<'o> {
    options: &'o Options,
    rules: Rules,
    metadata: Metadata,
    published: Option<Check>,
    locks: Locks,
    members: Vec<Member>,
    packed: Option<SourceFile>,
    store: Stored<Capture>,
    context: Moment,
    described: Described,
    is_stable: bool,
}

/// Everything that goes into the archive.
pub(super) struct Ready<'o> {
    options: &'o Options,
    rules: Rules,
    metadata: Metadata,
    published: Option<Check>,
    locks: Locks,
    plan: Option<Plan>,
    members: usize,
    store: Option<Stored<Packer>>,
    context: Moment,
    described: Described,
    /// What a compact export found in the one context that it takes.
    one: Option<Contexts>,
    remarks: Vec<Check>,
    /// The check of every object of the context, as long as it is waited for.
    beside: Option<ContextBeside>,
    /// What the objects of the context came to that were checked.
    proved: Option<ContextStats>,
    pub(super) stages: Stages,
}

/// What was found by [`Ready::judge`].
pub(super) struct Judged {
    /// Of the context.
    audited: Audited,
    /// Of store and chain.
    store: Evidence,
}

impl<'o> Source<'o> {
    /// Captures it, after the rules that forbid an export. `output`: where the snapshot will be put, if that is a place.
    pub(super) fn open(
        options: &'o Options,
        output: Option<&Output>,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {
        let data_dir = DataDir::new(&options.data_dir);
        let root = data_dir.root();
        finish_interrupted_import(root, feedback)?;
        data_dir.require()?;
        let rules = Rules::of(&data_dir, options)?;
        if options.packing == Packing::Pages && rules.family == Family::Mavkit {
            feedback.notice(Notice::Remark(super::WITHOUT_DATABASE));
        }
        let metadata = metadata::require(root)?;
        output.map_or(Ok(()), |output| output.check_early(options.force))?;
        let published = layer1::before(&data_dir, &rules, &metadata, options, feedback)?;

        let lists = Lists::before(root, &rules, options.compact, feedback)?;
        let gc = rules.waits_for_gc(options.compact);
        if options.rollup_node_endpoint.is_some() && !gc {
            feedback.notice(Notice::Remark(
                "--rollup-node-endpoint has no effect: this export does not wait for a garbage collection",
            ));
        }
        if gc && options.lock {
            layer1::cancel_gc(options.rollup_node_endpoint.as_deref(), feedback)?;
        }
        let mut locks = match options.lock {
            true => Locks::wait(root, gc, options.lock_timeout, feedback)?,
            false => Locks::none(),
        };
        let mut captured = Captured::take(root, &rules, lists, feedback)?;
        let is_stable = captured.is_stable();
        if is_stable {
            locks.release();
        }
        let members = captured.members(root, options.compact)?;
        let Captured { database, context, small, .. } = captured;
        let packed =
            database.as_ref().map(|(capture, file)| SourceFile { size: capture.bytes(), ..file.clone() });
        let store = Stored::open(database.map(|(capture, _)| capture), &small, &metadata)?;
        let described = store.describe(&rules, &metadata, &contexts::of(&context, feedback)?, root)?;
        Ok(Self {
            options,
            rules,
            metadata,
            published,
            locks,
            members,
            packed,
            store,
            context,
            described,
            is_stable,
        })
    }

    /// What the snapshot will say about itself.
    pub(super) fn header(&self) -> &Header {
        &self.described.header
    }

    /// How much space a copy of the database takes at least, and the file of the snapshot, in bytes. How large they are
    /// when they are packed nobody knows.
    pub(super) fn least(&self) -> (u64, u64) {
        let copied = self.packed.as_ref().filter(|_| self.options.packing == Packing::Pages);
        let copy = copied.map_or(0, |file| file.size);
        let archive = match self.options.compression {
            Compression::None => self.members.iter().map(Member::len).fold(copy, u64::saturating_add),
            Compression::Gzip => 0,
        };
        (copy, archive)
    }

    /// Begins to pack the database in a working directory, and makes the context of a compact export there.
    pub(super) fn pack(
        self,
        room: &Workspace,
        output: Written,
        feedback: &mut dyn Feedback,
    ) -> Result<Ready<'o>> {
        let Self { options, rules, metadata, published, mut locks, mut members, .. } = self;
        let Self { packed, store, context, described, is_stable, .. } = self;
        let check = options.check;
        let compact = options.compact.then_some(metadata.kind);
        let mut stages = Stages::new(match output {
            Written::File => stages(is_stable, compact, options.checked()),
            Written::Stream => stages_of_stream(is_stable, compact, options.checked()),
        });
        feedback.checkpoint()?;
        if options.compact {
            compact::one_half(&&context)?;
        }
        members.extend(packed.map(|file| Member::packed(room.held(), file)));
        let store = store.pack(described.cut, options.packing, room.held(), &mut stages, feedback)?;
        locks.release();

        let mut remarks = Vec::new();
        let mut one = None;
        if options.compact {
            let level = described.first;
            let missing = || Problem::new(Code::ChainBlock).at(Place::Level(level));
            let first = described.first_block.as_ref().ok_or_else(missing)?;
            let text = format!("Exporting context snapshot with first level {level}");
            feedback.notice(Notice::Remark(&text));
            let context = compact::One::of(&context, first, metadata.kind, feedback)?;
            let written = context.write(room.held(), check, &mut stages, feedback)?;
            members.extend(written.files.into_iter().map(|file| Member::in_dir(room.held(), file)));
            remarks = written.remarks;
            one = Some(written.contexts);
        } else if !check {
            // A check of the finished file says so itself.
            remarks.extend(compact::unread_half(&context)?);
        }
        Ok(Ready {
            options,
            rules,
            metadata,
            published,
            locks,
            members: members.len(),
            plan: Some(Plan::new(members)),
            store: Some(store),
            context,
            described,
            one,
            remarks,
            beside: None,
            proved: None,
            stages,
        })
    }
}

impl Ready<'_> {
    /// What the snapshot says about itself.
    pub(super) fn header(&self) -> &Header {
        &self.described.header
    }

    /// What the members hold at least, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.plan.as_ref().map_or(0, Plan::bytes)
    }

    /// Writes the archive, as one phase. After that there is nothing left to write.
    pub(super) fn write<T>(
        &mut self,
        write: impl FnOnce(Archive<'_>, &mut dyn Feedback) -> Result<T>,
        feedback: &mut dyn Feedback,
    ) -> Result<T> {
        let plan = self.plan.take().unwrap_or_else(|| Plan::new(Vec::new()));
        self.stages.begin(jobs::EXPORTING, Some(plan.bytes()), feedback);
        let packer = self.store.as_mut().and_then(Stored::packer);
        write(Archive { plan, header: &self.described.header, digests: self.options.check, packer }, feedback)
    }

    /// Begins to check every object of the context, if that is wanted: another thread does it while the archive is written,
    /// or the chain is walked over.
    pub(super) fn begin_context(&mut self, room: &Workspace, feedback: &dyn Feedback) -> Result<()> {
        // That of a compact export was checked when it was written.
        if self.options.checked() == Some(ContextScope::All) && self.one.is_none() {
            let (moment, temp_dir) = (self.context.clone(), room.dir().into());
            let begun = ContextBeside::begin(move || Ok(moment), None, temp_dir, feedback.allowance())?;
            self.beside = Some(begun);
        }
        Ok(())
    }

    /// Checks the packed store and its chain, before or after the archive is written, and of the context what the chain
    /// needs.
    pub(super) fn judge(&mut self, room: &Workspace, feedback: &mut dyn Feedback) -> Result<Judged> {
        let mut known = None;
        let audited = match (self.one.take(), self.beside.take()) {
            (Some(contexts), _) => Audited { contexts, ..Audited::default() },
            (None, Some(beside)) => {
                known = verify::states(&self.context, feedback)?;
                if known.is_some() {
                    self.beside = Some(beside);
                    Audited::default()
                } else {
                    self.stages.bring_forward(jobs::WHOLE_CONTEXT);
                    beside.wait(self.stages.next(jobs::WHOLE_CONTEXT), feedback)?
                }
            }
            (None, None) => {
                let (scope, head) = (self.options.context, self.described.head_context);
                let reading = Reading { scope, head, temp_dir: Some(room.dir()) };
                let (phase, mut feedback) = self.stages.listen(scope.stage(), feedback);
                verify::unhindered(reading.moment(&self.context, phase, &mut feedback)?)?
            }
        };
        let contexts = known.as_ref().unwrap_or(&audited.contexts);
        let about = (&self.metadata, &self.described.header, contexts);
        let phase = self.stages.next(jobs::CHAIN);
        let missing = || Problem::new(Code::ExportCheck).found("no store");
        let store = self.store.take().ok_or_else(missing)?;
        let (store, packer) = store.check(about, self.options, phase, feedback)?;
        self.store = packer.map(Stored::Database);
        Ok(Judged { audited, store })
    }

    /// Waits for what the objects of the context say. The pre-images were looked at.
    pub(super) fn conclude(
        &mut self,
        judged: Judged,
        pre_images: PreImages,
        feedback: &mut dyn Feedback,
    ) -> Result<Evidence> {
        let Judged { mut audited, store } = judged;
        if let Some(beside) = self.beside.take() {
            audited = beside.wait(self.stages.next(jobs::WHOLE_CONTEXT), feedback)?;
        }
        self.proved = audited.totals.as_ref().map(ContextStats::from);
        Ok(Findings { audited, pre_images, others: Evidence::default() }.with(store))
    }

    /// A report of what was written and not read again, and why not.
    pub(super) fn unchecked(&self, bytes: u64, why: &str) -> Report {
        let mut report = Report::new();
        report.header = Some(self.described.header);
        report.container.compressed_bytes = Some(bytes);
        report.container.compression = Some(self.options.compression);
        report.members.count = Some(self.members as u64);
        report.add(Check::unknown(Code::ExportCheck, why));
        report
    }

    pub(super) fn outcome(self, path: Option<PathBuf>, bytes: u64, mut report: Report) -> Outcome {
        report.context = self.proved;
        self.remarks.into_iter().for_each(|remark| report.add(remark));
        if !self.options.lock {
            report.add(lock::left_out(&self.options.data_dir));
        }
        Outcome {
            path,
            bytes,
            report: layer1::remarked(report, self.published, &self.rules, self.options),
            locks_held: self.locks.held(),
            stages: self.stages.finish(),
        }
    }
}

/// Where an archive goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// Into a file, which is read back before anything in it is checked.
    File,
    /// Into a stream, which begins when everything is checked.
    Stream,
}

/// The stages of an export to a file: of a store that is `stable` without locks or is copied under them, and with
/// `compact` the kind of the PVM.
pub(crate) fn stages(stable: bool, compact: Option<PvmKind>, check: Option<ContextScope>) -> Vec<Stage> {
    let mut stages = preparing(stable, compact, check.is_some());
    stages.push(jobs::EXPORTING);
    if let Some(scope) = check {
        let (before, after) = judging(compact, scope);
        stages.extend(before);
        stages.push(jobs::CHECKING_SNAPSHOT);
        stages.extend(after);
    }
    stages
}

/// Those of an export to a stream.
pub(crate) fn stages_of_stream(
    stable: bool,
    compact: Option<PvmKind>,
    check: Option<ContextScope>,
) -> Vec<Stage> {
    let mut stages = preparing(stable, compact, check.is_some());
    if let Some(scope) = check {
        let (before, after) = judging(compact, scope);
        stages.extend(before.into_iter().chain(after));
    }
    stages.push(jobs::EXPORTING);
    stages
}

fn preparing(stable: bool, compact: Option<PvmKind>, check: bool) -> Vec<Stage> {
    let copied = (!stable).then_some(jobs::COPYING_DATABASE);
    let context = compact.map_or(&[][..], |kind| compact::stages(kind, check));
    copied.into_iter().chain(context.iter().copied()).collect()
}

/// What is checked while the archive is read back, and what is waited for after that. A compact export checks its context
/// when it is written.
fn judging(compact: Option<PvmKind>, scope: ContextScope) -> (Vec<Stage>, Option<Stage>) {
    match scope {
        _ if compact.is_some() => (vec![jobs::CHAIN], None),
        ContextScope::All => (vec![jobs::CHAIN], Some(jobs::WHOLE_CONTEXT)),
        ContextScope::Head | ContextScope::None => (vec![scope.stage(), jobs::CHAIN], None),
    }
}

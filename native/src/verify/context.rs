//! The context of a directory: read to its end, or as far as the user wants.

use std::path::Path;

use rollsnap_core::context::verify::{Audit, Audited, Wanted, reach};
use rollsnap_core::context::{Context, Contexts, INDEX_FILES, Riscv};
use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::hash::ContextHash;
use rollsnap_core::report::Check;
use rollsnap_core::{Code, Feedback, Files, ReadAt, Result};

use super::ContextScope;
use super::commits::Opened;
use crate::context::{FrozenFile, Moment, TempSpool, Threads};
use crate::dir::space::Known;
use crate::files::FileSet;
use crate::scratch::{self, Spilling, TempFile};

/// How much is read at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// How a context is checked.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// How much of it.
    pub scope: ContextScope,
    /// The commit of the head, for [`ContextScope::Head`]; `None`: the last one of the index.
    pub head: Option<ContextHash>,
    /// The directory for temporary files; the system's if `None`.
    pub temp_dir: Option<&'a Path>,
}

/// Bytes of temporary space that nobody needs to hear of.
const LITTLE: u64 = 64 << 20;

/// How large the table of the objects of a context of so many bytes becomes, by experience: an object has a hundred
/// bytes.
const fn table_of(bytes: u64) -> u64 {
    bytes / 20 * 9
}

/// Says how much temporary space the check of a context that streams by may take. `waits`: objects come before what tells
/// their places.
pub(super) fn announce_stream(
    place: Option<&Path>,
    content: Known,
    waits: bool,
    feedback: &mut dyn Feedback,
) {
    let memory = feedback.allowance().table();
    let bytes = match content {
        Known::Exactly(bytes) => bytes,
        // Such files become twice as long, more or less.
        Known::AtLeast(bytes) => bytes.saturating_mul(2),
    };
    let table = table_of(bytes).saturating_sub(memory);
    // Two thirds refer to other objects.
    let waiting = if waits { bytes / 3 * 2 } else { 0 };
    announce(place, table.saturating_add(waiting), memory, feedback);
}

fn announce(place: Option<&Path>, bytes: u64, memory: u64, feedback: &mut dyn Feedback) {
    if bytes > LITTLE {
        scratch::announce(place, "What is known of the context", bytes, memory, feedback);
    }
}

impl Reading<'_> {
    /// Checks the context of the data directory `root`.
    ///
    /// # Errors
    /// As [`Reading::directory`].
    pub fn of_data_dir(&self, root: &Path, phase: Phase, feedback: &mut dyn Feedback) -> Result<Audited> {
        self.moment(&Moment::take(&FileSet::context_of(root))?, phase, feedback)
    }

    /// Checks the context in the directory `context`.
    ///
    /// # Errors
    /// [`Code::Cancelled`], any `io.*` code; what is wrong with the context stands in the answer.
    pub fn directory(&self, context: &Path, phase: Phase, feedback: &mut dyn Feedback) -> Result<Audited> {
        self.moment(&Moment::take(&FileSet::Directory(context.into()))?, phase, feedback)
    }

    /// Checks a context as it was at one moment.
    ///
    /// # Errors
    /// As [`Reading::directory`].
    pub fn moment(&self, moment: &Moment, phase: Phase, feedback: &mut dyn Feedback) -> Result<Audited> {
        let opened = Context::open(moment);
        match (self.scope, &opened) {
            (ContextScope::None, _) => self.stream(Audit::index_only(), moment, phase, feedback),
            // Of a riscv context nothing tells which chunks a commit needs but the commit.
            (ContextScope::Head, Ok(context)) if !Riscv::recognise(moment)? => {
                self.follow_head(context, phase, feedback)
            }
            _ => {
                let spool = TempSpool::new(self.temp_dir.map_or_else(std::env::temp_dir, Into::into));
                let audit = match &opened {
                    Ok(context) => Audit::knowing(
                        Threads::of_this_machine(),
                        spool,
                        context.layout().clone(),
                        context.dict().clone(),
                    ),
                    Err(_) => Audit::new(Threads::of_this_machine(), spool),
                };
                self.stream(audit, moment, phase, feedback)
            }
        }
    }

    fn stream(
        &self,
        audit: Audit<Threads, TempSpool>,
        moment: &Moment,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<Audited> {
        let allowance = feedback.allowance();
        let mut audit = audit.within(allowance).spilling(Box::new(TempFile::within(self.temp_dir)));
        let read = |name: &str, held: &FrozenFile| match self.scope {
            ContextScope::None if !INDEX_FILES.contains(&name) => 0,
            _ => held.len(),
        };
        let names = moment.all()?;
        let mut total = 0;
        for name in &names {
            total += moment.open(name)?.map_or(0, |held| read(name, &held));
        }
        if self.scope != ContextScope::None {
            let table = table_of(total).saturating_sub(allowance.table());
            announce(self.temp_dir, table, allowance.table(), feedback);
        }
        feedback.phase(Phase { total: Some(total), unit: Unit::Bytes, ..phase });
        let mut chunk = vec![0; CHUNK];
        let mut taken: u64 = 0;
        for name in &names {
            let Some(held) = moment.open(name)? else { continue };
            taken = taken.saturating_add(held.len());
            audit.read(taken);
            audit.begin(name, held.len());
            let (mut at, end) = (0, read(name, &held));
            while at < end {
                feedback.checkpoint()?;
                let len = usize::try_from(end - at).map_or(CHUNK, |left| left.min(CHUNK));
                held.read_at(at, &mut chunk[..len])?;
                audit.data(&chunk[..len])?;
                at += len as u64;
                feedback.advance(len as u64);
            }
            audit.end();
        }
        audit.finish(feedback)
    }

    /// Opens every commit, and checks the objects of one.
    fn follow_head(
        &self,
        context: &Context<&Moment>,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<Audited> {
        let entries = match context.index(feedback) {
            Ok(index) => index.by_offset(),
            Err(problem) if problem.code() == Code::ContextIndex => {
                return Ok(Audited { evidence: problem.into(), ..Audited::default() });
            }
            Err(problem) => return Err(problem),
        };
        let Opened { commits, last, mut problems } = Opened::read(context, &entries, feedback)?;
        let wanted = match self.head {
            Some(head) => entries.iter().find(|entry| entry.hash == head).copied(),
            None => last,
        };
        drop(entries);
        let others = commits.len().saturating_sub(usize::from(wanted.is_some()));
        let mut audited = match wanted {
            Some(entry) => {
                let mut spilling = Spilling::within(feedback, self.temp_dir);
                let these = Wanted::These(&[entry]);
                let outcome = reach(context, these, Threads::of_this_machine(), &mut spilling, phase)?;
                Audited::of(outcome, Contexts::default())
            }
            None => Audited::default(),
        };
        // Damage of the head's commit is told by both.
        problems
            .retain(|problem| !audited.evidence.problems.iter().any(|told| told.place() == problem.place()));
        audited.evidence.problems.extend(problems);
        audited.contexts = Contexts::default().read(commits);
        if others > 0 {
            let commits = if others == 1 { "commit" } else { "commits" };
            let why = format!("not checked: the objects of {others} other {commits} of the context");
            audited.evidence.checks.push(Check::unknown(Code::ContextUnchecked, why));
        }
        Ok(audited)
    }
}

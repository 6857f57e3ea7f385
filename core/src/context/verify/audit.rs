//! The check of whatever context comes: of an irmin-pack store, or of the kind `riscv`.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::layout::Layout;
use super::super::pack::Dict;
use super::super::path::unhex;
use super::named::Named;
use super::{Hasher, Outcome, Shared, Spool, Stream, Totals};
use crate::allowance::Allowance;
use crate::code::Code;
use crate::context::Contexts;
use crate::feedback::Feedback;
use crate::hash::ContextHash;
use crate::members::is_nds;
use crate::problem::{Problem, Result};
use crate::report::{Check, ContextShare, ContextStats, Evidence, commits_in_words};
use crate::scratch::Scratch;

/// Hears the files of a context as they come, in any order, and says in the end what they prove.
#[derive(Debug)]
pub struct Audit<H, S> {
    contexts: Contexts,
    named: Named,
    /// `None`: the objects are not read.
    stream: Option<Stream<H, S>>,
    allowance: Allowance,
    open: Open,
    dual: bool,
    seen: bool,
}

/// What an [`Audit`] found.
#[derive(Debug, Default)]
pub struct Audited {
    /// The commits, with their states where they were read.
    pub contexts: Contexts,
    /// What was found.
    pub evidence: Evidence,
    /// What was not checked for a reason that is not in the context.
    pub hindered: Option<Problem>,
    /// Control file, mapping or dictionary are not what was known beforehand: what is said of the objects may come of that.
    pub differs: bool,
    /// Numbers, where the objects were read.
    pub totals: Option<Totals>,
    /// The commit with the lowest offset, and that offset, where the objects were read.
    pub first: Option<(ContextHash, u64)>,
}

/// The file that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    None,
    Named,
    Stream,
}

impl<H: Hasher, S: Spool> Audit<H, S> {
    /// Reads every object.
    pub fn new(hasher: H, spool: S) -> Self {
        Self::of(Some(Stream::new(hasher, spool)))
    }

    /// Reads every object, and knows beforehand what the small files say: nothing is put off.
    pub fn knowing(hasher: H, spool: S, layout: Layout, dict: Dict) -> Self {
        Self::of(Some(Stream::with(hasher, spool, layout, dict)))
    }

    /// Reads the index only: which commits there should be.
    pub fn index_only() -> Self {
        Self::of(None)
    }

    /// Takes no more memory than this allows, for as much as was [read](Audit::read).
    #[must_use]
    pub fn within(mut self, allowance: Allowance) -> Self {
        self.allowance = allowance;
        self.stream = self.stream.map(|stream| stream.within(allowance));
        self
    }

    /// What does not fit into the memory that is [meant for it](Allowance::table) goes to temporary space.
    #[must_use]
    pub fn spilling(mut self, scratch: Box<dyn Scratch>) -> Self {
        self.stream = self.stream.map(|stream| stream.spilling(scratch));
        self
    }

    /// So many bytes of the file that the context comes from were read by now, as it lies there: compressed,
    /// if it is. Objects of a small file that would take much memory are not checked.
    pub fn read(&mut self, bytes: u64) {
        self.allowance.read(bytes);
        if let Some(stream) = &mut self.stream {
            stream.read(bytes);
        }
    }

    fn of(stream: Option<Stream<H, S>>) -> Self {
        Self {
            allowance: Allowance::default(),
            contexts: Contexts::default(),
            named: Named::default(),
            stream,
            open: Open::None,
            dual: false,
            seen: false,
        }
    }

    /// A file begins: its name below `context/`, its size in bytes.
    pub fn begin(&mut self, name: &str, size: u64) {
        self.seen = true;
        self.contexts.begin(name);
        if is_nds(name) {
            self.dual = true;
            return;
        }
        let Some(stream) = &mut self.stream else { return };
        if let Some(hash) = unhex(name) {
            self.named.begin(hash, size);
            self.open = Open::Named;
        } else {
            stream.begin(name, size);
            self.open = Open::Stream;
        }
    }

    /// The next bytes of it.
    ///
    /// # Errors
    /// What the spool reports.
    pub fn data(&mut self, data: &[u8]) -> Result<()> {
        self.contexts.data(data);
        if let Some(stream) = &mut self.stream {
            stream.beside(self.contexts.taken());
        }
        match (self.open, &mut self.stream) {
            (Open::Named, _) => {
                if self.allowance.is_over(self.named.taken()) {
                    self.named.give_up();
                }
                self.named.data(data);
            }
            (Open::Stream, Some(stream)) => stream.data(data)?,
            _ => {}
        }
        Ok(())
    }

    /// It ends.
    pub fn end(&mut self) {
        self.contexts.end();
        match (core::mem::replace(&mut self.open, Open::None), &mut self.stream) {
            (Open::Named, _) => self.named.end(),
            (Open::Stream, Some(stream)) => stream.end(),
            _ => {}
        }
    }

    /// Whether damage was met.
    pub fn is_lost(&self) -> bool {
        self.stream.as_ref().is_some_and(Stream::is_lost)
    }

    /// How many bytes [`Audit::finish`] will go through.
    pub fn put_off(&self) -> u64 {
        self.stream.as_ref().map_or(0, Stream::put_off)
    }

    /// All files have come. Progress is told in bytes, [`Audit::put_off`] in all.
    ///
    /// # Errors
    /// What the spool reports, and [`Code::Cancelled`].
    pub fn finish(self, feedback: &mut dyn Feedback) -> Result<Audited> {
        let contexts = self.contexts.complete();
        let mut audited = match self.stream.filter(|_| self.seen) {
            None => Audited { contexts, evidence: unchecked().into(), ..Audited::default() },
            Some(_) if !self.named.is_empty() => named(self.named, contexts, &self.allowance),
            Some(stream) => Audited::of(stream.finish(feedback)?, contexts),
        };
        if self.dual {
            let problem = Problem::new(Code::ContextDual).found("a directory context/nds");
            audited.evidence.checks.push(Check::open(&problem));
        }
        Ok(audited)
    }
}

impl Audited {
    /// What an outcome means for the blocks of a store.
    pub fn of(outcome: Outcome, contexts: Contexts) -> Self {
        let Outcome { mut failures, failures_left_out, warnings, unchecked, differs, commits, totals } =
            outcome;
        let mut checks = Vec::new();
        if failures.is_empty() && unchecked.is_empty() {
            checks.push(Check::yes(Code::ContextHash, ContextStats::from(&totals).words()));
        }
        if failures_left_out > 0 {
            let more = format!("{failures_left_out} more objects of the context are damaged");
            failures.push(Problem::new(Code::ContextHash).headline(more));
        }
        // Before what may be a thousand warnings, which would be all that a report lists.
        checks.extend(unchecked.iter().map(Check::open));
        let hindered = unchecked.iter().find(|problem| !problem.code().is_about_contents()).cloned();
        checks.extend(warnings.iter().map(|problem| match problem.code() {
            // Nothing strange: half of the state is where nobody looked.
            Code::ContextDual => Check::open(problem),
            _ => Check::warning(problem),
        }));
        // Without the address space no commit could be placed: the index is all that is known.
        let hinders = |problem: &Problem| {
            problem.code() == Code::ContextUnchecked || !problem.code().is_about_contents()
        };
        let placed = !unchecked.iter().any(hinders) || !commits.is_empty();
        let first = commits.first().map(|commit| (commit.hash, commit.offset));
        let contexts = if placed {
            // A node finds no commit that the index does not list.
            let listed = commits.iter().filter(|commit| contexts.contains(&commit.hash));
            let read: Vec<_> = listed.map(|commit| (commit.hash, commit.state)).collect();
            contexts.read(read)
        } else {
            contexts
        };
        let evidence = Evidence { problems: failures.into_iter().collect(), checks };
        Self { contexts, evidence, hindered, differs, totals: Some(totals), first }
    }
}

/// A share of the proof, for a report.
#[derive(Debug)]
pub struct AuditedShare {
    /// What it found of its objects.
    pub audited: Audited,
    /// What of the context it has.
    pub context: ContextShare,
}

impl Audited {
    /// What share `number` of `of` proves. `files`: the [identity] of the context.
    ///
    /// [identity]: super::identity
    pub fn of_share(
        shared: Shared,
        (number, of): (u32, u32),
        files: String,
        contexts: Contexts,
    ) -> AuditedShare {
        let Shared { outcome, range, bytes } = shared;
        let context = ContextShare { files, bytes, first: range.start, end: range.end, whole: false };
        let mut audited = Self::of(outcome, contexts);
        let stats = audited.totals.as_ref().map(ContextStats::from);
        let sound = audited.evidence.checks.iter_mut().find(|check| check.is_of_objects());
        if let (Some(check), Some(stats)) = (sound, stats) {
            check.text = context.words(number, of, &stats);
        }
        AuditedShare { audited, context }
    }
}

fn named(mut named: Named, contexts: Contexts, allowance: &Allowance) -> Audited {
    let (files, bytes, all) = named.finish();
    let mut checks = Vec::new();
    if named.problems.is_empty() {
        checks.push(Check::yes(
            Code::ContextHash,
            format!(
                "{files} files of the context, {bytes} bytes, have the hashes that they are named by; {}",
                commits_in_words(named.commits)
            ),
        ));
    }
    let hindered = (!all).then(|| allowance.exceeded("the hashes of the chunks of the context"));
    checks.extend(hindered.iter().map(Check::open));
    let evidence = Evidence { problems: named.problems.into_iter().collect(), checks };
    Audited { contexts, evidence, hindered, differs: false, totals: None, first: None }
}

fn unchecked() -> Check {
    Check::unknown(Code::ContextUnchecked, "not checked: the objects of the context")
}

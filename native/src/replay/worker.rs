//! One thread of a replay: a store, an engine and a context of its own, on which it runs one span after the other.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use rollsnap_core::context::edit::{Bytes, ObjectStore, Source, Tree};
use rollsnap_core::context::pack::{Head, Kind};
use rollsnap_core::context::{Commit, Context};
use rollsnap_core::feedback::Phase;
use rollsnap_core::members::PvmKind;
use rollsnap_core::pvm::{Engine, SharedReveal};
use rollsnap_core::replay::{Blocks, Commits, Origin, Replay};
use rollsnap_core::{Code, Feedback, Place as Where, Problem, Result};

use super::plan::{Plan, Span};
use super::{BlockRun, DalNode, Options, Place, Reveals, StoreLevels};
use crate::context::Moment;
use crate::l1::{self, L1};
use crate::store::{AnyStore, Records, close_any, open_any};

/// Most memory for pages of a database, in bytes: blocks, messages and inboxes are looked up by their hashes, so that the
/// next one lies anywhere.
const MAX_PAGES: u64 = 32 << 20;

/// What all threads of a replay share.
pub(super) struct Job<'j> {
    pub(super) place: &'j Place,
    pub(super) options: &'j Options,
    pub(super) origin: Origin,
    pub(super) context: Arc<Context<Moment>>,
    pub(super) spans: &'j [Span],
    /// The next span that nobody has taken.
    pub(super) next: AtomicUsize,
    /// The first span that met something: those behind it need not be run.
    pub(super) end: AtomicUsize,
    /// Ends everything.
    pub(super) stop: Arc<AtomicBool>,
    /// How much trees may load, in bytes, for each thread.
    pub(super) budget: u64,
}

/// What a thread says.
pub(super) enum Told {
    /// Blocks were run and agree.
    Blocks(usize, Vec<BlockRun>),
    /// A span has ended.
    End(usize, Result<()>),
    /// The thread could not go on: what it said of its spans may be wrong.
    Trouble(Problem),
}

/// Blocks that a thread has run and not told yet: each word wakes whoever listens, which takes as long as a short block.
struct Runs<'t> {
    number: usize,
    tell: &'t Sender<Told>,
    gathered: Vec<BlockRun>,
    told: Instant,
}

impl Runs<'_> {
    /// How long a block waits at most for the next one before it is told.
    const TIME: Duration = Duration::from_millis(20);

    /// Whether anybody listens.
    fn add(&mut self, run: BlockRun) -> bool {
        self.gathered.push(run);
        self.told.elapsed() < Self::TIME || self.tell()
    }

    fn tell(&mut self) -> bool {
        self.told = Instant::now();
        self.gathered.is_empty()
            || self.tell.send(Told::Blocks(self.number, std::mem::take(&mut self.gathered))).is_ok()
    }
}

/// The objects of a context that several threads read.
struct Shared(Arc<Context<Moment>>);

impl Source for Shared {
    fn head(&self, offset: u64) -> Result<Head> {
        self.0.head(offset)
    }

    fn object(&self, offset: u64, kind: Kind, most: u64, value: &mut Vec<u8>) -> Result<Head> {
        self.0.object(offset, kind, most, value)
    }

    fn name(&self, offset: u64, number: u64) -> Result<Bytes> {
        Source::name(&*self.0, offset, number)
    }
}

/// Shows nothing, and ends when the replay is stopped.
struct Until(Arc<AtomicBool>);

impl Feedback for Until {
    fn phase(&mut self, _: Phase) {}

    fn advance(&mut self, _: u64) {}

    fn note(&mut self, _: &str) {}

    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a thread works with.
struct Worker<'w> {
    job: &'w Job<'w>,
    engine: Box<dyn Engine>,
    reveal: SharedReveal,
    objects: Arc<ObjectStore>,
    until: Until,
}

impl<'j> Job<'j> {
    pub(super) fn new(
        place: &'j Place,
        options: &'j Options,
        origin: Origin,
        context: Arc<Context<Moment>>,
        plan: &'j Plan,
        threads: NonZeroUsize,
        feedback: &dyn Feedback,
    ) -> Self {
        Self {
            place,
            options,
            origin,
            context,
            spans: &plan.spans,
            next: AtomicUsize::new(0),
            end: AtomicUsize::new(usize::MAX),
            stop: Arc::new(AtomicBool::new(false)),
            budget: options.memory.min(feedback.allowance().bytes()) / threads.get() as u64,
        }
    }

    /// Runs spans until none is left.
    pub(super) fn work(&self, tell: &Sender<Told>, mut commits: Option<&mut dyn Commits>) {
        let worked = open_any(self.place.root(), self.options.family).and_then(|store| {
            self.spans(&store, tell, &mut commits)?;
            // What was read is of no moment that there ever was, if somebody wrote.
            close_any(store)
        });
        if let Err(problem) = worked {
            // Who does not listen has stopped already.
            let _ = tell.send(Told::Trouble(problem));
        }
    }

    fn spans(
        &self,
        store: &AnyStore,
        tell: &Sender<Told>,
        commits: &mut Option<&mut dyn Commits>,
    ) -> Result<()> {
        let objects = commits.as_ref().map_or_else(|| self.objects(), |commits| commits.objects());
        let mut worker = Worker {
            job: self,
            engine: self.options.engine.make(self.options.limits(&self.stop))?,
            reveal: self.reveal()?,
            objects,
            until: Until(self.stop.clone()),
        };
        let mut records = Records::new(store)?;
        records.keep_pages((self.budget / 4).min(MAX_PAGES))?;
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(span) = self.spans.get(number) else { return Ok(()) };
            if number > self.end.load(Ordering::Relaxed) {
                return Ok(());
            }
            let ended = worker.span(number, span, &mut records, tell, commits);
            if ended.is_err() {
                self.end.fetch_min(number, Ordering::Relaxed);
            }
            if tell.send(Told::End(number, ended)).is_err() {
                return Ok(());
            }
        }
    }

    /// Objects of the context, which are compared with their hashes when they are loaded.
    pub(super) fn objects(&self) -> Arc<ObjectStore> {
        ObjectStore::checked(Shared(self.context.clone()))
    }

    /// The replay that begins with the context of a span.
    pub(super) fn begin(&self, span: &Span, objects: &Arc<ObjectStore>) -> Result<Replay> {
        let begun = self.commit(span).and_then(|commit| {
            let root = Tree::load(objects, commit.root);
            Replay::begin(&commit, root, self.origin)
        });
        begun.map_err(|problem| Replay::at(span.start, problem))
    }

    fn commit(&self, span: &Span) -> Result<Commit> {
        let commit = self.context.commit_at(span.commit.offset)?;
        if commit.hash == span.commit.hash {
            return Ok(commit);
        }
        let problem = Problem::new(Code::ContextCommit).at(Where::Context(span.commit.offset));
        Err(problem.expected(span.commit.hash).found(commit.hash))
    }

    fn reveal(&self) -> Result<SharedReveal> {
        let Options { endpoint, dal_node, family, .. } = self.options;
        let root = self.place.root();
        let mut levels = StoreLevels::open(root, *family)?;
        if let Some(endpoint) = endpoint {
            let l1 = L1::new(endpoint, l1::Options::default())?;
            levels = levels.asking(l1, Box::new(Until(self.stop.clone())));
        }
        let pre_images = self.place.pre_images(PvmKind::Wasm200);
        let mut reveals = Reveals::new(pre_images, self.origin.rollup, levels);
        if let Some(endpoint) = dal_node {
            let feedback = Box::new(Until(self.stop.clone()));
            reveals = reveals.with_pages(DalNode::new(endpoint, l1::client::Options::default(), feedback)?);
        }
        Ok(Rc::new(RefCell::new(reveals)))
    }
}

impl Worker<'_> {
    fn span(
        &mut self,
        number: usize,
        span: &Span,
        records: &mut Records<'_>,
        tell: &Sender<Told>,
        commits: &mut Option<&mut dyn Commits>,
    ) -> Result<()> {
        let mut runs = Runs { number, tell, gathered: Vec::new(), told: Instant::now() };
        let ended = self.run(span, number, records, commits, &mut runs);
        // Those before the block at which it ended were run all the same.
        runs.tell();
        ended
    }

    fn run(
        &mut self,
        span: &Span,
        number: usize,
        records: &mut Records<'_>,
        commits: &mut Option<&mut dyn Commits>,
        runs: &mut Runs<'_>,
    ) -> Result<()> {
        let mut replay = self.job.begin(span, &self.objects)?;
        let checked = replay.check(&records.at(span.start)?);
        checked.map_err(|problem| Replay::at(span.start, problem))?;
        for level in span.start.saturating_add(1)..=span.last {
            self.until.checkpoint()?;
            if number > self.job.end.load(Ordering::Relaxed) {
                // Nobody asks for it any more.
                return Ok(());
            }
            let recorded = records.at(level)?;
            let begun = Instant::now();
            let commits = commits.as_mut().map(|commits| &mut **commits as &mut dyn Commits);
            let outcome = replay
                .block(&recorded, &mut *self.engine, &self.reveal, &self.until, commits)
                .map_err(|problem| {
                    let (context, objects) = (&self.job.context, &self.job.objects());
                    Replay::at(level, replay.explained(problem, &recorded, context, objects, &self.until))
                })?;
            let run = BlockRun::of(&recorded, &outcome, begun.elapsed());
            if !runs.add(run) {
                return Ok(());
            }
            replay.shrink(&self.objects, self.job.budget)?;
        }
        Ok(())
    }
}

//! The job: threads that run spans, and what they say put in the order of the blocks.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(doc)]
use rollsnap_core::Code;
use rollsnap_core::context::Context;
use rollsnap_core::feedback::{Phase as Stretch, Unit};
use rollsnap_core::replay::{Commits, Habit, Origin, refusal};
use rollsnap_core::{Feedback, Problem, Result};

use super::plan::Plan;
use super::worker::{Job, Told};
use super::{BlockRun, Options, Outcome, Place, StoreLevels};
use crate::context::Moment;
use crate::data_dir::metadata;
use crate::io;
use crate::pool;
use crate::store::{Records, close_any, open_any};

/// How often the user is asked whether to go on.
const TICK: Duration = Duration::from_millis(50);

/// Runs blocks again. Each is given to `each`, in the order of the levels, when it was run and agrees; `commits`, if
/// there, gets the contexts, which takes one thread. What is found stands in the outcome, also the problem that ended
/// it.
///
/// # Errors
/// What is refused before anything is run: [`Code::ReplayKind`], [`Code::ReplayProtocol`], [`Code::ReplayStart`],
/// `pvm.refused.…`; [`Code::LevelUnavailable`]; those of opening store and context;
/// [`Code::Cancelled`].
pub fn run(
    place: &Place,
    options: &Options,
    commits: Option<&mut dyn Commits>,
    phase: Stretch,
    feedback: &mut dyn Feedback,
    each: &mut dyn FnMut(&BlockRun),
) -> Result<Outcome> {
    let begun = Instant::now();
    let threads = match commits {
        Some(_) => NonZeroUsize::MIN,
        None => options.threads.unwrap_or_else(pool::cores),
    };
    let Ready { context, plan, origin, ticks } = Ready::make(place, options, threads, feedback)?;
    let threads = threads.min(NonZeroUsize::new(plan.spans.len()).unwrap_or(NonZeroUsize::MIN));
    let job = Job::new(place, options, origin, context, &plan, threads, feedback);
    if let Some(span) = plan.spans.first() {
        // A state that no replay can begin with, before anything is run.
        job.begin(span, &job.objects())?;
    }
    let total = Some(plan.blocks());
    feedback.phase(Stretch { total, unit: Unit::Blocks, ..phase });
    let mut done = Done { blocks: plan.blocks(), ticks, ..Done::default() };
    let mut order = Order { outcome: plan.outcome(), ..Order::default() };
    let trouble = work(&job, threads, commits, feedback, &mut |told, feedback| {
        if let Told::Blocks(_, runs) = &told {
            feedback.advance(runs.iter().map(|run| done.after(run)).sum());
        }
        order.take(told, each);
    })?;
    let mut outcome = order.outcome;
    if let Some(problem) = trouble {
        outcome.stopped = Some(problem);
    }
    outcome.time = begun.elapsed();
    Ok(outcome)
}

/// What a replay would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outlook {
    /// The levels of the block whose context it would begin with, and of the last one that would be run; `None` when there
    /// is nothing to run.
    pub levels: Option<(i32, i32)>,
    /// How many blocks would be run.
    pub blocks: u64,
    /// How many contexts would be made that are lost ([`Scope::Lost`](super::Scope::Lost)).
    pub lost: u64,
}

/// Finds out what [`run`] would do, and whether it would be refused. Runs nothing.
///
/// # Errors
/// What [`run`] refuses before anything is run.
pub fn outlook(place: &Place, options: &Options, feedback: &mut dyn Feedback) -> Result<Outlook> {
    let Ready { context, plan, origin, .. } = Ready::make(place, options, NonZeroUsize::MIN, feedback)?;
    let levels = plan.spans.first().zip(plan.spans.last()).map(|(first, last)| (first.start, last.last));
    let job = Job::new(place, options, origin, context, &plan, NonZeroUsize::MIN, feedback);
    if let Some(span) = plan.spans.first() {
        job.begin(span, &job.objects())?;
    }
    Ok(Outlook { levels, blocks: plan.blocks(), lost: plan.lost })
}

/// What is known before anything is run.
struct Ready {
    context: Arc<Context<Moment>>,
    plan: Plan,
    origin: Origin,
    ticks: Option<u128>,
}

impl Ready {
    fn make(
        place: &Place,
        options: &Options,
        threads: NonZeroUsize,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {
        let root = place.root();
        let metadata = metadata::require(root)?;
        refusal::kind(&metadata)?;
        let context = Arc::new(Context::open(Moment::take(&place.context())?)?);
        refusal::nds(context.files())?;
        let store = open_any(root, options.family)?;
        let plan = Plan::new(&store, &context, options.scope, options.shard, threads, feedback)?;
        let protocols = StoreLevels::open(root, options.family)?.into_protocols();
        let spans: Vec<_> = plan.spans.iter().map(|span| (span.start, span.last)).collect();
        let origin = refusal::protocols(&metadata, &protocols, &spans)?;
        let ticks = {
            let mut records = Records::new(&store)?;
            refusal::migrations(&protocols, &spans, origin.family, &mut records)?;
            plan.ticks(&mut records)?
        };
        close_any(store)?;
        Ok(Self { context, plan, origin, ticks })
    }
}

/// Lets the threads work until they have ended. What kept one from going on, if anything did.
fn work(
    job: &Job<'_>,
    threads: NonZeroUsize,
    commits: Option<&mut dyn Commits>,
    feedback: &mut dyn Feedback,
    take: &mut dyn FnMut(Told, &mut dyn Feedback),
) -> Result<Option<Problem>> {
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        let mut commits = commits;
        let mut started = 0;
        for number in 0..threads.get() {
            let (tell, commits) = (tell.clone(), commits.take());
            let thread = thread::Builder::new().name(format!("replay-{number}"));
            match thread.spawn_scoped(scope, move || job.work(&tell, commits)) {
                Ok(_) => started += 1,
                // Fewer threads are slower, no more.
                Err(_) if started > 0 => break,
                Err(err) => return Err(io::no_thread(err)),
            }
        }
        drop(tell);
        let listened = listen(&told, feedback, take);
        // Whoever still works need not.
        job.stop.store(true, Ordering::Relaxed);
        listened
    })
}

fn listen(
    told: &Receiver<Told>,
    feedback: &mut dyn Feedback,
    take: &mut dyn FnMut(Told, &mut dyn Feedback),
) -> Result<Option<Problem>> {
    let mut trouble = None;
    let mut asked = Instant::now();
    loop {
        let told = told.recv_timeout(TICK);
        if asked.elapsed() >= TICK {
            feedback.checkpoint()?;
            asked = Instant::now();
        }
        match told {
            Ok(Told::Trouble(problem)) => trouble = trouble.or(Some(problem)),
            Ok(told) => take(told, feedback),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(trouble),
        }
    }
}

/// How much is done: blocks, weighed by their ticks, for a block with ten runs of the kernel takes as long as ten with
/// one.
#[derive(Default)]
struct Done {
    /// How many blocks there are to run.
    blocks: u64,
    /// How many ticks they take, where that is known.
    ticks: Option<u128>,
    run: u64,
    ticks_run: u128,
    told: u64,
}

impl Done {
    /// How much more is done after this block, of as many as there are blocks.
    fn after(&mut self, run: &BlockRun) -> u64 {
        self.run = self.run.saturating_add(1);
        self.ticks_run = self.ticks_run.saturating_add(run.ticks);
        let done = match self.ticks.filter(|ticks| *ticks > 0) {
            Some(ticks) => {
                let share = self.ticks_run.saturating_mul(self.blocks.into()) / ticks;
                u64::try_from(share).unwrap_or(self.blocks).min(self.blocks)
            }
            None => self.run,
        };
        let more = done.saturating_sub(self.told);
        self.told = self.told.max(done);
        more
    }
}

/// Puts what several threads say in the order of the spans.
#[derive(Default)]
struct Order {
    /// The span whose blocks are given on as they come.
    current: usize,
    early: BTreeMap<usize, Vec<BlockRun>>,
    ended: BTreeMap<usize, Result<()>>,
    outcome: Outcome,
    habit: Habit,
}

impl Order {
    fn take(&mut self, told: Told, each: &mut dyn FnMut(&BlockRun)) {
        match told {
            Told::Blocks(number, runs) if number == self.current => {
                runs.iter().for_each(|run| self.count(run, each));
            }
            Told::Blocks(number, mut runs) => self.early.entry(number).or_default().append(&mut runs),
            Told::End(number, ended) => {
                self.ended.insert(number, ended);
                while let Some(ended) = self.ended.remove(&self.current) {
                    if let Err(problem) = ended {
                        // The rest came to nothing that would be said.
                        self.outcome.stopped.get_or_insert(problem);
                        self.current = usize::MAX;
                        return;
                    }
                    self.current += 1;
                    for run in self.early.remove(&self.current).unwrap_or_default() {
                        self.count(&run, each);
                    }
                }
            }
            Told::Trouble(_) => {}
        }
    }

    fn count(&mut self, run: &BlockRun, each: &mut dyn FnMut(&BlockRun)) {
        if self.outcome.stopped.is_some() {
            return;
        }
        if let Err(problem) = self.habit.check(run.level, run.names) {
            self.outcome.stopped = Some(problem);
            return;
        }
        self.outcome.count(run);
        each(run);
    }
}

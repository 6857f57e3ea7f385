//! The job: threads that run spans, and what they say put in the order of the blocks.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(doc)]
use rollsnap_core::Code;
use rollsnap_core::context::Context;
use rollsnap_core::feedback::{Phase as Stretch, Unit};
use rollsnap_core::replay::Commits;
use rollsnap_core::{Feedback, Problem, Result};

use super::plan::Plan;
use super::worker::{Job, Told};
use super::{BlockRun, Options, Outcome, Place, StoreLevels, refusal};
use crate::context::Moment;
use crate::data_dir::metadata;
use crate::io;
use crate::store::{Records, close_any, open_any};

/// How often the user is asked whether to go on.
const TICK: Duration = Duration::from_millis(50);

/// Runs blocks again. Each is given to `each`, in the order of the levels, when it was run and agrees; `commits`, if
/// there, gets the contexts, which takes one thread. What is found stands in the outcome, also the problem that ended
/// it.
///
/// # Errors
/// What is refused before anything is run: [`Code::ReplayKind`], [`Code::ReplayProtocol`], [`Code::ReplayStart`],
/// [`Code::ContextDual`], `pvm.refused.…`; [`Code::LevelUnavailable`]; those of opening store and context;
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
    let root = place.root();
    let metadata = metadata::require(root)?;
    refusal::kind(&metadata)?;
    let threads = match commits {
        Some(_) => NonZeroUsize::MIN,
        None => options.threads.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN),
    };
    let context = Arc::new(Context::open(Moment::take(&place.context())?)?);
    refusal::nds(&context)?;
    let store = open_any(root, options.family)?;
    let plan = Plan::new(&store, &context, options.scope, options.shard, threads, feedback)?;
    let protocols = StoreLevels::open(root, options.family)?.into_protocols();
    let origin = refusal::protocols(&metadata, &protocols, &plan)?;
    refusal::migrations(&protocols, &plan, origin.family, &mut Records::new(&store)?)?;
    close_any(store)?;
    let threads = threads.min(NonZeroUsize::new(plan.spans.len()).unwrap_or(NonZeroUsize::MIN));
    let job = Job {
        place,
        options,
        origin,
        context,
        spans: &plan.spans,
        next: AtomicUsize::new(0),
        end: AtomicUsize::new(usize::MAX),
        stop: Arc::new(AtomicBool::new(false)),
        budget: options.memory.min(feedback.allowance().bytes()) / threads.get() as u64,
    };
    if let Some(span) = plan.spans.first() {
        // A state that no replay can begin with, before anything is run.
        job.begin(span, &job.objects())?;
    }
    let total = Some(plan.blocks());
    feedback.phase(Stretch { total, unit: Unit::Blocks, ..phase });
    let mut order = Order { outcome: Outcome::of(&plan), ..Order::default() };
    let trouble = work(&job, threads, commits, feedback, &mut |told| order.take(told, each))?;
    let mut outcome = order.outcome;
    if let Some(problem) = trouble {
        outcome.stopped = Some(problem);
    }
    outcome.time = begun.elapsed();
    Ok(outcome)
}

/// Lets the threads work until they have ended. What kept one from going on, if anything did.
fn work(
    job: &Job<'_>,
    threads: NonZeroUsize,
    commits: Option<&mut dyn Commits>,
    feedback: &mut dyn Feedback,
    take: &mut dyn FnMut(Told),
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
    take: &mut dyn FnMut(Told),
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
            Ok(told) => {
                if matches!(told, Told::Block(..)) {
                    feedback.advance(1);
                }
                take(told);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(trouble),
        }
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
}

impl Order {
    fn take(&mut self, told: Told, each: &mut dyn FnMut(&BlockRun)) {
        match told {
            Told::Block(number, run) if number == self.current => self.count(&run, each),
            Told::Block(number, run) => self.early.entry(number).or_default().push(run),
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
        self.outcome.count(run);
        each(run);
    }
}

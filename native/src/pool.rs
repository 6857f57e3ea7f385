//! Threads at work on jobs, which come back in the order in which they were handed in.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rollsnap_core::{Code, Feedback, Problem, Result};

use crate::io;

/// More threads than this are not started, whatever the user wants: that is no machine's number.
#[cfg(feature = "cli")]
const MOST: usize = 256;

/// How long a job is waited for before looking whether the user wants to stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// How many threads the user wants to work at once; 0 when he has not said.
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// How many threads a job starts: one for each core, as far as the system tells, or as many as the user wants.
pub(crate) fn cores() -> NonZeroUsize {
    let wanted = NonZeroUsize::new(WANTED.load(Ordering::Relaxed));
    wanted.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

/// From now on jobs start so many threads.
#[cfg(feature = "cli")]
pub(crate) fn limit(threads: NonZeroUsize) {
    WANTED.store(threads.get().min(MOST), Ordering::Relaxed);
}

struct Job<T> {
    work: T,
    back: SyncSender<Result<T>>,
}

/// A number of threads at work. When it is dropped, they finish the jobs that they have in hand,
/// forget the others, and end.
pub(crate) struct Pool<T> {
    /// `None` when nothing more may be handed in.
    jobs: Option<Sender<Job<T>>>,
    under_way: VecDeque<Receiver<Result<T>>>,
    threads: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl<T: Send + 'static> Pool<T> {
    /// Starts threads of this name, each with a worker of its own.
    ///
    /// # Errors
    /// `io.other` when not a single thread can be started.
    pub(crate) fn new<W>(name: &str, threads: NonZeroUsize, worker: impl Fn() -> W) -> Result<Self>
    where
        W: FnMut(&mut T) -> Result<()> + Send + 'static,
    {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        let stop = Arc::new(AtomicBool::new(false));
        let mut pool =
            Self { jobs: Some(jobs), under_way: VecDeque::new(), threads: Vec::new(), stop: stop.clone() };
        for _ in 0..threads.get() {
            let (queue, stop, worker) = (queue.clone(), stop.clone(), worker());
            let thread = thread::Builder::new().name(name.into()).spawn(move || work(&queue, &stop, worker));
            match thread {
                Ok(thread) => pool.threads.push(thread),
                // Fewer threads are slower, no more.
                Err(_) if !pool.threads.is_empty() => break,
                Err(err) => return Err(io::no_thread(err)),
            }
        }
        Ok(pool)
    }

    /// How many jobs are handed in and not yet taken back.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Hands a job in.
    pub(crate) fn put(&mut self, work: T) -> Result<()> {
        let (back, result) = mpsc::sync_channel(1);
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(Job { work, back }).is_ok());
        self.under_way.push_back(result);
        if sent { Ok(()) } else { Err(ended()) }
    }

    /// As [`Pool::take`], and looks meanwhile whether the user wants to stop: what the job reads may be far away.
    pub(crate) fn take_unless(&mut self, feedback: &dyn Feedback) -> Option<Result<T>> {
        let result = self.under_way.pop_front()?;
        loop {
            match result.recv_timeout(PATIENCE) {
                Ok(result) => return Some(result),
                Err(RecvTimeoutError::Disconnected) => return Some(Err(ended())),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Err(stopped) = feedback.checkpoint() {
                return Some(Err(stopped));
            }
        }
    }

    /// Waits for the oldest job; `None` when there is none.
    pub(crate) fn take(&mut self) -> Option<Result<T>> {
        let result = self.under_way.pop_front()?;
        Some(result.recv().unwrap_or_else(|_| Err(ended())))
    }
}

impl<T> Drop for Pool<T> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A panic was already reported by the thread, and by `take`.
            let _ = thread.join();
        }
    }
}

fn work<T>(queue: &Mutex<Receiver<Job<T>>>, stop: &AtomicBool, mut worker: impl FnMut(&mut T) -> Result<()>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { mut work, back }) = job else { return };
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let result = worker(&mut work);
        // Nobody waits for it when the job was given up.
        let _ = back.send(result.map(|()| work));
    }
}

fn ended() -> Problem {
    Problem::new(Code::IoOther).headline("a thread has ended before its work was done")
}

//! Threads that compress pieces, and give them back in the order in which they were handed in.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rollsnap_core::{Code, Problem, Result};

use super::Level;
use super::encoder::Encoder;

/// A piece of the stream, before and after.
#[derive(Default)]
pub(super) struct Piece {
    /// The bytes, after `known` earlier ones.
    pub(super) data: Vec<u8>,
    pub(super) known: usize,
    /// The stream ends with it.
    pub(super) last: bool,
    /// Its deflate data; whatever it holds before is overwritten.
    pub(super) out: Vec<u8>,
    /// CRC-32 of the bytes, without those known.
    pub(super) crc: u32,
}

impl Piece {
    /// How many bytes it adds to the stream.
    pub(super) fn len(&self) -> usize {
        self.data.len() - self.known
    }
}

struct Job {
    piece: Piece,
    back: SyncSender<Result<Piece>>,
}

/// A number of threads at work. When it is dropped, they finish the pieces that they have in hand,
/// forget the others, and end.
pub(super) struct Pool {
    /// `None` when nothing more may be handed in.
    jobs: Option<Sender<Job>>,
    under_way: VecDeque<Receiver<Result<Piece>>>,
    threads: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Pool {
    pub(super) fn new(threads: NonZeroUsize, level: Level) -> Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        let stop = Arc::new(AtomicBool::new(false));
        let mut pool =
            Self { jobs: Some(jobs), under_way: VecDeque::new(), threads: Vec::new(), stop: stop.clone() };
        for _ in 0..threads.get() {
            let (queue, stop) = (queue.clone(), stop.clone());
            let thread =
                thread::Builder::new().name("deflate".into()).spawn(move || work(&queue, &stop, level));
            match thread {
                Ok(thread) => pool.threads.push(thread),
                // Fewer threads are slower, no more.
                Err(_) if !pool.threads.is_empty() => break,
                Err(err) => {
                    return Err(Problem::new(Code::IoOther).headline("cannot start a thread").because(err));
                }
            }
        }
        Ok(pool)
    }

    /// How many pieces are handed in and not yet taken back.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Hands a piece in.
    pub(super) fn put(&mut self, piece: Piece) -> Result<()> {
        let (back, result) = mpsc::sync_channel(1);
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(Job { piece, back }).is_ok());
        self.under_way.push_back(result);
        if sent { Ok(()) } else { Err(ended()) }
    }

    /// Waits for the oldest piece; `None` when there is none.
    pub(super) fn take(&mut self) -> Option<Result<Piece>> {
        let result = self.under_way.pop_front()?;
        Some(result.recv().unwrap_or_else(|_| Err(ended())))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A panic was already reported by the thread, and by `take`.
            let _ = thread.join();
        }
    }
}

fn work(queue: &Mutex<Receiver<Job>>, stop: &AtomicBool, level: Level) {
    let mut encoder = Encoder::new(level);
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { mut piece, back }) = job else { return };
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let result = encoder.encode(&piece.data, piece.known, piece.last, &mut piece.out);
        piece.crc = crc32fast::hash(piece.data.get(piece.known..).unwrap_or_default());
        // Nobody waits for it when the job was given up.
        let _ = back.send(result.map(|()| piece));
    }
}

fn ended() -> Problem {
    Problem::new(Code::IoOther).headline("a thread that compresses has ended")
}

//! Threads for hashing the objects of a context.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rollsnap_core::context::verify::{Hasher, Immediate, Mismatch, Window};

use crate::pool;

/// How many full windows may wait for each thread.
const WAITING: usize = 2;

/// Hashes on other threads, while this one reads and looks up. What is found comes in order.
#[derive(Debug)]
pub struct Threads {
    work: Option<Sender<(u64, Window)>>,
    done: Receiver<(u64, Window, Vec<Mismatch>)>,
    workers: Vec<JoinHandle<()>>,
    sent: u64,
    told: u64,
    early: BTreeMap<u64, Vec<Mismatch>>,
    spare: Vec<Window>,
}

impl Threads {
    /// One thread less than may work at once, for this one reads; with one, it does all.
    pub fn of_this_machine() -> Self {
        Self::new(pool::cores().get() - 1)
    }

    /// As many threads. Where there are none, the thread that asks hashes.
    pub fn new(count: usize) -> Self {
        let (work, jobs) = mpsc::channel::<(u64, Window)>();
        let (report, done) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(jobs));
        let workers = (0..count).map(|number| {
            let (jobs, report) = (Arc::clone(&jobs), report.clone());
            thread::Builder::new().name(format!("hashing-{number}")).spawn(move || {
                loop {
                    let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((number, mut window)) = job else { return };
                    let mut found = Vec::new();
                    window.check(&mut |mismatch| found.push(mismatch));
                    window.clear();
                    if report.send((number, window, found)).is_err() {
                        return;
                    }
                }
            })
        });
        let workers: Vec<_> = workers.map_while(std::io::Result::ok).collect();
        Self {
            work: (!workers.is_empty()).then_some(work),
            done,
            workers,
            sent: 0,
            told: 0,
            early: BTreeMap::new(),
            spare: Vec::new(),
        }
    }

    fn under_way(&self) -> u64 {
        self.sent - self.told - self.early.len() as u64
    }

    /// Takes one result, and tells what is next in order.
    fn collect(&mut self, report: &mut dyn FnMut(Mismatch)) {
        let Ok((number, window, found)) = self.done.recv() else {
            // No worker is left, which only a panic in one can lead to: nothing more will come.
            self.told = self.sent - self.early.len() as u64;
            return;
        };
        self.spare.push(window);
        self.early.insert(number, found);
        while let Some(found) = self.early.remove(&self.told) {
            self.told += 1;
            found.into_iter().for_each(&mut *report);
        }
    }
}

impl Hasher for Threads {
    fn hash(&mut self, full: Window, report: &mut dyn FnMut(Mismatch)) -> Window {
        // Without workers, this thread does it, and nothing is ever under way.
        if self.workers.is_empty() {
            return Immediate.hash(full, report);
        }
        let most = (self.workers.len() * WAITING) as u64;
        while self.under_way() >= most {
            self.collect(report);
        }
        let Some(work) = &self.work else { return Immediate.hash(full, report) };
        match work.send((self.sent, full)) {
            Ok(()) => self.sent += 1,
            Err(mpsc::SendError((_, full))) => return Immediate.hash(full, report),
        }
        self.spare.pop().unwrap_or_default()
    }

    fn finish(&mut self, report: &mut dyn FnMut(Mismatch)) {
        while self.under_way() > 0 {
            self.collect(report);
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.work = None;
        for worker in self.workers.drain(..) {
            // A panic was told already where it happened.
            let _ = worker.join();
        }
    }
}

//! What the check of a context needs of this machine: threads for hashing, and a temporary file for
//! what must wait.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rollsnap_core::Result;
use rollsnap_core::context::verify::{Hasher, Immediate, Mismatch, Spool, Window};

use crate::io;

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
    /// As many threads; at least one.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(count: usize) -> std::io::Result<Self> {
        let (work, jobs) = mpsc::channel::<(u64, Window)>();
        let (report, done) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(jobs));
        let workers = (0..count.max(1)).map(|number| {
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
        let workers = workers.collect::<std::io::Result<_>>()?;
        Ok(Self {
            work: Some(work),
            done,
            workers,
            sent: 0,
            told: 0,
            early: BTreeMap::new(),
            spare: Vec::new(),
        })
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
        let most = (self.workers.len() * WAITING) as u64;
        while self.under_way() >= most {
            self.collect(report);
        }
        match self.work.as_ref().map(|work| work.send((self.sent, full))) {
            Some(Ok(())) => self.sent += 1,
            // Without workers, this thread does it.
            Some(Err(mpsc::SendError((_, full)))) => return Immediate.hash(full, report),
            None => {}
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

/// A spool in a temporary file without a name: it is gone when this is dropped, whatever happens.
#[derive(Debug)]
pub struct TempSpool {
    file: File,
    directory: PathBuf,
    len: u64,
}

impl TempSpool {
    /// A spool in this directory.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn new(directory: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(directory)
            .map_err(|err| io::problem("create a temporary file in", directory, err))?;
        Ok(Self { file, directory: directory.into(), len: 0 })
    }
}

impl Spool for TempSpool {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file
            .write_all_at(bytes, self.len)
            .map_err(|err| io::problem("write to a temporary file in", &self.directory, err))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn read_at(&mut self, position: u64, out: &mut [u8]) -> Result<()> {
        self.file
            .read_exact_at(out, position)
            .map_err(|err| io::problem("read from a temporary file in", &self.directory, err))
    }
}

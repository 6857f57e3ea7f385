//! Writes trace and record, from the thread that writes the members, and one that syncs meanwhile.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use rollsnap_core::{Code, Problem, Report, Result};

use super::record::{Record, Slots, TRACE};
use crate::dir::{Dir, Durable};
use crate::io::{self, problem};
use crate::source::{Place, SumSoFar};

/// So much of the trace is kept in memory before it goes to its file, in bytes.
const PENDING: usize = 256 << 10;

/// Takes records, and writes them.
type Syncer = (SyncSender<Vec<u8>>, JoinHandle<Result<()>>);

/// The log of one run.
#[derive(Debug)]
pub(crate) struct Log {
    dir: Dir,
    /// What it is of, and what the last record said.
    record: Record,
    /// What of the trace is not in its file yet.
    pending: Vec<u8>,
    trace: Option<File>,
    syncer: Option<Syncer>,
}

impl Log {
    /// The log in a directory, of a record that says how far the job has come.
    pub(crate) fn new(dir: &Dir, record: Record) -> Self {
        Self { dir: dir.clone(), record, pending: Vec::new(), trace: None, syncer: None }
    }

    /// Whether an earlier run has unpacked something.
    pub(crate) fn goes_on(&self) -> bool {
        self.record.content > 0
    }

    /// The next bytes of the content that are no member's.
    pub(crate) fn structure(&mut self, bytes: &[u8]) -> Result<()> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() < PENDING { Ok(()) } else { self.write_trace() }
    }

    /// Everything before `content` was handed to the operating system, and reading can go on at `place`, with this sum of the
    /// file.
    pub(crate) fn record(&mut self, content: u64, place: Place, sum: Option<SumSoFar>) -> Result<()> {
        self.write_trace()?;
        (self.record.content, self.record.place, self.record.sum) = (content, place, sum);
        self.hand_over()
    }

    /// All was unpacked: says so, where there is a record, and waits until it does.
    pub(crate) fn complete(mut self, report: Box<Report>) -> Result<()> {
        if self.record.content > 0 {
            self.write_trace()?;
            self.record.content = report.container.bytes.unwrap_or(self.record.content);
            self.record.report = Some(report);
            self.hand_over()?;
        }
        self.outcome()
    }

    fn hand_over(&mut self) -> Result<()> {
        let failed = |err| problem("write", &self.dir.place(super::RECORD), err);
        let text = self.record.encode().map_err(failed)?;
        if self.syncer.is_none() {
            let (sender, records) = mpsc::sync_channel(1);
            let dir = self.dir.clone();
            let thread = thread::Builder::new().name("sync".into()).spawn(move || sync(&dir, &records));
            self.syncer = Some((sender, thread.map_err(io::no_thread)?));
        }
        match &self.syncer {
            Some((records, _)) if records.send(text).is_ok() => Ok(()),
            // It ends early only when something has failed.
            _ => self.outcome().and_then(|()| Err(ended())),
        }
    }

    fn write_trace(&mut self) -> Result<()> {
        let place = self.dir.place(TRACE);
        let failed = |err| problem("write", &place, err);
        let file = match &mut self.trace {
            Some(file) => file,
            None => {
                let file = match self.dir.file_for_writing(TRACE)? {
                    Some(file) => file,
                    None => self.dir.create(TRACE, 0o600).map_err(failed)?,
                };
                // What is beyond the record belongs to what is unpacked anew.
                file.set_len(self.record.trace).map_err(failed)?;
                self.trace.insert(file)
            }
        };
        file.seek(SeekFrom::Start(self.record.trace)).map_err(failed)?;
        file.write_all(&self.pending).map_err(failed)?;
        self.record.trace += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    fn outcome(&mut self) -> Result<()> {
        let Some((records, thread)) = self.syncer.take() else { return Ok(()) };
        drop(records);
        thread.join().unwrap_or_else(|_| Err(ended()))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // Somebody else has failed, and tells.
        let _ = self.outcome();
    }
}

/// Writes each record when what it speaks of is on the disk.
fn sync(dir: &Dir, records: &Receiver<Vec<u8>>) -> Result<()> {
    let durable = Durable::begin(dir);
    let mut slots = None;
    for text in records {
        durable.sync_all(dir)?;
        let slots = match &mut slots {
            Some(slots) => slots,
            None => slots.insert(Slots::open(dir)?),
        };
        slots.write(&text).map_err(|err| problem("write", &dir.place(super::RECORD), err))?;
        dir.sync()?;
    }
    Ok(())
}

fn ended() -> Problem {
    Problem::new(Code::IoOther).headline("a thread that syncs has ended")
}

//! The phases of a long job: announced to the user, timed for the outcome.

use std::time::{Duration, Instant};

use rollsnap_core::Feedback;
use rollsnap_core::feedback::{Phase, Unit};

/// Counts and times the phases of a job.
#[derive(Debug)]
pub struct Phases {
    of: u32,
    /// Numbers that phases within phases took.
    skipped: u32,
    begun: Option<(&'static str, Instant)>,
    done: Vec<(&'static str, Duration)>,
}

impl Phases {
    /// A job of so many phases.
    pub fn new(of: u32) -> Self {
        Self { of, skipped: 0, begun: None, done: Vec::new() }
    }

    /// Begins the next phase, which will read or write `total` bytes.
    pub fn begin(&mut self, name: &'static str, total: Option<u64>, feedback: &mut dyn Feedback) {
        let phase = self.next(name);
        feedback.phase(Phase { total, ..phase });
    }

    /// Begins the next phase without telling: for a phase that tells itself, once it knows its
    /// total.
    pub fn next(&mut self, name: &'static str) -> Phase {
        self.end();
        self.begun = Some((name, Instant::now()));
        let index = self.done.len() as u32 + self.skipped + 1;
        Phase { index, of: self.of, name, total: None, unit: Unit::Bytes }
    }

    /// Like [`Phases::next`], for what will tell two phases.
    pub fn next_two(&mut self, name: &'static str) -> Phase {
        let phase = self.next(name);
        self.skipped += 1;
        phase
    }

    /// Leaves out the next phases: there is nothing to do in them.
    pub fn skip(&mut self, count: u32) {
        self.skipped += count;
    }

    /// Ends the last phase. Name and duration of each, in order.
    pub fn finish(mut self) -> Vec<(&'static str, Duration)> {
        self.end();
        self.done
    }

    fn end(&mut self) {
        if let Some((name, since)) = self.begun.take() {
            self.done.push((name, since.elapsed()));
        }
    }
}

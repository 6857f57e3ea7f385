//! When a record is made.

use std::time::{Duration, Instant};

/// How often it is recorded how far a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// After so much content, in bytes.
    pub content: u64,
    /// After so long a time.
    pub time: Duration,
}

/// While one record goes to the disk the next can wait: so at most twice as much is unpacked again.
impl Default for Interval {
    fn default() -> Self {
        Self { content: 128 << 20, time: Duration::from_secs(15) }
    }
}

/// When the next record is due.
#[derive(Debug)]
pub(crate) struct Due {
    interval: Interval,
    content: u64,
    since: Instant,
}

impl Due {
    /// So much of the content, in bytes, is in the last record.
    pub(crate) fn after(interval: Interval, content: u64) -> Self {
        Self { interval, content, since: Instant::now() }
    }

    /// The next one, after a record of so much.
    pub(crate) fn next(&mut self, content: u64) {
        *self = Self::after(self.interval, content);
    }

    /// Whether it is, now that so much was unpacked.
    pub(crate) fn is_at(&self, content: u64) -> bool {
        let since = content - self.content.min(content);
        since > 0 && (since >= self.interval.content || self.since.elapsed() >= self.interval.time)
    }
}

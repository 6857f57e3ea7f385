//! The command line under limits: how much memory and time a command took, and that it was within
//! what it may take, whatever its input says.

use std::fmt;
use std::fs;
use std::time::Duration;

use serde::Deserialize;

use crate::cli::{Ground, Run, limited, program};

/// What a command may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most memory that is resident at any time, in bytes.
    pub memory: u64,
    /// Most time on processors, all threads and user and system together.
    pub cpu: Duration,
    /// Most time on the clock. Tests run side by side, so this is for commands that hang.
    pub wall: Duration,
}

/// What a command took.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Used {
    /// Most memory that was resident, in bytes.
    pub rss: u64,
    /// Seconds on processors.
    pub cpu: f64,
    /// Seconds on the clock.
    pub wall: f64,
}

/// What every small file that is made to do harm has to leave: 100 MiB and 10 seconds of one processor.
pub const BOMB: Limits =
    Limits { memory: 100 << 20, cpu: Duration::from_secs(10), wall: Duration::from_secs(120) };

/// The address space that a command gets: threads and their allocators reserve much more than they
/// use. What asks for more than this at once was told a number and believed it.
const ADDRESS_SPACE: u64 = 2 << 30;

impl Ground {
    /// Runs `rollsnap` with these arguments under limits that the system enforces, and asserts that it
    /// stayed within them.
    #[track_caller]
    pub fn run_within(&self, limits: Limits, words: &[&str]) -> (Run, Used) {
        let (run, used) = self.measure(limits, words);
        let fits = used.rss <= limits.memory && used.cpu <= limits.cpu.as_secs_f64();
        assert!(fits && used.wall <= limits.wall.as_secs_f64(), "{used} of {limits:?}: {run}");
        assert!(!run.err.contains("panicked"), "{run}");
        (run, used)
    }

    /// Runs `rollsnap` with these arguments and says what it took. Only what is far beyond the limits
    /// is stopped.
    #[track_caller]
    pub fn measure(&self, limits: Limits, words: &[&str]) -> (Run, Used) {
        let answer = tempfile::NamedTempFile::new().unwrap();
        let mut command = limited();
        command
            .arg(answer.path())
            .arg(ADDRESS_SPACE.max(limits.memory.saturating_mul(2)).to_string())
            .arg((limits.cpu.as_secs() + 1).to_string())
            .arg(limits.wall.as_secs_f64().to_string())
            .arg(program())
            .args(words);
        let run = Run::of(words, self.isolate(&mut command).output().unwrap());
        let said = fs::read(answer.path()).unwrap();
        let used = serde_json::from_slice(&said).unwrap_or_else(|err| panic!("{err}: {run}"));
        (run, used)
    }
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MiB, {:.1} s of processor, {:.1} s", self.rss >> 20, self.cpu, self.wall)
    }
}

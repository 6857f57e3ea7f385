//! A file fetched ahead of who reads it in order, in pieces, over several connections.
//!
//! Pieces are asked for in their order, and no further ahead than the window, so that memory stays flat whatever the size
//! of the file. A connection that breaks leaves what it brought: the rest of its piece is asked for by the next. When
//! nothing is left to ask for, a piece that takes much longer than the others is asked for a second time.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rollsnap_core::{Problem, Result};

use super::file::{RemoteFile, lock};
use super::opening::{POLL, wait};
use super::request::{Failure, SETTLED};

/// How far ahead of what was passed it is fetched, in bytes, in all connections together.
const WINDOW: u64 = 24 << 20;

/// The longest piece, in bytes.
const LONGEST: u64 = 4 << 20;

/// How many times slower than the others a connection may be.
const SLOW: u64 = 8;

/// A piece is asked for a second time when it took as many times as long as the others do, and at least so long.
const LATE: (u32, Duration) = (2, Duration::from_secs(2));

/// How many pieces tell how fast the others are.
const REMEMBERED: usize = 16;

/// The pieces of a file from `begin` on.
pub(super) struct Ahead {
    begin: u64,
    end: u64,
    piece: u64,
    connections: usize,
    state: Mutex<State>,
    changed: Condvar,
    stop: AtomicBool,
}

struct State {
    /// Where the first piece begins that was not asked for yet.
    next: u64,
    /// Nothing before this is read any more.
    passed: u64,
    pieces: BTreeMap<u64, Piece>,
    /// Why nothing more comes.
    failed: Option<Problem>,
    /// Since when nothing has come; `None` while something does.
    dry: Option<Instant>,
    /// How long the last pieces took.
    times: VecDeque<Duration>,
    /// What pieces were kept in, to be filled again: memory that goes back and forth between threads does not come back.
    spare: Vec<Vec<u8>>,
}

enum Piece {
    /// Nobody fetches the rest of it.
    Left(Vec<u8>),
    /// So many connections fetch it.
    Loading {
        since: Instant,
        hands: u8,
    },
    Ready(Arc<Vec<u8>>),
}

/// A piece to fetch, and what is there of it.
struct Work {
    start: u64,
    bytes: Vec<u8>,
}

impl Ahead {
    pub(super) fn new(begin: u64, end: u64, connections: usize) -> Self {
        let state = State {
            next: begin,
            passed: begin,
            pieces: BTreeMap::new(),
            failed: None,
            dry: None,
            times: VecDeque::new(),
            spare: Vec::new(),
        };
        Self {
            begin,
            end,
            piece: (WINDOW / connections.max(1) as u64).next_multiple_of(1 << 16).min(LONGEST),
            connections,
            state: state.into(),
            changed: Condvar::new(),
            stop: false.into(),
        }
    }

    /// Fills `out`, and waits for what is under way. False when these bytes are not among those that are fetched: they are
    /// far ahead, or behind.
    ///
    /// # Errors
    /// Why nothing more comes; those of `checkpoint`.
    pub(super) fn read(
        &self,
        mut offset: u64,
        mut out: &mut [u8],
        checkpoint: &dyn Fn() -> Result<()>,
    ) -> Result<bool> {
        while !out.is_empty() {
            let Some(start) = self.start_of(offset) else { return Ok(false) };
            let Some(piece) = self.wait_for(start, checkpoint)? else { return Ok(false) };
            let bytes = piece.get((offset - start) as usize..).unwrap_or_default();
            let len = bytes.len().min(out.len());
            if len == 0 {
                return Ok(false);
            }
            let (now, later) = out.split_at_mut(len);
            now.copy_from_slice(bytes.get(..len).unwrap_or_default());
            (out, offset) = (later, offset + len as u64);
        }
        Ok(true)
    }

    /// Nothing before `offset` is read any more.
    pub(super) fn passed(&self, offset: u64) {
        let mut state = lock(&self.state);
        if offset <= state.passed {
            return;
        }
        state.passed = offset;
        while let Some(entry) = state.pieces.first_entry() {
            if self.range_of(*entry.key()).end > offset || matches!(entry.get(), Piece::Loading { .. }) {
                break;
            }
            if let Piece::Ready(bytes) = entry.remove()
                && let Ok(mut bytes) = Arc::try_unwrap(bytes)
            {
                bytes.clear();
                state.spare.push(bytes);
            }
        }
        self.changed.notify_all();
    }

    /// What was fetched of these bytes is fetched anew.
    pub(super) fn forget(&self, range: &Range<u64>) {
        let mut state = lock(&self.state);
        for (start, piece) in &mut state.pieces {
            if *start < range.end && start + self.piece > range.start && matches!(piece, Piece::Ready(_)) {
                *piece = Piece::Left(Vec::new());
            }
        }
        self.changed.notify_all();
    }

    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.changed.notify_all();
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn start_of(&self, offset: u64) -> Option<u64> {
        let within = (self.begin..self.end).contains(&offset).then(|| offset - self.begin)?;
        Some(self.begin + within / self.piece * self.piece)
    }

    fn range_of(&self, start: u64) -> Range<u64> {
        start..(start + self.piece).min(self.end)
    }

    fn wait_for(&self, start: u64, checkpoint: &dyn Fn() -> Result<()>) -> Result<Option<Arc<Vec<u8>>>> {
        let mut state = lock(&self.state);
        if self.range_of(start).end <= state.passed || start >= state.passed.saturating_add(WINDOW) {
            return Ok(None);
        }
        loop {
            match state.pieces.get(&start) {
                Some(Piece::Ready(bytes)) => return Ok(Some(Arc::clone(bytes))),
                // It went while this thread waited.
                None if start < state.next => return Ok(None),
                _ => {}
            }
            if let Some(problem) = &state.failed {
                return Err(problem.clone());
            }
            let waited = self.changed.wait_timeout(state, POLL).unwrap_or_else(PoisonError::into_inner);
            state = waited.0;
            checkpoint()?;
        }
    }

    /// The next piece to fetch; `None` when there will be none.
    fn take(&self) -> Option<Work> {
        let mut state = lock(&self.state);
        loop {
            if self.is_stopped() || state.failed.is_some() {
                return None;
            }
            if let Some(work) =
                state.left().or_else(|| self.next(&mut state)).or_else(|| self.late(&mut state))
            {
                return Some(work);
            }
            // Also when all is there: a piece may have to be fetched anew.
            let waited = self.changed.wait_timeout(state, POLL * 2).unwrap_or_else(PoisonError::into_inner);
            state = waited.0;
        }
    }

    /// A piece that nobody has asked for, within the window.
    fn next(&self, state: &mut State) -> Option<Work> {
        let start = state.next;
        if start >= self.end || start >= state.passed.saturating_add(WINDOW) {
            return None;
        }
        state.next = self.range_of(start).end;
        state.pieces.insert(start, Piece::Loading { since: Instant::now(), hands: 1 });
        Some(Work {
            start,
            bytes: state.spare.pop().unwrap_or_else(|| Vec::with_capacity(self.piece as usize)),
        })
    }

    /// A piece that takes too long, at the end of the file.
    fn late(&self, state: &mut State) -> Option<Work> {
        let (times, least) = LATE;
        let usual = state.usual()?;
        if state.next < self.end {
            return None;
        }
        state.pieces.iter_mut().find_map(|(start, piece)| match piece {
            Piece::Loading { since, hands: hands @ 1 } if since.elapsed() > (usual * times).max(least) => {
                *hands = 2;
                Some(Work { start: *start, bytes: Vec::new() })
            }
            _ => None,
        })
    }

    /// A piece is there, or as much of it as there is: `time` is how long it took, if it is whole.
    fn give_back(&self, work: Work, time: Option<Duration>) {
        let mut state = lock(&self.state);
        let Work { start, bytes } = work;
        let whole = bytes.len() as u64 == self.range_of(start).end - start;
        let piece = state.pieces.get_mut(&start);
        match piece {
            Some(Piece::Loading { hands, .. }) if !whole && *hands > 1 => *hands -= 1,
            Some(piece @ Piece::Loading { .. }) => {
                *piece = if whole { Piece::Ready(Arc::new(bytes)) } else { Piece::Left(bytes) };
                if let Some(time) = time.filter(|_| whole) {
                    state.times.truncate(REMEMBERED - 1);
                    state.times.push_front(time);
                }
            }
            // Another connection was faster.
            _ => {}
        }
        self.changed.notify_all();
    }

    /// Whether this piece is still to be fetched.
    fn is_wanted(&self, start: u64) -> bool {
        !self.is_stopped() && !matches!(lock(&self.state).pieces.get(&start), Some(Piece::Ready(_)) | None)
    }

    /// Something came, or nothing. Says for how long nothing has.
    fn came(&self, something: bool) -> Duration {
        let mut state = lock(&self.state);
        if something {
            state.dry = None;
            return Duration::ZERO;
        }
        state.dry.get_or_insert_with(Instant::now).elapsed()
    }

    fn usual_time(&self) -> Option<Duration> {
        lock(&self.state).usual()
    }

    fn fail(&self, problem: Problem) {
        let mut state = lock(&self.state);
        state.failed.get_or_insert(problem);
        self.changed.notify_all();
    }
}

impl State {
    /// The first piece of which a connection has left a rest.
    fn left(&mut self) -> Option<Work> {
        let found = self.pieces.iter_mut().find(|(_, piece)| matches!(piece, Piece::Left(_)));
        let (start, piece) = found?;
        match std::mem::replace(piece, Piece::Loading { since: Instant::now(), hands: 1 }) {
            Piece::Left(bytes) => Some(Work { start: *start, bytes }),
            _ => None,
        }
    }

    /// How long the last pieces took, half of them longer.
    fn usual(&self) -> Option<Duration> {
        let mut times: Vec<_> = self.times.iter().copied().collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied()
    }
}

/// Starts the threads that fetch. They end when nobody reads any more, at their next byte.
pub(super) fn start(file: &RemoteFile, ahead: &Arc<Ahead>) {
    for number in 0..ahead.connections {
        let (file, shared) = (file.clone(), Arc::clone(ahead));
        let thread = thread::Builder::new().name("fetch".into()).spawn(move || work(&file, &shared));
        if let Err(err) = thread {
            if number == 0 {
                ahead.fail(crate::io::no_thread(err));
            }
            // Fewer connections are slower, no more.
            return;
        }
    }
}

fn work(file: &RemoteFile, ahead: &Ahead) {
    let mut tries = 0;
    while let Some(mut work) = ahead.take() {
        let range = ahead.range_of(work.start);
        let rest = range.start + work.bytes.len() as u64..range.end;
        let (begun, before) = (Instant::now(), work.bytes.len());
        let usual = ahead.usual_time();
        let mut slow = false;
        let start = work.start;
        let result = file.fetch(&rest, |bytes| {
            work.bytes.extend_from_slice(bytes);
            ahead.came(true);
            slow = is_slow(begun.elapsed(), work.bytes.len() - before, ahead.piece, usual);
            !slow && ahead.is_wanted(start)
        });
        let brought = work.bytes.len() > before;
        let time = begun.elapsed();
        // A piece that was begun by another connection says nothing of this one.
        ahead.give_back(work, (before == 0).then_some(time));
        tries = if brought { 0 } else { tries + 1 };
        if let Err(failure) = result
            && let Err(problem) = pause(file, ahead, failure, tries)
        {
            return ahead.fail(problem);
        }
    }
}

/// Waits before the next request of this connection.
fn pause(file: &RemoteFile, ahead: &Ahead, failure: Failure, tries: u32) -> Result<()> {
    let dry = if tries == 0 { Duration::ZERO } else { ahead.came(false) };
    let time = file.after(failure, tries, dry)?;
    let checkpoint = || match ahead.is_stopped() {
        true => Err(Problem::new(rollsnap_core::Code::Cancelled)),
        false => Ok(()),
    };
    // Who stopped asks for nothing more.
    let _ = wait(time, &checkpoint);
    Ok(())
}

/// Whether a connection that brought so many bytes in a time is much slower than those that brought whole pieces.
fn is_slow(time: Duration, got: usize, piece: u64, usual: Option<Duration>) -> bool {
    let Some(usual) = usual.filter(|_| time > SETTLED) else { return false };
    let expected = piece as f64 * time.as_secs_f64() / usual.as_secs_f64().max(0.001);
    (got as f64) * (SLOW as f64) < expected
}

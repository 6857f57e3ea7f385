//! A file fetched ahead of who reads it in order, in pieces, over several connections.
//!
//! Pieces are asked for in their order, and no further ahead than the window, so that memory stays flat whatever the size
//! of the file. They are spread over the sources of the file. A connection that breaks leaves what it brought: the rest of
//! its piece is asked for by the next, from another source if there is one. When nothing is left to ask for, a piece that
//! takes much longer than the others is asked for a second time.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rollsnap_core::{Code, Problem, Result};

use super::blocks::patch;
use super::file::{RemoteFile, lock};
use super::opening::{POLL, wait};
use super::request::SETTLED;

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
    sources: usize,
    state: Mutex<State>,
    changed: Condvar,
    stop: AtomicBool,
    /// How many bytes have come.
    came: AtomicU64,
}

struct State {
    /// Where the first piece begins that was not asked for yet.
    next: u64,
    /// Nothing before this is read any more.
    passed: u64,
    pieces: BTreeMap<u64, Piece>,
    /// Why nothing more comes.
    failed: Option<Problem>,
    /// How long the last pieces took.
    times: VecDeque<Duration>,
    /// What pieces were kept in, to be filled again: memory that goes back and forth between threads does not come back.
    spare: Vec<Vec<u8>>,
}

enum Piece {
    /// Nobody fetches the rest of it.
    Left {
        bytes: Vec<u8>,
        /// The source that has failed to bring it.
        by: Option<usize>,
    },
    /// So many connections fetch it.
    Loading {
        since: Instant,
        hands: u8,
        /// The source that was asked first.
        by: Option<usize>,
    },
    Ready {
        bytes: Arc<Vec<u8>>,
        /// The source that brought the last of it.
        by: usize,
    },
}

/// A piece to fetch, and what is there of it.
struct Work {
    start: u64,
    bytes: Vec<u8>,
    /// The source that should not be asked for it.
    avoid: Option<usize>,
}

impl Ahead {
    pub(super) fn new(begin: u64, end: u64, connections: usize, sources: usize) -> Self {
        let state = State {
            next: begin,
            passed: begin,
            pieces: BTreeMap::new(),
            failed: None,
            times: VecDeque::new(),
            spare: Vec::new(),
        };
        Self {
            begin,
            end,
            piece: (WINDOW / connections.max(1) as u64).next_multiple_of(1 << 16).min(LONGEST),
            connections,
            sources,
            state: state.into(),
            changed: Condvar::new(),
            stop: false.into(),
            came: 0.into(),
        }
    }

    /// Up to where as many bytes have come as if they had come in order.
    pub(super) fn reached(&self) -> u64 {
        let came = self.begin.saturating_add(self.came.load(Ordering::Relaxed));
        // Some pieces come twice.
        came.min(lock(&self.state).next)
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
            if let Piece::Ready { bytes, .. } = entry.remove()
                && let Ok(mut bytes) = Arc::try_unwrap(bytes)
            {
                bytes.clear();
                state.spare.push(bytes);
            }
        }
        self.changed.notify_all();
    }

    /// Puts right bytes in the place of wrong ones, where they are kept.
    pub(super) fn mend(&self, offset: u64, bytes: &[u8]) {
        let end = offset + bytes.len() as u64;
        for (start, piece) in &mut lock(&self.state).pieces {
            if let Piece::Ready { bytes: kept, .. } = piece
                && *start < end
                && start + kept.len() as u64 > offset
            {
                patch(*start, Arc::make_mut(kept).as_mut_slice(), offset, bytes);
            }
        }
    }

    /// The number of the source that has brought the byte at `offset`, where it is kept.
    pub(super) fn brought_by(&self, offset: u64) -> Option<usize> {
        match lock(&self.state).pieces.get(&self.start_of(offset)?)? {
            Piece::Ready { by, .. } => Some(*by),
            _ => None,
        }
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
                Some(Piece::Ready { bytes, .. }) => return Ok(Some(Arc::clone(bytes))),
                // It went while this thread waited.
                None if start < state.next => return Ok(None),
                _ => {}
            }
            if let Some(problem) = &state.failed {
                return Err(problem.clone());
            }
            drop(self.changed.wait_timeout(state, POLL).unwrap_or_else(PoisonError::into_inner));
            // It may want to know how far this is.
            checkpoint()?;
            state = lock(&self.state);
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
        state.pieces.insert(start, Piece::Loading { since: Instant::now(), hands: 1, by: None });
        let bytes = state.spare.pop().unwrap_or_else(|| Vec::with_capacity(self.piece as usize));
        Some(Work { start, bytes, avoid: None })
    }

    /// A piece that takes too long: at the end of the file, or where it keeps the others waiting and another source may be
    /// faster.
    fn late(&self, state: &mut State) -> Option<Work> {
        let (times, least) = LATE;
        let usual = state.usual()?;
        if state.next < self.end && self.sources < 2 {
            return None;
        }
        state.pieces.iter_mut().find_map(|(start, piece)| match piece {
            Piece::Loading { since, hands: hands @ 1, by }
                if since.elapsed() > (usual * times).max(least) =>
            {
                *hands = 2;
                Some(Work { start: *start, bytes: Vec::new(), avoid: *by })
            }
            _ => None,
        })
    }

    /// A source is asked for this piece.
    fn asked(&self, start: u64, number: usize) {
        if let Some(Piece::Loading { by, .. }) = lock(&self.state).pieces.get_mut(&start) {
            by.get_or_insert(number);
        }
    }

    /// A piece is there, or as much of it as there is, from the source with this number. `time` is how long it took, if it
    /// is whole.
    fn give_back(&self, work: Work, number: usize, time: Option<Duration>) {
        let mut state = lock(&self.state);
        let Work { start, bytes, .. } = work;
        let whole = bytes.len() as u64 == self.range_of(start).end - start;
        let piece = state.pieces.get_mut(&start);
        match piece {
            Some(Piece::Loading { hands, .. }) if !whole && *hands > 1 => *hands -= 1,
            Some(piece @ Piece::Loading { .. }) => {
                *piece = match whole {
                    true => Piece::Ready { bytes: Arc::new(bytes), by: number },
                    false => Piece::Left { bytes, by: Some(number) },
                };
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
        let piece = lock(&self.state);
        !self.is_stopped() && !matches!(piece.pieces.get(&start), Some(Piece::Ready { .. }) | None)
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
        let found = self.pieces.iter_mut().find(|(_, piece)| matches!(piece, Piece::Left { .. }));
        let (start, piece) = found?;
        match std::mem::replace(piece, Piece::Loading { since: Instant::now(), hands: 1, by: None }) {
            Piece::Left { bytes, by } => Some(Work { start: *start, bytes, avoid: by }),
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
    file.open_others();
    for number in 0..ahead.connections {
        let (file, shared) = (file.clone(), Arc::clone(ahead));
        let thread = thread::Builder::new().name("fetch".into()).spawn(move || work(&file, &shared, number));
        if let Err(err) = thread {
            if number == 0 {
                ahead.fail(crate::io::no_thread(err));
            }
            // Fewer connections are slower, no more.
            return;
        }
    }
}

/// How long connections wait at first for the sources that were not asked yet.
const BRIDGE: Duration = Duration::from_secs(3);

fn work(file: &RemoteFile, ahead: &Ahead, number: usize) {
    let stopped = || match ahead.is_stopped() {
        true => Err(Problem::new(Code::Cancelled)),
        false => Ok(()),
    };
    wait_for_sources(file, ahead, number, &stopped);
    let mut tries = 0;
    while let Some(mut work) = ahead.take() {
        let hand = match file.choose(work.avoid, &stopped) {
            Ok(hand) => hand,
            Err(problem) => return ahead.fail(problem),
        };
        let site = &hand.0;
        ahead.asked(work.start, site.number);
        let range = ahead.range_of(work.start);
        let rest = range.start + work.bytes.len() as u64..range.end;
        let (begun, before) = (Instant::now(), work.bytes.len());
        let usual = ahead.usual_time();
        let mut slow = false;
        let start = work.start;
        let result = file.fetch(site, &rest, |bytes| {
            work.bytes.extend_from_slice(bytes);
            ahead.came.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            slow = is_slow(begun.elapsed(), work.bytes.len() - before, ahead.piece, usual);
            !slow && ahead.is_wanted(start)
        });
        let got = work.bytes.len() - before;
        let time = begun.elapsed();
        site.brought(got, time);
        // A piece that was begun by another connection says nothing of this one.
        ahead.give_back(work, site.number, (before == 0).then_some(time));
        tries = if got > 0 { 0 } else { tries + 1 };
        if let Err(failure) = result {
            match file.after(site, failure, tries, begun) {
                // Who stopped asks for nothing more.
                Ok(pause) => drop(wait(pause, &stopped)),
                Err(problem) => return ahead.fail(problem),
            }
        }
    }
}

/// The first connections begin with the source that has answered. The others leave their share to the rest of the
/// sources, as long as those may still answer: a connection that waits for a byte cannot go elsewhere.
fn wait_for_sources(file: &RemoteFile, ahead: &Ahead, number: usize, stopped: &dyn Fn() -> Result<()>) {
    let begun = Instant::now();
    let first = ahead.connections.div_ceil(file.sites().len().max(1));
    while number >= first
        && begun.elapsed() < BRIDGE
        && file.sites().iter().any(|site| site.is_pending())
        && wait(POLL, stopped).is_ok()
    {}
}

/// Whether a connection that brought so many bytes in a time is much slower than those that brought whole pieces.
fn is_slow(time: Duration, got: usize, piece: u64, usual: Option<Duration>) -> bool {
    let Some(usual) = usual.filter(|_| time > SETTLED) else { return false };
    let expected = piece as f64 * time.as_secs_f64() / usual.as_secs_f64().max(0.001);
    (got as f64) * (SLOW as f64) < expected
}

//! A file that the first answer has pinned.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rollsnap_core::remote::{self, Identity};
use rollsnap_core::report::RemoteInfo;
use rollsnap_core::{Code, Problem, ReadAt, Result};
use ureq::Agent;

use super::address::Address;
use super::ahead::{self, Ahead};
use super::blocks::{BLOCK, Blocks};
use super::opening::{begin, open_if_there, patiently, wait};
use super::request::{Failure, cut_off, get, read_body};
use super::{Options, options};
use crate::files::Distant;
use crate::interrupt;

/// A file whose parts can be asked for. Copies stand for the same one.
#[derive(Clone)]
pub(crate) struct RemoteFile(Arc<Inner>);

struct Inner {
    /// As the user gave it.
    origin: Address,
    place: Mutex<Place>,
    identity: Identity,
    /// The first bytes, which are always there.
    first: Vec<u8>,
    sidecar: Mutex<Option<Result<Option<RemoteFile>>>>,
    blocks: Mutex<Blocks>,
    ahead: Mutex<Option<Arc<Ahead>>>,
    tally: Tally,
    /// Whether nobody waits any more.
    stop: AtomicBool,
    notes: Mutex<VecDeque<String>>,
    options: Options,
    begun: Instant,
}

/// Where the file is asked for by now.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) agent: Agent,
    pub(super) address: Address,
    /// What `Accept-Encoding` says.
    pub(super) encoding: &'static str,
    pub(super) since: Instant,
}

#[derive(Debug, Default)]
struct Tally {
    bytes: AtomicU64,
    requests: AtomicU64,
    retries: AtomicU64,
    renewals: AtomicU64,
}

/// Most bytes of one request that is made for who reads here and there.
const AT_ONCE: u64 = 4 << 20;

/// Most that is fetched because it is expected to be read.
const EXPECTED: u64 = 8 << 20;

/// How often an answer that is not what was asked for is taken for a slip, one after the other.
const SLIPS: u32 = 3;

/// How often the address that the user gave is asked again where the file is now.
const MOST_RENEWALS: u64 = 20;

/// So long after that it is not asked again: other connections have failed at the same time.
const RENEWED: Duration = Duration::from_secs(10);

/// Notes that nobody takes are not kept without end.
const MOST_NOTES: usize = 20;

impl RemoteFile {
    pub(super) fn new(
        origin: Address,
        place: Place,
        identity: Identity,
        first: Vec<u8>,
        requests: u32,
    ) -> Self {
        let tally = Tally {
            bytes: (first.len() as u64).into(),
            requests: u64::from(requests).into(),
            retries: u64::from(requests.saturating_sub(1)).into(),
            ..Tally::default()
        };
        Self(Arc::new(Inner {
            origin,
            place: place.into(),
            identity,
            first,
            sidecar: Mutex::default(),
            blocks: Mutex::default(),
            ahead: Mutex::default(),
            tally,
            stop: false.into(),
            notes: Mutex::default(),
            options: options(),
            begun: Instant::now(),
        }))
    }

    /// Which file it is.
    pub(crate) fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// Its first bytes.
    pub(crate) fn beginning(&self) -> &[u8] {
        &self.0.first
    }

    /// What came from where until now.
    pub(crate) fn info(&self) -> RemoteInfo {
        let Inner { origin, identity, tally, begun, .. } = &*self.0;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut info = RemoteInfo::new(origin.to_string(), self.place().address.to_string());
        info.ranges = true;
        info.validator = Some(identity.validator.clone());
        info.bytes_received = count(&tally.bytes);
        info.requests = count(&tally.requests);
        info.retries = count(&tally.retries);
        info.time_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        info
    }

    /// The index beside the file, which is asked for once; `None` where there is none.
    ///
    /// # Errors
    /// Why it cannot be had, though it may be there.
    pub(crate) fn sidecar(&self) -> Result<Option<Self>> {
        let mut sidecar = lock(&self.0.sidecar);
        sidecar.get_or_insert_with(|| self.find_sidecar()).clone()
    }

    fn find_sidecar(&self) -> Result<Option<Self>> {
        let Some(address) = self.0.origin.sidecar() else { return Ok(None) };
        // A server that does not have it says so in many ways, and the file is read from front to end without it.
        open_if_there(&address, &|| self.checkpoint())
    }

    /// What happened since this was asked last, for people.
    pub(crate) fn notes(&self) -> Vec<String> {
        lock(&self.0.notes).drain(..).collect()
    }

    /// Nobody waits for its bytes any more.
    pub(crate) fn stop(&self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }

    pub(super) fn note(&self, text: String) {
        let mut notes = lock(&self.0.notes);
        if notes.len() < MOST_NOTES {
            notes.push_back(text);
        }
    }

    /// Makes one request for bytes. What comes of them is given to `take` in order, which says whether to go on; it can
    /// be less than was asked for.
    pub(super) fn fetch(
        &self,
        asked: &Range<u64>,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), Failure> {
        let Place { agent, address, encoding, .. } = self.place();
        let Inner { identity, tally, .. } = &*self.0;
        tally.requests.fetch_add(1, Ordering::Relaxed);
        let given = get(&agent, &address, asked, &identity.validator, encoding)?;
        if let Some(location) = given.location() {
            // The file has moved since: to follow is to open it anew.
            let problem = match address.redirected(location) {
                Ok(_) => remote::status(given.head().status),
                Err(problem) => problem,
            };
            return Err(given.failed(&address, problem, true));
        }
        let fitting = match identity.accept(asked, &given.head()) {
            Ok(fitting) => fitting,
            Err(problem) => return Err(given.failed(&address, problem, true)),
        };
        let is_measured = given.head().content_length.is_some();
        let (mut skip, mut left) = (fitting.skip, fitting.len);
        let mut wanted = true;
        let mut whole = |bytes: &[u8]| {
            tally.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            let before = skip.min(bytes.len() as u64);
            skip -= before;
            let bytes = bytes.get(before as usize..).unwrap_or_default();
            let bytes = bytes.get(..left.min(bytes.len() as u64) as usize).unwrap_or_default();
            left -= bytes.len() as u64;
            wanted = bytes.is_empty() || take(bytes);
            // What comes behind is read no further than to see that nothing does, so that the connection can be kept.
            wanted && left > 0
        };
        let mut body = given.into_body();
        read_body(&mut body, &address, &mut whole)?;
        if left > 0 && wanted {
            return Err(cut_off(&address));
        }
        // Of a body without a length nobody knows whether more comes.
        if left == 0 && is_measured {
            let _ = std::io::Read::read(&mut body, &mut [0]);
        }
        Ok(())
    }

    /// What is to be done after a request failed that many times in a row without bringing anything: the pause before the
    /// next one.
    ///
    /// # Errors
    /// Why there is no use in another one.
    pub(super) fn after(&self, failure: Failure, tries: u32, dry: Duration) -> Result<Duration> {
        let Failure { problem, passing, status, retry_after } = failure;
        let slip = problem.code() == Code::RemoteAnswer && tries < SLIPS;
        let moved = matches!(status, Some(301..=308 | 401 | 403 | 404 | 410));
        let renewed = moved && self.renew()?;
        if !(passing || slip || renewed) {
            return Err(problem);
        }
        let pause = remote::pause(tries, retry_after);
        if dry.saturating_add(pause) > self.0.options.give_up {
            return Err(problem);
        }
        self.0.tally.retries.fetch_add(1, Ordering::Relaxed);
        if tries > 0 {
            self.note(format!("{}; trying again", problem.sentence()));
        }
        Ok(pause.mul_f64(jitter()))
    }

    /// Asks the address that the user gave where the file is now: one that a redirect gave may hold for a while only.
    /// Says whether it is somewhere else.
    fn renew(&self) -> Result<bool> {
        let Inner { origin, place, identity, tally, .. } = &*self.0;
        let mut place = lock(place);
        if tally.renewals.load(Ordering::Relaxed) > 0 && place.since.elapsed() < RENEWED {
            return Ok(true);
        }
        if place.address == *origin || tally.renewals.fetch_add(1, Ordering::Relaxed) >= MOST_RENEWALS {
            return Ok(false);
        }
        tally.requests.fetch_add(1, Ordering::Relaxed);
        let Ok(begun) = begin(origin) else { return Ok(false) };
        if begun.identity() != Some(identity) {
            return Err(Problem::new(Code::RemoteChanged).path(origin));
        }
        *place = begun.place;
        Ok(true)
    }

    fn place(&self) -> Place {
        lock(&self.0.place).clone()
    }

    /// # Errors
    /// [`Code::Cancelled`]
    pub(super) fn checkpoint(&self) -> Result<()> {
        interrupt::checkpoint()?;
        if self.0.stop.load(Ordering::Relaxed) { Err(Problem::new(Code::Cancelled)) } else { Ok(()) }
    }

    /// Fetches whole blocks, and tries until they are there.
    fn load(&self, range: Range<u64>) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let (mut tries, mut dry) = (0, Instant::now());
        while (bytes.len() as u64) < range.end - range.start {
            self.checkpoint()?;
            let rest = range.start + bytes.len() as u64..range.end;
            let file = self.clone();
            let (more, result) = patiently(&|| self.checkpoint(), move || {
                let mut more = Vec::new();
                let result = file.fetch(&rest, |bytes| {
                    more.extend_from_slice(bytes);
                    true
                });
                (more, result)
            })?;
            if !more.is_empty() {
                (tries, dry) = (0, Instant::now());
                bytes.extend_from_slice(&more);
            }
            if let Err(failure) = result {
                tries += u32::from(more.is_empty());
                wait(self.after(failure, tries, dry.elapsed())?, &|| self.checkpoint())?;
            }
        }
        Ok(bytes)
    }

    /// Makes sure that these bytes are in blocks.
    fn ensure(&self, wanted: &Range<u64>) -> Result<()> {
        loop {
            let missing = lock(&self.0.blocks).missing(wanted, self.len(), AT_ONCE);
            let Some(missing) = missing else { return Ok(()) };
            let bytes = self.load(missing.clone())?;
            lock(&self.0.blocks).put(missing.start, &bytes);
        }
    }

    /// Copies bytes of blocks, which are fetched where they are missing.
    fn read_blocks(&self, mut offset: u64, mut out: &mut [u8]) -> Result<()> {
        while !out.is_empty() {
            let end = offset.saturating_add(out.len() as u64).min(offset + AT_ONCE);
            self.ensure(&(offset..end))?;
            while offset < end {
                let block = lock(&self.0.blocks).get(offset / BLOCK);
                // Another thread has pushed it out.
                let Some(block) = block else { break };
                let bytes = block.get((offset % BLOCK) as usize..).unwrap_or_default();
                let len = bytes.len().min((end - offset) as usize);
                let (now, later) = out.split_at_mut(len);
                now.copy_from_slice(bytes.get(..len).unwrap_or_default());
                (out, offset) = (later, offset + len as u64);
                if len == 0 {
                    return Err(past_the_end());
                }
            }
        }
        Ok(())
    }
}

impl ReadAt for RemoteFile {
    fn len(&self) -> u64 {
        self.0.identity.len
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let end = offset.checked_add(out.len() as u64).filter(|end| *end <= self.len());
        end.ok_or_else(past_the_end)?;
        // What is here already.
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let here = self.0.first.get(start..).unwrap_or_default();
        let here = here.get(..here.len().min(out.len())).unwrap_or_default();
        let (now, rest) = out.split_at_mut(here.len());
        now.copy_from_slice(here);
        let offset = offset + here.len() as u64;
        if rest.is_empty() {
            return Ok(());
        }
        let ahead = lock(&self.0.ahead).clone();
        match ahead {
            Some(ahead) if ahead.read(offset, rest, &|| self.checkpoint())? => Ok(()),
            _ => self.read_blocks(offset, rest),
        }
    }

    fn expect(&self, offset: u64, len: u64) {
        if lock(&self.0.ahead).is_some() {
            return;
        }
        let first = self.0.first.len() as u64;
        let end = offset.saturating_add(len.min(EXPECTED)).min(self.len());
        let start = offset.max(first);
        if start < end {
            // Who reads them meets the failure.
            let _ = self.ensure(&(start..end));
        }
    }
}

impl Distant for RemoteFile {
    fn stream(&self, offset: u64) -> Box<dyn Send> {
        let begin = offset.max(self.0.first.len() as u64);
        let ahead = Arc::new(Ahead::new(begin, self.len(), self.0.options.connections));
        *lock(&self.0.ahead) = Some(Arc::clone(&ahead));
        ahead::start(self, &ahead);
        Box::new(Streaming { file: self.clone(), ahead })
    }

    fn passed(&self, offset: u64) {
        if let Some(ahead) = &*lock(&self.0.ahead) {
            ahead.passed(offset);
        }
    }

    fn forget(&self, offset: u64, len: u64) {
        let range = offset..offset.saturating_add(len);
        lock(&self.0.blocks).forget(&range);
        if let Some(ahead) = &*lock(&self.0.ahead) {
            ahead.forget(&range);
        }
    }
}

/// As long as this is there, the bytes are fetched ahead.
struct Streaming {
    file: RemoteFile,
    ahead: Arc<Ahead>,
}

impl Drop for Streaming {
    fn drop(&mut self) {
        self.ahead.stop();
        let mut ahead = lock(&self.file.0.ahead);
        if ahead.as_ref().is_some_and(|now| Arc::ptr_eq(now, &self.ahead)) {
            *ahead = None;
        }
    }
}

impl fmt::Debug for RemoteFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteFile").field(&self.0.origin).finish()
    }
}

/// A thread that has panicked leaves nothing half-done here.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn past_the_end() -> Problem {
    Problem::new(Code::IoOther).headline("a read goes past the end of the file")
}

/// From three quarters to five quarters, so that connections which failed together do not come back together.
fn jitter() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    0.75 + (RandomState::new().hash_one(0) % 1024) as f64 / 2048.0
}

//! A file that the first answer has pinned.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rollsnap_core::feedback::Notice;
use rollsnap_core::remote::{self, Identity};
use rollsnap_core::report::RemoteInfo;
use rollsnap_core::{Code, Problem, ReadAt, Result};

use super::ahead::{self, Ahead};
use super::blocks::{BLOCK, Blocks};
use super::opening::{POLL, open_if_there, patiently, wait};
use super::request::{Failure, cut_off, get, read_body};
use super::site::{Place, Serving, Site};
use super::{Options, options};
use crate::files::Distant;
use crate::interrupt;

/// What happened, for the user.
#[derive(Debug)]
pub(super) enum Note {
    /// A source is asked again, or another one.
    Retrying(String),
    /// A source is not used any more.
    NotUsed(String),
    /// Bytes of a source were not right.
    Damaged(String),
}

impl Note {
    pub(super) fn as_notice(&self) -> Notice<'_> {
        match self {
            Self::Retrying(text) => Notice::Retrying(text),
            Self::NotUsed(text) => Notice::NotUsed(text),
            Self::Damaged(text) => Notice::Remark(text),
        }
    }
}

/// A file whose parts can be asked for. Copies stand for the same one.
#[derive(Clone)]
pub(crate) struct RemoteFile(Arc<Inner>);

struct Inner {
    /// The addresses that serve it, in the order in which the user gave them.
    sites: Vec<Arc<Site>>,
    /// The one that has pinned it.
    leader: Arc<Site>,
    identity: Identity,
    /// The first bytes, which are always there.
    first: Vec<u8>,
    sidecar: Mutex<Option<Result<Option<RemoteFile>>>>,
    blocks: Mutex<Blocks>,
    ahead: Mutex<Option<Arc<Ahead>>>,
    renewing: Mutex<()>,
    /// Whether nobody waits any more.
    stop: AtomicBool,
    notes: Mutex<VecDeque<Note>>,
    options: Options,
    begun: Instant,
}

/// Most bytes of one request that is made for who reads here and there.
const AT_ONCE: u64 = 4 << 20;

/// Most that is fetched because it is expected to be read.
const EXPECTED: u64 = 8 << 20;

/// How long the sources are waited for that were not asked yet, where others are to be compared with them.
const PATIENCE: Duration = Duration::from_secs(10);

/// So many sources are compared with one whose bytes are wrong.
const MOST_OTHERS: usize = 2;

/// How often one source is asked again for bytes that are to be compared.
const FEW: u32 = 3;

/// Notes that nobody takes are not kept without end.
const MOST_NOTES: usize = 20;

impl RemoteFile {
    /// The file that the first answer of the source `leader`, one of `sites`, has pinned.
    pub(super) fn new(
        sites: Vec<Arc<Site>>,
        leader: Arc<Site>,
        place: Place,
        identity: Identity,
        first: Vec<u8>,
    ) -> Self {
        leader.came(first.len());
        leader.open(Serving { place, identity: identity.clone() });
        Self(Arc::new(Inner {
            sites,
            leader,
            identity,
            first,
            sidecar: Mutex::default(),
            blocks: Mutex::default(),
            ahead: Mutex::default(),
            renewing: Mutex::default(),
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
        let sources: Vec<_> = self.sites().iter().map(|site| site.info()).collect();
        let leader = self.leader().info();
        let mut info = RemoteInfo::new(leader.url, leader.final_url);
        info.ranges = true;
        info.validator = Some(self.0.identity.validator.clone());
        info.bytes_received = sources.iter().map(|source| source.bytes_received).sum();
        info.requests = sources.iter().map(|source| source.requests).sum();
        info.retries = sources.iter().map(|source| source.retries).sum();
        info.time_ms = u64::try_from(self.0.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        info.sources = sources;
        info
    }

    /// The address that has pinned it, and all of them, as they may be shown.
    pub(crate) fn addresses(&self) -> (String, Vec<String>) {
        let all = self.sites().iter().map(|site| site.origin.to_string());
        (self.leader().origin.to_string(), all.collect())
    }

    /// All its sources.
    pub(super) fn sites(&self) -> &[Arc<Site>] {
        &self.0.sites
    }

    /// The source that has pinned the file.
    pub(super) fn leader(&self) -> &Site {
        &self.0.leader
    }

    pub(super) fn options(&self) -> &Options {
        &self.0.options
    }

    /// Held by who asks where the file is now, so that others wait for the answer.
    pub(super) fn renewing(&self) -> MutexGuard<'_, ()> {
        lock(&self.0.renewing)
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
        let Some(address) = self.leader().origin.sidecar() else { return Ok(None) };
        // A server that does not have it says so in many ways, and the file is read from front to end without it.
        open_if_there(&address, &|| self.checkpoint())
    }

    /// What happened since this was asked last, for people.
    pub(super) fn notes(&self) -> Vec<Note> {
        lock(&self.0.notes).drain(..).collect()
    }

    /// While it is fetched ahead: up to where as many bytes have come as if they had come in order.
    pub(super) fn reached(&self) -> Option<u64> {
        lock(&self.0.ahead).as_ref().map(|ahead| ahead.reached())
    }

    /// Nobody waits for its bytes any more.
    pub(crate) fn stop(&self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }

    pub(super) fn note(&self, note: Note) {
        let mut notes = lock(&self.0.notes);
        if notes.len() < MOST_NOTES {
            notes.push_back(note);
        }
    }

    /// Makes one request for bytes to a source. What comes of them is given to `take` in order, which says whether to go on;
    /// it can be less than was asked for.
    pub(super) fn fetch(
        &self,
        site: &Site,
        asked: &Range<u64>,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), Failure> {
        let Some(Serving { place, identity }) = site.serving() else {
            // Another connection has found out that it is of no use.
            let problem = site.problem().unwrap_or_else(|| Problem::new(Code::RemoteUnreachable));
            return Err(Failure::lasting(problem.path(&site.origin)));
        };
        let Place { agent, address, encoding, .. } = place;
        site.count_request();
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
            site.came(bytes.len());
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

    /// # Errors
    /// [`Code::Cancelled`]
    pub(super) fn checkpoint(&self) -> Result<()> {
        interrupt::checkpoint()?;
        if self.0.stop.load(Ordering::Relaxed) { Err(Problem::new(Code::Cancelled)) } else { Ok(()) }
    }

    /// Fetches whole blocks, and tries until they are there. Gives the number of the source, too, that brought the last.
    fn load(&self, range: Range<u64>) -> Result<(Vec<u8>, usize)> {
        let mut bytes = Vec::new();
        let (mut tries, mut avoid, mut by) = (0, None, self.leader().number);
        while (bytes.len() as u64) < range.end - range.start {
            let rest = range.start + bytes.len() as u64..range.end;
            let hand = self.choose(avoid, &|| self.checkpoint())?;
            let begun = Instant::now();
            let (more, result) = self.once(&hand.0, rest)?;
            if !more.is_empty() {
                (tries, by) = (0, hand.0.number);
                bytes.extend_from_slice(&more);
            }
            if let Err(failure) = result {
                tries += u32::from(more.is_empty());
                avoid = Some(hand.0.number);
                wait(self.after(&hand.0, failure, tries, begun)?, &|| self.checkpoint())?;
            }
        }
        Ok((bytes, by))
    }

    /// One request to one source, in a thread of its own: what came, and why not all of it.
    fn once(&self, site: &Arc<Site>, range: Range<u64>) -> Result<(Vec<u8>, Result<(), Failure>)> {
        let (file, site) = (self.clone(), Arc::clone(site));
        patiently(&|| self.checkpoint(), move || {
            let mut more = Vec::new();
            let result = file.fetch(&site, &range, |bytes| {
                more.extend_from_slice(bytes);
                true
            });
            (more, result)
        })
    }

    /// As [`ReadAt::read_at`]. Who waits for bytes that are fetched ahead asks `checkpoint` meanwhile.
    ///
    /// # Errors
    /// Any `remote.*` code, those of `checkpoint`.
    pub(crate) fn read_patiently(
        &self,
        offset: u64,
        out: &mut [u8],
        checkpoint: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
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
            Some(ahead) if ahead.read(offset, rest, checkpoint)? => Ok(()),
            _ => self.read_blocks(offset, rest),
        }
    }

    /// Makes sure that these bytes are in blocks.
    fn ensure(&self, wanted: &Range<u64>) -> Result<()> {
        loop {
            let missing = lock(&self.0.blocks).missing(wanted, self.len(), AT_ONCE);
            let Some(missing) = missing else { return Ok(()) };
            let (bytes, by) = self.load(missing.clone())?;
            lock(&self.0.blocks).put(missing.start, &bytes, by);
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
        self.read_patiently(offset, out, &|| self.checkpoint())
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
        let ahead = Arc::new(Ahead::new(begin, self.len(), self.0.options.connections, self.sites().len()));
        *lock(&self.0.ahead) = Some(Arc::clone(&ahead));
        ahead::start(self, &ahead);
        Box::new(Streaming { file: self.clone(), ahead })
    }

    fn passed(&self, offset: u64) {
        if let Some(ahead) = &*lock(&self.0.ahead) {
            ahead.passed(offset);
        }
    }

    fn brought_by(&self, offset: u64) -> usize {
        let ahead = lock(&self.0.ahead).clone();
        let by = ahead.and_then(|ahead| ahead.brought_by(offset));
        by.or_else(|| lock(&self.0.blocks).by(offset / BLOCK)).unwrap_or_else(|| self.leader().number)
    }

    fn sources_to_ask(&self, suspect: usize) -> Vec<usize> {
        self.open_others();
        let begun = Instant::now();
        let pending = || self.sites().iter().any(|site| site.is_pending());
        while pending() && begun.elapsed() < PATIENCE && wait(POLL, &|| self.checkpoint()).is_ok() {}
        let open = self.sites().iter().filter(|site| site.is_open() && site.number != suspect);
        let mut all: Vec<_> = open.map(|site| site.number).take(MOST_OTHERS).collect();
        if all.is_empty() {
            all.push(suspect);
        }
        all.push(suspect);
        all
    }

    fn fetch_from(&self, source: usize, offset: u64, len: u64) -> Result<Vec<u8>> {
        let site = self.sites().get(source).ok_or_else(past_the_end)?;
        let mut bytes = Vec::new();
        let mut tries = 0;
        while (bytes.len() as u64) < len {
            let rest = offset + bytes.len() as u64..offset + len;
            let (more, result) = self.once(site, rest)?;
            tries = if more.is_empty() { tries + 1 } else { 0 };
            bytes.extend_from_slice(&more);
            if let Err(failure) = result {
                if !failure.passing || tries > FEW {
                    return Err(failure.problem);
                }
                wait(remote::pause(tries, None), &|| self.checkpoint())?;
            }
        }
        Ok(bytes)
    }

    fn mend(&self, offset: u64, bytes: &[u8]) {
        lock(&self.0.blocks).mend(offset, bytes);
        if let Some(ahead) = &*lock(&self.0.ahead) {
            ahead.mend(offset, bytes);
        }
    }

    fn source_name(&self, source: usize) -> String {
        self.sites().get(source).map_or_else(String::new, |site| site.origin.to_string())
    }

    fn blame(&self, source: usize, how: &str) {
        if let Some(site) = self.sites().get(source) {
            site.is_damaged(how);
            self.note(Note::Damaged(format!("{}: {how}", site.origin)));
        }
    }

    fn discard(&self, source: usize, why: &str) {
        if let Some(site) = self.sites().get(source) {
            site.is_damaged(why);
            self.drop_site(site, why);
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
        f.debug_tuple("RemoteFile").field(&self.leader().origin).finish()
    }
}

/// A thread that has panicked leaves nothing half-done here.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn past_the_end() -> Problem {
    Problem::new(Code::IoOther).headline("a read goes past the end of the file")
}

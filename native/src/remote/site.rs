//! One source of a file: its address, which version of the file it serves, and how it has been doing.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rollsnap_core::Problem;
use rollsnap_core::remote::Identity;
use rollsnap_core::report::SourceInfo;
use ureq::Agent;

use super::address::Address;
use super::file::lock;

/// An address that the user gave, or that a manifest names.
pub(super) struct Site {
    /// Its place in the list of sources.
    pub(super) number: usize,
    /// As it was given.
    pub(super) origin: Address,
    /// How often it was asked where the file is now.
    pub(super) renewals: AtomicU64,
    state: Mutex<State>,
    pace: Mutex<Pace>,
    damaged: Mutex<Option<String>>,
    hands: AtomicU32,
    bytes: AtomicU64,
    requests: AtomicU64,
    retries: AtomicU64,
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

/// A source that serves parts of the file.
#[derive(Clone)]
pub(super) struct Serving {
    pub(super) place: Place,
    /// Validators are those of a server: two of the same file have different ones.
    pub(super) identity: Identity,
}

enum State {
    /// Nobody has asked it yet.
    Waiting,
    /// The first answer is under way.
    Opening,
    Open(Box<Serving>),
    Dropped {
        why: String,
        /// What the command fails with if no source is left.
        problem: Option<Problem>,
        address: Option<Address>,
    },
}

/// How it has been doing.
struct Pace {
    /// Seconds that a connection takes for a byte, newest first.
    costs: VecDeque<f64>,
    /// It is asked again at this time, while others can be asked.
    rests_until: Instant,
    /// When something came last.
    came: Instant,
    /// Since when nothing has come although it was asked; `None` while something does.
    dry: Option<Instant>,
}

/// So many requests tell how fast a source is.
const REMEMBERED: usize = 4;

/// Shorter answers say little about speed, in bytes.
const TELLING: usize = 64 << 10;

impl Site {
    pub(super) fn new(number: usize, origin: Address) -> Self {
        let now = Instant::now();
        Self {
            number,
            origin,
            renewals: 0.into(),
            state: State::Waiting.into(),
            pace: Pace { costs: VecDeque::new(), rests_until: now, came: now, dry: None }.into(),
            damaged: Mutex::default(),
            hands: 0.into(),
            bytes: 0.into(),
            requests: 0.into(),
            retries: 0.into(),
        }
    }

    /// Those of an address and its mirrors; one that is there twice counts once.
    pub(super) fn of_all(address: &Address, mirrors: &[Address]) -> Vec<Arc<Self>> {
        let mut all: Vec<Arc<Self>> = Vec::new();
        for origin in [address].into_iter().chain(mirrors) {
            if !all.iter().any(|site| site.origin == *origin) {
                all.push(Arc::new(Self::new(all.len(), origin.clone())));
            }
        }
        all
    }

    /// What it serves, if it does.
    pub(super) fn serving(&self) -> Option<Serving> {
        match &*lock(&self.state) {
            State::Open(serving) => Some(Serving::clone(serving)),
            _ => None,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(&*lock(&self.state), State::Open(_))
    }

    /// Whether it may still turn out to serve the file.
    pub(super) fn is_pending(&self) -> bool {
        matches!(&*lock(&self.state), State::Waiting | State::Opening)
    }

    /// Whether it is for the caller to ask it for the first time.
    pub(super) fn begin_opening(&self) -> bool {
        let mut state = lock(&self.state);
        let begins = matches!(*state, State::Waiting);
        if begins {
            *state = State::Opening;
        }
        begins
    }

    pub(super) fn open(&self, serving: Serving) {
        lock(&self.pace).came = Instant::now();
        *lock(&self.state) = State::Open(serving.into());
    }

    /// The file has moved.
    pub(super) fn moved_to(&self, place: Place) {
        if let State::Open(serving) = &mut *lock(&self.state) {
            serving.place = place;
        }
    }

    /// It is not asked any more. False when it was dropped before.
    pub(super) fn drop_for(&self, why: String, problem: Option<Problem>) -> bool {
        let mut state = lock(&self.state);
        let address = match &*state {
            State::Dropped { .. } => return false,
            State::Open(serving) => Some(serving.place.address.clone()),
            _ => None,
        };
        *state = State::Dropped { why, problem, address };
        true
    }

    /// Why a request to it failed that ended its use.
    pub(super) fn problem(&self) -> Option<Problem> {
        match &*lock(&self.state) {
            State::Dropped { problem, .. } => problem.clone(),
            _ => None,
        }
    }

    /// How long a byte takes on one of its connections, in seconds, as far as that is known.
    pub(super) fn cost(&self) -> Option<f64> {
        let pace = lock(&self.pace);
        let count = pace.costs.len() as f64;
        (count > 0.0).then(|| pace.costs.iter().sum::<f64>() / count)
    }

    /// A request has brought so many bytes in this time.
    pub(super) fn brought(&self, bytes: usize, time: Duration) {
        if bytes >= TELLING || time > Duration::from_secs(2) {
            let mut pace = lock(&self.pace);
            pace.costs.truncate(REMEMBERED - 1);
            pace.costs.push_front(time.as_secs_f64() / bytes.max(1) as f64);
        }
    }

    /// Bytes of a body came.
    pub(super) fn came(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        let mut pace = lock(&self.pace);
        (pace.came, pace.dry) = (Instant::now(), None);
    }

    /// For how long nothing has come, after a request that was begun at this time brought nothing.
    pub(super) fn dry(&self, begun: Instant) -> Duration {
        let mut pace = lock(&self.pace);
        let since = begun.max(pace.came);
        pace.dry.get_or_insert(since).elapsed()
    }

    /// It is left alone for a time, where others can be asked.
    pub(super) fn rest(&self, pause: Duration) {
        let mut pace = lock(&self.pace);
        pace.rests_until = pace.rests_until.max(Instant::now() + pause);
    }

    pub(super) fn rests_until(&self) -> Instant {
        lock(&self.pace).rests_until
    }

    pub(super) fn hands(&self) -> u32 {
        self.hands.load(Ordering::Relaxed)
    }

    pub(super) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// The next request is made because one has failed.
    pub(super) fn count_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Some of its bytes are not those of the file. What was found first counts.
    pub(super) fn is_damaged(&self, how: &str) {
        lock(&self.damaged).get_or_insert_with(|| how.into());
    }

    /// What came from it until now.
    pub(super) fn info(&self) -> SourceInfo {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (now, dropped) = match &*lock(&self.state) {
            State::Open(serving) => (Some(serving.place.address.clone()), None),
            State::Dropped { why, address, .. } => (address.clone(), Some(why.clone())),
            _ => (None, None),
        };
        let now = now.as_ref().unwrap_or(&self.origin).to_string();
        let mut info = SourceInfo::new(self.origin.to_string(), now);
        info.bytes_received = count(&self.bytes);
        info.requests = count(&self.requests);
        info.retries = count(&self.retries);
        info.dropped = dropped;
        info.damaged = lock(&self.damaged).clone();
        info
    }
}

/// A connection to a source, while there is one.
pub(super) struct Hand(pub(super) Arc<Site>);

impl Hand {
    pub(super) fn on(site: &Arc<Site>) -> Self {
        site.hands.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(site))
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.0.hands.fetch_sub(1, Ordering::Relaxed);
    }
}

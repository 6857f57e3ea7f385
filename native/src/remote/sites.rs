//! The sources of a file: which of them is asked next, and what becomes of one that fails.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use rollsnap_core::remote::{self, Identity};
use rollsnap_core::{Code, Problem, Result};

use super::file::{Note, RemoteFile};
use super::opening::{Begun, POLL, begin};
use super::request::Failure;
use super::site::{Hand, Serving, Site};
use crate::io;

/// How often an answer that is not what was asked for is taken for a slip, one after the other.
const SLIPS: u32 = 3;

/// How often the address that the user gave is asked again where the file is now.
const MOST_RENEWALS: u64 = 20;

/// So long after that it is not asked again: other connections have failed at the same time.
const RENEWED: Duration = Duration::from_secs(10);

/// How often a source is asked for its first answer.
const FIRST_TRIES: u32 = 3;

impl RemoteFile {
    /// The source to ask next, and a connection to it: the one from which bytes are expected soonest. `avoid` is the
    /// number of one that has just failed, or that is at it. Waits for those that were not asked yet if nothing else is
    /// left.
    ///
    /// # Errors
    /// Why none is left; those of `checkpoint`.
    pub(super) fn choose(&self, avoid: Option<usize>, checkpoint: &dyn Fn() -> Result<()>) -> Result<Hand> {
        loop {
            checkpoint()?;
            if let Some(site) = self.best(avoid) {
                return Ok(Hand::on(site));
            }
            if !self.sites().iter().any(|site| site.is_pending()) {
                return Err(self.why_none());
            }
            self.open_others();
            thread::sleep(POLL);
        }
    }

    fn best(&self, avoid: Option<usize>) -> Option<&Arc<Site>> {
        let open: Vec<_> = self.sites().iter().filter(|site| site.is_open()).collect();
        let now = Instant::now();
        let rested: Vec<_> = open.iter().filter(|site| site.rests_until() <= now).copied().collect();
        if rested.is_empty() {
            return open.into_iter().min_by_key(|site| site.rests_until());
        }
        let fresh: Vec<_> = rested.iter().filter(|site| Some(site.number) != avoid).copied().collect();
        let among = if fresh.is_empty() { rested } else { fresh };
        // One of which nothing is known is taken for as fast as the fastest.
        let fastest = among.iter().filter_map(|site| site.cost()).fold(f64::INFINITY, f64::min);
        let fastest = if fastest.is_finite() { fastest } else { 1.0 };
        let wait = |site: &Site| site.cost().unwrap_or(fastest) * f64::from(site.hands() + 1);
        among.into_iter().min_by(|one, other| wait(one).total_cmp(&wait(other)))
    }

    /// Why no source is left: what ended the first one.
    fn why_none(&self) -> Problem {
        let leader = self.leader().problem();
        let found = leader.or_else(|| self.sites().iter().find_map(|site| site.problem()));
        found.unwrap_or_else(|| Problem::new(Code::RemoteUnreachable).path(&self.leader().origin))
    }

    /// What is to be done after a request to a source failed that many times in a row without bringing anything: the pause
    /// before the next one, which may go to another source.
    ///
    /// # Errors
    /// Why there is no use in another one.
    pub(super) fn after(
        &self,
        site: &Site,
        failure: Failure,
        tries: u32,
        begun: Instant,
    ) -> Result<Duration> {
        let Failure { problem, passing, status, retry_after } = failure;
        let slip = problem.code() == Code::RemoteAnswer && tries < SLIPS;
        let moved = matches!(status, Some(301..=308 | 401 | 403 | 404 | 410));
        let renewed = match moved.then(|| self.renew(site)) {
            Some(Err(problem)) => return self.lose(site, problem),
            renewed => matches!(renewed, Some(Ok(true))),
        };
        if !(passing || slip || renewed) {
            return self.lose(site, problem);
        }
        let pause = remote::pause(tries, retry_after);
        let dry = if tries == 0 { Duration::ZERO } else { site.dry(begun) };
        if dry.saturating_add(pause) > self.options().give_up {
            return self.lose(site, problem);
        }
        site.count_retry();
        let pause = pause.mul_f64(jitter());
        if tries == 0 {
            return Ok(pause);
        }
        self.open_others();
        site.rest(pause);
        let now = Instant::now();
        let is_other = |other: &Arc<Site>| other.number != site.number && other.is_open();
        let other = self.sites().iter().any(|other| is_other(other) && other.rests_until() <= now);
        let then = if other { "asking another source meanwhile" } else { "trying again" };
        self.note(Note::Retrying(format!("{}; {then}", problem.sentence())));
        Ok(if other { Duration::ZERO } else { pause })
    }

    /// Asks a source no more, because of this problem.
    ///
    /// # Errors
    /// The problem, if no other source is left.
    fn lose(&self, site: &Site, problem: Problem) -> Result<Duration> {
        if problem.code() == Code::Cancelled {
            return Err(problem);
        }
        let sentence = problem.sentence();
        let is_new = site.drop_for(sentence.clone(), Some(problem.clone()));
        if !self.sites().iter().any(|site| site.is_open() || site.is_pending()) {
            return Err(problem);
        }
        if is_new {
            self.note(Note::NotUsed(format!("{} is not used any more: {sentence}", site.origin)));
        }
        Ok(Duration::ZERO)
    }

    /// Asks a source no more, because of what it serves.
    pub(super) fn drop_site(&self, site: &Site, why: &str) {
        let left = self.sites().iter().any(|other| other.number != site.number && other.is_open());
        if left && site.drop_for(why.into(), None) {
            self.note(Note::NotUsed(format!("{} is not used any more: {why}", site.origin)));
        }
    }

    /// Asks the address that was given where the file is now: one that a redirect gave may hold for a while only. Says
    /// whether it is somewhere else.
    fn renew(&self, site: &Site) -> Result<bool> {
        let _one = self.renewing();
        let Some(Serving { place, identity }) = site.serving() else { return Ok(false) };
        let renewals = &site.renewals;
        if renewals.load(Ordering::Relaxed) > 0 && place.since.elapsed() < RENEWED {
            return Ok(true);
        }
        let count = || renewals.fetch_add(1, Ordering::Relaxed);
        if place.address == site.origin || count() >= MOST_RENEWALS {
            return Ok(false);
        }
        site.count_request();
        let Ok(begun) = begin(&site.origin) else { return Ok(false) };
        if begun.identity() != Some(&identity) {
            return Err(Problem::new(Code::RemoteChanged).path(&site.origin));
        }
        site.moved_to(begun.place);
        Ok(true)
    }

    /// Asks the sources for their first answers that nobody has asked yet, each in a thread of its own: none of them is
    /// waited for here.
    pub(super) fn open_others(&self) {
        for site in self.sites().iter().filter(|site| site.begin_opening()) {
            let (file, shared) = (self.clone(), Arc::clone(site));
            let opening = move || file.open_other(&shared);
            if let Err(err) = thread::Builder::new().name("mirror".into()).spawn(opening) {
                site.drop_for(io::no_thread(err).sentence(), None);
            }
        }
    }

    fn open_other(&self, site: &Site) {
        let mut tries = 0;
        let refused = loop {
            tries += 1;
            site.count_request();
            match begin(&site.origin) {
                Ok(begun) => match self.serves_the_same(&begun) {
                    Ok(identity) => {
                        site.came(begun.beginning().len());
                        return site.open(Serving { place: begun.place, identity });
                    }
                    Err(why) => break (why, None),
                },
                Err(failure) if failure.passing && tries < FIRST_TRIES && self.checkpoint().is_ok() => {
                    thread::sleep(remote::pause(tries, None));
                }
                Err(failure) => break (failure.problem.sentence(), Some(failure.problem)),
            }
        };
        let (why, problem) = refused;
        self.note(Note::NotUsed(format!("{} is not used: {why}", site.origin)));
        site.drop_for(why, problem);
    }

    /// Which version of the file another source serves, or why it is not this file.
    fn serves_the_same(&self, begun: &Begun) -> Result<Identity, String> {
        let Some(identity) = begun.identity() else {
            return Err("it does not serve parts of the file".into());
        };
        let len = self.identity().len;
        if identity.len != len {
            return Err(format!("the file there is another one, of {} bytes instead of {len}", identity.len));
        }
        // An answer may end early; it is long enough when there is something to compare.
        let same = begun.beginning().iter().zip(self.beginning()).all(|(there, here)| there == here);
        if !same {
            return Err("the file there is another one: it begins with other bytes".into());
        }
        Ok(identity.clone())
    }
}

/// From three quarters to five quarters, so that connections which failed together do not come back together.
fn jitter() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    0.75 + (RandomState::new().hash_one(0) % 1024) as f64 / 2048.0
}

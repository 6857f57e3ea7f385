//! The first request: it follows redirects, pins the file, and brings its beginning.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rollsnap_core::feedback::Notice;
use rollsnap_core::remote::{self, FIRST, Identity, Opening, Validator};
use rollsnap_core::{Code, Feedback, Problem, Result};
use ureq::Agent;

use super::address::Address;
use super::file::RemoteFile;
use super::request::{Failure, Given, agent, cut_off, get, read_body};
use super::site::{Place, Site};
use super::whole::Whole;
use super::{mirrors, options, published_len};
use crate::io;

/// A file behind an address.
pub(crate) enum Opened {
    /// Its parts can be asked for.
    File(RemoteFile),
    /// It comes from front to end, once.
    Whole(Whole),
    /// It has no bytes.
    Empty,
}

/// More redirects are a circle.
const MOST_REDIRECTS: usize = 10;

/// How often a server is asked that cannot be reached or forbids access, before anything came from it.
const FIRST_TRIES: u32 = 4;

/// How long a server is asked that says that it is busy, before anything came from it.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often a waiting job looks whether the user wants to stop.
pub(super) const POLL: Duration = Duration::from_millis(50);

/// Makes the first request, and makes it again while the server is busy.
///
/// # Errors
/// Any `remote.*` code, [`Code::Cancelled`].
pub(crate) fn open(address: &Address, feedback: &mut dyn Feedback) -> Result<Opened> {
    open_any(address, &[], None, feedback)
}

/// The same of a snapshot, which the mirrors of the command have too: the first of all these that answers pins it.
///
/// # Errors
/// As [`open`]: what is wrong with `address`.
pub(crate) fn open_snapshot(address: &Address, feedback: &mut dyn Feedback) -> Result<Opened> {
    open_any(address, &mirrors(), published_len(), feedback)
}

fn open_any(
    address: &Address,
    mirrors: &[Address],
    len: Option<u64>,
    feedback: &mut dyn Feedback,
) -> Result<Opened> {
    let sites = Site::of_all(address, mirrors);
    let begun = Instant::now();
    let mut tries = 0;
    loop {
        tries += 1;
        let failure = match first_of(&sites, len, feedback)? {
            Ok((leader, begun)) => return Ok(begun.opened(sites, leader)),
            Err(failure) => failure,
        };
        let pause = remote::pause(tries, failure.retry_after);
        let again = match failure.status {
            Some(403) | None => (failure.passing || failure.status == Some(403)) && tries < FIRST_TRIES,
            Some(_) => {
                failure.passing && begun.elapsed().saturating_add(pause) < PATIENCE.min(options().give_up)
            }
        };
        if !again {
            return Err(failure.problem);
        }
        feedback.notice(Notice::Retrying(&format!("{}; trying again", failure.problem.sentence())));
        sites.iter().for_each(|site| site.count_retry());
        wait(pause, &|| feedback.checkpoint())?;
    }
}

/// How long the first address has to answer before the mirrors are asked too.
const HEAD_START: Duration = Duration::from_secs(5);

/// One try. The mirrors are asked when the first address fails, or is silent for a while: then the first one that answers
/// counts. Otherwise why the first address does not.
fn first_of(
    sites: &[Arc<Site>],
    len: Option<u64>,
    feedback: &mut dyn Feedback,
) -> Result<std::result::Result<(Arc<Site>, Begun), Failure>> {
    let (done, answers) = mpsc::channel();
    let ask = |site: &Arc<Site>| {
        let (done, site) = (done.clone(), Arc::clone(site));
        site.count_request();
        let asking = move || {
            let answer = begin(&site.origin).and_then(|begun| begun.of_published_len(len, &site.origin));
            // Nobody listens any more after a cancellation, or when another one was faster.
            let _ = done.send((site, answer));
        };
        thread::Builder::new().name("remote".into()).spawn(asking).map(drop).map_err(io::no_thread)
    };
    let mut waiting = sites.iter();
    let (mut under_way, mut failed, mut failure) = (0, 0, None);
    let begun = Instant::now();
    loop {
        if under_way == 0 || failed > 0 || begun.elapsed() > HEAD_START {
            let count = if under_way == 0 { 1 } else { sites.len() };
            for site in waiting.by_ref().take(count) {
                ask(site)?;
                under_way += 1;
            }
        }
        match answers.recv_timeout(POLL) {
            // A mirror is one only as far as it serves parts.
            Ok((site, Ok(begun))) if site.number == 0 || begun.identity().is_some() => {
                if let Some(first) = sites.first().filter(|_| site.number > 0) {
                    let text = format!("{} does not answer: reading from {}", first.origin, site.origin);
                    feedback.notice(Notice::Retrying(&text));
                }
                // What may pass is asked once more, when all of the file is fetched.
                if let Some((first, why)) = sites.first().zip(failure.filter(|why: &Failure| !why.passing)) {
                    first.drop_for(why.problem.sentence(), Some(why.problem));
                }
                return Ok(Ok((site, begun)));
            }
            Ok((site, answer)) => {
                failed += 1;
                if let (0, Err(why)) = (site.number, answer) {
                    failure = Some(why);
                }
            }
            Err(_) => feedback.checkpoint()?,
        }
        if failed == sites.len() {
            let none = || Failure::lasting(Problem::new(Code::RemoteUnreachable));
            return Ok(Err(failure.unwrap_or_else(none)));
        }
    }
}

/// What is beside a file, which need not be there: asked for once. `None` where it does not come.
///
/// # Errors
/// [`Code::Cancelled`]
pub(super) fn open_if_there(
    address: &Address,
    checkpoint: &dyn Fn() -> Result<()>,
) -> Result<Option<RemoteFile>> {
    let origin = address.clone();
    let Ok(begun) = patiently(checkpoint, move || begin(&origin))? else { return Ok(None) };
    let site = Arc::new(Site::new(0, address.clone()));
    site.count_request();
    match begun.opened(vec![Arc::clone(&site)], site) {
        Opened::File(file) => Ok(Some(file)),
        _ => Ok(None),
    }
}

/// The first answer.
pub(super) struct Begun {
    pub(super) place: Place,
    kind: Kind,
}

enum Kind {
    File { identity: Identity, first: Vec<u8> },
    Whole { len: Option<u64>, given: Given },
    Empty,
}

impl Begun {
    /// What it pins; `None` where the server does not give parts.
    pub(super) fn identity(&self) -> Option<&Identity> {
        match &self.kind {
            Kind::File { identity, .. } => Some(identity),
            _ => None,
        }
    }

    /// Refuses a file that has another length than is published.
    fn of_published_len(self, published: Option<u64>, origin: &Address) -> Result<Self, Failure> {
        let len = match &self.kind {
            Kind::File { identity, .. } => Some(identity.len),
            Kind::Whole { len, .. } => *len,
            Kind::Empty => Some(0),
        };
        match published.zip(len).filter(|(published, len)| published != len) {
            None => Ok(self),
            Some((published, len)) => Err(Failure::lasting(
                Problem::new(Code::RemoteManifest)
                    .path(origin)
                    .expected(format_args!("{published} bytes"))
                    .found(format_args!("{len} bytes")),
            )),
        }
    }

    /// The first bytes.
    pub(super) fn beginning(&self) -> &[u8] {
        match &self.kind {
            Kind::File { first, .. } => first,
            _ => &[],
        }
    }

    /// What this source, one of `sites`, has pinned.
    fn opened(self, sites: Vec<Arc<Site>>, leader: Arc<Site>) -> Opened {
        match self.kind {
            Kind::File { identity, first } => {
                Opened::File(RemoteFile::new(sites, leader, self.place, identity, first))
            }
            Kind::Whole { len, given } => {
                Opened::Whole(Whole::new(self.place.address, len, given.into_body()))
            }
            Kind::Empty => Opened::Empty,
        }
    }
}

/// One try.
pub(super) fn begin(origin: &Address) -> Result<Begun, Failure> {
    let (place, given) = first_answer(origin, "gzip")?;
    // A server that compresses what it sends, and does not give parts of that, may give parts of the file itself.
    if given.head().status == 200 && given.head().content_encoding.is_some() {
        let (place, given) = first_answer(origin, "identity")?;
        return judge(place, given);
    }
    judge(place, given)
}

fn first_answer(origin: &Address, encoding: &'static str) -> Result<(Place, Given), Failure> {
    let mut address = origin.clone();
    for _ in 0..=MOST_REDIRECTS {
        let agent: Agent = agent(&address);
        let given = get(&agent, &address, &(0..FIRST), &Validator::None, encoding)?;
        match given.location() {
            Some(location) => address = address.redirected(location).map_err(Failure::lasting)?,
            None => return Ok((Place { agent, address, encoding, since: Instant::now() }, given)),
        }
    }
    let why = format!("more than {MOST_REDIRECTS} times: it goes in a circle");
    Err(Failure::lasting(Problem::new(Code::RemoteRedirect).path(origin).because(why)))
}

fn judge(place: Place, given: Given) -> Result<Begun, Failure> {
    let opening = match Opening::of(&given.head()) {
        Ok(opening) => opening,
        Err(problem) => return Err(given.failed(&place.address, problem, false)),
    };
    let kind = match opening {
        Opening::Empty => Kind::Empty,
        Opening::Whole(len) => Kind::Whole { len, given },
        Opening::Ranges(identity) => {
            let wanted = usize::try_from(FIRST.min(identity.len)).unwrap_or(usize::MAX);
            let mut first = Vec::new();
            read_body(&mut given.into_body(), &place.address, |bytes| {
                first.extend_from_slice(bytes);
                first.len() < wanted
            })?;
            if first.is_empty() {
                return Err(cut_off(&place.address));
            }
            first.truncate(wanted);
            Kind::File { identity, first }
        }
    };
    Ok(Begun { place, kind })
}

/// Does something in a thread of its own, which is left behind when the user does not want to wait for it.
pub(super) fn patiently<T: Send + 'static>(
    checkpoint: &dyn Fn() -> Result<()>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let (done, result) = mpsc::channel();
    let asking = move || {
        // Nobody listens any more after a cancellation.
        let _ = done.send(work());
    };
    thread::Builder::new().name("remote".into()).spawn(asking).map_err(io::no_thread)?;
    loop {
        match result.recv_timeout(POLL) {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Timeout) => checkpoint()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Problem::new(Code::IoOther).headline("the thread that asks a server has ended"));
            }
        }
    }
}

/// Sleeps in small pieces, so that the user can stop it.
pub(super) fn wait(mut time: Duration, checkpoint: &dyn Fn() -> Result<()>) -> Result<()> {
    while !time.is_zero() {
        checkpoint()?;
        thread::sleep(time.min(POLL));
        time = time.saturating_sub(POLL);
    }
    Ok(())
}

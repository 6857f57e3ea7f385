//! One HTTP request at a time, to a node of layer 1 or of the DAL, or to a server of pre-images: bounded in time and size, tried again when the
//! network fails.

use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rollsnap_core::feedback::Notice;
use rollsnap_core::layer1::{self, MAX_ANSWER, excerpt};
use rollsnap_core::{Code, Feedback, Problem, Result};
use ureq::http::Uri;
use ureq::http::header::{AUTHORIZATION, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use ureq::{Agent, Error};

pub use rollsnap_core::layer1::Peer;

use crate::http::{self, Broken, Login, Times, without_login};

/// The limits of a request.
#[derive(Clone, Debug)]
pub struct Options {
    /// Longest time until the connection stands, TLS included.
    pub connect: Duration,
    /// Longest silence of the other side.
    pub read: Duration,
    /// Longest time of one try, from the name of the host to the last byte of the answer.
    pub total: Duration,
    /// How often a request is made again after the network failed, or what stands before the node says that it is busy
    /// (status 429, 502, 503 or 504), as long as `total` is not over.
    pub retries: u32,
    /// Time before the first of these tries; it doubles before each further one. `Retry-After` may ask for more.
    pub pause: Duration,
    /// Longest answer, in bytes; of layer 1 at most [`MAX_ANSWER`] are taken.
    pub max_body: u64,
    /// The kind of answers that are asked for.
    pub accept: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(15),
            total: Duration::from_secs(30),
            retries: layer1::RETRIES,
            pause: layer1::PAUSE,
            max_body: MAX_ANSWER,
            accept: "application/json",
        }
    }
}

/// Asks one node.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    peer: Peer,
    agent: Agent,
    /// The endpoint without a slash at its end, without user name and password.
    base: String,
    login: Option<Login>,
    options: Options,
}

/// What came back, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Where a redirect leads to, shortened and without control characters.
    pub location: Option<String>,
    /// For how long it asks to be left alone, if it gives seconds.
    pub retry_after: Option<Duration>,
    /// Whether it asks for a user name and a password.
    pub asks_login: bool,
    /// The body, at most [`Options::max_body`] bytes.
    pub body: Vec<u8>,
}

impl Answer {
    /// As the rules of layer 1 read it.
    pub fn to_core(&self) -> layer1::Answer<'_> {
        let Self { status, location, asks_login, body, .. } = self;
        layer1::Answer { status: *status, body, location: location.as_deref(), asks_login: *asks_login }
    }
}

impl Client {
    /// A client of the L1 node at `endpoint`; see [`Client::of`].
    ///
    /// # Errors
    /// [`Code::L1Endpoint`]
    pub fn new(endpoint: &str, options: Options) -> Result<Self> {
        Self::of(Peer::L1, endpoint, options)
    }

    /// A client of the node at `endpoint`, an `http` or `https` address that may have a path (the
    /// prefix of all requests). No request is made yet. The proxy of the environment is used,
    /// but not to ask this very machine.
    ///
    /// # Errors
    /// [`Code::L1Endpoint`], [`Code::DalEndpoint`], [`Code::PreImageEndpoint`]
    pub fn of(peer: Peer, endpoint: &str, options: Options) -> Result<Self> {
        let wrong = |why: &str| {
            let shown = excerpt(without_login(endpoint).as_bytes());
            Problem::new(peer.endpoint()).found(format_args!("{shown:?}")).because(why)
        };
        let uri: Uri = endpoint.trim().parse().map_err(|_| wrong("this is no address"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(wrong("it does not start with http:// or https://"));
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it names no host"))?;
        if uri.query().is_some() || endpoint.contains('#') {
            return Err(wrong("an endpoint has no ? or # part"));
        }
        let login = uri.authority().and_then(Login::of);
        let base = without_login(endpoint.trim().trim_end_matches('/'));
        let times = Times { connect: options.connect, read: options.read, total: Some(options.total) };
        let agent = http::agent(host, times, options.accept);
        Ok(Self(Arc::new(Inner { peer, agent, base, login, options })))
    }

    /// Asks for `path`, which starts with a slash, and returns the answer of whatever status.
    ///
    /// # Errors
    /// The codes of the peer: it cannot be reached; what answers does not speak HTTP or does not end.
    /// [`Code::Cancelled`].
    pub fn get(&self, path: &str, feedback: &mut dyn Feedback) -> Result<Answer> {
        let mut pause = self.0.options.pause;
        let mut left = self.0.options.retries;
        let begun = Instant::now();
        loop {
            feedback.checkpoint()?;
            let answer = self.once(path, feedback)?;
            let (why, asked) = match &answer {
                Ok(answer) if layer1::is_busy(answer.status) => {
                    (self.busy(answer.status), answer.retry_after)
                }
                Err(failure) if failure.passing => (failure.problem.to_string(), None),
                _ => return answer.map_err(|failure| failure.problem),
            };
            let wait_for = pause.max(asked.unwrap_or_default());
            if left == 0 || begun.elapsed().saturating_add(wait_for) >= self.0.options.total {
                return answer.map_err(|failure| failure.problem);
            }
            left -= 1;
            feedback.notice(Notice::Retrying(&format!("{why}; trying again")));
            wait(wait_for, feedback)?;
            pause = pause.saturating_mul(2);
        }
    }

    /// The endpoint without user name and password.
    pub fn endpoint(&self) -> &str {
        &self.0.base
    }

    fn busy(&self, status: u16) -> String {
        format!("the {} at {} answers with status {status}", self.0.peer.name(), self.0.base)
    }

    /// One try, in a thread of its own: it may last as long as its time limits say, and a user who wants to stop
    /// does not wait for that. The thread is left behind then, and ends with its try.
    fn once(&self, path: &str, feedback: &dyn Feedback) -> Result<Result<Answer, Failure>> {
        let (answer, answers) = mpsc::channel();
        let (inner, asked) = (Arc::clone(&self.0), path.to_owned());
        let asking = move || {
            // Nobody listens any more after a cancellation.
            let _ = answer.send(inner.once(&asked));
        };
        if thread::Builder::new().name("rpc".into()).spawn(asking).is_err() {
            return Ok(self.0.once(path));
        }
        loop {
            match answers.recv_timeout(POLL) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Timeout) => feedback.checkpoint()?,
                Err(RecvTimeoutError::Disconnected) => {
                    let text = format!("the thread that asks the {} has ended", self.0.peer.name());
                    return Err(Problem::new(Code::IoOther).headline(text));
                }
            }
        }
    }
}

/// How often a waiting job looks whether the user wants to stop.
const POLL: Duration = Duration::from_millis(50);

impl Inner {
    fn once(&self, path: &str) -> Result<Answer, Failure> {
        let url = format!("{}{path}", self.base);
        let mut request = self.agent.get(&url);
        if let Some(login) = &self.login {
            request = request.header(AUTHORIZATION, login.header());
        }
        let mut response = request.call().map_err(|err| self.failure(err))?;
        let status = response.status().as_u16();
        let location = response.headers().get(LOCATION).map(|value| excerpt(value.as_bytes()));
        let retry_after =
            response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let retry_after = retry_after.map(Duration::from_secs);
        let asks_login = response.headers().contains_key(WWW_AUTHENTICATE);
        let mut body = Vec::new();
        let limit = self.options.max_body;
        let reader = response.body_mut().with_config().limit(u64::MAX).reader();
        let read = reader.take(limit.saturating_add(1)).read_to_end(&mut body);
        read.map_err(|err| self.failure(err.into()))?;
        if body.len() as u64 > limit {
            return Err(Failure::lasting(self.peer.too_long(&self.base, limit)));
        }
        Ok(Answer { status, location, retry_after, asks_login, body })
    }

    fn failure(&self, err: Error) -> Failure {
        let Broken { why, passing, foreign } = err.into();
        let problem = match foreign {
            true => self.peer.not_understood(&self.base, &why),
            false => self.peer.unreachable(&self.base, &why),
        };
        Failure { problem, passing }
    }
}

/// Why one try got no answer.
struct Failure {
    problem: Problem,
    /// Whether another try may go better.
    passing: bool,
}

impl Failure {
    fn lasting(problem: Problem) -> Self {
        Self { problem, passing: false }
    }
}

/// Sleeps in small pieces, so that the user can stop it.
fn wait(mut time: Duration, feedback: &dyn Feedback) -> Result<()> {
    while !time.is_zero() {
        feedback.checkpoint()?;
        thread::sleep(time.min(POLL));
        time = time.saturating_sub(POLL);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(endpoint: &str) -> String {
        let problem = Client::new(endpoint, Options::default()).unwrap_err();
        assert_eq!(problem.code(), Code::L1Endpoint);
        problem.to_string()
    }

    #[test]
    fn only_http_addresses_are_endpoints() {
        for (endpoint, why) in [
            ("", "this is no address"),
            ("http://", "this is no address"),
            ("http://a b", "this is no address"),
            ("127.0.0.1:8732", "it does not start with http:// or https://"),
            ("/chains", "it does not start with http:// or https://"),
            ("ftp://node.example", "it does not start with http:// or https://"),
            ("file:///etc/passwd", "this is no address"),
            ("http://node.example/?key=1", "an endpoint has no ? or # part"),
            ("http://node.example/#top", "an endpoint has no ? or # part"),
        ] {
            let text = refused(endpoint);
            assert!(text.ends_with(why), "{endpoint}: {text}");
        }
    }

    #[test]
    fn a_path_is_kept_and_slashes_at_the_end_are_not() {
        for endpoint in ["https://node.example/l1", "https://node.example/l1/", " https://node.example/l1// "]
        {
            let client = Client::new(endpoint, Options::default()).unwrap();
            assert_eq!(client.0.base, "https://node.example/l1");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let client = Client::new("https://me:secret@node.example:8732/x@y", Options::default()).unwrap();
        assert_eq!(client.endpoint(), "https://node.example:8732/x@y");
        assert!(!refused("ftp://me:secret@node.example").contains("secret"));
        assert!(!refused("me:secret@node.example").contains("secret"));
    }
}

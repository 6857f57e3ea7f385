//! One request.

use std::io::{self, Read};
use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};

use rollsnap_core::remote::{self, Answer, Validator};
use rollsnap_core::{Code, Problem};
use ureq::http::Response;
use ureq::http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG, HeaderMap,
    IF_RANGE, LAST_MODIFIED, LOCATION, RANGE, RETRY_AFTER,
};
use ureq::{Agent, Body};

use super::address::Address;
use crate::http::{self, Broken, Times};

/// Longest time until a connection stands, and longest silence.
const TIMES: Times = Times { connect: Duration::from_secs(15), read: Duration::from_secs(30), total: None };

/// Slower than this after [`SETTLED`], a connection is given up, in bytes a second.
const SLOWEST: u64 = 1024;
pub(super) const SETTLED: Duration = Duration::from_secs(20);

/// How much is read at once, in bytes.
pub(super) const PIECE: usize = 64 << 10;

/// Why a request brought nothing, or not all.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) problem: Problem,
    /// Whether another try may go better.
    pub(super) passing: bool,
    /// The status of the answer, if one came.
    pub(super) status: Option<u16>,
    /// For how long the server asks to be left alone.
    pub(super) retry_after: Option<Duration>,
}

impl Failure {
    pub(super) fn lasting(problem: Problem) -> Self {
        Self { problem, passing: false, status: None, retry_after: None }
    }

    pub(super) fn passing(problem: Problem) -> Self {
        Self { passing: true, ..Self::lasting(problem) }
    }

    fn broken(address: &Address, broken: Broken) -> Self {
        let Broken { why, passing, foreign } = broken;
        let code = if foreign { Code::RemoteAnswer } else { Code::RemoteUnreachable };
        let headline = match foreign {
            true => format!("the answer of {} is not understood", address.server()),
            false => format!("the server at {} cannot be reached", address.server()),
        };
        Self { passing, ..Self::lasting(Problem::new(code).headline(headline).because(why)) }
    }
}

/// An answer, whose body is still to be read.
pub(super) struct Given {
    response: Response<Body>,
}

impl Given {
    /// What its head says.
    pub(super) fn head(&self) -> Answer<'_> {
        let text = |name: &str| header(self.response.headers(), name);
        Answer {
            status: self.response.status().as_u16(),
            content_range: text(CONTENT_RANGE.as_str()),
            content_length: text(CONTENT_LENGTH.as_str()).and_then(|length| length.trim().parse().ok()),
            content_encoding: text(CONTENT_ENCODING.as_str()),
            etag: text(ETAG.as_str()),
            last_modified: text(LAST_MODIFIED.as_str()),
            x_goog_generation: text("x-goog-generation"),
            x_amz_version_id: text("x-amz-version-id"),
        }
    }

    /// Where a redirect leads.
    pub(super) fn location(&self) -> Option<Option<&str>> {
        let moved = matches!(self.response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        moved.then(|| header(self.response.headers(), LOCATION.as_str()))
    }

    /// That it was not what was wanted. `served`: whether the server has served a part of the file before.
    pub(super) fn failed(&self, address: &Address, problem: Problem, served: bool) -> Failure {
        let status = self.response.status().as_u16();
        let text = |name: &str| header(self.response.headers(), name);
        let retry_after = text(RETRY_AFTER.as_str()).and_then(|when| pause(when, text(DATE.as_str())));
        let problem = if problem.place().is_none() { problem.path(address) } else { problem };
        Failure { problem, passing: remote::is_passing(status, served), status: Some(status), retry_after }
    }

    /// Its body.
    pub(super) fn into_body(self) -> impl Read + Send + 'static {
        self.response.into_body().into_with_config().limit(u64::MAX).reader()
    }
}

/// What `Retry-After` asks for: seconds, or a date, which is one of the clock of the server. That may be wrong, and the
/// answer has it too.
fn pause(when: &str, now: Option<&str>) -> Option<Duration> {
    let when = when.trim();
    if when.bytes().all(|byte| byte.is_ascii_digit()) {
        return when.parse().ok().map(Duration::from_secs);
    }
    let date = |text: &str| httpdate::parse_http_date(text.trim()).ok();
    let now = now.and_then(date).unwrap_or_else(SystemTime::now);
    // A time that has passed asks for nothing.
    date(when).map(|when| when.duration_since(now).unwrap_or_default())
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// What makes requests to the host of an address.
pub(super) fn agent(address: &Address) -> Agent {
    http::agent(address.host(), TIMES, "*/*")
}

/// Asks for bytes of a file, and gives the answer of whatever status. `encoding` is what `Accept-Encoding` says.
pub(super) fn get(
    agent: &Agent,
    address: &Address,
    range: &Range<u64>,
    validator: &Validator,
    encoding: &str,
) -> Result<Given, Failure> {
    let last = range.end.saturating_sub(1);
    let mut request = agent
        .get(address.text())
        .header(RANGE, format!("bytes={}-{last}", range.start))
        .header(ACCEPT_ENCODING, encoding);
    if let Some(tag) = validator.if_range() {
        request = request.header(IF_RANGE, tag);
    }
    if let Some(login) = address.login() {
        request = request.header(AUTHORIZATION, login.header());
    }
    match request.call() {
        Ok(response) => Ok(Given { response }),
        Err(err) => Err(Failure::broken(address, err.into())),
    }
}

/// Reads a body to its end, and gives what comes to `take`, which says whether to go on.
///
/// Nothing for half a minute, and next to nothing for [`SETTLED`], is a broken connection.
pub(super) fn read_body(
    body: &mut dyn Read,
    address: &Address,
    mut take: impl FnMut(&[u8]) -> bool,
) -> Result<(), Failure> {
    let (begun, mut got) = (Instant::now(), 0);
    let mut piece = vec![0; PIECE];
    loop {
        let len = match body.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(len) => len,
            Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
            Err(err) => return Err(Failure::broken(address, ureq::Error::from(err).into())),
        };
        got += len as u64;
        if !take(piece.get(..len).unwrap_or_default()) {
            return Ok(());
        }
        let time = begun.elapsed();
        if time > SETTLED && got / time.as_secs().max(1) < SLOWEST {
            return Err(Failure::passing(too_slow(address)));
        }
    }
}

/// The problem of a connection that brings next to nothing.
pub(super) fn too_slow(address: &Address) -> Problem {
    let headline = format!("the server at {} cannot be reached", address.server());
    Problem::new(Code::RemoteUnreachable).headline(headline).because("it sends next to nothing")
}

/// The problem of a body that ends before it should.
pub(super) fn cut_off(address: &Address) -> Failure {
    let headline = format!("the server at {} cannot be reached", address.server());
    let why = "it closed the connection before the end of its answer";
    Failure::passing(Problem::new(Code::RemoteUnreachable).headline(headline).because(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_in_seconds_and_as_dates() {
        // RFC 9110, section 5.6.7: one time in its three forms.
        let now = Some("Sun, 06 Nov 1994 08:49:30 GMT");
        for when in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(pause(when, now), Some(Duration::from_secs(7)), "{when}");
            // By the clock of this machine it has passed long ago.
            assert_eq!(pause(when, None), Some(Duration::ZERO), "{when}");
            assert_eq!(pause(when, Some("yesterday")), Some(Duration::ZERO), "{when}");
        }
        assert_eq!(pause(" 120 ", now), Some(Duration::from_secs(120)));
        for nonsense in ["", "soon", "-5", "+5", "1.5", "99999999999999999999999", "Sun, 06 Nov 1994"] {
            assert_eq!(pause(nonsense, now), None, "{nonsense}");
        }
    }
}

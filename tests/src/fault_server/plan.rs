//! The faults, and when each of them shows.

use core::time::Duration;

use super::resource::Resource;

/// What a server does otherwise than it should.
#[derive(Clone, Debug)]
pub enum Fault {
    // Time.
    /// Sends bodies at this many bytes a second on each connection.
    Throttle(u64),
    /// Waits before it answers, as on a long line.
    Delay(Duration),
    /// Reads the request and says nothing; the connection stays open.
    StallBefore,
    /// Falls silent after this many bytes of a body; the connection stays open.
    StallAfter(u64),

    // Connections.
    /// Closes the connection without an answer.
    DropBefore,
    /// Closes the connection after this many bytes of a body.
    DropAfter(u64),
    /// Closes a connection when it has carried this many bytes of bodies.
    DropEvery(u64),
    /// Resets the connection after this many bytes of a body; the last of them may be lost.
    ResetAfter(u64),

    // Ranges. The answers tell the truth about what they hold, unless it says otherwise.
    /// Answers 200 with the whole, and advertises no ranges.
    IgnoreRange,
    /// Begins this many bytes before the range, or at the first byte.
    Early(u64),
    /// Begins this many bytes behind the first of the range, or at its last byte.
    Late(u64),
    /// Ends after this many bytes.
    Short(u64),
    /// Sends the bytes that stand this much further on, as if they were those of the range.
    Shift(u64),
    /// Says this total in `Content-Range`.
    WrongTotal(u64),
    /// Says `*` for the total in `Content-Range`.
    UnknownTotal,
    /// Answers 206 without `Content-Range`.
    NoContentRange,
    /// Answers a range although the resource is not that of `If-Range`.
    IgnoreIfRange,
    /// Answers although the resource is not that of `If-Match`.
    IgnoreIfMatch,

    // The length of a body.
    /// `Transfer-Encoding: chunked` in place of a length.
    Chunked,
    /// No length: the body ends with the connection.
    UntilClose,
    /// Chunked, and zeros behind the content without end.
    Endless,
    /// Says this many bytes more than it sends, and closes.
    LengthOver(u64),
    /// Says this many bytes less than it sends.
    LengthUnder(u64),

    // Something else in place of the content.
    /// A status with a line of text.
    Status(u16),
    /// A status with `Retry-After`: seconds, a date ([`http_date`](super::http_date)), or nonsense.
    RetryAfter(u16, String),
    /// A redirect with this `Location`, verbatim: empty, relative, to itself, to another scheme.
    Redirect(u16, String),
    /// 200 with a page for people.
    Html,
    /// Bytes that are not HTTP.
    Garbage,
    /// 200 and a head without end.
    EndlessHeaders,

    // The content.
    /// Inverts the lowest bit of the byte at this place of the content, in answers that hold it.
    Corrupt(u64),
    /// Replaces the resource of this path before the answer, for good.
    Replace(Resource),
}

impl Fault {
    /// [`Fault::RetryAfter`].
    pub fn retry_after(status: u16, value: impl Into<String>) -> Self {
        Self::RetryAfter(status, value.into())
    }

    /// [`Fault::Redirect`].
    pub fn redirect(status: u16, location: impl Into<String>) -> Self {
        Self::Redirect(status, location.into())
    }
}

/// A list of faults, each with its limits. The methods that limit are about the fault that was added last.
///
/// Of faults that cannot show in one answer together (two statuses, two rates), the first in the list does,
/// and only that one is counted: `Plan::of(A).first(2).with(B)` is A twice, then B. A fault counts where it
/// changes something: `DropAfter(9)` not in a body of 8 bytes, `Corrupt(5)` not in a range without that byte.
#[derive(Clone, Debug, Default)]
pub struct Plan(Vec<Rule>);

impl Plan {
    /// No fault.
    pub fn new() -> Self {
        Self::default()
    }

    /// One fault.
    pub fn of(fault: Fault) -> Self {
        Self::new().with(fault)
    }

    /// One fault more.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Self {
        self.0.push(Rule { fault, path: None, skip: 0, left: u64::MAX, from: 0, before: u64::MAX, sent: 0 });
        self
    }

    /// In the first `n` answers only that it can change.
    #[must_use]
    pub fn first(self, n: u64) -> Self {
        self.limit(|rule| rule.left = n)
    }

    /// Not in the first `n` answers that it can change.
    #[must_use]
    pub fn after(self, n: u64) -> Self {
        self.limit(|rule| rule.skip = n)
    }

    /// For this path only.
    #[must_use]
    pub fn on(self, path: &str) -> Self {
        self.limit(|rule| rule.path = Some(path.to_owned()))
    }

    /// For requests only whose first byte is this one or one behind it. A request without a range begins at 0.
    #[must_use]
    pub fn from(self, offset: u64) -> Self {
        self.limit(|rule| rule.from = offset)
    }

    /// For requests only whose first byte stands before this one.
    #[must_use]
    pub fn before(self, offset: u64) -> Self {
        self.limit(|rule| rule.before = offset)
    }

    /// Not before the server has sent this many bytes of bodies, on all its connections together.
    #[must_use]
    pub fn after_bytes(self, sent: u64) -> Self {
        self.limit(|rule| rule.sent = sent)
    }

    pub(super) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// What `select` makes of the first fault that it takes and that shows in this answer; that one is counted.
    pub(super) fn take<T>(
        &mut self,
        asked: &Asked<'_>,
        select: impl Fn(&Fault) -> Option<T>,
    ) -> Option<(T, Fault)> {
        self.0.iter_mut().find_map(|rule| rule.take(asked, &select))
    }

    /// The same of all faults.
    pub(super) fn take_all<T>(
        &mut self,
        asked: &Asked<'_>,
        select: impl Fn(&Fault) -> Option<T>,
    ) -> Vec<(T, Fault)> {
        self.0.iter_mut().filter_map(|rule| rule.take(asked, &select)).collect()
    }

    fn limit(mut self, set: impl FnOnce(&mut Rule)) -> Self {
        set(self.0.last_mut().expect("a limit follows the fault that it is about"));
        self
    }
}

impl From<Fault> for Plan {
    fn from(fault: Fault) -> Self {
        Self::of(fault)
    }
}

/// What the limits of a fault look at.
pub(super) struct Asked<'a> {
    /// Without the query.
    pub(super) path: &'a str,
    /// The first byte that is asked for.
    pub(super) start: u64,
    /// Bytes of bodies so far.
    pub(super) sent: u64,
}

#[derive(Clone, Debug)]
struct Rule {
    fault: Fault,
    path: Option<String>,
    skip: u64,
    left: u64,
    from: u64,
    before: u64,
    sent: u64,
}

impl Rule {
    fn take<T>(&mut self, asked: &Asked<'_>, select: impl Fn(&Fault) -> Option<T>) -> Option<(T, Fault)> {
        let here = self.path.as_deref().is_none_or(|path| path == asked.path)
            && (self.from..self.before).contains(&asked.start)
            && self.sent <= asked.sent
            && self.left > 0;
        let selected = here.then(|| select(&self.fault)).flatten()?;
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.left -= 1;
        Some((selected, self.fault.clone()))
    }
}

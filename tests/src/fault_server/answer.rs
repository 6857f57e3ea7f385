//! What a request is answered with: as the standard says, then changed by the faults of the plan.

use core::ops::Range;
use core::time::Duration;
use std::sync::{Arc, MutexGuard};

use super::log::Entry;
use super::plan::{Asked, Fault, Plan};
use super::range::{Wanted, matches, unchanged};
use super::request::Request;
use super::resource::{Encoding, Resource};
use super::response::{Cut, Length, Response};
use super::shared::Shared;

/// What happens on the connection.
pub(super) enum Answer {
    /// A response.
    Response(Response),
    /// Nothing, and the connection stays open.
    Silence,
    /// The connection is closed.
    Close,
    /// Bytes that are not HTTP, and the connection is closed.
    Garbage,
    /// A head that does not end.
    EndlessHeaders,
}

/// How long the answer is put off.
pub(super) fn delay(shared: &Shared, entry: &Entry) -> Duration {
    let delay = Faults::of(shared, entry).take(|fault| match fault {
        Fault::Delay(time) => Some(*time),
        _ => None,
    });
    delay.unwrap_or_default()
}

/// The answer on a connection that has carried so many bytes of bodies.
pub(super) fn answer(shared: &Shared, entry: &Entry, carried: u64) -> Answer {
    let request = entry.request();
    let mut faults = Faults::of(shared, entry);
    let replacement = faults.take(|fault| match fault {
        Fault::Replace(resource) => Some(resource.clone()),
        _ => None,
    });
    if let Some(resource) = replacement {
        shared.put(request.path(), resource);
    }
    if let Some(answer) = faults.take(instead) {
        return answer;
    }
    let Some(resource) = shared.resource(request.path()) else { return Response::text(404).into() };
    let mut response = match request.method.as_str() {
        "GET" | "HEAD" => response(request, &resource, &mut faults),
        "OPTIONS" if resource.exposed.is_some() => Response::text(204)
            .with("Access-Control-Allow-Methods", "GET, HEAD")
            .with("Access-Control-Allow-Headers", "Range, If-Range, If-Match"),
        _ => Response::text(405).with("Allow", "GET, HEAD"),
    };
    if let Some(exposed) = &resource.exposed {
        response =
            response.with("Access-Control-Allow-Origin", "*").with("Access-Control-Expose-Headers", exposed);
    }
    response.head_only = request.method == "HEAD";
    if response.has_content() {
        change_length(&mut response, &mut faults);
        if !response.head_only {
            change_body(&mut response, &mut faults, carried);
        }
    }
    response.into()
}

/// The faults that an answer can have; those that it takes are written down.
struct Faults<'a> {
    plan: MutexGuard<'a, Plan>,
    asked: Asked<'a>,
    entry: &'a Entry,
}

impl<'a> Faults<'a> {
    fn of(shared: &'a Shared, entry: &'a Entry) -> Self {
        let request = entry.request();
        let total = shared.resource(request.path()).map_or(0, |resource| resource.content.len());
        let start = Wanted::of(request.header("range"), total).start(total);
        let asked = Asked { path: request.path(), start, sent: shared.sent() };
        Self { plan: shared.plan(), asked, entry }
    }

    fn take<T>(&mut self, select: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        let (selected, fault) = self.plan.take(&self.asked, select)?;
        self.entry.met(fault);
        Some(selected)
    }

    fn take_all<T>(&mut self, select: impl Fn(&Fault) -> Option<T>) -> Vec<T> {
        let taken = self.plan.take_all(&self.asked, select).into_iter();
        taken.map(|(selected, fault)| (self.entry.met(fault), selected).1).collect()
    }

    /// Whether a fault without a value shows.
    fn has(&mut self, is: impl Fn(&Fault) -> bool) -> bool {
        self.take(|fault| is(fault).then_some(())).is_some()
    }
}

/// What is sent in place of any content.
fn instead(fault: &Fault) -> Option<Answer> {
    Some(match fault {
        Fault::StallBefore => Answer::Silence,
        Fault::DropBefore => Answer::Close,
        Fault::Garbage => Answer::Garbage,
        Fault::EndlessHeaders => Answer::EndlessHeaders,
        Fault::Status(status) => Response::text(*status).into(),
        Fault::RetryAfter(status, value) => Response::text(*status).with("Retry-After", value).into(),
        Fault::Redirect(status, location) => Response::text(*status).with("Location", location).into(),
        Fault::Html => {
            let page = "<!DOCTYPE html>\n<title>Welcome</title>\n<p>Please accept our terms to go on.\n";
            Response::new(200, Arc::new(page.as_bytes().to_vec())).with("Content-Type", "text/html").into()
        }
        _ => return None,
    })
}

fn response(request: &Request, resource: &Resource, faults: &mut Faults<'_>) -> Response {
    if !matches(request, resource) && !faults.has(|fault| matches!(fault, Fault::IgnoreIfMatch)) {
        return Response::text(412);
    }
    let accepts = request.accepts_gzip();
    match &resource.encoding {
        Encoding::Stored(decompressed) if !accepts => Response::new(200, Arc::clone(decompressed))
            .about(resource)
            .with("Warning", "214 - \"Transformation Applied\"")
            .of_unknown_length(),
        Encoding::OnTheWay(compressed) if accepts => {
            // Other bytes have another strong tag; servers that compress make it weak.
            let etag = resource.etag.as_ref().map(|tag| format!("W/{}", tag.trim_start_matches("W/")));
            Response::new(200, Arc::clone(compressed))
                .about(&Resource { etag, ..resource.clone() })
                .with("Content-Encoding", "gzip")
                .of_unknown_length()
        }
        encoding => {
            let response = ranged(request, resource, faults);
            let compressed = matches!(encoding, Encoding::Stored(_)) && response.has_content();
            if compressed { response.with("Content-Encoding", "gzip") } else { response }
        }
    }
}

/// The answer to a request that may have a range.
fn ranged(request: &Request, resource: &Resource, faults: &mut Faults<'_>) -> Response {
    let total = resource.content.len();
    let mut wanted = Wanted::of(request.header("range"), total);
    let whole = Response::new(200, Arc::clone(&resource.content)).about(resource);
    if wanted != Wanted::Whole {
        if faults.has(|fault| matches!(fault, Fault::IgnoreRange)) {
            return whole;
        }
        if !unchanged(request, resource) && !faults.has(|fault| matches!(fault, Fault::IgnoreIfRange)) {
            wanted = Wanted::Whole;
        }
    }
    match wanted {
        Wanted::Whole => whole.with("Accept-Ranges", "bytes"),
        Wanted::Beyond => Response::text(416).with("Content-Range", &format!("bytes */{total}")),
        Wanted::Part(part) => partial(whole, part, total, faults).with("Accept-Ranges", "bytes"),
    }
}

fn partial(whole: Response, mut part: Range<u64>, total: u64, faults: &mut Faults<'_>) -> Response {
    let Range { start, end } = part;
    let moved = faults.take(|fault| match fault {
        Fault::Early(by) if start > 0 => Some(start.saturating_sub(*by)..end),
        Fault::Late(by) if end - start > 1 => Some(start.saturating_add(*by).min(end - 1)..end),
        Fault::Short(len) if (1..end - start).contains(len) => Some(start..start + len),
        _ => None,
    });
    part = moved.unwrap_or(part);
    let said = faults.take(|fault| match fault {
        Fault::NoContentRange => Some(None),
        Fault::UnknownTotal => Some(Some("*".to_owned())),
        Fault::WrongTotal(wrong) => Some(Some(wrong.to_string())),
        _ => None,
    });
    let shift = faults.take(|fault| match fault {
        Fault::Shift(by) if *by <= total - part.end => Some(*by),
        _ => None,
    });
    let mut response = Response { status: 206, length: Length::Said(part.end - part.start), ..whole };
    if let Some(total) = said.unwrap_or(Some(total.to_string())) {
        let range = format!("bytes {}-{}/{total}", part.start, part.end - 1);
        response = response.with("Content-Range", &range);
    }
    let by = shift.unwrap_or_default();
    response.part = part.start + by..part.end + by;
    response
}

fn change_length(response: &mut Response, faults: &mut Faults<'_>) {
    let len = response.part.end - response.part.start;
    let changed = faults.take(|fault| match fault {
        Fault::Chunked => Some(Length::Chunked),
        Fault::UntilClose => Some(Length::UntilClose),
        Fault::Endless => Some(Length::Endless),
        Fault::LengthOver(by) => Some(Length::Said(len.saturating_add(*by))),
        Fault::LengthUnder(by) => len.checked_sub(*by).map(Length::Said),
        _ => None,
    });
    if let Some(length) = changed {
        response.length = length;
    }
}

fn change_body(response: &mut Response, faults: &mut Faults<'_>, carried: u64) {
    let part = response.part.clone();
    let len = if matches!(response.length, Length::Endless) { u64::MAX } else { part.end - part.start };
    response.rate = faults.take(|fault| match fault {
        Fault::Throttle(rate) => Some((*rate).max(1)),
        _ => None,
    });
    let cuts = faults.take_all(|fault| match fault {
        Fault::DropAfter(at) if *at < len => Some((*at, Cut::Close)),
        Fault::ResetAfter(at) if *at < len => Some((*at, Cut::Reset)),
        Fault::StallAfter(at) if *at < len => Some((*at, Cut::Stall)),
        Fault::DropEvery(at) if at.saturating_sub(carried) <= len => {
            Some((at.saturating_sub(carried), Cut::Close))
        }
        _ => None,
    });
    response.cut = cuts.into_iter().min_by_key(|(at, _)| *at);
    response.corrupt = faults.take_all(|fault| match fault {
        Fault::Corrupt(at) if part.contains(at) => Some(*at),
        _ => None,
    });
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}

//! What an answer means: its status in words, errors by the end of their name.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::peer::too_long;
use super::{MAX_ANSWER, Question};
use crate::code::Code;
use crate::problem::{Problem, Result};

/// What came back for a request, whatever its status.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The HTTP status; 0 for a redirect of which a browser says nothing else.
    pub status: u16,
    /// The body, as it came.
    pub body: &'a [u8],
    /// Where a redirect leads to, if that is known.
    pub location: Option<&'a str>,
    /// Whether it asks for a user name and a password (`WWW-Authenticate`).
    pub asks_login: bool,
}

impl<'a> Answer<'a> {
    /// An answer of which no more is known.
    pub const fn new(status: u16, body: &'a [u8]) -> Self {
        Self { status, body, location: None, asks_login: false }
    }
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Something about the node itself or about its newest block.
    Node,
    /// Something about the block at this level.
    Block(i32),
}

/// Reads the value out of an answer to a question.
pub(super) fn meaning<Q: Question + ?Sized>(question: &Q, answer: &Answer<'_>) -> Result<Q::Value> {
    let path = &question.path();
    let status = answer.status;
    let problem = |code| Problem::new(code).found(format_args!("status {status} for {path}"));
    if answer.body.len() as u64 > MAX_ANSWER {
        return Err(Problem::new(Code::L1Answer).because(too_long(MAX_ANSWER)));
    }
    match status {
        200..=299 => return question.read(answer.body),
        0 => return Err(Problem::new(Code::L1Answer).because(redirects(answer.location))),
        300..=399 => return Err(problem(Code::L1Answer).because(redirects(answer.location))),
        401 if answer.asks_login => return Err(Problem::new(Code::L1Forbidden).headline(LOGIN)),
        // The nodes themselves say so of a path that their access list does not have.
        401 | 403 => return Err(forbidden(path)),
        _ => {}
    }
    let ids = error_ids(answer.body);
    let is = |name: &str| ids.iter().any(|id| id.rsplit('.').next() == Some(name));
    if is("smart_rollup_unknown_commitment") {
        let unasked = || {
            let what = format_args!("an unknown commitment, which nobody asked for, in {path}");
            Problem::new(Code::L1Status).found(what)
        };
        return question.unknown_commitment().ok_or_else(unasked);
    }
    if is("smart_rollup_does_not_exist") {
        return Err(Problem::new(Code::L1UnknownRollup));
    }
    Err(match (status, question.subject()) {
        (404 | 410, Subject::Block(level)) => {
            let text = format!("block {level} pruned or unknown: use an archive node");
            problem(Code::L1Pruned).headline(text)
        }
        (404 | 410, Subject::Node) => problem(Code::L1Answer).because("an L1 node would know this path"),
        _ if ids.is_empty() => match excerpt(answer.body).as_str() {
            "" => problem(Code::L1Status),
            text => problem(Code::L1Status).because(text),
        },
        _ => problem(Code::L1Status).because(excerpt(ids.join(", ").as_bytes())),
    })
}

const LOGIN: &str = "this L1 node wants another user name or password: give them as https://USER:PASSWORD@HOST, special characters as %40";

fn redirects(location: Option<&str>) -> String {
    let target = location.map_or_else(|| "another address".into(), |location| excerpt(location.as_bytes()));
    format!("it redirects to {target}, which is not followed: give that address")
}

fn forbidden(path: &str) -> Problem {
    let text = format!("this L1 node does not serve {} (its access list forbids it)", what_is(path));
    Problem::new(Code::L1Forbidden).headline(text)
}

/// What a path of ours is about, in words.
pub(super) fn what_is(path: &str) -> &'static str {
    if path.contains("/context/smart_rollups/") {
        "smart rollup storage"
    } else if path.contains("/levels/") {
        "its savepoint"
    } else {
        "block data"
    }
}

/// Names of the errors in the body of a failed request, `proto.022-PsRiotum.some_error`; none if the body is something
/// else.
fn error_ids(body: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Entry {
        id: String,
    }
    let entries: Vec<Entry> = serde_json::from_slice(body).unwrap_or_default();
    entries.into_iter().map(|entry| entry.id).collect()
}

/// The beginning of a foreign text: at most 200 characters, lines joined to one. What else is in it that is not to be
/// seen is for those who show it.
pub fn excerpt(bytes: &[u8]) -> String {
    const MAX: usize = 200;
    // A character has at most four bytes.
    let bytes = &bytes[..bytes.len().min(4 * MAX + 4)];
    let space = |c: char| if c.is_whitespace() { ' ' } else { c };
    let text: String = String::from_utf8_lossy(bytes).chars().map(space).collect();
    let mut words = text.trim().chars();
    let mut short: String = words.by_ref().take(MAX).collect();
    if words.next().is_some() {
        short.push('…');
    }
    short
}

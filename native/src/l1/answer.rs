//! What an answer means: its status in words, errors by the end of their name, JSON with types.

use rollsnap_core::{Code, Problem};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::Answer;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// Something about the node itself or about its newest block.
    Node,
    /// Something about the block at this level.
    Block(i32),
}

/// Why there is no value.
#[derive(Debug)]
pub(super) enum Failure {
    /// The protocol knows no such commitment at this block.
    UnknownCommitment,
    /// Anything else.
    Problem(Problem),
}

/// Reads the value out of an answer to a request for `path`.
pub(super) fn value<T: DeserializeOwned>(
    answer: &Answer,
    path: &str,
    subject: Subject,
) -> Result<T, Failure> {
    let Answer { status, location, asks_login, body, .. } = answer;
    let status = *status;
    let problem = |code| Problem::new(code).found(format_args!("status {status} for {path}"));
    let failed = |problem: Problem| Err(Failure::Problem(problem));
    match status {
        200..=299 => return json(body, path).map_err(Failure::Problem),
        300..=399 => {
            let target = location.as_deref().unwrap_or("nowhere");
            let why = format!("it redirects to {target}, which is not followed: give that address");
            return failed(problem(Code::L1Answer).because(why));
        }
        401 if *asks_login => return failed(Problem::new(Code::L1Forbidden).headline(LOGIN)),
        // The nodes themselves say so of a path that their access list does not have.
        401 | 403 => return failed(forbidden(path)),
        _ => {}
    }
    let ids = error_ids(body);
    let is = |name: &str| ids.iter().any(|id| id.rsplit('.').next() == Some(name));
    if is("smart_rollup_unknown_commitment") {
        return Err(Failure::UnknownCommitment);
    }
    if is("smart_rollup_does_not_exist") {
        return failed(Problem::new(Code::L1UnknownRollup));
    }
    match (status, subject) {
        (404 | 410, Subject::Block(level)) => {
            let text = format!("block {level} pruned or unknown: use an archive node");
            failed(problem(Code::L1Pruned).headline(text))
        }
        (404 | 410, Subject::Node) => {
            failed(problem(Code::L1Answer).because("an L1 node would know this path"))
        }
        _ if ids.is_empty() => match excerpt(body).as_str() {
            "" => failed(problem(Code::L1Status)),
            text => failed(problem(Code::L1Status).because(text)),
        },
        _ => failed(problem(Code::L1Status).because(excerpt(ids.join(", ").as_bytes()))),
    }
}

/// The beginning of a foreign text: at most 200 characters, lines joined to one. What else is in it that is not to be
/// seen is for those who show it.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
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

const LOGIN: &str = "this L1 node wants another user name or password: give them as https://USER:PASSWORD@HOST, special characters as %40";

fn forbidden(path: &str) -> Problem {
    let what = if path.contains("/context/smart_rollups/") {
        "smart rollup storage"
    } else if path.contains("/levels/") {
        "its savepoint"
    } else {
        "block data"
    };
    let text = format!("this L1 node does not serve {what} (its access list forbids it)");
    Problem::new(Code::L1Forbidden).headline(text)
}

fn json<T: DeserializeOwned>(body: &[u8], path: &str) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|err| {
        let problem = Problem::new(Code::L1Answer);
        if body.trim_ascii().is_empty() {
            return problem.found(format_args!("an empty answer for {path}"));
        }
        let problem = problem.found(format_args!("{:?} for {path}", excerpt(body)));
        problem.because(excerpt(err.to_string().as_bytes()))
    })
}

/// Names of the errors in the body of a failed request, `proto.022-PsRiotum.some_error`; none if
/// the body is something else.
fn error_ids(body: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Entry {
        id: String,
    }
    let entries: Vec<Entry> = serde_json::from_slice(body).unwrap_or_default();
    entries.into_iter().map(|entry| entry.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORAGE: &str = "/chains/main/blocks/7/context/smart_rollups/smart_rollup/sr1/kind";

    fn ask(status: u16, body: &str) -> Result<i32, Failure> {
        let answer =
            Answer { status, location: None, retry_after: None, asks_login: false, body: body.into() };
        value(&answer, STORAGE, Subject::Block(7))
    }

    fn code(status: u16, body: &str) -> Code {
        match ask(status, body) {
            Err(Failure::Problem(problem)) => problem.code(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn errors_are_known_by_the_end_of_their_name() {
        for protocol in ["022-PsRiotum", "alpha", "001-PtAtLas", "never.seen"] {
            let body = |name: &str| format!(r#"[{{"kind":"temporary","id":"proto.{protocol}.{name}"}}]"#);
            for status in [404, 500] {
                let unknown = ask(status, &body("smart_rollup_unknown_commitment"));
                assert!(matches!(unknown, Err(Failure::UnknownCommitment)), "{unknown:?}");
                assert_eq!(code(status, &body("smart_rollup_does_not_exist")), Code::L1UnknownRollup);
            }
            assert_eq!(code(500, &body("not_a_smart_rollup_unknown_commitment")), Code::L1Status);
        }
    }

    #[test]
    fn the_error_may_stand_deeper_in_the_trace() {
        let body = r#"[{"id":"failure","msg":"x"},{"id":"proto.alpha.smart_rollup_unknown_commitment"}]"#;
        assert!(matches!(ask(500, body), Err(Failure::UnknownCommitment)));
    }

    #[test]
    fn a_refusal_is_never_an_unknown_commitment() {
        let body = r#"[{"id":"proto.alpha.smart_rollup_unknown_commitment"}]"#;
        assert_eq!(code(401, body), Code::L1Forbidden);
        assert_eq!(code(403, body), Code::L1Forbidden);
        assert!(ask(200, body).is_err_and(|err| !matches!(err, Failure::UnknownCommitment)));
    }

    #[test]
    fn other_statuses_keep_number_and_text() {
        let Err(Failure::Problem(problem)) = ask(503, "<h1>\u{1b}[31mMaintenance</h1>\n") else { panic!() };
        let text = "the L1 node reports an error: found status 503 for /chains/main/blocks/7/context/\
                    smart_rollups/smart_rollup/sr1/kind: <h1>\\u{1b}[31mMaintenance</h1>";
        assert_eq!(problem.to_string(), text);
        assert_eq!(code(429, ""), Code::L1Status);
        assert_eq!(code(500, &"[".repeat(100_000)), Code::L1Status);
    }

    #[test]
    fn excerpts_are_short_and_one_line() {
        assert_eq!(excerpt(b"  two\r\nlines\x07 "), "two  lines\x07");
        assert_eq!(excerpt(&[b'a'; 200]), "a".repeat(200));
        assert_eq!(excerpt(&[b'a'; 201]), "a".repeat(200) + "…");
        assert_eq!(excerpt("é".repeat(1 << 20).as_bytes()).chars().count(), 201);
        assert_eq!(excerpt("a\u{2028}b".as_bytes()), "a b");
    }
}

//! A span that came from afar and is not what the index says: fetched again, to tell whose fault that is.

use rollsnap_core::{Code, Problem, ReadAt, Result};

use super::Indexed;
use super::span::SpanInflater;

/// How often a span is fetched again.
const TIMES: u32 = 2;

/// Longer ones are not compared, in bytes of the file.
const LONGEST: u64 = 64 << 20;

/// As [`SpanInflater::read`]. A span that is read from a server and is not right is fetched again: where it is right then,
/// the connection has damaged it; where the same bytes come again, they are those of the server.
///
/// # Errors
/// As [`SpanInflater::read`], with what fetching it again has shown.
pub(super) fn read(
    inflater: &mut SpanInflater,
    indexed: &Indexed,
    at: usize,
    out: &mut Vec<u8>,
) -> Result<()> {
    let wrong = match inflater.read(indexed, at, out) {
        Err(problem) if problem.code() == Code::GzipIndex => problem,
        other => return other,
    };
    let Some((file, start)) = indexed.file().far() else { return Err(wrong) };
    let index = indexed.index();
    let begin = index.checkpoints.get(at).map_or(0, |point| point.bit / 8);
    let end = (index.end_of(at).1 / 8 + 1).min(indexed.file().len());
    let Some(len) = end.checked_sub(begin).filter(|len| *len <= LONGEST) else { return Err(wrong) };
    let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
    indexed.file().read_at(begin, &mut bytes)?;
    for _ in 0..TIMES {
        file.forget(start + begin, len);
        let before = std::mem::take(&mut bytes);
        match inflater.read(indexed, at, out) {
            Err(problem) if problem.code() == Code::GzipIndex => {}
            other => return other,
        }
        bytes = vec![0; before.len()];
        indexed.file().read_at(begin, &mut bytes)?;
        if bytes == before {
            return Err(told(
                wrong,
                "the same bytes come when they are fetched again: the file at the provider is damaged",
            ));
        }
    }
    Err(told(wrong, "other bytes come each time they are fetched: the connection damages them"))
}

fn told(problem: Problem, what: &str) -> Problem {
    let why = problem.cause().map_or_else(String::new, |why| format!("{why}; "));
    problem.because(format!("{why}{what}"))
}

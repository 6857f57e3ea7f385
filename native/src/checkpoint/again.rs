//! A span that came from afar and is not what the index says: fetched again, from another source if there is one, to tell
//! whose fault that is.

use rollsnap_core::{Code, Problem, ReadAt, Result};

use super::Indexed;
use super::span::SpanInflater;
use crate::files::Distant;

/// Longer ones are not compared, in bytes of the file.
const LONGEST: u64 = 64 << 20;

/// As [`SpanInflater::read`]. A span that is read from a server and is not right is fetched again: where it is right then,
/// the connection or the source has damaged it; where the same bytes come again, they are those of the provider.
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
    let Some((far, start)) = indexed.file().far() else { return Err(wrong) };
    let right = anew(inflater, indexed, at, out, far, start, wrong)?;
    far.mend(start + right.begin, &right.bytes);
    Ok(())
}

/// Looks at every span of a file that was fetched from `far`, and hands right bytes to `write`, with their place, for each
/// that is not right. Gives how many there were.
///
/// # Errors
/// [`Code::GzipIndex`] when no right bytes come; those of `checkpoint` and `write`.
pub(crate) fn mend(
    indexed: &Indexed,
    far: &dyn Distant,
    checkpoint: &dyn Fn() -> Result<()>,
    write: &mut dyn FnMut(u64, &[u8]) -> Result<()>,
) -> Result<u64> {
    let (mut inflater, mut out, mut mended) = (SpanInflater::new(), Vec::new(), 0);
    for at in 0..indexed.index().checkpoints.len() {
        checkpoint()?;
        match inflater.read(indexed, at, &mut out) {
            Err(problem) if problem.code() == Code::GzipIndex => {
                let right = anew(&mut inflater, indexed, at, &mut out, far, 0, problem)?;
                write(right.begin, &right.bytes)?;
                mended += 1;
            }
            other => other?,
        }
    }
    Ok(mended)
}

/// Bytes of a file that were fetched again, and are right.
#[derive(Debug)]
struct Anew {
    /// Where they begin.
    begin: u64,
    bytes: Vec<u8>,
}

/// Fetches a span again that is not right, and inflates it to `out`. The file begins at `start` of `far`.
///
/// # Errors
/// `wrong`, with what was found out, when no right bytes come; [`Code::Cancelled`].
fn anew(
    inflater: &mut SpanInflater,
    indexed: &Indexed,
    at: usize,
    out: &mut Vec<u8>,
    far: &dyn Distant,
    start: u64,
    wrong: Problem,
) -> Result<Anew> {
    let index = indexed.index();
    let begin = index.checkpoints.get(at).map_or(0, |point| point.bit / 8);
    let end = (index.end_of(at).1 / 8 + 1).min(indexed.file().len());
    let Some(len) = end.checked_sub(begin).filter(|len| *len <= LONGEST) else { return Err(wrong) };
    let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
    indexed.file().read_at(begin, &mut bytes)?;
    let suspect = far.brought_by(start + begin);
    let mut seen = vec![(suspect, bytes)];
    for source in far.sources_to_ask(suspect) {
        let bytes = match far.fetch_from(source, start + begin, len) {
            Ok(bytes) => bytes,
            Err(problem) if problem.code() == Code::Cancelled => return Err(problem),
            // What it would have brought is not known.
            Err(_) => continue,
        };
        let patched = Patched { file: indexed.file(), begin, bytes: &bytes };
        match inflater.read_from(&patched, indexed, at, out) {
            Ok(()) => {
                let of = seen.into_iter().next().unwrap_or_default();
                blame(far, of, source, start + begin, &bytes);
                return Ok(Anew { begin, bytes });
            }
            Err(problem) if problem.code() == Code::GzipIndex => {}
            Err(problem) => return Err(problem),
        }
        seen.push((source, bytes));
        // Nothing new comes of a third time.
        if let Some(why) = same(&seen, far, &place(start + begin, len)) {
            return Err(told(wrong, &why));
        }
    }
    if seen.len() == 1 {
        return Err(told(wrong, "it could not be fetched again"));
    }
    let why = "other bytes come each time they are fetched: the connection damages them";
    far.blame(suspect, &format!("its {} are not right; {why}", place(start + begin, len)));
    Err(told(wrong, why))
}

/// Says whose bytes are damaged, now that the right ones are there: the first ones again from where they came.
fn blame(far: &dyn Distant, (suspect, before): (usize, Vec<u8>), source: usize, at: u64, right: &[u8]) {
    let len = right.len() as u64;
    let place = place(at, len);
    if suspect != source && far.fetch_from(suspect, at, len).is_ok_and(|now| now == before) {
        let how = format!("its {place} are damaged, those of {} are right", far.source_name(source));
        far.discard(suspect, &how);
        return;
    }
    far.blame(suspect, &format!("the connection has damaged {place}; they were right when they came again"));
}

fn place(at: u64, len: u64) -> String {
    format!("bytes {at} to {}", (at + len).saturating_sub(1))
}

/// What it says that the same wrong bytes came twice; `None` if they did not.
fn same(seen: &[(usize, Vec<u8>)], far: &dyn Distant, place: &str) -> Option<String> {
    let ((source, last), before) = seen.split_last()?;
    let (twin, _) = before.iter().find(|(_, bytes)| bytes == last)?;
    let from = match twin == source {
        true => "when they are fetched again".to_owned(),
        false => format!("from {} and from {}", far.source_name(*twin), far.source_name(*source)),
    };
    let why = format!("the same bytes come {from}: the file at the provider is damaged");
    far.blame(*source, &format!("its {place} are not right; {why}"));
    Some(why)
}

fn told(problem: Problem, what: &str) -> Problem {
    let why = problem.cause().map_or_else(String::new, |why| format!("{why}; "));
    problem.because(format!("{why}{what}"))
}

/// A file, some bytes of which are others.
struct Patched<'a, R> {
    file: &'a R,
    begin: u64,
    bytes: &'a [u8],
}

impl<R: ReadAt> ReadAt for Patched<'_, R> {
    fn len(&self) -> u64 {
        self.file.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let from = offset.checked_sub(self.begin).and_then(|from| usize::try_from(from).ok());
        let bytes = from.and_then(|from| self.bytes.get(from..from.checked_add(out.len())?));
        match bytes {
            Some(bytes) => {
                out.copy_from_slice(bytes);
                Ok(())
            }
            None => self.file.read_at(offset, out),
        }
    }
}

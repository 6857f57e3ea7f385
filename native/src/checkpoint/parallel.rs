//! All content in order, inflated span by span on all cores.

use std::num::NonZeroUsize;
use std::sync::Arc;

use rollsnap_core::gzip::checkpoint::Index;
use rollsnap_core::report::Compression;
use rollsnap_core::snapshot::{ContentInspector, Event};
use rollsnap_core::{Code, Feedback, Problem, ReadAt, Result};

use super::span::SpanInflater;
use super::{Indexed, Known};
use crate::pool::{self, Pool};

/// How much content may wait to be looked at, in bytes: with the rest of the program less than 64 MiB.
const IN_FLIGHT: u64 = 2 * LONGEST;

/// Longer spans are not read side by side, in bytes of content.
const LONGEST: u64 = 16 << 20;

/// How much is looked at at once, in bytes, so that nobody who takes it needs room for more.
const PIECE: usize = 256 * 1024;

/// More threads than this are not started: one looks at what they inflate.
const MOST_THREADS: usize = 8;

/// A span, before and after it is inflated.
#[derive(Default)]
struct Job {
    at: usize,
    bytes: Vec<u8>,
}

/// How far reading by the index came.
pub(crate) enum Outcome {
    /// To the end: the content has this CRC-32.
    Read { crc32: u32 },
    /// Not to the end, for this reason. What was looked at until then is the content from front to end.
    Stopped { known: Known, problem: Problem },
}

/// Whether spans are so short that several can be held whole.
pub(crate) fn is_possible(indexed: &Indexed) -> bool {
    let index = indexed.index();
    index.checkpoints.len() > 1 && index.longest_span() <= LONGEST
}

/// Who follows the way from span to span.
pub(crate) trait Spans {
    /// So much of the file, in bytes, is not needed any more.
    fn passed(&mut self, offset: u64);

    /// All content before this span was looked at: so many bytes, of so many bytes of the file.
    ///
    /// # Errors
    /// Whatever it does with it.
    fn begins(&mut self, number: usize, known: Known) -> Result<()>;
}

/// Pushes all content through an inspector, from span `begin` on if the spans before it were looked at. Nothing is looked at
/// before it is proved.
///
/// # Errors
/// Those of `sink`, [`Cancelled`](rollsnap_core::Code::Cancelled).
pub(crate) fn inspect<E: From<Problem>>(
    indexed: &Arc<Indexed>,
    inspector: &mut ContentInspector,
    begin: Option<usize>,
    spans: &mut dyn Spans,
    feedback: &mut dyn Feedback,
    sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
) -> Result<Outcome, E> {
    let index = indexed.index();
    let count = index.checkpoints.len();
    let threads = pool::cores().get().min(MOST_THREADS);
    let most = usize::try_from(IN_FLIGHT / index.longest_span().max(1)).unwrap_or(usize::MAX);
    let depth = most.min(threads + 2);
    let threads = NonZeroUsize::new(threads.min(depth)).unwrap_or(NonZeroUsize::MIN);
    let mut pool = Pool::new("inflate", threads, || {
        let (indexed, mut inflater) = (indexed.clone(), SpanInflater::new());
        move |job: &mut Job| super::again::read(&mut inflater, &indexed, job.at, &mut job.bytes)
    })?;
    inspector.compressed(Compression::Gzip);
    let mut known = begin.map(|begin| begins(index, begin)).unwrap_or_default();
    let mut spare: Vec<Job> = Vec::new();
    let mut next = begin.unwrap_or_default();
    loop {
        feedback.checkpoint()?;
        while next < count && pool.under_way() < depth {
            let job = Job { at: next, ..spare.pop().unwrap_or_default() };
            pool.put(job)?;
            next += 1;
        }
        let job = match pool.take_unless(feedback) {
            None => return Ok(Outcome::Read { crc32: index.crc }),
            Some(Ok(job)) => job,
            Some(Err(problem)) if problem.code() == Code::Cancelled => return Err(problem.into()),
            // Whatever it is, reading from front to end tells it better.
            Some(Err(problem)) => return Ok(Outcome::Stopped { known, problem }),
        };
        let read = match job.at + 1 == count {
            true => indexed.file().len(),
            false => index.end_of(job.at).1 / 8,
        };
        spans.passed(read);
        inspector.read(read);
        sink(Event::Read(read))?;
        for piece in job.bytes.chunks(PIECE) {
            feedback.checkpoint()?;
            inspector.feed(piece, sink)?;
        }
        if inspector.is_in_vain() {
            return Ok(Outcome::Read { crc32: index.crc });
        }
        feedback.advance(read.saturating_sub(known.file_bytes));
        known = Known { content: known.content + job.bytes.len() as u64, file_bytes: read };
        if job.at + 1 < count {
            spans.begins(job.at + 1, known)?;
        }
        spare.push(job);
    }
}

/// What was read when the spans before this one were.
pub(crate) fn begins(index: &Index, number: usize) -> Known {
    let point = index.checkpoints.get(number);
    point.map(|point| Known { content: point.offset, file_bytes: point.bit / 8 }).unwrap_or_default()
}

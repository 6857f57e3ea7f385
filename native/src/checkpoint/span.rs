//! One span of a gzip file, inflated by zlib-rs and proved.
//!
//! zlib-rs neither starts within a byte nor tells at which bit it stands. So where a span begins within a
//! byte, empty deflate blocks stand before it that fill the byte up; and behind its end there is, in place of
//! what follows in the file, one more empty block, the last of its stream: if the span ends between two blocks
//! at the very bit that the index says, and only then, that block is read as what it is.

use rollsnap_core::gzip::checkpoint::Indexed;
use rollsnap_core::gzip::filling;
use rollsnap_core::{Code, Problem, ReadAt, Result};
use zlib_rs::{Inflate, InflateFlush, Status};

/// How much is read from the file at once, in bytes.
const PIECE: usize = 128 * 1024;

/// How far deflate may look back, in bytes.
const WINDOW: usize = 32 * 1024;

/// An empty block that ends a stream: the mark of the last block, fixed codes, end of block; in bits from the
/// lowest on.
const ENDING: (u32, u32) = (0b00_0000_0011, 10);

/// Inflates one span after the other.
pub(super) struct SpanInflater {
    inflate: Inflate,
    input: Vec<u8>,
}

impl SpanInflater {
    pub(super) fn new() -> Self {
        Self { inflate: Inflate::new(false, 15), input: Vec::new() }
    }

    /// Replaces `out` by the content of span `at`. When that succeeds, inflating from front to end would
    /// come by the beginning of the next span, between two blocks and with the window that it has.
    ///
    /// Allocates as much as the index says that the span is long.
    ///
    /// # Errors
    /// [`Code::GzipIndex`] when the data is not as the index says; whatever the file reports.
    pub(super) fn read<R: ReadAt>(
        &mut self,
        indexed: &Indexed<R>,
        at: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        self.read_from(indexed.file(), indexed, at, out)
    }

    /// The same, with the bytes of the span from another file.
    ///
    /// # Errors
    /// As [`SpanInflater::read`].
    pub(super) fn read_from<F: ReadAt, R: ReadAt>(
        &mut self,
        file: &F,
        indexed: &Indexed<R>,
        at: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let index = indexed.index();
        let Some(point) = index.checkpoints.get(at) else { return Err(wrong("there is no such span")) };
        let next = index.checkpoints.get(at + 1);
        let (end, end_bit) = index.end_of(at);
        let length = usize::try_from(end.saturating_sub(point.offset)).unwrap_or(usize::MAX);
        file.expect(point.bit / 8, (end_bit / 8 + 1).saturating_sub(point.bit / 8));
        let window = indexed.window(at)?;

        self.inflate.reset(false);
        if !window.is_empty() {
            let set = self.inflate.set_dictionary(&window);
            set.map_err(|_| wrong("the data cannot be inflated from a checkpoint"))?;
        }
        let mut feed = Feed::new(file, point.bit, end_bit, next.is_none())?;
        // One more than is expected, so that more would show; and not twice as much, as vectors grow.
        out.clear();
        out.reserve_exact(length.saturating_add(1));
        out.resize(length.saturating_add(1), 0);
        self.inflate_all(&mut feed, out, length)?;
        out.truncate(length);

        if crc32fast::hash(out) != point.crc {
            return Err(wrong("the checksum of a span does not match"));
        }
        if next.is_some_and(|next| next.window.is_some()) {
            let before = WINDOW.saturating_sub(length).min(window.len());
            let found = [&window[window.len() - before..], &out[length.saturating_sub(WINDOW)..]];
            if indexed.window(at + 1)? != found.concat() {
                return Err(wrong("a window is not the data before it"));
            }
        }
        Ok(())
    }

    /// Fills `out`, which has room for one byte more than `length`, and looks where the data ends.
    fn inflate_all<R: ReadAt + ?Sized>(
        &mut self,
        feed: &mut Feed<'_, R>,
        out: &mut [u8],
        length: usize,
    ) -> Result<()> {
        let (mut taken, mut given) = (0, 0);
        // Within the file it stops between two blocks.
        let flush = if feed.is_last { InflateFlush::NoFlush } else { InflateFlush::Block };
        while feed.fill(&mut self.input)? {
            let mut left = self.input.as_slice();
            while !left.is_empty() {
                let (status, took, gave) = step(&mut self.inflate, left, &mut out[given..], flush)?;
                left = left.get(took..).unwrap_or_default();
                taken += took as u64;
                given += gave;
                if given > length {
                    return Err(wrong("a span is longer than the index says"));
                }
                if status == Status::StreamEnd {
                    let whole = feed.is_last && given == length && taken == feed.goal;
                    return if whole { Ok(()) } else { Err(ends_elsewhere()) };
                }
                // There are bytes left and there is room: it is between two blocks. Up to seven bits of the
                // last byte may not be used yet.
                if !feed.is_last && taken == feed.goal && given == length && !left.is_empty() {
                    let rest = &mut out[given..];
                    let (status, took, gave) = step(&mut self.inflate, left, rest, InflateFlush::NoFlush)?;
                    let as_it_is = (status, took, gave) == (Status::StreamEnd, feed.ending, 0);
                    return if as_it_is { Ok(()) } else { Err(ends_elsewhere()) };
                }
                if taken > feed.goal || (took == 0 && gave == 0) {
                    return Err(ends_elsewhere());
                }
            }
        }
        Err(ends_elsewhere())
    }
}

/// What is inflated: filling, the bytes of the span, and the block behind them.
struct Feed<'a, R: ?Sized> {
    file: &'a R,
    /// Of the file, what is read next, and the first byte that does not belong to the span as a whole.
    next: u64,
    end: u64,
    /// What stands before it, until it is taken.
    head: Vec<u8>,
    /// What stands behind it, until it is taken.
    tail: Vec<u8>,
    /// How many bytes there are up to the last one of the span.
    goal: u64,
    /// How many bytes of the block behind it are not in that byte.
    ending: usize,
    is_last: bool,
}

impl<'a, R: ReadAt + ?Sized> Feed<'a, R> {
    fn new(file: &'a R, begin_bit: u64, end_bit: u64, is_last: bool) -> Result<Self> {
        let (mut next, end) = (begin_bit / 8, end_bit / 8);
        let byte = |at: u64| {
            let mut byte = [0];
            file.read_at(at, &mut byte).map(|()| byte[0])
        };
        let begin = (begin_bit % 8) as u32;
        let mut head = Vec::new();
        if begin > 0 {
            head = filling(begin, byte(next)?);
            next += 1;
        }
        if next > end {
            return Err(ends_elsewhere());
        }
        let (mut tail, mut ending) = (Vec::new(), 0);
        let used = (end_bit % 8) as u32;
        let mut goal = head.len() as u64 + (end - next);
        if !is_last {
            let kept = if used > 0 { u32::from(byte(end)?) & ((1 << used) - 1) } else { 0 };
            let (block, bits) = ENDING;
            let len = (used + bits).div_ceil(8) as usize;
            tail = (kept | block << used).to_le_bytes()[..len].to_vec();
            goal += u64::from(used > 0);
            ending = len - usize::from(used > 0);
        }
        Ok(Self { file, next, end, head, tail, goal, ending, is_last })
    }

    /// The next bytes; false when there are none. The tail comes together with what is before it.
    fn fill(&mut self, input: &mut Vec<u8>) -> Result<bool> {
        input.clear();
        input.append(&mut self.head);
        let from = input.len();
        let len = usize::try_from(self.end - self.next).unwrap_or(PIECE).min(PIECE);
        input.resize(from + len, 0);
        self.file.read_at(self.next, &mut input[from..])?;
        self.next += len as u64;
        if self.next == self.end {
            input.append(&mut self.tail);
        }
        Ok(!input.is_empty())
    }
}

/// One call: how it ended, how much it took, how much it gave.
fn step(
    inflate: &mut Inflate,
    input: &[u8],
    out: &mut [u8],
    flush: InflateFlush,
) -> Result<(Status, usize, usize)> {
    let before = (inflate.total_in(), inflate.total_out());
    let status = inflate.decompress(input, out, flush);
    let status = status.map_err(|_| wrong("the data cannot be inflated from a checkpoint"))?;
    let took = (inflate.total_in() - before.0) as usize;
    Ok((status, took, (inflate.total_out() - before.1) as usize))
}

fn ends_elsewhere() -> Problem {
    wrong("a span does not end where the index says")
}

fn wrong(why: &str) -> Problem {
    Problem::new(Code::GzipIndex).because(why)
}

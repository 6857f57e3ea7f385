//! Reading from a checkpoint on.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ops::Range;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{BlockBoundaryState, DecompressorOxide};

use super::super::crc32;
use super::input::bad;
use super::scan::Inflate;
use super::{Index, Indexed};
use crate::problem::{Place, Problem, Result};
use crate::read_at::ReadAt;

/// How much is read from the file at once, in bytes.
const PIECE: usize = 32 * 1024;

/// A span of up to this many bytes is kept after it was read, for the next read nearby.
const KEPT: u64 = 8 * 1024 * 1024;

/// A gzip file with an index that fits it: its content can be read from anywhere.
pub struct Spans<R> {
    indexed: Indexed<R>,
    /// The span that was read last.
    kept: RefCell<Option<(usize, Vec<u8>)>>,
}

impl<R: ReadAt> Spans<R> {
    /// Reads with an index that fits the file.
    pub fn new(indexed: Indexed<R>) -> Self {
        Self { indexed, kept: RefCell::new(None) }
    }

    /// The index.
    pub fn index(&self) -> &Index {
        self.indexed.index()
    }

    /// Starts to read span `at`.
    ///
    /// # Errors
    /// [`Code::GzipIndex`](crate::Code::GzipIndex) when there is no such span or its window is
    /// damaged.
    pub fn span(&self, at: usize) -> Result<Span<'_, R>> {
        Span::new(&self.indexed, at)
    }

    /// The bytes of the file that reading span `at` may look at.
    pub fn input_of(&self, at: usize) -> Range<u64> {
        let from = self.index().checkpoints.get(at).map_or(0, |point| point.bit / 8);
        let (_, end_bit) = self.index().end_of(at);
        // Read in pieces, of which the last one may go on behind the span.
        from..(end_bit / 8 + 1 + PIECE as u64).min(self.indexed.file().len().saturating_sub(8))
    }

    /// The bytes of the content that span `at` holds.
    pub fn content_of(&self, at: usize) -> Range<u64> {
        let from = self.index().checkpoints.get(at).map_or(0, |point| point.offset);
        from..self.index().end_of(at).0
    }

    /// Reads span `at` to its end; the pieces were given to `each` when it is found whole.
    fn read_span(&self, at: usize, mut each: impl FnMut(&[u8])) -> Result<()> {
        let mut span = self.span(at)?;
        while let Some(bytes) = span.step()? {
            each(bytes);
        }
        Ok(())
    }
}

/// The content. Whole spans are inflated and checked for each read; the last one is kept.
impl<R: ReadAt> ReadAt for Spans<R> {
    fn len(&self) -> u64 {
        self.index().content_len
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > self.index().content_len) {
            return [].read_at(offset, out);
        }
        let (mut offset, mut out) = (offset, out);
        while !out.is_empty() {
            let at = self.index().span_of(offset);
            let start = self.index().checkpoints.get(at).map_or(0, |point| point.offset);
            let (end, _) = self.index().end_of(at);
            let len = usize::try_from(end - offset).unwrap_or(usize::MAX).min(out.len());
            let (now, later) = out.split_at_mut(len);
            let mut kept = self.kept.borrow_mut();
            if let Some((_, bytes)) = kept.as_ref().filter(|(kept, _)| *kept == at) {
                bytes.as_slice().read_at(offset - start, now)?;
            } else if end - start <= KEPT {
                // Taken out, so that nothing half read is found there after an error.
                let mut bytes = kept.take().map(|(_, bytes)| bytes).unwrap_or_default();
                bytes.clear();
                self.read_span(at, |piece| bytes.extend_from_slice(piece))?;
                bytes.as_slice().read_at(offset - start, now)?;
                *kept = Some((at, bytes));
            } else {
                let (mut skip, mut filled) = (offset - start, 0);
                self.read_span(at, |piece| {
                    let from = usize::try_from(skip).unwrap_or(usize::MAX).min(piece.len());
                    skip -= from as u64;
                    let len = (piece.len() - from).min(now.len() - filled);
                    now[filled..filled + len].copy_from_slice(&piece[from..from + len]);
                    filled += len;
                })?;
            }
            offset += len as u64;
            out = later;
        }
        Ok(())
    }
}

/// One span on its way out.
///
/// When it ends well, its bytes have the checksum of the index, and it was proved that inflating from
/// front to end would come by the next checkpoint, between two deflate blocks and with the same window.
pub struct Span<'a, R> {
    indexed: &'a Indexed<R>,
    at: usize,
    inflate: Inflate,
    input: Box<[u8; PIECE]>,
    /// What is left of the input.
    left: Range<usize>,
    /// Where the file is read next, in bytes.
    next: u64,
    crc: crc32::Hasher,
    /// How many bytes have come out.
    given: u64,
    done: bool,
}

impl<'a, R: ReadAt> Span<'a, R> {
    fn new(indexed: &'a Indexed<R>, at: usize) -> Result<Self> {
        let Some(point) = indexed.index().checkpoints.get(at) else {
            return Err(bad("there is no such span").found(at));
        };
        let window = indexed.window(at)?;
        let mut decompressor = Box::<DecompressorOxide>::default();
        let (byte, bits) = (point.bit / 8, (point.bit % 8) as u8);
        let mut next = byte;
        if bits > 0 {
            let mut first = [0];
            indexed.file().read_at(byte, &mut first)?;
            let [first] = first;
            next += 1;
            let state =
                BlockBoundaryState { num_bits: 8 - bits, bit_buf: first >> bits, ..Default::default() };
            *decompressor = DecompressorOxide::from_block_boundary_state(&state);
        }
        let inflate = Inflate::new(decompressor, &window);
        let input = alloc::vec![0; PIECE].into_boxed_slice();
        let Ok(input) = input.try_into() else { return Err(bad("there is no such span")) };
        let crc = crc32::Hasher::new();
        Ok(Self { indexed, at, inflate, input, left: 0..0, next, crc, given: 0, done: false })
    }

    /// The next bytes of the content, or `None` at the end of the span, when everything agrees.
    ///
    /// # Errors
    /// [`Code::GzipIndex`](crate::Code::GzipIndex) when the data is not as the index says, so that
    /// one of them is damaged; whatever the file reports. What was given before is then not to be used.
    pub fn step(&mut self) -> Result<Option<&[u8]>> {
        let (end, end_bit) = self.indexed.index().end_of(self.at);
        let start = self.indexed.index().checkpoints.get(self.at).map_or(0, |point| point.offset);
        let length = end - start;
        let last = self.at + 1 == self.indexed.index().checkpoints.len();
        while !self.done {
            // The trailer is not input; it would only be taken for another block.
            let stop = self.indexed.file().len().saturating_sub(8);
            if self.left.is_empty() && self.next < stop {
                let len = PIECE.min(usize::try_from(stop - self.next).unwrap_or(PIECE));
                self.indexed.file().read_at(self.next, &mut self.input[..len])?;
                self.next += len as u64;
                self.left = 0..len;
            }
            let (status, taken, produced) = self.inflate.step(&self.input[self.left.clone()]);
            self.left.start += taken;
            self.given += produced.len() as u64;
            if self.given > length {
                return Err(self.wrong("a span is longer than the index says"));
            }
            let bytes = self.inflate.output(&produced);
            self.crc.update(bytes);
            let here = (self.next - self.left.len() as u64) * 8;
            match status {
                TINFLStatus::Done if last && self.given == length && here == end_bit => self.done = true,
                TINFLStatus::BlockBoundary => {
                    let at_bit = here - u64::from(self.inflate.spare_bits());
                    self.done = !last && self.given == length && at_bit == end_bit;
                    if at_bit > end_bit || (at_bit == end_bit && !self.done) {
                        return Err(self.wrong("a span does not end where the index says"));
                    }
                }
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput if self.next < stop => {}
                _ => return Err(self.wrong("the data cannot be inflated from a checkpoint")),
            }
            if self.done {
                self.check_end()?;
            }
            if !produced.is_empty() {
                return Ok(Some(self.inflate.output(&produced)));
            }
        }
        Ok(None)
    }

    fn check_end(&self) -> Result<()> {
        let expected = self.indexed.index().checkpoints.get(self.at).map_or(0, |point| point.crc);
        let found = self.crc.clone().finalize();
        if expected != found {
            return Err(self
                .wrong("the checksum of a span does not match")
                .expected(format_args!("{expected:08x}"))
                .found(format_args!("{found:08x}")));
        }
        let next = self.indexed.index().checkpoints.get(self.at + 1);
        if next.is_some_and(|next| next.window.is_some())
            && self.indexed.window(self.at + 1)? != self.inflate.window()
        {
            return Err(self.wrong("a window is not the data before it"));
        }
        Ok(())
    }

    fn wrong(&self, why: &str) -> Problem {
        bad(why).at(Place::File(self.next - self.left.len() as u64))
    }
}

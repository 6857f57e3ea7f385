//! The stream: bytes pushed in, cut into pieces, and put together again as one gzip member.

use std::num::NonZeroUsize;

use rollsnap_core::Result;
use rollsnap_core::gzip::checkpoint::{Collector, Index, MemberTable, SUBFIELD, Waypoints};

use super::{Encoder, Options};
use crate::checkpoint::Members;
use crate::pool::Pool;

/// How many bytes are compressed at once. Smaller pieces cost ratio, larger ones memory.
pub(super) const PIECE: usize = 512 * 1024;

/// How many pieces make a span, which can be read for itself: 2 MiB.
const SPAN_PIECES: u64 = 4;

/// One span, in bytes.
const SPAN: u64 = SPAN_PIECES * PIECE as u64;

/// Waypoints take one byte in so many, and never more than this.
const WAYPOINT_SHARE: u64 = 8192;
const MOST_WAYPOINTS: usize = 12 * 1024;

/// More threads than this are not started: each needs some 1.8 MiB, and 64 MiB are to be enough. At the best level it is
/// some 6 MiB, for the matches of a block.
const MOST_JOBS: NonZeroUsize = NonZeroUsize::new(32).unwrap();

/// How far deflate may look back.
const WINDOW: usize = Encoder::WINDOW;

/// Checkpoints to reserve space for when nobody knows how much will come. With more content the
/// spans become longer.
const UNKNOWN: u64 = 256;

/// Most bytes to reserve for the index, so that the first 64 KiB of a file tell what it is.
const MOST_RESERVED: usize = 60 * 1024;

/// The gzip header that the nodes write; with an extra field, the flag and the field are added.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
const FEXTRA: u8 = 1 << 2;

/// Where the content of the subfield begins in the file: header, length, name and length.
const FIELD_AT: u64 = 10 + 2 + 4;

/// Compresses into one gzip member and gives the bytes to `out`, in order and in the calling thread.
///
/// Memory is bounded by a few pieces a thread. When it is dropped before the end, the threads stop.
pub struct Deflater<F> {
    pool: Pool<Piece>,
    out: F,
    /// Pieces that may be under way at once.
    depth: usize,
    filling: Piece,
    /// Pieces for use again.
    spare: Vec<Piece>,
    /// Pieces handed in so far.
    cut: u64,
    points: Collector,
    /// `None` when there is no room to note any.
    members: Option<Members<Waypoints>>,
    /// Space in the header for the index, in bytes; 0 when there is none.
    reserved: usize,
    /// Bytes given out.
    written: u64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Length of the gzip file in bytes.
    pub file_len: u64,
    /// Length of the content in bytes.
    pub content_len: u64,
    /// CRC-32 of the content.
    pub crc: u32,
    /// What is to be written into the space that was reserved. Without it the file is whole, only
    /// that it can be read from front to end alone.
    pub index: Option<Patch>,
}

/// Bytes for a place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// The offset.
    pub at: u64,
    /// What stands there in place of zeros.
    pub bytes: Vec<u8>,
}

/// A piece of the stream, before and after.
#[derive(Default)]
struct Piece {
    /// The bytes, after `known` earlier ones.
    data: Vec<u8>,
    known: usize,
    /// The stream ends with it.
    last: bool,
    /// Its deflate data.
    out: Vec<u8>,
    /// CRC-32 of the bytes, without those known.
    crc: u32,
}

impl Piece {
    /// How many bytes it adds to the stream.
    fn len(&self) -> usize {
        self.data.len() - self.known
    }
}

impl<F: FnMut(&[u8]) -> Result<()>> Deflater<F> {
    /// Starts the threads and writes the header.
    ///
    /// # Errors
    /// Those of `out`; `io.other` when no thread can be started.
    pub fn new(options: Options, mut out: F) -> Result<Self> {
        let jobs = options.jobs.min(MOST_JOBS);
        let pool = Pool::new("deflate", jobs, || {
            let mut encoder = Encoder::new(options.level);
            move |piece: &mut Piece| {
                piece.out.clear();
                encoder.encode(&piece.data, piece.known, piece.last, &mut piece.out);
                piece.crc = crc32fast::hash(piece.data.get(piece.known..).unwrap_or_default());
                Ok(())
            }
        })?;
        let (checkpoints, waypoints) = reserved(options.expected);
        let reserved = checkpoints + waypoints;
        let mut header = HEADER.to_vec();
        if reserved > 0 {
            header[3] = FEXTRA;
            header.extend_from_slice(&(reserved as u16 + 4).to_le_bytes());
            header.extend_from_slice(&SUBFIELD);
            header.extend_from_slice(&(reserved as u16).to_le_bytes());
            header.resize(FIELD_AT as usize + reserved, 0);
        }
        out(&header)?;
        Ok(Self {
            pool,
            out,
            depth: jobs.get() + 2,
            filling: Piece::default(),
            spare: Vec::new(),
            cut: 0,
            points: Collector::new(SPAN, Index::capacity(checkpoints)),
            members: (waypoints > 0).then(|| Members::new(Waypoints::new(waypoints), Waypoints::add)),
            reserved,
            written: header.len() as u64,
        })
    }

    /// Compresses `bytes`, now or later. Waits while there is too much under way.
    ///
    /// # Errors
    /// Those of `out`; `io.other` when a thread has failed.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(members) = &mut self.members {
            members.take(bytes);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            // Only when more comes, so that the last piece is never empty without need.
            if self.filling.len() == PIECE {
                self.hand_in(false)?;
            }
            let (now, later) = rest.split_at(rest.len().min(PIECE - self.filling.len()));
            self.filling.data.extend_from_slice(now);
            rest = later;
        }
        Ok(())
    }

    /// Compresses what is left and writes the trailer.
    ///
    /// # Errors
    /// Those of [`Deflater::write`].
    pub fn finish(mut self) -> Result<Finished> {
        self.hand_in(true)?;
        while self.pool.under_way() > 0 {
            self.take_back()?;
        }
        let (content_len, crc) = (self.points.length(), self.points.crc32());
        let [c0, c1, c2, c3] = crc.to_le_bytes();
        let [s0, s1, s2, s3] = (content_len as u32).to_le_bytes();
        self.give(&[c0, c1, c2, c3, s0, s1, s2, s3])?;
        let checkpoints = self.points.finish();
        let file_len = self.written;
        let index = (self.reserved > 0 && !checkpoints.is_empty()).then(|| {
            let waypoints = self.members.and_then(Members::finish).map(Waypoints::finish).unwrap_or_default();
            Index { file_len, content_len, crc, checkpoints, waypoints, members: MemberTable::default() }
        });
        let index = index.and_then(|index| index.encode()).map(|bytes| Patch { at: FIELD_AT, bytes });
        Ok(Finished { file_len, content_len, crc, index })
    }

    /// Gives the piece that was filled to the threads, and begins another.
    fn hand_in(&mut self, last: bool) -> Result<()> {
        while self.pool.under_way() >= self.depth {
            self.take_back()?;
        }
        let mut next = self.spare.pop().unwrap_or_default();
        next.data.clear();
        self.cut += 1;
        // Where a span begins, nothing before it is referred to.
        let alone = self.reserved > 0 && self.cut.is_multiple_of(SPAN_PIECES);
        let known = if alone { 0 } else { self.filling.data.len().min(WINDOW) };
        if !last {
            next.data.reserve_exact(WINDOW + PIECE);
            next.data.extend_from_slice(&self.filling.data[self.filling.data.len() - known..]);
        }
        next.known = known;
        let mut full = core::mem::replace(&mut self.filling, next);
        full.last = last;
        self.pool.put(full)
    }

    /// Waits for the oldest piece and writes it.
    fn take_back(&mut self) -> Result<()> {
        let Some(piece) = self.pool.take() else { return Ok(()) };
        let piece = piece?;
        self.points.add(self.written * 8, piece.len() as u64, piece.crc, || Ok(None))?;
        self.give(&piece.out)?;
        self.spare.push(piece);
        Ok(())
    }

    fn give(&mut self, bytes: &[u8]) -> Result<()> {
        (self.out)(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }
}

/// Bytes to reserve in the index of so much content, for checkpoints and for waypoints; none for what is one
/// span anyway.
fn reserved(expected: Option<u64>) -> (usize, usize) {
    let spans = expected.map_or(UNKNOWN, |bytes| bytes.div_ceil(SPAN));
    if spans < 2 {
        return (0, 0);
    }
    let waypoints = expected.map_or(0, |bytes| usize::try_from(bytes / WAYPOINT_SHARE).unwrap_or(usize::MAX));
    let waypoints = waypoints.min(MOST_WAYPOINTS);
    // One more, if a little more comes than was expected.
    let room = usize::try_from(spans + 1).map_or(MOST_RESERVED, Index::room);
    (room.min(MOST_RESERVED - waypoints), waypoints)
}

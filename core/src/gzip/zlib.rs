//! The faster engine: zlib-rs, which takes a fifth less time than `miniz_oxide`.

use alloc::vec::Vec;

use zlib_rs::{InflateFlush, Status};

use super::block::{self, BlockStart, HISTORY};
use super::filling;
use super::inflate::{Inflate, InflateStatus, Inflated};

/// Inflates into pieces, which can be taken away and go to another thread.
pub struct Zlib {
    inflate: zlib_rs::Inflate,
    piece: Vec<u8>,
    /// Where the last output begins, and where it ends.
    output: (usize, usize),
    watch: Watch,
}

/// How the search for a place goes where inflating could begin.
enum Watch {
    /// Nobody asks for one.
    Off,
    /// It is asked for: this came out since then.
    Seeking { recent: Vec<u8>, from_start: bool },
    /// It is the end of the last output, which `last` was the last byte for; what follows tells the rest.
    Proving { last: u8, window: Vec<u8>, input: Vec<u8>, output: Vec<u8>, fresh: bool },
    /// It was found.
    Found(BlockStart),
}

/// So much must follow a place before it counts, in bytes of content; and so many bytes of the stream at most are looked at.
const PROOF: (usize, usize) = (64 * 1024, 1 << 20);

/// Of the end of a stream, no less, in bytes of content.
const LEAST: usize = 4096;

/// An inflater may keep the last bytes back, where another one does not.
const KEPT_BACK: usize = 1024;

impl Zlib {
    /// How much a piece holds, in bytes.
    pub const PIECE: usize = 256 * 1024;

    /// Whether there is no more room. A piece that is not [taken](Zlib::take) then is overwritten.
    pub fn is_full(&self) -> bool {
        self.output.1 == self.piece.len()
    }

    /// Whether nothing was filled in yet.
    pub fn is_empty(&self) -> bool {
        self.output.1 == 0
    }

    /// The piece that was filled; `spare` is filled next.
    pub fn take(&mut self, mut spare: Vec<u8>) -> Vec<u8> {
        spare.resize(Self::PIECE, 0);
        let mut full = core::mem::replace(&mut self.piece, spare);
        full.truncate(self.output.1);
        self.output = (0, 0);
        full
    }

    /// Goes on from a place that an earlier engine has [found](Zlib::take_start).
    pub fn resumed(start: &BlockStart) -> Self {
        let mut engine = Self::default();
        // A window or a filling that is refused shows with the next bytes.
        if !start.window.is_empty() {
            let _ = engine.inflate.set_dictionary(&start.window);
        }
        if start.spare > 0 {
            let filling = filling(u32::from(8 - start.spare.min(7)), start.last);
            let _ = engine.inflate.decompress(&filling, &mut [0], InflateFlush::NoFlush);
        }
        engine
    }

    /// Looks for a place where inflating can begin again, from now on.
    pub fn seek_start(&mut self) {
        if matches!(self.watch, Watch::Off) {
            let from_start = self.inflate.total_out() == 0;
            self.watch = Watch::Seeking { recent: Vec::new(), from_start };
        }
    }

    /// Whether the last output ends where inflating may be able to begin again. What comes next will tell.
    pub fn may_start_here(&self) -> bool {
        matches!(self.watch, Watch::Proving { fresh: true, .. })
    }

    /// The place of the last output for which [`Zlib::may_start_here`] was true, once what follows has proved it.
    pub fn take_start(&mut self) -> Option<BlockStart> {
        match core::mem::replace(&mut self.watch, Watch::Off) {
            Watch::Found(start) => Some(start),
            other => {
                self.watch = other;
                None
            }
        }
    }

    /// Whether a place is being looked for.
    pub fn is_seeking(&self) -> bool {
        !matches!(self.watch, Watch::Off)
    }

    fn flush(&self) -> InflateFlush {
        match &self.watch {
            Watch::Seeking { .. } => InflateFlush::Block,
            _ => InflateFlush::NoFlush,
        }
    }

    /// Looks at what a call took and gave. `at_block`: it ended between two blocks.
    fn watch(&mut self, taken: &[u8], at_block: bool, ended: bool) {
        let (from, to) = self.output;
        let made = self.piece.get(from..to).unwrap_or_default();
        match &mut self.watch {
            Watch::Off | Watch::Found(_) => {}
            Watch::Seeking { .. } if ended => self.watch = Watch::Off,
            Watch::Seeking { recent, from_start } => {
                recent.extend_from_slice(made);
                if recent.len() > HISTORY {
                    *from_start = false;
                    recent.drain(..recent.len() - HISTORY);
                }
                let is_whole = recent.len() == HISTORY || *from_start;
                if let (true, true, false, Some(last)) = (at_block, is_whole, made.is_empty(), taken.last()) {
                    let window = core::mem::take(recent);
                    let (input, output) = (Vec::new(), Vec::new());
                    self.watch = Watch::Proving { last: *last, window, input, output, fresh: true };
                }
            }
            Watch::Proving { last, window, input, output, fresh } => {
                *fresh = false;
                input.extend_from_slice(taken);
                output.extend_from_slice(made);
                if output.len() >= PROOF.0 || input.len() >= PROOF.1 || ended {
                    // Little tells little; and behind the last block there is nothing to begin with.
                    if output.len() < LEAST {
                        self.watch = Watch::Off;
                        return;
                    }
                    let sure = if ended { output.len() } else { output.len().saturating_sub(KEPT_BACK) };
                    let found = block::find(*last, window, input, output.get(..sure).unwrap_or_default());
                    self.watch = found.map_or(Watch::Off, Watch::Found);
                }
            }
        }
    }
}

impl Default for Zlib {
    fn default() -> Self {
        let inflate = zlib_rs::Inflate::new(false, 15);
        Self { inflate, piece: alloc::vec![0; Self::PIECE], output: (0, 0), watch: Watch::Off }
    }
}

impl Inflate for Zlib {
    fn inflate(&mut self, input: &[u8]) -> Inflated {
        let from = if self.is_full() { 0 } else { self.output.1 };
        let before = (self.inflate.total_in(), self.inflate.total_out());
        let flush = self.flush();
        let room = self.piece.get_mut(from..).unwrap_or_default();
        let enough = room.len() as u64;
        let result = self.inflate.decompress(input, room, flush);
        let taken = (self.inflate.total_in() - before.0) as usize;
        let made = self.inflate.total_out() - before.1;
        self.output = (from, from + made as usize);
        // With room left and input left, it has stopped because it was asked to.
        let at_block = result == Ok(Status::Ok) && taken < input.len() && made < enough;
        let ended = !matches!(result, Ok(Status::Ok | Status::BufError));
        self.watch(input.get(..taken).unwrap_or_default(), at_block, ended);
        let status = match result {
            Ok(Status::StreamEnd) => InflateStatus::End,
            Ok(Status::Ok | Status::BufError) if made == enough || at_block => InflateStatus::HasOutput,
            Ok(Status::Ok | Status::BufError) => InflateStatus::NeedsInput,
            Err(_) => InflateStatus::Damaged,
        };
        Inflated { status, taken }
    }

    fn output(&self) -> &[u8] {
        let (from, to) = self.output;
        self.piece.get(from..to).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Gunzip, Step};
    use super::*;

    /// Some of it repeats itself, some does not.
    fn content(len: usize) -> Vec<u8> {
        let mut state = 7u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let mut bytes = Vec::new();
        while bytes.len() < len {
            match next() % 4 {
                0 => bytes.extend(core::iter::repeat_with(&mut next).take(3000)),
                1 => bytes.extend_from_slice(&[next(); 5000]),
                _ => bytes.extend(core::iter::repeat_with(|| next() & 7).take(9000)),
            }
        }
        bytes.truncate(len);
        bytes
    }

    /// A file of one member, as `miniz_oxide` makes it at this level: 0 stores.
    fn member(content: &[u8], level: u8) -> Vec<u8> {
        let mut file = alloc::vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
        file.extend(miniz_oxide::deflate::compress_to_vec(content, level));
        file.extend(crc32fast::hash(content).to_le_bytes());
        file.extend((content.len() as u32).to_le_bytes());
        file
    }

    fn drain(
        gunzip: &mut Gunzip<Zlib>,
        mut input: &[u8],
        mut each: impl FnMut(&mut Gunzip<Zlib>, usize),
    ) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            match gunzip.step(&mut input).unwrap() {
                Step::NeedsInput => return all,
                Step::Output(bytes) => all.extend_from_slice(bytes),
                Step::End => {}
            }
            each(gunzip, all.len());
        }
    }

    /// Wherever a place is found, in pieces of any size, inflating goes on there to the same end.
    #[test]
    fn what_is_found_is_a_place_to_go_on_from() {
        let content = content(3_000_000);
        for level in [0, 1, 6, 9] {
            let file = member(&content, level);
            for (piece, wish) in [(1000, 0), (70_001, 100_000), (4096, 1_234_567), (1 << 20, 2_000_000)] {
                let mut gunzip = Gunzip::with(Zlib::default());
                let (mut marked, mut places, mut len) = (None, Vec::new(), 0);
                for input in file.chunks(piece) {
                    let before = len;
                    len += drain(&mut gunzip, input, |gunzip, so_far| {
                        if before + so_far >= wish {
                            gunzip.engine().seek_start();
                        }
                        if gunzip.engine().may_start_here() {
                            marked = Some((gunzip.consumed(), gunzip.produced(), gunzip.crc32()));
                        }
                        if let Some(start) = gunzip.engine().take_start() {
                            places.extend(marked.take().map(|marked| (marked, start)));
                        }
                    })
                    .len();
                }
                gunzip.finish().unwrap();
                assert!(!places.is_empty(), "level {level}, pieces of {piece}");
                for ((consumed, produced, crc32), start) in places {
                    let engine = Zlib::resumed(&start);
                    let mut again = Gunzip::resumed(engine, consumed, produced, crc32);
                    let rest = drain(&mut again, &file[consumed as usize..], |_, _| ());
                    assert_eq!(rest, content[produced as usize..]);
                    again.finish().unwrap();
                }
            }
        }
    }

    #[test]
    fn a_small_file_has_a_place_at_its_beginning_or_none() {
        let file = member(&content(10), 6);
        let mut gunzip = Gunzip::with(Zlib::default());
        gunzip.engine().seek_start();
        assert_eq!(drain(&mut gunzip, &file, |_, _| ()), content(10));
        assert_eq!(gunzip.engine().take_start(), None);
    }
}

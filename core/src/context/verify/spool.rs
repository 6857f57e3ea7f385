//! Where a streaming check puts what it cannot check yet: in memory here, in a temporary file where
//! there are files.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::super::pack::{Head, MAX_HEAD};
use crate::code::Code;
use crate::problem::{Problem, Result};
use crate::scratch::Scratch;

/// Bytes that are only ever added to, and read back later.
pub trait Spool {
    /// Adds bytes.
    ///
    /// # Errors
    /// [`Code::ContextUnchecked`] when there is no room and the check should go on without; whatever
    /// else ends it.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;

    /// Fills `out` with bytes that were added, from this position on.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn read_at(&mut self, position: u64, out: &mut [u8]) -> Result<()>;

    /// How many bytes behind damage are worth keeping, so that the check can go on at a place that
    /// is told later. What is behind those is not checked.
    fn room_behind_damage(&self) -> u64 {
        4 << 20
    }
}

/// A spool in memory, with a bound; what does not fit goes to temporary space, if there is any.
#[derive(Debug)]
pub struct Memory {
    pieces: Vec<Vec<u8>>,
    len: usize,
    most: usize,
    /// What stands there, and how many bytes that are.
    space: Option<(Box<dyn Scratch>, u64)>,
}

impl Memory {
    const PIECE: usize = 1 << 20;

    /// A spool that takes at most so many bytes.
    pub fn new(most: usize) -> Self {
        Self { pieces: Vec::new(), len: 0, most, space: None }
    }

    /// What does not fit goes to temporary space.
    #[must_use]
    pub fn spilling(self, scratch: Option<Box<dyn Scratch>>) -> Self {
        Self { space: scratch.map(|scratch| (scratch, 0)), ..self }
    }
}

/// 256 MiB.
impl Default for Memory {
    fn default() -> Self {
        Self::new(256 << 20)
    }
}

impl Spool for Memory {
    fn append(&mut self, mut bytes: &[u8]) -> Result<()> {
        let room = self.most - self.len;
        if let (true, Some((scratch, written))) = (bytes.len() > room, &mut self.space) {
            let (near, far) = bytes.split_at(room);
            scratch.write_at(*written, far)?;
            *written += far.len() as u64;
            bytes = near;
        }
        if bytes.len() > room {
            return Err(Problem::new(Code::ContextUnchecked)
                .because("it needs more memory than is allowed: extract the snapshot first"));
        }
        while !bytes.is_empty() {
            let within = self.len % Self::PIECE;
            if within == 0 {
                self.pieces.push(Vec::with_capacity(if self.len == 0 { 0 } else { Self::PIECE }));
            }
            let (now, rest) = bytes.split_at(bytes.len().min(Self::PIECE - within));
            if let Some(last) = self.pieces.last_mut() {
                last.extend_from_slice(now);
            }
            self.len += now.len();
            bytes = rest;
        }
        Ok(())
    }

    fn read_at(&mut self, position: u64, mut out: &mut [u8]) -> Result<()> {
        let beyond = || Problem::new(Code::IoOther).headline("a read goes past the end");
        let near = usize::try_from((self.len as u64).saturating_sub(position)).unwrap_or(usize::MAX);
        if let (true, Some((scratch, written))) = (near < out.len(), &mut self.space) {
            let far;
            (out, far) = out.split_at_mut(near);
            let at = position.saturating_sub(self.len as u64);
            if at.checked_add(far.len() as u64).is_none_or(|end| end > *written) {
                return Err(beyond());
            }
            scratch.read_at(at, far)?;
        }
        let mut at = usize::try_from(position).unwrap_or(usize::MAX);
        while !out.is_empty() {
            let piece = self.pieces.get(at / Self::PIECE).and_then(|piece| piece.get(at % Self::PIECE..));
            let piece = piece.filter(|piece| !piece.is_empty()).ok_or_else(beyond)?;
            let now = piece.len().min(out.len());
            let (done, rest) = core::mem::take(&mut out).split_at_mut(now);
            done.copy_from_slice(&piece[..now]);
            out = rest;
            at += now;
        }
        Ok(())
    }
}

/// What was put off: entries with their positions, and bytes as they are.
#[derive(Debug)]
pub(super) struct Log<S> {
    spool: S,
    /// What was not handed to the spool yet.
    tail: Vec<u8>,
    len: u64,
    handed: u64,
    /// Bytes behind damage.
    behind: u64,
    /// Why the spool takes nothing more.
    pub(super) full: Option<Problem>,
    page: Vec<u8>,
    page_at: u64,
}

/// An entry that was put off.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) position: u64,
    pub(super) head: Head,
    pub(super) value: &'a [u8],
    /// Where the next one is.
    pub(super) next: u64,
}

impl<S: Spool> Log<S> {
    /// How many bytes are handed to the spool at once, and read back at once.
    const PAGE: usize = 256 << 10;

    pub(super) fn new(spool: S) -> Self {
        Self {
            spool,
            tail: Vec::new(),
            len: 0,
            handed: 0,
            behind: 0,
            full: None,
            page: Vec::new(),
            page_at: 0,
        }
    }

    /// How long it is, in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Puts an entry off.
    pub(super) fn put(&mut self, position: u64, head: &Head, value: &[u8]) -> Result<()> {
        if self.full.is_some() {
            return Ok(());
        }
        let before = self.tail.len();
        self.tail.extend(position.to_le_bytes());
        Head::put(&head.hash, head.kind, value, &mut self.tail);
        self.len += (self.tail.len() - before) as u64;
        if self.tail.len() >= Self::PAGE { self.hand_over() } else { Ok(()) }
    }

    /// Puts bytes behind damage off, as many as are worth it.
    pub(super) fn put_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let room = self.spool.room_behind_damage().saturating_sub(self.behind);
        let bytes = bytes.get(..usize::try_from(room).unwrap_or(usize::MAX)).unwrap_or(bytes);
        if self.full.is_some() || bytes.is_empty() {
            return Ok(());
        }
        self.behind += bytes.len() as u64;
        self.tail.extend_from_slice(bytes);
        self.len += bytes.len() as u64;
        if self.tail.len() >= Self::PAGE { self.hand_over() } else { Ok(()) }
    }

    /// Gives everything to the spool.
    pub(super) fn hand_over(&mut self) -> Result<()> {
        let handed = self.spool.append(&self.tail);
        match handed {
            Err(problem) if problem.code() == Code::ContextUnchecked => {
                self.len -= self.tail.len() as u64;
                self.full = Some(problem);
            }
            handed => handed?,
        }
        self.handed = self.len;
        self.tail.clear();
        Ok(())
    }

    /// The entry that was put off at this place of the log.
    pub(super) fn get(&mut self, at: u64) -> Result<Option<Record<'_>>> {
        let Some((position, head)) =
            self.bytes(at, 8 + MAX_HEAD)?.split_first_chunk().and_then(|(position, rest)| {
                let head = Head::parse(rest).ok().flatten()?;
                Some((u64::from_le_bytes(*position), head))
            })
        else {
            return Ok(None);
        };
        let Ok(len) = usize::try_from(8 + head.entry_len()) else { return Ok(None) };
        let Some(value) = self.bytes(at, len)?.get(8 + head.len..) else { return Ok(None) };
        Ok(Some(Record { position, head, value, next: at + len as u64 }))
    }

    /// At most `len` bytes from a place of the log on; fewer at the end of what was handed over only.
    pub(super) fn bytes(&mut self, at: u64, len: usize) -> Result<&[u8]> {
        let left = usize::try_from(self.handed.saturating_sub(at)).unwrap_or(usize::MAX);
        let len = len.min(left);
        let end = self.page_at + self.page.len() as u64;
        if at < self.page_at || at + len as u64 > end {
            self.page.clear();
            self.page.resize(left.min(Self::PAGE.max(len)), 0);
            self.page_at = at;
            self.spool.read_at(at, &mut self.page)?;
        }
        let start = (at - self.page_at) as usize;
        Ok(self.page.get(start..start + len).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::pack::Kind;
    use super::*;
    use crate::scratch::InMemory;
    use alloc::vec;

    #[test]
    fn entries_come_back() {
        entries_come_back_from(Memory::default());
        for most in [0, 1, 300_000, 1 << 20] {
            let space: Box<dyn Scratch> = Box::new(InMemory::default());
            entries_come_back_from(Memory::new(most).spilling(Some(space)));
        }
    }

    fn entries_come_back_from(spool: Memory) {
        let mut log = Log::new(spool);
        let head = |number: u64, len: u64| Head {
            hash: [number as u8; 32],
            kind: Kind::Root,
            len: 34,
            value_len: len,
        };
        for number in 0..20_000 {
            let len = number * 7 % 300;
            log.put(number * 1000, &head(number, len), &vec![number as u8; len as usize]).unwrap();
        }
        log.hand_over().unwrap();
        let mut at = 0;
        for number in 0..20_000 {
            let record = log.get(at).unwrap().unwrap();
            assert_eq!((record.position, record.head.hash), (number * 1000, [number as u8; 32]));
            assert_eq!(record.value, vec![number as u8; (number * 7 % 300) as usize]);
            at = record.next;
        }
        assert_eq!(at, log.len());
        assert!(log.get(at).unwrap().is_none());
    }

    #[test]
    fn a_full_spool_does_not_end_the_check() {
        let mut log = Log::new(Memory::new(1 << 20));
        for _ in 0..100 {
            log.put_bytes(&[1; 50_000]).unwrap();
        }
        log.hand_over().unwrap();
        assert!(log.full.is_some());
        assert!(log.len() <= 1 << 20);
    }
}

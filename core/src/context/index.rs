//! The index of commits: files `log`, `log_async` and `data` below `context/index/`, read as
//! their bytes come ([`Reader`]) or at once ([`Index`]).
//!
//! A file is a [`Header`], the fan-out table, and entries of 45 bytes: the hash of the commit and
//! where its entry is. Bytes after the announced length do not count; where fewer are there than
//! announced, the library reads those.

use alloc::vec;
use alloc::vec::Vec;

use super::pack::Malformed;
use crate::code::Code;
use crate::feedback::Feedback;
use crate::growing::Growing;
use crate::hash::ContextHash;
use crate::index::Header;
use crate::members::in_context;
use crate::problem::{Problem, Result};
use crate::read_at::{Files, ReadAt};

/// Length of an entry, in bytes.
const ENTRY: usize = 45;

/// Most bytes of an index file that are read at once: 24 million commits.
pub(super) const MAX_INDEX: u64 = 1 << 30;

/// The files of an index below `context/`, from what is read last to what is read first: of two
/// entries for one commit the later one counts.
const FILES: [&str; 3] = ["index/data", "index/log", "index/log_async"];

/// Where a commit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its hash.
    pub hash: ContextHash,
    /// Its global offset.
    pub offset: u64,
    /// Length of its entry, in bytes, as the index says.
    pub len: u32,
    /// The letter of its kind: `D`.
    pub kind: u8,
}

/// A whole index. Entries of commits that were collected stay in it.
#[derive(Clone, Debug)]
pub struct Index {
    /// In the order of the hashes, each once.
    entries: Growing<Entry>,
}

impl Index {
    /// Reads the index of a context; files that are not there count as empty. Memory: 48 bytes for each commit.
    ///
    /// # Errors
    /// [`Code::ContextIndex`], [`Code::LimitMemory`], [`Code::Cancelled`], and whatever the files report.
    pub fn load<F: Files>(files: &F, feedback: &dyn Feedback) -> Result<Self> {
        let allowance = feedback.allowance();
        let mut entries = Growing::new(last_of_each);
        read(files, feedback, |piece| {
            piece(&mut |entry| entries.push(entry));
            if allowance.is_over(entries.taken()) || entries.items().len() as u64 > allowance.hashes() {
                entries.compact();
                allowance.check(entries.taken(), WHAT)?;
                allowance.check_hashes(entries.items().len() as u64, WHAT)?;
            }
            Ok(())
        })?;
        entries.compact();
        Ok(Self { entries })
    }

    /// Gives every entry to `each`, in the order in which they are read: of two for one commit the later one
    /// counts. Memory: one piece of a file.
    ///
    /// # Errors
    /// As [`Index::load`].
    pub fn for_each<F: Files>(files: &F, feedback: &dyn Feedback, mut each: impl FnMut(Entry)) -> Result<()> {
        read(files, feedback, |piece| {
            piece(&mut each);
            Ok(())
        })
    }

    /// Where the commit of this hash is, by the index of a context that was not loaded.
    ///
    /// # Errors
    /// As [`Index::load`].
    pub fn find<F: Files>(files: &F, hash: &ContextHash, feedback: &dyn Feedback) -> Result<Option<Entry>> {
        let mut found = None;
        Self::for_each(files, feedback, |entry| {
            if entry.hash == *hash {
                found = Some(entry);
            }
        })?;
        Ok(found)
    }

    /// All entries, in the order of the offsets.
    pub fn by_offset(self) -> Vec<Entry> {
        let mut entries = self.entries.into_items();
        entries.sort_unstable_by_key(|entry| (entry.offset, entry.hash));
        entries
    }

    /// Where the commit of this hash is.
    pub fn get(&self, hash: &ContextHash) -> Option<&Entry> {
        let at = self.entries().binary_search_by_key(hash, |entry| entry.hash).ok()?;
        self.entries().get(at)
    }

    /// All entries, in the order of the hashes.
    pub fn entries(&self) -> &[Entry] {
        self.entries.items()
    }

    /// How many commits there are.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }
}

impl Default for Index {
    fn default() -> Self {
        Self { entries: Growing::new(last_of_each) }
    }
}

/// Of the entries for one commit, which come in the order in which they are read, the last one counts.
fn last_of_each(entries: &mut Vec<Entry>) {
    // The sort keeps the order of equals.
    entries.sort_by_key(|entry| entry.hash);
    entries.dedup_by(|later, kept| {
        let same = later.hash == kept.hash;
        if same {
            *kept = *later;
        }
        same
    });
}

/// Reads one index file that is pushed in, and gives the commits in it.
#[derive(Debug)]
pub struct Reader {
    gathered: [u8; ENTRY],
    filled: usize,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Header,
    FanOut {
        left: u64,
        entries: u64,
    },
    Entries {
        left: u64,
    },
    /// What comes is not an index file.
    Foreign,
}

impl Reader {
    /// Takes the next bytes of the file.
    pub fn feed(&mut self, input: &[u8], mut commit: impl FnMut(ContextHash)) {
        self.feed_entries(input, |entry| commit(entry.hash));
    }

    /// Takes the next bytes of the file, and gives the whole entries.
    pub fn feed_entries(&mut self, mut input: &[u8], mut each: impl FnMut(Entry)) {
        loop {
            match &mut self.state {
                State::Header => {
                    let Some(header) = self.take(&mut input, Header::LEN) else { return };
                    self.state = parse_header(header);
                }
                State::FanOut { left: 0, entries } => self.state = State::Entries { left: *entries },
                State::FanOut { left, .. } => {
                    let skipped = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= skipped as u64;
                    input = &input[skipped..];
                    if *left > 0 {
                        return;
                    }
                }
                State::Entries { left: 0 } | State::Foreign => return,
                State::Entries { .. } => {
                    let Some(entry) = self.take(&mut input, ENTRY) else { return };
                    each(parse_entry(&entry));
                    if let State::Entries { left } = &mut self.state {
                        *left -= 1;
                    }
                }
            }
        }
    }

    /// Whether the file has ended where its header says, or later.
    pub fn is_complete(&self) -> bool {
        matches!(self.state, State::Entries { left: 0 })
    }

    /// What the end of the file means. Fewer entries than announced are as good as all.
    ///
    /// # Errors
    /// When it is no index file, or was cut inside an entry, a table or its header.
    pub fn finish(&self) -> core::result::Result<(), Malformed> {
        match self.state {
            State::Foreign => Err(Malformed("it is not an index file of version 1")),
            State::Header => Err(Malformed("it ends inside its header")),
            State::FanOut { left: 1.., .. } => Err(Malformed("it ends inside its fan-out table")),
            State::Entries { left: 1.. } if self.filled > 0 => Err(Malformed("it ends inside an entry")),
            State::FanOut { .. } | State::Entries { .. } => Ok(()),
        }
    }

    /// The next `len` bytes, once they have come.
    fn take(&mut self, input: &mut &[u8], len: usize) -> Option<[u8; ENTRY]> {
        let taken = input.len().min(len - self.filled);
        self.gathered[self.filled..self.filled + taken].copy_from_slice(&input[..taken]);
        self.filled += taken;
        *input = &input[taken..];
        if self.filled < len {
            return None;
        }
        self.filled = 0;
        Some(self.gathered)
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self { gathered: [0; ENTRY], filled: 0, state: State::default() }
    }
}

/// What takes memory, for messages.
const WHAT: &str = "the commits of the index of the context";

/// Gives the entries of a piece to what takes entries.
type Piece<'p> = dyn FnMut(&mut dyn FnMut(Entry)) + 'p;

/// Reads the files of an index piece by piece.
fn read<F: Files>(
    files: &F,
    feedback: &dyn Feedback,
    mut take: impl FnMut(&mut Piece<'_>) -> Result<()>,
) -> Result<()> {
    for name in FILES {
        if let Some(file) = files.open(name)? {
            read_file(&file, feedback, &mut take).map_err(|problem| problem.member(in_context(name)))?;
        }
    }
    Ok(())
}

fn read_file(
    file: &impl ReadAt,
    feedback: &dyn Feedback,
    take: &mut impl FnMut(&mut Piece<'_>) -> Result<()>,
) -> Result<()> {
    let damaged = |why| Problem::new(Code::ContextIndex).found(why);
    if file.len() > MAX_INDEX {
        return Err(Problem::new(Code::ContextIndex)
            .expected(format_args!("at most {MAX_INDEX} bytes"))
            .found(file.len()));
    }
    let mut reader = Reader::default();
    let mut piece = vec![0; PIECE];
    let mut at = 0;
    while at < file.len() && !reader.is_complete() {
        let len = usize::try_from(file.len() - at).map_or(PIECE, |left| left.min(PIECE));
        let piece = piece.get_mut(..len).unwrap_or_default();
        feedback.checkpoint()?;
        file.read_at(at, piece)?;
        take(&mut |each| reader.feed_entries(piece, each))?;
        at += len as u64;
    }
    reader.finish().map_err(damaged)
}

/// How much of a file is read at once, in bytes.
const PIECE: usize = 1 << 16;

fn number(bytes: &[u8; ENTRY], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

fn parse_entry(bytes: &[u8; ENTRY]) -> Entry {
    let hash = bytes.first_chunk().copied().unwrap_or_default();
    let len = bytes.get(40..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
    Entry {
        hash: ContextHash::new(hash),
        offset: number(bytes, 32),
        len: u32::from_be_bytes(len),
        kind: bytes[ENTRY - 1],
    }
}

fn parse_header(bytes: [u8; ENTRY]) -> State {
    let Some(header) = bytes.first_chunk().and_then(Header::parse) else { return State::Foreign };
    let Header { length, fan_out, .. } = header;
    if length % ENTRY as u64 != 0 {
        return State::Foreign;
    }
    let entries = length / ENTRY as u64;
    match fan_out {
        0 => State::Entries { left: entries },
        left => State::FanOut { left, entries },
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// The example of the format description: 90 bytes of entries; the first is for a commit at
    /// offset 127.
    #[test]
    fn an_index_log() {
        let mut file = Vec::from([0, 0, 0, 0, 0, 0, 0, 90]);
        file.extend(b"00000001");
        file.extend([0; 16]);
        for hash in [0x56u8, 0x77] {
            file.extend([hash; 32]);
            file.extend([0, 0, 0, 0, 0, 0, 0, 127, 0, 0, 0, 59, b'D']);
        }
        file.extend(b"a tail that does not count");
        for piece in [1, 31, 45, file.len()] {
            let mut reader = Reader::default();
            let mut found = Vec::new();
            for part in file.chunks(piece) {
                reader.feed(part, |hash| found.push(hash));
            }
            assert!(reader.is_complete());
            assert_eq!(found, [ContextHash::new([0x56; 32]), ContextHash::new([0x77; 32])]);
        }
        let mut reader = Reader::default();
        reader.feed(&file[..120], |_| ());
        assert!(!reader.is_complete());
    }
}

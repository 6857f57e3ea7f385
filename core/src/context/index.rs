//! The index of commits: files `log`, `log_async` and `data` below `context/index/`, read as
//! their bytes come.
//!
//! A file is a [`Header`], the fan-out table, and entries of 45 bytes: the hash of the commit and
//! where its entry is. Bytes after the announced length do not count.

use crate::hash::ContextHash;
use crate::index::Header;

/// Length of an entry, in bytes.
const ENTRY: usize = 45;

/// Reads one index file that is pushed in, and gives the hashes of the commits in it.
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
    pub fn feed(&mut self, mut input: &[u8], mut commit: impl FnMut(ContextHash)) {
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
                    if let Some(hash) = entry.first_chunk() {
                        commit(ContextHash::new(*hash));
                    }
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

//! The head of a pack entry: `hash(32) | kind(1) | length varint`, before its value.

use alloc::vec::Vec;

use super::primitive::{Reader, put_varint, varint_len};
use super::{Hash, Malformed};

/// Most bytes that a head has.
pub const MAX_HEAD: usize = 32 + 1 + 9;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Contents: the bytes of one key.
    Contents,
    /// The root of a directory.
    Root,
    /// An inner part of a directory with more than two entries.
    Inner,
    /// A commit.
    Commit,
}

impl Kind {
    /// All of them, by their numbers.
    pub(in crate::context) const ALL: [Self; 4] = [Self::Contents, Self::Root, Self::Inner, Self::Commit];

    /// The letter that stands for it in an entry.
    pub const fn letter(self) -> u8 {
        match self {
            Self::Contents => b'B',
            Self::Root => b'R',
            Self::Inner => b'O',
            Self::Commit => b'D',
        }
    }

    /// The kind of this letter. Others exist (`P`, `C`, `I`, `N`), but never on layer 2.
    pub const fn of_letter(letter: u8) -> Option<Self> {
        match letter {
            b'B' => Some(Self::Contents),
            b'R' => Some(Self::Root),
            b'O' => Some(Self::Inner),
            b'D' => Some(Self::Commit),
            _ => None,
        }
    }

    /// What people call it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Contents => "contents",
            Self::Root => "directory",
            Self::Inner => "part of a directory",
            Self::Commit => "commit",
        }
    }
}

/// The head of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The hash that the entry says it has.
    pub hash: Hash,
    /// What it is.
    pub kind: Kind,
    /// Length of the head itself, in bytes.
    pub len: usize,
    /// Length of the value behind it, in bytes.
    pub value_len: u64,
}

impl Head {
    /// Reads a head from the front of `bytes`, which need not hold the value. `Ok(None)`: more
    /// bytes are needed, at most [`MAX_HEAD`] in all.
    ///
    /// # Errors
    /// When the kind is none of layer 2, or the length is no number.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let Some((hash, rest)) = bytes.split_first_chunk() else { return Ok(None) };
        let Some((&letter, rest)) = rest.split_first() else { return Ok(None) };
        let kind = Kind::of_letter(letter).ok_or(match letter {
            0 => Malformed("its kind is a zero byte"),
            b'P' | b'C' | b'I' | b'N' => Malformed("its kind (P, C, I or N) does not occur on layer 2"),
            _ => Malformed("its kind is unknown"),
        })?;
        let mut reader = Reader(rest);
        match reader.varint() {
            Ok(value_len) => {
                let len = bytes.len() - reader.0.len();
                Ok(Some(Self { hash: *hash, kind, len, value_len }))
            }
            Err(_) if rest.len() < 9 && rest.iter().all(|byte| *byte >= 0x80) => Ok(None),
            Err(malformed) => Err(malformed),
        }
    }

    /// Length of head and value, in bytes.
    pub fn entry_len(&self) -> u64 {
        self.len as u64 + self.value_len
    }

    /// Appends a whole entry.
    pub fn put(hash: &Hash, kind: Kind, value: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(hash);
        out.push(kind.letter());
        put_varint(value.len() as u64, out);
        out.extend_from_slice(value);
    }

    /// Length of an entry with a value of this length, in bytes.
    pub fn entry_len_of(value_len: u64) -> u64 {
        33 + varint_len(value_len) as u64 + value_len
    }
}

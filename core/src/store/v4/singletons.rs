//! The small files of the store: one value each, absent where the node has recorded none.

use alloc::format;
use alloc::vec::Vec;

use super::records::{self, Protocol, WholeBlock};
use crate::encoding::primitive::{bytes, end, int32};
use crate::encoding::{Commitment, Malformed};
use crate::hash::CommitmentHash;
use crate::header::HistoryMode;
use crate::members::in_storage;
use crate::problem::{Problem, Result};
use crate::read_at::{Files, ReadAt};
use crate::store::Mark;

/// What the node remembers about where it is. A file that cannot be decoded is told when its value
/// is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Singletons {
    /// In the order of [`NAMES`].
    files: [Option<Vec<u8>>; NAMES.len()],
}

/// How far a garbage collection came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GcLevels {
    /// The level at which it ran last.
    pub last: i32,
    /// The oldest level that can be used.
    pub first_available: i32,
}

const NAMES: [&str; 8] = [
    "l2_head",
    "last_finalized_level",
    "lcc",
    "lpc",
    "protocols",
    "gc_levels",
    "last_context_split_level",
    "history_mode",
];

/// Longest singleton that is read, in bytes: `protocols` has 41 for each of its records.
const MAX: u64 = 1 << 20;

impl Singletons {
    pub(super) fn read<F: Files>(files: &F) -> Result<Self> {
        let mut singletons = Self { files: [const { None }; NAMES.len()] };
        for (name, content) in NAMES.iter().zip(&mut singletons.files) {
            let path = in_storage(name);
            let Some(file) = files.open(&path)? else { continue };
            let len = file.len();
            if len > MAX {
                return Err(Problem::damaged_store(&path, "it is longer than any node writes it").found(len));
            }
            let mut bytes = alloc::vec![0; len as usize];
            file.read_at(0, &mut bytes)?;
            *content = Some(bytes);
        }
        Ok(singletons)
    }

    /// The newest block, whole.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`](crate::Code::StoreDamaged), as of all of these.
    pub fn head(&self) -> Result<Option<WholeBlock>> {
        self.get("l2_head", records::head)
    }

    /// The level of the newest block that layer 1 will not take back.
    pub fn finalized_level(&self) -> Result<Option<i32>> {
        self.get("last_finalized_level", level)
    }

    /// The last cemented commitment that the node knows.
    pub fn lcc(&self) -> Result<Option<Mark<CommitmentHash>>> {
        self.get("lcc", |mut input| {
            let hash = CommitmentHash::new(bytes(&mut input)?);
            Ok(Mark { hash, level: level(input)? })
        })
    }

    /// The last commitment that this operator published; not in a snapshot.
    pub fn lpc(&self) -> Result<Option<Commitment>> {
        self.get("lpc", records::commitment)
    }

    /// The protocols that the node has met, the newest first.
    pub fn protocols(&self) -> Result<Option<Vec<Protocol>>> {
        self.get("protocols", records::protocols)
    }

    /// How far a garbage collection came.
    pub fn gc_levels(&self) -> Result<Option<GcLevels>> {
        self.get("gc_levels", |mut input| {
            Ok(GcLevels { last: int32(&mut input)?, first_available: level(input)? })
        })
    }

    /// The level at which the context was split last.
    pub fn context_split_level(&self) -> Result<Option<i32>> {
        self.get("last_context_split_level", level)
    }

    /// What the node keeps of the past.
    pub fn history_mode(&self) -> Result<Option<HistoryMode>> {
        self.get("history_mode", |mut input| {
            let [mode] = bytes(&mut input)?;
            end(input)?;
            HistoryMode::from_byte(mode).ok_or(Malformed("it is neither archive (00) nor full (01)"))
        })
    }

    fn get<T>(&self, name: &str, decode: impl FnOnce(&[u8]) -> Result<T, Malformed>) -> Result<Option<T>> {
        let found = NAMES.iter().zip(&self.files).find(|(known, _)| **known == name);
        let Some((_, Some(content))) = found else { return Ok(None) };
        let path = in_storage(name);
        let wrong =
            |err: Malformed| Problem::damaged_store(&path, &format!("{name} cannot be decoded: {err}"));
        decode(content).map(Some).map_err(wrong)
    }
}

fn level(mut input: &[u8]) -> Result<i32, Malformed> {
    let level = int32(&mut input)?;
    end(input)?;
    Ok(level)
}

//! The context of the kind `riscv`: a directory of files that are named by the BLAKE2b-256 of their
//! bytes, in 64 hexadecimal digits.
//!
//! The state is cut into chunks of 4096 bytes, a file each. A commit is one more file: how many
//! chunks there are (8 bytes, **little-endian**), and their hashes.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use super::pack::Hash;
use super::path::unhex;
use crate::code::Code;
use crate::feedback::Feedback;
use crate::hash::ContextHash;
use crate::members::in_context;
use crate::problem::{Problem, Result};
use crate::read_at::{Files, ReadAt};

/// Most bytes of a chunk.
pub const CHUNK: u64 = 4096;

/// Length of a hash in a commit, in bytes.
const HASH: u64 = 32;

/// How much is read at once, in bytes.
const PIECE: usize = 1 << 16;

/// What a file takes while its context is opened, in bytes: its name as text, and hash and length.
const NAME: u64 = 160;

/// A context of the kind `riscv`. Memory: about 50 bytes a file.
#[derive(Debug)]
pub struct Riscv<F> {
    files: F,
    /// Length of each file.
    sizes: BTreeMap<Hash, u64>,
}

/// A commit: what its file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its hash, the name of its file.
    pub hash: ContextHash,
    /// How many chunks the state has.
    pub chunks: u64,
    /// How long the state is, in bytes, as far as its chunks are there.
    pub size: u64,
    /// How many chunks are not there.
    pub missing: u64,
    /// Whether the file has the hash that it is named by.
    pub sound: bool,
}

impl Commit {
    /// Whether the state can be read.
    pub fn is_available(&self) -> bool {
        self.sound && self.missing == 0
    }
}

impl<F: Files> Riscv<F> {
    /// Whether the names are those of such a context.
    ///
    /// # Errors
    /// Whatever the files report.
    pub fn recognise(files: &F) -> Result<bool> {
        Ok(files.names("")?.iter().any(|name| hash_of(name).is_some()))
    }

    /// Opens one: looks at the names and lengths of all files.
    ///
    /// # Errors
    /// [`Code::ContextMissing`] when no file is named by a hash; [`Code::LimitMemory`], [`Code::Cancelled`];
    /// whatever the files report.
    pub fn open(files: F, feedback: &dyn Feedback) -> Result<Self> {
        let mut sizes = BTreeMap::new();
        let names = files.names("")?;
        let taken = (names.len() as u64).saturating_mul(NAME);
        feedback.allowance().check(taken, "the names of the files of the context")?;
        for name in names {
            feedback.checkpoint()?;
            let Some(hash) = hash_of(&name) else { continue };
            if let Some(file) = files.open(&name)? {
                sizes.insert(hash, file.len());
            }
        }
        if sizes.is_empty() {
            return Err(Problem::new(Code::ContextMissing));
        }
        Ok(Self { files, sizes })
    }

    /// The commits, in the order of their hashes: nothing tells their age. Each is read when its turn comes, and
    /// gives an error when the files report one.
    pub fn commits(&self) -> impl Iterator<Item = Result<Commit>> {
        self.sizes.iter().filter_map(|(hash, size)| {
            let commit = self.commit_file(hash, *size).and_then(|file| {
                file.map(|file| self.read_commit(hash, *size, &file, &mut |_| Ok(()))).transpose()
            });
            commit.transpose()
        })
    }

    /// The commit of this hash; the hashes of its chunks go to `chunk`, in their order.
    ///
    /// # Errors
    /// [`Code::ContextCommit`] when there is none; those of `chunk`; whatever the files report.
    pub fn checkout(&self, hash: &ContextHash, chunk: &mut dyn FnMut(&Hash) -> Result<()>) -> Result<Commit> {
        let size = self.sizes.get(hash.as_bytes()).copied().unwrap_or_default();
        let file = self.commit_file(hash.as_bytes(), size)?;
        let file = file.ok_or_else(|| Problem::new(Code::ContextCommit).expected(hash).found("no commit"))?;
        self.read_commit(hash.as_bytes(), size, &file, chunk)
    }

    /// Whether the file of this name has this hash.
    ///
    /// # Errors
    /// [`Code::ContextFile`] when there is no such file; whatever the files report.
    pub fn is_sound(&self, hash: &Hash) -> Result<bool> {
        let name = super::path::hex(hash);
        let file = self.files.open(&name)?;
        let file = file.ok_or_else(|| Problem::new(Code::ContextFile).member(in_context(&name)))?;
        let mut found = Blake2b::default();
        pieces(&file, file.len(), &mut |bytes| {
            found.0.update(bytes);
            Ok(())
        })?;
        Ok(found.finish() == *hash)
    }

    /// Every file: its hash, and its length in bytes.
    pub fn files(&self) -> impl Iterator<Item = (&Hash, u64)> {
        self.sizes.iter().map(|(hash, size)| (hash, *size))
    }

    /// The file, if it is that of a commit: as long as its first number says. A whole chunk never
    /// is; a state has at least one.
    fn commit_file(&self, hash: &Hash, size: u64) -> Result<Option<F::File>> {
        let hashes = size.checked_sub(8).filter(|rest| *rest > 0 && rest.is_multiple_of(HASH));
        let Some(count) = hashes.map(|rest| rest / HASH) else { return Ok(None) };
        let Some(file) = self.files.open(&super::path::hex(hash))? else { return Ok(None) };
        let mut number = [0; 8];
        file.read_at(0, &mut number)?;
        Ok((u64::from_le_bytes(number) == count).then_some(file))
    }

    fn read_commit(
        &self,
        hash: &Hash,
        len: u64,
        file: &F::File,
        chunk: &mut dyn FnMut(&Hash) -> Result<()>,
    ) -> Result<Commit> {
        let mut commit =
            Commit { hash: ContextHash::new(*hash), chunks: 0, size: 0, missing: 0, sound: false };
        let mut found = Blake2b::default();
        // The number in front is as long as a quarter of a hash.
        let mut waiting = Vec::new();
        let mut skipped = false;
        pieces(file, len, &mut |bytes| {
            found.0.update(bytes);
            waiting.extend_from_slice(bytes);
            if !skipped {
                waiting.drain(..waiting.len().min(8));
                skipped = true;
            }
            let (hashes, rest) = waiting.as_chunks::<{ HASH as usize }>();
            for hash in hashes {
                commit.chunks += 1;
                match self.sizes.get(hash) {
                    Some(size) => commit.size = commit.size.saturating_add(*size),
                    None => commit.missing += 1,
                }
                chunk(hash)?;
            }
            waiting = rest.to_vec();
            Ok(())
        })?;
        commit.sound = found.finish() == *hash;
        Ok(commit)
    }
}

fn hash_of(name: &str) -> Option<Hash> {
    unhex(name).filter(|_| !name.bytes().any(|byte| byte.is_ascii_uppercase()))
}

fn pieces(file: &impl ReadAt, len: u64, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut buffer = vec![0; usize::try_from(len).map_or(PIECE, |len| len.min(PIECE))];
    let mut at = 0;
    while at < len {
        let wanted = usize::try_from(len - at).map_or(PIECE, |left| left.min(PIECE));
        let bytes = buffer.get_mut(..wanted).unwrap_or_default();
        file.read_at(at, bytes)?;
        each(bytes)?;
        at += wanted as u64;
    }
    Ok(())
}

struct Blake2b(blake2b_simd::State);

impl Default for Blake2b {
    fn default() -> Self {
        Self(blake2b_simd::Params::new().hash_length(32).to_state())
    }
}

impl Blake2b {
    fn finish(&self) -> Hash {
        self.0.finalize().as_bytes().first_chunk().copied().unwrap_or_default()
    }
}

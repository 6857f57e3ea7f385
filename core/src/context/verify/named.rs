//! The check of a context of the kind `riscv`, whose files are named by their hashes, as they come.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

use super::super::pack::Hash;
use super::super::path::hex;
use super::failures::MAX_FAILURES;
use crate::code::Code;
use crate::problem::Problem;

/// Most chunks that are waited for: half a GiB of memory.
const MAX_WANTED: usize = 1 << 23;

/// Checks files that are named by their hashes, and that the chunks which commits name are there.
/// Memory: 32 bytes a file.
#[derive(Debug, Default)]
pub(super) struct Named {
    seen: BTreeSet<Hash>,
    wanted: BTreeSet<Hash>,
    wanted_left_out: bool,
    open: Option<Open>,
    bytes: u64,
    pub(super) commits: u64,
    pub(super) problems: Vec<Problem>,
}

#[derive(Debug)]
struct Open {
    hash: Hash,
    state: blake2b_simd::State,
    /// The first eight bytes say how many hashes follow, if this is a commit.
    lead: Lead,
    gathered: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    /// A commit, if its first number is this one.
    Expected(u64),
    Commit,
    Chunk,
}

impl Named {
    /// A file begins.
    pub(super) fn begin(&mut self, hash: Hash, size: u64) {
        let hashes = size.checked_sub(8).filter(|rest| *rest > 0 && rest.is_multiple_of(32));
        self.open = Some(Open {
            hash,
            state: blake2b_simd::Params::new().hash_length(32).to_state(),
            lead: hashes.map_or(Lead::Chunk, |rest| Lead::Expected(rest / 32)),
            gathered: Vec::new(),
        });
    }

    /// The next bytes of it.
    pub(super) fn data(&mut self, data: &[u8]) {
        let Some(open) = &mut self.open else { return };
        open.state.update(data);
        self.bytes += data.len() as u64;
        if open.lead == Lead::Chunk {
            return;
        }
        for byte in data {
            open.gathered.push(*byte);
            match open.lead {
                Lead::Expected(count) => {
                    let Some(number) = open.gathered.first_chunk() else { continue };
                    let commit = u64::from_le_bytes(*number) == count;
                    open.lead = if commit { Lead::Commit } else { Lead::Chunk };
                    open.gathered.clear();
                    if !commit {
                        return;
                    }
                    self.commits += 1;
                }
                _ => {
                    let Some(chunk) = open.gathered.first_chunk() else { continue };
                    if self.wanted.len() < MAX_WANTED {
                        self.wanted.insert(*chunk);
                    } else {
                        self.wanted_left_out |= !self.wanted.contains(chunk);
                    }
                    open.gathered.clear();
                }
            }
        }
    }

    /// It ends.
    pub(super) fn end(&mut self) {
        let Some(open) = self.open.take() else { return };
        let found = open.state.finalize();
        if found.as_bytes() != open.hash {
            self.fail(
                Problem::new(Code::ContextHash)
                    .member(format!("context/{}", hex(&open.hash)))
                    .expected(hex(&open.hash))
                    .found(found.to_hex()),
            );
        }
        self.seen.insert(open.hash);
    }

    /// Whether there was any such file.
    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_empty() && self.open.is_none()
    }

    /// Everything has come: which chunks are missing. Gives how many files there were and their
    /// bytes, and whether all chunks could be looked for.
    pub(super) fn finish(&mut self) -> (usize, u64, bool) {
        self.end();
        let missing: Vec<Hash> = self.wanted.difference(&self.seen).copied().collect();
        for chunk in missing {
            let file = format!("context/{}", hex(&chunk));
            self.fail(
                Problem::new(Code::ContextChild).member(file).found("no such file, but a commit names it"),
            );
        }
        (self.seen.len(), self.bytes, !self.wanted_left_out)
    }

    fn fail(&mut self, problem: Problem) {
        if self.problems.len() < MAX_FAILURES {
            self.problems.push(problem);
        }
    }
}

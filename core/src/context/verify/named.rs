//! The check of a context of the kind `riscv`, whose files are named by their hashes, as they come.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::super::pack::Hash;
use super::super::path::hex;
use super::failures::MAX_FAILURES;
use crate::code::Code;
use crate::members::in_context;
use crate::problem::Problem;

/// What a hash takes in a set, in bytes: about as much.
const HASH: usize = 48;

/// Checks files that are named by their hashes, and that the chunks which commits name are there.
/// Memory: a hash for each file, and for each chunk that a commit names.
#[derive(Debug, Default)]
pub(super) struct Named {
    seen: BTreeSet<Hash>,
    wanted: Wanted,
    /// How many files came.
    files: usize,
    open: Option<Open>,
    bytes: u64,
    pub(super) commits: u64,
    pub(super) problems: Vec<Problem>,
}

/// Chunks that commits name.
#[derive(Debug, Default)]
struct Wanted {
    hashes: BTreeSet<Hash>,
    last: Hash,
    /// No more are remembered.
    full: bool,
    /// Not all were.
    left_out: bool,
}

#[derive(Debug)]
struct Open {
    hash: Hash,
    state: blake2b_simd::State,
    /// The first eight bytes say how many hashes follow, if this is a commit.
    lead: Lead,
    gathered: Vec<u8>,
}

impl Wanted {
    fn add(&mut self, hash: &Hash) {
        if *hash == self.last && !self.hashes.is_empty() {
            return;
        }
        self.last = *hash;
        if self.full {
            self.left_out |= !self.hashes.contains(hash);
        } else {
            self.hashes.insert(*hash);
        }
    }
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
        let mut input = data;
        while !input.is_empty() {
            let wanted = match open.lead {
                Lead::Chunk => return,
                Lead::Expected(_) => 8,
                Lead::Commit => 32,
            };
            // Whole hashes are taken where they are.
            if open.gathered.is_empty() && open.lead == Lead::Commit {
                let (hashes, rest) = input.as_chunks::<32>();
                hashes.iter().for_each(|hash| self.wanted.add(hash));
                input = rest;
            }
            let (now, later) = input.split_at(input.len().min(wanted - open.gathered.len()));
            open.gathered.extend_from_slice(now);
            input = later;
            if open.gathered.len() < wanted {
                return;
            }
            match (open.lead, open.gathered.first_chunk(), open.gathered.first_chunk()) {
                (Lead::Expected(count), Some(number), _) if u64::from_le_bytes(*number) == count => {
                    open.lead = Lead::Commit;
                    self.commits += 1;
                }
                (Lead::Commit, _, Some(hash)) => self.wanted.add(hash),
                _ => open.lead = Lead::Chunk,
            }
            open.gathered.clear();
        }
    }

    /// Memory that is taken for what came, in bytes.
    pub(super) fn taken(&self) -> u64 {
        (HASH * (self.seen.len() + self.wanted.hashes.len())) as u64
    }

    /// Nothing more is remembered of what comes.
    pub(super) fn give_up(&mut self) {
        self.wanted.full = true;
    }

    /// It ends.
    pub(super) fn end(&mut self) {
        let Some(open) = self.open.take() else { return };
        self.files += 1;
        let found = open.state.finalize();
        if found.as_bytes() != open.hash {
            self.fail(
                Problem::new(Code::ContextHash)
                    .member(in_context(hex(&open.hash)))
                    .expected(hex(&open.hash))
                    .found(found.to_hex()),
            );
        }
        if self.wanted.full {
            self.wanted.left_out = true;
        } else {
            self.seen.insert(open.hash);
        }
    }

    /// Whether there was any such file.
    pub(super) fn is_empty(&self) -> bool {
        self.files == 0 && self.open.is_none()
    }

    /// Everything has come: which chunks are missing. Gives how many files there were and their
    /// bytes, and whether all chunks could be looked for.
    pub(super) fn finish(&mut self) -> (usize, u64, bool) {
        self.end();
        // When not all were remembered, what is not among them may have come.
        let missing = self.wanted.hashes.difference(&self.seen).take(MAX_FAILURES).copied();
        let missing: Vec<Hash> = if self.wanted.left_out { Vec::new() } else { missing.collect() };
        for chunk in missing {
            let file = in_context(hex(&chunk));
            self.fail(
                Problem::new(Code::ContextChild).member(file).found("no such file, but a commit names it"),
            );
        }
        (self.files, self.bytes, !self.wanted.left_out)
    }

    fn fail(&mut self, problem: Problem) {
        if self.problems.len() < MAX_FAILURES {
            self.problems.push(problem);
        }
    }
}

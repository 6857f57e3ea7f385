//! The index of commits, compared with the commits that are there.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::pack::Hash;
use crate::code::Code;
use crate::problem::{Place, Problem};

/// The files of an index, below `context/`, in the order in which they are looked at.
pub(super) const FILES: [&str; 3] = ["index/log_async", "index/log", "index/data"];

const HEADER: usize = 32;
const ENTRY: usize = 45;

/// An entry of the index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    pub(super) hash: Hash,
    pub(super) offset: u64,
    pub(super) len: u32,
    kind: u8,
    /// Which of [`FILES`].
    file: u8,
}

/// Reads the entries of an index file, as its bytes come.
#[derive(Debug)]
pub(super) struct Lister {
    file: u8,
    seen: u64,
    gathered: Vec<u8>,
    /// First byte of the entries, and their length; once the header was seen.
    area: Option<(u64, u64)>,
    problem: Option<Problem>,
}

/// What the store has at an offset that the index names.
pub(super) enum There {
    /// A commit with this stored hash, the hash computed where that differs, and its length.
    Commit(Hash, Option<Hash>, u64),
    /// Something else, or the middle of something.
    Else,
    /// It was collected.
    Collected,
    /// The store does not reach that far.
    Beyond,
    /// It could not be read, which has been told.
    Told,
}

impl Lister {
    pub(super) fn new(file: u8) -> Self {
        Self { file, seen: 0, gathered: Vec::new(), area: None, problem: None }
    }

    /// The next bytes of the file.
    pub(super) fn feed(&mut self, mut input: &[u8], listed: &mut Vec<Listed>) {
        while !input.is_empty() && self.problem.is_none() {
            let Some((start, len)) = self.area else {
                if let Some(header) = self.take(&mut input, HEADER) {
                    self.header(&header);
                }
                continue;
            };
            if self.seen < start {
                let skipped = (start - self.seen).min(input.len() as u64);
                self.seen += skipped;
                input = input.get(skipped as usize..).unwrap_or_default();
                continue;
            }
            if self.seen - self.gathered.len() as u64 - start >= len {
                self.seen += input.len() as u64;
                return;
            }
            if let Some(entry) = self.take(&mut input, ENTRY) {
                let (hash, rest) = entry.split_first_chunk().unwrap_or((&[0; 32], &[]));
                let number = |at: usize| rest.get(at..).and_then(|rest| rest.first_chunk()).copied();
                listed.push(Listed {
                    hash: *hash,
                    offset: number(0).map_or(u64::MAX, u64::from_be_bytes),
                    len: rest
                        .get(8..)
                        .and_then(|rest| rest.first_chunk())
                        .copied()
                        .map_or(0, u32::from_be_bytes),
                    kind: rest.get(12).copied().unwrap_or_default(),
                    file: self.file,
                });
            }
        }
    }

    /// The file ends: what is wrong with it, and whether that is only a remark.
    pub(super) fn end(self) -> Option<(Problem, bool)> {
        if let Some(problem) = self.problem {
            return Some((problem, false));
        }
        let Some((start, len)) = self.area else {
            return Some((
                self.wrong().found(format_args!("{} bytes, less than a header", self.seen)),
                false,
            ));
        };
        if self.seen >= start.saturating_add(len) {
            return None;
        }
        let there = self.seen.saturating_sub(start);
        let problem = self.wrong().expected(format_args!("{len} bytes of entries")).found(there);
        // The library reads as many whole entries as there are.
        Some((problem, there % ENTRY as u64 == 0 && there > 0 && self.file == 1))
    }

    fn header(&mut self, header: &[u8]) {
        let number = |at: usize| header.get(at..).and_then(|rest| rest.first_chunk()).copied();
        let (len, fan_out) =
            (number(0).map_or(0, u64::from_be_bytes), number(24).map_or(0, u64::from_be_bytes));
        self.problem = if header.get(8..16) != Some(b"00000001") {
            Some(self.wrong().expected("the version 00000001").found("another"))
        } else if len % ENTRY as u64 != 0 {
            Some(
                self.wrong()
                    .expected("a whole number of entries of 45 bytes")
                    .found(format_args!("{len} bytes")),
            )
        } else {
            self.area = Some((fan_out.saturating_add(HEADER as u64), len));
            None
        };
    }

    fn wrong(&self) -> Problem {
        Problem::new(Code::ContextIndex).member(member(self.file))
    }

    fn take(&mut self, input: &mut &[u8], len: usize) -> Option<Vec<u8>> {
        let taken = input.len().min(len - self.gathered.len());
        let (now, rest) = input.split_at(taken);
        self.gathered.extend_from_slice(now);
        self.seen += taken as u64;
        *input = rest;
        if self.gathered.len() < len {
            return None;
        }
        Some(core::mem::take(&mut self.gathered))
    }
}

/// Compares the index with the commits that are there, given as (hash, offset) in the order of their
/// hashes. `report` takes a problem, and whether it is a failure.
pub(super) fn compare(
    listed: &[Listed],
    commits: &[(Hash, u64)],
    mut there: impl FnMut(u64) -> There,
    mut report: impl FnMut(Problem, bool),
) {
    let with = |hash: &Hash| {
        let first = commits.partition_point(|(known, _)| known < hash);
        let rest = commits.get(first..).unwrap_or_default();
        let len = rest.partition_point(|(known, _)| known == hash);
        rest.get(..len).unwrap_or_default()
    };
    let mut right: Vec<Hash> = Vec::new();
    let mut doubtful = Vec::new();
    for entry in listed {
        let wrong =
            || Problem::new(Code::ContextIndex).member(member(entry.file)).at(Place::Context(entry.offset));
        let name = super::failures::hex(&entry.hash);
        match there(entry.offset) {
            There::Commit(stored, computed, len) => {
                if stored != entry.hash && computed != Some(entry.hash) {
                    let problem = wrong()
                        .expected(format_args!("commit {name}"))
                        .found(format_args!("commit {}", super::failures::hex(&stored)));
                    report(problem, true);
                } else if u64::from(entry.len) != len {
                    report(wrong().expected(format_args!("{} bytes", entry.len)).found(len), true);
                } else if entry.kind != b'D' {
                    report(wrong().expected("the kind of a commit").found(entry.kind.escape_ascii()), true);
                } else {
                    right.push(entry.hash);
                }
                // Either way the index knows of the commit that is there.
                right.push(stored);
            }
            There::Else => {
                report(
                    wrong().expected(format_args!("commit {name}")).found("no beginning of a commit"),
                    true,
                );
            }
            There::Told => right.push(entry.hash),
            There::Collected | There::Beyond => doubtful.push(entry),
        }
    }
    right.sort_unstable();
    right.dedup();
    for entry in doubtful {
        let known = with(&entry.hash);
        let problem = || {
            Problem::new(Code::ContextIndex)
                .member(member(entry.file))
                .at(Place::Context(entry.offset))
                .expected(format_args!("commit {}", super::failures::hex(&entry.hash)))
        };
        match known {
            // Collected, as it should be; or written after the control file was.
            [] if matches!(there(entry.offset), There::Collected) => {}
            [] => {
                let problem = problem().found("nothing yet: the store does not reach that far");
                report(problem.headline("a commit of the index is not there yet"), false);
            }
            [(_, offset), ..] => {
                if right.binary_search(&entry.hash).is_err() {
                    report(
                        problem().found(format_args!("nothing there; the commit is at offset {offset}")),
                        true,
                    );
                    // One report is enough for it.
                }
            }
        }
    }
    let mut missing = commits.iter().filter(|(hash, _)| right.binary_search(hash).is_err());
    if let Some((hash, offset)) = missing.next() {
        let problem = Problem::new(Code::ContextIndex)
            .headline("a commit of the context is not in its index")
            .at(Place::Context(*offset))
            .expected(format_args!("commit {}", super::failures::hex(hash)));
        let others = missing.count();
        let problem = match others {
            0 => problem,
            _ => problem.because(format_args!("{others} more are not in it either")),
        };
        report(problem, false);
    }
}

fn member(file: u8) -> String {
    format!("context/{}", FILES.get(usize::from(file)).unwrap_or(&"index"))
}

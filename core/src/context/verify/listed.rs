//! The index of commits, compared with the commits that are there.

use alloc::string::String;
use alloc::vec::Vec;

use super::super::index::{Entry, Reader};
use super::super::pack::Hash;
use super::super::path::hex;
use crate::allowance::Allowance;
use crate::code::Code;
use crate::feedback::Feedback;
use crate::growing::Growing;
use crate::members::in_context;
use crate::problem::{Place, Problem, Result};

/// The files of an index, below `context/`, in the order in which they are looked at.
pub(super) const FILES: [&str; 3] = ["index/log_async", "index/log", "index/data"];

/// How many entries are looked at between two looks at whether to go on.
const STRIDE: usize = 1 << 12;

/// An entry of the index, and which of [`FILES`] it is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    pub(super) entry: Entry,
    pub(super) file: u8,
}

/// All that were listed; what says the same is listed once where they are many.
pub(super) fn all() -> Growing<Listed> {
    Growing::new(|listed| {
        let key = |Listed { entry, file }: &Listed| (*file, entry.offset, entry.hash, entry.len, entry.kind);
        listed.sort_unstable_by_key(key);
        listed.dedup_by_key(|listed| key(listed));
    })
}

/// How much memory they take, and will take when they are compared, in bytes: beside each up to two hashes.
pub(super) fn taken(listed: &Growing<Listed>) -> u64 {
    listed.taken().saturating_add((listed.items().len() * 2 * size_of::<Hash>()) as u64)
}

/// Whether there is room for them, without what is listed twice.
///
/// # Errors
/// [`Code::LimitMemory`].
pub(super) fn check(listed: &mut Growing<Listed>, allowance: &Allowance) -> Result<()> {
    let most = allowance.hashes();
    if allowance.is_over(taken(listed)) || listed.items().len() as u64 > most {
        listed.compact();
        // Each of the files may list a commit.
        allowance.check_hashes(listed.items().len().div_ceil(FILES.len()) as u64, WHAT)?;
        allowance.check(taken(listed), WHAT)?;
    }
    Ok(())
}

/// What takes memory, for messages.
const WHAT: &str = "the commits of the index of the context";

/// Reads the entries of an index file, as its bytes come.
#[derive(Debug)]
pub(super) struct Lister {
    file: u8,
    reader: Reader,
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
        Self { file, reader: Reader::default() }
    }

    /// The next bytes of the file.
    pub(super) fn feed(&mut self, input: &[u8], listed: &mut Growing<Listed>) {
        let file = self.file;
        self.reader.feed_entries(input, |entry| listed.push(Listed { entry, file }));
    }

    /// The next bytes of the file, whose entries are not wanted.
    pub(super) fn pass(&mut self, input: &[u8]) {
        self.reader.feed_entries(input, |_| ());
    }

    /// The file ends: what is wrong with it, and whether that is a failure.
    pub(super) fn end(self) -> Option<(Problem, bool)> {
        let problem = Problem::new(Code::ContextIndex).member(member(self.file));
        match self.reader.finish() {
            Err(why) => Some((problem.found(why), true)),
            Ok(()) if self.reader.is_complete() => None,
            Ok(()) => Some((
                problem.headline("the index announces more commits than it has, which the nodes ignore"),
                false,
            )),
        }
    }
}

/// Compares the index with the commits that are there, given as (hash, offset) in the order of their
/// hashes. `report` takes a problem, and whether it is a failure.
///
/// # Errors
/// [`Code::Cancelled`].
pub(super) fn compare(
    listed: &[Listed],
    commits: &[(Hash, u64)],
    mut there: impl FnMut(u64) -> There,
    mut report: impl FnMut(Problem, bool),
    feedback: &dyn Feedback,
) -> Result<()> {
    let with = |hash: &Hash| {
        let first = commits.partition_point(|(known, _)| known < hash);
        let rest = commits.get(first..).unwrap_or_default();
        let len = rest.partition_point(|(known, _)| known == hash);
        rest.get(..len).unwrap_or_default()
    };
    let mut right: Vec<Hash> = Vec::new();
    let mut doubtful = Vec::new();
    for (number, Listed { entry, file }) in listed.iter().enumerate() {
        if number % STRIDE == 0 {
            feedback.checkpoint()?;
        }
        let wrong =
            || Problem::new(Code::ContextIndex).member(member(*file)).at(Place::Context(entry.offset));
        let name = || hex(entry.hash.as_bytes());
        match there(entry.offset) {
            There::Commit(stored, computed, len) => {
                if stored != *entry.hash.as_bytes() && computed != Some(*entry.hash.as_bytes()) {
                    let problem = wrong()
                        .expected(format_args!("commit {}", name()))
                        .found(format_args!("commit {}", hex(&stored)));
                    report(problem, true);
                } else if u64::from(entry.len) != len {
                    report(wrong().expected(format_args!("{} bytes", entry.len)).found(len), true);
                } else if entry.kind != b'D' {
                    report(wrong().expected("the kind of a commit").found(entry.kind.escape_ascii()), true);
                } else {
                    right.push(*entry.hash.as_bytes());
                }
                // Either way the index knows of the commit that is there.
                right.push(stored);
            }
            There::Else => {
                report(
                    wrong().expected(format_args!("commit {}", name())).found("no beginning of a commit"),
                    true,
                );
            }
            There::Told => right.push(*entry.hash.as_bytes()),
            There::Collected | There::Beyond => doubtful.push((entry, file)),
        }
    }
    right.sort_unstable();
    right.dedup();
    for (number, (entry, file)) in doubtful.into_iter().enumerate() {
        if number % STRIDE == 0 {
            feedback.checkpoint()?;
        }
        let known = with(entry.hash.as_bytes());
        let problem = || {
            Problem::new(Code::ContextIndex)
                .member(member(*file))
                .at(Place::Context(entry.offset))
                .expected(format_args!("commit {}", hex(entry.hash.as_bytes())))
        };
        match known {
            // Collected, as it should be; or written after the control file was.
            [] if matches!(there(entry.offset), There::Collected) => {}
            [] => {
                let problem = problem().found("nothing yet: the store does not reach that far");
                report(problem.headline("a commit of the index is not there yet"), false);
            }
            [(_, offset), ..] => {
                if right.binary_search(entry.hash.as_bytes()).is_err() {
                    report(
                        problem().found(format_args!("nothing there; the commit is at offset {offset}")),
                        true,
                    );
                }
            }
        }
    }
    let mut missing = commits.iter().filter(|(hash, _)| right.binary_search(hash).is_err());
    if let Some((hash, offset)) = missing.next() {
        let problem = Problem::new(Code::ContextIndex)
            .headline("a commit of the context is not in its index")
            .at(Place::Context(*offset))
            .expected(format_args!("commit {}", hex(hash)));
        let others = missing.count();
        let problem = match others {
            0 => problem,
            _ => problem.because(format_args!("{others} more are not in it either")),
        };
        report(problem, false);
    }
    Ok(())
}

fn member(file: u8) -> String {
    in_context(FILES.get(usize::from(file)).unwrap_or(&"index"))
}

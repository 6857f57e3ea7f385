//! One commit of a context of the kind `riscv` and its chunks, copied.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::Sink;
use crate::code::Code;
use crate::context::pack::{Hash, Malformed};
use crate::context::path::hex;
use crate::context::riscv::CHUNK;
use crate::encoding::blake2b;
use crate::feedback::{Feedback, Phase, Unit};
use crate::hash::ContextHash;
use crate::members::in_context;
use crate::problem::{Problem, Result};
use crate::read_at::{Files, ReadAt};

/// Most bytes of a commit that are read: a state of 16 GiB.
const MAX_COMMIT: u64 = 128 << 20;

/// The chunks that a commit lists, in their order.
///
/// # Errors
/// When it is not a list of hashes.
fn chunks(commit: &[u8]) -> Result<impl ExactSizeIterator<Item = Hash> + Clone, Malformed> {
    let (count, hashes) = commit.split_first_chunk().ok_or(Malformed("it ends too early"))?;
    let (hashes, rest) = hashes.as_chunks::<32>();
    if !rest.is_empty() || u64::from_le_bytes(*count) != hashes.len() as u64 {
        return Err(Malformed("it is no list of hashes as long as it says"));
    }
    Ok(hashes.iter().copied())
}

/// Copies a commit and its chunks, each once, and checks that they have the hashes by which they are
/// named. The commit comes last. Progress is told in files.
///
/// # Errors
/// [`Code::ContextCommit`] when there is no such commit or it cannot be read,
/// [`Code::ContextChild`] when a chunk is missing, [`Code::ContextHash`], [`Code::ContextEntry`]
/// when a chunk is too long; [`Code::Cancelled`]; whatever files and sink report.
pub fn copy<F: Files>(
    files: &F,
    commit: &ContextHash,
    sink: &mut dyn Sink,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<()> {
    let unknown = || Problem::new(Code::ContextCommit).expected(format_args!("commit {commit}"));
    let list = read(files, commit.as_bytes(), MAX_COMMIT, Code::ContextCommit)?.ok_or_else(unknown)?;
    let hashes = chunks(&list)
        .map_err(|why| Problem::new(Code::ContextCommit).member(member(commit.as_bytes())).found(why))?;
    feedback.phase(Phase { total: Some(hashes.len() as u64), unit: Unit::Files, ..phase });
    let mut copied = BTreeSet::new();
    for hash in hashes {
        feedback.checkpoint()?;
        if copied.insert(hash) {
            let missing = || Problem::new(Code::ContextChild).member(member(&hash)).found("no such file");
            let chunk = read(files, &hash, CHUNK, Code::ContextEntry)?.ok_or_else(missing)?;
            sink.create(&hex(&hash))?;
            sink.write(&chunk)?;
        }
        feedback.advance(1);
    }
    sink.create(&hex(commit.as_bytes()))?;
    sink.write(&list)
}

/// The file of this hash, whole and with that hash.
fn read<F: Files>(files: &F, hash: &Hash, most: u64, too_long: Code) -> Result<Option<Vec<u8>>> {
    let Some(file) = files.open(&hex(hash))? else { return Ok(None) };
    if file.len() > most {
        let problem = Problem::new(too_long).member(member(hash));
        return Err(problem.expected(format_args!("at most {most} bytes")).found(file.len()));
    }
    let mut bytes = vec![0; usize::try_from(file.len()).unwrap_or_default()];
    file.read_at(0, &mut bytes)?;
    let found = blake2b(&[&bytes]);
    if found == *hash {
        return Ok(Some(bytes));
    }
    Err(Problem::new(Code::ContextHash).member(member(hash)).found(hex(&found)))
}

fn member(hash: &Hash) -> String {
    in_context(hex(hash))
}

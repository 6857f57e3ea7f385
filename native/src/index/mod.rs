//! The checkpoint index of a gzip file, in its header or in a file beside it (`docs/FORMAT.md`, section 5):
//! reading on all cores, and from anywhere.

mod content;
mod make;
mod parallel;
mod span;
mod walk;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rollsnap_core::gzip::checkpoint::Index;
use rollsnap_core::{Code, Problem, ReadAt, Result};

use crate::files::Part;
use crate::io;

pub(crate) use content::Content;
pub use make::{Made, Options, run};
pub(crate) use parallel::{Outcome, inspect, is_possible};
pub(crate) use walk::{find, list};

/// How many checkpoints an index beside its file has at most: their windows, up to 32 KiB each, are held in
/// memory.
pub const MOST_CHECKPOINTS: usize = 512;

/// How long such an index can be, in bytes.
const LONGEST: u64 = 32 + (24 + 32 * 1024 + 64) * MOST_CHECKPOINTS as u64 + 4;

/// A gzip file and an index that fits it, as far as header and trailer tell.
#[derive(Debug)]
pub(crate) struct Indexed {
    pub(crate) file: Part,
    pub(crate) index: Index,
}

/// What was found of an index.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) indexed: Option<Arc<Indexed>>,
    /// Why one that is there cannot be used.
    pub(crate) problem: Option<Problem>,
}

/// How far a file was read, so that its content need not be looked at again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Resume {
    /// Bytes of content that were looked at.
    pub(crate) content: u64,
    /// Bytes of the file that were told as progress.
    pub(crate) file_bytes: u64,
}

/// The name of the index beside a file.
pub fn sidecar(path: &Path) -> PathBuf {
    io::with_suffix(path, ".idx")
}

/// Looks for an index: in the header of the file, then beside it.
pub(crate) fn look_for(path: &Path, file: Part) -> Found {
    let mut problem = None;
    for look in [of_header, of_sidecar] {
        match look(path, &file) {
            Ok(None) => {}
            Ok(Some(index)) => return Found { indexed: Some(Arc::new(Indexed { file, index })), problem },
            Err(found) => problem = problem.or(Some(found)),
        }
    }
    Found { indexed: None, problem }
}

fn of_header(_: &Path, file: &Part) -> Result<Option<Index>> {
    Index::of_file(file)
}

fn of_sidecar(path: &Path, file: &Part) -> Result<Option<Index>> {
    let beside = sidecar(path);
    let shown = |problem: Problem| problem.path(beside.display());
    let unreadable = |err: Problem| shown(Problem::new(Code::GzipIndex).because(err));
    let Some(part) = Part::open(&beside).map_err(unreadable)? else { return Ok(None) };
    if part.len() > LONGEST {
        let limit = format_args!("at most {LONGEST} bytes");
        return Err(shown(Problem::new(Code::GzipIndex).expected(limit).found(part.len())));
    }
    let mut bytes = vec![0; part.len() as usize];
    part.read_at(0, &mut bytes).map_err(unreadable)?;
    let index = Index::decode(&bytes).map_err(shown)?;
    index.check(file).map_err(shown)?;
    Ok(Some(index))
}

/// How long a span is, in bytes of content.
fn span_len(indexed: &Indexed, at: usize) -> u64 {
    let start = indexed.index.checkpoints.get(at).map_or(0, |point| point.offset);
    indexed.index.end_of(at).0.saturating_sub(start)
}

//! The checkpoint index of a gzip file, in its header or in a file beside it (`docs/FORMAT.md`, section 5):
//! reading on all cores, and from anywhere.

mod again;
mod content;
mod members;
mod parallel;
mod span;
mod walk;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rollsnap_core::gzip::checkpoint::{self, Index};
use rollsnap_core::{Code, Problem, Result};

use crate::files::Part;
use crate::io;

pub(crate) use again::mend;
pub(crate) use content::Content;
pub(crate) use members::Members;
pub(crate) use parallel::{Outcome, Spans, begins, inspect, is_possible};
pub(crate) use walk::{find, list};

/// A gzip file and an index that fits it, as far as header and trailer tell.
pub(crate) type Indexed = checkpoint::Indexed<Part>;

/// What was found of an index.
#[derive(Debug, Default)]
pub(crate) struct FoundIndex {
    pub(crate) indexed: Option<Arc<Indexed>>,
    /// Why one that is there cannot be used.
    pub(crate) problem: Option<Problem>,
}

/// How far a file was read, so that its content need not be looked at again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Bytes of content that were looked at.
    pub(crate) content: u64,
    /// Bytes of the file that were told as progress.
    pub(crate) file_bytes: u64,
}

/// The name of the index beside a file.
pub fn sidecar(path: &Path) -> PathBuf {
    io::with_suffix(path, ".idx")
}

/// Looks for an index: in the header of the file, then beside it, in the file of this name, which `open` opens.
pub(crate) fn look_for(
    beside: &Path,
    file: Part,
    open: impl FnOnce(&Path) -> Result<Option<Part>>,
) -> FoundIndex {
    let mut problem = None;
    match Index::of_file(&file)
        .and_then(|index| index.map(|index| Indexed::new(file.clone(), index, None)).transpose())
    {
        Ok(Some(indexed)) => return FoundIndex { indexed: Some(Arc::new(indexed)), problem },
        Ok(None) => {}
        Err(found) => problem = Some(found),
    }
    match of_sidecar(beside, file, open) {
        Ok(Some(indexed)) => FoundIndex { indexed: Some(Arc::new(indexed)), problem },
        Ok(None) => FoundIndex { indexed: None, problem },
        Err(found) => FoundIndex { indexed: None, problem: problem.or(Some(found)) },
    }
}

fn of_sidecar(
    path: &Path,
    file: Part,
    open: impl FnOnce(&Path) -> Result<Option<Part>>,
) -> Result<Option<Indexed>> {
    let shown = |problem: Problem| problem.path(path.display());
    let unreadable = |err: Problem| shown(Problem::new(Code::GzipIndex).because(err));
    let Some(beside) = open(path).map_err(unreadable)? else { return Ok(None) };
    let index = Index::of_beside(&beside).map_err(|problem| match problem.code() {
        Code::GzipIndex => shown(problem),
        _ => unreadable(problem),
    })?;
    Indexed::new(file, index, Some(beside)).map(Some).map_err(shown)
}

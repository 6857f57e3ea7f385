//! Reads which contexts a data directory holds.

use std::path::Path;

use rollsnap_core::{Feedback, Files, ReadAt, Result};

use crate::files::FileSet;

pub use rollsnap_core::context::{Contexts, INDEX_FILES};

/// Reads the context of a data directory.
///
/// # Errors
/// As [`of`].
pub fn read(root: &Path, feedback: &dyn Feedback) -> Result<Contexts> {
    of(&FileSet::context_of(root).held()?, feedback)
}

/// Reads which contexts the files of a `context` directory hold.
///
/// # Errors
/// [`Code::LimitMemory`](rollsnap_core::Code::LimitMemory), [`Code::Cancelled`](rollsnap_core::Code::Cancelled), and
/// what the files report.
pub fn of<F: Files>(files: &F, feedback: &dyn Feedback) -> Result<Contexts> {
    let allowance = feedback.allowance();
    let mut contexts = Contexts::default();
    let mut chunk = vec![0; 1 << 16];
    for name in INDEX_FILES {
        let Some(file) = files.open(name)? else { continue };
        contexts.begin(name);
        let (mut at, end) = (0, file.len());
        while at < end {
            let len = usize::try_from(end - at).map_or(chunk.len(), |left| left.min(chunk.len()));
            file.read_at(at, &mut chunk[..len])?;
            contexts.data(&chunk[..len]);
            feedback.checkpoint()?;
            allowance.check(contexts.taken(), "the commits of the context")?;
            at += len as u64;
        }
        contexts.end();
    }
    // A riscv context is a directory of files that are named by their hashes.
    for name in files.names("")? {
        contexts.begin(&name);
    }
    Ok(contexts.complete())
}

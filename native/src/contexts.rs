//! Reads which contexts a data directory holds.

use std::path::Path;

use rollsnap_core::context::INDEX_FILES;
use rollsnap_core::{Files, ReadAt, Result};

use crate::files::FileSet;

pub use rollsnap_core::context::Contexts;

/// Reads the context of a data directory.
///
/// # Errors
/// Any `io.*` code.
pub fn read(root: &Path) -> Result<Contexts> {
    of(&FileSet::Below(root.into(), "context"))
}

/// Reads which contexts the files of a `context` directory hold.
///
/// # Errors
/// What the files report.
pub fn of<F: Files>(files: &F) -> Result<Contexts> {
    let mut contexts = Contexts::default();
    let mut chunk = vec![0; 1 << 16];
    for name in INDEX_FILES {
        let Some(file) = files.open(name.trim_start_matches("context/"))? else { continue };
        contexts.begin(name);
        let (mut at, end) = (0, file.len());
        while at < end {
            let len = usize::try_from(end - at).map_or(chunk.len(), |left| left.min(chunk.len()));
            file.read_at(at, &mut chunk[..len])?;
            contexts.data(&chunk[..len]);
            at += len as u64;
        }
        contexts.end();
    }
    // A riscv context is a directory of files that are named by their hashes.
    for name in files.names("")? {
        contexts.begin(&format!("context/{name}"));
    }
    Ok(contexts.complete())
}

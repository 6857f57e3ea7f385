//! Takes the operator's own pre-images over into the staged directory.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use rollsnap_core::{Feedback, Result};

use super::files::{exists, list, problem};

/// What [`merge_into_staging`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Files that were taken over.
    pub kept: u64,
    /// Entries that were not, because they are neither regular files nor in the staged directory:
    /// links, directories, devices. The swap deletes them.
    pub skipped: u64,
}

/// Takes over, from the flat directory `existing` into the staged one, every regular file whose
/// name the staged one lacks: as a hard link, or as a copy where that cannot be. `existing` may
/// be missing or a link to a directory; `staged` must exist. Links inside are not followed.
///
/// # Errors
/// `io.*`, `cancelled`. The existing directory is never changed.
pub fn merge_into_staging(existing: &Path, staged: &Path, feedback: &mut dyn Feedback) -> Result<Merged> {
    let mut merged = Merged::default();
    match fs::metadata(existing) {
        Ok(metadata) if metadata.is_dir() => {}
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(problem("look at", existing, &error));
        }
        _ => return Ok(merged),
    }
    for path in list(existing)? {
        feedback.checkpoint()?;
        let Some(name) = path.file_name() else { continue };
        let target = staged.join(name);
        if exists(&target)? {
            continue;
        }
        let metadata = fs::symlink_metadata(&path).map_err(|error| problem("look at", &path, &error))?;
        if metadata.is_file() {
            link_or_copy(&path, &target).map_err(|error| problem("take over the file", &path, &error))?;
            merged.kept += 1;
        } else {
            merged.skipped += 1;
        }
    }
    Ok(merged)
}

fn link_or_copy(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            fs::copy(from, to)?;
            File::open(to)?.sync_all()
        }
        linked => linked,
    }
}

//! The few things that a swap does with files: look, delete.

use std::fs::{self, Permissions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rollsnap_core::{Code, Problem, Result};

use crate::io::problem;

/// Whether something has this name, be it a link that leads nowhere.
pub(super) fn exists(path: &Path) -> Result<bool> {
    Ok(lstat(path)?.is_some())
}

/// What has this name, without following a link; `None` when nothing has.
pub(super) fn lstat(path: &Path) -> Result<Option<fs::Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(problem("look at", path, error)),
    }
}

/// The paths of the entries of a directory, sorted by name.
pub(super) fn list(dir: &Path) -> Result<Vec<PathBuf>> {
    let cannot = |error: Error| problem("list the directory", dir, error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(cannot)? {
        paths.push(entry.map_err(cannot)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Deletes a directory and everything in it. Links are deleted, not followed; another file
/// system mounted inside is not entered.
pub(super) fn remove_tree(root: &Path) -> Result<()> {
    let device = lstat(root)?.map(|metadata| metadata.dev());
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.last().cloned() {
        let depth = dirs.len();
        open_up(&dir)?;
        for path in list(&dir)? {
            let Some(metadata) = lstat(&path)? else { continue };
            if Some(metadata.dev()) != device {
                return Err(Problem::new(Code::IoOther)
                    .headline("another file system is mounted in a directory that is to be deleted")
                    .path(path.display()));
            }
            if metadata.is_dir() {
                dirs.push(path);
            } else {
                fs::remove_file(&path).map_err(|error| problem("delete", &path, error))?;
            }
        }
        // Without subdirectories it is empty now; with some it is looked at again after them.
        if dirs.len() == depth {
            fs::remove_dir(&dir).map_err(|error| problem("delete the directory", &dir, error))?;
            dirs.pop();
        }
    }
    Ok(())
}

/// Lets the owner empty a directory that was write-protected.
fn open_up(dir: &Path) -> Result<()> {
    match lstat(dir)? {
        Some(metadata) if metadata.is_dir() && metadata.mode() & 0o700 != 0o700 => {
            fs::set_permissions(dir, Permissions::from_mode(0o700))
                .map_err(|error| problem("get access to the directory", dir, error))
        }
        _ => Ok(()),
    }
}

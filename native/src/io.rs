//! Small helpers around the file system: errors in our words, and what several modules need.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use rollsnap_core::{Code, Problem, Result};

/// Says what was being done (`doing`, such as `read` or `create`), on which path, and why it did
/// not work. The code is one of `io.not-found`, `io.permission`, `io.no-space`, `io.directory`
/// and `io.other`.
pub fn problem(doing: &str, path: &Path, err: io::Error) -> Problem {
    let code = match err.kind() {
        ErrorKind::NotFound => Code::IoNotFound,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Code::IoPermission,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Code::IoNoSpace,
        ErrorKind::IsADirectory => Code::IoDirectory,
        _ => Code::IoOther,
    };
    Problem::new(code).headline(format!("cannot {doing} {}", path.display())).because(err)
}

/// The system gives no thread for a job that needs one.
pub(crate) fn no_thread(err: io::Error) -> Problem {
    Problem::new(Code::IoOther).headline("cannot start a thread").because(err)
}

/// Makes the names in a directory (created, renamed, removed files) survive a crash.
///
/// # Errors
/// Any `io.*` code.
pub fn sync_dir(path: &Path) -> Result<()> {
    let sync = || File::open(path)?.sync_all();
    sync().map_err(|err| problem("sync the directory", path, err))
}

/// A directory that a job needs, with what was made for it: removed again, as far as it is empty,
/// when this is dropped, unless it is kept.
#[derive(Debug, Default)]
pub struct MadeDirs {
    /// The deepest first.
    made: Vec<PathBuf>,
}

impl MadeDirs {
    /// Makes the directory and those above it, as far as they are missing.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn create(path: &Path) -> Result<Self> {
        let mut dirs = Self { made: Vec::new() };
        dirs.make(path)?;
        Ok(dirs)
    }

    /// The directories stay.
    pub fn keep(mut self) {
        self.made.clear();
    }

    fn make(&mut self, path: &Path) -> Result<()> {
        let made = match (fs::create_dir(path), path.parent()) {
            (Err(err), Some(parent)) if err.kind() == ErrorKind::NotFound && !parent.exists() => {
                self.make(parent)?;
                fs::create_dir(path)
            }
            (made, _) => made,
        };
        match made {
            Ok(()) => self.made.insert(0, path.into()),
            Err(err) if err.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
            // Nothing that was to be read is missing: the system does not allow it.
            Err(err) if err.kind() == ErrorKind::NotFound => {
                let text = format!("cannot create the directory {}", path.display());
                return Err(Problem::new(Code::IoOther).headline(text).because(err));
            }
            Err(err) => return Err(problem("create the directory", path, err)),
        }
        Ok(())
    }
}

impl Drop for MadeDirs {
    fn drop(&mut self) {
        for path in &self.made {
            // Stops at the first that is not empty, and all above it are not either.
            if fs::remove_dir(path).is_err() {
                break;
            }
        }
    }
}

/// The whole content of a small file, or `None` if there is no such file.
///
/// # Errors
/// Any `io.*` code; `io.other` when it is longer than `limit` bytes.
pub fn read_small(path: &Path, limit: u64) -> Result<Option<Vec<u8>>> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            let text = format!("it is longer than {limit} bytes");
            return Err(io::Error::new(ErrorKind::InvalidData, text));
        }
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(None),
        Err(err) => Err(problem("read", path, err)),
    }
}

/// Whether a directory is at a path. What cannot be looked at is not taken for missing.
///
/// # Errors
/// Any `io.*` code.
pub fn is_dir(path: &Path) -> Result<bool> {
    match fs::metadata(path) {
        Ok(found) => Ok(found.is_dir()),
        Err(err) if matches!(err.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(err) => Err(problem("look at", path, err)),
    }
}

/// Removes a file; it is no error if there is none.
///
/// # Errors
/// Any `io.*` code.
pub fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(err) if err.kind() != ErrorKind::NotFound => Err(problem("remove", path, err)),
        _ => Ok(()),
    }
}

/// `path` with `suffix` after its last component: `store.sqlite` and `-wal` make `store.sqlite-wal`.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_errors_get_the_code_of_their_kind() {
        use rustix::io::Errno;
        let code = |errno: Errno| {
            let found = problem("write", Path::new("/some/where"), errno.into());
            assert!(found.to_string().starts_with("cannot write /some/where: "), "{found}");
            found.code()
        };
        assert_eq!(code(Errno::NOENT), Code::IoNotFound);
        assert_eq!(code(Errno::ACCESS), Code::IoPermission);
        assert_eq!(code(Errno::PERM), Code::IoPermission);
        assert_eq!(code(Errno::ROFS), Code::IoPermission);
        for full in [Errno::NOSPC, Errno::DQUOT, Errno::FBIG] {
            assert_eq!(code(full), Code::IoNoSpace);
        }
        assert_eq!(code(Errno::ISDIR), Code::IoDirectory);
        assert_eq!(code(Errno::IO), Code::IoOther);
    }

    #[test]
    fn small_files_are_read_up_to_the_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        assert_eq!(read_small(&path, 4).unwrap(), None);
        fs::write(&path, b"1234").unwrap();
        assert_eq!(read_small(&path, 4).unwrap().as_deref(), Some(b"1234".as_slice()));
        assert_eq!(read_small(&path, 3).unwrap_err().code(), Code::IoOther);
        assert_eq!(read_small(dir.path(), 3).unwrap_err().code(), Code::IoDirectory);
    }
}

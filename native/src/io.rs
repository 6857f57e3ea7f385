//! Small helpers around the file system: errors in our words, and what several modules need.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use rollsnap_core::{Code, Problem, Result};

use crate::dir::Dir;

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

/// The whole content of a small file below a directory, or `None` if there is no such file. `name` is relative to
/// the directory, with `/`; which links are followed, [`Dir::read`] says.
///
/// # Errors
/// Any `io.*` code; `io.other` when it is longer than `limit` bytes, and for what is no regular file.
pub fn read_small(directory: &Path, name: &str, limit: u64) -> Result<Option<Vec<u8>>> {
    let Some(directory) = Dir::open_if_there(directory)? else { return Ok(None) };
    let Some(file) = directory.read(name)? else { return Ok(None) };
    let read = || {
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            let text = format!("it is longer than {limit} bytes");
            return Err(io::Error::new(ErrorKind::InvalidData, text));
        }
        Ok(bytes)
    };
    read().map(Some).map_err(|err| problem("read", &directory.place(name), err))
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
        let read = |limit| read_small(dir.path(), "file", limit);
        assert_eq!(read(4).unwrap(), None);
        fs::write(dir.path().join("file"), b"1234").unwrap();
        assert_eq!(read(4).unwrap().as_deref(), Some(b"1234".as_slice()));
        assert_eq!(read(3).unwrap_err().code(), Code::IoOther);
        fs::create_dir(dir.path().join("directory")).unwrap();
        let problem = read_small(dir.path(), "directory", 3).unwrap_err();
        assert!(problem.to_string().contains("not a regular file"), "{problem}");
        assert_eq!(read_small(&dir.path().join("none"), "file", 3).unwrap(), None);
    }
}

//! Small helpers around the file system: errors in our words, and what several modules need.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rollsnap_core::{Code, Problem, Result};

/// Says what was being done (`doing`, such as `read` or `create`), on which path, and why it did
/// not work. The code is one of `io.not-found`, `io.permission`, `io.no-space`, `io.directory`,
/// `io.not-directory` and `io.other`.
pub fn problem(doing: &str, path: &Path, err: io::Error) -> Problem {
    let code = match err.kind() {
        ErrorKind::NotFound => Code::IoNotFound,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Code::IoPermission,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Code::IoNoSpace,
        ErrorKind::IsADirectory => Code::IoDirectory,
        ErrorKind::NotADirectory => Code::IoNotDirectory,
        _ => Code::IoOther,
    };
    Problem::new(code).headline(format!("cannot {doing} {}", path.display())).caused_by(err)
}

/// The system gives no thread for a job that needs one.
pub(crate) fn no_thread(err: io::Error) -> Problem {
    Problem::new(Code::IoOther).headline("cannot start a thread").caused_by(err)
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

/// Refuses to make files and directories under the name that an address would be, such as `https:/host/file`: whoever
/// gives one means that something be sent there. Who has a directory of such a name means it.
///
/// # Errors
/// [`Code::Usage`]
pub(crate) fn not_an_address(path: &Path) -> Result<()> {
    let text = path.to_string_lossy();
    let Some((scheme, _)) = text.split_once("://") else { return Ok(()) };
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_scheme || Path::new(&format!("{scheme}:")).exists() {
        return Ok(());
    }
    let headline =
        format!("nothing is written to an address: give a file or a directory, not one of {scheme}");
    Err(Problem::new(Code::Usage).headline(headline))
}

/// What writing to a stream says. Its reader has not got all of it.
pub fn to_stream(err: io::Error) -> Problem {
    match err.kind() {
        ErrorKind::BrokenPipe => {
            Problem::new(Code::OutputClosed).because("what was written before is not complete")
        }
        _ => problem("write to", Path::new("the stream"), err),
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
}

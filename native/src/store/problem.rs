//! What the database engine says, in our words.

use std::path::Path;

use rollsnap_core::{Code, Problem};
use rusqlite::ffi;
use rusqlite::{Error, ErrorCode};

use super::second_look;

/// Turns an error of the engine into a problem: `doing` says what could not be done (such as
/// `read table inboxes`), `path` in which database; the engine's own words are the cause only. Damage is said of
/// what is damaged at a second look as well.
pub(super) fn said(doing: &str, path: &Path, err: Error) -> Problem {
    let doubtful = second_look::is_doubtful(&err);
    let problem = words(doing, path, err);
    if doubtful { second_look::confirmed(path, problem) } else { problem }
}

fn words(doing: &str, path: &Path, err: Error) -> Problem {
    let cause = match &err {
        Error::SqliteFailure(_, Some(text)) => text.clone(),
        other => other.to_string(),
    };
    // The engine reads all of a schema before anything else, and stops at what it cannot use.
    if SCHEMA.iter().any(|begin| cause.starts_with(begin)) {
        return Problem::new(Code::StoreSchema).path(path.display()).because(cause);
    }
    let code = code(&err);
    let text = match code {
        Code::StoreDamaged => format!("the store is damaged: cannot {doing}"),
        Code::LockHeld => format!("another process is using the store: cannot {doing}"),
        _ => format!("cannot {doing}"),
    };
    Problem::new(code).headline(text).path(path.display()).because(cause)
}

/// What the engine says of a schema that it cannot read begins so.
const SCHEMA: [&str; 2] = ["malformed database schema", "too many schema objects"];

/// The store says something that a node never writes there.
pub(super) fn damaged(path: &Path, what: impl Into<String>) -> Problem {
    Problem::damaged_store(&path.display().to_string(), &what.into())
}

fn code(err: &Error) -> Code {
    let Error::SqliteFailure(failure, _) = err else {
        // A value of another type than the column should have.
        return Code::StoreDamaged;
    };
    match (failure.code, failure.extended_code) {
        (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => Code::IoNoSpace,
        (_, ffi::SQLITE_IOERR_SHORT_READ) => Code::StoreDamaged,
        (_, ffi::SQLITE_READONLY_ROLLBACK) => Code::StoreJournal,
        (ErrorCode::OperationInterrupted, _) => Code::Cancelled,
        (ErrorCode::PermissionDenied | ErrorCode::ReadOnly, _) => Code::IoPermission,
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Code::LockHeld,
        (ErrorCode::FileLockingProtocolFailed, _) => Code::LockHeld,
        (ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::OutOfMemory, _) => Code::IoOther,
        _ => Code::StoreDamaged,
    }
}

//! Damage that the database engine speaks of is looked at a second time.
//!
//! The engine says "malformed" as well when the system could not read a page, and does not hand out what the system
//! said. A disk that fails is no fault of whoever made the store: so the file is read again, first as it is, then by
//! the engine, and then once more. Only what is damaged each time, and in the same way, is damaged.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Mutex;

use rollsnap_core::{Code, Problem, Result};
use rusqlite::{Error, ErrorCode, ffi};

use super::open;
use super::problem::said;
use crate::io::{problem, with_suffix};

/// Whether the engine speaks of damage that it may have got from the system.
pub(super) fn is_doubtful(err: &Error) -> bool {
    let Error::SqliteFailure(failure, _) = err else { return false };
    matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        || failure.extended_code == ffi::SQLITE_IOERR_SHORT_READ
}

/// The problem itself when the database at `path` is damaged; else what keeps it from being read.
pub(super) fn confirmed(path: &Path, found: Problem) -> Problem {
    // Who looks asks the same engine: its doubts are the answer.
    let Ok(mut known) = KNOWN.try_lock() else { return found };
    let file = match Identity::of(path) {
        Ok(file) => file,
        Err(err) => return problem("read", path, err),
    };
    if *known == Some(file) {
        return found;
    }
    match is_damaged(path) {
        Ok(true) => {
            *known = Some(file);
            found
        }
        Ok(false) => Problem::new(Code::IoOther)
            .headline(format!("cannot read {} reliably", path.display()))
            .because("the database engine met damage, and none when it read the store again"),
        Err(other) => other,
    }
}

/// The database that was found damaged last: there is more than one question to it, and one look is enough.
static KNOWN: Mutex<Option<Identity>> = Mutex::new(None);

/// What tells that a file is the same and unchanged.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    inode: (u64, u64),
    length: u64,
    changed: (i64, i64),
}

impl Identity {
    fn of(path: &Path) -> io::Result<Self> {
        let found = path.metadata()?;
        Ok(Self {
            inode: (found.dev(), found.ino()),
            length: found.len(),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

/// Looks twice, for a look can meet a failing disk as well: damage is the same each time.
fn is_damaged(path: &Path) -> Result<bool> {
    let Some(first) = flaw(path)? else { return Ok(false) };
    Ok(flaw(path)?.is_some_and(|second| second == first))
}

/// What the engine finds wrong with all of the file.
fn flaw(path: &Path) -> Result<Option<String>> {
    // Closing the file drops the locks of a connection to it. Nothing that was read by that one counts any more.
    for path in [path, &with_suffix(path, "-wal")] {
        read(path).map_err(|err| problem("read", path, err))?;
    }
    let looked = open::reading(path).and_then(|(conn, _)| {
        let all = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
        all.map_err(|err| said("check it", path, err))
    });
    match looked {
        Ok(said) => Ok(Some(said).filter(|said| said != "ok")),
        Err(problem) if problem.code().is_about_contents() => Ok(Some(problem.to_string())),
        Err(problem) => Err(problem),
    }
}

/// Reads a file to its end; one that is not there has nothing to read.
fn read(path: &Path) -> io::Result<()> {
    let mut file = match File::open(path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    let mut chunk = vec![0; 1 << 18];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
}

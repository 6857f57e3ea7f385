//! Connections for reading, which change nothing beside the database.
//!
//! How a database is read depends on who else may be using it, which its companions tell:
//!
//! * `-journal`: somebody was interrupted while he wrote. The engine would undo what he wrote, in the file, and delete
//!   what the journal names, whatever that is. Nothing is read then.
//! * no `-wal`: nobody uses it. It is read as a file that nobody changes, without a lock.
//! * a `-wal`, and nobody holds a lock on the `-shm`: it was left behind, or belongs to a copy of a directory. It is
//!   read with what the log says, by a connection that keeps its index of the log in memory.
//! * a `-wal`, and somebody does: a node runs. It is read together with that node, through the `-shm`, which every
//!   reader writes its locks into. Only this way is a transaction a moment of the node.
//!
//! Where nobody locks, somebody may begin to write all the same: [`Watch`] tells.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rollsnap_core::{Code, Problem, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{Access, OFlags};
use rustix::io::Errno;
use rustix::process::{Flock, FlockOffsetType, FlockType, fcntl_getlk};

use super::engine::{connect, prepare};
use super::problem::{damaged, said};
use crate::dir::Ornament;
use crate::io;

/// Whether a database is still what it was when it was opened.
#[derive(Debug)]
pub(super) struct Watch {
    path: PathBuf,
    /// The database and its log as they were, where no lock keeps them so.
    before: Option<[Option<Stamp>; 2]>,
}

/// A connection for reading, and what tells whether it can be believed.
pub(super) fn reading(path: &Path) -> Result<(Connection, Watch)> {
    open(path, false)
}

/// The same for a moment that is to be held while a node goes on, or begins to: its transaction takes part in the log,
/// which is made for it where there is none. The last connection for writing removes it again; nothing is written.
pub(super) fn capturing(path: &Path) -> Result<(Connection, Watch)> {
    open(path, true)
}

/// How often it is looked again at a database whose companions come and go, and how long between two looks.
const LOOKS: u32 = 5;
const BETWEEN: Duration = Duration::from_millis(20);

fn open(path: &Path, takes_part: bool) -> Result<(Connection, Watch)> {
    for _ in 1..LOOKS {
        match open_once(path, takes_part) {
            // Another connection was the last one, and took the log with it, between two of our calls.
            Err(problem) if matches!(problem.code(), Code::IoNotFound | Code::IoOther) => {
                std::thread::sleep(BETWEEN);
            }
            other => return other,
        }
    }
    open_once(path, takes_part)
}

fn open_once(path: &Path, takes_part: bool) -> Result<(Connection, Watch)> {
    let failed = |err| said("open it", path, err);
    let real = match path.canonicalize() {
        Err(err) if err.kind() == ErrorKind::NotFound => {
            return Err(Problem::new(Code::StoreMissing).path(path.display()));
        }
        other => other.map_err(|err| io::problem("find", path, err))?,
    };
    may(&real, Access::READ_OK)?;
    if Stamp::of(&real)?.is_some_and(|stamp| stamp.length == 0) {
        return Err(Problem::new(Code::StoreMissing)
            .headline("the store is empty: its file has no byte, as before a node first writes to it")
            .path(path.display()));
    }
    no_journal(&real)?;
    let log = companion(&real, "-wal")?;
    if log.is_some() {
        may(&io::with_suffix(&real, "-wal"), Access::READ_OK)?;
    }
    let before = [Stamp::of(&real)?, log];
    let (shared, opened) = {
        // A lock on nothing is whole whenever it is let go.
        let _looking = LOOKING.lock().unwrap_or_else(PoisonError::into_inner);
        let joins = log.is_some() && is_shared(&real)?;
        // An empty log that nobody locks is what a killed reader leaves: used again, and removed in the end.
        let unused = !joins && log.is_none_or(|log| log.length == 0);
        let begins = takes_part && unused && can_begin_log(&real)?;
        let shared = begins || joins;
        let conn = match log {
            _ if begins => connect(&real, OpenFlags::SQLITE_OPEN_READ_WRITE),
            Some(_) if joins => connect(&real, OpenFlags::SQLITE_OPEN_READ_ONLY),
            Some(_) => alone(&real),
            None => immutable(&real),
        };
        (shared, conn.and_then(|conn| touch(&conn).map(|()| conn)))
    };
    // What is said of damage may look a second time, which opens it again.
    let conn = opened.map_err(failed)?;
    if log.is_none() {
        check_length(&conn, path)?;
    }
    Ok((conn, Watch { path: real, before: (!shared).then_some(before) }))
}

/// Closes it, and says what goes wrong.
pub(super) fn close(conn: Connection, path: &Path) -> Result<()> {
    conn.close().map_err(|(_, err)| said("close it", path, err))
}

/// The engine opens the file only when it is first needed: whether it can is known after this.
pub(super) fn touch(conn: &Connection) -> rusqlite::Result<()> {
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

impl Watch {
    /// Whether what is read stays what it is although a node writes, because it takes part in the log.
    pub(super) fn is_shared(&self) -> bool {
        self.before.is_none()
    }

    /// Refuses what was read when somebody has written meanwhile.
    ///
    /// # Errors
    /// [`Code::SourceChanged`], any `io.*` code.
    pub(super) fn check(&self) -> Result<()> {
        let Some(before) = self.before else { return Ok(()) };
        if before == [Stamp::of(&self.path)?, companion(&self.path, "-wal")?] {
            return Ok(());
        }
        Err(Problem::new(Code::SourceChanged)
            .path(self.path.display())
            .because("a node has begun to write to the store while it was read"))
    }
}

/// Where the header of a database tells which versions may write and read it.
pub(super) const WAL_VERSIONS_OFFSET: u64 = 18;

/// What it says there in WAL mode.
pub(super) const WAL_VERSIONS: [u8; 2] = [2, 2];

/// Whether a log can be begun for a database: it is in WAL mode, and both can be written to. A connection that could only
/// read would leave the log behind.
fn can_begin_log(real: &Path) -> Result<bool> {
    let mut versions = [0; 2];
    let read = File::open(real).and_then(|file| file.read_at(&mut versions, WAL_VERSIONS_OFFSET));
    read.map_err(|err| io::problem("read", real, err))?;
    let file = File::open(real).map_err(|err| io::problem("read", real, err))?;
    if has_no_locks(fcntl_getlk(&file, &Flock::from(FlockType::WriteLock)).map(drop)) {
        return Ok(false);
    }
    let directory = real.parent().unwrap_or(Path::new("/"));
    let is_writable = |path| rustix::fs::access(path, Access::WRITE_OK).is_ok();
    Ok(versions == WAL_VERSIONS && is_writable(real) && is_writable(directory))
}

/// Refuses a database that was left in the middle of a transaction.
fn no_journal(real: &Path) -> Result<()> {
    let path = io::with_suffix(real, "-journal");
    if companion(real, "-journal")?.is_none() {
        return Ok(());
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut first = [0];
    let file = File::options().read(true).custom_flags(flags.bits() as i32).open(&path);
    let read = file.and_then(|mut file| file.read(&mut first));
    match read {
        // A journal whose beginning is erased holds nothing that the engine would undo.
        Ok(_) if first == [0] => Ok(()),
        Ok(_) => Err(Problem::new(Code::StoreJournal).path(path.display())),
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(()),
        Err(err) => Err(io::problem("read", &path, err)),
    }
}

/// A companion of the database, if it is there. It lies beside the file itself, also where a link leads to that.
fn companion(real: &Path, suffix: &str) -> Result<Option<Stamp>> {
    let path = io::with_suffix(real, suffix);
    let found = match path.symlink_metadata() {
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|err| io::problem("look at", &path, err))?,
    };
    if !found.is_file() {
        return Err(damaged(&path, "it is not a file"));
    }
    Ok(Some(Stamp::from(&found)))
}

/// An error if it is not a file or access to it is denied. It is not opened: closing it would drop the locks of
/// another connection.
fn may(path: &Path, wanted: Access) -> Result<()> {
    let problem = |err| io::problem("open", path, err);
    if !std::fs::metadata(path).map_err(problem)?.is_file() {
        return Err(damaged(path, "it is not a file"));
    }
    rustix::fs::access(path, wanted).map_err(|errno| problem(errno.into()))
}

/// What tells that a file was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    written: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> Result<Option<Self>> {
        match path.metadata() {
            Err(err) if err.kind() == ErrorKind::NotFound => Ok(None),
            other => {
                other.map(|found| Some(Self::from(&found))).map_err(|err| io::problem("look at", path, err))
            }
        }
    }

    fn from(found: &std::fs::Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            length: found.len(),
            written: (found.mtime(), found.mtime_nsec()),
        }
    }
}

/// Looking for the locks of others means opening a file, and closing that drops our own: nobody in this process takes
/// any meanwhile.
static LOOKING: Mutex<()> = Mutex::new(());

/// Whether anybody has the database open: every connection holds a lock on the index of its log ("WAL-mode File Format",
/// section 2.3). Where that cannot be told, somebody does.
fn is_shared(real: &Path) -> Result<bool> {
    let Some(index) = companion(real, "-shm")? else { return Ok(false) };
    if is_ours(index.inode) {
        return Ok(true);
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file =
        File::options().read(true).custom_flags(flags.bits() as i32).open(io::with_suffix(real, "-shm"));
    let Ok(file) = file else { return Ok(true) };
    let wanted = Flock {
        start: FIRST_LOCK,
        length: LOCKS,
        pid: None,
        typ: FlockType::WriteLock,
        offset_type: FlockOffsetType::Set,
    };
    let held = fcntl_getlk(&file, &wanted);
    Ok(!matches!(held, Ok(None)) && !has_no_locks(held.map(drop)))
}

/// Whether the file system has no locks: then nobody holds one, and the engine, which cannot take its own, would say that
/// another process does.
pub(super) fn has_no_locks(asked: core::result::Result<(), Errno>) -> bool {
    asked == Err(Errno::NOLCK) && Ornament::Locks.spare(asked).is_ok()
}

/// Whether this process itself holds a lock on the file of this number: asked as above, the system leaves these out.
/// (proc_locks(5): `1: POSIX  ADVISORY  READ 2545 fe:01:131329 120 120`.)
fn is_ours(inode: u64) -> bool {
    let mut text = String::new();
    let read = File::open("/proc/locks").and_then(|file| file.take(MOST_TEXT).read_to_string(&mut text));
    let held = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(4);
        let process = words.next().and_then(|word| word.parse().ok());
        let file = words.next().and_then(|word| word.rsplit(':').next()?.parse().ok());
        process == Some(std::process::id()) && file == Some(inode)
    };
    read.is_err() || text.len() as u64 == MOST_TEXT || text.lines().any(held)
}

/// More text than this, in bytes, is not looked through: it tells of a hundred thousand locks.
const MOST_TEXT: u64 = 8 << 20;

/// Where those locks begin, and how many there are: eight of the log, and the one that a connection holds as long as
/// it lives.
const FIRST_LOCK: u64 = 120;
const LOCKS: u64 = 9;

/// A connection that takes no lock and keeps the index of the log in memory, where nobody else uses either.
fn alone(real: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = prepare(Connection::open_with_flags_and_vfs(real, flags, c"unix-none")?)?;
    // Else it would write the log back into the database, as far as it can.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    conn.query_row("PRAGMA locking_mode = exclusive", [], |_| Ok(()))?;
    Ok(conn)
}

/// A connection to a file that nobody changes. Only an address can say so; none but ours is understood.
fn immutable(real: &Path) -> rusqlite::Result<Connection> {
    let mut uri = String::from("file:");
    for &byte in real.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            uri.push(byte.into());
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri.push_str("?mode=ro&immutable=1");
    connect(Path::new(&uri), OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
}

/// A file that was cut inside a page: the engine would read the missing bytes as zeros, and take a
/// file shorter than a page for an empty database.
pub(super) fn check_length(conn: &Connection, path: &Path) -> Result<()> {
    let page = conn.query_row("PRAGMA page_size", [], |row| row.get::<_, u32>(0));
    let page = u64::from(page.map_err(|err| said("read the size of its pages", path, err))?);
    let length = std::fs::metadata(path).map_err(|err| io::problem("look at", path, err))?.len();
    if page == 0 || !length.is_multiple_of(page) {
        return Err(damaged(path, "the file was cut")
            .expected(format_args!("whole pages of {page} bytes"))
            .found(format_args!("{length} bytes")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_any_form_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a b?c#d%41'\"é.sqlite");
        let node = Connection::open(&path).unwrap();
        node.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (x); INSERT INTO t VALUES (7)")
            .unwrap();
        let seven = |conn: &Connection| conn.query_row("SELECT x FROM t", [], |row| row.get::<_, i64>(0));
        // The log alone, as in a copy.
        let copy = dir.path().join("copy?.sqlite");
        for suffix in ["", "-wal"] {
            std::fs::copy(io::with_suffix(&path, suffix), io::with_suffix(&copy, suffix)).unwrap();
        }
        drop(node);
        for path in [&path, &copy] {
            let (conn, watch) = reading(path).unwrap();
            assert_eq!(seven(&conn), Ok(7));
            assert!(conn.execute("INSERT INTO t VALUES (8)", []).is_err());
            watch.check().unwrap();
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3);
    }
}

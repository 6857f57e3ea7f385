//! Databases that a job makes or edits, in a directory of its own.
//!
//! The engine takes a path, never a descriptor, and whoever may write to the directory above ours can put another
//! one in its place at any moment. So the engine never makes a file: we do, through the held directory. After the
//! engine has opened it, and before it writes, its descriptors are compared with the file that we mean. Companions
//! are never made either: the engine has the database for itself, without a journal and outside of WAL mode, and the
//! mark of that mode is written by us when all is done. A job that fails removes what it made, so there is nothing
//! that a journal could save.

use std::fs::DirEntry;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rollsnap_core::{Code, Problem, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::engine::{open, open_without_locks, prepare};
use super::open::{WAL_VERSIONS, WAL_VERSIONS_OFFSET, check_length, has_no_locks, touch};
use super::problem::said;
use crate::dir::{Dir, Entry, Kind};
use crate::io;

/// What the header says of a database with a rollback journal.
const ROLLBACK_VERSIONS: [u8; 2] = [1, 1];

/// Permissions of a new database, to which the umask applies. The directories are private.
const MODE: u32 = 0o644;

/// A file of a database in a held directory.
#[derive(Debug)]
pub(super) struct OwnDatabase {
    dir: Dir,
    name: &'static str,
    /// What the engine is given, and what messages say.
    path: PathBuf,
    /// Whether dropping it removes the file.
    passing: bool,
}

impl OwnDatabase {
    /// A new, empty file, which is removed again unless it is kept.
    ///
    /// # Errors
    /// [`Code::OutputExists`] when something has the name, any `io.*` code.
    pub(super) fn make(dir: &Dir, name: &'static str) -> Result<Self> {
        match dir.create(name, MODE) {
            Ok(_) => Ok(Self::of(dir, name, true)),
            Err(err) if err.kind() == ErrorKind::AlreadyExists => {
                Err(Problem::new(Code::OutputExists).path(dir.place(name).display()))
            }
            Err(err) => Err(io::problem("create", &dir.place(name), err)),
        }
    }

    /// A file that is there, and stays.
    pub(super) fn there(dir: &Dir, name: &'static str) -> Self {
        Self::of(dir, name, false)
    }

    fn of(dir: &Dir, name: &'static str, passing: bool) -> Self {
        Self { dir: dir.clone(), name, path: dir.place(name), passing }
    }

    /// Where it is, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps the file.
    pub(super) fn keep(mut self) {
        self.passing = false;
    }

    /// Its length, in bytes.
    ///
    /// # Errors
    /// [`Code::StoreMissing`], any `io.*` code.
    pub(super) fn bytes(&self) -> Result<u64> {
        self.look().map(|found| found.len)
    }

    /// Opens it for writing. No other connection may be open.
    ///
    /// # Errors
    /// [`Code::StoreMissing`], [`Code::StoreDamaged`], [`Code::StoreJournal`] when a log or journal of somebody else lies
    /// beside it, [`Code::IoOther`] when the directory was swapped for another one; any `io.*` code.
    pub(super) fn connect(&self) -> Result<Connection> {
        let path = &*self.path;
        for suffix in ["-journal", "-wal"] {
            let companion = format!("{}{suffix}", self.name);
            match self.dir.look(&companion)? {
                Some(found) if found.len > 0 || found.kind != Kind::File => {
                    return Err(Problem::new(Code::StoreJournal).path(self.dir.place(companion).display()));
                }
                _ => {}
            }
        }
        self.mark([WAL_VERSIONS, ROLLBACK_VERSIONS])?;
        let wanted = self.look()?.id;
        let before = descriptors(wanted);
        let failed = |err| said("open it for writing", path, err);
        // It is not made when it is missing: what is missing was swapped.
        let access = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let conn = match self.can_be_locked()? {
            true => open(path, access),
            false => open_without_locks(path, access),
        };
        let conn = conn.map_err(failed)?;
        let is_ours = match (before, descriptors(wanted)) {
            (Some(before), Some(now)) => now > before,
            _ => {
                Entry::of_metadata(&path.metadata().map_err(|err| io::problem("look at", path, err))?).id
                    == wanted
            }
        };
        if !is_ours {
            return Err(replaced(path));
        }
        let conn = prepare(conn).map_err(failed)?;
        alone(&conn).map_err(failed)?;
        touch(&conn).map_err(failed)?;
        check_length(&conn, path)?;
        Ok(conn)
    }

    /// Marks the database, which nobody has open, as one in WAL mode: so nodes expect it.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(super) fn mark_wal_mode(&self) -> Result<()> {
        self.mark([ROLLBACK_VERSIONS, WAL_VERSIONS])
    }

    /// Whether the file system has locks. Nobody else uses the file, so that it can do without.
    fn can_be_locked(&self) -> Result<bool> {
        let file = self.dir.file_for_writing(self.name)?.ok_or_else(|| self.missing())?;
        Ok(!has_no_locks(fcntl_getlk(&file, &Flock::from(FlockType::WriteLock)).map(drop)))
    }

    /// Extends the file, to learn why a write failed: the engine reports only that it did, the system names a quota or a
    /// size limit. The file cannot be used afterwards.
    ///
    /// # Errors
    /// [`Code::IoNoSpace`] and other `io.*` codes.
    pub(super) fn write_beyond(&self, length: u64) -> Result<()> {
        let file = self.dir.file_for_writing(self.name)?.ok_or_else(|| self.missing())?;
        file.write_all_at(&[0; 1 << 16], length).map_err(|err| io::problem("write", &self.path, err))
    }

    /// Moves the file to the place of `new`.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(super) fn move_over(mut self, new: &Self) -> Result<()> {
        let moved = self.dir.move_over(self.name, &new.dir, new.name);
        moved.map_err(|err| io::problem("rename", &self.path, err))?;
        self.passing = false;
        Ok(())
    }

    /// Replaces one mark of the mode by another. What has neither is left for the engine to judge.
    fn mark(&self, [from, to]: [[u8; 2]; 2]) -> Result<()> {
        let failed = |err| io::problem("write", &self.path, err);
        let file = self.dir.file_for_writing(self.name)?.ok_or_else(|| self.missing())?;
        let mut found = [0; 2];
        match file.read_exact_at(&mut found, WAL_VERSIONS_OFFSET) {
            Err(err) if err.kind() == ErrorKind::UnexpectedEof => Ok(()),
            Err(err) => Err(io::problem("read", &self.path, err)),
            Ok(()) if found == from => file.write_all_at(&to, WAL_VERSIONS_OFFSET).map_err(failed),
            Ok(()) => Ok(()),
        }
    }

    fn look(&self) -> Result<Entry> {
        self.dir.look(self.name)?.ok_or_else(|| self.missing())
    }

    fn missing(&self) -> Problem {
        Problem::new(Code::StoreMissing).path(self.path.display())
    }
}

/// How many descriptors of this process lead to a file; `None` where the system does not list them.
fn descriptors(file: (u64, u64)) -> Option<usize> {
    let leads_there = |entry: std::io::Result<DirEntry>| {
        // One that is closed meanwhile leads nowhere.
        entry
            .and_then(|entry| entry.path().metadata())
            .is_ok_and(|found| Entry::of_metadata(&found).id == file)
    };
    Some(std::fs::read_dir("/proc/self/fd").ok()?.map(leads_there).filter(|leads| *leads).count())
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        if self.passing {
            // What cannot be removed stays in a directory that its owner removes.
            let _ = self.dir.unlink(self.name);
        }
    }
}

/// The path leads to another directory than ours.
pub(super) fn replaced(path: &Path) -> Problem {
    Problem::new(Code::IoOther)
        .headline("the directory was replaced by another one while the store was opened in it")
        .path(path.display())
}

/// No journal, no log, no lock that another could wait for.
fn alone(conn: &Connection) -> rusqlite::Result<()> {
    conn.query_row("PRAGMA locking_mode = exclusive", [], |_| Ok(()))?;
    // Refused, without an error, in the mode that protects databases from statements of strangers. These are ours.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
    conn.query_row("PRAGMA journal_mode = off", [], |_| Ok(()))?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // Whoever needs the file after a crash syncs it.
    conn.pragma_update(None, "synchronous", "off")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    const NAME: &str = "store.sqlite";

    #[test]
    fn a_directory_that_is_swapped_for_a_link_is_noticed_before_anything_is_written() {
        let temp = tempfile::tempdir().unwrap();
        let place = |name: &str| temp.path().join(name);
        for victim in ["another", "empty", "ours"] {
            fs::create_dir(place(victim)).unwrap();
        }
        let another = Connection::open(place("another").join(NAME)).unwrap();
        another
            .execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (x); INSERT INTO t VALUES (7)")
            .unwrap();
        another.close().unwrap();
        let before = fs::read(place("another").join(NAME)).unwrap();
        let ours = OwnDatabase::make(&Dir::open(&place("ours")).unwrap(), NAME).unwrap();
        ours.connect().unwrap().execute_batch("CREATE TABLE t (x)").unwrap();

        fs::rename(place("ours"), place("aside")).unwrap();
        for victim in ["another", "empty"] {
            symlink(place(victim), place("ours")).unwrap();
            assert_eq!(ours.connect().unwrap_err().code(), Code::IoOther, "{victim}");
            fs::remove_file(place("ours")).unwrap();
        }
        assert_eq!(fs::read(place("another").join(NAME)).unwrap(), before);
        assert_eq!(fs::read_dir(place("another")).unwrap().count(), 1);
        assert_eq!(fs::read_dir(place("empty")).unwrap().count(), 0);
        drop(ours);
        assert_eq!(fs::read_dir(place("aside")).unwrap().count(), 0, "what is removed is ours");
    }

    #[test]
    fn what_is_edited_has_no_companion_and_is_in_wal_mode_in_the_end() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        let database = OwnDatabase::make(&dir, NAME).unwrap();
        assert_eq!(OwnDatabase::make(&dir, NAME).unwrap_err().code(), Code::OutputExists);
        for round in 0..2 {
            let conn = database.connect().unwrap();
            conn.execute_batch(&format!("CREATE TABLE t{round} (x)")).unwrap();
            assert_eq!(dir.names().unwrap(), [NAME]);
            conn.close().unwrap();
            database.mark_wal_mode().unwrap();
            assert_eq!(fs::read(database.path()).unwrap()[18..20], WAL_VERSIONS);
        }
        fs::write(temp.path().join("store.sqlite-wal"), "not ours").unwrap();
        assert_eq!(database.connect().unwrap_err().code(), Code::StoreJournal);
        database.keep();
        assert_eq!(dir.names().unwrap(), [NAME, "store.sqlite-wal"]);
    }
}

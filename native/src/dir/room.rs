//! Room for what is unpacked: asked for before it is taken, and never much more than the file can need.
//!
//! Deflate makes a thousand bytes of one. So what a member says of its size is compared with the free space
//! before anything is written; zeros stay holes and take nothing; and what is really written is a limited
//! multiple of what was read of the file.

use std::path::Path;

use rollsnap_core::{Code, Problem, Result};

use super::Dir;
use crate::size::Size;

/// What may be written whatever was read, in bytes.
const FREE: u64 = 64 << 20;

/// For each byte that was read of a file, so many bytes more. What is written of honest files is two to ten times
/// as much: every hash in them is as long there as here.
const SHARE: u64 = 64;

/// Room in a directory.
#[derive(Debug)]
pub(crate) struct Room {
    place: Dir,
    /// How much of the file was read by now; `None` where nobody says.
    read: Option<u64>,
    written: u64,
}

impl Room {
    /// Room for files in this directory.
    pub(crate) fn new(place: &Dir) -> Self {
        Self { place: place.clone(), read: None, written: 0 }
    }

    /// So many bytes of the file that is unpacked were read by now.
    pub(crate) fn read(&mut self, bytes: u64) {
        self.read = self.read.max(Some(bytes));
    }

    /// A file of `size` bytes will be written at `path`.
    ///
    /// # Errors
    /// [`Code::IoNoSpace`] when there is less space.
    pub(crate) fn reserve(&self, path: &Path, size: u64) -> Result<()> {
        // Where the system does not say, it will when it is full.
        let Some(free) = super::space::free(&self.place).filter(|free| *free < size) else { return Ok(()) };
        Err(Problem::new(Code::IoNoSpace)
            .headline(format!("cannot write {}", path.display()))
            .expected(format_args!("room for {}", Size(size)))
            .found(format_args!("{} free in {}", Size(free), self.place.path().display())))
    }

    /// `bytes` more are written at `path`.
    ///
    /// # Errors
    /// [`Code::LimitSpace`] when that is more than the file can need.
    pub(crate) fn take(&mut self, path: &Path, bytes: u64) -> Result<()> {
        self.written = self.written.saturating_add(bytes);
        let Some(read) = self.read else { return Ok(()) };
        let most = FREE.saturating_add(read.saturating_mul(SHARE));
        if self.written <= most {
            return Ok(());
        }
        Err(Problem::new(Code::LimitSpace)
            .headline(format!("cannot write {}: {}", path.display(), Code::LimitSpace.title()))
            .expected(format_args!("at most {} after {} of the file", Size(most), Size(read)))
            .found(Size(self.written)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_beforehand() {
        let dir = tempfile::tempdir().unwrap();
        let room = Room::new(&Dir::open(dir.path()).unwrap());
        room.reserve(Path::new("store.sqlite"), 1 << 10).unwrap();
        let problem = room.reserve(Path::new("store.sqlite"), 1 << 62).unwrap_err();
        assert_eq!(problem.code(), Code::IoNoSpace);
        assert!(problem.to_string().contains("store.sqlite"), "{problem}");
    }

    #[test]
    fn what_is_written_is_in_proportion() {
        let dir = tempfile::tempdir().unwrap();
        let mut room = Room::new(&Dir::open(dir.path()).unwrap());
        let take = |room: &mut Room, bytes| room.take(Path::new("file"), bytes);
        take(&mut room, 1 << 30).unwrap();
        room.read((1 << 30) / 64);
        take(&mut room, 64 << 20).unwrap();
        assert_eq!(take(&mut room, 1).unwrap_err().code(), Code::LimitSpace);
        room.read(1 << 30);
        take(&mut room, 1 << 30).unwrap();
    }
}

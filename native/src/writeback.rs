//! A file that goes to the disk while it is written, so that little is left to do when it is synced.
//!
//! Left alone, Linux keeps what is written in memory until there is a tenth of that, or for half a minute; the
//! disk idles meanwhile, and the sync at the end takes seconds.

use std::fs::File;
use std::io::{self, Write};

/// Begins to bring a stretch of a file to the disk.
pub(crate) fn begin(file: &File, offset: u64, len: u64) {
    system::begin(file, offset, len);
}

/// How much is handed over at once, in bytes.
pub(crate) const STRETCH: u64 = 8 << 20;

/// A new file, written from its beginning on.
#[derive(Debug)]
pub(crate) struct WritebackFile {
    file: File,
    written: u64,
    /// How much of that is on its way to the disk, or was.
    begun: u64,
}

impl WritebackFile {
    /// Nothing may be in the file.
    pub(crate) fn new(file: File) -> Self {
        Self { file, written: 0, begun: 0 }
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

impl Write for WritebackFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.written += written as u64;
        if self.written - self.begun >= STRETCH {
            system::begin(&self.file, self.begun, self.written - self.begun);
            self.begun = self.written;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(target_os = "linux")]
mod system {
    use core::num::NonZeroU64;
    use std::fs::File;

    use rustix::fs::{Advice, fadvise};

    /// Linux begins to write what it hears is not needed, does not wait for it, and drops only what is on the disk
    /// already: whoever reads the file next finds it in memory.
    pub(super) fn begin(file: &File, offset: u64, len: u64) {
        // A hint. Whether it was taken shows only in the time of the sync.
        let _ = fadvise(file, offset, NonZeroU64::new(len), Advice::DontNeed);
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::fs::File;

    pub(super) fn begin(_: &File, _: u64, _: u64) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_holds_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let mut file = WritebackFile::new(File::create_new(&path).unwrap());
        let piece: Vec<u8> = (0..=250).cycle().take(3_000_001).collect();
        for _ in 0..6 {
            file.write_all(&piece).unwrap();
        }
        assert_eq!((file.written, file.begun), (18_000_006, 9_000_003 * 2));
        assert!(std::fs::read(&path).unwrap() == piece.repeat(6));
    }
}

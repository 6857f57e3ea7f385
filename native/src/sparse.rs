//! A file that is written from front to end, and in which blocks of zeros stay holes.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use crate::writeback;

/// What is left out when all of it is zero, or all of it that came at once: a block of most file systems, or
/// several.
const BLOCK: usize = 16 << 10;

/// A new file, written from its beginning on. It goes to the disk meanwhile ([`crate::writeback`]).
#[derive(Debug)]
pub(crate) struct SparseFile {
    file: File,
    len: u64,
    /// How many zeros were left out at the end.
    gap: u64,
    /// How many bytes take space.
    taken: u64,
    /// How much is on its way to the disk, or was.
    begun: u64,
}

impl SparseFile {
    /// Nothing may be in the file.
    pub(crate) fn new(file: File) -> Self {
        Self { file, len: 0, gap: 0, taken: 0, begun: 0 }
    }

    /// A file that was written to before: what it has behind `len` bytes goes.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn going_on(mut file: File, len: u64) -> io::Result<Self> {
        file.set_len(len)?;
        file.seek(SeekFrom::Start(len))?;
        Ok(Self { file, len, gap: 0, taken: 0, begun: len })
    }

    /// How many bytes of it take space.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Completes the file, which may end with a hole, and gives it.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn complete(self) -> io::Result<File> {
        if self.gap > 0 {
            self.file.set_len(self.len)?;
        }
        Ok(self.file)
    }

    /// How many of these bytes, which come next, are zeros that can be left out, or come before such ones.
    fn run(&self, bytes: &[u8]) -> (bool, usize) {
        let (mut end, mut zero) = (0, None);
        while end < bytes.len() {
            let rest = bytes.get(end..).unwrap_or_default();
            let room = BLOCK - ((self.len + end as u64) % BLOCK as u64) as usize;
            let block = rest.get(..room).unwrap_or(rest);
            let is_zero = is_zero(block);
            if *zero.get_or_insert(is_zero) != is_zero {
                break;
            }
            end += block.len();
        }
        (zero.unwrap_or_default(), end)
    }
}

impl Write for SparseFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (zero, len) = self.run(bytes);
        let run = bytes.get(..len).unwrap_or(bytes);
        if zero {
            // What is never written reads as zeros.
            self.gap += len as u64;
            self.len += len as u64;
            return Ok(len);
        }
        if self.gap > 0 {
            self.file.seek(SeekFrom::Start(self.len))?;
            self.gap = 0;
        }
        let written = self.file.write(run)?;
        self.len += written as u64;
        self.taken += written as u64;
        if self.len - self.begun >= writeback::STRETCH {
            writeback::begin(&self.file, self.begun, self.len - self.begun);
            self.begun = self.len;
        }
        Ok(written)
    }

    /// Afterwards the file is as long as what was written to it.
    fn flush(&mut self) -> io::Result<()> {
        if self.gap > 0 {
            self.file.set_len(self.len)?;
        }
        self.file.flush()
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<16>();
    words.iter().all(|word| u128::from_ne_bytes(*word) == 0) && rest.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn the_file_holds_what_was_written_and_no_zeros() {
        let dir = tempfile::tempdir().unwrap();
        let zeros = vec![0; 4 << 20];
        for (number, parts) in [
            &[&b"a"[..], &zeros, b"b", &zeros][..],
            &[&zeros, &zeros],
            &[b"only", &[0; 3]],
            &[&zeros[..BLOCK - 1], b"x", &zeros[..BLOCK]],
            &[],
        ]
        .into_iter()
        .enumerate()
        {
            for piece in [7, 4096, 100_000, 256 << 10] {
                let path = dir.path().join(format!("{number}-{piece}"));
                let mut file = SparseFile::new(File::create_new(&path).unwrap());
                for piece in parts.iter().flat_map(|part| part.chunks(piece)) {
                    file.write_all(piece).unwrap();
                }
                let taken = file.taken();
                file.complete().unwrap();
                assert!(fs::read(&path).unwrap() == parts.concat(), "{number} {piece}");
                assert!(taken <= 4 * BLOCK as u64, "{number}: {taken}");
                let on_disk = fs::metadata(&path).unwrap().blocks() * 512;
                assert!(on_disk <= 8 * BLOCK as u64, "{number}: {on_disk}");
            }
        }
    }
}

//! Where the check of a context puts what it cannot check yet: in memory at first, then in a
//! temporary file without a name.

use std::path::PathBuf;

use rollsnap_core::context::verify::Spool;
use rollsnap_core::scratch::Scratch;
use rollsnap_core::{Code, Problem, Result};

use crate::scratch::TempFile;

/// How much is kept in memory, in bytes.
const IN_MEMORY: usize = 8 << 20;

/// A spool that goes to disk when it grows.
#[derive(Debug)]
pub struct TempSpool {
    memory: Vec<u8>,
    file: TempFile,
    len: u64,
}

impl TempSpool {
    /// A spool whose file, if it needs one, is in this directory.
    pub fn new(place: PathBuf) -> Self {
        Self { memory: Vec::new(), file: TempFile::new(place), len: 0 }
    }
}

impl Spool for TempSpool {
    fn room_behind_damage(&self) -> u64 {
        // The check itself sets a limit, by the size of the file that is damaged.
        1 << 30
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if self.file.is_empty() && self.memory.len() + bytes.len() <= IN_MEMORY {
            self.memory.extend_from_slice(bytes);
        } else {
            if self.file.is_empty() {
                self.file.write_at(0, &self.memory)?;
                self.memory = Vec::new();
            }
            self.file.write_at(self.len, bytes)?;
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn read_at(&mut self, position: u64, out: &mut [u8]) -> Result<()> {
        if !self.file.is_empty() {
            return self.file.read_at(position, out);
        }
        let start = usize::try_from(position).unwrap_or(usize::MAX);
        let bytes = start.checked_add(out.len()).and_then(|end| self.memory.get(start..end));
        let beyond = || Problem::new(Code::IoOther).headline("a read goes past the end");
        out.copy_from_slice(bytes.ok_or_else(beyond)?);
        Ok(())
    }
}

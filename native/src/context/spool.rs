//! Where the check of a context puts what it cannot check yet: in memory at first, then in a
//! temporary file without a name.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use rollsnap_core::Result;
use rollsnap_core::context::verify::Spool;

use crate::io;

/// How much is kept in memory, in bytes.
const IN_MEMORY: usize = 8 << 20;

/// A spool that goes to disk when it grows.
#[derive(Debug)]
pub struct TempSpool {
    /// The directory of the temporary file.
    place: PathBuf,
    memory: Vec<u8>,
    file: Option<File>,
}

impl TempSpool {
    /// A spool whose file, if it needs one, is in this directory.
    pub fn new(place: PathBuf) -> Self {
        Self { place, memory: Vec::new(), file: None }
    }
}

impl Spool for TempSpool {
    fn room_behind_damage(&self) -> u64 {
        // The check itself sets a limit, by the size of the file that is damaged.
        1 << 30
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let failed = |err| io::problem("write a temporary file in", &self.place, err);
        if self.file.is_none() && self.memory.len() + bytes.len() > IN_MEMORY {
            let mut file = tempfile::tempfile_in(&self.place).map_err(failed)?;
            file.write_all(&self.memory).map_err(failed)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(bytes).map_err(failed),
            None => {
                self.memory.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    fn read_at(&mut self, position: u64, out: &mut [u8]) -> Result<()> {
        let failed = |err| io::problem("read a temporary file in", &self.place, err);
        if let Some(file) = &self.file {
            return file.read_exact_at(out, position).map_err(failed);
        }
        let start = usize::try_from(position).unwrap_or(usize::MAX);
        let bytes = start.checked_add(out.len()).and_then(|end| self.memory.get(start..end));
        let bytes = bytes.ok_or_else(|| failed(std::io::ErrorKind::UnexpectedEof.into()))?;
        out.copy_from_slice(bytes);
        Ok(())
    }
}

//! Reads which contexts a data directory holds.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use rollsnap_core::Result;
use rollsnap_core::context::INDEX_FILES;

use crate::io;

pub use rollsnap_core::context::Contexts;

/// Reads the context of a data directory.
///
/// # Errors
/// Any `io.*` code.
pub fn read(root: &Path) -> Result<Contexts> {
    let mut contexts = Contexts::default();
    let mut chunk = vec![0; 1 << 16];
    for name in INDEX_FILES {
        let path = root.join(name);
        let mut file = match File::open(&path) {
            Err(err) if err.kind() == ErrorKind::NotFound => continue,
            other => other.map_err(|err| io::problem("read", &path, err))?,
        };
        contexts.begin(name);
        loop {
            match file.read(&mut chunk).map_err(|err| io::problem("read", &path, err))? {
                0 => break,
                len => contexts.data(&chunk[..len]),
            }
        }
        contexts.end();
    }
    // A riscv context is a directory of files that are named by their hashes.
    let directory = root.join("context");
    if let Ok(entries) = fs::read_dir(&directory) {
        for entry in entries {
            let entry = entry.map_err(|err| io::problem("read the directory", &directory, err))?;
            contexts.begin(&format!("context/{}", entry.file_name().to_string_lossy()));
        }
    }
    Ok(contexts.complete())
}

//! Reads the pre-images of a data directory.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use rollsnap_core::Result;

use crate::data_dir::PvmKind;
use crate::io;

pub use rollsnap_core::store::PreImages;

/// Checks those of a data directory.
///
/// # Errors
/// Any `io.*` code.
pub(crate) fn read(root: &Path) -> Result<PreImages> {
    let mut found = PreImages::default();
    let mut chunk = vec![0; 1 << 14];
    for kind in PvmKind::ALL {
        let directory = root.join(kind.as_str());
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries {
            let path = entry.map_err(|err| io::problem("read the directory", &directory, err))?.path();
            let failed = |err| io::problem("read", &path, err);
            let metadata = fs::metadata(&path).map_err(failed)?;
            if metadata.is_file() {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                let name = format!("{}/{file}", kind.as_str());
                found.begin(&name);
                if found.is_open() {
                    let mut file = File::open(&path).map_err(failed)?;
                    loop {
                        match file.read(&mut chunk).map_err(failed)? {
                            0 => break,
                            len => found.data(&chunk[..len]),
                        }
                    }
                }
                found.end(&name, metadata.len());
            }
        }
    }
    Ok(found)
}

//! Reads the pre-images of a data directory.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
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
        let entries = match fs::read_dir(&directory) {
            Err(err) if matches!(err.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
            entries => entries.map_err(|err| io::problem("read the directory", &directory, err))?,
        };
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
                        match file.read(&mut chunk) {
                            Ok(0) => break,
                            Ok(len) => found.data(&chunk[..len]),
                            Err(err) if err.kind() == ErrorKind::Interrupted => {}
                            Err(err) => return Err(failed(err)),
                        }
                    }
                }
                found.end(&name, metadata.len());
            }
        }
    }
    Ok(found)
}

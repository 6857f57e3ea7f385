//! Reads the pre-images of a data directory.

use std::io::{ErrorKind, Read};
use std::path::Path;

use rollsnap_core::members::PvmKind;
use rollsnap_core::{Feedback, Result};

use crate::dir::{Dir, Kind};
use crate::io;

pub use rollsnap_core::store::PreImages;

/// Checks those of a data directory.
///
/// # Errors
/// Any `io.*` code.
pub(crate) fn read(root: &Path, feedback: &dyn Feedback) -> Result<PreImages> {
    let mut found = PreImages::default();
    let mut chunk = vec![0; 1 << 14];
    let Some(root) = Dir::open_if_there(root)? else { return Ok(found) };
    for kind in PvmKind::ALL {
        let Some(directory) = root.read_directory(kind.as_str())? else { continue };
        for file in directory.names()? {
            feedback.checkpoint()?;
            let about = directory.look_through(file.as_ref())?;
            let Some(about) = about.filter(|about| about.kind == Kind::File) else { continue };
            let file = file.to_string_lossy();
            let name = format!("{}/{file}", kind.as_str());
            found.begin(&file);
            if found.is_open()
                && let Some(mut open) = directory.read(&file)?
            {
                let failed = |err| io::problem("read", &directory.place(&*file), err);
                // What is longer than a pre-image is not read on.
                while found.is_open() {
                    match open.read(&mut chunk) {
                        Ok(0) => break,
                        Ok(len) => found.data(&chunk[..len]),
                        Err(err) if err.kind() == ErrorKind::Interrupted => {}
                        Err(err) => return Err(failed(err)),
                    }
                }
            }
            found.end(&name, about.len);
        }
    }
    Ok(found)
}

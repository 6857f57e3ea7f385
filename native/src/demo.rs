//! A small true data directory, built from data in the program.
//!
//! It is the directory of a rollup in full history mode with twenty blocks: message lists,
//! inboxes, commitments, context and pre-images with real hashes that agree with each other.

use std::fs;
use std::path::{Path, PathBuf};

use rollsnap_core::gzip::{Gunzip, Step};
use rollsnap_core::{Code, Problem, Result};

use crate::io;

/// One directory in a gzip'd tar archive.
const DATA_DIR: &[u8] = include_bytes!("../assets/data-dir.tar.gz");

/// Name of the directory in the archive.
const NAME: &str = "v5-full";

/// Builds the data directory as `parent/data-dir`, which must not exist.
///
/// # Errors
/// [`Code::OutputExists`], any `io.*` code.
pub fn build(parent: &Path) -> Result<PathBuf> {
    let place = parent.join("data-dir");
    if place.symlink_metadata().is_ok() {
        return Err(Problem::new(Code::OutputExists).path(place.display()));
    }
    let unpack = || {
        let archive = gunzip(DATA_DIR);
        tar::Archive::new(&*archive).unpack(parent)?;
        fs::rename(parent.join(NAME), &place)
    };
    unpack().map_err(|err| io::problem("build the data directory", &place, err))?;
    Ok(place)
}

/// Decompresses what the program brings along.
fn gunzip(mut input: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut gunzip = Gunzip::new();
    while let Ok(Step::Output(output)) = gunzip.step(&mut input) {
        bytes.extend_from_slice(output);
    }
    bytes
}

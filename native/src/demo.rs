//! A small true data directory, built from data in the program.
//!
//! It is the directory of a rollup in archive history mode with thirty-two blocks, from its origination on. Every state
//! is the one that the nodes' own PVM computed on the messages of the block.

use std::io::Read;
use std::path::{Path, PathBuf};

use rollsnap_core::gzip::{Gunzip, Step};
use rollsnap_core::{Code, Problem, Result};

use crate::dir::{Dir, Tree};
use crate::io;

/// One directory in a gzip'd tar archive.
const DATA_DIR: &[u8] = include_bytes!("../assets/data-dir.tar.gz");

/// Name of the directory in the archive.
const NAME: &str = "r5-dense";

/// Name of the directory that is built.
const PLACE: &str = "data-dir";

/// Builds the data directory as `parent/data-dir`, which must not exist.
///
/// # Errors
/// [`Code::OutputExists`], any `io.*` code.
pub fn build(parent: &Path) -> Result<PathBuf> {
    let dir = Dir::open(parent)?;
    let place = dir.place(PLACE);
    if dir.has(PLACE)? {
        return Err(Problem::new(Code::OutputExists).path(place.display()));
    }
    let failed = |err| io::problem("build the data directory", &place, err);
    let mut tree = Tree::below(&dir);
    let archive = gunzip(DATA_DIR);
    tree.read(archive.len() as u64);
    for entry in tar::Archive::new(&*archive).entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let path = entry.path().map_err(failed)?.into_owned();
        let Ok(below) = path.strip_prefix(NAME) else { continue };
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(failed)?;
        let header = entry.header();
        let (mode, time) = (header.mode().map_err(failed)?, header.mtime().map_err(failed)?);
        tree.create(format!("{PLACE}/{}", below.display()), mode, bytes.len() as u64)?;
        tree.write(&bytes)?;
        tree.complete(Some(time))?;
    }
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

//! Pre-images in a data directory: files `<kind>/<66 hexadecimal digits>`, named by a byte `00` and the
//! BLAKE2b-256 hash of their content.

use std::io::Read;
use std::path::{Path, PathBuf};

use rollsnap_core::context::edit::Bytes;
use rollsnap_core::context::path::hex;
use rollsnap_core::members::PvmKind;
use rollsnap_core::{Code, Problem, Result};

use super::PreImageSource;
use crate::dir::Dir;
use crate::io;

/// Longest pre-image that a PVM can reveal, in bytes.
pub const MAX_PRE_IMAGE: u64 = 4096;

/// The pre-images of one kind of PVM.
#[derive(Clone, Debug)]
pub struct PreImages {
    directory: PathBuf,
    /// Where those are that are not there.
    beside: Option<PathBuf>,
}

impl PreImages {
    /// Those of a data directory. Nothing is read yet.
    pub fn of(data_dir: &Path, kind: PvmKind) -> Self {
        Self { directory: data_dir.join(kind.as_str()), beside: None }
    }

    /// Those that are missing are looked for in another data directory.
    #[must_use]
    pub fn or_of(self, data_dir: &Path, kind: PvmKind) -> Self {
        Self { beside: Some(data_dir.join(kind.as_str())), ..self }
    }

    /// The bytes with this hash. The empty string needs no file, as for the nodes.
    ///
    /// # Errors
    /// [`Code::PreImageMissing`] without a file; [`Code::PreImageHash`], [`Code::PreImageSize`] when the
    /// file holds something else, or more than a PVM can reveal; any `io.*` code.
    pub fn read(&self, hash: &[u8; 32]) -> Result<Vec<u8>> {
        if *hash == blake2b(&[]) {
            return Ok(Vec::new());
        }
        let found = read_in(&self.directory, hash);
        match (&self.beside, found) {
            (Some(beside), Err(problem)) if problem.code() == Code::PreImageMissing => read_in(beside, hash),
            (_, found) => found,
        }
    }
}

fn read_in(directory: &Path, hash: &[u8; 32]) -> Result<Vec<u8>> {
    let name = format!("00{}", hex(hash));
    let path = directory.join(&name);
    let missing = || Problem::new(Code::PreImageMissing).path(path.display());
    if !io::is_dir(directory)? {
        return Err(missing());
    }
    let file = Dir::open(directory)?.read(&name)?;
    let mut bytes = Vec::new();
    let read = file.ok_or_else(missing)?.take(MAX_PRE_IMAGE + 1).read_to_end(&mut bytes);
    read.map_err(|err| io::problem("read", &path, err))?;
    if bytes.len() as u64 > MAX_PRE_IMAGE {
        return Err(Problem::new(Code::PreImageSize).path(path.display()));
    }
    let found = blake2b(&bytes);
    if found != *hash {
        let problem = Problem::new(Code::PreImageHash).path(path.display());
        return Err(problem.expected(hex(hash)).found(hex(&found)));
    }
    Ok(bytes)
}

impl PreImageSource for PreImages {
    fn read(&self, hash: &[u8; 32]) -> Result<Bytes> {
        Self::read(self, hash).map(Into::into)
    }
}

pub(crate) fn blake2b(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    let digest = blake2b_simd::Params::new().hash_length(32).hash(bytes);
    hash.copy_from_slice(digest.as_bytes());
    hash
}

//! Pre-images: named by their content, so each can be checked by itself.

use std::fs::{self, File};
use std::path::Path;

use blake2b_simd::{Params, State};
use rollsnap_core::report::Check;
use rollsnap_core::{Code, Problem, Result};

use crate::data_dir::PvmKind;
use crate::io;

/// Longest pre-image that the PVM can reveal, in bytes.
const MAX: u64 = 4096;

/// What was found in the pre-image directories.
#[derive(Debug, Default)]
pub struct PreImages {
    checked: u64,
    unknown: u64,
    problems: Vec<Problem>,
    open: Option<State>,
}

impl PreImages {
    /// Checks those of a data directory.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn read(root: &Path) -> Result<Self> {
        let mut found = Self::default();
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
                    if let Some(state) = &mut found.open {
                        std::io::copy(&mut File::open(&path).map_err(failed)?, state).map_err(failed)?;
                    }
                    found.end(&name, metadata.len());
                }
            }
        }
        Ok(found)
    }

    /// What does not hold.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// What holds, and what was not checked.
    pub fn passed(&self) -> Vec<Check> {
        let mut passed = Vec::new();
        if self.problems.is_empty() && self.checked > 0 {
            let text = format!("{} pre-images have the hashes that they are named by", self.checked);
            passed.push(Check::yes(Code::PreImageHash, text));
        }
        if self.unknown > 0 {
            let text = format!("not checked: {} files beside the pre-images have other names", self.unknown);
            passed.push(Check::unknown(Code::PreImageHash, text));
        }
        passed
    }

    pub(super) fn begin(&mut self, name: &str) {
        let Some((directory, file)) = name.split_once('/') else { return };
        if PvmKind::ALL.iter().any(|kind| kind.as_str() == directory) {
            self.open = is_pre_image(file).then(|| Params::new().hash_length(32).to_state());
            self.unknown += u64::from(self.open.is_none());
        }
    }

    pub(super) fn data(&mut self, data: &[u8]) {
        if let Some(state) = &mut self.open {
            state.update(data);
        }
    }

    pub(super) fn end(&mut self, name: &str, size: u64) {
        let Some(state) = self.open.take() else { return };
        self.checked += 1;
        let expected = name.rsplit('/').next().unwrap_or_default();
        let found = format!("00{}", state.finalize().to_hex());
        if found != expected {
            self.problems.push(Problem::new(Code::PreImageHash).member(name).found(found));
        }
        if size > MAX {
            self.problems.push(Problem::new(Code::PreImageSize).member(name).found(size));
        }
    }
}

/// Whether a file is named as a pre-image: scheme byte `00` and a hash, in lower case.
fn is_pre_image(file: &str) -> bool {
    file.len() == 66
        && file.starts_with("00")
        && file.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

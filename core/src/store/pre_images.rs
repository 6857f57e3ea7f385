//! Pre-images: named by their content, so each can be checked by itself.

use alloc::format;
use alloc::vec::Vec;

use blake2b_simd::{Params, State};

use super::PvmKind;
use crate::code::Code;
use crate::problem::Problem;
use crate::report::Check;
use crate::words::plural;

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
    /// What does not hold.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// What holds, and what was not checked.
    pub fn passed(&self) -> Vec<Check> {
        let mut passed = Vec::new();
        if self.problems.is_empty() && self.checked > 0 {
            let have = plural(
                self.checked,
                "pre-image has the hash that it is named by",
                "pre-images have the hashes that they are named by",
            );
            let text = format!("{} {have}", self.checked);
            passed.push(Check::yes(Code::PreImageHash, text));
        }
        if self.unknown > 0 {
            let have = plural(self.unknown, "file", "files");
            let text = format!("not checked: {} {have} of other names beside the pre-images", self.unknown);
            passed.push(Check::unknown(Code::PreImageHash, text));
        }
        passed
    }

    /// A file begins.
    pub fn begin(&mut self, name: &str) {
        let Some((directory, file)) = name.split_once('/') else { return };
        if PvmKind::ALL.iter().any(|kind| kind.as_str() == directory) {
            self.open = is_pre_image(file).then(|| Params::new().hash_length(32).to_state());
            self.unknown += u64::from(self.open.is_none());
        }
    }

    /// Whether the file that began is one whose content counts.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The next bytes of it.
    pub fn data(&mut self, data: &[u8]) {
        if let Some(state) = &mut self.open {
            state.update(data);
        }
    }

    /// It ends.
    pub fn end(&mut self, name: &str, size: u64) {
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

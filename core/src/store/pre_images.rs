//! Pre-images: named by their content, so each can be checked by itself.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use blake2b_simd::{Params, State};

use crate::code::Code;
use crate::problem::Problem;
use crate::report::{Check, Evidence};
use crate::words::plural;

/// Longest pre-image that the PVM can reveal, in bytes: the limit of layer 1 on a message, which a page is as
/// long as.
const MAX: u64 = 4096;

/// How many problems are told one by one.
const MAX_PROBLEMS: usize = 1000;

/// What was found in the pre-image directories.
#[derive(Debug, Default)]
pub struct PreImages {
    checked: u64,
    unknown: u64,
    problems: Vec<Problem>,
    left_out: u64,
    open: Option<Open>,
}

/// The file that comes.
#[derive(Debug)]
enum Open {
    /// So many bytes came, and this is their hash.
    Hashing(u64, Box<State>),
    /// More came than any pre-image has.
    TooLong,
}

impl PreImages {
    /// What does not hold: of many the first ones, and a word about the others. What holds, and what was not
    /// checked.
    pub fn evidence(&self) -> Evidence {
        let more = self.left_out;
        let others = (more > 0).then(|| {
            let are = plural(more, "more pre-image is", "more pre-images are");
            Problem::new(Code::PreImageHash).headline(format!("{more} {are} not what the name says"))
        });
        let problems = self.problems.iter().cloned().chain(others).collect();
        let mut checks = Vec::new();
        if self.problems.is_empty() && self.checked > 0 {
            let have = plural(
                self.checked,
                "pre-image has the hash that it is named by",
                "pre-images have the hashes that they are named by",
            );
            let text = format!("{} {have}", self.checked);
            checks.push(Check::yes(Code::PreImageHash, text));
        }
        if self.unknown > 0 {
            let have = plural(self.unknown, "file", "files");
            let text = format!("not checked: {} {have} of other names beside the pre-images", self.unknown);
            checks.push(Check::unknown(Code::PreImageHash, text));
        }
        Evidence { problems, checks }
    }

    /// A file begins in a directory of pre-images: its name there.
    pub fn begin(&mut self, file: &str) {
        self.open =
            is_pre_image(file).then(|| Open::Hashing(0, Box::new(Params::new().hash_length(32).to_state())));
        self.unknown += u64::from(self.open.is_none());
    }

    /// Whether the content of the file that began counts, or what is to come of it: not of one that is too
    /// long already.
    pub fn is_open(&self) -> bool {
        matches!(self.open, Some(Open::Hashing(..)))
    }

    /// The next bytes of it.
    pub fn data(&mut self, data: &[u8]) {
        let Some(open) = &mut self.open else { return };
        if let Open::Hashing(len, state) = open {
            *len = len.saturating_add(data.len() as u64);
            if *len > MAX {
                *open = Open::TooLong;
            } else {
                state.update(data);
            }
        }
    }

    /// It ends; `name` is that of the member.
    pub fn end(&mut self, name: &str, size: u64) {
        let Some(open) = self.open.take() else { return };
        self.checked += 1;
        let expected = name.rsplit('/').next().unwrap_or_default();
        match open {
            Open::TooLong => self.fail(|| Problem::new(Code::PreImageSize).member(name).found(size)),
            Open::Hashing(_, state) => {
                let found = state.finalize().to_hex();
                if expected.strip_prefix("00") != Some(found.as_str()) {
                    let found = format!("00{found}");
                    self.fail(|| Problem::new(Code::PreImageHash).member(name).found(found));
                }
            }
        }
    }

    fn fail(&mut self, problem: impl FnOnce() -> Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem());
        } else {
            self.left_out += 1;
        }
    }
}

/// Whether a file is named as a pre-image: scheme byte `00` and a hash, in lower case.
fn is_pre_image(file: &str) -> bool {
    file.len() == 66
        && file.starts_with("00")
        && file.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

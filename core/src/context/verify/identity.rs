//! What tells one context from another, without reading its objects.

use alloc::string::String;
use alloc::vec;

use super::files::Role;
use crate::context::Context;
use crate::context::path::hex;
use crate::feedback::Feedback;
use crate::problem::Result;
use crate::read_at::{Files, ReadAt};

/// How much is read at once, in bytes.
const PIECE: u64 = 256 << 10;

/// BLAKE2b-256 of the names and sizes of all files, and of the content of those that hold no objects: control file,
/// dictionary, mapping, branches and index. In hexadecimal digits.
///
/// # Errors
/// Whatever the files report, and [`Code::Cancelled`](crate::Code::Cancelled).
pub fn identity(files: &impl Files, feedback: &dyn Feedback) -> Result<String> {
    let mut state = blake2b_simd::Params::new().hash_length(32).to_state();
    let mut bytes = vec![0; PIECE as usize];
    for directory in ["", "index"] {
        let mut names = files.names(directory)?;
        names.sort_unstable();
        for name in names {
            let name = if directory.is_empty() { name } else { [directory, "/", &name].concat() };
            let Some(file) = files.open(&name)? else { continue };
            feedback.checkpoint()?;
            state.update(&(name.len() as u64).to_be_bytes()).update(name.as_bytes());
            state.update(&file.len().to_be_bytes());
            if matches!(Role::of(&name), Role::Prefix(_) | Role::Suffix(_) | Role::Other) {
                continue;
            }
            let mut at = 0;
            while at < file.len() {
                feedback.checkpoint()?;
                let len = (file.len() - at).min(PIECE);
                let Some(piece) = bytes.get_mut(..len as usize) else { break };
                file.read_at(at, piece)?;
                state.update(piece);
                at += len;
            }
        }
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(state.finalize().as_bytes());
    Ok(hex(&hash))
}

/// How many bytes of a context hold objects.
pub fn object_bytes<F: Files>(context: &Context<F>) -> u64 {
    super::pages::Pages::new(context, true).total()
}

//! The binary encodings behind the hashes (`docs/FORMAT.md`, section 8): messages and their
//! witness, inboxes, commitments.
//!
//! All integers are big-endian. All hashes are BLAKE2b with 32 bytes, unkeyed.

mod commitment;
mod inbox;
mod inflate;
mod messages;
mod outbox;
pub(crate) mod primitive;
mod skip_list;

pub use commitment::Commitment;
pub use inbox::{Cell, Inbox};
pub use inflate::Inflater;
pub use messages::{Count, Info, MAX_MESSAGE, MAX_MESSAGES, MessageList};
pub use outbox::is_outbox_message;

/// BLAKE2b-256 of the parts, one after the other.
pub(crate) fn blake2b(parts: &[&[u8]]) -> [u8; 32] {
    let mut params = blake2b_simd::Params::new();
    params.hash_length(32);
    let found = match parts {
        // Without a buffer in between.
        [part] => params.hash(part),
        _ => {
            let mut state = params.to_state();
            for part in parts {
                state.update(part);
            }
            state.finalize()
        }
    };
    let mut hash = [0; 32];
    hash.copy_from_slice(found.as_bytes());
    hash
}

/// Why bytes are not the encoding that was expected, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl core::fmt::Display for Malformed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for Malformed {}

#[cfg(test)]
mod tests;

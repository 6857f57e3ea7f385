//! The records of an irmin-pack store, byte for byte: control file, dictionary, mapping, entries,
//! inodes, commits; and how their hashes are made.
//!
//! Everything here is a function of bytes. Where the bytes come from, and whether what they refer
//! to is there, is for [`Context`](super::Context) and the verifiers to know.

mod commit;
mod control;
mod dict;
mod entry;
pub mod hashing;
mod inode;
mod mapping;
pub(crate) mod primitive;

pub use commit::Commit;
pub use control::{Collected, Control, MAX_CONTROL, Status};
pub use dict::{Dict, MAX_DICT, MAX_DICT_NAMES, MAX_DICT_STEPS};
pub use entry::{Head, Kind, MAX_HEAD};
pub use inode::{Child, Inode, InodeOf, MAX_INODE, Pointer, Step, Value, max_inode};
pub use mapping::{Mapping, Range};

pub use crate::encoding::Malformed;

/// A raw BLAKE2b-256 hash: of contents, of a node, of a commit.
pub type Hash = [u8; 32];

/// The most entries that a directory may have before it becomes a tree of inodes.
pub const ENTRIES: usize = 2;

//! What is hashed: the bytes whose BLAKE2b-256 is the hash of an object.
//!
//! Each function appends a pre-image to a buffer, so that many can be hashed side by side;
//! [`hash`] hashes one.

use alloc::vec::Vec;

use super::Hash;
use super::primitive::{put_string, put_varint};
use crate::encoding::blake2b;

/// The hash of a pre-image.
pub fn hash(image: &[u8]) -> Hash {
    blake2b(&[image])
}

/// The hash of contents: a length of eight bytes, big-endian, and the bytes.
pub fn contents(bytes: &[u8]) -> Hash {
    blake2b(&[&(bytes.len() as u64).to_be_bytes(), bytes])
}

/// The pre-image of contents.
pub fn put_contents(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend((bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// The hash of contents that come in pieces.
#[derive(Clone, Debug)]
pub struct Pieces(blake2b_simd::State);

impl Pieces {
    /// Contents of this length, in bytes.
    pub fn new(len: u64) -> Self {
        let mut state = blake2b_simd::Params::new().hash_length(32).to_state();
        state.update(&len.to_be_bytes());
        Self(state)
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash, after the last byte.
    pub fn finish(&self) -> Hash {
        self.0.finalize().as_bytes().first_chunk().copied().unwrap_or_default()
    }
}

/// The pre-image of a directory with one or two entries, which must come in the order of their
/// names: (name, whether it is a directory, hash).
pub fn put_root<'a>(entries: impl ExactSizeIterator<Item = (&'a [u8], bool, Hash)>, out: &mut Vec<u8>) {
    out.extend((entries.len() as u64).to_be_bytes());
    for (step, node, hash) in entries {
        out.extend(if node { [0; 8] } else { [0xff, 0, 0, 0, 0, 0, 0, 0] });
        put_string(step, out);
        out.extend(32u64.to_be_bytes());
        out.extend(hash);
    }
}

/// The pre-image of a part of a directory with one or two entries, which must come in the order of
/// their names.
pub fn put_values<'a>(entries: impl ExactSizeIterator<Item = (&'a [u8], bool, Hash)>, out: &mut Vec<u8>) {
    out.push(0);
    put_varint(entries.len() as u64, out);
    for (step, node, hash) in entries {
        put_string(step, out);
        out.push(u8::from(!node));
        out.extend(hash);
    }
}

/// The pre-image of a tree, root of a directory or not: (bit, hash) in the order of the bits.
pub fn put_tree(
    depth: u64,
    len: u64,
    pointers: impl ExactSizeIterator<Item = (u64, Hash)>,
    out: &mut Vec<u8>,
) {
    out.push(1);
    put_varint(depth, out);
    put_varint(len, out);
    put_varint(pointers.len() as u64, out);
    for (index, hash) in pointers {
        put_varint(index, out);
        out.extend(hash);
    }
}

/// The pre-image of a commit, whose parents must come in the order of their hashes; rollup nodes
/// write none.
pub fn put_commit(
    root: &Hash,
    parents: &[Hash],
    date: i64,
    author: &[u8],
    message: &[u8],
    out: &mut Vec<u8>,
) {
    out.extend(32u64.to_be_bytes());
    out.extend(root);
    out.extend((parents.len() as u64).to_be_bytes());
    for parent in parents {
        out.extend(32u64.to_be_bytes());
        out.extend(parent);
    }
    out.extend(date.to_be_bytes());
    for text in [author, message] {
        out.extend((text.len() as u64).to_be_bytes());
        out.extend_from_slice(text);
    }
}

/// The hash of a commit without parents.
pub fn commit(root: &Hash, date: i64, author: &[u8], message: &[u8]) -> Hash {
    let mut image = Vec::new();
    put_commit(root, &[], date, author, message, &mut image);
    hash(&image)
}

/// The bits that place a name in a tree: bit `d`, from the most significant one, at depth `d`. No
/// tree is deeper than 50.
pub fn bits(step: &[u8]) -> u64 {
    blake2b(&[step]).first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

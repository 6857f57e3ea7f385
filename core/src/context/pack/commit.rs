//! Commits.

use alloc::vec::Vec;

use super::primitive::{Reader, put_string, put_varint};
use super::{Child, Hash, Malformed, hashing};

/// A commit, as its entry has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit<'a> {
    /// Its root directory.
    pub root: Child,
    /// How many parents it has; none on layer 2.
    pub parents: u64,
    /// When it was made, in seconds since 1970; 0 on layer 2.
    pub date: i64,
    /// Who made it: `Tezos` for Octez, `Mavryk` for Mavkit.
    pub author: &'a [u8],
    /// The message; empty but for `refutation_cache`.
    pub message: &'a [u8],
}

impl<'a> Commit<'a> {
    /// Reads the value of an entry of kind `D`. Parents are counted only.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(value: &'a [u8]) -> Result<Self, Malformed> {
        Self::with_parents(value, |_| ())
    }

    /// The same, and `parent` is told each of them.
    ///
    /// # Errors
    /// When it is not one.
    pub fn with_parents(value: &'a [u8], mut parent: impl FnMut(Child)) -> Result<Self, Malformed> {
        let mut reader = Reader(value);
        let root = Child::read(&mut reader)?;
        let parents = reader.varint()?;
        // Each takes at least nine bytes, so this ends with the input.
        for _ in 0..parents {
            parent(Child::read(&mut reader)?);
        }
        let commit = Self {
            root,
            parents,
            date: reader.int64()?,
            author: reader.string()?,
            message: reader.string()?,
        };
        reader.end()?;
        Ok(commit)
    }

    /// Its hash, of a root directory with this hash; right for commits without parents only.
    pub fn hash(&self, root: &Hash) -> Hash {
        hashing::commit(root, self.date, self.author, self.message)
    }

    /// Appends the bytes of the commit, without parents.
    pub fn put(&self, out: &mut Vec<u8>) {
        self.root.put(out);
        put_varint(0, out);
        out.extend(self.date.to_be_bytes());
        put_string(self.author, out);
        put_string(self.message, out);
    }
}

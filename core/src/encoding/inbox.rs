//! Inboxes: a skip list over the levels of layer 1, one cell a level.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::{Malformed, blake2b, primitive, skip_list};
use crate::hash::{InboxHash, WitnessHash};

/// The inbox of a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbox {
    /// The level that it is stored under.
    pub level: i32,
    /// Its newest cell.
    pub cell: Cell,
}

/// A cell of the skip list of inboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its place in the list; 0 is the level at which layer 1 began to have rollups.
    pub index: u128,
    /// Witness of the messages of its level.
    pub witness: WitnessHash,
    /// Its level.
    pub level: i32,
    /// Hashes of earlier cells.
    pub back_pointers: Vec<[u8; 32]>,
}

impl Cell {
    /// Most back pointers that an index of 128 bits can have.
    const MAX_POINTERS: usize = 64;

    /// Reads `index ‖ witness ‖ level ‖ length ‖ back pointers`, the history proof of a store.
    ///
    /// # Errors
    /// When the bytes are not that, to the last one.
    pub fn parse(mut input: &[u8]) -> Result<Self, Malformed> {
        let index = primitive::natural(&mut input)?;
        let witness = WitnessHash::new(primitive::bytes(&mut input)?);
        let level = primitive::int32(&mut input)?;
        let pointers = primitive::prefixed(&mut input)?;
        primitive::end(input)?;
        let (pointers, rest) = pointers.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(Malformed("the back pointers are not whole hashes"));
        }
        if pointers.len() > Self::MAX_POINTERS {
            return Err(Malformed("there are more back pointers than any cell has"));
        }
        Ok(Self { index, witness, level, back_pointers: pointers.to_vec() })
    }

    /// Its hash. The index does not go into it, and the level goes in as decimal digits.
    pub fn hash(&self) -> InboxHash {
        let level = self.level.to_string();
        let pointers = self.back_pointers.as_flattened();
        InboxHash::new(blake2b(&[self.witness.as_bytes(), level.as_bytes(), pointers]))
    }

    /// The back pointers that the cell after this one must have; `own` is the hash of this one.
    pub fn next_back_pointers(&self, own: &InboxHash) -> Vec<[u8; 32]> {
        skip_list::next_pointers(self.index, &self.back_pointers, *own.as_bytes())
    }
}

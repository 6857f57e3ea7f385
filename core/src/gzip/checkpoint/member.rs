//! Where all members are: an archive need not be sorted for that.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::input::{Input, bad};
use crate::problem::Result;
use crate::tar::BLOCK;

/// Most members of a table: it is held in memory.
pub const MOST_MEMBERS: usize = 1 << 17;

/// How many bytes of content may stand before a member's own header ends: one that announces a large file, and its
/// records.
pub(super) const HEADERS: u64 = 3 * BLOCK as u64;

/// Length of an entry in bytes.
pub(super) const ENTRY: usize = 16;

/// Where the members of an archive begin, by the hashes of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberTable(BTreeMap<u64, u64>);

impl MemberTable {
    /// A member whose headers begin at `offset` of the content. Of two names with the same hash the first stays.
    pub fn add(&mut self, offset: u64, name: &str) {
        self.0.entry(hash(name)).or_insert(offset);
    }

    /// Where a member of this name would begin; `None` when there is none.
    pub fn place_of(&self, name: &str) -> Option<u64> {
        self.0.get(&hash(name)).copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where the last one is.
    pub(super) fn last(&self) -> Option<u64> {
        self.0.values().copied().max()
    }

    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&(self.0.len() as u32).to_be_bytes());
        for (hash, offset) in &self.0 {
            bytes.extend_from_slice(&hash.to_be_bytes());
            bytes.extend_from_slice(&offset.to_be_bytes());
        }
    }

    pub(super) fn decode(input: &mut Input<'_>) -> Result<Self> {
        let count = u32::from_be_bytes(input.array()?);
        let mut table = BTreeMap::new();
        for _ in 0..count {
            let (hash, offset) = (input.number()?, input.number()?);
            if table.last_key_value().is_some_and(|(last, _)| *last >= hash) {
                return Err(bad("its members are not in order"));
            }
            table.insert(hash, offset);
        }
        Ok(Self(table))
    }
}

/// BLAKE2b of eight bytes: two names of one archive have the same by chance only, and then one of them is looked
/// for everywhere.
fn hash(name: &str) -> u64 {
    let hash = blake2b_simd::Params::new().hash_length(8).hash(name.as_bytes());
    hash.as_bytes().iter().fold(0, |all, byte| all << 8 | u64::from(*byte))
}

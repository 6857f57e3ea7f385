//! Commitments: what an operator stakes on.

use super::{Malformed, blake2b, primitive};
use crate::hash::{CommitmentHash, StateHash};

/// A commitment: the state of the PVM after an inbox level, and how it follows the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// Hash of the PVM state.
    pub compressed_state: StateHash,
    /// Level of the last inbox that went into it.
    pub inbox_level: i32,
    /// The commitment before; [`CommitmentHash::ZERO`] for the genesis commitment.
    pub predecessor: CommitmentHash,
    /// Ticks since the commitment before.
    pub number_of_ticks: i64,
}

impl Commitment {
    /// Length of the encoding, in bytes.
    pub const LEN: usize = 76;

    /// State, level, predecessor, ticks.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..32].copy_from_slice(self.compressed_state.as_bytes());
        bytes[32..36].copy_from_slice(&self.inbox_level.to_be_bytes());
        bytes[36..68].copy_from_slice(self.predecessor.as_bytes());
        bytes[68..].copy_from_slice(&self.number_of_ticks.to_be_bytes());
        bytes
    }

    /// Reads the encoding.
    ///
    /// # Errors
    /// When the length is another one.
    pub fn parse(mut input: &[u8]) -> Result<Self, Malformed> {
        let commitment = Self {
            compressed_state: StateHash::new(primitive::bytes(&mut input)?),
            inbox_level: primitive::int32(&mut input)?,
            predecessor: CommitmentHash::new(primitive::bytes(&mut input)?),
            number_of_ticks: i64::from_be_bytes(primitive::bytes(&mut input)?),
        };
        primitive::end(input)?;
        Ok(commitment)
    }

    /// Its hash, by which layer 1 knows it.
    pub fn hash(&self) -> CommitmentHash {
        CommitmentHash::new(blake2b(&[&self.to_bytes()]))
    }
}

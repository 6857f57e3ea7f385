//! Proofs that a state has certain keys, with certain values, or does not have them (`docs/FORMAT.md`, section 9).
//!
//! A proof is the part of the tree of a state in which the keys are, with the hashes of all that it leaves out. Whoever
//! has it computes the state hash of it, and needs nothing else: no context, no store, no node. It is written as the nodes
//! write the proofs of a refutation, so that those can be read as well.

mod answer;
mod make;
mod node;
mod read;
mod write;

use alloc::vec::Vec;

pub use answer::{Answer, KeyAnswer, Shown};
use node::{Node, root_hash};

use super::pack::Hash;
use super::path;
use crate::code::Code;
use crate::hash::StateHash;
use crate::problem::{Problem, Result};

/// Most bytes of a proof: 16 MiB. Those that layer 1 takes have up to 30 000.
pub const MAX_PROOF: usize = 16 << 20;

/// The version of a proof of a tree (bit 0) whose directories have parts for one bit each (bit 1).
const VERSION: u16 = 2;

/// A proof whose hashes are right.
#[derive(Clone, Debug)]
pub struct Proof {
    before: Kinded,
    after: Kinded,
    nodes: Vec<Node>,
}

/// A hash, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kinded {
    directory: bool,
    hash: Hash,
}

impl Proof {
    /// Reads a proof, and computes the state hash of what it shows.
    ///
    /// # Errors
    /// [`Code::ProofMalformed`] when it is none, or damaged in its form; [`Code::ProofHash`] when what it shows has another
    /// hash than it says.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let malformed = |why| Problem::new(Code::ProofMalformed).found(why);
        let proof = read::read(bytes).map_err(malformed)?;
        let found = root_hash(&proof.nodes).map_err(malformed)?;
        let is_directory = proof.nodes.first().is_some_and(|node| node.kind == super::pack::Kind::Root);
        if found == proof.before.hash && is_directory == proof.before.directory {
            return Ok(proof);
        }
        Err(Problem::new(Code::ProofHash).expected(path::hex(&proof.before.hash)).found(path::hex(&found)))
    }

    /// Its bytes.
    ///
    /// # Errors
    /// [`Code::ProofLarge`] when they are more than [`MAX_PROOF`], or a name has more than 255 bytes.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        write::write(self).ok_or_else(|| Problem::new(Code::ProofLarge))
    }

    /// The state that it is about.
    pub fn state_hash(&self) -> StateHash {
        StateHash::new(self.before.hash)
    }

    /// The state to which a step of a refutation leads from there, as the proof says; whether it does is not proved.
    /// `None`: the proof is about one state alone, as those are that [`Proof::of`] makes.
    pub fn leads_to(&self) -> Option<StateHash> {
        (self.after != self.before).then(|| StateHash::new(self.after.hash))
    }

    /// Whether it is about this state.
    ///
    /// # Errors
    /// [`Code::ProofState`] when it is about another one.
    pub fn require(&self, state: &StateHash) -> Result<()> {
        if self.state_hash() == *state {
            return Ok(());
        }
        Err(Problem::new(Code::ProofState).expected(state).found(self.state_hash()))
    }
}

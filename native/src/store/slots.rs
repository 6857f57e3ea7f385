//! What a database records of the levels of layer 1: protocols, and which slots of the DAL were attested.

use rollsnap_core::hash::BlockHash;
use rollsnap_core::store::v4::Protocol;
use rollsnap_core::{Code, Problem, Result};

use super::read::Store;

/// Most protocols that are read. Layer 1 has had about twenty in seven years.
const MAX_PROTOCOLS: usize = 1000;

impl Store {
    /// The protocols that the node has met, the newest first.
    ///
    /// # Errors
    /// [`Code::StoreValue`], [`Code::StoreDamaged`].
    pub fn protocols(&self) -> Result<Vec<Protocol>> {
        let query = "SELECT hash, proto_level, first_level, first_is_activation FROM protocols \
                     ORDER BY first_level DESC, proto_level DESC LIMIT 1 OFFSET ?1";
        let mut protocols = Vec::new();
        while let Some(protocol) = self.one("protocols", query, [protocols.len() as i64], |row| {
            Ok(Protocol {
                hash: row.hash(0, "hash")?,
                proto_level: row.level(1, "proto_level")?,
                level: row.level(2, "first_level")?,
                activates: row.level(3, "first_is_activation")? != 0,
            })
        })? {
            if protocols.len() == MAX_PROTOCOLS {
                return Err(Problem::new(Code::StoreDamaged)
                    .headline("the store has more protocols than layer 1 ever had")
                    .path(self.path().display()));
            }
            protocols.push(protocol);
        }
        Ok(protocols)
    }

    /// Whether a slot was attested, as the block tells at which that was settled; `None` where nothing is recorded.
    ///
    /// # Errors
    /// [`Code::StoreValue`], [`Code::StoreDamaged`].
    pub fn is_attested(&self, block: &BlockHash, slot: u8) -> Result<Option<bool>> {
        let query = "SELECT attested FROM dal_slots_statuses WHERE block_hash = ?1 AND slot_index = ?2";
        self.one("dal_slots_statuses", query, (block.to_string(), slot), |row| {
            Ok(row.level(0, "attested")? != 0)
        })
    }
}

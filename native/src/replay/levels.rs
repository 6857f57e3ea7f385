//! What a store knows of the levels of layer 1: which protocol a level has, and which slots of the DAL were
//! attested. What it does not know of a protocol, layer 1 is asked for, where there is one.

use std::collections::BTreeMap;
use std::path::Path;

use rollsnap_core::hash::{BlockHash, ProtocolHash};
use rollsnap_core::replay::refusal::protocol_at;
use rollsnap_core::replay::statuses;
use rollsnap_core::store::v4::Protocol;
use rollsnap_core::{Feedback, Result};

use super::Levels;
use crate::files::FileSet;
use crate::l1::{DalConstants, L1};
use crate::store::{AnyStore, Family, Rows, open_any};

/// The levels of a store.
pub struct StoreLevels {
    store: AnyStore,
    files: FileSet,
    /// The newest first.
    protocols: Vec<Protocol>,
    /// Of a store in files, once one was asked for.
    statuses: Option<BTreeMap<(BlockHash, u8), bool>>,
    constants: BTreeMap<ProtocolHash, DalConstants>,
    l1: Option<(L1, Box<dyn Feedback>)>,
}

impl StoreLevels {
    /// Those of the store in a data directory.
    ///
    /// # Errors
    /// Those of [`open_any`], and when the protocols cannot be read.
    pub fn open(root: &Path, family: Option<Family>) -> Result<Self> {
        let store = open_any(root, family)?;
        let mut protocols = match &store {
            AnyStore::Database(store) => store.protocols()?,
            AnyStore::Files(store) => store.singletons().protocols()?.unwrap_or_default(),
        };
        protocols.sort_by_key(|protocol| core::cmp::Reverse((protocol.level, protocol.proto_level)));
        let (statuses, constants) = (None, BTreeMap::new());
        Ok(Self { store, files: FileSet::Directory(root.into()), protocols, statuses, constants, l1: None })
    }

    /// Asks this node for the constants of protocols that are not known here.
    #[must_use]
    pub fn asking(mut self, l1: L1, feedback: Box<dyn Feedback>) -> Self {
        self.l1 = Some((l1, feedback));
        self
    }

    /// The protocol of a level; `None` for a level before the first one that the node has met.
    ///
    /// The block that activates a protocol is still one of the protocol before.
    pub fn protocol(&self, level: i32) -> Option<&ProtocolHash> {
        protocol_at(&self.protocols, level).map(|protocol| &protocol.hash)
    }

    /// The protocols that the node has met, the newest first.
    pub fn into_protocols(self) -> Vec<Protocol> {
        self.protocols
    }

    fn status(&mut self, block: &BlockHash, slot: u8) -> Result<Option<bool>> {
        if let AnyStore::Database(store) = &self.store {
            return store.is_attested(block, slot);
        }
        let statuses = match &self.statuses {
            Some(statuses) => statuses,
            None => self.statuses.insert(statuses(&self.files)?),
        };
        Ok(statuses.get(&(*block, slot)).copied())
    }
}

impl Levels for StoreLevels {
    fn dal_constants(&mut self, level: i32) -> Result<Option<DalConstants>> {
        let Some(protocol) = self.protocol(level).copied() else { return Ok(None) };
        if let Some(known) =
            self.constants.get(&protocol).copied().or_else(|| DalConstants::of_protocol(&protocol))
        {
            return Ok(Some(known));
        }
        let Some((l1, feedback)) = &mut self.l1 else { return Ok(None) };
        let constants = l1.dal_constants(level, &mut **feedback)?;
        self.constants.insert(protocol, constants);
        Ok(Some(constants))
    }

    /// Nodes write down at a block which slots are attested that were published as many levels before it as the
    /// attestation lag says.
    fn is_attested(&mut self, published_level: i32, slot: u8) -> Result<Option<bool>> {
        let Some(constants) = self.dal_constants(published_level)? else { return Ok(None) };
        let Some(level) = constants.settled_at(published_level) else { return Ok(None) };
        match self.store.block_at(level)? {
            Some(block) => self.status(&block.hash, slot),
            None => Ok(None),
        }
    }
}

impl std::fmt::Debug for StoreLevels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreLevels").field("protocols", &self.protocols).finish_non_exhaustive()
    }
}

//! What a store knows of the levels of layer 1: which slots of the data availability layer were attested.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::dal::DalConstants;
use super::memory::{MemberFile, MemberFiles};
use super::refusal::protocol_at;
use super::reveals::Levels;
use crate::code::Code;
use crate::hash::BlockHash;
use crate::problem::{Problem, Result};
use crate::read_at::Files;
use crate::store::v4::{IrminStore, Protocol, Slot};
use crate::store::{Opened, Rows, Store};

/// Most statuses of slots that are kept of a store in files: 32 slots of 131,072 levels.
const MAX_STATUSES: usize = 1 << 22;

/// What the store of a snapshot in memory knows.
pub(super) struct MemoryLevels {
    files: MemberFiles,
    store: Rc<Opened<Store<'static, MemberFile>, MemberFile>>,
    /// The newest first.
    protocols: Vec<Protocol>,
    /// Of a store in files, once one was asked for.
    statuses: Option<BTreeMap<(BlockHash, u8), bool>>,
}

impl MemoryLevels {
    pub(super) fn new(
        files: MemberFiles,
        store: Rc<Opened<Store<'static, MemberFile>, MemberFile>>,
        protocols: Vec<Protocol>,
    ) -> Self {
        Self { files, store, protocols, statuses: None }
    }

    fn status(&mut self, block: &BlockHash, slot: u8) -> Result<Option<bool>> {
        if let Opened::Database(store) = &*self.store {
            return store.is_attested(block, slot);
        }
        let statuses = match &self.statuses {
            Some(statuses) => statuses,
            None => self.statuses.insert(statuses(&self.files)?),
        };
        Ok(statuses.get(&(*block, slot)).copied())
    }
}

impl Levels for MemoryLevels {
    fn dal_constants(&mut self, level: i32) -> Result<Option<DalConstants>> {
        let protocol = protocol_at(&self.protocols, level);
        Ok(protocol.and_then(|protocol| DalConstants::of_protocol(&protocol.hash)))
    }

    fn is_attested(&mut self, published_level: i32, slot: u8) -> Result<Option<bool>> {
        let constants = self.dal_constants(published_level)?;
        let Some(level) = constants.and_then(|constants| constants.settled_at(published_level)) else {
            return Ok(None);
        };
        match self.store.block_at(level)? {
            Some(block) => self.status(&block.hash, slot),
            None => Ok(None),
        }
    }
}

/// Those of a store in files. A node without a DAL has none of these files.
///
/// # Errors
/// [`Code::PvmRefusedReveal`] for more than are kept; those of [`IrminStore`].
pub fn statuses(files: &impl Files) -> Result<BTreeMap<(BlockHash, u8), bool>> {
    let mut statuses = BTreeMap::new();
    IrminStore::open(files)?.slots(&mut |slot| {
        if let Slot::Status { block, index, confirmed } = slot {
            if statuses.len() == MAX_STATUSES {
                let text = "the store has the status of more slots than are kept in memory";
                return Err(Problem::new(Code::PvmRefusedReveal).headline(text));
            }
            statuses.insert((block, index), confirmed);
        }
        Ok(())
    })?;
    Ok(statuses)
}

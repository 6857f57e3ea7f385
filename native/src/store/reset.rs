//! Taking a store back to an older level (`docs/FORMAT.md`, section 6).

#[cfg(doc)]
use rollsnap_core::Code;
use rollsnap_core::Result;
use rollsnap_core::hash::{BlockHash, CommitmentHash};
use rollsnap_core::nodes;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::import::edit;
use super::problem::said;
use super::read::{Rows, Store};
use crate::dir::Dir;

/// Takes the store of a directory of ours back to `level`, in one transaction: head, finalized block and LCC
/// are lowered as far as needed, and what is newer is deleted. Protocols, the history mode and
/// what the node remembers about garbage collections stay.
///
/// # Errors
/// [`Code::StoreBlock`] and [`Code::StoreCommitment`] with the texts of the nodes,
/// [`Code::StoreSchema`], [`Code::StoreDamaged`]: the store is then as before. Any `io.*` code: it can be half
/// changed, for there is no journal, and is of no use.
pub fn reset_to_level(dir: &Dir, level: i32) -> Result<()> {
    edit(dir, |store| reset(store, level))
}

pub(super) fn reset(store: &mut Store, level: i32) -> Result<()> {
    // Reading first and writing then is one unit: nobody else uses this database.
    let block = store.block_at(level)?.ok_or_else(|| nodes::import::no_block_at(level))?;
    let commitment = block.most_recent_commitment();
    let inbox_level =
        store.commitment_level(&commitment)?.ok_or_else(|| nodes::import::no_commitment(&commitment))?;
    let finalized = store.mark::<BlockHash>("finalized_level")?;
    let lcc = store.mark::<CommitmentHash>("lcc")?;
    let lpc = store.mark::<CommitmentHash>("lpc")?;

    let path = store.path().to_owned();
    let failed = |err| said(&format!("take it back to level {level}"), &path, err);
    let transaction = begin(store.connection()).map_err(failed)?;
    let hash = block.hash.to_string();
    set(&transaction, "l2_head", &hash, level).map_err(failed)?;
    if finalized.is_some_and(|mark| mark.level > level) {
        set(&transaction, "finalized_level", &hash, level).map_err(failed)?;
    }
    for (name, mark) in [("lcc", lcc), ("lpc", lpc)] {
        if mark.is_some_and(|mark| mark.level > level) {
            set(&transaction, name, &commitment.to_string(), inbox_level).map_err(failed)?;
        }
    }
    for statement in DELETE_ABOVE {
        transaction.execute(statement, [level]).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// In this order: the slot statuses are found through the blocks.
const DELETE_ABOVE: [&str; 9] = [
    "DELETE FROM dal_slots_statuses WHERE block_hash IN (SELECT block_hash FROM l2_blocks WHERE level > ?1)",
    "DELETE FROM dal_slots_headers WHERE published_level > ?1",
    "DELETE FROM inboxes WHERE inbox_level > ?1",
    "DELETE FROM messages WHERE inbox_level > ?1",
    "DELETE FROM commitments_published_at_levels WHERE first_published_at_level > ?1",
    "DELETE FROM commitments WHERE inbox_level > ?1",
    "DELETE FROM outbox_messages WHERE outbox_level > ?1",
    "DELETE FROM l2_blocks WHERE level > ?1",
    "DELETE FROM l2_levels WHERE level > ?1",
];

fn begin(conn: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    conn.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// Writes a row as the nodes do.
pub(super) fn set(conn: &Connection, name: &str, hash: &str, level: i32) -> rusqlite::Result<()> {
    let row = "REPLACE INTO rollup_node_state (name, value, level) VALUES (?1, ?2, ?3)";
    conn.execute(row, params![name, hash, level]).map(drop)
}

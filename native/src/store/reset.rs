//! Taking a store back to an older level (`docs/FORMAT.md`, section 6).

#[cfg(doc)]
use rollsnap_core::Code;
use rollsnap_core::Result;
use rollsnap_core::hash::{BlockHash, CommitmentHash};
use rollsnap_core::nodes;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::import::edit;
use super::problem::said;
use super::read::{Block, Mark, Rows, Store};
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
    let reset = Reset::plan(store, level)?;
    let path = store.path().to_owned();
    let failed = |err| said(&reset.doing(), &path, err);
    let transaction = begin(store.connection()).map_err(failed)?;
    reset.carry_out(&transaction).map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// What taking a store back to an older level comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    /// The block that becomes the head.
    pub block: Block,
    /// The inbox level of its last commitment.
    pub inbox_level: i32,
    /// The marks that are written.
    pub marks: Vec<MarkChange>,
}

/// A row of `rollup_node_state` that gets another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkChange {
    /// Its name.
    pub name: &'static str,
    /// The hash and level that it had, if it was there.
    pub from: Option<(String, i32)>,
    /// Those that it gets.
    pub to: (String, i32),
}

impl Reset {
    /// Reads what it takes to go back to `level`. Nothing is changed.
    ///
    /// # Errors
    /// [`Code::StoreBlock`] and [`Code::StoreCommitment`] with the texts of the nodes; [`Code::StoreDamaged`].
    pub fn plan(store: &Store, level: i32) -> Result<Self> {
        let block = store.block_at(level)?.ok_or_else(|| nodes::import::no_block_at(level))?;
        let commitment = block.most_recent_commitment();
        let inbox_level =
            store.commitment_level(&commitment)?.ok_or_else(|| nodes::import::no_commitment(&commitment))?;
        let of_block = (block.hash.to_string(), level);
        let of_commitment = (commitment.to_string(), inbox_level);
        let of = |mark: Mark<BlockHash>| (mark.hash.to_string(), mark.level);
        let head = store.mark("l2_head")?.map(of);
        let mut marks = vec![MarkChange { name: "l2_head", from: head, to: of_block.clone() }];
        if let Some(from) = store.mark("finalized_level")?.map(of).filter(|(_, at)| *at > level) {
            marks.push(MarkChange { name: "finalized_level", from: Some(from), to: of_block });
        }
        for name in ["lcc", "lpc"] {
            let of = |mark: Mark<CommitmentHash>| (mark.hash.to_string(), mark.level);
            if let Some(from) = store.mark(name)?.map(of).filter(|(_, at)| *at > level) {
                marks.push(MarkChange { name, from: Some(from), to: of_commitment.clone() });
            }
        }
        Ok(Self { block, inbox_level, marks })
    }

    /// How many rows of each table go.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], any `io.*` code.
    pub fn rows(&self, store: &Store) -> Result<Vec<(&'static str, u64)>> {
        let count = |(table, condition): (&'static str, &str)| {
            let query = format!("SELECT count(*) FROM {table} WHERE {condition}");
            let count = store.reading().query_row(&query, [self.block.level], |row| row.get::<_, i64>(0));
            let failed = |err| said(&format!("count table {table}"), store.path(), err);
            count.map(|count| (table, count.unsigned_abs())).map_err(failed)
        };
        ABOVE.into_iter().map(count).collect()
    }

    /// Writes it, in a transaction of the caller's.
    pub(super) fn carry_out(&self, conn: &Connection) -> rusqlite::Result<()> {
        for MarkChange { name, to: (hash, level), .. } in &self.marks {
            set(conn, name, hash, *level)?;
        }
        for (table, condition) in ABOVE {
            conn.execute(&format!("DELETE FROM {table} WHERE {condition}"), [self.block.level])?;
        }
        Ok(())
    }

    pub(super) fn doing(&self) -> String {
        format!("take it back to level {}", self.block.level)
    }
}

/// The rows above a level, in an order in which they can be deleted: the slot statuses are found through the blocks.
const ABOVE: [(&str, &str); 9] = [
    ("dal_slots_statuses", "block_hash IN (SELECT block_hash FROM l2_blocks WHERE level > ?1)"),
    ("dal_slots_headers", "published_level > ?1"),
    ("inboxes", "inbox_level > ?1"),
    ("messages", "inbox_level > ?1"),
    ("commitments_published_at_levels", "first_published_at_level > ?1"),
    ("commitments", "inbox_level > ?1"),
    ("outbox_messages", "outbox_level > ?1"),
    ("l2_blocks", "level > ?1"),
    ("l2_levels", "level > ?1"),
];

fn begin(conn: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    conn.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// Writes a row as the nodes do.
pub(super) fn set(conn: &Connection, name: &str, hash: &str, level: i32) -> rusqlite::Result<()> {
    let row = "REPLACE INTO rollup_node_state (name, value, level) VALUES (?1, ?2, ?3)";
    conn.execute(row, params![name, hash, level]).map(drop)
}

//! The tables beside the chain: what the walk over the blocks does not come across, and how it must agree with them.
//!
//! A [`Side`] is such a table, as a reader gives it; [`judge`](Beside::judge) has the rules, one module each. What no rule
//! can prove is counted in [`Unproved`], and told in one line. `docs/STORE.md` lists every column.

mod left;
mod marks;
mod outboxes;
pub(super) mod protocols;
mod scan;
mod slots;
mod unproved;
mod values;

use alloc::vec::Vec;

use super::{Rows, State, States};
use crate::chain::{Migrations, OldLists};
use crate::context::Contexts;
use crate::feedback::Feedback;
use crate::problem::Result;
use crate::report::{Check, Problems};

pub(super) use scan::scan;

/// A table beside the chain. Readers give the values of [`Side::columns`], and where [`Side`] says so one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What the node remembers about where it is: the names.
    State,
    /// The protocols that it has met.
    Protocols,
    /// Slots of the DAL that were published. Last comes the level of their block; NULL without that block.
    SlotHeaders,
    /// Which slots were attested. Last comes the level of their block; NULL without that block.
    SlotStatuses,
    /// The outboxes. Last comes how many blocks of that level there are.
    Outboxes,
    /// Lists of messages that no block of the chain names.
    Messages,
    /// Inboxes that no block of the chain names.
    Inboxes,
    /// Commitments that no block of the chain names.
    Commitments,
    /// Blocks that are not in the chain.
    Blocks,
}

impl Side {
    /// The name of the table.
    pub const fn table(self) -> &'static str {
        match self {
            Self::State => "rollup_node_state",
            Self::Protocols => "protocols",
            Self::SlotHeaders => "dal_slots_headers",
            Self::SlotStatuses => "dal_slots_statuses",
            Self::Outboxes => "outbox_messages",
            Self::Messages => "messages",
            Self::Inboxes => "inboxes",
            Self::Commitments => "commitments",
            Self::Blocks => "l2_blocks",
        }
    }

    /// The columns that are read, in this order.
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::State => &["name"],
            Self::Protocols => &["hash", "proto_level", "first_level", "first_is_activation"],
            Self::SlotHeaders => &["block_hash", "slot_index", "published_level", "slot_commitment"],
            Self::SlotStatuses => &["block_hash", "slot_index", "attested"],
            Self::Outboxes => &["outbox_level", "messages", "executed_messages"],
            Self::Messages => &["payload_hashes_hash", "inbox_level", "message_list"],
            Self::Inboxes => &["hash", "inbox_level", "history_proof"],
            Self::Commitments => {
                &["hash", "inbox_level", "compressed_state", "predecessor", "number_of_ticks"]
            }
            Self::Blocks => &["block_hash", "level"],
        }
    }

    /// The column of `l2_blocks` that names the rows of this table, for those that the chain names.
    pub const fn named_by(self) -> Option<&'static str> {
        match self {
            Self::Messages => Some("inbox_witness"),
            Self::Inboxes => Some("inbox_hash"),
            Self::Commitments => Some("commitment_hash"),
            Self::Blocks => Some("block_hash"),
            _ => None,
        }
    }
}

/// The levels that the walk went through, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walked {
    /// The first available one.
    pub first: i32,
    /// The head.
    pub head: i32,
}

/// A node writes what it sees in a block of layer 1 before it writes the block itself: killed in between, and after layer
/// 1 has taken that block back, its rows are so many levels ahead of the head.
pub(super) const AHEAD: i32 = 2;

/// What is known when the tables beside the chain are judged.
pub(super) struct Beside<'a> {
    /// The levels of the chain.
    pub(super) walked: Walked,
    /// The level of the origination, if it is known.
    pub(super) genesis_level: Option<i32>,
    /// The marks of the store.
    pub(super) state: State,
    /// The lists of messages of the chain that lack layer 1's own.
    pub(super) old_lists: Option<OldLists>,
    /// Whether lists may be old whatever their messages are.
    pub(super) is_old_store: bool,
    /// The migrations that the messages of the chain speak of.
    pub(super) migrations: &'a Migrations,
    /// The contexts that are there.
    pub(super) contexts: Option<&'a Contexts>,
    /// Where a state is read.
    pub(super) states: Option<States<'a>>,
}

impl Beside<'_> {
    /// Holds the tables against the chain, and says what could not be.
    ///
    /// # Errors
    /// What reading the store can meet, and [`Code::Cancelled`](crate::Code::Cancelled).
    pub(super) fn judge(
        &self,
        store: &mut impl Rows,
        feedback: &dyn Feedback,
        problems: &mut Problems,
    ) -> Result<Vec<Check>> {
        let mut unproved = unproved::Unproved::default();
        let strange = marks::judge(self, store.is_in_files(), problems);
        protocols::judge(self, store, feedback, problems, &mut unproved)?;
        slots::judge(self, store, feedback, problems, &mut unproved)?;
        let left = outboxes::judge(self, store, feedback, problems, &mut unproved)?;
        let hashed = left::judge(self, store, feedback, problems, &mut unproved)?;
        let others = [left, hashed, unproved.check(store.is_in_files())].into_iter().flatten();
        Ok(strange.into_iter().chain(others).collect())
    }
}

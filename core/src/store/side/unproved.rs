//! What no rule can prove, in one line of a report.

use alloc::format;
use alloc::vec::Vec;

use crate::code::Code;
use crate::report::Check;
use crate::words::plural;

/// How many rows there are of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unproved {
    pub(super) protocols: u64,
    pub(super) slots: u64,
    pub(super) statuses: u64,
    pub(super) outboxes: u64,
    /// Outboxes among them that no state was held against.
    pub(super) unread_outboxes: u64,
    /// Blocks that are not in the chain.
    pub(super) blocks: u64,
    /// Rows of `rollup_node_state` that no node knows.
    pub(super) names: u64,
}

impl Unproved {
    /// The line; `None` where there is nothing to say.
    pub(super) fn check(&self, is_in_files: bool) -> Option<Check> {
        let parts = [
            (self.protocols, plural(self.protocols, "hash of a protocol", "hashes of protocols")),
            (self.slots, plural(self.slots, "commitment to a slot", "commitments to slots")),
            (self.statuses, plural(self.statuses, "attestation", "attestations")),
            (self.unread_outboxes, plural(self.unread_outboxes, "outbox", "outboxes")),
            (
                self.outboxes,
                plural(self.outboxes, "record of what was executed", "records of what was executed"),
            ),
            (self.blocks, plural(self.blocks, "block off the chain", "blocks off the chain")),
            (
                self.names,
                plural(self.names, "unknown row of rollup_node_state", "unknown rows of rollup_node_state"),
            ),
        ];
        let counted = parts.iter().filter(|(count, _)| *count > 0);
        let mut parts: Vec<_> = counted.map(|(count, what)| format!("{count} {what}")).collect();
        if is_in_files {
            parts.push("storage/irmin_store, and what other tables hold beside the chain".into());
        }
        if parts.is_empty() {
            return None;
        }
        let text =
            format!("not checked, as nothing in a store proves it: {} (docs/STORE.md)", parts.join(", "));
        Some(Check::unknown(Code::StoreUnproved, text))
    }
}

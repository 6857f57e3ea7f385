//! How long a value of the database may be: what a node writes there is bounded by the protocol, and what is longer
//! is refused before any memory is reserved for it.

use alloc::format;

use crate::code::Code;
use crate::problem::Problem;

/// Longest value of all, in bytes: the deflated messages of a level. A block of layer 1 has room for 512 KiB of
/// the operations that bring them.
pub const MAX_CELL: u64 = 8 << 20;

/// Longest text that is read, in bytes: the longest hash has 63 characters, a tick 39 digits, a set of the messages in
/// an outbox 31.
pub const MAX_TEXT: u64 = 1024;

/// Longest of the other values, in bytes. The cell of an inbox takes 2107 with as many back pointers as there can be; the
/// status of a PVM is a tag, or a text of some words and a hash.
const MAX_BLOB: u64 = 4096;

/// The longest value that a node writes into a column.
pub fn longest(table: &str, column: &str) -> u64 {
    match (table, column) {
        ("messages", "message_list") => MAX_CELL,
        ("inboxes", "history_proof") | ("l2_blocks", "pvm_status") => MAX_BLOB,
        _ => MAX_TEXT,
    }
}

/// A value that is longer. `path` is the name of the database.
pub fn too_long(path: &str, (table, column): (&str, &str), rowid: i64, found: u64) -> Problem {
    Problem::new(Code::StoreValue)
        .path(path)
        .expected(format_args!("at most {} bytes", longest(table, column)))
        .found(format_args!("{found} bytes"))
        .because(format!("column {column} of table {table}, row {rowid}"))
}

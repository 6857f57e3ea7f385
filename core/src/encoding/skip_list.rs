//! Skip lists with basis 4, as messages and inboxes are chained.
//!
//! Cell *i* points back to cells `i − (i mod 4^k) − 1`, for *k* from 0 as long as `4^k ≤ i`; cell
//! 0 points nowhere.

use alloc::vec::Vec;

/// The back pointers of the cell after one with this index, these back pointers and this hash.
pub(super) fn next_pointers(index: u128, pointers: &[[u8; 32]], hash: [u8; 32]) -> Vec<[u8; 32]> {
    let next = index.saturating_add(1);
    let mut power = 1u128;
    let mut result = Vec::with_capacity(pointers.len() + 1);
    while power <= next {
        let level = result.len();
        let pointer = match pointers.get(level) {
            Some(pointer) if next % power != 0 => *pointer,
            _ => hash,
        };
        result.push(pointer);
        let Some(larger) = power.checked_mul(4) else { break };
        power = larger;
    }
    result
}

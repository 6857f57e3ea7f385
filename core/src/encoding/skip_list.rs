//! Skip lists with basis 4, as messages and inboxes are chained.
//!
//! Cell *i* points back to cells `i − (i mod 4^k) − 1`, for *k* from 0 as long as `4^k ≤ i`; cell
//! 0 points nowhere.

use alloc::vec::Vec;

/// The back pointers of the cell after one with this index, these back pointers and this hash.
pub(super) fn next_pointers(index: u128, pointers: &[[u8; 32]], hash: [u8; 32]) -> Vec<[u8; 32]> {
    let mut next = pointers.to_vec();
    advance(index, &mut next, hash);
    next
}

/// Makes the back pointers of a cell those of the cell after it. Most stay: that is why a long list is chained in no
/// time.
pub(super) fn advance(index: u128, pointers: &mut Vec<[u8; 32]>, hash: [u8; 32]) {
    let next = index.saturating_add(1);
    // As many as powers of four are not above it, and those change whose power divides it.
    let count = (next.ilog2() / 2 + 1) as usize;
    let changed = (next.trailing_zeros() / 2 + 1) as usize;
    pointers.truncate(count);
    pointers.iter_mut().take(changed).for_each(|pointer| *pointer = hash);
    pointers.resize(count, hash);
}

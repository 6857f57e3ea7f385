//! The fan-out table of a `data` that is written.

use alloc::vec::Vec;

use super::Shape;

/// Bytes of entries that a slot of the table stands for, about: a page.
const PAGE: u64 = 4096;

/// The table for entries in the order of the hashes of their keys, of which there are `count`: where the last entry of
/// each slot begins, in bytes. Hashes are given in their order.
pub fn fan_out(shape: Shape, count: u64, hashes: impl Iterator<Item = u32>) -> Vec<u64> {
    let entry = shape.entry() as u64;
    let slots = count.saturating_mul(entry).div_ceil(PAGE).max(1).next_power_of_two();
    let shift = shape.order.bits() - slots.ilog2().min(shape.order.bits());
    let mut table = Vec::new();
    let (mut slot, mut last) = (0, 0);
    for (number, hash) in (0..).zip(hashes) {
        while slot < hash >> shift {
            // A slot without entries leads to where the one before it does.
            table.push(last);
            slot += 1;
        }
        last = number * entry;
    }
    table.resize(usize::try_from(slots).unwrap_or(usize::MAX), last);
    table
}

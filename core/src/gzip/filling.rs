//! Lets an inflater that reads whole bytes begin in the middle of one.

use alloc::vec::Vec;

/// Empty blocks whose last bit is bit `bits - 1` of their last byte. The rest of that byte comes from `byte`.
pub fn filling(bits: u32, byte: u8) -> Vec<u8> {
    let mut bytes = Bits::default();
    if bits % 2 == 1 {
        // A block with dynamic codes, as few as the format allows, in 93 bits. Of the 19 symbols that encode the lengths
        // of codes it uses two, 18 (the third) and 1 (the 18th), with one bit each.
        bytes.push(0b100, 3);
        bytes.push(0, 5 + 5);
        bytes.push(15, 4);
        bytes.push(1 << (3 * 2) | 1 << (3 * 17), 3 * 19);
        // A run of 138 zeros and one of 118; then length 1 for the end of the block, and for one distance.
        bytes.push(0b1 | (138 - 11) << 1, 8);
        bytes.push(0b1 | (118 - 11) << 1, 8);
        bytes.push(0, 2);
        bytes.push(0, 1);
    }
    while bytes.len % 8 != bits {
        // Fixed codes, in ten bits.
        bytes.push(0b010, 10);
    }
    bytes.push(u128::from(byte >> bits), 8 - bits);
    let len = bytes.len as usize / 8;
    bytes.value.to_le_bytes().into_iter().take(len).collect()
}

/// Up to 128 bits, from the lowest on.
#[derive(Default)]
struct Bits {
    value: u128,
    len: u32,
}

impl Bits {
    fn push(&mut self, bits: u128, len: u32) {
        self.value |= bits << self.len;
        self.len += len;
    }
}

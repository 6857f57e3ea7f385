//! Beginning within a byte, for an inflater that cannot.

use alloc::vec::Vec;

/// Empty blocks that end `bits` bits after the beginning of a byte, which is filled up from `byte`.
pub fn filling(bits: u32, byte: u8) -> Vec<u8> {
    let mut bytes = Bits::default();
    if bits % 2 == 1 {
        // Dynamic codes, as few as are allowed, in 93 bits. Lengths of codes are told by 19 codes, of which
        // those for 18 (the third) and for 1 (the 18th) are used, each one bit long.
        bytes.push(0b100, 3);
        bytes.push(0, 5 + 5);
        bytes.push(15, 4);
        bytes.push(1 << (3 * 2) | 1 << (3 * 17), 3 * 19);
        // 138 and 118 times zero; then 1 for the end of a block, and 1 for a distance.
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

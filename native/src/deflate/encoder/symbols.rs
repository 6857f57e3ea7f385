//! The symbols of lengths and distances (RFC 1951, 3.2.5).

/// The symbol that ends a block.
pub(super) const END: usize = 256;

/// How many symbols stand for lengths.
pub(super) const LENGTHS: usize = 29;
/// Extra bits of the length symbols from 257 on; the last is for 258 alone.
pub(super) const LENGTH_EXTRA: [u8; LENGTHS] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
/// Shortest length of each of these symbols, less 3.
pub(super) const LENGTH_BASE: [u8; LENGTHS] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192,
    224, 255,
];
/// The symbol of each length, less 3.
pub(super) const LENGTH_SYMBOL: [u8; 256] = {
    let mut table = [0; 256];
    let mut symbol = 0;
    while symbol < LENGTHS {
        let mut length = LENGTH_BASE[symbol] as usize;
        while length < 256 {
            table[length] = symbol as u8;
            length += 1;
        }
        symbol += 1;
    }
    table
};

/// The symbol of a distance and the number of its extra bits.
#[inline(always)]
pub(super) fn distance_symbol(distance: u16) -> (usize, u32) {
    let less = u32::from(distance - 1);
    if less < 4 {
        return (less as usize, 0);
    }
    // The two highest bits tell the symbol, the others follow it.
    let extra = less.ilog2() - 1;
    ((2 * extra + (less >> extra)) as usize, extra)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some rows of the tables of RFC 1951, 3.2.5.
    #[test]
    fn symbols_are_those_of_the_rfc() {
        for (length, symbol, extra) in [
            (3, 257, 0),
            (10, 264, 0),
            (11, 265, 1),
            (12, 265, 1),
            (130, 280, 4),
            (257, 284, 5),
            (258, 285, 0),
        ] {
            let found = LENGTH_SYMBOL[length - 3];
            assert_eq!(
                (usize::from(found) + 257, LENGTH_EXTRA[usize::from(found)]),
                (symbol, extra),
                "{length}"
            );
        }
        for (distance, symbol, extra) in [
            (1, 0, 0),
            (4, 3, 0),
            (5, 4, 1),
            (6, 4, 1),
            (7, 5, 1),
            (193, 15, 6),
            (24577, 29, 13),
            (32768, 29, 13),
        ] {
            assert_eq!(distance_symbol(distance), (symbol, extra), "{distance}");
        }
    }
}

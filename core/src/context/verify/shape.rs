//! The one shape that a directory may have: which parts it consists of follows from its entries.
//!
//! Names are placed by the bits of their hashes. A directory with one or two entries is a list; one
//! with more is a tree over bit 0, 1, 2 …, whose branches end as lists where one or two entries are
//! left. A part cannot know where it hangs, so it tells its parent a few [`Facts`].

use alloc::vec::Vec;

use super::super::pack::hashing;

/// What a parent must know of a part of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// The bits of the hash of one of its names.
    bits: u64,
    /// How many entries there are below (48 bits), what it is (8), and on how many bits all its
    /// names agree (8).
    rest: u64,
}

/// A part is a list of entries, not a tree of some depth.
const VALUES: u64 = 0xfd;
/// Nothing is known, and why has been told.
const UNKNOWN: u64 = 0xfe;
/// Nothing is known yet.
const PENDING: u64 = 0xff;

/// Greatest depth of a tree.
pub(super) const MAX_DEPTH: u64 = 50;

impl Facts {
    pub(super) const PENDING: Self = Self { bits: 0, rest: PENDING << 8 };
    pub(super) const UNKNOWN: Self = Self { bits: 0, rest: UNKNOWN << 8 };

    /// How many bytes it takes where it is put away.
    pub(super) const LEN: usize = 16;

    /// What is put away.
    pub(super) fn to_bytes(self) -> [u8; Self::LEN] {
        (u128::from(self.bits) | u128::from(self.rest) << 64).to_le_bytes()
    }

    /// What was put away.
    pub(super) const fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let both = u128::from_le_bytes(*bytes);
        Self { bits: both as u64, rest: (both >> 64) as u64 }
    }

    /// A list of entries: the bits of one, how many they are, and on how many bits they agree.
    pub(super) const fn values(bits: u64, count: u64, agree: u32) -> Self {
        Self::pack(bits, count, VALUES, agree)
    }

    /// A tree that was judged elsewhere: the bits of one of its names, how many it has, and its depth.
    pub(super) const fn judged(bits: u64, count: u64, depth: u64) -> Self {
        Self::pack(bits, count, depth, depth as u32)
    }

    /// The bits of one of its names.
    pub(super) const fn bits(self) -> u64 {
        self.bits
    }

    const fn pack(bits: u64, count: u64, what: u64, agree: u32) -> Self {
        Self { bits, rest: count << 16 | what << 8 | agree as u64 }
    }

    pub(super) fn is_pending(self) -> bool {
        self.what() == PENDING
    }

    pub(super) fn is_unknown(self) -> bool {
        self.what() == UNKNOWN
    }

    fn what(self) -> u64 {
        self.rest >> 8 & 0xff
    }

    fn count(self) -> u64 {
        self.rest >> 16
    }

    fn agree(self) -> u32 {
        (self.rest & 0xff) as u32
    }
}

/// The facts of a list of entries, from the bits of their names.
pub(super) fn of_values(mut bits: impl Iterator<Item = u64>) -> Facts {
    let Some(first) = bits.next() else { return Facts::UNKNOWN };
    let (count, agree) = bits
        .fold((1, u64::BITS), |(count, agree), bits| (count + 1, agree.min((bits ^ first).leading_zeros())));
    Facts::values(first, count, agree)
}

/// Judges a tree by what its branches say: `(bit, facts)` each. `Err`: what is wrong with it.
pub(super) fn of_tree(
    root: bool,
    depth: u64,
    len: u64,
    branches: &[(u64, Facts)],
) -> core::result::Result<Facts, &'static str> {
    if root && depth != 0 {
        return Err("a directory begins at depth 0");
    }
    if !root && (depth == 0 || depth > MAX_DEPTH) {
        return Err("a part of a directory has an impossible depth");
    }
    if len <= 2 {
        return Err("a tree has more than two entries");
    }
    if len >> 48 != 0 {
        return Err("a tree has an impossible number of entries");
    }
    let (first, second) = match branches {
        [] => return Err("a tree has no branch"),
        [one] => (*one, None),
        [zero, one, ..] => (*zero, Some(*one)),
    };
    if first.0 > 1 || second.is_some_and(|second| second.0 != 1 || first.0 != 0) {
        return Err("the branches of a tree are not its bits in order");
    }
    let mut sum = 0u64;
    for (bit, facts) in [Some(first), second].into_iter().flatten() {
        if facts.is_unknown() || facts.is_pending() {
            return Ok(Facts::UNKNOWN);
        }
        if facts.what() != VALUES && facts.what() != depth + 1 {
            return Err("a branch does not go one bit deeper");
        }
        if u64::from(facts.agree()) <= depth || facts.bits >> (63 - depth) & 1 != bit {
            return Err("a name is not on the path of the bits of its hash");
        }
        sum = sum.saturating_add(facts.count());
    }
    if sum != len {
        return Err("a tree has another number of entries than its branches together");
    }
    let facts = match second {
        None => Facts::pack(first.1.bits, len, depth, first.1.agree()),
        Some(second) => {
            let apart = (first.1.bits ^ second.1.bits).leading_zeros();
            let agree = apart.min(first.1.agree()).min(second.1.agree());
            Facts::pack(first.1.bits, len, depth, agree)
        }
    };
    // Both branches of each tree above must agree on the bits above this one.
    if u64::from(facts.agree()) < depth {
        return Err("the names of a tree do not agree on the bits above it");
    }
    Ok(facts)
}

/// The bits of names, kept for those that come again and again: short ones and those of the
/// dictionary.
#[derive(Debug, Default)]
pub(super) struct Bits {
    short: Vec<(u64, u64)>,
    dict: Vec<u64>,
}

impl Bits {
    const SHORT: usize = 1 << 12;
    const DICT: usize = 1 << 20;

    /// The bits of a name, which has this number in the dictionary if it has one.
    pub(super) fn of(&mut self, step: &[u8], number: Option<u64>) -> u64 {
        match number.and_then(|number| usize::try_from(number).ok()) {
            Some(number) if number < Self::DICT => {
                if number >= self.dict.len() {
                    self.dict.resize(number + 1, 0);
                }
                match self.dict.get_mut(number) {
                    Some(bits @ 0) => {
                        *bits = hashing::bits(step);
                        *bits
                    }
                    bits => bits.map_or(0, |bits| *bits),
                }
            }
            _ => self.of_short(step),
        }
    }

    fn of_short(&mut self, step: &[u8]) -> u64 {
        if step.len() > 7 {
            return hashing::bits(step);
        }
        let mut key = [0; 8];
        key[..step.len()].copy_from_slice(step);
        // A length above 0 tells a name from an empty place.
        key[7] = step.len() as u8 + 1;
        let key = u64::from_le_bytes(key);
        if self.short.is_empty() {
            self.short.resize(Self::SHORT, (0, 0));
        }
        let at = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as usize;
        let Some(place) = self.short.get_mut(at) else { return hashing::bits(step) };
        if place.0 != key {
            *place = (key, hashing::bits(step));
        }
        place.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the format description (section 9): names a, b, c have the bits 1000…, 0110…,
    /// 1110…, so that b is alone and a and c are together.
    #[test]
    fn three_names() {
        let mut bits = Bits::default();
        let [a, b, c] = [b"a", b"b", b"c"].map(|step| bits.of(step, None));
        assert_eq!([a >> 60, b >> 60, c >> 60], [0b1000, 0b0110, 0b1110]);
        let (left, right) = (of_values([b].into_iter()), of_values([a, c].into_iter()));
        assert_eq!((right.count(), right.agree()), (2, 1));
        assert!(of_tree(true, 0, 3, &[(0, left), (1, right)]).is_ok());
        for (root, depth, len, branches) in [
            (true, 0, 3, &[(1, left), (1, right)][..]),
            (true, 0, 3, &[(1, right), (0, left)]),
            (true, 0, 3, &[(0, right), (1, left)]),
            (true, 0, 4, &[(0, left), (1, right)]),
            (true, 1, 3, &[(0, left), (1, right)]),
            (false, 0, 3, &[(0, left), (1, right)]),
            (false, 51, 3, &[(0, left), (1, right)]),
            (true, 0, 2, &[(1, right)]),
            (true, 0, 3, &[]),
            (true, 0, 3, &[(2, right)]),
        ] {
            assert!(of_tree(root, depth, len, branches).is_err(), "{root} {depth} {len} {branches:?}");
        }
    }

    /// A tree with one branch is right where all names share the bit.
    #[test]
    fn one_branch() {
        let names = [0b1100 << 60, 0b1101 << 60, 0b1111 << 60];
        let pair = of_values(names[..2].iter().copied());
        let single = of_values(names[2..].iter().copied());
        let lower = of_tree(false, 2, 3, &[(0, pair), (1, single)]).unwrap();
        let upper = of_tree(false, 1, 3, &[(1, lower)]).unwrap();
        assert!(of_tree(true, 0, 3, &[(1, upper)]).is_ok());
        assert!(of_tree(true, 0, 3, &[(1, lower)]).is_err());
        assert!(of_tree(true, 0, 3, &[(0, upper)]).is_err());
    }
}

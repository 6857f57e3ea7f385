//! Places in a block of 64 KiB, each once: a sorted list of few, a bit for each possible one of many.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// From so many on, bits take less than a list, and a list takes long to be kept sorted.
const MANY: usize = 1 << 12;

/// How many words of bits there are.
const WORDS: usize = (1 << 16) / 64;

/// Places of one block.
#[derive(Debug)]
pub(super) enum Places {
    /// Ascending.
    Few(Vec<u16>),
    Many {
        bits: Box<[u64]>,
        count: usize,
        /// No word from here on has any.
        end: usize,
    },
}

impl Places {
    /// Adds a place; `false` when it was there already.
    pub(super) fn insert(&mut self, place: u16) -> bool {
        match self {
            Self::Few(list) => match list.binary_search(&place) {
                Ok(_) => return false,
                Err(_) if list.len() >= MANY => {
                    *self = Self::bits(list);
                    return self.insert(place);
                }
                Err(at) => list.insert(at, place),
            },
            Self::Many { bits, count, end } => {
                let (word, bit) = split(place);
                let Some(bits) = bits.get_mut(word).filter(|bits| **bits & bit == 0) else { return false };
                *bits |= bit;
                *count += 1;
                *end = (*end).max(word + 1);
            }
        }
        true
    }

    /// Whether a place is there.
    pub(super) fn contains(&self, place: u16) -> bool {
        match self {
            Self::Few(list) => list.binary_search(&place).is_ok(),
            Self::Many { bits, .. } => {
                let (word, bit) = split(place);
                bits.get(word).is_some_and(|bits| bits & bit != 0)
            }
        }
    }

    /// Takes the last place out.
    pub(super) fn pop(&mut self) -> Option<u16> {
        match self {
            Self::Few(list) => list.pop(),
            Self::Many { bits, count, end } => {
                while let Some(word) = end.checked_sub(1) {
                    let Some(bits) = bits.get_mut(word).filter(|bits| **bits != 0) else {
                        *end = word;
                        continue;
                    };
                    let bit = bits.ilog2();
                    *bits ^= 1 << bit;
                    *count -= 1;
                    return Some((word * 64) as u16 | bit as u16);
                }
                None
            }
        }
    }

    /// Adds all of another.
    pub(super) fn merge(&mut self, other: Self) {
        if self.len() == 0 {
            *self = other;
        } else {
            for place in other.iter() {
                self.insert(place);
            }
        }
        if let Self::Few(list) = self {
            list.shrink_to_fit();
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few(list) => list.len(),
            Self::Many { count, .. } => *count,
        }
    }

    /// Memory taken, in bytes.
    pub(super) fn memory(&self) -> usize {
        match self {
            Self::Few(list) => 2 * list.capacity(),
            Self::Many { bits, .. } => 8 * bits.len(),
        }
    }

    /// All of them, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = u16> {
        let (list, bits) = match self {
            Self::Few(list) => (&list[..], &[][..]),
            Self::Many { bits, .. } => (&[][..], &bits[..]),
        };
        let places = bits.iter().enumerate().flat_map(|(word, bits)| {
            let set = (0..64u16).filter(move |bit| bits >> bit & 1 != 0);
            set.map(move |bit| (word * 64) as u16 | bit)
        });
        list.iter().copied().chain(places)
    }

    fn bits(list: &[u16]) -> Self {
        let mut many = Self::Many { bits: vec![0; WORDS].into(), count: 0, end: 0 };
        for place in list {
            many.insert(*place);
        }
        many
    }
}

impl Default for Places {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

fn split(place: u16) -> (usize, u64) {
    (usize::from(place / 64), 1 << (place % 64))
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    /// Few and many, in any order, compared with a set.
    #[test]
    fn places_are_a_set() {
        for count in [1, 10, MANY, MANY + 1, 30_000, 65_536] {
            let (mut places, mut set) = (Places::default(), BTreeSet::new());
            for number in 0..count {
                let place = (number * 40_503 % 65_536) as u16;
                assert_eq!(places.insert(place), set.insert(place));
                assert!(!places.insert(place) && places.contains(place));
            }
            assert_eq!(places.len(), set.len());
            assert!(places.iter().eq(set.iter().copied()), "{count}");
            assert!(places.memory() <= 4 * MANY);
            let mut other = Places::default();
            assert!([0, 3, 65_535].into_iter().all(|place| other.insert(place)));
            set.extend([0, 3, 65_535]);
            places.merge(other);
            assert!((0..=u16::MAX).all(|place| places.contains(place) == set.contains(&place)));
            while let Some(place) = places.pop() {
                assert_eq!(Some(place), set.pop_last());
                if place == 700 {
                    // What comes back in between comes out again.
                    assert!(places.insert(800) && set.insert(800));
                    assert_eq!((places.pop(), set.pop_last()), (Some(800), Some(800)));
                }
            }
            assert!(set.is_empty());
        }
    }
}

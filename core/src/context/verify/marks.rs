//! Which places of a context are wanted: two bytes each, in blocks of 64 KiB.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::table::Spot;

const BITS: u32 = 16;

/// Places, each once.
#[derive(Debug, Default)]
pub(super) struct Marks(BTreeMap<(u32, u64), Vec<u16>>);

/// The places of one block, ascending.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) part: u32,
    pub(super) number: u64,
    places: Vec<u16>,
}

impl Marks {
    /// Marks a place; `false` when it was marked already.
    pub(super) fn insert(&mut self, spot: Spot) -> bool {
        let (key, place) = split(spot);
        insert(self.0.entry(key).or_default(), place)
    }

    /// Whether a place is marked.
    pub(super) fn contains(&self, spot: Spot) -> bool {
        let (key, place) = split(spot);
        self.0.get(&key).is_some_and(|places| places.binary_search(&place).is_ok())
    }

    /// Takes the last block out.
    pub(super) fn pop(&mut self) -> Option<Block> {
        let ((part, number), places) = self.0.pop_last()?;
        Some(Block { part, number, places })
    }

    /// Adds a whole block.
    pub(super) fn add(&mut self, block: Block) {
        let places = self.0.entry((block.part, block.number)).or_default();
        if places.is_empty() {
            *places = block.places;
        } else {
            places.extend(block.places);
            places.sort_unstable();
            places.dedup();
        }
        places.shrink_to_fit();
    }

    /// Adds all of another.
    pub(super) fn merge(&mut self, other: Self) {
        for ((part, number), places) in other.0 {
            self.add(Block { part, number, places });
        }
    }

    /// All places, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = Spot> {
        self.0.iter().flat_map(|((part, number), places)| {
            places.iter().map(|place| Spot { part: *part, position: *number << BITS | u64::from(*place) })
        })
    }

    /// Memory taken, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.0.values().map(|places| 2 * places.capacity() + 64).sum()
    }
}

impl Block {
    /// A block with these places still to come, and none yet.
    pub(super) fn empty(&self) -> Self {
        Self { part: self.part, number: self.number, places: Vec::new() }
    }

    /// Takes the last place out.
    pub(super) fn pop(&mut self) -> Option<Spot> {
        let place = self.places.pop()?;
        Some(Spot { part: self.part, position: self.number << BITS | u64::from(place) })
    }

    /// Adds a place, if it is of this block; `None` if it is not.
    pub(super) fn insert(&mut self, spot: Spot) -> Option<bool> {
        let (key, place) = split(spot);
        (key == (self.part, self.number)).then(|| insert(&mut self.places, place))
    }

    /// Whether it has a place.
    pub(super) fn contains(&self, spot: Spot) -> bool {
        let (key, place) = split(spot);
        key == (self.part, self.number) && self.places.binary_search(&place).is_ok()
    }
}

fn split(spot: Spot) -> ((u32, u64), u16) {
    ((spot.part, spot.position >> BITS), spot.position as u16)
}

fn insert(places: &mut Vec<u16>, place: u16) -> bool {
    match places.binary_search(&place) {
        Ok(_) => false,
        Err(at) => {
            places.insert(at, place);
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back_in_order() {
        let mut marks = Marks::default();
        let spot = |part, position| Spot { part, position };
        for (part, position) in [(1, 70_000), (0, 5), (1, 3), (0, 65_536), (0, 65_535), (1, 70_000)] {
            assert_eq!(
                marks.insert(spot(part, position)),
                marks.0.len() < 4 || (part, position) != (1, 70_000)
            );
        }
        let listed: Vec<Spot> = marks.iter().collect();
        let wanted = [(0, 5), (0, 65_535), (0, 65_536), (1, 3), (1, 70_000)].map(|(part, at)| spot(part, at));
        assert_eq!(listed, wanted);
        let mut last = marks.pop().unwrap();
        assert_eq!(last.insert(spot(1, 80_000)), Some(true));
        assert_eq!(last.insert(spot(1, 10)), None);
        assert_eq!(last.pop(), Some(spot(1, 80_000)));
        marks.add(last);
        assert!(marks.contains(spot(1, 70_000)) && !marks.contains(spot(1, 80_000)));
    }
}

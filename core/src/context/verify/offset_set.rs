//! Which places of a context are wanted: two bytes each at most, in blocks of 64 KiB.

use alloc::collections::BTreeMap;

use super::places::Places;
use super::table::Spot;

const BITS: u32 = 16;

/// What a block takes beside its places, in bytes: about as much.
const BLOCK: u64 = 96;

/// Places, each once.
#[derive(Debug, Default)]
pub(super) struct OffsetSet {
    blocks: BTreeMap<(u32, u64), Places>,
    /// How many places there are.
    count: u64,
}

/// The places of one block, ascending.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) part: u32,
    pub(super) number: u64,
    places: Places,
}

impl OffsetSet {
    /// OffsetSet a place; `false` when it was marked already.
    pub(super) fn insert(&mut self, spot: Spot) -> bool {
        let (key, place) = split(spot);
        let is_new = self.blocks.entry(key).or_default().insert(place);
        self.count += u64::from(is_new);
        is_new
    }

    /// Whether a place is marked.
    pub(super) fn contains(&self, spot: Spot) -> bool {
        let (key, place) = split(spot);
        self.blocks.get(&key).is_some_and(|places| places.contains(place))
    }

    /// Takes the last block out.
    pub(super) fn pop(&mut self) -> Option<Block> {
        let ((part, number), places) = self.blocks.pop_last()?;
        self.count -= places.len() as u64;
        Some(Block { part, number, places })
    }

    /// Adds a whole block.
    pub(super) fn add(&mut self, block: Block) {
        let places = self.blocks.entry((block.part, block.number)).or_default();
        self.count -= places.len() as u64;
        places.merge(block.places);
        self.count += places.len() as u64;
    }

    /// Adds all of another.
    pub(super) fn merge(&mut self, other: Self) {
        for ((part, number), places) in other.blocks {
            self.add(Block { part, number, places });
        }
    }

    /// All places, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = Spot> {
        self.blocks.iter().flat_map(|((part, number), places)| {
            places.iter().map(|place| Spot { part: *part, position: *number << BITS | u64::from(place) })
        })
    }

    /// About how much memory it takes, in bytes. This can be asked for at any time.
    pub(super) fn taken(&self) -> u64 {
        // Lists that grow have room for half as much again, on average.
        3 * self.count + BLOCK * self.blocks.len() as u64
    }

    /// Memory taken, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.blocks.values().map(|places| places.memory() + 64).sum()
    }
}

impl Block {
    /// A block with these places still to come, and none yet.
    pub(super) fn empty(&self) -> Self {
        Self { part: self.part, number: self.number, places: Places::default() }
    }

    /// Takes the last place out.
    pub(super) fn pop(&mut self) -> Option<Spot> {
        let place = self.places.pop()?;
        Some(Spot { part: self.part, position: self.number << BITS | u64::from(place) })
    }

    /// Adds a place, if it is of this block; `None` if it is not.
    pub(super) fn insert(&mut self, spot: Spot) -> Option<bool> {
        let (key, place) = split(spot);
        (key == (self.part, self.number)).then(|| self.places.insert(place))
    }

    /// Whether it has a place.
    pub(super) fn contains(&self, spot: Spot) -> bool {
        let (key, place) = split(spot);
        key == (self.part, self.number) && self.places.contains(place)
    }
}

fn split(spot: Spot) -> ((u32, u64), u16) {
    ((spot.part, spot.position >> BITS), spot.position as u16)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn places_come_back_in_order() {
        let mut marks = OffsetSet::default();
        let spot = |part, position| Spot { part, position };
        for (part, position) in [(1, 70_000), (0, 5), (1, 3), (0, 65_536), (0, 65_535), (1, 70_000)] {
            assert_eq!(
                marks.insert(spot(part, position)),
                marks.blocks.len() < 4 || (part, position) != (1, 70_000)
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

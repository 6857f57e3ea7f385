//! The mapping of a collected store: which ranges of the old offsets live on, and where in the
//! prefix they are.

use alloc::vec::Vec;

use super::Malformed;

/// Length of a record, in bytes.
const RECORD: usize = 24;

/// A range that lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// First global offset.
    pub offset: u64,
    /// Where it begins in the prefix.
    pub position: u64,
    /// Its length, in bytes.
    pub len: u64,
}

/// The ranges of a prefix: ascending, apart from each other, back to back in the prefix.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    ranges: Vec<Range>,
}

impl Mapping {
    /// Reads the part of a mapping file that counts: records of 24 bytes, **little-endian**.
    ///
    /// # Errors
    /// When it is not a whole number of records, or they are not in order, overlap, are empty or
    /// are not back to back in the prefix.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let (records, rest) = bytes.as_chunks::<RECORD>();
        if !rest.is_empty() {
            return Err(Malformed("its length is not a multiple of 24"));
        }
        let mut ranges = Vec::with_capacity(records.len());
        let (mut free, mut next) = (0, 0);
        for record in records {
            let number =
                |at: usize| record[at..].first_chunk().map_or(u64::MAX, |bytes| u64::from_le_bytes(*bytes));
            let range = Range { offset: number(0), position: number(8), len: number(16) };
            if range.offset < free || range.len == 0 {
                return Err(Malformed("its ranges overlap, are empty or not in order"));
            }
            if range.position != next {
                return Err(Malformed("its ranges are not back to back in the prefix"));
            }
            let too_large = Malformed("a range is too large");
            free = range.offset.checked_add(range.len).ok_or(too_large)?;
            next = range.position.checked_add(range.len).ok_or(too_large)?;
            ranges.push(range);
        }
        Ok(Self { ranges })
    }

    /// Makes a mapping of ranges that are given in order as (global offset, length); neighbours
    /// become one.
    pub fn of(ranges: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut mapping = Self::default();
        let mut position = 0;
        for (offset, len) in ranges {
            match mapping.ranges.last_mut() {
                Some(last) if last.offset + last.len == offset => last.len += len,
                _ => mapping.ranges.push(Range { offset, position, len }),
            }
            position += len;
        }
        mapping
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let numbers = self.ranges.iter().flat_map(|range| [range.offset, range.position, range.len]);
        numbers.flat_map(u64::to_le_bytes).collect()
    }

    /// Where in the prefix the byte of this global offset is, and how many bytes of its range
    /// follow, itself included; `None` when it was collected.
    pub fn find(&self, offset: u64) -> Option<(u64, u64)> {
        let after = self.ranges.partition_point(|range| range.offset <= offset);
        let range = self.ranges.get(after.checked_sub(1)?)?;
        let within = offset - range.offset;
        (within < range.len).then(|| (range.position + within, range.len - within))
    }

    /// The global offset of the byte at this position of the prefix; `None` beyond its end.
    pub fn offset_of(&self, position: u64) -> Option<u64> {
        let after = self.ranges.partition_point(|range| range.position <= position);
        let range = self.ranges.get(after.checked_sub(1)?)?;
        let within = position - range.position;
        (within < range.len).then_some(range.offset + within)
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// How long the prefix must be, in bytes.
    pub fn prefix_len(&self) -> u64 {
        self.ranges.last().map_or(0, |last| last.position + last.len)
    }

    /// First global offset behind the last range.
    pub fn end(&self) -> u64 {
        self.ranges.last().map_or(0, |last| last.offset + last.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first records of a real store, as the format description shows them.
    #[test]
    fn ranges_of_a_real_store() {
        let numbers = [[0u64, 0, 35], [186, 35, 34], [255, 69, 6317]];
        let bytes: Vec<u8> = numbers.as_flattened().iter().flat_map(|n| n.to_le_bytes()).collect();
        let mapping = Mapping::parse(&bytes).unwrap();
        assert_eq!(mapping.find(0), Some((0, 35)));
        assert_eq!(mapping.find(34), Some((34, 1)));
        assert_eq!(mapping.find(35), None);
        assert_eq!(mapping.find(190), Some((39, 30)));
        assert_eq!(mapping.find(6571), Some((6385, 1)));
        assert_eq!(mapping.find(6572), None);
        assert_eq!(mapping.offset_of(69), Some(255));
        assert_eq!(mapping.offset_of(6386), None);
        assert_eq!((mapping.prefix_len(), mapping.end()), (6386, 6572));
        assert_eq!(mapping.to_bytes(), bytes);
        let again = Mapping::of([(0, 30), (30, 5), (186, 34), (255, 6317)]);
        assert_eq!(again.to_bytes(), bytes);
        let mut swapped = bytes.clone();
        swapped.rotate_left(24);
        for bad in [&bytes[..47], &bytes[24..], &swapped] {
            assert!(Mapping::parse(bad).is_err());
        }
    }
}

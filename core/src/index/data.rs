//! The sorted part of an index, with a fan-out table before it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::RangeInclusive;

use super::{Header, Shape};
use crate::problem::{Problem, Result};
use crate::read_at::ReadAt;

/// `data`: entries in the order of the hashes of their keys.
#[derive(Debug)]
pub(super) struct Data<R> {
    pub(super) file: R,
    pub(super) count: u64,
    /// Offset of the first entry, in bytes.
    pub(super) start: u64,
    shape: Shape,
    /// How many leading bits of a hash tell its place in the fan-out table.
    fan_bits: u32,
    path: String,
}

/// Most neighbours with the hash of the wanted key. Among keys that were not made to collide there
/// are two or three.
const MAX_NEIGHBOURS: u64 = 1000;

/// After so many steps of interpolation the search goes on by halves, which always ends soon.
const INTERPOLATIONS: u32 = 32;

impl<R: ReadAt> Data<R> {
    pub(super) fn open(file: R, header: &Header, count: u64, shape: Shape, path: &str) -> Result<Self> {
        let fans = header.fan_out / 8;
        if !header.fan_out.is_multiple_of(8) || !fans.is_power_of_two() || fans.ilog2() > shape.order.bits() {
            return Err(Problem::damaged_store(path, "its fan-out table has an impossible length")
                .expected("8 bytes for each of a power of two of slots")
                .found(header.fan_out));
        }
        let start = Header::LEN as u64 + header.fan_out;
        Ok(Self { file, count, start, shape, fan_bits: fans.ilog2(), path: path.into() })
    }

    /// The value of a key.
    pub(super) fn find(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let wanted = self.shape.order.hash(key);
        let slot = u64::from(wanted >> (self.shape.order.bits() - self.fan_bits));
        let (mut low, mut high) = self.range(slot)?.into_inner();
        let (mut low_hash, mut high_hash) = (self.hash_at(low)?, self.hash_at(high)?);
        for step in 0.. {
            if wanted < low_hash || wanted > high_hash {
                return Ok(None);
            }
            let middle = if low_hash == high_hash {
                low
            } else if step < INTERPOLATIONS {
                let part = u128::from(wanted - low_hash) * u128::from(high - low);
                // At most `high - low`, as `wanted` is at most `high_hash`.
                low + (part / u128::from(high_hash - low_hash)) as u64
            } else {
                low.midpoint(high)
            };
            match wanted.cmp(&self.hash_at(middle)?) {
                Ordering::Equal => return self.around(key, wanted, middle),
                Ordering::Greater if middle < high => {
                    low = middle + 1;
                    low_hash = self.hash_at(low)?;
                }
                Ordering::Less if middle > low => {
                    high = middle - 1;
                    high_hash = self.hash_at(high)?;
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Checks that every key can be found: order and fan-out. Gives the number of the first entry
    /// that a node does not find, if there is one.
    pub(super) fn misplaced(&self) -> Result<Option<u64>> {
        let last_slot = (1 << self.fan_bits) - 1;
        for slot in 0..=last_slot {
            self.range(slot)?;
        }
        if self.slot(last_slot)? != self.count - 1 {
            return Err(self.damaged("its fan-out table does not lead to the last entry"));
        }
        let mut buffer = Vec::new();
        let (mut at, mut last) = (0, 0);
        let mut before = Vec::new();
        let (mut bucket, mut range) = (None, 0..=0);
        while at < self.count {
            for entry in super::entries(&self.file, self.start, at, self.count, self.shape, &mut buffer)? {
                let hash = self.hash_of(entry);
                let slot = u64::from(hash >> (self.shape.order.bits() - self.fan_bits));
                if bucket.replace(slot) != Some(slot) {
                    range = self.range(slot)?;
                }
                if hash < last || !range.contains(&at) {
                    return Ok(Some(at));
                }
                let key = entry.get(..self.shape.key).unwrap_or_default();
                if at > 0 && hash == last && before == key {
                    return Err(self.damaged("it has a key twice, which no merge leaves"));
                }
                before.clear();
                before.extend_from_slice(key);
                last = hash;
                at += 1;
            }
        }
        Ok(None)
    }

    /// Among the entries with the wanted hash around `middle`, the one of this key.
    fn around(&self, key: &[u8], wanted: u32, middle: u64) -> Result<Option<Vec<u8>>> {
        let mut seen = 0;
        let mut number = middle;
        let mut upwards = false;
        loop {
            let mut entry = self.entry(number)?;
            let same = self.hash_of(&entry) == wanted;
            if same && entry.starts_with(key) {
                return Ok(Some(entry.split_off(self.shape.key)));
            }
            seen += 1;
            if seen > MAX_NEIGHBOURS {
                return Err(self.damaged("more than 1000 keys were made to have the same hash"));
            }
            // Down to the first of them, then up to the last.
            number = match (upwards, same && number > 0) {
                (false, true) => number - 1,
                (false, false) => middle + 1,
                (true, _) => number + 1,
            };
            let ends = upwards && !same;
            upwards |= number > middle;
            if ends || number >= self.count {
                return Ok(None);
            }
        }
    }

    /// The entries among which those of a slot are: from the last one of the slot before.
    fn range(&self, slot: u64) -> Result<RangeInclusive<u64>> {
        let low = if slot == 0 { 0 } else { self.slot(slot - 1)? };
        let high = self.slot(slot)?;
        if low > high {
            return Err(self.damaged("its fan-out table does not ascend"));
        }
        Ok(low..=high)
    }

    /// The number of the entry that a slot of the fan-out table names.
    fn slot(&self, slot: u64) -> Result<u64> {
        let mut bytes = [0; 8];
        self.file.read_at(Header::LEN as u64 + slot * 8, &mut bytes)?;
        let offset = u64::from_be_bytes(bytes);
        let number = offset / self.shape.entry() as u64;
        if !offset.is_multiple_of(self.shape.entry() as u64) || number >= self.count {
            let what = format!("slot {slot} of its fan-out table names no entry");
            return Err(self.damaged(&what).found(offset));
        }
        Ok(number)
    }

    fn hash_at(&self, number: u64) -> Result<u32> {
        Ok(self.hash_of(&self.entry(number)?))
    }

    fn hash_of(&self, entry: &[u8]) -> u32 {
        self.shape.order.hash(entry.get(..self.shape.key).unwrap_or_default())
    }

    fn entry(&self, number: u64) -> Result<Vec<u8>> {
        let mut entry = alloc::vec![0; self.shape.entry()];
        self.file.read_at(self.start + number * self.shape.entry() as u64, &mut entry)?;
        Ok(entry)
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn damaged(&self, what: &str) -> Problem {
        Problem::damaged_store(&self.path, what)
    }
}

//! The dictionary `store.dict`: names of directory entries that are long enough to be worth it.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Malformed;
use super::primitive::Reader;

/// Most bytes of a dictionary that are read: 32 MiB. A name is a step of a key of the durable storage,
/// at most 250 bytes (the kernel's limit on keys, `max_key_length`), so that as many as a writer puts in
/// take 25 MB.
pub const MAX_DICT: u64 = 32 << 20;

/// Most names that a writer puts in a dictionary: it is full at this number (irmin-pack,
/// `Dict.create ~capacity:100_000`).
pub const MAX_DICT_STEPS: usize = 100_001;

/// Most names that are read, ten times as many as any writer puts in.
pub const MAX_DICT_NAMES: usize = 1 << 20;

/// The names of a dictionary, by their number. Memory: the bytes of the file, once however often this
/// is cloned, and four bytes for each name.
#[derive(Clone, Debug, Default)]
pub struct Dict {
    bytes: Arc<Vec<u8>>,
    /// Where the length of each name stands.
    starts: Arc<Vec<u32>>,
}

impl Dict {
    /// Reads the part of a dictionary file that counts: a length of four bytes (big-endian) and a
    /// name, again and again.
    ///
    /// # Errors
    /// When the last name is cut, or there are more than [`MAX_DICT_NAMES`] names or [`MAX_DICT`] bytes.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Malformed> {
        if bytes.len() as u64 > MAX_DICT {
            return Err(Malformed("it is longer than the names of any context"));
        }
        let mut starts = Vec::new();
        let mut reader = Reader(&bytes);
        while !reader.0.is_empty() {
            if starts.len() >= MAX_DICT_NAMES {
                return Err(Malformed("it has more names than any context"));
            }
            // It is at most `MAX_DICT`.
            starts.push((bytes.len() - reader.0.len()) as u32);
            let len = u32::from_be_bytes(reader.array()?) as usize;
            reader.bytes(len)?;
        }
        starts.shrink_to_fit();
        Ok(Self { bytes: bytes.into(), starts: starts.into() })
    }

    /// The name of this number.
    pub fn get(&self, id: u64) -> Option<&[u8]> {
        let start = *self.starts.get(usize::try_from(id).ok()?)? as usize;
        let (len, rest) = self.bytes.get(start..)?.split_first_chunk()?;
        rest.get(..u32::from_be_bytes(*len) as usize)
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// All names, by their number.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len() as u64).filter_map(|id| self.get(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        let file = b"\0\0\0\x06status\0\0\0\x09pvm_state\0\0\0\0";
        let dict = Dict::parse(file.to_vec()).unwrap();
        assert_eq!(dict.iter().collect::<Vec<_>>(), [&b"status"[..], b"pvm_state", b""]);
        assert_eq!(dict.get(1), Some(&b"pvm_state"[..]));
        assert_eq!(dict.get(3), None);
        assert!(Dict::parse(file[..12].to_vec()).is_err());
        assert!(Dict::parse(b"\xff\xff\xff\xff".to_vec()).is_err());
    }

    #[test]
    fn names_of_nothing_without_end() {
        assert_eq!(Dict::parse(alloc::vec![0; 4 * MAX_DICT_NAMES]).unwrap().len(), MAX_DICT_NAMES);
        assert!(Dict::parse(alloc::vec![0; 4 * MAX_DICT_NAMES + 4]).is_err());
        assert!(Dict::parse(alloc::vec![0; MAX_DICT as usize + 4]).is_err());
    }
}

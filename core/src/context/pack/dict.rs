//! The dictionary `store.dict`: names of directory entries that are long enough to be worth it.

use alloc::vec::Vec;

use super::Malformed;
use super::primitive::Reader;

/// Most bytes of a dictionary that are read: 256 MiB.
pub const MAX_DICT: u64 = 256 << 20;

/// Most names that a writer puts in a dictionary.
pub const MAX_DICT_STEPS: usize = 100_001;

/// The names of a dictionary, by their number.
#[derive(Clone, Debug, Default)]
pub struct Dict {
    bytes: Vec<u8>,
    /// Where each name ends, and its length.
    names: Vec<(usize, usize)>,
}

impl Dict {
    /// Reads the part of a dictionary file that counts: a length of four bytes (big-endian) and a
    /// name, again and again.
    ///
    /// # Errors
    /// When the last name is cut, or there is no end of names.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Malformed> {
        let mut names = Vec::new();
        let mut reader = Reader(&bytes);
        while !reader.0.is_empty() {
            let len = u32::from_be_bytes(reader.array()?) as usize;
            reader.bytes(len)?;
            names.push((bytes.len() - reader.0.len(), len));
        }
        Ok(Self { bytes, names })
    }

    /// The name of this number.
    pub fn get(&self, id: u64) -> Option<&[u8]> {
        let &(end, len) = self.names.get(usize::try_from(id).ok()?)?;
        self.bytes.get(end - len..end)
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
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
}

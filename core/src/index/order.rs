//! The order of the entries in `data`: that of a hash which OCaml's standard library computes of
//! the keys.

/// Which hash of the keys the entries are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOrder {
    /// The hash of the key's bytes: 30 bits.
    Bytes,
    /// The hash of a value with one field that holds the key's bytes, and a fan-out as if it had
    /// 31 bits: `l2_blocks`.
    Boxed,
}

impl KeyOrder {
    /// The hash of a key: less than 2^30.
    pub fn hash(self, key: &[u8]) -> u32 {
        let seed = match self {
            Self::Bytes => 0,
            // The word before a value of one field and tag 0 in OCaml's memory.
            Self::Boxed => mix(0, 1 << 10),
        };
        let (words, rest) = key.as_chunks::<4>();
        let mut hash = words.iter().fold(seed, |hash, word| mix(hash, u32::from_le_bytes(*word)));
        if !rest.is_empty() {
            let word = rest.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
            hash = mix(hash, word);
        }
        // The low 32 bits of the length.
        hash ^= key.len() as u32;
        hash ^= hash >> 16;
        hash = hash.wrapping_mul(0x85eb_ca6b);
        hash ^= hash >> 13;
        hash = hash.wrapping_mul(0xc2b2_ae35);
        hash ^= hash >> 16;
        hash & 0x3fff_ffff
    }

    /// How many bits of the hash the fan-out counts with.
    pub(super) const fn bits(self) -> u32 {
        match self {
            Self::Bytes => 30,
            Self::Boxed => 31,
        }
    }
}

/// MurmurHash3's step for 32 bits.
const fn mix(hash: u32, word: u32) -> u32 {
    let word = word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    (hash ^ word).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by OCaml 4.13: `Hashtbl.hash` of strings, and of `Hash of Bytes.t`.
    #[test]
    fn hashes_of_ocaml() {
        let ascending: [u8; 32] = core::array::from_fn(|at| at as u8);
        for (key, bytes, boxed) in [
            (&b""[..], 0, Some(334_133_254)),
            (b"a", 721_651_713, Some(883_093_936)),
            (b"rollsnap", 426_224_193, None),
            (&2_000_036i32.to_be_bytes(), 18_099_076, None),
            (&[0; 32], 407_949_976, Some(462_961_257)),
            (&ascending, 180_581_944, Some(448_538_301)),
        ] {
            assert_eq!(KeyOrder::Bytes.hash(key), bytes, "{key:?}");
            assert!(boxed.is_none_or(|boxed| KeyOrder::Boxed.hash(key) == boxed), "{key:?}");
        }
    }
}

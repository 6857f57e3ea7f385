//! The CRC-32 of gzip: by the instructions that the machine has for it, and in WebAssembly, which has none, by the
//! tables that zlib-rs brings along. `crc32fast` would bring others, and 16 KiB of a table hardly compress.

#[cfg(not(all(feature = "zlib", target_family = "wasm")))]
pub(crate) use crc32fast::{Hasher, hash};
#[cfg(all(feature = "zlib", target_family = "wasm"))]
pub(crate) use tables::{Hasher, hash};

#[cfg(all(feature = "zlib", any(test, target_family = "wasm")))]
mod tables {
    use zlib_rs::crc32::{crc32, crc32_combine};

    /// What this crate uses of `crc32fast::Hasher`.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Hasher {
        crc: u32,
        len: u64,
    }

    impl Hasher {
        pub(crate) fn new() -> Self {
            Self::default()
        }

        pub(crate) fn new_with_initial(crc: u32) -> Self {
            Self { crc, len: 0 }
        }

        /// That of `len` bytes is `crc`.
        pub(crate) fn new_with_initial_len(crc: u32, len: u64) -> Self {
            Self { crc, len }
        }

        pub(crate) fn update(&mut self, bytes: &[u8]) {
            self.crc = crc32(self.crc, bytes);
            self.len += bytes.len() as u64;
        }

        /// How many bytes there were.
        pub(crate) fn total_len(&self) -> u64 {
            self.len
        }

        /// The bytes of the other come behind.
        pub(crate) fn combine(&mut self, other: &Self) {
            self.crc = crc32_combine(self.crc, other.crc, other.len);
            self.len += other.len;
        }

        pub(crate) fn finalize(self) -> u32 {
            self.crc
        }
    }

    pub(crate) fn hash(bytes: &[u8]) -> u32 {
        crc32(0, bytes)
    }
}

#[cfg(all(test, feature = "zlib"))]
mod tests {
    use alloc::vec::Vec;

    use super::tables::{Hasher, hash};

    #[test]
    fn both_give_the_same() {
        // The check value of the catalogue of CRCs.
        assert_eq!(hash(b"123456789"), 0xcbf4_3926);
        let mut state = 1_u32;
        let mut byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let bytes: Vec<u8> = (0..100_000).map(|_| byte()).collect();
        for (first, second) in [(0, 0), (0, 1), (1, 0), (13, 64), (4096, 95_904), (65_537, 7)] {
            let (first, second) = (&bytes[..first], &bytes[first..first + second]);
            let all = [first, second].concat();
            let (mut ours, mut theirs) = (Hasher::new(), crc32fast::Hasher::new());
            ours.update(first);
            theirs.update(first);
            let begun =
                (Hasher::new_with_initial(hash(first)), crc32fast::Hasher::new_with_initial(hash(first)));
            assert_eq!(begun.0.clone().finalize(), begun.1.clone().finalize());
            let (mut joined, mut begun) = (ours.clone(), begun.0);
            joined.combine(&Hasher::new_with_initial_len(hash(second), second.len() as u64));
            begun.update(second);
            ours.update(second);
            theirs.update(second);
            let expected = theirs.finalize();
            assert_eq!(ours.total_len(), all.len() as u64);
            assert_eq!([ours.finalize(), joined.finalize(), begun.finalize(), hash(&all)], [expected; 4]);
        }
    }
}

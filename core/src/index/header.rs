//! The header of an index file.

/// The first 32 bytes of `data`, `log` and `log_async`: four numbers of eight bytes, big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Length of the entries, in bytes. What follows them is left over and does not count.
    pub length: u64,
    /// How often the index was merged or cleared.
    pub generation: u64,
    /// Length of the fan-out table that stands before the entries, in bytes; 0 in logs.
    pub fan_out: u64,
}

impl Header {
    /// Length of the header, in bytes.
    pub const LEN: usize = 32;

    /// Reads a header; `None` when the bytes are not one.
    pub fn parse(bytes: &[u8; Self::LEN]) -> Option<Self> {
        let (numbers, _) = bytes.as_chunks::<8>();
        let [length, version, generation, fan_out] = *numbers else { return None };
        let [length, generation, fan_out] = [length, generation, fan_out].map(u64::from_be_bytes);
        (version == *b"00000001").then_some(Self { length, generation, fan_out })
    }

    /// The bytes of this header.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let numbers = [
            self.length.to_be_bytes(),
            *b"00000001",
            self.generation.to_be_bytes(),
            self.fan_out.to_be_bytes(),
        ];
        let mut bytes = [0; Self::LEN];
        for (place, number) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
            *place = number;
        }
        bytes
    }
}

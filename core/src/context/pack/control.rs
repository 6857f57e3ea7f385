//! The control file `store.control`: which files count, and how far.

use alloc::vec::Vec;

use super::Malformed;
use super::primitive::{Reader, put_varint};

/// Most bytes that a control file has.
pub const MAX_CONTROL: u64 = 4096;

/// What a control file says. All offsets and lengths are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Control {
    /// Version of the file: 3, 4 or 5. What older versions lack is filled in as the library does.
    pub version: u8,
    /// How much of `store.dict` counts.
    pub dict_end: u64,
    /// How much of the last chunk counts.
    pub last_chunk_end: u64,
    /// The version that the store was upgraded from, if it was.
    pub upgraded_from: Option<u8>,
    /// Number of the first chunk `store.N.suffix`.
    pub first_chunk: u64,
    /// How many chunks there are.
    pub chunks: u64,
    /// How many volumes of a lower layer there are; none on layer 2.
    pub volumes: u64,
    /// Whether the store was collected.
    pub status: Status,
    /// Bytes after the record, which the library does not accept.
    pub trailing: usize,
}

/// Whether a store was ever collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Upgraded from a store of version 1 or 2: chunk 0 and dictionary begin with a header of 16
    /// bytes.
    Upgraded {
        /// Where entries of version 3 begin.
        from: u64,
    },
    /// Never.
    NoGcYet,
    /// Never, and it never can be, because other things than commits are indexed.
    NonMinimal,
    /// Yes.
    Collected(Collected),
}

/// What the last collection left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collected {
    /// First global offset that the suffix serves; what is below is in the prefix.
    pub suffix_start: u64,
    /// Number of `store.N.prefix` and `store.N.mapping`.
    pub generation: u64,
    /// Global offset of the commit that was collected on.
    pub target: u64,
    /// Bytes at the beginning of the first chunk that do not count any more.
    pub dead: u64,
    /// How much of the mapping counts; `None`: all of it.
    pub mapping_end: Option<u64>,
}

impl Control {
    /// Reads a control file. Bytes after the record are counted, not refused.
    ///
    /// # Errors
    /// [`Malformed`] with the reason: version, checksum, status, or an end that comes too early.
    pub fn parse(file: &[u8]) -> Result<Self, Malformed> {
        if file.len() as u64 > MAX_CONTROL {
            return Err(Malformed("it is longer than 4096 bytes"));
        }
        let (version, payload) = file.split_first_chunk::<8>().ok_or(Malformed("it ends too early"))?;
        let version = match version {
            b"00000003" => 3,
            b"00000004" => 4,
            b"00000005" => 5,
            b"00000001" | b"00000002" => {
                return Err(Malformed("versions 1 and 2 are older than any rollup node"));
            }
            _ => return Err(Malformed("its version is unknown")),
        };
        let mut reader = Reader(payload);
        let mut control = Self::fields(version, &mut reader)?;
        control.trailing = reader.0.len();
        if version >= 4 {
            let record = payload.get(..payload.len() - control.trailing).unwrap_or_default();
            let at = 17 + usize::from(control.upgraded_from.is_some() && version == 5);
            let stored = record.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
            if checksum(record, at) != u64::from_be_bytes(stored) {
                return Err(Malformed("its checksum does not match"));
            }
        }
        Ok(control)
    }

    fn fields(version: u8, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let dict_end = reader.natural64()?;
        let last_chunk_end = reader.natural64()?;
        let mut upgraded_from = None;
        let (mut first_chunk, mut chunks, mut volumes) = (None, 1, 0);
        match version {
            3 => {}
            4 => upgraded_from = (reader.byte()? != 0).then_some(3),
            _ if reader.byte()? != 0 => {
                upgraded_from = Some(u8::try_from(reader.varint()?).unwrap_or(u8::MAX));
            }
            _ => {}
        }
        if version >= 4 {
            reader.array::<8>()?;
            first_chunk = Some(reader.varint()?);
            chunks = reader.varint()?;
        }
        if version >= 5 {
            volumes = reader.varint()?;
        }
        let status = match reader.varint()? {
            0 => Status::Upgraded { from: reader.natural64()? },
            1 => Status::NoGcYet,
            2 => Status::NonMinimal,
            3 => Status::Collected(Collected::read(version, reader)?),
            4..=18 => return Err(Malformed("its status belongs to a later version")),
            _ => return Err(Malformed("its status is unknown")),
        };
        // A store of version 3 names its only chunk by the generation.
        let first_chunk = first_chunk.unwrap_or(match status {
            Status::Collected(collected) => collected.generation,
            _ => 0,
        });
        Ok(Self {
            version,
            dict_end,
            last_chunk_end,
            upgraded_from,
            first_chunk,
            chunks,
            volumes,
            status,
            trailing: 0,
        })
    }

    /// The same as the library says it in version 5, to which it upgrades a store when it writes to it.
    #[must_use]
    pub fn upgraded(&self) -> Self {
        let upgraded_from = if self.version == 5 { self.upgraded_from } else { Some(self.version) };
        Self { version: 5, upgraded_from, trailing: 0, ..*self }
    }

    /// The bytes of a control file of version 5 that says this.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut payload = Vec::new();
        payload.extend(self.dict_end.to_be_bytes());
        payload.extend(self.last_chunk_end.to_be_bytes());
        match self.upgraded_from {
            None => payload.push(0),
            Some(version) => payload.extend([0xff, version]),
        }
        let at = payload.len();
        payload.extend([0; 8]);
        for number in [self.first_chunk, self.chunks, self.volumes] {
            put_varint(number, &mut payload);
        }
        match self.status {
            Status::Upgraded { from } => {
                payload.push(0);
                payload.extend(from.to_be_bytes());
            }
            Status::NoGcYet => payload.push(1),
            Status::NonMinimal => payload.push(2),
            Status::Collected(collected) => {
                payload.push(3);
                collected.write(&mut payload);
            }
        }
        let sum = checksum(&payload, at).to_be_bytes();
        payload[at..at + 8].copy_from_slice(&sum);
        [&b"00000005"[..], &payload].concat()
    }

    /// What the last collection left, if there was one.
    pub fn collected(&self) -> Option<Collected> {
        match self.status {
            Status::Collected(collected) => Some(collected),
            _ => None,
        }
    }

    /// First global offset that the suffix serves, and the dead bytes before it.
    pub fn suffix_start(&self) -> (u64, u64) {
        self.collected().map_or((0, 0), |collected| (collected.suffix_start, collected.dead))
    }
}

impl Collected {
    fn read(version: u8, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let suffix_start = reader.natural64()?;
        let generation = reader.varint()?;
        let (target, dead) = match version {
            3 => (suffix_start, 0),
            _ => (reader.natural64()?, reader.natural64()?),
        };
        let mapping_end = match version {
            5 if reader.byte()? != 0 => Some(reader.natural64()?),
            _ => None,
        };
        Ok(Self { suffix_start, generation, target, dead, mapping_end })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.suffix_start.to_be_bytes());
        put_varint(self.generation, out);
        out.extend(self.target.to_be_bytes());
        out.extend(self.dead.to_be_bytes());
        match self.mapping_end {
            None => out.push(0),
            Some(end) => {
                out.push(0xff);
                out.extend(end.to_be_bytes());
            }
        }
    }
}

/// Adler-32 of the record, its own eight bytes at `at` taken as zeros.
fn checksum(record: &[u8], at: usize) -> u64 {
    let (mut low, mut high) = (1u32, 0u32);
    for (index, byte) in record.iter().enumerate() {
        let byte = if (at..at + 8).contains(&index) { 0 } else { *byte };
        low = (low + u32::from(byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    u64::from(high << 16 | low)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked examples of the format description (`docs/FORMAT.md`, section 9).
    const NEVER: &str = "3030303030303035000000000000005f0000000000002ac20000000000155d014e00010001";
    const ONCE: &str = "3030303030303035000000000000005f00000000000005ed000000000077a2052701010003\
        0000000000002dd7010000000000002d970000000000000315ff00000000000000f0";

    fn bytes(hex: &str) -> Vec<u8> {
        hex.as_bytes()
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn worked_examples() {
        let never = Control::parse(&bytes(NEVER)).unwrap();
        assert_eq!((never.dict_end, never.last_chunk_end), (95, 10_946));
        assert_eq!((never.first_chunk, never.chunks, never.status), (0, 1, Status::NoGcYet));
        assert_eq!(never.to_bytes(), bytes(NEVER));
        let once = Control::parse(&bytes(ONCE)).unwrap();
        let collected = Collected {
            suffix_start: 11_735,
            generation: 1,
            target: 11_671,
            dead: 789,
            mapping_end: Some(240),
        };
        assert_eq!(once.status, Status::Collected(collected));
        assert_eq!(once.to_bytes(), bytes(ONCE));
    }

    #[test]
    fn damage_is_named() {
        let whole = bytes(ONCE);
        for bit in 64..whole.len() * 8 {
            let mut file = whole.clone();
            file[bit / 8] ^= 1 << (bit % 8);
            // Any non-zero byte is "true" and "Some": the library reads 0xfe as it reads 0xff, but the
            // checksum is over the bytes.
            assert!(Control::parse(&file).is_err(), "bit {bit}");
        }
        for len in 0..whole.len() {
            assert!(Control::parse(&whole[..len]).is_err());
        }
        let longer = [&whole[..], &[0; 7]].concat();
        assert_eq!(Control::parse(&longer).unwrap().trailing, 7);
        for version in [b"00000001", b"00000006", b"xxxxxxxx"] {
            assert!(Control::parse(&[&version[..], &whole[8..]].concat()).is_err());
        }
        assert!(Control::parse(&[0; 4097]).is_err());
    }
}

//! The 58 bytes in front of the archive (`docs/FORMAT.md`, section 2), and the files that are
//! taken for snapshots but are something else (section 3).

use alloc::string::ToString;
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::code::Code;
use crate::hash::{CommitmentHash, RollupAddress};
use crate::problem::{Place, Problem, Result};
use crate::tar;

mod relatives;

/// Length of the header, in bytes.
pub const LEN: usize = 58;

/// How many bytes of the decompressed stream [`recognise`] wants to see: the longer of the two
/// headers and the first block of the archive.
pub const LOOKAHEAD: usize = LEN + tar::BLOCK;

/// What a snapshot says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// With or without the version byte.
    pub layout: Layout,
    /// What the node that made it keeps.
    pub history_mode: HistoryMode,
    /// The rollup that it belongs to.
    pub rollup_address: RollupAddress,
    /// Level of the newest L2 block in it.
    pub head_level: i32,
    /// Most recent commitment at that block.
    pub last_commitment: CommitmentHash,
}

/// The two forms of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// 58 bytes that start with the version byte `00`: the form that nodes write and read.
    Versioned,
    /// 57 bytes without it, as an early design text describes. Read for inspection, never written.
    Unversioned,
}

/// What a node keeps of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HistoryMode {
    /// Everything since the origination of the rollup.
    Archive,
    /// What follows the last cemented commitment.
    Full,
}

impl Header {
    /// Reads the 58-byte form.
    ///
    /// # Errors
    /// [`Code::HeaderShort`], [`Code::HeaderVersion`], [`Code::HeaderHistoryMode`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let bytes: &[u8; LEN] = bytes.first_chunk().ok_or_else(|| short(bytes.len()))?;
        let [version, rest @ ..] = bytes;
        if *version != 0 {
            return Err(Problem::new(Code::HeaderVersion)
                .at(Place::Stream(0))
                .expected("version 0")
                .found(version));
        }
        Self::parse_fields(rest, Layout::Versioned)
    }

    /// Writes the 58-byte form, whatever form the header was read from.
    pub fn to_bytes(&self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[1] = self.history_mode.to_byte();
        bytes[2..22].copy_from_slice(self.rollup_address.as_bytes());
        bytes[22..26].copy_from_slice(&self.head_level.to_be_bytes());
        bytes[26..].copy_from_slice(self.last_commitment.as_bytes());
        bytes
    }

    /// Where the archive starts in the decompressed stream: 58, or 57 in the unversioned form.
    pub const fn archive_offset(&self) -> usize {
        match self.layout {
            Layout::Versioned => LEN,
            Layout::Unversioned => LEN - 1,
        }
    }

    fn parse_fields(bytes: &[u8; LEN - 1], layout: Layout) -> Result<Self> {
        let [mode, rest @ ..] = bytes;
        let history_mode = HistoryMode::from_byte(*mode).ok_or_else(|| {
            Problem::new(Code::HeaderHistoryMode)
                .at(Place::Stream(if layout == Layout::Versioned { 1 } else { 0 }))
                .expected("00 or 01")
                .found(format_args!("{mode:02x}"))
        })?;
        let mut address = [0; 20];
        let mut level = [0; 4];
        let mut commitment = [0; 32];
        address.copy_from_slice(&rest[..20]);
        level.copy_from_slice(&rest[20..24]);
        commitment.copy_from_slice(&rest[24..]);
        Ok(Self {
            layout,
            history_mode,
            rollup_address: RollupAddress::new(address),
            head_level: i32::from_be_bytes(level),
            last_commitment: CommitmentHash::new(commitment),
        })
    }
}

/// Reads the header at the start of a decompressed stream, in either form, or says what else the
/// file is. `first` holds the first [`LOOKAHEAD`] bytes, or all there are.
///
/// # Errors
/// Any `header.*` code and [`Code::FileEmpty`].
pub fn recognise(first: &[u8]) -> Result<Header> {
    if let Some(problem) = relatives::recognise(first) {
        return Err(problem);
    }
    let Some(unversioned) = first.first_chunk::<{ LEN - 1 }>() else {
        return Err(short(first.len()));
    };
    // A member header that fits tells the form; without one (an empty or a cut archive) the first
    // bytes must do.
    let versioned = is_member(first, LEN) || !is_member(first, LEN - 1);
    if versioned { Header::parse(first) } else { Header::parse_fields(unversioned, Layout::Unversioned) }
}

fn is_member(first: &[u8], offset: usize) -> bool {
    let block = first.get(offset..).and_then(|rest| rest.first_chunk::<{ tar::BLOCK }>());
    block.is_some_and(tar::is_member_header)
}

fn short(found: usize) -> Problem {
    if found == 0 {
        return Problem::new(Code::FileEmpty);
    }
    Problem::new(Code::HeaderShort).at(Place::Stream(found as u64)).expected("58 bytes").found(found)
}

impl HistoryMode {
    /// `archive` or `full`, as in file names, in the store and in the texts of the nodes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Full => "full",
        }
    }

    /// The mode of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Archive, Self::Full].into_iter().find(|mode| mode.as_str() == name)
    }

    const fn to_byte(self) -> u8 {
        match self {
            Self::Archive => 0,
            Self::Full => 1,
        }
    }

    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Archive),
            1 => Some(Self::Full),
            _ => None,
        }
    }
}

impl fmt::Display for HistoryMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The six fields of the report and, added, the name that the rollup is known by.
impl Serialize for Header {
    fn serialize<S: Serializer>(&self, serializer: S) -> core::result::Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let version = (self.layout == Layout::Versioned).then_some(0u8);
        let mut out = serializer.serialize_struct("Header", 7)?;
        out.serialize_field("layout", &self.layout)?;
        out.serialize_field("version", &version)?;
        out.serialize_field("history_mode", &self.history_mode)?;
        out.serialize_field("rollup_address", &self.rollup_address)?;
        out.serialize_field("known_as", &self.rollup_address.known_as())?;
        out.serialize_field("head_level", &self.head_level)?;
        out.serialize_field("last_commitment", &self.last_commitment)?;
        out.end()
    }
}

/// What the other fields say again, `version` and `known_as`, is passed over.
impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> core::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            layout: Layout,
            history_mode: HistoryMode,
            rollup_address: RollupAddress,
            head_level: i32,
            last_commitment: CommitmentHash,
        }
        let Fields { layout, history_mode, rollup_address, head_level, last_commitment } =
            Fields::deserialize(deserializer)?;
        Ok(Self { layout, history_mode, rollup_address, head_level, last_commitment })
    }
}

/// `snapshot-<13 characters of the address>-<level>.<mode>`: the name that the nodes give.
pub fn file_name(header: &Header) -> alloc::string::String {
    let address = header.rollup_address.to_string();
    alloc::format!("snapshot-{:.13}-{}.{}", address, header.head_level, header.history_mode)
}

#[cfg(test)]
mod tests;

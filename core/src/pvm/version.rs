//! The versions of the PVM, which decide what a kernel may import.

use core::fmt;

use serde::{Serialize, Serializer};

/// Where the state keeps its version, as text: the value of this key.
pub const VERSION_KEY: &str = "/readonly/wasm_version";

/// A version of the PVM. Later ones know all functions of the earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `2.0.0`, since Mumbai.
    V0,
    /// `2.0.0-r1`, since Nairobi.
    V1,
    /// `2.0.0-r2`, since Oxford.
    V2,
    /// `2.0.0-r3`, for rollups originated under Oxford.
    V3,
    /// `2.0.0-r4`, since Paris.
    V4,
    /// `2.0.0-r5`, since Quebec.
    V5,
    /// `2.0.0-r6`, since Ushuaia.
    V6,
}

impl Version {
    /// All of them, oldest first.
    pub const ALL: [Self; 7] = [Self::V0, Self::V1, Self::V2, Self::V3, Self::V4, Self::V5, Self::V6];

    /// The text in the state, such as `2.0.0-r4`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V0 => "2.0.0",
            Self::V1 => "2.0.0-r1",
            Self::V2 => "2.0.0-r2",
            Self::V3 => "2.0.0-r3",
            Self::V4 => "2.0.0-r4",
            Self::V5 => "2.0.0-r5",
            Self::V6 => "2.0.0-r6",
        }
    }

    /// The version with this text; `None` when rollsnap does not know it.
    pub fn parse(text: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.as_str().as_bytes() == text)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

//! Migrations: the message with which layer 1 announces a new protocol changes the version.

use alloc::string::ToString;

use super::genesis::Constants;
use super::version::Version;
use crate::encoding::primitive;
use crate::hash::ProtocolHash;

/// Whose table of protocols counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Tezos.
    Octez,
    /// Mavryk.
    Mavkit,
}

/// The protocols of Mavryk.
const MAVRYK: [&str; 2] = [
    "PtAtLasdzXg4XxeVNtWheo13nG4wHXP22qYMqFcT3fyBpWkFero",
    "PtBoreasK2KPuKbeYtXeEdudEHS7YcMFHE9amwheUc4kejTxgRi",
];

impl Family {
    /// Whose protocol this is; `None` where it is not known here.
    pub fn of_protocol(protocol: &ProtocolHash) -> Option<Self> {
        Constants::of_protocol(protocol)?;
        let name = protocol.to_string();
        Some(if MAVRYK.contains(&&*name) { Self::Mavkit } else { Self::Octez })
    }
}

/// Ticks of a cycle since [`Version::V4`].
pub(super) const TICKS_V4: u128 = 50_000_000_000_000;

/// Levels of the outbox window since [`Version::V4`].
pub(super) const VALIDITY_V4: i32 = 241_920;

/// What a message of layer 1 says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'m> {
    /// The first of a level.
    StartOfLevel,
    /// The last of a level.
    EndOfLevel,
    /// The level is the first one of a new protocol, of this name.
    Migration(&'m [u8]),
    /// As a migration, but its name is no text with a length.
    IllFormed,
    /// Anything else, which is for the kernel alone.
    Other,
}

impl<'m> Kind<'m> {
    /// Recognises a message by its bytes.
    pub(super) fn of(message: &'m [u8]) -> Self {
        match message {
            [0, 1] => Self::StartOfLevel,
            [0, 2] => Self::EndOfLevel,
            [0, 4] => Self::Other,
            [0, 4, name @ ..] => {
                let mut input = name;
                let name = primitive::prefixed(&mut input).ok().filter(|_| input.is_empty());
                name.map_or(Self::IllFormed, Self::Migration)
            }
            _ => Self::Other,
        }
    }
}

/// What the nodes do at a protocol of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Migration {
    /// The version becomes this one.
    To(Version),
    /// Nothing.
    Nothing,
    /// A newer node may know it.
    Unknown,
}

/// The protocols by which a family changes the version.
fn table(family: Family) -> &'static [(&'static str, Version)] {
    match family {
        Family::Octez => &[
            ("nairobi_017", Version::V1),
            ("oxford_018", Version::V2),
            ("paris_019", Version::V4),
            ("paris_020", Version::V4),
            ("quebec_021", Version::V5),
            ("r022_022", Version::V5),
            ("s023_023", Version::V5),
            ("t024_024", Version::V5),
            ("u025_025", Version::V6),
            ("alpha_current", Version::V6),
        ],
        Family::Mavkit => {
            &[("atlas_001", Version::V2), ("boreas_002", Version::V4), ("alpha_current", Version::V4)]
        }
    }
}

/// Older than any migration, so known to change nothing.
const WITHOUT_EFFECT: [&str; 1] = ["mumbai_016"];

/// What the nodes of a family do at a protocol of this name. Names of the other family change
/// nothing.
pub(super) fn migration(family: Family, name: &[u8]) -> Migration {
    let find = |family| table(family).iter().find(|(known, _)| known.as_bytes() == name);
    let other = match family {
        Family::Octez => Family::Mavkit,
        Family::Mavkit => Family::Octez,
    };
    match find(family) {
        Some((_, version)) => Migration::To(*version),
        None if find(other).is_some() => Migration::Nothing,
        None if WITHOUT_EFFECT.iter().any(|known| known.as_bytes() == name) => Migration::Nothing,
        None => Migration::Unknown,
    }
}

/// The name of the protocol that a message announces, if it is one that only a newer node may know.
pub fn unknown_migration(message: &[u8], family: Family) -> Option<&[u8]> {
    match Kind::of(message) {
        Kind::Migration(name) if migration(family, name) == Migration::Unknown => Some(name),
        _ => None,
    }
}

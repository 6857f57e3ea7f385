//! Typed hashes and their Base58Check text (`docs/FORMAT.md`, section 2).
//!
//! Each kind of hash is a type of its own, so that a block hash can never be handed over where a
//! commitment hash is meant. The text form carries the kind as well: it is
//! `base58(prefix ‖ payload ‖ first 4 bytes of SHA-256(SHA-256(prefix ‖ payload)))`.
//!
//! The prefixes of Tezos and Mavryk are equal for every kind listed here: an address or a hash
//! never tells which chain it belongs to.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::as_text;

macro_rules! typed_hash {
    ($(#[$doc:meta])* $name:ident, $len:literal, $prefix:expr, $text:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Length of the raw hash, in bytes.
            pub const LEN: usize = $len;
            /// First characters of every text of this kind.
            pub const TEXT_PREFIX: &'static str = $text;

            /// The hash with these raw bytes.
            pub const fn new(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The raw bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&encode(&$prefix, &self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                decode(text, &$prefix, $text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                as_text::deserialize(deserializer)
            }
        }
    };
}
typed_hash! {
    /// Address of a smart rollup, `sr1…`.
    RollupAddress, 20, [6, 124, 117], "sr1"
}
typed_hash! {
    /// Hash of a commitment, `src1…`.
    CommitmentHash, 32, [17, 165, 134, 138], "src1"
}
typed_hash! {
    /// Hash of a PVM state, `srs1…`.
    StateHash, 32, [17, 165, 235, 240], "srs1"
}
typed_hash! {
    /// Hash of an inbox, `srib1…`.
    InboxHash, 32, [3, 255, 138, 145, 110], "srib1"
}
typed_hash! {
    /// Hash of the merkelized payloads of one level (the inbox witness), `srib2…`.
    WitnessHash, 32, [3, 255, 138, 145, 140], "srib2"
}
typed_hash! {
    /// Hash of one serialized inbox message, `srib3…`.
    MessageHash, 32, [3, 255, 138, 145, 170], "srib3"
}
typed_hash! {
    /// Hash of a commit of the rollup's context, `SRCo…`.
    ContextHash, 32, [8, 209, 216, 166], "SRCo"
}
typed_hash! {
    /// Hash of a layer 1 block, `B…`; a layer 2 block has the hash of its layer 1 block.
    BlockHash, 32, [1, 52], "B"
}
typed_hash! {
    /// Hash of a protocol, `P…`.
    ProtocolHash, 32, [2, 170], "P"
}
typed_hash! {
    /// Commitment of a DAL slot, `sh…`.
    SlotCommitment, 48, [2, 116, 180], "sh"
}
typed_hash! {
    /// Hash of a revealed datum, `scrrh1…`.
    RevealHash, 32, [230, 206, 128, 200, 196], "scrrh1"
}

impl CommitmentHash {
    /// The predecessor of the genesis commitment: 32 zero bytes, the hash of no commitment.
    pub const ZERO: Self = Self([0; 32]);
}

impl RollupAddress {
    /// A name that people know this rollup by. It helps the eye and proves nothing: an address
    /// does not even tell which chain it belongs to.
    pub fn known_as(&self) -> Option<&'static str> {
        KNOWN.iter().find(|(address, _)| *address == self.0).map(|(_, name)| *name)
    }
}

/// Names as Octez and Etherlink publish them in their sources.
const KNOWN: [([u8; 20], &str); 4] = [
    (
        *b"\x74\xf8\x95\x2e\x7a\x28\x7d\x78\xe8\xdc\xee\xc6\x75\x47\xbd\x00\xa2\x78\xab\xbf",
        "Etherlink Mainnet",
    ),
    (
        *b"\x1f\xe3\x40\x4f\x2e\x3b\x82\xa6\xd1\xab\xfa\x87\x80\x99\x3f\x4a\x48\x56\x5b\x84",
        "Etherlink Testnet",
    ),
    (
        *b"\x27\xb7\xe1\xd8\xfb\x42\x92\xcc\xa7\xb5\x7c\x06\x5a\xc9\xf2\x10\xfc\xf2\x25\x01",
        "Etherlink Shadownet",
    ),
    (
        *b"\x40\x83\x4c\x94\x46\xe2\xf8\x04\xdf\x6f\xd1\xca\xfe\xde\x5f\x5c\x13\xe6\x0d\x5f",
        "Etherlink Previewnet",
    ),
];

/// Why a text is not a hash of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A character outside the Base58 alphabet, at this byte of the text.
    Character {
        /// Byte index of the character.
        index: usize,
    },
    /// The text is too long or too short for a hash of the wanted kind.
    Length {
        /// Text prefix of the wanted kind.
        wanted: &'static str,
        /// Length of the text, in bytes.
        found: usize,
    },
    /// The last four bytes are not the checksum of the rest: a typing error.
    Checksum,
    /// A valid Base58Check text of another kind.
    Kind {
        /// Text prefix of the wanted kind.
        wanted: &'static str,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character { index } => write!(f, "character {} is not in the Base58 alphabet", index + 1),
            Self::Length { wanted, found } => write!(f, "{found} characters cannot be a {wanted}… hash"),
            Self::Checksum => f.write_str("the checksum does not match: a character is wrong or missing"),
            Self::Kind { wanted } => write!(f, "this is not a {wanted}… hash"),
        }
    }
}

impl core::error::Error for Error {}

/// Longest text of any kind, with room to spare: what is longer is refused before it is decoded.
const MAX_TEXT: usize = 96;

fn encode(prefix: &[u8], payload: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(prefix.len() + payload.len() + 4);
    bytes.extend_from_slice(prefix);
    bytes.extend_from_slice(payload);
    let sum = checksum(&bytes);
    bytes.extend_from_slice(&sum);
    bs58::encode(bytes).into_string()
}

fn decode<const N: usize>(text: &str, prefix: &[u8], wanted: &'static str) -> Result<[u8; N], Error> {
    if let Some(payload) = decode_quickly(text.as_bytes(), prefix) {
        return Ok(payload);
    }
    let length = Error::Length { wanted, found: text.len() };
    if text.len() > MAX_TEXT {
        return Err(length);
    }
    let bytes = bs58::decode(text).into_vec().map_err(|error| match error {
        bs58::decode::Error::InvalidCharacter { index, .. }
        | bs58::decode::Error::NonAsciiCharacter { index } => Error::Character { index },
        _ => length.clone(),
    })?;
    let body = bytes.len().checked_sub(4).ok_or(length.clone())?;
    let (body, sum) = bytes.split_at(body);
    if checksum(body) != *sum {
        return Err(Error::Checksum);
    }
    let payload = body.strip_prefix(prefix).ok_or(Error::Kind { wanted })?;
    payload.try_into().map_err(|_| length)
}

/// Ten digits at a time, for texts as they should be: a long store has millions of them. `None` says
/// nothing but that the text needs a closer look.
fn decode_quickly<const N: usize>(text: &[u8], prefix: &[u8]) -> Option<[u8; N]> {
    // A leading `1` stands for a zero byte, which no prefix begins with.
    if text.first() == Some(&b'1') {
        return None;
    }
    let mut limbs = [0u64; 8];
    for digits in text.chunks(10) {
        let (mut factor, mut carry) = (1u64, 0u64);
        for &character in digits {
            let digit = *DIGITS.get(usize::from(character)).filter(|digit| **digit < 58)?;
            factor *= 58;
            carry = carry * 58 + u64::from(digit);
        }
        for limb in &mut limbs {
            let product = u128::from(*limb) * u128::from(factor) + u128::from(carry);
            *limb = product as u64;
            carry = (product >> 64) as u64;
        }
        if carry != 0 {
            return None;
        }
    }
    let mut bytes = [0; 64];
    for (bytes, limb) in bytes.chunks_exact_mut(8).zip(limbs.iter().rev()) {
        bytes.copy_from_slice(&limb.to_be_bytes());
    }
    let (zeros, bytes) = bytes.split_at(bytes.len().checked_sub(prefix.len() + N + 4)?);
    let (body, sum) = bytes.split_last_chunk()?;
    if zeros.iter().any(|byte| *byte != 0) || checksum(body) != *sum {
        return None;
    }
    body.strip_prefix(prefix)?.try_into().ok()
}

/// The value of each character of the Base58 alphabet; 255 for any other.
const DIGITS: [u8; 256] = {
    let alphabet = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut digits = [255; 256];
    let mut value = 0;
    while value < alphabet.len() {
        digits[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let digest: [u8; 32] = Sha256::digest(Sha256::digest(bytes)).into();
    let [a, b, c, d, ..] = digest;
    [a, b, c, d]
}

#[cfg(test)]
mod tests;

//! What tells one snapshot from another.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rollsnap_core::remote::Identity;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A snapshot that can be read again, as a later run can know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    /// What it was called, for messages.
    pub(crate) name: String,
    /// SHA-256 of its first 64 KiB, or of all, in Base64.
    beginning: String,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    /// A file, by its length in bytes and its time of modification in seconds and nanoseconds.
    File { len: u64, modified: (i64, i64) },
    /// A file behind an address, wherever that is by now.
    Remote(Identity),
}

impl Fingerprint {
    pub(crate) fn of_file(name: String, beginning: &[u8], len: u64, modified: (i64, i64)) -> Self {
        Self { name, beginning: sha256(beginning), what: What::File { len, modified } }
    }

    pub(crate) fn of_remote(name: String, beginning: &[u8], identity: Identity) -> Self {
        Self { name, beginning: sha256(beginning), what: What::Remote(identity) }
    }

    /// Whether it is the same one, whatever it is called now.
    pub(crate) fn is(&self, other: &Self) -> bool {
        (&self.beginning, &self.what) == (&other.beginning, &other.what)
    }

    /// Whether it is another version behind the same address.
    pub(crate) fn was_replaced_by(&self, other: &Self) -> bool {
        let both_remote = matches!((&self.what, &other.what), (What::Remote(_), What::Remote(_)));
        both_remote && self.name == other.name && !self.is(other)
    }
}

fn sha256(bytes: &[u8]) -> String {
    BASE64.encode(Sha256::digest(bytes))
}

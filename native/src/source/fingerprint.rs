//! What tells one snapshot from another.

use std::os::unix::fs::MetadataExt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
#[cfg(doc)]
use rollsnap_core::Code;
use rollsnap_core::remote::{FIRST, Identity};
use rollsnap_core::{ReadAt, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Source;
use super::input::Input;
use crate::io::problem;

/// A snapshot that can be read again, as a later run can know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    /// What it was called, for messages.
    pub(crate) name: String,
    /// SHA-256 of its first 64 KiB, or of all, in Base64.
    beginning: String,
    what: What,
    /// The address that has pinned it, as it may be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// All addresses that it was read from.
    #[serde(skip)]
    sources: Vec<String>,
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
        let what = What::File { len, modified };
        Self { name, beginning: sha256(beginning), what, source: None, sources: Vec::new() }
    }

    /// `sources` are the address that has pinned it, and all that may stand in for one another.
    pub(crate) fn of_remote(
        name: String,
        beginning: &[u8],
        identity: Identity,
        sources: (String, Vec<String>),
    ) -> Self {
        let what = What::Remote(identity);
        Self { name, beginning: sha256(beginning), what, source: Some(sources.0), sources: sources.1 }
    }

    /// Whether it is the same one, whatever it is called now.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.beginning == other.beginning && (self.what == other.what || self.is_mirrored_by(other))
    }

    /// Whether one was pinned by a mirror of the other, which names its version in its own way: then the length counts, as
    /// while they are read together.
    fn is_mirrored_by(&self, other: &Self) -> bool {
        let (What::Remote(one), What::Remote(two)) = (&self.what, &other.what) else { return false };
        let (Some(here), Some(there)) = (&self.source, &other.source) else { return false };
        let known = self.sources.contains(there) || other.sources.contains(here);
        one.len == two.len && here != there && known
    }

    /// Whether it is another version behind the same address.
    pub(crate) fn was_replaced_by(&self, other: &Self) -> bool {
        let both_remote = matches!((&self.what, &other.what), (What::Remote(_), What::Remote(_)));
        both_remote && self.name == other.name && !self.is(other)
    }
}

impl Source {
    /// What tells it from other snapshots, where it can be read again: `None` for what comes once, and for uncompressed
    /// files of servers that do not tell one version from another, where nothing would notice that two were mixed.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(crate) fn identity(&self) -> Result<Option<Fingerprint>> {
        let name = self.name.display().to_string();
        Ok(match &self.input {
            Input::Remote(file, _) => {
                let identity = file.identity().clone();
                let is_told = identity.validator.is_strong() || !self.is_plain_file();
                let mut sources = file.addresses();
                // Of an uncompressed file nothing would notice that two were mixed.
                if self.is_plain_file() {
                    sources.1.clear();
                }
                is_told.then(|| Fingerprint::of_remote(name, file.beginning(), identity, sources))
            }
            Input::File(file) => {
                let metadata = file.metadata().map_err(|err| problem("look at", &self.name, err))?;
                let Some(part) = self.part() else { return Ok(None) };
                let mut beginning = vec![0; usize::try_from(FIRST.min(part.len())).unwrap_or_default()];
                part.read_at(0, &mut beginning)?;
                let modified = (metadata.mtime(), metadata.mtime_nsec());
                Some(Fingerprint::of_file(name, &beginning, part.len(), modified))
            }
            _ => None,
        })
    }
}

fn sha256(bytes: &[u8]) -> String {
    BASE64.encode(Sha256::digest(bytes))
}

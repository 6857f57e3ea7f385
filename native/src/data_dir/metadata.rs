//! The file `metadata` of a data directory: which rollup it belongs to.

use std::path::Path;

use rollsnap_core::members::METADATA;
use rollsnap_core::nodes::export::no_metadata;
use rollsnap_core::store::MAX_METADATA;
use rollsnap_core::{Problem, Result};

use crate::dir::read_small;

pub use rollsnap_core::members::PvmKind;
pub use rollsnap_core::store::Metadata;

/// Reads the file of a data directory; `None` if there is none.
///
/// # Errors
/// As [`Metadata::parse`], and any `io.*` code.
pub fn read(dir: &Path) -> Result<Option<Metadata>> {
    let path = dir.join(METADATA);
    let bytes = read_small(dir, METADATA, MAX_METADATA)?;
    bytes.map(|bytes| Metadata::parse(&bytes).map_err(|problem| problem.path(path.display()))).transpose()
}

/// Reads the file of a data directory that must have one (rule E2).
///
/// # Errors
/// As [`read`], and [`rollsnap_core::Code::MetadataMissing`].
pub fn require(dir: &Path) -> Result<Metadata> {
    read(dir)?.ok_or_else(|| missing(dir))
}

/// There is none in the directory that the user knows by this name.
pub(crate) fn missing(dir: &Path) -> Problem {
    no_metadata(&dir.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{ "rollup_address": "sr1CnSVbNpLGRVSAxFhCNPnUZDWVdBwdwTLQ", "context_version": 0,
        "kind": "wasm_2_0_0",
        "genesis_info": { "level": 1000, "commitment_hash": "src12kHDDmmdbAGMsGMWuZY7iFLKndLUg13ABPNWAh6Cm3EdjW8bjx" } }"#;

    #[test]
    fn a_directory_without_metadata() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()).unwrap(), None);
        let problem = require(dir.path()).unwrap_err();
        assert_eq!(problem.to_string(), format!("No rollup node metadata in \"{}\".", dir.path().display()));
        std::fs::write(dir.path().join("metadata"), GOOD).unwrap();
        assert_eq!(require(dir.path()).unwrap(), Metadata::parse(GOOD.as_bytes()).unwrap());
    }
}

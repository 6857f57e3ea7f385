//! `--manifest`: what is published about the snapshot of a command.

use std::path::Path;
use std::sync::OnceLock;

use rollsnap_core::Result;
use rollsnap_core::remote::Published;

use super::global::Global;
use super::progress::Terminal;
use crate::source;

static PUBLISHED: OnceLock<Published> = OnceLock::new();

/// Reads the manifest of the command line, before anything else is read.
///
/// # Errors
/// As [`source::published`].
pub(super) fn read(global: &Global, feedback: &mut Terminal) -> Result<()> {
    if let (Some(manifest), Some(snapshot)) = (&global.manifest, &global.snapshot) {
        let said = source::published(manifest, Path::new(snapshot), feedback)?;
        let _ = PUBLISHED.set(said);
    }
    Ok(())
}

/// The SHA-256 that it says.
pub(super) fn sha256() -> Option<&'static str> {
    PUBLISHED.get().and_then(|said| said.sha256.as_deref())
}

/// How much the contents take that it says, in bytes.
pub(super) fn extracted() -> Option<u64> {
    PUBLISHED.get().and_then(|said| said.extracted)
}

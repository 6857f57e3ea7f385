//! What a manifest says about a snapshot: `--manifest`.

use std::path::Path;

use rollsnap_core::feedback::Notice;
use rollsnap_core::remote::{LONGEST_MANIFEST, Manifest, Published};
use rollsnap_core::{Code, Feedback, Problem, Result};

use super::known::{name, read_small};
use crate::remote::{self, Address, Mirror};

/// Reads a manifest, a file or what is behind an address, and gives what it says about a snapshot. From now on, what is read
/// from the address of the snapshot is held to its length, and its mirrors are sources too.
///
/// # Errors
/// [`Code::RemoteManifest`] for one that is not understood or says nothing of the snapshot, and for a snapshot of this machine
/// that has another length; any `remote.*` and `io.*` code.
pub fn published(manifest: &str, snapshot: &Path, feedback: &mut dyn Feedback) -> Result<Published> {
    let (shown, text) = read_small(manifest, LONGEST_MANIFEST, feedback)?;
    let at = |problem: Problem| problem.path(&shown);
    let address = Address::of_name(snapshot)?;
    let url = address.as_ref().map(Address::plain);
    let said = Manifest::parse(&text).and_then(|all| all.of(url.as_deref(), name(snapshot)?.as_deref()));
    let said = said.map_err(at)?;
    match (&address, said.len) {
        (Some(address), len) => remote::set_published(len, mirrors(address, &said, feedback)),
        (None, Some(len)) => {
            let found = std::fs::metadata(snapshot).ok().filter(|found| found.is_file());
            if let Some(found) = found.filter(|found| found.len() != len) {
                return Err(at(Problem::new(Code::RemoteManifest)
                    .expected(format_args!("{len} bytes"))
                    .found(format_args!("{} bytes", found.len()))));
            }
        }
        (None, None) => {}
    }
    Ok(said)
}

/// The other addresses that it names. What could not be read is left out: the snapshot may come without.
fn mirrors(address: &Address, said: &Published, feedback: &mut dyn Feedback) -> Vec<Mirror> {
    let mut mirrors = Vec::new();
    for text in said.url.iter().chain(&said.mirrors) {
        match text.parse::<Mirror>().and_then(|mirror| mirror.beside(address).map(|()| mirror)) {
            Ok(mirror) => mirrors.push(mirror),
            Err(problem) => {
                let text = format!("An address of the manifest is not used: {}", problem.sentence());
                feedback.notice(Notice::NotUsed(&text));
            }
        }
    }
    mirrors
}

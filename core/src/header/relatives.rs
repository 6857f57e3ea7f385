//! Files that people take for rollup node snapshots: recognised by their first bytes and named
//! (`docs/FORMAT.md`, section 3).

use alloc::string::String;

use crate::code::Code;
use crate::problem::{Place, Problem};
use crate::tar;

/// The problem of a file that is known to be something else; `None` for everything that may be a
/// snapshot.
pub(super) fn recognise(first: &[u8]) -> Option<Problem> {
    let at_start = |code| Problem::new(code).at(Place::Stream(0));
    if first.starts_with(EVM_NODE) {
        return Some(at_start(Code::HeaderEvmNode).found(match first.get(EVM_NODE.len()) {
            Some(0) => "an EVM node snapshot header of version 0",
            Some(1) => "an EVM node snapshot header of version 1",
            _ => "an EVM node snapshot header",
        }));
    }
    if first.get(..DESYNC.len()).is_some_and(|start| start == DESYNC) {
        return Some(at_start(Code::HeaderDesync));
    }
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| first.starts_with(magic)) {
        return Some(at_start(Code::HeaderForeign).found(what));
    }
    let block = first.first_chunk::<{ tar::BLOCK }>()?;
    if !tar::checksum_matches(block) || block.iter().all(|&byte| byte == 0) {
        return None;
    }
    let name = block.split(|&byte| byte == 0).next().unwrap_or_default();
    let name = String::from_utf8_lossy(&name[..name.len().min(100)]);
    let code = if L1_NODE.iter().any(|start| name.starts_with(start)) {
        Code::HeaderL1Node
    } else {
        Code::HeaderForeign
    };
    Some(at_start(code).found(format_args!("a tar archive whose first member is {name:?}")))
}

const EVM_NODE: &[u8] = b"OCTEZ_EVM_node_snapshot";

/// Index of content-defined chunks: header size 48, then the format's mark, both little-endian.
const DESYNC: [u8; 16] = [48, 0, 0, 0, 0, 0, 0, 0, 0xf9, 0x9f, 0x12, 0x7b, 0x9c, 0x4d, 0x82, 0x96];

/// First members of layer 1 snapshots.
const L1_NODE: [&str; 7] = [
    "snapshot_version.json",
    "metadata.json",
    "cemented_blocks",
    "floating_blocks",
    "protocol_levels",
    "block_data",
    "context",
];

/// What else a download or a slip of the hand brings.
const OTHERS: [(&[u8], &str); 11] = [
    (b"\x1f\x8b", "a gzip file inside the gzip file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"\xfd7zXZ\0", "an xz file"),
    (b"BZh", "a bzip2 file"),
    (b"PK\x03\x04", "a zip file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"<!", "a web page: the download failed"),
    (b"<html", "a web page: the download failed"),
    (b"{", "a JSON text"),
];

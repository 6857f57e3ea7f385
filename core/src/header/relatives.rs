//! Files that people take for rollup node snapshots: recognised by their first bytes and named
//! (`docs/FORMAT.md`, section 3).

use alloc::format;
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
    if let Some((_, what, way)) = PACKED.iter().find(|(magic, ..)| first.starts_with(magic)) {
        return Some(at_start(Code::HeaderForeign).found(what).because(unpack(way)));
    }
    if is_zlib(first) {
        return Some(at_start(Code::HeaderForeign).found("a zlib stream").because(unpack("pigz -dc")));
    }
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| first.starts_with(magic)) {
        return Some(at_start(Code::HeaderForeign).found(what));
    }
    if let Some(text) = text(first) {
        return Some(text_instead(&text));
    }
    let block = first.first_chunk::<{ tar::BLOCK }>()?;
    if !tar::checksum_matches(block) || block.iter().all(|&byte| byte == 0) {
        return None;
    }
    let name = block.split(|&byte| byte == 0).next().unwrap_or_default();
    let name = String::from_utf8_lossy(&name[..name.len().min(100)]);
    let found = format!("a tar archive whose first member is {name:?}");
    Some(if L1_NODE.iter().any(|start| name.starts_with(start)) {
        at_start(Code::HeaderL1Node).found(found)
    } else {
        let way = "if it holds a data directory, unpack it (tar -xf FILE) and name the directory: rollsnap verify DIR";
        at_start(Code::HeaderForeign).found(found).because(way)
    })
}

/// How to come to what is packed.
fn unpack(way: &str) -> String {
    format!("if it holds a snapshot, unpack it: {way} FILE | rollsnap COMMAND -")
}

/// The two bytes in front of a zlib stream: deflate with a window of 32 KiB, and a check of themselves.
fn is_zlib(first: &[u8]) -> bool {
    matches!(first, [0x78, flags, ..] if (0x7800 | u16::from(*flags)) % 31 == 0 && flags & 0x20 == 0)
}

/// The first bytes as a text, if they are one: without the mark and the blanks that servers put in front of it.
fn text(first: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(first);
    let text = text.trim_start_matches('\u{feff}').trim();
    let is_text = |letter: char| !letter.is_control() || letter.is_whitespace();
    // Some letters may be of another encoding, or cut.
    let foreign = text.chars().filter(|letter| *letter == char::REPLACEMENT_CHARACTER).count();
    (!text.is_empty() && text.chars().all(is_text) && foreign * 8 <= text.len()).then(|| text.into())
}

/// What came instead of a snapshot: what servers and version control leave in its place.
fn text_instead(text: &str) -> Problem {
    const FETCH: &str = "the download failed: look at what it says, and fetch the snapshot itself";
    let starts = |start: &str| text.get(..start.len()).is_some_and(|first| first.eq_ignore_ascii_case(start));
    let (what, way) = match text {
        _ if starts("version https://git-lfs") => {
            ("a Git LFS pointer", "fetch the file that it stands for: git lfs pull")
        }
        _ if starts("<?xml") || starts("<error") => ("an XML text, such as object stores answer with", FETCH),
        _ if starts("<") => ("a web page", FETCH),
        _ if starts("{") || starts("[") => ("a JSON text", FETCH),
        _ => ("a text", FETCH),
    };
    let line: String = text.lines().next().unwrap_or_default().chars().take(60).collect();
    let problem = Problem::new(Code::HeaderForeign).at(Place::Stream(0));
    problem.found(format_args!("{what}, which begins {line:?}")).because(way)
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

/// What snapshots are packed into, and what unpacks it.
const PACKED: [(&[u8], &str, &str); 12] = [
    (b"\x1f\x8b", "a gzip file inside the gzip file", "gzip -dc"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "zstd -dc"),
    (b"\xfd7zXZ\0", "an xz file", "xz -dc"),
    (b"BZh", "a bzip2 file", "bzip2 -dc"),
    (b"\x04\x22\x4d\x18", "an lz4 file", "lz4 -dc"),
    (b"\x02\x21\x4c\x18", "an lz4 file of the old form", "lz4 -dc"),
    (b"LZIP", "an lzip file", "lzip -dc"),
    (b"\x89LZO\0\r\n\x1a\n", "an lzop file", "lzop -dc"),
    (b"\x5d\0\0", "an lzma file", "xz --format=lzma -dc"),
    (b"\xff\x06\0\0sNaPpY", "a snappy file", "snzip -dc"),
    (b"\x1f\x9d", "a file of compress", "gzip -dc"),
    (b"PK\x03\x04", "a zip file", "unzip -p"),
];

/// What else a slip of the hand brings.
const OTHERS: [(&[u8], &str); 6] = [
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip file, which holds other files: unpack it first"),
    (b"Rar!\x1a\x07", "a RAR file, which holds other files: unpack it first"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"\xff\xfe", "a text in UTF-16"),
    (b"\xfe\xff", "a text in UTF-16"),
];

//! Files that people take for rollup node snapshots: recognised by their first bytes and named
//! (`docs/FORMAT.md`, section 3).

use alloc::string::String;

use super::LEN;
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
    if first.len() >= LEN && first.iter().all(|&byte| byte == 0) {
        let why = "space was reserved for the file, and the download did not fill it: fetch it again";
        return Some(at_start(Code::HeaderForeign).found("nothing but zeros at its start").because(why));
    }
    let is_zlib = matches!(first, [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..]);
    let known = OTHERS.iter().find(|(magic, ..)| first.starts_with(magic));
    if let Some((_, what, tool)) = known.or(is_zlib.then_some(&ZLIB)) {
        let problem = at_start(Code::HeaderForeign).found(what);
        return Some(match *tool {
            "" => problem,
            tool => problem.because(format_args!("to read it: {tool} FILE | rollsnap COMMAND -")),
        });
    }
    if let Some(text) = text(first) {
        let (what, way) = what_text(text);
        let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(&line[..line.len().min(60)]);
        return Some(
            at_start(Code::HeaderForeign).found(format_args!("{what}, which begins {line:?}")).because(way),
        );
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
    let problem = at_start(code).found(format_args!("a tar archive whose first member is {name:?}"));
    Some(if code == Code::HeaderL1Node { problem } else { problem.because(UNPACK) })
}

const UNPACK: &str = "unpack it: tar -xf FILE, then rollsnap verify DIR";

/// The first bytes as a text, if they are one: without the mark and the blanks that servers put in front of it.
fn text(first: &[u8]) -> Option<&[u8]> {
    let text = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first).trim_ascii();
    let is_text = |byte: &u8| *byte >= b' ' || byte.is_ascii_whitespace();
    let foreign = text.iter().filter(|byte| !byte.is_ascii()).count();
    // A web page can be in any writing.
    let is_page = text.first() == Some(&b'<');
    (!text.is_empty() && text.iter().all(is_text) && (is_page || foreign * 2 <= text.len())).then_some(text)
}

/// What came instead of a snapshot, as servers and version control leave it in its place, and what to do.
fn what_text(text: &[u8]) -> (&'static str, &'static str) {
    let starts = |start: &str| {
        text.get(..start.len()).is_some_and(|first| first.eq_ignore_ascii_case(start.as_bytes()))
    };
    let failed = "the download failed: read what it says";
    match text {
        _ if starts("version https://git-lfs") => ("a Git LFS pointer", "fetch its file: git lfs pull"),
        _ if starts("<?xml") || starts("<error") => ("an XML text", failed),
        [b'<', ..] => ("a web page", failed),
        [b'{' | b'[', ..] => ("a JSON text", failed),
        _ => ("a text", failed),
    }
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

/// What else a download or a slip of the hand brings, and the tool that gives what a snapshot was packed into.
const OTHERS: [(&[u8], &str, &str); 13] = [
    (b"\x1f\x8b", "a gzip file inside the gzip file", "gzip -dc"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "zstd -dc"),
    (b"\xfd7zXZ\0", "an xz file", "xz -dc"),
    (b"BZh", "a bzip2 file", "bzip2 -dc"),
    (b"\x04\x22\x4d\x18", "an lz4 file", "lz4 -dc"),
    (b"LZIP", "an lzip file", "lzip -dc"),
    (b"\x89LZO\0", "an lzop file", "lzop -dc"),
    (b"\x5d\0\0", "an lzma file", "xz -dc"),
    (b"PK\x03\x04", "a zip file", "unzip -p"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip file", "7z x -so"),
    (b"Rar!\x1a\x07", "a RAR file", "unrar p -inul"),
    (b"SQLite format 3\0", "an SQLite database", ""),
    (b"\x7fELF", "a program", ""),
];

/// Its first byte is a letter; the second one counts to a multiple of 31 with it.
const ZLIB: (&[u8], &str, &str) = (b"\x78", "a zlib stream", "pigz -dc");

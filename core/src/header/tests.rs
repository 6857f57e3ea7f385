//! Vectors of the format description, section 2.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::*;

/// The worked example: Etherlink's address, a real commitment hash of another rollup.
const EXAMPLE: &str = "000174f8952e7a287d78e8dceec67547bd00a278abbf008b9f85\
    820b56b936132de76747798cd9930d35e2b0a2c2eea12b01228dfef2fed33b59";

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

#[test]
fn worked_example() {
    let bytes = hex(EXAMPLE);
    let header = Header::parse(&bytes).unwrap();
    assert_eq!(header.layout, Layout::Versioned);
    assert_eq!(header.history_mode, HistoryMode::Full);
    assert_eq!(header.rollup_address.to_string(), "sr1Ghq66tYK9y3r8CC1Tf8i8m5nxh8nTvZEf");
    assert_eq!(header.head_level, 9_150_341);
    assert_eq!(header.last_commitment.to_string(), "src13TanyZ7RvSULqVb2tjx1zRVw2jyJC2ToHLz1ZKg38sZ4HBYdSN");
    assert_eq!(header.to_bytes().as_slice(), bytes);
    assert_eq!(file_name(&header), "snapshot-sr1Ghq66tYK9y-9150341.full");
}

#[test]
fn refusals() {
    let good = hex(EXAMPLE);
    for len in 0..LEN {
        let code = Header::parse(&good[..len]).unwrap_err().code();
        assert_eq!(code, if len == 0 { Code::FileEmpty } else { Code::HeaderShort }, "{len}");
        assert_eq!(recognise(&good[..len]).unwrap_err().code(), code, "{len}");
    }
    let mut other = good.clone();
    other[0] = 1;
    assert_eq!(recognise(&other).unwrap_err().code(), Code::HeaderVersion);
    let mut other = good;
    other[1] = 2;
    assert_eq!(recognise(&other).unwrap_err().code(), Code::HeaderHistoryMode);
}

#[test]
fn relatives_are_named() {
    let desync = [&[48u8, 0, 0, 0, 0, 0, 0, 0][..], &0x9682_4d9c_7b12_9ff9u64.to_le_bytes()].concat();
    for (first, code) in [
        (&b"OCTEZ_EVM_node_snapshot\x01rest"[..], Code::HeaderEvmNode),
        (&desync, Code::HeaderDesync),
        (b"SQLite format 3\0", Code::HeaderForeign),
        (b"<!DOCTYPE html>", Code::HeaderForeign),
        (b"\x1f\x8b\x08", Code::HeaderForeign),
    ] {
        assert_eq!(recognise(first).unwrap_err().code(), code);
    }
}

#[test]
fn what_came_instead_is_named() {
    for (first, found, way) in [
        (&b"404: Not Found"[..], r#"a text, which begins "404: Not Found""#, "the download failed"),
        (b"error code: 1015", r#"a text, which begins "error code: 1015""#, "the download failed"),
        (b"Too Many Requests\n", r#"a text, which begins "Too Many Requests""#, "the download failed"),
        (
            b"\xef\xbb\xbf\r\n\r\n<!DOCTYPE html>\n<p>",
            r#"a web page, which begins "<!DOCTYPE html>""#,
            "the download failed",
        ),
        (b"<html><p>caf\xe9 ferm\xe9</p></html>", "a web page, which begins", "the download failed"),
        (b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code>", "an XML text", "the download failed"),
        (b"<Error><Code>AccessDenied</Code></Error>", "an XML text", "the download failed"),
        (b" {\"message\": \"no\"}", "a JSON text", "the download failed"),
        (b"[]", "a JSON text", "the download failed"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "a Git LFS pointer", "git lfs pull"),
        (b"\x04\x22\x4d\x18", "an lz4 file", "to read it: lz4 -dc FILE | rollsnap COMMAND -"),
        (b"\x78\x9c\x03\0", "a zlib stream", "pigz -dc"),
        (b"\x78\x01", "a zlib stream", "pigz -dc"),
        (b"LZIP\x01", "an lzip file", "lzip -dc"),
        (b"Rar!\x1a\x07\x01\0", "a RAR file", ""),
        (b"\x1f\x8b\x08", "a gzip file inside the gzip file", "gzip -dc"),
        (&[0; LEN], "nothing but zeros at its start", "fetch it again"),
        (&[0; LOOKAHEAD], "nothing but zeros at its start", "fetch it again"),
    ] {
        let problem = recognise(first).unwrap_err();
        assert_eq!(problem.code(), Code::HeaderForeign);
        assert!(problem.found_text().unwrap().starts_with(found), "{problem}");
        assert!(problem.cause().unwrap_or_default().contains(way), "{problem}");
    }
    // Neither is a text, nor anything that is known.
    for first in
        [&[5; 60][..], &[0xff; 60], b"\x78\x9d and so on, and so on, and so on, and so on, and so on, and \0"]
    {
        assert_eq!(recognise(first).unwrap_err().code(), Code::HeaderVersion);
    }
}

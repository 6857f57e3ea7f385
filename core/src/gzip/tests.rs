//! Round trips, every cut, every flipped byte. Foreign files are judged in the conformance tests.

use alloc::vec::Vec;

use super::*;
use crate::code::Code;
use crate::problem::Result;

fn gzip(parts: &[&[u8]], flush: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut out = |piece: &[u8]| -> core::result::Result<(), ()> {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    let mut writer = Gzip::new(Gzip::LEVEL);
    for part in parts {
        writer.write(part, &mut out).unwrap();
        if flush {
            writer.sync_flush(&mut out).unwrap();
        }
    }
    writer.finish(&mut out).unwrap();
    bytes
}

fn gunzip(file: &[u8], piece: usize) -> Result<Vec<u8>> {
    let mut reader = Gunzip::new();
    let mut bytes = Vec::new();
    for mut input in file.chunks(piece) {
        loop {
            match reader.step(&mut input)? {
                Step::NeedsInput => break,
                Step::Output(output) => bytes.extend_from_slice(output),
                Step::End => {}
            }
        }
    }
    reader.finish()?;
    assert_eq!(reader.consumed(), file.len() as u64);
    assert_eq!(reader.produced(), bytes.len() as u64);
    Ok(bytes)
}

fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8 & 0x3f
    };
    (0..len).map(next).collect()
}

#[test]
fn what_is_written_reads_back_in_pieces_of_any_size() {
    let data = noise(300_000);
    let (head, tail) = data.split_at(123_457);
    for flush in [false, true] {
        let file = gzip(&[head, tail], flush);
        assert_eq!(&file[..10], b"\x1f\x8b\x08\0\0\0\0\0\0\xff");
        for piece in [1, 7, 4096, file.len()] {
            assert_eq!(gunzip(&file, piece).unwrap(), data, "pieces of {piece}");
        }
    }
    assert!(gunzip(&gzip(&[], false), 1).unwrap().is_empty());
}

#[test]
fn every_cut_is_noticed() {
    let file = gzip(&[b"some text, some text, some more text"], true);
    for len in 0..file.len() {
        assert_eq!(gunzip(&file[..len], 5).unwrap_err().code(), Code::GzipTruncated, "{len}");
    }
}

#[test]
fn every_flipped_byte_is_noticed() {
    let file = gzip(&[&noise(500)], false);
    for at in 0..file.len() {
        let mut bad = file.clone();
        bad[at] ^= 0x10;
        // Time, extra flags and system are free to say anything, and so are the bits that fill
        // the last byte before the trailer.
        if (4..10).contains(&at) || at == file.len() - 9 {
            continue;
        }
        assert!(gunzip(&bad, 64).is_err(), "byte {at}");
    }
}

#[test]
fn what_follows_the_member_is_reported() {
    let file = gzip(&[b"x"], false);
    for (more, code) in
        [(&b"\0"[..], Code::GzipTrailing), (b"garbage", Code::GzipTrailing), (&file, Code::GzipMembers)]
    {
        let problem = gunzip(&[&file, more].concat(), 4096).unwrap_err();
        assert_eq!(problem.code(), code);
        assert_eq!(problem.place(), Some(&crate::Place::File(file.len() as u64)));
    }
}

/// A match that reaches back before the first byte: zlib refuses it, so must we.
#[test]
fn looking_back_beyond_the_start_is_refused() {
    // Fixed Huffman block: literal 'a', then a match of length 3 at distance 2, then the end.
    // Bits, least significant first: 1 (last) 01 (fixed), 10010001 ('a' = 0x61 + 0x30),
    // 0000001 (length 3), 00001 (distance 2), 0000000 (end).
    let mut bits: Vec<u8> = alloc::vec![1, 1, 0];
    for code in ["10010001", "0000001", "00001", "0000000"] {
        bits.extend(code.bytes().map(|bit| bit - b'0'));
    }
    let deflate = bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |value, bit| value << 1 | bit));
    let mut file = member::WRITTEN.to_vec();
    file.extend(deflate);
    file.extend([0; 8]);
    assert_eq!(gunzip(&file, 4096).unwrap_err().code(), Code::GzipDeflate);
}

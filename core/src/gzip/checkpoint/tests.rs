//! Random access against reading from front to end; every lie that an index can tell.

use alloc::vec::Vec;

use miniz_oxide::deflate::compress_to_vec;

use super::*;
use crate::Code;
use crate::gzip::Gzip;
use crate::problem::Result;
use crate::read_at::ReadAt;

fn content(length: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let mut bytes = Vec::new();
    while bytes.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let word = alloc::format!("{} ", state >> 19);
        bytes.extend_from_slice(word.as_bytes());
        if state >> 28 == 0 {
            bytes.extend_from_slice(&state.to_be_bytes());
        }
    }
    bytes.truncate(length);
    bytes
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = Gzip::new(6);
    let mut out = |bytes: &[u8]| -> core::result::Result<(), ()> {
        file.extend_from_slice(bytes);
        Ok(())
    };
    writer.write(content, &mut out).unwrap();
    writer.finish(&mut out).unwrap();
    file
}

fn scan(file: &[u8], span: u64, most: usize, piece: usize) -> Result<Option<Index>> {
    let mut scanner = Scanner::new(span, most);
    file.chunks(piece).try_for_each(|bytes| scanner.feed(bytes))?;
    scanner.finish()
}

fn read_all(file: &[u8], index: Index) -> Result<Vec<u8>> {
    let spans = Spans::new(file, index)?;
    let mut all = Vec::new();
    for at in 0..spans.index().checkpoints.len() {
        let mut span = spans.span(at)?;
        while let Some(bytes) = span.step()? {
            all.extend_from_slice(bytes);
        }
    }
    Ok(all)
}

#[test]
fn any_part_is_what_stands_there() {
    let content = content(900_000);
    let file = gzip(&content);
    let index = scan(&file, 50_000, 1000, 10_007).unwrap().unwrap();
    assert!(index.checkpoints.len() > 5, "{}", index.checkpoints.len());
    assert!(index.checkpoints.iter().any(|point| point.bit % 8 != 0));
    assert_eq!(read_all(&file, index.clone()).unwrap(), content);
    let spans = Spans::new(file, index).unwrap();
    for (offset, length) in [(0, 1), (0, 900_000), (899_999, 1), (123_456, 70_000), (500_000, 0), (65_535, 2)]
    {
        let mut out = alloc::vec![0xaa; length];
        spans.read_at(offset, &mut out).unwrap();
        assert_eq!(out, content[offset as usize..][..length]);
    }
    for (offset, length) in [(900_000, 1), (u64::MAX, 1), (1, 900_000)] {
        assert_eq!(spans.read_at(offset, &mut alloc::vec![0; length]).unwrap_err().code(), Code::IoOther);
    }
}

#[test]
fn pieces_and_thinning_change_nothing() {
    let content = content(700_000);
    let file = gzip(&content);
    let index = scan(&file, 40_000, 1000, file.len()).unwrap();
    assert_eq!(scan(&file, 40_000, 1000, 1).unwrap(), index);
    for most in 2..6 {
        let index = scan(&file, 40_000, most, 4096).unwrap().unwrap();
        assert!((2..=most).contains(&index.checkpoints.len()));
        assert_eq!(read_all(&file, index).unwrap(), content);
    }
}

#[test]
fn an_index_survives_being_written() {
    let file = gzip(&content(300_000));
    let index = scan(&file, 40_000, 100, 4096).unwrap().unwrap();
    let mut bytes = index.encode();
    assert_eq!(Index::decode(&bytes).unwrap(), index);
    for cut in 0..bytes.len() {
        assert_eq!(Index::decode(&bytes[..cut]).unwrap_err().code(), Code::GzipIndex, "{cut}");
    }
    for at in 0..bytes.len() {
        bytes[at] ^= 0x10;
        assert_eq!(Index::decode(&bytes).unwrap_err().code(), Code::GzipIndex, "{at}");
        bytes[at] ^= 0x10;
    }
    bytes.extend_from_slice(&[0; 9]);
    assert_eq!(Index::decode(&bytes).unwrap(), index);
}

/// Lies with a right checksum: each is found, and before its bytes are taken for true.
#[test]
fn a_lying_index_never_gives_wrong_bytes() {
    let content = content(400_000);
    let file = gzip(&content);
    let index = scan(&file, 40_000, 100, 4096).unwrap().unwrap();
    let other = gzip(&content[1..]);
    assert_eq!(read_all(&other, index.clone()).unwrap_err().code(), Code::GzipIndex);
    let window = compress_to_vec(&content[..32_768], 6);
    let lies: [fn(&mut Index, &[u8]); 13] = [
        |index, _| index.file_len += 1,
        |index, _| index.content_len += 1 << 32,
        |index, _| index.crc ^= 1,
        |index, _| index.checkpoints.clear(),
        |index, _| index.checkpoints.swap(1, 2),
        |index, _| drop(index.checkpoints.remove(0)),
        |index, _| drop(index.checkpoints.remove(2)),
        |index, _| index.checkpoints[1].bit += 1,
        |index, _| index.checkpoints[1].offset += 1,
        |index, _| index.checkpoints[1].crc ^= 0x8000_0000,
        |index, _| index.checkpoints[1].window = None,
        |index, window| index.checkpoints[2].window = Some(window.into()),
        |index, _| index.checkpoints[2].window.as_mut().unwrap()[100] ^= 1,
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let mut lying = index.clone();
        lie(&mut lying, &window);
        assert_eq!(read_all(&file, lying).unwrap_err().code(), Code::GzipIndex, "lie {number}");
    }
}

/// Sums of checksums that agree do not help: a span proves where the next one begins.
#[test]
fn a_file_that_reads_differently_from_the_middle_is_found() {
    // A stored block whose content is itself deflate data. From front to end it is content; an index
    // that points into it would make something else of it.
    let all = content(5000);
    let hidden = compress_to_vec(&all[10..], 6);
    let mut file = alloc::vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1];
    file.extend_from_slice(&(hidden.len() as u16).to_le_bytes());
    file.extend_from_slice(&(!(hidden.len() as u16)).to_le_bytes());
    let inside = file.len() as u64;
    file.extend_from_slice(&hidden);
    let crc = crc32fast::hash(&all);
    file.extend_from_slice(&crc.to_le_bytes());
    file.extend_from_slice(&(all.len() as u32).to_le_bytes());
    let first = Checkpoint { bit: 80, offset: 0, crc: crc32fast::hash(&all[..10]), window: None };
    let second = Checkpoint { bit: inside * 8, offset: 10, crc: crc32fast::hash(&all[10..]), window: None };
    let index = Index {
        file_len: file.len() as u64,
        content_len: all.len() as u64,
        crc,
        checkpoints: alloc::vec![first, second],
        waypoints: Vec::new(),
    };
    // It passes what can be told without reading it.
    index.check(&file).unwrap();
    assert_eq!(read_all(&file, index).unwrap_err().code(), Code::GzipIndex);
}

#[test]
fn a_damaged_file_has_no_index() {
    let file = gzip(&content(100_000));
    let code = |file: &[u8]| scan(file, 20_000, 100, 1000).unwrap_err().code();
    assert_eq!(code(&file[..file.len() - 1]), Code::GzipTruncated);
    assert_eq!(code(&file[..5]), Code::GzipTruncated);
    assert_eq!(code(&[file.as_slice(), b"x"].concat()), Code::GzipTrailing);
    let with = |at: usize, byte: u8| {
        let mut file = file.clone();
        file[at] ^= byte;
        file
    };
    assert_eq!(code(&with(1, 1)), Code::GzipHeader);
    assert_eq!(code(&with(10, 6)), Code::GzipDeflate);
    assert_eq!(code(&with(file.len() - 8, 1)), Code::GzipCrc);
    assert_eq!(code(&with(file.len() - 1, 1)), Code::GzipSize);
    assert_eq!(scan(&gzip(&[]), 20_000, 100, 1000), Ok(None));
}

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

/// An index, and its file as far as the table: what the windows are read from.
type Made = (Index, Vec<u8>);

fn scan(file: &[u8], span: u64, most: usize, piece: usize) -> Result<Option<Made>> {
    let mut scanner = Scanner::new(span, most);
    let (mut beside, mut length, mut crc) = (alloc::vec![0; HEAD], 0, crc32fast::Hasher::new());
    for bytes in file.chunks(piece) {
        scanner.feed(bytes, &mut |scanned| {
            match scanned {
                Scanned::Content(content) => {
                    length += content.len() as u64;
                    crc.update(content);
                }
                Scanned::Window(data) => beside.extend_from_slice(data),
            }
            Ok(())
        })?;
    }
    let index = scanner.finish()?;
    if let Some(index) = &index {
        assert_eq!((index.content_len, index.crc), (length, crc.finalize()));
    }
    Ok(index.map(|index| (index, beside)))
}

/// The whole file of an index.
fn written((index, windows): &Made) -> Vec<u8> {
    let (head, table) = index.encode_beside(windows.len() as u64);
    [&head, &windows[HEAD..], &table].concat()
}

fn read_all(file: &[u8], (index, beside): Made) -> Result<Vec<u8>> {
    let spans = Spans::new(Indexed::new(file, index, Some(beside.as_slice()))?);
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
    let (points, beside) = (&index.0.checkpoints, index.1.clone());
    assert!(points.len() > 5, "{}", points.len());
    assert!(points.iter().any(|point| point.bit % 8 != 0));
    assert_eq!(read_all(&file, index.clone()).unwrap(), content);
    let spans = Spans::new(Indexed::new(file, index.0, Some(beside)).unwrap());
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
        assert!((2..=most).contains(&index.0.checkpoints.len()));
        assert_eq!(read_all(&file, index).unwrap(), content);
    }
}

#[test]
fn an_index_beside_its_file_survives_being_written() {
    let file = gzip(&content(300_000));
    let mut made = scan(&file, 40_000, 100, 4096).unwrap().unwrap();
    for (offset, name) in [(58, "context/index/log"), (2_000, "a"), (100_000, "storage/version")] {
        made.0.members.add(offset, name);
    }
    let mut bytes = written(&made);
    let (index, windows) = made;
    assert_eq!(Index::of_beside(&bytes).unwrap(), index);
    assert_eq!(index.encode(), None, "windows have no place in a header");
    // Every byte but those of windows, which spans prove; those before the table, and all of it.
    let told = (0..HEAD).chain(windows.len()..bytes.len());
    for at in told.clone() {
        assert_eq!(Index::of_beside(&bytes[..at]).unwrap_err().code(), Code::GzipIndex, "{at}");
    }
    for at in told {
        bytes[at] ^= 0x10;
        assert_eq!(Index::of_beside(&bytes).unwrap_err().code(), Code::GzipIndex, "{at}");
        bytes[at] ^= 0x10;
    }
    bytes.push(0);
    assert_eq!(Index::of_beside(&bytes).unwrap_err().code(), Code::GzipIndex);
}

/// A file of stored blocks, each of `span` bytes of content, as the deflater of export cuts it, and its index.
fn stored(content: &[u8], span: usize) -> (Vec<u8>, Index) {
    let mut file = alloc::vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let mut checkpoints = Vec::new();
    for (at, piece) in content.chunks(span).enumerate() {
        let (bit, offset) = (file.len() as u64 * 8, (at * span) as u64);
        checkpoints.push(Checkpoint { bit, offset, crc: crc32fast::hash(piece), window: None });
        file.push(u8::from(offset + piece.len() as u64 == content.len() as u64));
        file.extend_from_slice(&(piece.len() as u16).to_le_bytes());
        file.extend_from_slice(&(!(piece.len() as u16)).to_le_bytes());
        file.extend_from_slice(piece);
    }
    let (crc, content_len) = (crc32fast::hash(content), content.len() as u64);
    file.extend_from_slice(&crc.to_le_bytes());
    file.extend_from_slice(&(content_len as u32).to_le_bytes());
    let (file_len, waypoints, members) = (file.len() as u64, Vec::new(), MemberTable::default());
    (file, Index { file_len, content_len, crc, checkpoints, waypoints, members })
}

#[test]
fn an_index_in_a_header_survives_being_written() {
    let (_, mut index) = stored(&content(100_000), 9_000);
    index.waypoints.push(Waypoint { offset: 58, name: "context/".into() });
    index.waypoints.push(Waypoint { offset: 70_000, name: "storage/v".into() });
    let mut bytes = index.encode().unwrap();
    // 40 bytes and eight for each of 12 checkpoints; two waypoints with names of 8 and 9 bytes; no table.
    assert_eq!(bytes.len(), 40 + 12 * 8 + 2 + 2 * 9 + 8 + 9 + 4 + 4);
    assert_eq!(bytes[32..44], [&9_000_u64.to_be_bytes()[..], &(5 + 9_000_u32).to_be_bytes()].concat());
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
    // Version 1 was another form.
    bytes[4] = 1;
    assert_eq!(Index::decode(&bytes).unwrap_err().code(), Code::GzipIndex);
}

/// As many as a gzip header has room for.
#[test]
fn six_thousand_checkpoints_fit_into_a_header() {
    let content = content(Index::capacity(48 * 1024) * 100 - 1);
    let (file, index) = stored(&content, 100);
    let bytes = index.encode().unwrap();
    assert!(index.checkpoints.len() > 6_100 && bytes.len() <= 48 * 1024 && bytes.len() < FIELD_MAX);
    let index = Index::decode(&bytes).unwrap();
    let spans = Spans::new(Indexed::new(file, index, None).unwrap());
    for offset in [0, 99, 100, 12_345, content.len() - 200] {
        let mut out = [0; 200];
        spans.read_at(offset as u64, &mut out).unwrap();
        assert_eq!(out, content[offset..][..200]);
    }
}

/// What the form in the header cannot say is not said.
#[test]
fn a_header_holds_regular_spans_only() {
    let (file, index) = stored(&content(50_000), 9_000);
    let lies: [fn(&mut Index); 6] = [
        |index| index.checkpoints[2].offset += 1,
        |index| index.checkpoints[2].bit += 1,
        |index| index.checkpoints[2].bit = 8 << 33,
        |index| index.checkpoints[2].window = Some(WindowPlace { at: 40, len: 9 }),
        |index| index.checkpoints[2].bit = index.file_len * 8,
        |index| index.file_len = 1 << 40,
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let mut lying = index.clone();
        lie(&mut lying);
        assert_eq!(lying.encode(), None, "lie {number}");
    }
    // Numbers that fit together, but not to the file.
    let changes: [(usize, &[u8]); 6] = [
        (12, &(1_u64 << 40).to_be_bytes()),
        (12, &[0; 8]),
        (12, &[0xff; 8]),
        (32, &[0; 8]),
        (32, &[0xff; 8]),
        (40, &[0xff; 4]),
    ];
    for (at, change) in changes {
        let mut bytes = index.encode().unwrap();
        bytes[at..at + change.len()].copy_from_slice(change);
        let end = bytes.len() - 4;
        let crc = crc32fast::hash(&bytes[..end]);
        bytes[end..].copy_from_slice(&crc.to_be_bytes());
        let checked = Index::decode(&bytes).and_then(|index| index.check(&file));
        assert_eq!(checked.unwrap_err().code(), Code::GzipIndex, "{at}");
    }
}

#[test]
fn members_are_found_by_their_names_in_any_order() {
    let (file, mut index) = stored(&content(50_000), 9_000);
    for (offset, name) in [(40_000, "b"), (58, "c"), (1_082, "a"), (2_000, "b")] {
        index.members.add(offset, name);
    }
    assert_eq!(index.members.len(), 3);
    // A header, or one that announces it and its records.
    assert_eq!(index.stretch_of("a"), Some((1_082, 1_082 + 3 * 512)));
    assert_eq!(index.stretch_of("b"), Some((40_000, 40_000 + 3 * 512)));
    assert_eq!(index.stretch_of("d"), None);
    index.check(&file).unwrap();
    index.members.add(50_000, "e");
    assert_eq!(index.check(&file).unwrap_err().code(), Code::GzipIndex);
}

/// Lies with a right checksum: each is found, and before its bytes are taken for true.
#[test]
fn a_lying_index_never_gives_wrong_bytes() {
    let content = content(400_000);
    let file = gzip(&content);
    let index = scan(&file, 40_000, 100, 4096).unwrap().unwrap();
    let other = gzip(&content[1..]);
    assert_eq!(read_all(&other, index.clone()).unwrap_err().code(), Code::GzipIndex);
    let lies: [fn(&mut Index, &mut Vec<u8>); 17] = [
        |index, _| index.file_len += 1,
        |index, _| index.content_len += 1 << 32,
        |index, _| index.crc ^= 1,
        |index, _| index.checkpoints.clear(),
        |index, _| index.checkpoints.swap(1, 2),
        |index, _| index.checkpoints.retain(|point| point.offset > 0),
        |index, _| index.checkpoints.retain(|point| point.offset < 200_000 || point.offset > 300_000),
        |index, _| index.checkpoints[1].bit += 1,
        |index, _| index.checkpoints[1].offset += 1,
        |index, _| index.checkpoints[1].crc ^= 0x8000_0000,
        |index, _| index.checkpoints[1].window = None,
        |index, _| index.checkpoints[2].window = index.checkpoints[1].window,
        |index, _| index.checkpoints[2].window.as_mut().unwrap().at += 1,
        |index, _| index.checkpoints[2].window.as_mut().unwrap().len /= 2,
        |index, windows| windows[index.checkpoints[2].window.unwrap().at as usize + 100] ^= 1,
        |index, windows| windows.truncate(index.checkpoints[2].window.unwrap().at as usize),
        |_, windows| windows.clear(),
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let mut lying = index.clone();
        lie(&mut lying.0, &mut lying.1);
        assert_eq!(read_all(&file, lying).unwrap_err().code(), Code::GzipIndex, "lie {number}");
    }
    // Without anything to read windows from.
    let spans = Spans::new(Indexed::new(file, index.0, None).unwrap());
    assert_eq!(spans.span(1).err().unwrap().code(), Code::GzipIndex);
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
        members: MemberTable::default(),
    };
    // It passes what can be told without reading it.
    index.check(&file).unwrap();
    assert_eq!(read_all(&file, (index, Vec::new())).unwrap_err().code(), Code::GzipIndex);
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

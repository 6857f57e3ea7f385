//! Where a span ends, to the bit; any span of any file; every lie of an index.

use rollsnap_core::gzip::checkpoint::{
    Checkpoint, HEAD, Index, Indexed, MemberTable, Scanned, Scanner, Spans, WindowPlace,
};
use rollsnap_core::tar::{self, Kind, Member};
use rollsnap_core::{Code, header};

use super::Members;
use super::span::SpanInflater;
use crate::deflate::{Deflater, Level, Options};

/// Deflate data, bit by bit.
#[derive(Clone, Default)]
struct Stream {
    bytes: Vec<u8>,
    bits: u64,
}

impl Stream {
    fn push(&mut self, value: u64, len: u32) {
        for bit in 0..len {
            if self.bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << (self.bits % 8);
            self.bits += 1;
        }
    }

    /// A block in fixed codes with an `x`, which is 0x30 + 0x78 in eight bits, the highest first.
    fn letter(&mut self) {
        self.push(0b010, 3);
        self.push(u64::from((0x30 + b'x').reverse_bits()), 8);
        self.push(0, 7);
    }

    /// Fixed codes and no content: ten bits.
    fn nothing(&mut self) {
        self.push(0b010, 10);
    }

    /// Dynamic codes with an `x`, in an odd number of bits.
    fn odd_letter(&mut self) {
        self.push(0b100, 3);
        self.push(0, 10);
        self.push(15, 4);
        // Codes for lengths: 18 and 1, one bit each: 1 is 0, 18 is 1.
        self.push(1 << 6 | 1 << 51, 57);
        // 120 zeros, 1 for `x`, 135 zeros, 1 for the end, 1 for a distance.
        self.push(1 | (120 - 11) << 1, 8);
        self.push(0, 1);
        self.push(1 | (135 - 11) << 1, 8);
        self.push(0, 2);
        // `x` is 0, the end is 1.
        self.push(0b10, 2);
    }
}

/// An index, and what its windows are read from.
type Made = (Index, Vec<u8>);

/// A file that has this deflate data, and an index that passes what can be told without reading: its first
/// span, of `length` times `x`, ends at this bit of the data.
fn index_of(data: &[u8], end_bit: u64, length: u64) -> (Vec<u8>, Made) {
    let first = crc32fast::hash(&vec![b'x'; length as usize]);
    let mut all = crc32fast::Hasher::new_with_initial_len(first, length);
    all.combine(&crc32fast::Hasher::new_with_initial_len(0, 1));
    let crc = all.finalize();
    let mut file = GZIP.to_vec();
    file.extend_from_slice(data);
    file.extend_from_slice(&[0; 16]);
    file.extend_from_slice(&crc.to_le_bytes());
    file.extend_from_slice(&(length as u32 + 1).to_le_bytes());
    let begin = GZIP.len() as u64 * 8;
    let first = Checkpoint { bit: begin, offset: 0, crc: first, window: None };
    // With a window, so that it may begin within a byte.
    let window = stored(&vec![b'x'; length as usize]);
    let place = Some(WindowPlace { at: 0, len: window.len() as u32 });
    let second = Checkpoint { bit: begin + end_bit, offset: length, crc: 0, window: place };
    let (file_len, content_len) = (file.len() as u64, length + 1);
    let (checkpoints, waypoints, members) = (vec![first, second], Vec::new(), MemberTable::default());
    (file, (Index { file_len, content_len, crc, checkpoints, waypoints, members }, window))
}

const GZIP: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Deflate data of few bytes: a stored block.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u16;
    [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), bytes].concat()
}

/// The reader of the core, which is told by its engine at which bit it stands.
fn core_reads(file: &[u8], made: &Made) -> Result<Vec<u8>, Code> {
    let spans = Spans::new(indexed(file, made).unwrap());
    let mut span = spans.span(0).unwrap();
    let mut all = Vec::new();
    loop {
        match span.step() {
            Ok(Some(bytes)) => all.extend_from_slice(bytes),
            Ok(None) => return Ok(all),
            Err(problem) => return Err(problem.code()),
        }
    }
}

fn indexed<'a>(file: &'a [u8], (index, beside): &'a Made) -> Result<Indexed<&'a [u8]>, Code> {
    Indexed::new(file, index.clone(), Some(beside.as_slice())).map_err(|problem| problem.code())
}

fn read(file: &[u8], made: &Made, at: usize) -> Result<Vec<u8>, Code> {
    let mut out = vec![1; 7];
    match SpanInflater::new().read(&indexed(file, made)?, at, &mut out) {
        Ok(()) => Ok(out),
        Err(problem) => Err(problem.code()),
    }
}

/// A block ends at any bit of a byte, with any bits behind it in the byte and after it. Only the bits where
/// it ends, or an empty one behind it, are taken for its end.
#[test]
fn a_span_ends_at_one_bit_only() {
    let mut ends = [false; 8];
    for shift in 0..4 {
        for odd in [false, true] {
            let mut stream = Stream::default();
            (0..shift).for_each(|_| stream.nothing());
            if odd {
                stream.odd_letter()
            } else {
                stream.letter()
            }
            let end = stream.bits;
            ends[end as usize % 8] = true;
            let spare = (8 - end % 8) % 8;
            for rest in 0..1_u64 << spare {
                for behind in [0_u64, 0x0000_ffff_0000_0001, 0xff_ff00_0000] {
                    let mut file = stream.clone();
                    file.push(rest, spare as u32);
                    file.push(behind, 64);
                    for claimed in end - 9..end + 24 {
                        let (file, index) = index_of(&file.bytes, claimed, 1);
                        let found = read(&file, &index, 0);
                        // What stands behind may be an empty block, at whose end the span can end as well.
                        let expected = core_reads(&file, &index);
                        assert_eq!(found, expected, "ends at {end}, said {claimed}, {rest:b}, {behind:x}");
                        assert!(found.is_ok() == (claimed == end) || claimed >= end + 10);
                    }
                }
            }
        }
    }
    assert_eq!(ends, [true; 8]);
}

/// In the middle of a block, whatever the block is: not an end, even where the content would be complete.
#[test]
fn the_middle_of_a_block_is_no_end() {
    for last in [0, 1] {
        // Stored, fixed and dynamic: the content is there before the block is over.
        let mut fixed = Stream::default();
        fixed.push(last | 0b010, 3);
        fixed.push(u64::from((0x30 + b'x').reverse_bits()), 8);
        fixed.push(0, 7);
        let mut dynamic = Stream::default();
        dynamic.odd_letter();
        dynamic.bytes[0] |= last as u8;
        let mut stored = Stream::default();
        stored.push(last, 8);
        stored.push(0xfffe_0001, 32);
        stored.push(u64::from(b'x'), 8);
        for stream in [fixed, dynamic, stored] {
            for claimed in 1..stream.bits {
                let mut file = stream.clone();
                file.push(0b1100_0000_0011, 44);
                let (file, index) = index_of(&file.bytes, claimed, 1);
                assert_eq!(read(&file, &index, 0), Err(Code::GzipIndex), "{claimed} of {}", stream.bits);
            }
        }
    }
}

fn content(length: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let mut bytes = Vec::new();
    while bytes.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.extend_from_slice(format!("{} ", state >> 19).as_bytes());
        if state >> 28 == 0 {
            bytes.extend_from_slice(&state.to_be_bytes());
        }
    }
    bytes.truncate(length);
    bytes
}

/// In one stretch, so that blocks end anywhere in a byte.
fn gzip(content: &[u8]) -> Vec<u8> {
    let mut deflate = zlib_rs::Deflate::new(6, false, 15);
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let mut out = vec![0; content.len() + 1000];
    deflate.compress(content, &mut out, zlib_rs::DeflateFlush::Finish).unwrap();
    file.extend_from_slice(&out[..deflate.total_out() as usize]);
    file.extend_from_slice(&crc32fast::hash(content).to_le_bytes());
    file.extend_from_slice(&(content.len() as u32).to_le_bytes());
    file
}

fn scan(file: &[u8], span: u64) -> Made {
    let mut scanner = Scanner::new(span, 1000);
    let mut beside = vec![0; HEAD];
    let mut sink = |scanned: Scanned<'_>| {
        if let Scanned::Window(data) = scanned {
            beside.extend_from_slice(data);
        }
        Ok(())
    };
    scanner.feed(file, &mut sink).unwrap();
    (scanner.finish().unwrap().unwrap(), beside)
}

fn read_all(file: &[u8], made: &Made) -> Result<Vec<u8>, Code> {
    let mut all = Vec::new();
    for at in 0..made.0.checkpoints.len() {
        all.extend(read(file, made, at)?);
    }
    Ok(all)
}

#[test]
fn spans_within_bytes_and_with_windows_are_the_content() {
    let content = content(3_000_000);
    let file = gzip(&content);
    for span in [1, 20_000, 200_000] {
        let index = scan(&file, span);
        let bits: std::collections::BTreeSet<u64> =
            index.0.checkpoints.iter().map(|point| point.bit % 8).collect();
        assert!(span > 1 || bits.len() == 8, "{bits:?}");
        assert_eq!(read_all(&file, &index), Ok(content.clone()));
    }
}

fn deflated(content: &[u8], level: Level, expected: usize) -> Vec<u8> {
    let mut file = Vec::new();
    let out = |bytes: &[u8]| {
        file.extend_from_slice(bytes);
        Ok(())
    };
    let options = Options { level, expected: Some(expected as u64), ..Options::default() };
    let mut deflater = Deflater::new(options, out).unwrap();
    deflater.write(content).unwrap();
    let patch = deflater.finish().unwrap().index.unwrap();
    file[patch.at as usize..][..patch.bytes.len()].copy_from_slice(&patch.bytes);
    file
}

#[test]
fn spans_of_our_own_files_are_the_content() {
    let content = content(5_000_000);
    for level in [Level::FAST, Level::DEFAULT, Level::BEST] {
        let file = deflated(&content, level, content.len());
        let index = Index::of_file(&file).unwrap().unwrap();
        assert_eq!(index.checkpoints.len(), 3);
        assert_eq!(read_all(&file, &(index, Vec::new())), Ok(content.clone()));
    }
}

/// With more content than room in the header, as that of a hundred gigabytes is.
#[test]
fn spans_of_sixteen_mebibytes_are_the_content() {
    let mut content = content(36 << 20);
    content[1 << 20..].fill(7);
    let file = deflated(&content, Level::FAST, 5 << 20);
    let index = Index::of_file(&file).unwrap().unwrap();
    assert_eq!((index.checkpoints.len(), index.longest_span()), (3, 16 << 20));
    assert!(read_all(&file, &(index, Vec::new())) == Ok(content));
}

/// Lies that pass what can be told without reading.
#[test]
fn lies_are_found_where_they_are_read() {
    let content = content(400_000);
    let file = gzip(&content);
    let made = scan(&file, 40_000);
    let lies: [fn(&mut Index, &mut Vec<u8>); 11] = [
        |index, _| index.checkpoints[1].bit += 1,
        |index, _| index.checkpoints[1].bit -= 8,
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
        let mut lying = made.clone();
        lie(&mut lying.0, &mut lying.1);
        assert_eq!(read_all(&file, &lying), Err(Code::GzipIndex), "lie {number}");
    }
}

/// A member of 9 GiB is announced by a header of its own, where reading has to begin.
#[test]
fn members_begin_with_their_first_header() {
    let member = |name: &str, size: u64| Member {
        name: name.into(),
        size,
        mode: 0o644,
        mtime: 0,
        kind: Kind::File,
        header_offset: 0,
        data_offset: 0,
    };
    let large = (9 << 30) + 5;
    let mut members =
        Members::new(Vec::new(), |noted: &mut Vec<_>, at, name| noted.push((at, name.to_owned())));
    members.take(&[0; header::LEN]);
    for (name, size) in [("a", 3), ("b", large), ("c", 0), ("d", 1)] {
        let header = tar::member_header(&member(name, size)).unwrap();
        header.chunks(7).for_each(|piece| members.take(piece));
        let zeros = vec![0; 1 << 24];
        let mut left = size + tar::padding(size) as u64;
        while left > 0 {
            let now = left.min(zeros.len() as u64);
            members.take(&zeros[..now as usize]);
            left -= now;
        }
    }
    members.take(&tar::END);
    // Blocks of 512 bytes behind the 58 of the header: one for a header, three for that of `b`, and contents.
    let begins = [0, 1 + 1, 2 + 3 + large.div_ceil(512), 2 + 3 + large.div_ceil(512) + 1];
    let expected =
        ["a", "b", "c", "d"].iter().zip(begins).map(|(name, block)| (58 + 512 * block, (*name).to_owned()));
    assert_eq!(members.finish(), Some(expected.collect()));

    let mut none = Members::new((), |(), _, _| panic!("a member"));
    none.take(&[1; 5000]);
    assert_eq!(none.finish(), None);
}

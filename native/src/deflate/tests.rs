//! The stream as such: any cut of the input, any number of threads, sinks that fail. Foreign
//! inflaters judge the bytes in `tests/tests/snapshot/deflate.rs`.

use std::cell::Cell;

use rollsnap_core::gzip::checkpoint::Index;
use rollsnap_core::gzip::{Gunzip, Step};
use rollsnap_core::{Code, Problem, Result};

use super::stream::PIECE;
use super::*;

/// Words in a pseudo-random order: repeats near and far, and some noise.
fn text(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes = Vec::with_capacity(length + 40);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        match state % 4 {
            0 => bytes.extend_from_slice(&state.to_le_bytes()),
            1 => bytes.extend_from_slice(&[0; 31][..(state >> 8) as usize % 31]),
            _ => bytes.extend_from_slice(format!("word {} and ", (state >> 8) % 500).as_bytes()),
        }
    }
    bytes.truncate(length);
    bytes
}

fn options(level: Level, jobs: usize, expected: Option<u64>) -> Options {
    Options { level, jobs: NonZeroUsize::new(jobs).unwrap(), expected }
}

fn compress(data: &[u8], options: Options, chunk: usize) -> Vec<u8> {
    let mut file = Vec::new();
    let mut deflater = Deflater::new(options, |bytes: &[u8]| {
        file.extend_from_slice(bytes);
        Ok(())
    })
    .unwrap();
    data.chunks(chunk).for_each(|chunk| deflater.write(chunk).unwrap());
    let finished = deflater.finish().unwrap();
    assert_eq!((finished.file_len, finished.content_len), (file.len() as u64, data.len() as u64));
    if let Some(Patch { at, bytes }) = finished.index {
        let space = &mut file[at as usize..][..bytes.len()];
        assert!(space.iter().all(|&byte| byte == 0));
        space.copy_from_slice(&bytes);
    }
    file
}

/// By the inflater of core, which takes one member and checks its trailer.
fn gunzip(file: &[u8]) -> Result<Vec<u8>> {
    let (mut reader, mut input, mut bytes) = (Gunzip::new(), file, Vec::new());
    loop {
        match reader.step(&mut input)? {
            Step::NeedsInput => break,
            Step::Output(piece) => bytes.extend_from_slice(piece),
            Step::End => {}
        }
    }
    reader.finish().map(|()| bytes)
}

#[test]
fn every_length_comes_back() {
    let data = text(5 * PIECE + 17);
    for level in [Level::FAST, Level::DEFAULT, Level::BEST] {
        for length in [0, 1, 7, 8, 9, 300, 70_000, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE + 17] {
            for expected in [Some(0), None] {
                let file = compress(&data[..length], options(level, 2, expected), 100_001);
                assert_eq!(gunzip(&file).unwrap(), data[..length], "{level:?} {length}");
                let index = Index::of_file(&file).unwrap();
                assert_eq!(index.is_some(), expected.is_none() && length > 0);
            }
        }
    }
}

/// A reader may begin at 2 MiB, whose compressed data refers to nothing before it.
#[test]
fn checkpoints_stand_every_two_mebibytes() {
    let data = text(11 * PIECE);
    let file = compress(&data, options(Level::FAST, 3, Some(data.len() as u64)), 1 << 20);
    let index = Index::of_file(&file).unwrap().unwrap();
    let offsets: Vec<u64> = index.checkpoints.iter().map(|point| point.offset).collect();
    assert_eq!(offsets, [0, 2 << 20, 4 << 20]);
    for (at, point) in index.checkpoints.iter().enumerate() {
        let end = index.checkpoints.get(at + 1).map_or(data.len(), |next| next.offset as usize);
        let content = &data[point.offset as usize..end];
        assert_eq!(point.crc, crc32fast::hash(content));
        assert_eq!((&point.window, point.bit % 8), (&None, 0));
    }
}

#[test]
fn the_bytes_do_not_depend_on_the_threads() {
    let data = text(9 * PIECE + 5);
    for level in [Level::FAST, Level::new(4)] {
        let one = compress(&data, options(level, 1, None), 64 * 1024);
        for jobs in [2, 7] {
            assert!(compress(&data, options(level, jobs, None), 12_345) == one, "{level:?} {jobs}");
        }
    }
}

/// A small file has the ten bytes in front that the nodes write, and nothing more.
#[test]
fn what_is_one_span_anyway_has_no_index() {
    let file = compress(&text(1000), options(Level::default(), 1, Some(1000)), 1000);
    assert_eq!(file[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
    assert_ne!(file[3..6], [4, 0, 0]);
}

/// More comes than the space was reserved for: spans are joined.
#[test]
fn an_index_grows_coarse_rather_than_long() {
    let data = text(20 * PIECE);
    let file = compress(&data, options(Level::FAST, 2, Some(2 * PIECE as u64 * 4)), 1 << 20);
    let index = Index::of_file(&file).unwrap().unwrap();
    let offsets: Vec<u64> = index.checkpoints.iter().map(|point| point.offset).collect();
    assert_eq!(offsets, [0, 4 << 20, 8 << 20]);
    assert_eq!(gunzip(&file).unwrap(), data);
}

#[test]
fn an_error_of_the_sink_comes_back() {
    let data = text(4 * PIECE);
    for left in [0_usize, 10, 200_000] {
        let room = Cell::new(left);
        let sink = |bytes: &[u8]| match room.get().checked_sub(bytes.len()) {
            Some(rest) => {
                room.set(rest);
                Ok(())
            }
            None => Err(Problem::new(Code::IoNoSpace)),
        };
        let result = Deflater::new(options(Level::FAST, 2, Some(0)), sink).and_then(|mut deflater| {
            deflater.write(&data)?;
            deflater.finish()
        });
        assert_eq!(result.unwrap_err().code(), Code::IoNoSpace);
    }
}

/// Dropped with pieces under way: the threads end, nothing more is written.
#[test]
fn dropping_it_stops_the_threads() {
    let data = text(8 * PIECE);
    let written = Cell::new(0);
    let sink = |bytes: &[u8]| {
        written.set(written.get() + bytes.len());
        Ok(())
    };
    let mut deflater = Deflater::new(options(Level::BEST, 3, Some(0)), sink).unwrap();
    deflater.write(&data).unwrap();
    let before = written.get();
    drop(deflater);
    assert_eq!(written.get(), before);
}

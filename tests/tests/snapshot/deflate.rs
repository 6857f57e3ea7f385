//! What the compressor of `export` writes, judged by inflaters of other people.

#![allow(clippy::std_instead_of_alloc, reason = "tests have all of std")]

use std::io::Write;
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};

use proptest::collection::vec;
use proptest::prelude::*;
use rollsnap::deflate::{Deflater, Encoder, Level, Options};
use rollsnap_core::ReadAt;
use rollsnap_core::gzip::checkpoint::{Index, Indexed, Spans};
use rollsnap_tests::fixtures;
use rollsnap_tests::reading::scan;
use zlib_rs::{Inflate, InflateFlush, Status};

fn gzip(data: &[u8], level: Level, expected: Option<u64>) -> Vec<u8> {
    let jobs = NonZeroUsize::new(2).unwrap();
    let mut file = Vec::new();
    let mut deflater = Deflater::new(Options { level, jobs, expected }, |bytes: &[u8]| {
        file.extend_from_slice(bytes);
        Ok(())
    })
    .unwrap();
    deflater.write(data).unwrap();
    if let Some(patch) = deflater.finish().unwrap().index {
        file[patch.at as usize..][..patch.bytes.len()].copy_from_slice(&patch.bytes);
    }
    file
}

/// Runs a program with `input` and gives what it says.
fn pipe(program: &str, args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child =
        Command::new(program).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // The program may stop reading early; what it says then tells.
        scope.spawn(move || stdin.write_all(input).ok());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{program}");
    output.stdout
}

/// Takes one member, as the nodes do, and insists that nothing is left behind it.
const PYTHON: &str = "
import sys, zlib
file = sys.stdin.buffer.read()
one = zlib.decompressobj(wbits=31)
content = one.decompress(file) + one.flush()
assert one.eof and not one.unused_data and file[:2] == b'\\x1f\\x8b' and file[3] in (0, 4)
sys.stdout.buffer.write(content)
";

#[test]
fn gzip_and_python_read_one_member_with_all_of_it() {
    let snapshot = fixtures::snapshot("octez-full.uncompressed").file;
    let long = snapshot.repeat(1 + 5_000_000 / snapshot.len());
    for level in (1..=9).map(Level::new) {
        // Several pieces, by the levels that have a name.
        let is_named = [Level::FAST, Level::DEFAULT, Level::BEST].contains(&level);
        let first: &[u8] = if is_named { &long } else { &snapshot };
        for data in [first, b"three times three times three times", b"x", b""] {
            for expected in [Some(0), Some(data.len() as u64), None] {
                let file = gzip(data, level, expected);
                assert!(pipe("gzip", &["-dc"], &file) == data, "{level:?} {}", data.len());
                assert!(pipe("python3", &["-c", PYTHON], &file) == data, "{level:?} {}", data.len());
            }
        }
    }
}

/// The default is as small as the nodes' files on a real store, the fast one nearly so, the best one smaller.
#[test]
fn sizes_are_those_that_were_promised() {
    let data = fixtures::snapshot("octez-full.uncompressed").file;
    let reference = pipe("gzip", &["-6c"], &data).len();
    for (level, per_mille) in [(Level::FAST, 1040), (Level::DEFAULT, 1005), (Level::BEST, 998)] {
        let size = gzip(&data, level, Some(0)).len();
        assert!(size * 1000 <= reference * per_mille, "{level:?} {size} {reference}");
    }
}

/// zlib-rs; `None` when it refuses, or wants more.
fn inflate(deflated: &[u8], dictionary: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut inflate = Inflate::new(false, 15);
    if !dictionary.is_empty() {
        inflate.set_dictionary(dictionary).ok()?;
    }
    let mut out = vec![0; length + 1];
    let status = inflate.decompress(deflated, &mut out, InflateFlush::Finish).ok()?;
    out.truncate(inflate.total_out() as usize);
    (status == Status::StreamEnd && inflate.total_in() == deflated.len() as u64).then_some(out)
}

/// Bytes with repeats of all kinds: runs, copies from near and far, noise.
fn repetitive() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        vec(any::<u8>(), 0..400).prop_map(Part::Bytes),
        (any::<u8>(), 1_usize..2000).prop_map(|(byte, count)| Part::Bytes(vec![byte; count])),
        (any::<prop::sample::Index>(), 1_usize..600).prop_map(|(from, length)| Part::Copy(from, length)),
        vec(0_u8..4, 0..3000).prop_map(Part::Bytes),
        (any::<u64>(), 1_usize..90_000).prop_map(|(seed, length)| Part::Noise(seed, length)),
    ];
    vec(part, 0..40).prop_map(|parts| {
        let mut bytes = Vec::new();
        for part in parts {
            match part {
                Part::Bytes(more) => bytes.extend(more),
                Part::Copy(from, length) if !bytes.is_empty() => {
                    let from = from.index(bytes.len());
                    let to = bytes.len().min(from + length);
                    bytes.extend_from_within(from..to);
                }
                Part::Copy(..) => {}
                Part::Noise(mut seed, length) => bytes.extend((0..length).map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (seed >> 56) as u8
                })),
            }
        }
        bytes
    })
}

#[derive(Clone, Debug)]
enum Part {
    Bytes(Vec<u8>),
    Copy(prop::sample::Index, usize),
    Noise(u64, usize),
}

/// Bytes of one kind, around the lengths and distances where deflate or the search has an edge.
#[test]
fn edges_come_back_at_every_level() {
    let noise: Vec<u8> = (0..200_000_u64)
        .map(|at| (at.wrapping_mul(at).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect();
    let mut inputs = vec![vec![0; 3 << 20], noise.clone()];
    for length in (0..20).chain([255, 258, 259, 65_534, 65_535, 65_536, 65_537]) {
        inputs.push(vec![7; length]);
        inputs.push(noise[..length].to_vec());
        inputs.push(b"abc".repeat(length / 3 + 1));
    }
    // The same again, as near and as far as a match may reach, and one byte further.
    for gap in [1, 4, 32_763, 32_764, 32_765, 65_530] {
        let sparse = [b"once more".as_slice(), &vec![0; gap], b"once more"].concat();
        let noisy = [b"once more".as_slice(), &noise[..gap], b"once more", &noise[..gap], b"once"].concat();
        inputs.extend([sparse, noisy]);
    }
    for level in (1..=9).map(Level::new) {
        let mut encoder = Encoder::new(level);
        for input in &inputs {
            let mut out = Vec::new();
            encoder.encode(input, 0, true, &mut out);
            let length = input.len();
            assert!(inflate(&out, &[], length).as_ref() == Some(input), "{level:?} {length}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// With any part of the data as dictionary, at any level, by zlib-rs.
    #[test]
    fn what_is_encoded_comes_back(
        data in repetitive(),
        known in any::<prop::sample::Index>(),
        level in 1_u8..=9,
    ) {
        let known = known.index(data.len() + 1).min(Encoder::WINDOW);
        let mut encoder = Encoder::new(Level::new(level));
        let mut used = Vec::new();
        encoder.encode(&data, 0, false, &mut used);
        let mut out = Vec::new();
        encoder.encode(&data, known, true, &mut out);
        let content = &data[known..];
        prop_assert!(inflate(&out, &data[..known], content.len()).as_deref() == Some(content));
        // What an encoder remembers of earlier pieces, which another thread may have had, does not matter.
        let mut anew = Vec::new();
        Encoder::new(Level::new(level)).encode(&data, known, true, &mut anew);
        prop_assert!(out == anew);
        prop_assert!(out.len() <= content.len() + content.len() / 1000 + 64, "{} {}", out.len(), content.len());
        // What does not end the stream can be followed by what does.
        used.extend_from_slice(&[3, 0]);
        prop_assert!(inflate(&used, &[], data.len()) == Some(data));
    }

    /// Any part, by the index in the file or by one that was made for it, is what stands there.
    #[test]
    fn random_access_is_reading_from_front_to_end(
        data in repetitive(),
        reads in vec((any::<prop::sample::Index>(), 0_usize..50_000), 1..12),
        span in 1_u64..100_000,
        most in 2_usize..300,
        form in prop::sample::select(vec![Form::Header, Form::LongSpans, Form::Beside]),
    ) {
        let least = if let Form::LongSpans = form { 9_000_000 } else { 2_200_000 };
        let data = data.repeat(1 + least / (data.len() + 1));
        prop_assume!(!data.is_empty());
        let expected = match form {
            Form::Header => data.len(),
            // More comes than there is room for.
            Form::LongSpans => 2_200_000,
            Form::Beside => 0,
        };
        let file = gzip(&data, Level::FAST, Some(expected as u64));
        let (index, beside) = match Index::of_file(&file).unwrap() {
            Some(index) => (index, None),
            None => {
                let (index, beside) = scan(&file, span, most).unwrap();
                prop_assert_eq!(Index::of_beside(&beside), Ok(index.clone()));
                (index, Some(beside))
            }
        };
        prop_assert!(!matches!(form, Form::LongSpans) || index.longest_span() == 4 << 20);
        let spans = Spans::new(Indexed::new(file, index, beside).unwrap());
        for (from, length) in reads {
            let from = from.index(data.len());
            let mut out = vec![0; length.min(data.len() - from)];
            spans.read_at(from as u64, &mut out).unwrap();
            prop_assert!(out == data[from..][..out.len()]);
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Header,
    LongSpans,
    Beside,
}

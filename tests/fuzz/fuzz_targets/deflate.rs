//! What the encoder makes, at any level, is taken by zlib-rs and by miniz_oxide, and is the data again.

#![no_main]

use flate2::{Decompress, FlushDecompress, Status};
use libfuzzer_sys::fuzz_target;
use rollsnap_core::gzip::{Gunzip, Step};

// The module stands for itself; the crate around it would take minutes to build.
#[path = "../../../native/src/deflate/encoder/mod.rs"]
mod encoder;

/// Short inputs are repeated so often, at most: blocks and the window have an end.
const REPEATS: usize = 200;

fuzz_target!(|bytes: &[u8]| {
    let [level, repeats, share, input @ ..] = bytes else { return };
    let data = input.repeat(1 + usize::from(*repeats) % REPEATS);
    let known = (data.len() * usize::from(*share) / 255).min(encoder::Encoder::WINDOW);
    let mut encoder = encoder::Encoder::new(encoder::Level::new(1 + level % 9));
    let mut whole = Vec::new();
    encoder.encode(&data[..known], 0, false, &mut whole);
    encoder.encode(&data, known, true, &mut whole);

    let mut inflate = Decompress::new(false);
    let mut output = Vec::with_capacity(data.len() + 1);
    let status = inflate.decompress_vec(&whole, &mut output, FlushDecompress::Finish);
    assert!(matches!(status, Ok(Status::StreamEnd)), "{status:?}");
    assert!(output == data && inflate.total_in() == whole.len() as u64);

    let mut file = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    file.extend_from_slice(&whole);
    let mut crc = flate2::Crc::new();
    crc.update(&data);
    file.extend_from_slice(&crc.sum().to_le_bytes());
    file.extend_from_slice(&(data.len() as u32).to_le_bytes());
    let (mut reader, mut rest, mut output) = (Gunzip::new(), file.as_slice(), Vec::new());
    loop {
        match reader.step(&mut rest).unwrap() {
            Step::Output(piece) => output.extend_from_slice(piece),
            Step::NeedsInput => break,
            Step::End => {}
        }
    }
    reader.finish().unwrap();
    assert!(output == data);
});

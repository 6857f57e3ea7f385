//! Deflate data that zlib takes is taken, with the same bytes; what zlib refuses is refused; and
//! no file is read differently in pieces.

#![no_main]

use flate2::{Crc, Decompress, FlushDecompress, Status};
use libfuzzer_sys::fuzz_target;
use rollsnap_core::gzip::{Gunzip, Step};

/// Longer outputs only cost time.
const MOST: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let Some((&piece, data)) = bytes.split_first() else { return };
    let piece = usize::from(piece) + 1;
    let whole = gunzip(data, data.len().max(1));
    assert_eq!(gunzip(data, piece), whole);
    // The same bytes as deflate data, in a file that is right if they are.
    let mut file = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    match inflate(data) {
        Reference::Done { output, taken } => {
            let mut crc = Crc::new();
            crc.update(&output);
            file.extend_from_slice(&data[..taken]);
            file.extend_from_slice(&crc.sum().to_le_bytes());
            file.extend_from_slice(&(output.len() as u32).to_le_bytes());
            assert_eq!(gunzip(&file, piece), Ok(output));
        }
        Reference::Refused => {
            file.extend_from_slice(data);
            let code = gunzip(&file, piece).unwrap_err().0;
            assert!(matches!(code, "gzip.deflate" | "gzip.truncated"), "{code}");
        }
        Reference::TooLong => {}
    }
});

enum Reference {
    Done { output: Vec<u8>, taken: usize },
    Refused,
    TooLong,
}

fn inflate(data: &[u8]) -> Reference {
    let mut inflate = Decompress::new(false);
    let mut output = Vec::with_capacity(4096);
    loop {
        let before = (inflate.total_in(), inflate.total_out());
        let rest = &data[before.0 as usize..];
        match inflate.decompress_vec(rest, &mut output, FlushDecompress::None) {
            Ok(Status::StreamEnd) => return Reference::Done { output, taken: inflate.total_in() as usize },
            Ok(_) if output.len() > MOST => return Reference::TooLong,
            Ok(_) if output.len() == output.capacity() => output.reserve(64 * 1024),
            Ok(_) if (inflate.total_in(), inflate.total_out()) != before => {}
            _ => return Reference::Refused,
        }
    }
}

type Outcome = Result<Vec<u8>, (&'static str, Vec<u8>)>;

fn gunzip(file: &[u8], piece: usize) -> Outcome {
    let mut reader = Gunzip::new();
    let mut output = Vec::new();
    for mut input in file.chunks(piece) {
        loop {
            match reader.step(&mut input) {
                Ok(Step::NeedsInput) => break,
                Ok(Step::Output(bytes)) if output.len() <= MOST => output.extend_from_slice(bytes),
                Ok(Step::Output(_) | Step::End) => {}
                Err(problem) => return Err((problem.code().as_str(), cut(output))),
            }
        }
    }
    match reader.finish() {
        Ok(()) => Ok(cut(output)),
        Err(problem) => Err((problem.code().as_str(), cut(output))),
    }
}

fn cut(mut output: Vec<u8>) -> Vec<u8> {
    output.truncate(MOST);
    output
}

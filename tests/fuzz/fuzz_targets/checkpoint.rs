//! A file that is read has an index, and one that is not has none; with the index of the scanner, or
//! with any other that is put in its place, spans give what reading from front to end gives, or an error.
//! What is decoded says what was encoded.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rollsnap_core::gzip::checkpoint::{HEAD, Index, Indexed, Scanned, Scanner, Spans};
use rollsnap_core::gzip::{Gunzip, Step};

/// Longer outputs only cost time.
const MOST: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    decode(bytes);
    let [span, piece, lie_at, lie, data @ ..] = bytes else { return };
    let Some((content, file)) = gunzip(data) else { return };
    let mut scanner = Scanner::new(u64::from(*span) * 16, 20);
    let mut windows = vec![0; HEAD];
    let scanned = file.chunks(usize::from(*piece) + 1).try_for_each(|piece| {
        scanner.feed(piece, &mut |scanned| {
            if let Scanned::Window(data) = scanned {
                windows.extend_from_slice(data);
            }
            Ok(())
        })
    });
    let index = scanned.and_then(|()| scanner.finish());
    let Some(content) = content else {
        assert!(index.is_err());
        return;
    };
    let Some(index) = index.unwrap() else {
        assert!(content.is_empty());
        return;
    };
    let (head, table) = index.encode_beside(windows.len() as u64);
    let beside = [&head, &windows[HEAD..], &table].concat();
    assert_eq!(Index::of_beside(&beside).as_ref(), Ok(&index));
    assert!(read(&file, index.clone(), &beside).is_some_and(|bytes| bytes == content));

    // A lie: one number is another one.
    let mut lying = index;
    let count = lying.checkpoints.len();
    let point = &mut lying.checkpoints[usize::from(*lie_at >> 2) % count];
    match (lie_at & 3, &mut point.window) {
        (0, _) => point.bit = point.bit.wrapping_add_signed(i64::from(*lie as i8)),
        (1, _) => point.offset = point.offset.wrapping_add_signed(i64::from(*lie as i8)),
        (2, Some(place)) if lie & 1 == 0 => place.at = place.at.wrapping_add_signed(i64::from(*lie as i8)),
        (2, window) => *window = None,
        (_, Some(place)) => {
            if let Some(byte) = windows.get_mut(place.at as usize + usize::from(*lie)) {
                *byte ^= 1 << (lie & 7);
            }
        }
        (_, None) => {}
    }
    if let Some(bytes) = read(&file, lying, &windows) {
        assert!(bytes == content);
    }
});

/// Any bytes as an index, with a checksum that fits: what it says can be said again.
fn decode(bytes: &[u8]) {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    let sealed = [bytes, &crc.sum().to_be_bytes()].concat();
    if let Ok(index) = Index::decode(&sealed) {
        assert!(index.encode().is_some_and(|again| Index::decode(&again) == Ok(index)));
    }
    if let Ok(index) = Index::of_beside(&sealed) {
        let table_at = u64::from_be_bytes(sealed[32..HEAD].try_into().unwrap());
        let (head, table) = index.encode_beside(table_at);
        assert!(head == sealed[..HEAD] && table == sealed[table_at as usize..]);
    }
}

fn read(file: &[u8], index: Index, windows: &[u8]) -> Option<Vec<u8>> {
    let spans = Spans::new(Indexed::new(file, index, Some(windows)).ok()?);
    let mut all = Vec::new();
    for at in 0..spans.index().checkpoints.len() {
        let mut span = spans.span(at).ok()?;
        while let Some(bytes) = span.step().ok()? {
            all.extend_from_slice(bytes);
        }
    }
    Some(all)
}

/// Takes the bytes as deflate data and puts a header and a trailer around them that fit. The content
/// is `None` when the data cannot be read; nothing when there is too much of it.
fn gunzip(data: &[u8]) -> Option<(Option<Vec<u8>>, Vec<u8>)> {
    let mut file = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    file.extend_from_slice(data);
    let (mut reader, mut rest, mut content) = (Gunzip::new(), file.as_slice(), Vec::new());
    // The trailer is missing: the error comes after the content.
    while let Ok(Step::Output(bytes)) = reader.step(&mut rest) {
        content.extend_from_slice(bytes);
        if content.len() > MOST {
            return None;
        }
    }
    file.extend_from_slice(&reader.crc32().to_le_bytes());
    file.extend_from_slice(&(content.len() as u32).to_le_bytes());
    let (mut reader, mut rest) = (Gunzip::new(), file.as_slice());
    let whole = loop {
        match reader.step(&mut rest) {
            Ok(Step::NeedsInput) => break reader.finish().is_ok(),
            Ok(_) => {}
            Err(_) => break false,
        }
    };
    Some((whole.then_some(content), file))
}

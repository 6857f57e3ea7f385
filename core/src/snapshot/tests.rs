//! The worked example of the format description, byte for byte, and its way back.

use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::*;
use crate::code::Code;
use crate::header::{Header, HistoryMode, Layout};
use crate::problem::Problem;
use crate::report::{Report, Verdict};

fn header() -> Header {
    Header {
        layout: Layout::Versioned,
        history_mode: HistoryMode::Full,
        rollup_address: "sr1Ghq66tYK9y3r8CC1Tf8i8m5nxh8nTvZEf".parse().unwrap(),
        head_level: 9_150_341,
        last_commitment: "src13TanyZ7RvSULqVb2tjx1zRVw2jyJC2ToHLz1ZKg38sZ4HBYdSN".parse().unwrap(),
    }
}

fn write(packing: Packing, members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let out = |piece: &[u8]| -> Result<(), Problem> {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    let mut writer = Writer::new(&header(), packing, out).unwrap();
    for (name, data) in members {
        let size = data.len() as u64;
        writer.member(NewMember { name, size, mode: 0o644, mtime: 1_700_000_000 }).unwrap();
        writer.data(data).unwrap();
    }
    writer.finish().unwrap();
    bytes
}

fn inspect(file: &[u8], piece: usize) -> Report {
    let mut inspector = Inspector::new(Options { digests: true, list: true, ..Options::default() });
    let mut sink = |_: Event<'_>| -> Result<(), ()> { Ok(()) };
    for input in file.chunks(piece) {
        inspector.feed(input, &mut sink).unwrap();
    }
    inspector.finish(&mut sink).unwrap()
}

const EXAMPLE: &[(&str, &[u8])] = &[("metadata", b"{}\n")];
const GZIP: Packing = Packing::Gzip { level: 6, flush_members: true };

/// Size, SHA-256 and CRC-32 of the example are given by the format description.
#[test]
fn worked_example() {
    let plain = write(Packing::Plain, EXAMPLE);
    assert_eq!(plain.len(), 2106);
    let digest: [u8; 32] = Sha256::digest(&plain).into();
    assert_eq!(digest[..8], [0xbb, 0x3b, 0x49, 0x57, 0x0b, 0x81, 0x53, 0x4d]);
    let gzip = write(GZIP, EXAMPLE);
    let trailer = gzip.last_chunk::<8>().unwrap();
    assert_eq!(trailer[..4], 0x32c9_a3d5u32.to_le_bytes());
    assert_eq!(trailer[4..], 2106u32.to_le_bytes());
}

#[test]
fn what_is_written_is_intact_in_pieces_of_any_size() {
    for packing in [Packing::Plain, GZIP] {
        let file = write(packing, EXAMPLE);
        for piece in [1, 2, 57, 58, 570, file.len()] {
            let report = inspect(&file, piece);
            assert_eq!(report.verdicts.intact, Verdict::Yes, "{report:?}");
            assert_eq!(report.verdicts.consistent, Verdict::Unknown);
            assert_eq!(report.header, Some(header()));
            assert_eq!(report.container.bytes, Some(2106));
            assert_eq!(report.container.compressed_bytes, Some(file.len() as u64));
            let list = report.members.list.unwrap();
            assert_eq!(list.len(), 1);
            assert_eq!(list[0].offset, 570);
            // SHA-256 of "{}\n", by sha256sum.
            let sha256 = "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356";
            assert_eq!(list[0].sha256.as_deref(), Some(sha256));
        }
    }
}

#[test]
fn every_cut_is_noticed() {
    for packing in [Packing::Plain, GZIP] {
        let file = write(packing, EXAMPLE);
        for len in 0..file.len() {
            let report = inspect(&file[..len], 100);
            assert_eq!(report.verdicts.intact, Verdict::No, "{packing:?} {len}");
            let codes: Vec<Code> = report.failures().map(|check| check.code).collect();
            assert_eq!(codes.len(), 1, "{packing:?} {len}: {codes:?}");
        }
    }
}

/// A damaged archive in a whole gzip member: both facts are told.
#[test]
fn the_layers_are_judged_apart() {
    let mut plain = write(Packing::Plain, EXAMPLE);
    plain[600] = 1;
    let report = inspect(&plain, 1000);
    assert_eq!(report.failures().map(|check| check.code).collect::<Vec<_>>(), [Code::TarPadding]);
    assert_eq!(report.header, Some(header()));

    let mut file = write(GZIP, EXAMPLE);
    file.push(0);
    let report = inspect(&file, 1000);
    assert_eq!(report.failures().map(|check| check.code).collect::<Vec<_>>(), [Code::GzipTrailing]);
    assert!(report.members.complete);
}

/// The 57-byte header is read, and said to be what it is.
#[test]
fn the_unversioned_form() {
    let file = write(Packing::Plain, EXAMPLE);
    let report = inspect(&file[1..], 1000);
    let expected = Header { layout: Layout::Unversioned, ..header() };
    assert_eq!(report.header, Some(expected));
    assert_eq!(report.verdicts.intact, Verdict::Yes);
    assert!(report.checks.iter().any(|check| check.code == Code::HeaderUnversioned));
}

#[test]
fn the_writer_holds_to_what_was_announced() {
    let out = |_: &[u8]| -> Result<(), Problem> { Ok(()) };
    let new = |name, size| NewMember { name, size, mode: 0o644, mtime: 0 };
    let code = |result: Result<(), Problem>| result.unwrap_err().code();
    let mut writer = Writer::new(&header(), Packing::Plain, out).unwrap();
    assert_eq!(code(writer.data(b"x")), Code::SourceChanged);
    writer.member(new("a", 2)).unwrap();
    assert_eq!(code(writer.data(b"xyz")), Code::SourceChanged);
    writer.data(b"x").unwrap();
    assert_eq!(code(writer.member(new("b", 0))), Code::SourceChanged);

    let mut writer = Writer::new(&header(), Packing::Plain, out).unwrap();
    writer.member(new("a", 0)).unwrap();
    assert_eq!(code(writer.member(new("a", 0))), Code::TarDuplicate);
    assert_eq!(code(writer.member(new("../b", 0))), Code::TarNameOutside);
    writer.member(new("c", 1)).unwrap();
    assert_eq!(writer.finish().err().map(|problem| problem.code()), Some(Code::SourceChanged));
}

//! The worked example of the format description and what the reader must refuse. Foreign
//! archives are judged in the conformance tests.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::code::Code;
use crate::problem::Result;

fn member(name: &str, size: u64) -> Member {
    Member {
        name: name.into(),
        size,
        mode: 0o644,
        mtime: 1_700_000_000,
        kind: Kind::File,
        header_offset: 0,
        data_offset: 0,
    }
}

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, data) in members {
        bytes.extend(member_header(&member(name, data.len() as u64)).unwrap());
        bytes.extend_from_slice(data);
        bytes.resize(bytes.len() + padding(data.len() as u64), 0);
    }
    bytes.extend_from_slice(&END);
    bytes
}

fn read(bytes: &[u8], piece: usize, lenient: bool) -> Result<Vec<(String, Vec<u8>)>> {
    let mut reader = Reader::new(0, Options { lenient, ..Options::default() });
    let mut members = vec![];
    for mut input in bytes.chunks(piece) {
        loop {
            match reader.step(&mut input)? {
                Step::NeedsInput => break,
                Step::Remarks => drop(reader.take_remarks()),
                Step::Member(member) => members.push((member.name.clone(), vec![])),
                Step::Data(data) => members.last_mut().unwrap().1.extend_from_slice(data),
                Step::MemberEnd(member) => {
                    assert_eq!(member.size, members.last().unwrap().1.len() as u64);
                }
                Step::End => {}
            }
        }
    }
    reader.finish()?;
    Ok(members)
}

fn code(bytes: &[u8]) -> Code {
    read(bytes, 100, false).unwrap_err().code()
}

/// Changes a byte of the first header and makes its checksum right again.
fn with_byte(mut bytes: Vec<u8>, at: usize, byte: u8) -> Vec<u8> {
    bytes[at] = byte;
    let (header, _) = bytes.split_first_chunk_mut::<BLOCK>().unwrap();
    let sum = block::checksum(header);
    header[148..155].copy_from_slice(alloc::format!("{sum:07o}").as_bytes());
    bytes
}

/// Offsets and text of the worked example: one member `metadata` of three bytes.
#[test]
fn worked_example() {
    let header = member_header(&member("metadata", 3)).unwrap();
    assert_eq!(header.len(), BLOCK);
    assert_eq!(&header[..9], b"metadata\0");
    assert_eq!(&header[100..116], b"0000644\x000000000\0");
    assert_eq!(&header[116..148], b"0000000\x0000000000003\x0014524770400\0");
    assert_eq!(&header[148..157], b"0006204\0\0");
    assert!(header[157..].iter().all(|&byte| byte == 0));
}

#[test]
fn what_is_written_reads_back_in_pieces_of_any_size() {
    let long = "storage/".to_string() + &"n".repeat(92);
    let big = vec![7; 5000];
    let members: [(&str, &[u8]); 4] =
        [("metadata", b"{}\n"), ("context/a", &big), (&long, b""), ("storage/x", &[0; 512])];
    let bytes = archive(&members);
    for piece in [1, 3, 511, 512, 513, bytes.len()] {
        let found = read(&bytes, piece, false).unwrap();
        let found: Vec<(&str, &[u8])> =
            found.iter().map(|(name, data)| (name.as_str(), data.as_slice())).collect();
        assert_eq!(found, members, "pieces of {piece}");
    }
    assert!(read(&END, 1, false).unwrap().is_empty());
}

#[test]
fn every_cut_is_noticed() {
    let bytes = archive(&[("metadata", b"{}\n")]);
    for len in 0..bytes.len() {
        assert_eq!(code(&bytes[..len]), Code::TarTruncated, "{len}");
    }
}

#[test]
fn every_flipped_header_byte_is_noticed() {
    let bytes = archive(&[("metadata", b"{}\n")]);
    for at in 0..BLOCK {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        assert!(read(&bad, 512, false).is_err(), "byte {at}");
    }
}

/// With the checksum made right, every form that the nodes do not write is refused.
#[test]
fn the_form_is_exact() {
    let bytes = archive(&[("metadata", b"{}\n")]);
    for (at, byte, expected) in [
        (99, b'x', Code::TarDialect),  // after the NUL of the name
        (115, b'1', Code::TarDialect), // owner
        (124, b' ', Code::TarDialect), // blank instead of a digit
        (126, b'9', Code::TarNumber),  // not octal
        (124, 0x80, Code::TarNumber),  // base 256
        (156, b'0', Code::TarDialect), // the later formats' regular file
        (156, b'2', Code::TarType),    // symbolic link
        (156, b'5', Code::TarType),    // directory
        (156, b'3', Code::TarType),    // device
        (156, b'L', Code::TarType),    // GNU long name
        (200, b'x', Code::TarDialect), // link name
        (257, b'u', Code::TarDialect), // magic
        (511, 1, Code::TarDialect),    // the rest
    ] {
        assert_eq!(code(&with_byte(bytes.clone(), at, byte)), expected, "byte {at} = {byte:#x}");
    }
}

#[test]
fn names_stay_inside() {
    for (name, expected) in [
        ("../evil", Code::TarNameOutside),
        ("context/../../evil", Code::TarNameOutside),
        ("./x", Code::TarNameOutside),
        ("/etc/passwd", Code::TarNameOutside),
        ("..", Code::TarNameOutside),
        ("a//b", Code::TarNameForm),
        ("context/", Code::TarType),
        ("C:evil", Code::TarNameForm),
        ("context\\evil", Code::TarNameForm),
        ("context/\x1b[2J", Code::TarNameForm),
        ("", Code::TarNameEmpty),
    ] {
        let found = code(&archive(&[(name, b"x")]));
        let directory = name.ends_with('/') && found == Code::TarNameForm;
        assert!(found == expected || directory, "{name:?}: {found}");
    }
    assert_eq!(check_name(b"\xff").unwrap_err().code(), Code::TarNameEncoding);
    assert_eq!(
        read(&archive(&[("../evil", b"")]), 512, false).unwrap_err().title(),
        "Invalid snapshot archive member \"../evil\": path that resolves outside the destination directory."
    );
}

#[test]
fn names_are_unique_and_do_not_nest() {
    assert_eq!(code(&archive(&[("a", b""), ("a", b"")])), Code::TarDuplicate);
    assert_eq!(code(&archive(&[("a", b""), ("a/b", b"")])), Code::TarConflict);
    assert_eq!(code(&archive(&[("a/b/c", b""), ("a/b", b"")])), Code::TarConflict);
    assert!(read(&archive(&[("a/b", b""), ("a/c", b""), ("ab", b"")]), 512, false).is_ok());
}

#[test]
fn padding_and_end_are_exact() {
    let good = archive(&[("metadata", b"{}\n")]);
    let mut bad = good.clone();
    bad[BLOCK + 400] = 1;
    assert_eq!(code(&bad), Code::TarPadding);
    assert_eq!(code(&[&good[..], b"\0"].concat()), Code::TarTrailing);
    let cause =
        |bytes: &[u8]| read(bytes, 2 * BLOCK, false).unwrap_err().cause().map(alloc::string::String::from);
    // Two zero blocks end the archive; zeros behind them are reported as a possible hole.
    let hole = [&good[..2 * BLOCK], &[0; 40 * BLOCK], &good].concat();
    assert_eq!(code(&hole), Code::TarTrailing);
    assert!(cause(&hole).is_some_and(|cause| cause.contains("a hole")));
    assert_eq!(cause(&[&good[..], b"more"].concat()), None);
    let gap = [&good[..2 * BLOCK], &[0; BLOCK], &archive(&[("x", b"")])].concat();
    assert_eq!(code(&gap), Code::TarEnd);
}

/// Header bytes of a file of 2^33 bytes, as ocaml-tar writes them.
#[test]
fn eight_gibibytes_take_an_extended_header() {
    let bytes = member_header(&member("context/store.0.suffix", 1 << 33)).unwrap();
    assert_eq!(bytes.len(), 3 * BLOCK);
    assert_eq!(&bytes[..10], b"paxheader\0");
    assert_eq!(&bytes[100..108], b"0000400\0");
    assert_eq!(&bytes[124..136], b"00000000067\0");
    assert_eq!(bytes[156], b'x');
    assert_eq!(&bytes[BLOCK..BLOCK + 55], b"00000015 gid=0\n00000025 size=8589934592\n00000015 uid=0\n");
    assert_eq!(&bytes[2 * BLOCK + 124..2 * BLOCK + 136], b"100000000000");
    assert_eq!(member_header(&member("x", (1 << 33) - 1)).unwrap().len(), BLOCK);

    let mut reader = Reader::new(58, Options::default());
    let mut input = &bytes[..];
    let Step::Member(found) = reader.step(&mut input).unwrap() else { panic!("no member") };
    assert_eq!((found.size, found.data_offset), (1 << 33, 58 + 3 * BLOCK as u64));
}

#[test]
fn extended_headers_of_other_forms_are_refused() {
    let plain = archive(&[("metadata", b"{}\n")]);
    for records in ["16 path=../evil\n", "9 size=3\n", "garbage", "0 \n", "99999999999999999999 a=b\n"] {
        let mut bytes = writer::encode(pax::NAME, 0o400, records.len() as u64, 0, b'x').to_vec();
        bytes.extend_from_slice(records.as_bytes());
        bytes.resize(2 * BLOCK, 0);
        bytes.extend_from_slice(&plain);
        assert_eq!(code(&bytes), Code::TarPax, "{records}");
    }
}

#[test]
fn too_many_members_are_refused() {
    let bytes = archive(&[("a", b""), ("b", b""), ("c", b"")]);
    let mut reader = Reader::new(0, Options { max_members: 2, ..Options::default() });
    let mut input = &bytes[..];
    let problem = loop {
        match reader.step(&mut input) {
            Ok(Step::NeedsInput) => panic!("accepted"),
            Ok(_) => {}
            Err(problem) => break problem,
        }
    };
    assert_eq!(problem.code(), Code::TarMembers);
}

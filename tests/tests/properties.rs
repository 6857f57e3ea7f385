//! What holds for any input, not only for the fixtures.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use proptest::prelude::*;
use rollsnap_core::gzip::Gzip;
use rollsnap_core::hash::*;
use rollsnap_core::header::{Header, HistoryMode, LEN, Layout};
use rollsnap_core::report::{Check, Report};
use rollsnap_core::snapshot::{NewMember, Packing, Writer};
use rollsnap_core::{Code, Problem, Result, Verdict};
use rollsnap_tests::fixtures::{self, hex, sha256};
use rollsnap_tests::reading::{FULL, LENIENT, gunzip, inspect, inspect_pieces};

macro_rules! round_trips {
    ($($test:ident $name:ident)*) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(100))]
            $(
                /// Through its text and back, with the promised first characters; any other
                /// character in any place is noticed.
                #[test]
                fn $test(bytes: [u8; $name::LEN], at: prop::sample::Index, other in "[1-9A-HJ-NP-Za-km-z]") {
                    let hash = $name::new(bytes);
                    let text = hash.to_string();
                    prop_assert!(text.starts_with($name::TEXT_PREFIX));
                    prop_assert_eq!(text.parse::<$name>(), Ok($name::new(bytes)));
                    let at = at.index(text.len());
                    let wrong = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                    prop_assert_eq!(wrong.parse::<$name>().is_ok(), wrong == text);
                }
            )*
        }
    };
}

round_trips! {
    rollup_address RollupAddress
    commitment_hash CommitmentHash
    state_hash StateHash
    inbox_hash InboxHash
    witness_hash WitnessHash
    message_hash MessageHash
    context_hash ContextHash
    block_hash BlockHash
    protocol_hash ProtocolHash
    slot_commitment SlotCommitment
    reveal_hash RevealHash
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_is_a_hash_that_prints_it_or_an_error(text in "\\PC{0,120}") {
        if let Ok(hash) = text.parse::<RollupAddress>() {
            prop_assert_eq!(hash.to_string(), text);
        }
    }

    #[test]
    fn any_bytes_are_a_header_that_writes_them_or_an_error(
        first in 0u8..3, second in 0u8..3, mut bytes in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        bytes.iter_mut().zip([first, second]).for_each(|(byte, new)| *byte = new);
        match Header::parse(&bytes) {
            Ok(header) => prop_assert_eq!(header.to_bytes().to_vec(), &bytes[..LEN]),
            Err(_) => prop_assert!(bytes.len() < LEN || bytes[0] != 0 || bytes[1] > 1),
        }
    }

    #[test]
    fn a_header_reads_back(archive: bool, address: [u8; 20], head_level: i32, commitment: [u8; 32]) {
        let header = header(archive, address, head_level, commitment);
        let bytes = header.to_bytes();
        prop_assert_eq!(Header::parse(&bytes), Ok(header));
        prop_assert_eq!(i32::from_be_bytes(bytes[22..26].try_into().unwrap()), head_level);
    }

    #[test]
    fn gzip_reads_back_in_any_pieces(
        parts in prop::collection::vec(prop::collection::vec(0u8..8, 0..3000), 0..6),
        level in 0u8..=9, flush: bool, piece in 1usize..2000,
    ) {
        let file = compress(&parts, level, flush);
        let data = parts.concat();
        prop_assert_eq!(gunzip(&file, piece), Ok(data.clone()));
        prop_assert_eq!(&file[file.len() - 4..], (data.len() as u32).to_le_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// The `tar` crate reads the archives that we write, and finds what was put in.
    #[test]
    fn the_tar_crate_reads_the_same(members in members()) {
        let file = snapshot(&members, Packing::Plain);
        let mut archive = tar::Archive::new(&file[LEN..]);
        let mut found = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            let header = entry.header();
            prop_assert!(header.entry_type().is_file());
            let (size, mode, mtime) = (header.size().unwrap(), header.mode().unwrap(), header.mtime().unwrap());
            prop_assert_eq!(size, content.len() as u64);
            found.push((String::from_utf8(entry.path_bytes().into_owned()).unwrap(), mode, mtime, content));
        }
        prop_assert_eq!(&found, &members);
        let report = inspect(&file, usize::MAX, FULL);
        prop_assert_eq!(report.verdicts.intact, Verdict::Yes);
        let list = report.members.list.unwrap();
        let ours: Vec<_> =
            list.iter().map(|m| (m.name.clone(), m.size, m.mode, m.mtime, m.sha256.clone().unwrap())).collect();
        let theirs: Vec<_> = found
            .into_iter()
            .map(|(name, mode, mtime, content)| (name, content.len() as u64, mode, mtime, sha256(&content)))
            .collect();
        prop_assert_eq!(ours, theirs);
    }

    /// A prefix is never intact. A gzip file with a flipped bit is not, unless the bit says nothing
    /// about the data (the time in the gzip header, the bits that fill a byte): then all is as before.
    #[test]
    fn damage_is_noticed(at: prop::sample::Index, bit in 0u8..8, cut: bool) {
        let whole = fixtures::snapshot("origination.gz");
        let mut file = whole.file.clone();
        let at = at.index(file.len());
        if cut {
            file.truncate(at);
        } else {
            file[at] ^= 1 << bit;
        }
        let report = inspect(&file, 4096, FULL);
        if report.verdicts.intact == Verdict::Yes {
            let before = inspect(&whole.file, 4096, FULL);
            prop_assert!(!cut);
            prop_assert!(at >= 3);
            prop_assert_eq!(report.members, before.members);
            prop_assert_eq!(report.header, before.header);
        }
    }

    /// Strictly or leniently, damaged or not: the report is the same in any pieces.
    #[test]
    fn the_report_does_not_depend_on_the_pieces(
        members in members(), gzip: bool, damage in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        lengths in prop::collection::vec(1usize..1500, 1..20), lenient: bool, after in prop::collection::vec(any::<u8>(), 0..3),
    ) {
        let packing = if gzip { Packing::Gzip { level: 6, flush_members: true } } else { Packing::Plain };
        let mut file = snapshot(&members, packing);
        if let Some((at, byte)) = damage {
            let at = at.index(file.len());
            file[at] = byte;
        }
        file.extend(after);
        let options = if lenient { LENIENT } else { FULL };
        let pieces = Pieces { rest: &file, lengths: lengths.iter().cycle() };
        prop_assert_eq!(comparable(inspect_pieces(pieces, options)), comparable(inspect(&file, usize::MAX, options)));
    }

    #[test]
    fn any_bytes_are_inspected(mut bytes in prop::collection::vec(any::<u8>(), 0..3000), start in 0usize..4) {
        let starts: [&[u8]; 4] = [b"", b"\0\0", b"\0\x01", b"\x1f\x8b\x08\0"];
        bytes.splice(..0, starts[start].iter().copied());
        for options in [FULL, LENIENT] {
            prop_assert_eq!(inspect(&bytes, 100, options).verdicts.intact, Verdict::No);
        }
    }
}

/// Python's zlib and our inflater take and refuse the same damaged files, and give the same bytes.
#[test]
fn damaged_gzip_files_are_judged_as_zlib_judges_them() {
    let text: Vec<u8> = (0u32..6000).flat_map(|n| (n * n % 1013).to_string().into_bytes()).collect();
    let mut files = Vec::new();
    for (level, flush) in [(0, false), (1, true), (6, false), (9, true)] {
        let file = compress(&[text[..700].to_vec(), text[700..9000].to_vec()], level, flush);
        let mut state = 0x2545_f491_4f6c_dd1du64 + u64::from(level);
        for _ in 0..400 {
            let mut next = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as usize
            };
            let mut damaged = file.clone();
            for _ in 0..1 + next() % 2 {
                // Where the Huffman codes are described, most of the time.
                let range = if next() % 3 == 0 { file.len() } else { 150 };
                let at = 10 + next() % (range.min(file.len()) - 10);
                damaged[at] ^= 1 << (next() % 8);
            }
            files.push(damaged);
        }
        files.push(file);
    }
    let theirs = zlib(&files);
    let (mut whole, mut inflated) = (0, 0);
    for (file, theirs) in files.iter().zip(theirs.lines()) {
        let ours = match gunzip(file, 777) {
            Ok(bytes) => format!("ok {}", sha256(&bytes)),
            // The deflate stream ended, its trailer does not fit.
            Err(("gzip.crc" | "gzip.size" | "gzip.trailing" | "gzip.members", bytes)) => {
                format!("trailer {}", sha256(&bytes))
            }
            Err(_) => "no".into(),
        };
        whole += usize::from(theirs.starts_with("ok"));
        inflated += usize::from(theirs.starts_with("trailer"));
        assert_eq!(ours, theirs, "{}", hex(file));
    }
    assert_eq!(theirs.lines().count(), files.len());
    assert!(whole >= 4 && inflated > 100 && inflated + whole < files.len(), "{whole} {inflated}");
}

/// One line for each file: `ok` and a digest, `trailer` and a digest where deflate ended but the
/// file is not right, `no` where it did not.
fn zlib(files: &[Vec<u8>]) -> String {
    let mut python = Command::new("python3")
        .args(["-c", ZLIB])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = python.stdin.take().unwrap();
    for file in files {
        writeln!(input, "{}", hex(file)).unwrap();
    }
    drop(input);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

const ZLIB: &str = "
import hashlib, sys, zlib
for line in sys.stdin.read().split():
    file = bytes.fromhex(line)
    raw = zlib.decompressobj(-15)
    try:
        data = raw.decompress(file[10:])
    except zlib.error:
        print('no')
        continue
    digest = hashlib.sha256(data).hexdigest()
    trailer = zlib.crc32(data).to_bytes(4, 'little') + len(data).to_bytes(4, 'little')
    if not raw.eof or len(raw.unused_data) < 8:
        print('no')
    elif raw.unused_data == trailer:
        print('ok', digest)
    else:
        print('trailer', digest)
";

fn header(archive: bool, address: [u8; 20], head_level: i32, commitment: [u8; 32]) -> Header {
    Header {
        layout: Layout::Versioned,
        history_mode: if archive { HistoryMode::Archive } else { HistoryMode::Full },
        rollup_address: RollupAddress::new(address),
        head_level,
        last_commitment: CommitmentHash::new(commitment),
    }
}

fn compress(parts: &[Vec<u8>], level: u8, flush: bool) -> Vec<u8> {
    let mut file = Vec::new();
    let mut out = |bytes: &[u8]| -> core::result::Result<(), ()> {
        file.extend_from_slice(bytes);
        Ok(())
    };
    let mut gzip = Gzip::new(level);
    for part in parts {
        gzip.write(part, &mut out).unwrap();
        if flush {
            gzip.sync_flush(&mut out).unwrap();
        }
    }
    gzip.finish(&mut out).unwrap();
    file
}

type NamedContent = (String, u32, u64, Vec<u8>);

/// Members with names that differ and do not nest.
fn members() -> impl Strategy<Value = Vec<NamedContent>> {
    let name = "(storage|context)/([a-zé_.]{1,9}x/){0,3}[a-z0-9 .é]{0,20}y";
    let content = prop::collection::vec(any::<u8>(), 0..1600);
    let member = (name, 0u32..0o10_0000, 0u64..1 << 33, content);
    prop::collection::vec(member, 0..6).prop_map(|members| {
        let numbered = members.into_iter().enumerate();
        numbered
            .map(|(at, (name, mode, mtime, content))| (format!("{name}{at}"), mode, mtime, content))
            .collect()
    })
}

fn snapshot(members: &[NamedContent], packing: Packing) -> Vec<u8> {
    let mut file = Vec::new();
    let out = |bytes: &[u8]| -> Result<(), Problem> {
        file.extend_from_slice(bytes);
        Ok(())
    };
    let mut writer = Writer::new(&header(true, [7; 20], 1, [9; 32]), packing, out).unwrap();
    for (name, mode, mtime, content) in members {
        let size = content.len() as u64;
        writer.member(NewMember { name, size, mode: *mode, mtime: *mtime }).unwrap();
        writer.data(content).unwrap();
    }
    writer.finish().unwrap();
    file
}

struct Pieces<'a, L> {
    rest: &'a [u8],
    lengths: L,
}

impl<'a, L: Iterator<Item = &'a usize>> Iterator for Pieces<'a, L> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let (piece, rest) = self.rest.split_at((*self.lengths.next()?).min(self.rest.len()));
        self.rest = rest;
        Some(piece)
    }
}

/// Without the place where the inflater stopped, which is told only roughly.
fn comparable(mut report: Report) -> Report {
    let rough = |check: &&mut Check| check.code == Code::GzipDeflate;
    report.checks.iter_mut().filter(rough).for_each(|check| check.at = None);
    report
}

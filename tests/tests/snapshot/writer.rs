//! What the writer makes of a snapshot's members is the snapshot, and other programs read it.

#![allow(clippy::std_instead_of_alloc, reason = "tests have all of std")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rollsnap_core::snapshot::{NewMember, Packing, Writer};
use rollsnap_core::{Header, Problem, Result};
use rollsnap_tests::fixtures::{self, Snapshot, sha256, unhex};
use rollsnap_tests::reading::{gunzip, members};

const PACKINGS: [Packing; 4] = [
    Packing::Plain,
    Packing::Gzip { level: 6, flush_members: false },
    Packing::Gzip { level: 6, flush_members: true },
    Packing::Gzip { level: 0, flush_members: true },
];

/// Contents are handed over in pieces of a size that divides nothing.
const PIECE: usize = 4099;

#[test]
fn a_repacked_snapshot_is_the_same_byte_for_byte() {
    for snapshot in fixtures::snapshots() {
        for packing in PACKINGS {
            let file = repack(&snapshot, packing);
            let bytes = match packing {
                Packing::Plain => file,
                Packing::Gzip { .. } => gunzip(&file, usize::MAX).unwrap(),
            };
            assert_eq!(bytes.len() as u64, snapshot.record.decompressed_size, "{}", snapshot.name);
            let digest = sha256(&bytes);
            assert_eq!(digest, snapshot.record.decompressed_sha256, "{} {packing:?}", snapshot.name);
        }
    }
}

/// A flush of each member ends in an empty stored block, as the peers' files have it.
#[test]
fn every_member_is_flushed_on_the_fly() {
    let snapshot = fixtures::snapshot("origination.gz");
    let flushes = |file: &[u8]| file.windows(4).filter(|bytes| bytes == b"\0\0\xff\xff").count();
    let members = snapshot.record.members.len();
    assert!(flushes(&snapshot.file) >= members);
    assert!(flushes(&repack(&snapshot, PACKINGS[2])) >= members);
    assert!(flushes(&repack(&snapshot, PACKINGS[1])) < members);
}

#[test]
fn python_reads_what_is_written() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["octez-full.gz", "full-gc-merged.gz"] {
        let snapshot = fixtures::snapshot(name);
        let expected: String = snapshot
            .record
            .members
            .iter()
            .map(|m| format!("{} {} {} {} {}\n", m.name, m.mode, m.size, m.mtime, m.sha256))
            .collect();
        for packing in PACKINGS {
            let path = directory.path().join("snapshot");
            fs::write(&path, repack(&snapshot, packing)).unwrap();
            let output = run(Command::new("python3").args(["-c", READER]).arg(&path));
            assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{name} {packing:?}");
        }
    }
}

const READER: &str = "
import gzip, hashlib, io, sys, tarfile
data = open(sys.argv[1], 'rb').read()
if data[:2] == b'\\x1f\\x8b':
    data = gzip.decompress(data)
archive = tarfile.open(fileobj=io.BytesIO(data[58:]), mode='r:')
for m in archive:
    assert m.isreg() and m.uid == 0 and m.gid == 0
    digest = hashlib.sha256(archive.extractfile(m).read()).hexdigest()
    print(m.name, '%o' % m.mode, m.size, int(m.mtime), digest)
";

#[test]
fn gzip_and_gnu_tar_read_what_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let snapshot = fixtures::snapshot("full-gc.gz");
    for packing in PACKINGS {
        let name = if packing == Packing::Plain { "snapshot" } else { "snapshot.gz" };
        fs::write(directory.path().join(name), repack(&snapshot, packing)).unwrap();
        if packing != Packing::Plain {
            run(Command::new("gzip").arg("-df").arg(directory.path().join(name)));
        }
        let tail = run(Command::new("tail").args(["-c", "+59"]).arg(directory.path().join("snapshot")));
        let archive = directory.path().join("archive.tar");
        fs::write(&archive, tail.stdout).unwrap();
        let listed = tar("tvf", &archive, &["--full-time", "--utc", "--numeric-owner"]);
        let listed: Vec<(String, u64, String)> = listed
            .lines()
            .map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                assert_eq!((words[1], words[3], words[4]), ("0/0", "2023-11-14", "22:13:20"), "{line}");
                (words[5].into(), words[2].parse().unwrap(), words[0].into())
            })
            .collect();
        let expected: Vec<(String, u64, String)> =
            snapshot.record.members.iter().map(|m| (m.name.clone(), m.size, letters(&m.mode))).collect();
        assert_eq!(listed, expected, "{packing:?}");
        extract(directory.path(), &archive);
    }
}

fn extract(directory: &Path, archive: &Path) {
    let target = directory.join("out");
    fs::create_dir_all(&target).unwrap();
    tar("xf", archive, &["--no-same-owner", "-C", target.to_str().unwrap()]);
    for member in fixtures::snapshot("full-gc.gz").record.members {
        let content = fs::read(target.join(&member.name)).unwrap();
        assert_eq!(sha256(&content), member.sha256, "{}", member.name);
    }
}

fn repack(snapshot: &Snapshot, packing: Packing) -> Vec<u8> {
    let header = Header::parse(&unhex(&snapshot.record.header)).unwrap();
    let mut file = Vec::new();
    let out = |bytes: &[u8]| -> Result<(), Problem> {
        file.extend_from_slice(bytes);
        Ok(())
    };
    let mut writer = Writer::new(&header, packing, out).unwrap();
    for (member, content) in members(&snapshot.file) {
        let (mode, mtime) = (member.mode, member.mtime);
        writer.member(NewMember { name: &member.name, size: member.size, mode, mtime }).unwrap();
        for piece in content.chunks(PIECE) {
            writer.data(piece).unwrap();
        }
    }
    writer.finish().unwrap();
    file
}

fn letters(mode: &str) -> String {
    let bits = u32::from_str_radix(mode, 8).unwrap();
    let letter = |bit: u32| if bits >> bit & 1 == 1 { b"xwr"[bit as usize % 3] as char } else { '-' };
    core::iter::once('-').chain((0..9).rev().map(letter)).collect()
}

fn tar(command: &str, archive: &Path, options: &[&str]) -> String {
    let output = run(Command::new("tar").arg(command).arg(archive).args(options).env("LC_ALL", "C"));
    String::from_utf8(output.stdout).unwrap()
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

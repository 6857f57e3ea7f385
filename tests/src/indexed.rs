//! Snapshots that can be read from anywhere, and the same ones that cannot.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::process::Command;

use rollsnap::deflate::{Deflater, Level, Options};
use rollsnap_core::snapshot::{NewMember, Packing, Writer};
use rollsnap_core::{Header, Problem};

use crate::cli::Ground;
use crate::fixtures;

/// The name of the large one.
pub const SUFFIX: &str = "context/store.0.suffix";

/// Names and contents, sorted: a large member, and many small ones before and behind it.
pub fn members() -> Vec<(String, Vec<u8>)> {
    let before = (0..40).map(|number| (format!("context/{number:02}"), words(number, 1000)));
    let large = [(SUFFIX.into(), words(7, 4_500_000))];
    let behind = (0..200).map(|number| (format!("wasm_2_0_0/{number:066}"), words(number + 100, 4096)));
    let last = [("wasm_2_0_0/last".into(), b"the end\n".to_vec())];
    before.chain(large).chain(behind).chain(last).collect()
}

/// A snapshot of them, which has three spans.
pub fn content() -> Vec<u8> {
    archive(&members())
}

/// Header and archive.
pub fn archive(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let header = Header::parse(&fixtures::read("snapshot/octez-full.uncompressed")).unwrap();
    let mut bytes = Vec::new();
    let out = |piece: &[u8]| -> Result<(), Problem> {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    let mut writer = Writer::new(&header, Packing::Plain, out).unwrap();
    for (name, data) in members {
        let size = data.len() as u64;
        writer.member(NewMember { name, size, mode: 0o644, mtime: 1_700_000_000 }).unwrap();
        writer.data(data).unwrap();
    }
    writer.finish().unwrap();
    bytes
}

/// What is in a gzip file, unpacked by another program.
pub fn unpacked(file: &[u8]) -> Vec<u8> {
    let ground = Ground::new();
    let packed = ground.at("packed.gz");
    fs::write(&packed, file).unwrap();
    let output = Command::new("gzip").args(["-dc", &packed]).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

/// A snapshot with these members between its own, in the order of names.
pub fn with_members(content: &[u8], extra: &[(String, Vec<u8>)]) -> Vec<u8> {
    let header = Header::parse(&content[..58]).unwrap();
    let mut members = BTreeMap::new();
    for entry in tar::Archive::new(&content[58..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let mode = entry.header().mode().unwrap();
        let mut data = Vec::new();
        entry.read_to_end(&mut data).unwrap();
        members.insert(name, (mode, data));
    }
    members.extend(extra.iter().map(|(name, data)| (name.clone(), (0o644, data.clone()))));
    let mut bytes = Vec::new();
    let out = |piece: &[u8]| -> Result<(), Problem> {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    let mut writer = Writer::new(&header, Packing::Plain, out).unwrap();
    for (name, (mode, data)) in &members {
        let size = data.len() as u64;
        writer.member(NewMember { name, size, mode: *mode, mtime: 1_700_000_000 }).unwrap();
        writer.data(data).unwrap();
    }
    writer.finish().unwrap();
    bytes
}

fn words(seed: u32, length: usize) -> Vec<u8> {
    let (mut state, mut bytes) = (seed, Vec::new());
    while bytes.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.extend_from_slice(format!("{} ", state >> 17).as_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// As export writes it, with an index in the header.
pub fn own(content: &[u8]) -> Vec<u8> {
    own_of(content, content.len() as u64)
}

/// The same when so many bytes were expected: if more come, spans become longer.
pub fn own_of(content: &[u8], expected: u64) -> Vec<u8> {
    let mut file = Vec::new();
    let jobs = NonZeroUsize::new(2).unwrap();
    let options = Options { level: Level::FAST, jobs, expected: Some(expected) };
    let out = |bytes: &[u8]| {
        file.extend_from_slice(bytes);
        Ok(())
    };
    let mut deflater = Deflater::new(options, out).unwrap();
    deflater.write(content).unwrap();
    let patch = deflater.finish().unwrap().index.unwrap();
    file[patch.at as usize..][..patch.bytes.len()].copy_from_slice(&patch.bytes);
    file
}

/// The same with zeros where the index was.
pub fn without_index(own: &[u8]) -> Vec<u8> {
    let mut file = own.to_vec();
    let length = usize::from(u16::from_le_bytes([file[14], file[15]]));
    assert_eq!(&file[12..14], b"RS");
    assert_eq!(&file[16..20], b"RSIX");
    file[16..16 + length].fill(0);
    file
}

/// As other programs write it.
pub fn foreign(ground: &Ground, content: &[u8]) -> Vec<u8> {
    let plain = ground.at("plain");
    fs::write(&plain, content).unwrap();
    let output = Command::new("gzip").args(["-1nc", &plain]).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

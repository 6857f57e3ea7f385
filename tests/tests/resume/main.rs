//! Imports and extractions that are interrupted: the same command goes on where it was.

#![cfg(target_os = "linux")]
#![allow(clippy::std_instead_of_alloc, reason = "tests have all of std")]

mod kills;
mod refused;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use rollsnap_tests::cli::Ground;
use rollsnap_tests::{fixtures, indexed};
use serde_json::Value;

/// A sound snapshot, and in its context files that nothing refers to, a large one and many: some of it repeats itself, some
/// does not.
static PLAIN: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let large = large(40_000_000);
    let (one, many) = large.split_at(20_000_000);
    let mut extra = vec![("context/store.0.suffix".to_owned(), one.to_vec())];
    for (number, data) in many.chunks(300_000).enumerate() {
        extra.push((format!("context/store.1.{number:03}"), data.to_vec()));
    }
    indexed::with_members(&indexed::unpacked(&fixtures::read("replay/r5-full.head.snapshot.gz")), &extra)
});
static OWN: LazyLock<Vec<u8>> = LazyLock::new(|| indexed::own(&PLAIN));
static FOREIGN: LazyLock<Vec<u8>> = LazyLock::new(|| indexed::foreign(&Ground::new(), &PLAIN));

/// An archive whose objects come before the files that nothing refers to; with `damaged`, a bit of its first object is
/// flipped.
fn archive(damaged: bool) -> Vec<u8> {
    let large = large(40_000_000);
    let chunks = large.chunks(300_000).enumerate();
    let mut extra: Vec<_> =
        chunks.map(|(number, data)| (format!("context/unknown.{number:03}"), data.to_vec())).collect();
    let content = indexed::unpacked(&fixtures::read("data-dir/v5-archive.head.snapshot.gz"));
    if damaged {
        let pack = "context/store.0.suffix";
        let mut archive = tar::Archive::new(&content[58..]);
        let mut entries = archive.entries().unwrap().map(Result::unwrap);
        let mut entry = entries.find(|entry| entry.path().unwrap() == Path::new(pack)).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        flip_first(&mut bytes);
        extra.push((pack.to_owned(), bytes));
    }
    indexed::own(&indexed::with_members(&content, &extra))
}

/// Flips a bit of the first object of a file with objects: behind its hash, which has 32 bytes, and its kind.
fn flip_first(pack: &mut [u8]) {
    pack[34] ^= 1;
}

static ARCHIVE: LazyLock<Vec<u8>> = LazyLock::new(|| archive(false));
static DAMAGED: LazyLock<Vec<u8>> = LazyLock::new(|| archive(true));

/// The snapshot in its three forms, and two others, by their names.
fn form(name: &str) -> &'static [u8] {
    match name {
        "own" => &OWN,
        "foreign" => &FOREIGN,
        "archive" => &ARCHIVE,
        "damaged" => &DAMAGED,
        _ => &PLAIN,
    }
}

fn large(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    let mut bytes = Vec::with_capacity(len + 40_000);
    while bytes.len() < len {
        let kind = noise();
        match kind % 4 {
            0 => bytes.extend(std::iter::repeat_n(kind, 40_000)),
            1 | 2 => bytes.extend(std::iter::repeat_with(&mut noise).take(9000)),
            _ => bytes.extend(std::iter::repeat_with(|| noise() % 11).take(9000)),
        }
    }
    bytes.truncate(len);
    bytes
}

/// A command that records how far it has come every so many bytes of content.
fn child(ground: &Ground, job: &str, snapshot: &str, dir: &str, every: usize) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_resume-child"));
    command.args([job, snapshot, dir, &every.to_string()]).current_dir(ground.root());
    ground.isolate(&mut command);
    command
}

/// Where the job keeps what it has unpacked, if it does.
fn kept(ground: &Ground, dir: &str) -> Option<PathBuf> {
    let names = fs::read_dir(ground.path(dir)).ok()?.map(|entry| entry.unwrap().path());
    let mut ours = names.filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name == ".rollsnap-import" || name.starts_with(".rollsnap-work-")
    });
    ours.find(|path| path.join("resume").exists())
}

/// The newest record in a directory, read without the code under test; checksums are not looked at.
fn record(kept: &Path) -> Option<Value> {
    let bytes = fs::read(kept.join("resume")).ok()?;
    let slots = [0, 96 << 10].map(|at: usize| {
        let slot = bytes.get(at..)?;
        (slot.get(..8)? == b"RSRESUM1").then_some(())?;
        let number = u64::from_le_bytes(slot.get(8..16)?.try_into().unwrap());
        let len = u32::from_le_bytes(slot.get(16..20)?.try_into().unwrap());
        Some((number, serde_json::from_slice::<Value>(slot.get(24..24 + len as usize)?).ok()?))
    });
    slots.into_iter().flatten().max_by_key(|(number, _)| *number).map(|(_, record)| record)
}

/// Where reading goes on, in the file.
fn place(record: &Value) -> u64 {
    let (kind, place) = record["place"].as_object().unwrap().iter().next().unwrap();
    place[if kind == "plain" { "content" } else { "file" }].as_u64().unwrap()
}

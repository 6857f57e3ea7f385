//! Snapshot files that the peers' own libraries wrote, and what was recorded about them.

#![allow(clippy::std_instead_of_alloc, reason = "tests have all of std")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A snapshot file and its record.
pub struct Snapshot {
    /// Name of the file.
    pub name: String,
    /// Its bytes.
    pub file: Vec<u8>,
    /// What is known about it.
    pub record: Record,
}

/// What the program that wrote the file, or Python's `tarfile`, said about it.
#[derive(Deserialize)]
pub struct Record {
    /// Length of the file, in bytes.
    pub size: u64,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Whether it is gzipped.
    pub compressed: bool,
    /// Length of header and archive, in bytes.
    pub decompressed_size: u64,
    /// SHA-256 of header and archive.
    pub decompressed_sha256: String,
    /// The 58 header bytes, in hexadecimal.
    pub header: String,
    /// `archive` or `full`.
    pub history_mode: String,
    /// Level of the newest block.
    pub head_level: i32,
    /// The address as text, where the record has it.
    pub rollup_address: Option<String>,
    /// The last commitment as text, where the record has it.
    pub commitment: Option<String>,
    /// The members, in order.
    pub members: Vec<MemberRecord>,
}

/// One member of a recorded snapshot.
#[derive(Deserialize)]
pub struct MemberRecord {
    /// Its path.
    pub name: String,
    /// Permission bits in octal digits.
    pub mode: String,
    /// Length of its content, in bytes.
    pub size: u64,
    /// Seconds since 1970.
    pub mtime: i64,
    /// SHA-256 of its content.
    pub sha256: String,
}

/// One hand-made container and what ocaml-tar over camlzip does with it.
#[derive(Deserialize)]
pub struct Edge {
    /// What is special about it.
    pub why: String,
    /// The answers of the OCaml programs (those over camlzip 1.11 and 1.13 agree).
    pub both: Answers,
    /// The container itself.
    #[serde(skip)]
    pub file: Vec<u8>,
}

/// What the OCaml programs answer.
#[derive(Deserialize)]
pub struct Answers {
    /// Reading the 58 header bytes.
    pub info: Answer,
    /// Reading the archive and writing nothing.
    pub list: Answer,
    /// Extracting the archive.
    pub extract: Answer,
}

/// What one OCaml program answers.
#[derive(Deserialize)]
pub struct Answer {
    /// Its exit status.
    pub rc: i32,
    /// Its lines.
    pub out: Vec<String>,
}

/// The directory of the fixtures.
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Reads a file of the fixtures.
pub fn read(name: &str) -> Vec<u8> {
    std::fs::read(directory().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The records of all mutants of `data-dir/`.
pub fn mutants() -> Vec<Value> {
    let mut file: Value = serde_json::from_slice(&read("data-dir/mutants.json")).unwrap();
    let Value::Array(mutants) = file["mutants"].take() else { panic!("a list of mutants") };
    mutants
}

/// The directory or snapshot that a mutant is made from.
pub fn base_of(mutant: &Value) -> &str {
    mutant["base"].as_str().or(mutant["snapshot"].as_str()).unwrap_or("v5")
}

/// Every snapshot that the fixtures hold, in the order of their names.
pub fn snapshots() -> Vec<Snapshot> {
    ["snapshot", "data-dir"].into_iter().flat_map(snapshots_in).collect()
}

/// One snapshot of `snapshot/`.
pub fn snapshot(name: &str) -> Snapshot {
    snapshots_in("snapshot").find(|snapshot| snapshot.name == name).unwrap_or_else(|| panic!("no {name}"))
}

fn snapshots_in(room: &'static str) -> impl Iterator<Item = Snapshot> {
    let records: BTreeMap<String, Record> =
        serde_json::from_slice(&read(&format!("{room}/snapshots.json"))).unwrap();
    // Records stand for both forms of a snapshot; most plain forms are not kept.
    let present = move |name: &String| directory().join(room).join(name).exists();
    records.into_iter().filter(move |(name, _)| present(name)).map(move |(name, record)| {
        let file = read(&format!("{room}/{name}"));
        assert_eq!(sha256(&file), record.sha256, "{name} is not the file of the record");
        Snapshot { name, file, record }
    })
}

/// The hand-made containers by name.
pub fn edges() -> BTreeMap<String, Edge> {
    let mut edges: BTreeMap<String, Edge> = serde_json::from_slice(&read("snapshot/edge.json")).unwrap();
    let archive = read("snapshot/edge.tar");
    for entry in tar::Archive::new(&archive[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().into_owned();
        if let Some(edge) = path.file_stem().and_then(|stem| edges.get_mut(stem.to_str().unwrap())) {
            std::io::Read::read_to_end(&mut entry, &mut edge.file).unwrap();
        }
    }
    edges
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes from hexadecimal.
pub fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "{text}");
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

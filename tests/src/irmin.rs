//! Contexts that the real irmin-pack wrote, and what it reads in them
//! (`tests/fixtures/irmin/README.md`).

#![allow(clippy::std_instead_of_alloc, reason = "tests have all of std")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::{Arc, OnceLock};

use rollsnap_core::{Files, ReadAt, Result};
use tempfile::TempDir;

use crate::fixtures;

/// The stores with a dump, smallest first.
pub const STORES: [&str; 16] = [
    "empty",
    "tiny",
    "tiny-octez",
    "tiny-index-merged",
    "one-tiny",
    "one-tiny-more",
    "gc-nosplit",
    "one-split",
    "one-from-gc",
    "gc-last",
    "gc-boundary",
    "gc-chunk1",
    "one-split-gc",
    "split",
    "gc-twice",
    "medium",
];

/// The stores of the library of Octez, without dumps; `6_index_data` is an index alone.
pub const UPSTREAM: [&str; 9] = [
    "1_no_gc",
    "2_split",
    "3_gced",
    "4_one_commit",
    "5_gced_twice",
    "6_index_data",
    "7_one_commit_append",
    "8_written_one_commit",
    "9_written_append",
];

/// Files in memory, by their names below `context/`. Copies share the bytes.
#[derive(Clone, Debug, Default)]
pub struct Store(pub BTreeMap<String, Bytes>);

/// The bytes of a file, shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Arc<Vec<u8>>);

/// The files of a store.
pub fn store(name: &str) -> Store {
    let prefix = format!("{name}/");
    let within = |(path, bytes): (&String, &Bytes)| Some((path.strip_prefix(&prefix)?.into(), bytes.clone()));
    let files: BTreeMap<String, Bytes> = archive().iter().filter_map(within).collect();
    assert!(!files.is_empty(), "no store {name}");
    Store(files)
}

/// What the real library reads in a store.
pub fn dump(name: &str) -> serde_json::Value {
    serde_json::from_slice(file(&format!("{name}.json"))).unwrap()
}

/// What the real library's checks say about it.
pub fn check(name: &str) -> String {
    String::from_utf8(file(&format!("{name}.check")).to_vec()).unwrap()
}

/// The files of a store in a directory of their own, as `context/` of a node is.
pub fn dir(name: &str) -> TempDir {
    store(name).to_dir()
}

/// A file of the archive, whole.
pub fn file(name: &str) -> &'static [u8] {
    &archive().get(name).unwrap_or_else(|| panic!("no {name}")).0
}

/// A step of a dump's path, as bytes.
pub fn step(text: &str) -> Vec<u8> {
    text.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect()
}

impl Store {
    /// Writes the files to a directory of their own.
    pub fn to_dir(&self) -> TempDir {
        let dir = TempDir::new().unwrap();
        for (name, bytes) in &self.0 {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &*bytes.0).unwrap();
        }
        dir
    }

    /// A file's bytes; panics where it is not there.
    pub fn get(&self, name: &str) -> &[u8] {
        &self.0.get(name).unwrap_or_else(|| panic!("no {name}")).0
    }

    /// A file's bytes, to be changed; made when it is not there.
    pub fn edit(&mut self, name: &str) -> &mut Vec<u8> {
        Arc::make_mut(&mut self.0.entry(name.into()).or_default().0)
    }

    /// Takes a file away.
    pub fn remove(&mut self, name: &str) {
        assert!(self.0.remove(name).is_some(), "no {name}");
    }
}

impl Files for Store {
    type File = Bytes;

    fn open(&self, name: &str) -> Result<Option<Bytes>> {
        Ok(self.0.get(name).cloned())
    }

    fn names(&self, directory: &str) -> Result<Vec<String>> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let below = self.0.keys().filter_map(|name| name.strip_prefix(&prefix));
        let names: BTreeSet<&str> = below.filter(|name| !name.contains('/')).collect();
        Ok(names.into_iter().map(Into::into).collect())
    }
}

impl ReadAt for Bytes {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.0.as_slice().read_at(offset, out)
    }
}

/// Every file of the archive, by its path; unpacked once a process.
fn archive() -> &'static BTreeMap<String, Bytes> {
    static ARCHIVE: OnceLock<BTreeMap<String, Bytes>> = OnceLock::new();
    ARCHIVE.get_or_init(|| {
        let packed = fixtures::read("irmin/irmin.tar.xz");
        let mut archive = tar::Archive::new(lzma_rust2::XzReader::new(&packed[..], false));
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_str().unwrap().to_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (path, Bytes(Arc::new(bytes)))
        });
        entries.collect()
    })
}

/// Where the entry of an object is: as the format says, read by hand.
pub struct Entry {
    /// Its first byte.
    pub start: usize,
    /// The first byte of its value, behind the head.
    pub value: usize,
    /// The first byte behind it.
    pub end: usize,
}

/// The entries of a file that holds nothing else.
pub fn entries(bytes: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let (mut len, mut shift, mut head) = (0usize, 0, 33);
        loop {
            let byte = bytes[at + head];
            len |= usize::from(byte & 0x7f) << shift;
            (head, shift) = (head + 1, shift + 7);
            if byte < 0x80 {
                break;
            }
        }
        entries.push(Entry { start: at, value: at + head, end: at + head + len });
        at += head + len;
    }
    entries
}

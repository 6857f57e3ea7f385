//! A reading of the bytes of stores in files that shares nothing with the code under test, and their damages.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rollsnap_tests::cli::Ground;
use rollsnap_tests::store_v4;

/// A table: each key with what the index says of it, and the value in the file.
pub(super) type Table = BTreeMap<Vec<u8>, (Vec<u8>, Vec<u8>)>;

/// What a node finds in a store, wherever it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Raw {
    pub(super) small: BTreeMap<String, Vec<u8>>,
    pub(super) tables: BTreeMap<&'static str, Table>,
}

/// Name, bytes of a key, bytes of what the index says behind an offset, whether there is one.
const TABLES: [(&str, usize, usize, bool); 6] = [
    ("l2_blocks", 32, 228, true),
    ("messages", 32, 32, true),
    ("inboxes", 32, 0, true),
    ("commitments", 32, 0, true),
    ("levels_to_hashes", 4, 32, false),
    ("commitments_published_at_level", 32, 8, false),
];

pub(super) fn number(bytes: &[u8]) -> usize {
    u64::from_be_bytes(bytes.try_into().unwrap()).try_into().unwrap()
}

pub(super) fn level_of(bytes: &[u8]) -> i32 {
    i32::from_be_bytes(bytes[..4].try_into().unwrap())
}

/// The entries of the files of an index; later ones count.
fn entries(directory: &Path, size: usize) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for name in ["data", "log", "log_async"] {
        let Ok(bytes) = fs::read(directory.join(name)) else { continue };
        assert_eq!(&bytes[8..16], b"00000001");
        let (length, table) = (number(&bytes[..8]), number(&bytes[24..32]));
        assert!(length % size == 0 && (name == "data" || table == 0));
        found.extend(bytes[32 + table..][..length].chunks(size).map(<[u8]>::to_vec));
    }
    found
}

pub(super) fn raw(data: &str) -> Raw {
    let storage = Path::new(data).join("storage");
    let mut small = BTreeMap::new();
    for entry in fs::read_dir(&storage).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            small.insert(entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
        }
    }
    let table = |(name, key, header, values): (&'static str, usize, usize, bool)| {
        let fresh = storage.join(name);
        let stale = |number: u32| match values {
            true => fresh.join(number.to_string()),
            false => storage.join(format!("{name}.{number}")),
        };
        let mut found = Table::new();
        let stale = (1..10).map(stale).filter(|generation| generation.exists());
        // What comes later counts: the fresh one last.
        for generation in stale.chain([fresh.clone()]) {
            let index = generation.join(if values { "index/index" } else { "index" });
            let bytes = fs::read(generation.join("data")).unwrap_or_default();
            let offset = if values { 8 } else { 0 };
            for entry in entries(&index, key + offset + header) {
                let (key, rest) = entry.split_at(key);
                let value = values.then(|| {
                    let at = number(&rest[..8]);
                    let length = level_of(&bytes[at..]) as usize;
                    bytes[at + 4..][..length].to_vec()
                });
                found.insert(key.into(), (rest[offset..].into(), value.unwrap_or_default()));
            }
        }
        (name, found)
    };
    Raw { small, tables: TABLES.map(table).into() }
}

#[track_caller]
pub(super) fn assert_same(found: &Raw, expected: &Raw, what: &str) {
    assert_eq!(found.small, expected.small, "{what}");
    for (name, table) in &expected.tables {
        let keys = |table: &Table| table.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&found.tables[name]), keys(table), "{what}: {name}");
        assert!(found.tables[name] == *table, "{what}: {name}");
    }
}

/// Whether an entry stays: its key, what the index says of it, its value.
type Keep<'k> = dyn Fn(&[u8], &[u8], &[u8]) -> bool + 'k;

impl Raw {
    pub(super) fn hash_at(&self, level: i32) -> &[u8] {
        &self.tables["levels_to_hashes"][&level.to_be_bytes()[..]].0
    }

    /// The header and the body of the block at a level, as `l2_head` has them.
    pub(super) fn block(&self, level: i32) -> Vec<u8> {
        let (header, body) = &self.tables["l2_blocks"][self.hash_at(level)];
        [&header[..], body].concat()
    }

    /// What it is when it is taken back: a block is `hash ‖ level ‖ predecessor ‖ commitment ‖ previous ‖ …`.
    pub(super) fn at_level(mut self, level: i32) -> Self {
        let block = self.block(level);
        let (own, previous) = (&block[68..100], &block[100..132]);
        let commitment = if own == [0; 32] { previous } else { own }.to_vec();
        let content = self.tables["commitments"][&commitment].1.clone();
        let inbox_level = content[33..37].to_vec();
        self.small.insert("l2_head".into(), block);
        let finalized = self.small.get_mut("last_finalized_level").unwrap();
        if level_of(finalized) > level {
            *finalized = level.to_be_bytes().into();
        }
        let lcc = self.small.get_mut("lcc").unwrap();
        if level_of(&lcc[32..]) > level {
            *lcc = [commitment, inbox_level].concat();
        }
        if let Some(lpc) = self.small.get_mut("lpc").filter(|lpc| level_of(&lpc[33..]) > level) {
            *lpc = content;
        }
        let keep = |raw: &mut Self, name: &str, keep: &Keep<'_>| {
            let table = raw.tables.get_mut(name).unwrap();
            table.retain(|key, (header, value)| keep(key, header, value));
        };
        keep(&mut self, "l2_blocks", &|_, header, _| level_of(&header[32..]) <= level);
        keep(&mut self, "levels_to_hashes", &|key, _, _| level_of(key) <= level);
        keep(&mut self, "commitments", &|_, _, value| level_of(&value[33..]) <= level);
        keep(&mut self, "inboxes", &|_, _, value| level_of(&value[1..]) <= level);
        keep(&mut self, "commitments_published_at_level", &|_, first, _| level_of(first) <= level);
        let blocks = self.tables["l2_blocks"].clone();
        let named = |at: usize, key: &[u8]| blocks.values().any(|(header, _)| &header[at..at + 32] == key);
        keep(&mut self, "messages", &|key, _, _| named(164, key));
        self
    }
}

/// Changes the entries of a log.
pub(super) fn log(data: &str, name: &str, size: usize, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let path = format!("{data}/storage/{name}/log");
    let bytes = fs::read(&path).unwrap();
    let mut entries = bytes[32..][..number(&bytes[..8])].chunks(size).map(<[u8]>::to_vec).collect();
    change(&mut entries);
    let entries = entries.concat();
    fs::write(path, [&(entries.len() as u64).to_be_bytes(), &bytes[8..32], &entries].concat()).unwrap();
}

pub(super) const LEVELS: &str = "levels_to_hashes/index";
pub(super) const BLOCKS: &str = "l2_blocks/index/index";

/// A directory of Mavkit's own store code, with a context that no machine made.
pub(super) fn plant(ground: &Ground, name: &str) -> String {
    for (file, content) in store_v4::directory(name) {
        let path = ground.path(name).join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    ground.at(name)
}

pub(super) fn small(data: &str, name: &str, content: Option<&[u8]>) {
    let path = format!("{data}/storage/{name}");
    match content {
        Some(content) => fs::write(path, content).unwrap(),
        None => fs::remove_file(path).unwrap(),
    }
}

/// Nothing is left beside the store, and no file of it has another name.
#[track_caller]
pub(super) fn tidy(data: &str) {
    use std::os::unix::fs::MetadataExt;
    assert!(!Path::new(data).join(".rollsnap-import").exists());
    for entry in fs::read_dir(format!("{data}/storage/l2_blocks")).unwrap() {
        let about = entry.unwrap().metadata().unwrap();
        assert!(about.is_dir() || about.nlink() == 1);
    }
}

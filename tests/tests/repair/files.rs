//! Stores in files: what a repair leaves is compared, entry by entry, with the stores of Mavkit's own code, by a reading
//! of the bytes that shares nothing with the code under test.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use rollsnap_tests::cli::{Ground, Holder};
use rollsnap_tests::store_v4;

use super::{directory, sound, wrong};

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

fn number(bytes: &[u8]) -> usize {
    u64::from_be_bytes(bytes.try_into().unwrap()).try_into().unwrap()
}

fn level_of(bytes: &[u8]) -> i32 {
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
fn assert_same(found: &Raw, expected: &Raw, what: &str) {
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
    fn hash_at(&self, level: i32) -> &[u8] {
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

const LEVELS: &str = "levels_to_hashes/index";
const BLOCKS: &str = "l2_blocks/index/index";

/// A directory of Mavkit's own store code, with a context that no machine made.
fn plant(ground: &Ground, name: &str) -> String {
    for (file, content) in store_v4::directory(name) {
        let path = ground.path(name).join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    ground.at(name)
}

fn small(data: &str, name: &str, content: Option<&[u8]>) {
    let path = format!("{data}/storage/{name}");
    match content {
        Some(content) => fs::write(path, content).unwrap(),
        None => fs::remove_file(path).unwrap(),
    }
}

/// Nothing is left beside the store, and no file of it has another name.
#[track_caller]
fn tidy(data: &str) {
    use std::os::unix::fs::MetadataExt;
    assert!(!Path::new(data).join(".rollsnap-import").exists());
    for entry in fs::read_dir(format!("{data}/storage/l2_blocks")).unwrap() {
        let about = entry.unwrap().metadata().unwrap();
        assert!(about.is_dir() || about.nlink() == 1);
    }
}

#[test]
fn marks_are_set_to_what_the_chain_says() {
    let ground = Ground::new();
    let whole = directory(&ground, "r4-mavkit");
    let expected = raw(&whole);
    fs::remove_dir_all(&whole).unwrap();
    let head = expected.small["l2_head"].clone();
    let other_ticks = [&head[..head.len() - 1], &[head[head.len() - 1] ^ 1]].concat();
    let other_commitment = {
        let content = &expected.tables["commitments"];
        let (hash, _) = content.iter().find(|(_, (_, value))| level_of(&value[33..]) == 3005).unwrap();
        [&hash[..], &3010i32.to_be_bytes()].concat()
    };
    for (name, content) in [
        ("l2_head", None),
        ("l2_head", Some(b"garbage".to_vec())),
        ("l2_head", Some(Vec::new())),
        ("l2_head", Some(head[..head.len() - 1].to_vec())),
        ("l2_head", Some(other_ticks)),
        // A crash before the mark of the newest block was written.
        ("l2_head", Some(expected.block(3024))),
        ("l2_head", Some([&[7; 32], &head[32..]].concat())),
        ("lcc", Some(b"x".to_vec())),
        ("lcc", Some(other_commitment)),
    ] {
        let data = directory(&ground, "r4-mavkit");
        let idle = ground.tree();
        ground.run(&["repair", "head", &data]).ends(6);
        idle.same_as(&ground.tree(), "nothing to do");
        small(&data, name, content.as_deref());
        let tree = ground.tree();
        let dry = ground.run(&["repair", "head", &data, "--dry-run"]).ok();
        tree.same_as(&ground.tree(), "a dry run");
        let run = ground.run(&["repair", "head", &data]).ok();
        if name == "lcc" && content == Some(b"x".to_vec()) {
            // Nothing says which commitment it was.
            assert!(!raw(&data).small.contains_key("lcc"), "{run}");
        } else {
            assert_same(&raw(&data), &expected, name);
        }
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (dry, done) = (lines(dry.text()), lines(run.text()));
        assert_eq!(dry[..dry.len() - 1], done[..done.len() - 1], "{name}");
        sound(&ground, &data);
        tidy(&data);
        fs::remove_dir_all(&data).unwrap();
    }
    // What is cemented is final, and nothing is above the head.
    for (level, becomes) in [(3005, 3010), (4000, 3025), (3011, 3011)] {
        let data = directory(&ground, "r4-mavkit");
        small(&data, "last_finalized_level", Some(&i32::to_be_bytes(level)));
        let run = ground.run(&["repair", "head", &data]).ends(if level == becomes { 6 } else { 0 });
        let mut expected = expected.clone();
        expected.small.insert("last_finalized_level".into(), becomes.to_be_bytes().into());
        assert_same(&raw(&data), &expected, &run.to_string());
        sound(&ground, &data);
        fs::remove_dir_all(&data).unwrap();
    }
}

#[test]
fn a_block_that_lacks_something_is_no_head() {
    let ground = Ground::new();
    for (index, size) in [(BLOCKS, 268), ("messages/index/index", 72), ("inboxes/index/index", 40)] {
        let data = directory(&ground, "r4-mavkit");
        let whole = raw(&data);
        let head = whole.block(3025);
        let key = match size {
            268 => &head[..32],
            72 => &head[164..196],
            _ => &head[196..228],
        };
        log(&data, index, size, |entries| entries.retain(|entry| &entry[..32] != key));
        let run = ground.run(&["repair", "head", &data]).ok();
        let now = raw(&data);
        assert_eq!(now.small["l2_head"], whole.block(3024), "{run}");
        assert!(!now.tables["levels_to_hashes"].contains_key(&3025i32.to_be_bytes()[..]), "{run}");
        sound(&ground, &data);
        fs::remove_dir_all(&data).unwrap();
    }
}

#[test]
fn levels_are_written_by_predecessors() {
    let ground = Ground::new();
    type Damage = fn(&mut Vec<Vec<u8>>);
    let above: Damage = |entries| {
        let hash = entries[7][4..].to_vec();
        entries.push([&3026i32.to_be_bytes()[..], &hash].concat());
        entries.push([&i32::MAX.to_be_bytes()[..], &[1; 32]].concat());
    };
    let damages: [(Damage, usize); 5] = [
        (|entries| entries.clear(), 26),
        (|entries| drop(entries.drain(3..8)), 5),
        (|entries| entries[10][4..].fill(9), 1),
        (|entries| entries[11] = [&entries[11][..4], &entries[12][4..]].concat(), 1),
        (above, 2),
    ];
    for (damage, changes) in damages {
        let data = directory(&ground, "r4-mavkit");
        let expected = raw(&data);
        ground.run(&["repair", "levels", &data]).ends(6);
        log(&data, LEVELS, 36, damage);
        let tree = ground.tree();
        ground.run(&["repair", "levels", &data, "--dry-run"]).ok();
        tree.same_as(&ground.tree(), "a dry run");
        let run = ground.run(&["repair", "levels", &data, "--json"]).ok();
        assert_eq!(run.json()["repaired"].as_array().unwrap().len(), changes, "{run}");
        assert_same(&raw(&data), &expected, &run.to_string());
        sound(&ground, &data);
        tidy(&data);
        fs::remove_dir_all(&data).unwrap();
    }
    // An index that was merged and collected: what comes hides what is there.
    let data = plant(&ground, "full-gc-merged");
    let expected = raw(&data);
    log(&data, LEVELS, 36, |entries| entries.iter_mut().for_each(|entry| entry[4..].fill(1)));
    let run = ground.run(&["repair", "levels", &data]).ok();
    assert_same(&raw(&data), &expected, &run.to_string());
    assert_eq!(wrong(&ground, &data), Vec::<String>::new());
}

#[test]
fn a_store_is_taken_back() {
    let ground = Ground::new();
    for (name, to, level) in [
        ("r4-mavkit", "3012", 3012),
        ("r4-mavkit", "3000", 3000),
        ("r4-mavkit", "finalized", 3023),
        ("r4-mavkit", "LCC", 3010),
        ("full-gc-merged", "2000050", 2_000_050),
        ("full-gc-merged", "2000040", 2_000_040),
        ("full-gc", "80", 80),
        ("failed-gc", "88", 88),
        ("archive", "finalized", 0),
    ] {
        let data = match name {
            "r4-mavkit" => directory(&ground, name),
            _ => plant(&ground, name),
        };
        let before = raw(&data);
        let level = if level == 0 { level_of(&before.small["last_finalized_level"]) } else { level };
        let tree = ground.tree();
        let dry = ground.run(&["repair", "rewind", &data, "--to", to, "--dry-run"]).ok();
        tree.same_as(&ground.tree(), "a dry run");
        let run = ground.run(&["repair", "rewind", "--data-dir", &data, "--to", to]).ok();
        assert_same(&raw(&data), &before.at_level(level), &format!("{name} to {to}: {run}"));
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (dry, done) = (lines(dry.text()), lines(run.text()));
        assert_eq!(dry[..dry.len() - 1], done[..done.len() - 1], "{name}");
        assert_eq!(wrong(&ground, &data), Vec::<String>::new(), "{name}");
        tidy(&data);
        ground.run(&["repair", "rewind", &data, "--to", &level.to_string()]).ends(6);
        if name == "r4-mavkit" {
            sound(&ground, &data);
            // It goes on as a snapshot and as another directory.
            let (file, copy) = (ground.at("file"), ground.at("copy"));
            ground.run(&["export", &file, "--data-dir", &data]).ok();
            ground.run(&["import", &file, "--data-dir", &copy]).ok();
            sound(&ground, &copy);
            assert_eq!(raw(&copy).small["l2_head"], raw(&data).small["l2_head"]);
            fs::remove_file(file).unwrap();
            fs::remove_dir_all(copy).unwrap();
        }
        fs::remove_dir_all(&data).unwrap();
    }
}

#[test]
fn the_last_sound_level_is_below_what_is_damaged_and_no_lower() {
    let ground = Ground::new();
    type Damage = fn(&str, &Raw);
    let damages: [(Damage, i32); 5] = [
        // The value of a block: its ticks.
        (
            |data, raw| {
                let body = &raw.tables["l2_blocks"][raw.hash_at(3018)].1;
                let path = format!("{data}/storage/l2_blocks/data");
                let mut bytes = fs::read(&path).unwrap();
                let at = bytes.windows(body.len()).rposition(|window| window == &body[..]).unwrap();
                bytes[at] ^= 1;
                fs::write(path, bytes).unwrap();
            },
            3017,
        ),
        (
            |data, raw| {
                let witness = raw.block(3024)[164..196].to_vec();
                log(data, "messages/index/index", 72, |entries| entries.retain(|it| it[..32] != witness));
            },
            3023,
        ),
        (
            |data, raw| {
                let hash = raw.hash_at(3017).to_vec();
                log(data, BLOCKS, 268, |entries| entries.retain(|it| it[..32] != hash));
            },
            3016,
        ),
        // The entry of a block says another level.
        (
            |data, raw| {
                let hash = raw.hash_at(3020).to_vec();
                log(data, BLOCKS, 268, |entries| {
                    let entry = entries.iter_mut().find(|it| it[..32] == hash).unwrap();
                    entry[72..76].copy_from_slice(&3001i32.to_be_bytes());
                });
            },
            3019,
        ),
        (|data, _| log(data, LEVELS, 36, |entries| entries[15][4..].fill(3)), 3014),
    ];
    for (damage, level) in damages {
        let data = directory(&ground, "r4-mavkit");
        let whole = raw(&data);
        damage(&data, &whole);
        assert_ne!(wrong(&ground, &data), Vec::<String>::new(), "{level}");
        let run = ground.run(&["repair", "rewind", &data, "--to", "last-sound", "--json"]).ok();
        let now = raw(&data);
        assert_eq!(level_of(&now.small["l2_head"][32..]), level, "{run}");
        assert_eq!(run.json()["remaining"], 0, "{run}");
        // A node takes a block that it finds for one that it has processed.
        let expected = whole.clone().at_level(level);
        let keys = |raw: &Raw| raw.tables["l2_blocks"].keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&now), keys(&expected), "{level}");
        sound(&ground, &data);
        fs::remove_dir_all(&data).unwrap();
    }
}

#[test]
fn what_is_refused_changes_nothing() {
    let ground = Ground::new();
    let data = directory(&ground, "r4-mavkit");
    let hole = ground.at("hole");
    assert!(Command::new("cp").args(["-a", &data, &hole]).status().unwrap().success());
    let raw = raw(&data);
    let lost = raw.hash_at(3010).to_vec();
    log(&hole, BLOCKS, 268, |entries| entries.retain(|entry| entry[..32] != lost));
    let tree = ground.tree();
    for (words, status, code) in [
        (&["rewind", &data, "--to", "3026"][..], 1, "level.unavailable"),
        (&["rewind", &data, "--to", "2999"], 1, "level.unavailable"),
        (&["rewind", &data, "--to", "3012", "--backup", "b"], 2, "usage"),
        (&["levels", &hole], 1, "chain.block"),
    ] {
        let run = ground.run(&[&["repair"], words].concat());
        assert_eq!((run.status, run.err.contains(&format!("[{code}]"))), (status, true), "{run}");
        tree.same_as(&ground.tree(), code);
    }
    // A node runs.
    fs::write(format!("{data}/lock"), "").unwrap();
    let node = Holder::of(&[format!("{data}/lock")]);
    let tree = ground.tree();
    for words in [&["rewind", &data, "--to", "3012"][..], &["rewind", &data, "--to", "3012", "--dry-run"]] {
        let run = ground.run(&[&["repair"], words].concat());
        assert_eq!((run.status, run.err.contains("[lock.held]")), (4, true), "{run}");
        tree.same_as(&ground.tree(), "locked");
    }
    drop(node);
    // What would be replaced itself, and what it leads to orphaned.
    fs::rename(format!("{data}/storage"), ground.path("elsewhere")).unwrap();
    symlink(ground.path("elsewhere"), format!("{data}/storage")).unwrap();
    let tree = ground.tree();
    let run = ground.run(&["repair", "rewind", &data, "--to", "3012"]);
    assert_eq!((run.status, run.err.contains("[import.link]")), (4, true), "{run}");
    let names = |name: &str| !name.ends_with("/lock");
    tree.only(names).same_as(&ground.tree().only(names), "a link");
}

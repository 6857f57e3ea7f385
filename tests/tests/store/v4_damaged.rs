//! What a node reads or refuses of damaged stores of version 4, and of other versions.

#![allow(clippy::std_instead_of_alloc, reason = "a test has all of std")]

use std::collections::BTreeMap;

use rollsnap_core::hash::{BlockHash, WitnessHash};
use rollsnap_core::store::v4::{Layout, Store, Version, check_version, layout};
use rollsnap_core::{Code, Problem, ReadAt};
use rollsnap_tests::fixtures;
use rollsnap_tests::store_v4::{
    Dir, chain, data_dir, directory, found, gunzipped, key, label, open, singletons_json, text, walk,
};
use serde_json::{Map, Value, json};

/// The directory of a damaged variant, as its title describes it.
fn damaged(base: &str, variant: &str) -> Dir {
    let mut files = directory(base);
    let stale = "storage/l2_blocks/1/index/index";
    let cut = |files: &mut Dir, name: &str| {
        files.get_mut(name).unwrap().pop().unwrap();
    };
    match variant {
        "none" => {}
        "version-json" => drop(files.insert("storage/version".into(), b"{\"store_version\":4}".to_vec())),
        "version-5" => drop(files.insert("storage/version".into(), b"{ \"store_version\": 5 }".to_vec())),
        "version-bad" => drop(files.insert("storage/version".into(), b"4".to_vec())),
        "version-extra" => {
            files.insert("storage/version".into(), b"{ \"store_version\": 4, \"other\": 1 }".to_vec());
        }
        "history_mode-2" => drop(files.insert("storage/history_mode".into(), vec![2])),
        "l2_head-notrail" => {
            let head = files.get_mut("storage/l2_head").unwrap();
            let ticks = head.split_off(head.len() - 8);
            head.truncate(228);
            head.extend([0x80, 0x00]);
            head.extend(ticks);
        }
        "gap" => rename(&mut files, "storage/l2_blocks/1/", "storage/l2_blocks/2/"),
        "levels-gap" => rename(&mut files, "storage/levels_to_hashes.1/", "storage/levels_to_hashes.2/"),
        "swap" => {
            rename(&mut files, "storage/l2_blocks/1/", "spare/");
            rename(&mut files, "storage/l2_blocks/2/", "storage/l2_blocks/1/");
            rename(&mut files, "spare/", "storage/l2_blocks/2/");
        }
        "stale-log-offset" => files.get_mut(&format!("{stale}/log")).unwrap()[..8].fill(0),
        "stale-log-cut" => cut(&mut files, &format!("{stale}/log")),
        "stale-log-missing" | "log-missing" => drop(files.remove(&format!("{stale}/log")).unwrap()),
        "data-missing" => drop(files.remove(&format!("{stale}/data")).unwrap()),
        "locks-missing" => files.retain(|name, _| !name.ends_with("/lock")),
        "irmin_store-missing" => files.retain(|name, _| !name.starts_with("storage/irmin_store/")),
        "gen-mismatch" => files.get_mut(&format!("{stale}/log")).unwrap()[23] = 4,
        "data-unsorted" => {
            let data = files.get_mut("storage/levels_to_hashes.1/index/data").unwrap();
            let (first, second) = data[40..112].split_at_mut(36);
            first.swap_with_slice(second);
        }
        "log-async" => {
            let log = files[&format!("{stale}/log")].clone();
            files.insert(format!("{stale}/log_async"), log);
        }
        "merge-file" => {
            let data = files[&format!("{stale}/data")].clone();
            files.insert(format!("{stale}/merge"), data);
        }
        "data-as-log" => {
            // A fan-out table of two slots stands before the entries.
            let data = files.remove(&format!("{stale}/data")).unwrap();
            let log = files[&format!("{stale}/log")].clone();
            let entries = [&data[48..], &log[32..]].concat();
            let mut whole = (entries.len() as u64).to_be_bytes().to_vec();
            whole.extend(b"00000001");
            whole.extend([0; 16]);
            whole.extend(entries);
            files.insert(format!("{stale}/log"), whole);
        }
        _ => {
            let (name, what) = variant.rsplit_once('-').unwrap();
            match (name.strip_suffix("-fresh"), name.strip_suffix("-stale"), name.strip_suffix("-data")) {
                (Some(table), ..) => {
                    let (values, index) =
                        (format!("storage/{table}/data"), format!("storage/{table}/index/"));
                    files.retain(|name, _| *name != values && !name.starts_with(&index));
                }
                (_, Some(table), _) => {
                    files.retain(|name, _| !name.starts_with(&format!("storage/{table}/1/")));
                }
                (.., Some(table)) => {
                    let values = format!("storage/{table}/1/data");
                    match what {
                        "cut" => cut(&mut files, &values),
                        "extra" => files.get_mut(&values).unwrap().extend([1, 2, 3]),
                        "missing" => drop(files.remove(&values).unwrap()),
                        _ => panic!("{variant}"),
                    }
                }
                _ if what == "len" => {
                    let values = files.get_mut(&format!("storage/{name}/1/data")).unwrap();
                    values[3] = values[3].checked_add(1).unwrap();
                }
                _ => {
                    let path = format!("storage/{name}");
                    match what {
                        "missing" => drop(files.remove(&path).unwrap()),
                        "empty" => files.get_mut(&path).unwrap().clear(),
                        "extra" => files.get_mut(&path).unwrap().push(0),
                        "cut" => cut(&mut files, &path),
                        _ => panic!("{variant}"),
                    }
                }
            }
        }
    }
    files
}

fn rename(files: &mut Dir, from: &str, to: &str) {
    let names: Vec<_> = files.keys().filter(|name| name.starts_with(from)).cloned().collect();
    assert!(!names.is_empty(), "{from}");
    for name in names {
        let content = files.remove(&name).unwrap();
        files.insert(name.replacen(from, to, 1), content);
    }
}

/// What is read of a directory, in the form of `negative.json`.
fn read(files: &Dir) -> Result<Value, String> {
    let store = open(files).map_err(|problem| problem.to_string())?;
    let mut counts = Map::new();
    for (name, table) in store.tables() {
        let mut of_table = Map::new();
        for (number, generation) in table.generations().iter().enumerate() {
            let bindings: Result<Vec<_>, _> = table.scan(number).collect();
            let bindings = bindings.map_err(|problem| problem.to_string())?;
            for (_, record) in &bindings {
                record.value.clone()?;
            }
            of_table.insert(label(name, generation), bindings.len().into());
        }
        counts.insert(name.to_owned(), of_table.into());
    }
    let chain = chain(&store)?;
    let levels: Vec<_> = chain.iter().map(|block| block["level"].clone()).collect();
    let incomplete = chain.iter().filter(|block| {
        block["messages"].is_null()
            || block["inbox"] == false
            || block["commitment"] == false
            || block["level_to_hash"] == false
    });
    let mut singletons = singletons_json(store.singletons()).map_err(|problem| problem.to_string())?;
    let head = std::mem::take(&mut singletons["l2_head"]);
    Ok(json!({
        "head": head.get("level"),
        "chain": levels.first().into_iter().chain(levels.last()).collect::<Vec<_>>(),
        "incomplete": incomplete.map(|block| block["level"].clone()).collect::<Vec<_>>(),
        "counts": counts,
        "singletons": singletons,
        "version": store.recorded_version().map(|version| json!({ "store_version": version.number() })),
        "metadata": files.contains_key("metadata"),
    }))
}

/// What the node reads, we read; what it refuses, we refuse, and say why.
#[test]
fn damaged_stores_are_read_as_the_node_reads_them() {
    let variants = gunzipped("negative");
    assert_eq!(variants.as_object().unwrap().len(), 72);
    for (id, variant) in variants.as_object().unwrap() {
        let (base, name) = id.split_once('/').unwrap();
        let files = damaged(base, name);
        let mut expected = variant["read"].clone();
        if name == "log-async" {
            // The node lists a binding twice that is in both logs.
            assert_eq!(expected["counts"]["l2_blocks"]["l2_blocks/1/index"], 22);
            expected["counts"]["l2_blocks"]["l2_blocks/1/index"] = 21.into();
        }
        match (read(&files), variant["error"].as_str()) {
            (Ok(found), None) => assert_eq!(found, expected, "{id}"),
            (Err(why), Some(error)) => {
                assert!(!why.contains("layer2_store") && why.len() > 20, "{id}: {why}");
                // Which file it is about.
                assert!(why.contains("storage/") || why.contains("store version 5"), "{id}: {why} ({error})");
            }
            (found, error) => panic!("{id}: {found:?}, not {error:?}"),
        }
    }
}

/// What can be read and is wrong all the same is told.
#[test]
fn what_no_node_looks_at_is_told() {
    let told = |base: &str, variant: &str| -> Vec<String> {
        let files = damaged(base, variant);
        let store = open(&files).unwrap();
        store
            .notices()
            .iter()
            .chain(&store.misplaced().unwrap())
            .map(|problem| format!("{problem:?}"))
            .collect()
    };
    for (base, variant, words) in [
        ("full-gc", "gap", "storage/l2_blocks/2"),
        ("full-gc", "levels-gap", "storage/levels_to_hashes.2"),
        ("full-gc", "version-missing", "Unversionned store"),
        ("full-gc-merged", "log-missing", "20 entries, which no read-only node looks at: there is no log"),
        ("full-gc-merged", "data-unsorted", "not in its place"),
    ] {
        let told = told(base, variant);
        assert!(told.len() == 1 && told[0].contains(words), "{base}/{variant}: {told:?}");
    }
}

/// Other versions are told by name, with what is different, and read where that is possible.
#[test]
fn versions() {
    let with_version = |number: i32| {
        let mut files = data_dir("v4-archive");
        files.insert("storage/version".into(), format!("{{ \"store_version\": {number} }}").into_bytes());
        files
    };
    for (number, words) in [
        (0, "its time and their number"),
        (1, "a mark for the first block"),
        (5, "Unsupported store version 5"),
        (-1, "Unsupported store version -1"),
        (70000, "Unsupported store version 70000"),
    ] {
        let problem = open(&with_version(number)).unwrap_err();
        assert_eq!(problem.code(), Code::StoreVersion);
        assert!(problem.to_string().contains(words), "{problem}");
    }
    for (number, version) in [(2, Version::V2), (3, Version::V3)] {
        // These keep messages with their block instead of its predecessor.
        let mut files = with_version(number);
        let log = files.get_mut("storage/messages/index/index/log").unwrap();
        let expected = dump_of_blocks("v4-archive");
        for entry in log[32..].as_chunks_mut::<72>().0 {
            let witness = WitnessHash::new(key(&entry[..32]));
            let block = &expected[&witness.to_string()];
            entry[40..].copy_from_slice(text::<BlockHash>(block).as_bytes());
        }
        let store = open(&files).unwrap();
        assert_eq!(store.version(), version);
        let notice = format!("version {number}: messages are kept with their block");
        assert!(
            store.notices().iter().any(|told| told.to_string().contains(&notice)),
            "{:?}",
            store.notices()
        );
        assert_eq!(walk(&files).1, []);
        // As version 4, the same store is wrong; without a version, it is told apart.
        files.insert("storage/version".into(), b"{ \"store_version\": 4 }".to_vec());
        assert!(walk(&files).1.iter().any(|problem| problem.code() == Code::MessagesPrev));
        files.remove("storage/version").unwrap();
        assert_eq!(open(&files).unwrap().version(), Version::V3);
        assert_eq!(walk(&files).1, []);
    }
}

/// Witness to block.
fn dump_of_blocks(name: &str) -> BTreeMap<String, Value> {
    let expected: Value =
        serde_json::from_slice(&fixtures::read(&format!("data-dir/{name}.expect.json"))).unwrap();
    let blocks = expected["blocks"].as_array().unwrap().iter();
    blocks.map(|block| (block["inbox_witness"].as_str().unwrap().to_owned(), block["hash"].clone())).collect()
}

#[test]
fn layouts() {
    let of = |files: &Dir| layout(&files).map_err(|problem| format!("{problem:?}"));
    let v4 = data_dir("v4-archive");
    assert_eq!(of(&v4), Ok(Layout::Files(Version::V4)));
    assert_eq!(of(&Dir::new()), Ok(Layout::Nothing));
    let v5 = Dir::from([
        ("store.sqlite".to_owned(), vec![]),
        ("storage/version".to_owned(), b"{\"store_version\":5}".to_vec()),
    ]);
    assert_eq!(of(&v5), Ok(Layout::Sqlite));

    let mut mixed = v4.clone();
    let both = "[store.version] two stores are in one data directory";
    mixed.insert("store.sqlite".into(), vec![0]);
    assert!(of(&mixed).unwrap_err().starts_with(both));
    // An empty file is none, unless all of the database is still in its log.
    mixed.insert("store.sqlite".into(), vec![]);
    assert_eq!(of(&mixed), Ok(Layout::Files(Version::V4)));
    mixed.insert("store.sqlite-wal".into(), vec![0]);
    assert!(of(&mixed).unwrap_err().starts_with(both));
    let lost = Dir::from([("storage/version".to_owned(), b"{ \"store_version\": 5 }".to_vec())]);
    assert!(of(&lost).unwrap_err().starts_with("[store.missing]"));

    let mut unversioned = v4.clone();
    unversioned.remove("storage/version").unwrap();
    assert_eq!(of(&unversioned), Ok(Layout::Files(Version::V4)));
    // Versions 0 and 1 have commitments in an index of their own, and longer entries for messages.
    for (entry, version) in [(84, Ok(Version::V0)), (85, Ok(Version::V1)), (72, Err(()))] {
        let mut log = (entry * 5u64).to_be_bytes().to_vec();
        log.extend(b"00000001");
        log.extend(vec![0; 16 + 5 * entry as usize]);
        let old = Dir::from([
            ("storage/commitments/index/log".to_owned(), vec![0; 32]),
            ("storage/messages/index/index/log".to_owned(), log),
            ("storage/messages/data".to_owned(), vec![]),
        ]);
        assert_eq!(of(&old).map_err(drop), version.map(Layout::Files));
        let refused = open(&old).unwrap_err();
        assert_eq!(refused.code(), Code::StoreVersion, "{refused}");
    }
    let recorded = open(&v4).unwrap().recorded_version();
    assert!(check_version(recorded).is_ok());
    assert_eq!(check_version(None).unwrap_err().title(), "Unversionned store, cannot produce snapshot.");
    assert_eq!(
        check_version(Some(Version::V3)).unwrap_err().title(),
        "Incompatible store version v3, expected v4. Cannot produce snapshot. Please restart your rollup node \
         to migrate."
    );
}

/// Lengths and offsets that lead beyond the end are refused before anything is reserved for them.
#[test]
fn lies_about_lengths() {
    let head = |files: &Dir| open(files).unwrap().singletons().head().unwrap().unwrap().1;
    let why = |files: &Dir| {
        let inbox = head(files).inbox_hash;
        found(open(files).unwrap().inbox(&inbox)).unwrap_err()
    };
    let good = data_dir("v4-archive");
    let inbox = head(&good).inbox_hash;
    let log = &good["storage/inboxes/index/index/log"];
    let entry = log.windows(32).position(|window| window == inbox.as_bytes()).unwrap();
    let offset = u64::from_be_bytes(key(&log[entry + 32..entry + 40])) as usize;

    let mut files = good.clone();
    files.get_mut("storage/inboxes/data").unwrap()[offset..offset + 4].fill(0xff);
    assert!(why(&files).contains("after a length of 4294967295"), "{}", why(&files));
    for lie in [u64::MAX, i64::MAX as u64, good["storage/inboxes/data"].len() as u64 - 3] {
        let mut files = good.clone();
        let log = files.get_mut("storage/inboxes/index/index/log").unwrap();
        log[entry + 32..entry + 40].copy_from_slice(&lie.to_be_bytes());
        assert!(why(&files).contains(&format!("ends before byte {lie}")), "{}", why(&files));
    }
    let mut files = good.clone();
    files.insert("storage/protocols".into(), vec![0xff; 100]);
    assert!(open(&files).unwrap().singletons().protocols().is_err());
    files.insert("storage/protocols".into(), vec![0; 2 << 20]);
    assert_eq!(open(&files).unwrap_err().code(), Code::StoreDamaged);

    // More stale stores than any node leaves behind, and a very large log that is not there.
    let mut files = good.clone();
    for number in 1..=100 {
        files.insert(format!("storage/inboxes/{number}/data"), vec![]);
    }
    assert!(open(&files).unwrap_err().to_string().contains("more stale stores"));
    assert!(open(&good).is_ok());
    let log = Huge { real: good["storage/levels_to_hashes/index/log"].clone(), len: 1 << 50 };
    let files: BTreeMap<String, Huge> = good
        .into_iter()
        .map(|(name, real)| (name, Huge { len: real.len() as u64, real }))
        .chain([("storage/levels_to_hashes/index/log".to_owned(), log)])
        .collect();
    let refused = Store::open(&&files).unwrap_err().to_string();
    assert!(refused.contains("larger than rollsnap reads"), "{refused}");
}

/// A file that says it is long, as a sparse one is.
#[derive(Debug)]
struct Huge {
    real: Vec<u8>,
    len: u64,
}

impl ReadAt for Huge {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), Problem> {
        assert!(out.len() < 1 << 20);
        if self.len > self.real.len() as u64 && offset == 0 {
            // 36 bytes for each of 2^40 entries.
            out[..8].copy_from_slice(&(36u64 << 40).to_be_bytes());
            self.real.read_at(8, &mut out[8..])?;
            return Ok(());
        }
        self.real.read_at(offset, out)
    }
}

//! `storage/irmin_store`: everything that Mavkit's own code read of it, larger directories than it
//! wrote there, and damage.

use std::collections::BTreeMap;

use rollsnap_core::context::pack::{
    Child, Commit, Control, Hash, Head, InodeOf, Kind, Pointer, Status, Step, Value, hashing,
};
use rollsnap_core::store::v4::{IrminStore, Slot};
use rollsnap_core::{Class, Code, Problem};
use rollsnap_tests::fixtures::hex;
use rollsnap_tests::store_v4::{Dir, directory, dump};

const DIRECTORIES: [&str; 6] =
    ["archive", "full-gc", "full-gc-merged", "failed-gc", "leftovers", "origination"];

type Values = BTreeMap<String, String>;

/// The head of the branch, and every value, as the dumps have them.
fn read(files: &Dir) -> Result<(Option<String>, Values), Problem> {
    let store = IrminStore::open(&files)?;
    let mut values = Values::new();
    store.values(&mut |path, value| {
        let path: Vec<_> = path.iter().map(|name| String::from_utf8_lossy(name)).collect();
        assert_eq!(values.insert(path.join("/"), hex(value)), None);
        Ok(())
    })?;
    Ok((store.main().map(|commit| hex(commit.hash.as_bytes())), values))
}

#[test]
fn every_value_is_what_the_node_reads() {
    for name in DIRECTORIES {
        let (main, values) = read(&directory(name)).unwrap();
        let expected = &dump(name)["irmin_store"];
        assert_eq!(main.as_deref(), expected["main"].as_str(), "{name}");
        let expected = expected["values"].as_object().unwrap();
        let expected: Values =
            expected.iter().map(|(path, value)| (path.clone(), value.as_str().unwrap().to_owned())).collect();
        assert_eq!(values, expected, "{name}");
        assert_eq!(values.is_empty(), name == "origination");
    }
}

/// The slots, decoded once more by hand: 55 bytes a header, 2 a status.
#[test]
fn slots_are_what_the_values_say() {
    let files = directory("full-gc-merged");
    let (mut headers, mut statuses) = (Vec::new(), Vec::new());
    IrminStore::open(&&files)
        .unwrap()
        .slots(&mut |slot| {
            match slot {
                Slot::Header { block, index, published_level, commitment } => {
                    headers.push((block.to_string(), index, published_level, hex(commitment.as_bytes())));
                }
                Slot::Status { block, index, confirmed } => {
                    statuses.push((block.to_string(), index, confirmed));
                }
                Slot::Other(path) => panic!("{path}"),
            }
            Ok(())
        })
        .unwrap();
    let (mut expected_headers, mut expected_statuses) = (Vec::new(), Vec::new());
    for (path, value) in dump("full-gc-merged")["irmin_store"]["values"].as_object().unwrap() {
        let block = path.rsplit('/').next().unwrap().to_owned();
        let value = value.as_str().unwrap();
        let number = |text: &str| i64::from_str_radix(text, 16).unwrap();
        if path.starts_with("dal/slot_headers/") {
            for at in (8..value.len()).step_by(110) {
                let (level, index) = (number(&value[at + 4..at + 12]), number(&value[at + 12..at + 14]));
                let commitment = value[at + 14..at + 110].to_owned();
                expected_headers.push((block.clone(), index as u8, level as i32, commitment));
            }
        } else {
            for at in (8..value.len()).step_by(4) {
                let confirmed = &value[at + 2..at + 4] == "00";
                expected_statuses.push((block.clone(), number(&value[at..at + 2]) as u8, confirmed));
            }
        }
    }
    headers.sort();
    expected_headers.sort();
    statuses.sort();
    expected_statuses.sort();
    assert_eq!((headers.len(), statuses.len()), (45, 45));
    assert_eq!(headers, expected_headers);
    assert_eq!(statuses, expected_statuses);
}

/// Writes objects one after the other, children first.
#[derive(Default)]
struct Forge {
    bytes: Vec<u8>,
    index: Vec<(Hash, u64, u32, u8)>,
}

#[derive(Clone, Copy)]
struct Made {
    offset: u64,
    hash: Hash,
}

type Entry = (String, bool, Made);

impl Forge {
    fn put(&mut self, hash: Hash, kind: Kind, value: &[u8]) -> Made {
        let offset = self.bytes.len() as u64;
        Head::put(&hash, kind, value, &mut self.bytes);
        self.index.push((hash, offset, (self.bytes.len() as u64 - offset) as u32, kind.letter()));
        Made { offset, hash }
    }

    fn contents(&mut self, bytes: &[u8]) -> Made {
        self.put(hashing::contents(bytes), Kind::Contents, bytes)
    }

    /// A directory of any size: parts of up to 32 entries, told apart by anything that is the same
    /// for all entries of a part. With up to 256 entries its hash is that of the list.
    fn directory(&mut self, entries: &mut [Entry]) -> Made {
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        let mut image = Vec::new();
        hashing::put_root(list(entries), &mut image);
        let stable = (entries.len() <= 256).then(|| hashing::hash(&image));
        self.part(Kind::Root, 0, entries, stable)
    }

    fn part(&mut self, kind: Kind, depth: u64, entries: &[Entry], stable: Option<Hash>) -> Made {
        let (mut value, mut image) = (Vec::new(), Vec::new());
        if entries.len() <= 32 {
            let mut values = [None; 32];
            for (place, (name, node, made)) in values.iter_mut().zip(entries) {
                let step = Step::Inline(name.as_bytes());
                // In a store that indexes everything an object may be named by its hash.
                let child =
                    if made.offset % 2 == 0 { Child::Offset(made.offset) } else { Child::Hash(made.hash) };
                *place = Some(Value { step, node: *node, child });
            }
            InodeOf::Values(values).put(&mut value);
            hashing::put_values(list(entries), &mut image);
        } else {
            let place = |name: &str| hashing::hash(name.as_bytes())[depth as usize] % 32;
            let mut pointers = [None; 32];
            let mut hashes = Vec::new();
            for index in 0..32 {
                let below: Vec<Entry> =
                    entries.iter().filter(|entry| u64::from(place(&entry.0)) == index).cloned().collect();
                if !below.is_empty() {
                    let made = self.part(Kind::Inner, depth + 1, &below, None);
                    pointers[hashes.len()] = Some(Pointer { index, child: Child::Offset(made.offset) });
                    hashes.push((index, made.hash));
                }
            }
            let len = entries.len() as u64;
            InodeOf::Tree { depth, len, pointers }.put(&mut value);
            hashing::put_tree(depth, len, hashes.into_iter(), &mut image);
        }
        self.put(stable.unwrap_or_else(|| hashing::hash(&image)), kind, &value)
    }

    /// All files, with a commit of this root on the branch.
    fn finish(mut self, root: Made) -> Dir {
        let commit = Commit {
            root: Child::Offset(root.offset),
            parents: 0,
            date: 9,
            author: b"somebody",
            message: b"",
        };
        let mut value = Vec::new();
        commit.put(&mut value);
        let commit = self.put(commit.hash(&root.hash), Kind::Commit, &value);
        let mut index = (45 * self.index.len() as u64).to_be_bytes().to_vec();
        index.extend(b"00000001");
        index.extend([0; 16]);
        for (hash, offset, len, kind) in &self.index {
            index.extend(hash);
            index.extend(offset.to_be_bytes());
            index.extend(len.to_be_bytes());
            index.push(*kind);
        }
        let mut branches = 40u64.to_be_bytes().to_vec();
        branches.extend(b"00000001\0\0\0\x04main");
        branches.extend(commit.hash);
        let control = Control {
            version: 5,
            dict_end: 0,
            last_chunk_end: self.bytes.len() as u64,
            upgraded_from: None,
            first_chunk: 0,
            chunks: 1,
            volumes: 0,
            status: Status::NonMinimal,
            trailing: 0,
        };
        let files = [
            ("store.control", control.to_bytes()),
            ("store.dict", Vec::new()),
            ("store.0.suffix", self.bytes),
            ("store.branches", branches),
            ("index/log", index),
        ];
        files.into_iter().map(|(name, bytes)| (format!("storage/irmin_store/{name}"), bytes)).collect()
    }
}

fn list(entries: &[Entry]) -> impl ExactSizeIterator<Item = (&[u8], bool, Hash)> {
    entries.iter().map(|(name, node, made)| (name.as_bytes(), *node, made.hash))
}

/// A store with this many entries in `dal/slot_headers`, and what is in it.
fn large(count: usize) -> (Dir, Values) {
    let mut forge = Forge::default();
    let mut expected = Values::new();
    let mut entries: Vec<Entry> = (0..count)
        .map(|number| {
            let (name, value) = (format!("block-{number}"), number.to_string());
            expected.insert(format!("dal/slot_headers/{name}"), hex(value.as_bytes()));
            (name, false, forge.contents(value.as_bytes()))
        })
        .collect();
    let headers = forge.directory(&mut entries);
    let dal = forge.directory(&mut [("slot_headers".into(), true, headers)]);
    let root = forge.directory(&mut [("dal".into(), true, dal)]);
    (forge.finish(root), expected)
}

#[test]
fn directories_of_any_size() {
    for count in [1, 32, 33, 256, 257, 3000] {
        let (files, expected) = large(count);
        assert_eq!(read(&files).unwrap().1, expected, "{count}");
    }
}

/// Whatever bit of the objects is not as it was written, it is told, and nothing else is read
/// instead. (Names in the dictionary are proved by the hashes of what they name.)
#[test]
fn damage_is_found() {
    let (large, _) = large(300);
    for files in [directory("failed-gc"), large] {
        let whole = read(&files).unwrap();
        for name in ["store.0.suffix", "store.dict", "store.branches", "store.control", "index/log"] {
            let path = format!("storage/irmin_store/{name}");
            let length = files[&path].len();
            let mut found = 0;
            for at in (0..length).step_by(length.div_ceil(400).max(1)) {
                let mut damaged = files.clone();
                damaged.get_mut(&path).unwrap()[at] ^= 1 << (at % 8);
                match read(&damaged) {
                    // What older commits or nobody needs.
                    Ok(read) => assert_eq!(read, whole, "{name}, byte {at}"),
                    Err(problem) => {
                        found += 1;
                        assert_eq!(problem.code(), Code::StoreDamaged, "{name}, byte {at}: {problem}");
                        assert!(!problem.to_string().contains("context"), "{name}, byte {at}: {problem}");
                    }
                }
            }
            assert!(found > 0 || length == 0, "{name}");
            let mut cut = files.clone();
            cut.get_mut(&path).unwrap().truncate(length / 2);
            let cut = read(&cut);
            assert!(
                length == 0 || cut.is_err_and(|problem| problem.code().class() != Class::Environment),
                "{name}"
            );
        }
    }
}

/// A directory whose parts are named again and again would take forever to list.
#[test]
fn a_directory_that_repeats_itself_ends() {
    let mut forge = Forge::default();
    let value = forge.contents(b"x");
    let mut below = forge.part(Kind::Inner, 12, &[("name".into(), false, value)], None);
    for depth in (0..12).rev() {
        let pointers: [_; 32] = std::array::from_fn(|index| {
            Some(Pointer { index: index as u64, child: Child::Offset(below.offset) })
        });
        let len = 32u64.pow(12 - depth as u32);
        let (mut bytes, mut image) = (Vec::new(), Vec::new());
        InodeOf::Tree { depth, len, pointers }.put(&mut bytes);
        let hashes: Vec<_> = (0..32).map(|index| (index, below.hash)).collect();
        hashing::put_tree(depth, len, hashes.into_iter(), &mut image);
        let kind = if depth == 0 { Kind::Root } else { Kind::Inner };
        below = forge.put(hashing::hash(&image), kind, &bytes);
    }
    let files = forge.finish(below);
    let mut values = 0u64;
    let problem = IrminStore::open(&&files)
        .unwrap()
        .values(&mut |_, _| {
            values += 1;
            Ok(())
        })
        .unwrap_err();
    assert_eq!(problem.code(), Code::StoreDamaged, "{problem}");
    assert!(values < 1000, "{values}");
}

/// Directories that lie in themselves cannot be, and ones in one another come to an end.
#[test]
fn directories_in_directories_end() {
    let mut forge = Forge::default();
    let value = forge.contents(b"x");
    let mut made = forge.directory(&mut [("value".into(), false, value)]);
    for _ in 0..20 {
        made = forge.directory(&mut [("a".into(), true, made), ("b".into(), true, made)]);
    }
    let problem = read(&forge.finish(made)).unwrap_err();
    assert_eq!(problem.code(), Code::StoreDamaged, "{problem}");
}

#[test]
fn what_is_missing_is_named() {
    for (name, expected) in [
        ("store.control", "storage/irmin_store"),
        ("store.dict", "storage/irmin_store/store.dict"),
        ("store.0.suffix", "storage/irmin_store/store.0.suffix"),
        ("store.branches", "storage/irmin_store/store.branches"),
        ("index/log", "storage/irmin_store/index"),
    ] {
        let mut files = directory("archive");
        files.remove(&format!("storage/irmin_store/{name}")).unwrap();
        let problem = read(&files).unwrap_err();
        assert_eq!(problem.code(), Code::StoreDamaged);
        assert!(problem.to_string().contains(expected), "{problem}");
    }
}

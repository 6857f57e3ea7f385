//! Contexts that the real irmin-pack wrote, read by us: every commit, node and contents as the
//! library reads them.

use std::collections::{BTreeMap, BTreeSet};

use rollsnap_core::context::pack::Status;
use rollsnap_core::context::{Commit, Context, Index, Listed, Object, State, Tree, path};
use rollsnap_core::feedback::Silent;
use rollsnap_core::hash::ContextHash;
use rollsnap_core::{Code, Result};
use rollsnap_tests::fixtures::sha256;
use rollsnap_tests::irmin::{self, Store};
use rollsnap_tests::tight::Tight;
use serde_json::{Value, json};

#[test]
fn every_store_is_what_its_dump_says() {
    for name in irmin::STORES {
        let dump = irmin::dump(name);
        let ours = our_dump(irmin::store(name), &dump);
        for (field, theirs) in dump.as_object().unwrap() {
            assert_same(&format!("{name}.{field}"), &ours[field], theirs);
        }
        assert_eq!(ours.as_object().unwrap().len(), dump.as_object().unwrap().len(), "{name}");
    }
}

/// Equal, and if not: where.
fn assert_same(at: &str, ours: &Value, theirs: &Value) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            assert!(ours.keys().eq(theirs.keys()), "{at}: {:?}, {:?}", ours.keys(), theirs.keys());
            ours.iter().for_each(|(key, value)| assert_same(&format!("{at}.{key}"), value, &theirs[key]));
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            assert_eq!(ours.len(), theirs.len(), "{at}");
            let pairs = ours.iter().zip(theirs).enumerate();
            pairs.for_each(|(index, (ours, theirs))| assert_same(&format!("{at}[{index}]"), ours, theirs));
        }
        (ours, theirs) => assert_eq!(ours, theirs, "{at}"),
    }
}

/// A dump as we make it, in the form and, but for the entries of a directory, the order of the real
/// one. Commits are looked up in the order in which the real one lists them; it walks all or some.
fn our_dump(store: Store, real: &Value) -> Value {
    let files = store.0.iter().map(|(name, bytes)| {
        let bytes = &bytes.0;
        (name.clone(), json!({"size": bytes.len(), "sha256": sha256(bytes)}))
    });
    let files: serde_json::Map<String, Value> = files.collect();
    let control = store.get("store.control").to_vec();
    let context = Context::open(store).unwrap();
    let listed: Vec<Listed> = context.commits(&Silent).unwrap().collect::<Result<_>>().unwrap();
    let index = context.index(&Silent).unwrap();
    assert_eq!(index.len(), listed.len());
    // The library lists its index in the order of a hash table.
    let order: Vec<ContextHash> = real["index"].as_array().unwrap().iter().map(hash_of).collect();
    let rank = |hash: &ContextHash| order.iter().position(|other| other == hash).unwrap();
    let mut entries = index.entries().to_vec();
    entries.sort_by_key(|entry| rank(&entry.hash));
    let entries: Vec<Value> = entries
        .iter()
        .map(|entry| {
            json!({
                "hash": path::hex(entry.hash.as_bytes()), "offset": entry.offset, "length": entry.len,
                "kind": char::from(entry.kind).to_string(),
            })
        })
        .collect();
    let mut listed = listed;
    listed.sort_by_key(|listed| rank(&listed.entry.hash));
    let commits: Vec<Value> = listed
        .iter()
        .map(|listed| match &listed.state {
            State::Available(commit) => our_commit(&context, commit),
            State::Collected => json!({"hash": path::hex(listed.entry.hash.as_bytes()), "available": false}),
            other => panic!("{other:?}"),
        })
        .collect();
    let walked = real["paths"].as_object().unwrap();
    let paths = walked.iter().map(|(hash, theirs)| {
        let commit = context.checkout(&ContextHash::new(path::unhex(hash).unwrap()), &Silent).unwrap();
        (hash.clone(), our_paths(&context, &commit, theirs))
    });
    json!({
        "files": files, "control": our_control(&context, &control), "index": entries, "commits": commits,
        "paths": paths.collect::<serde_json::Map<String, Value>>(),
    })
}

/// As OCaml prints it, on one line.
fn our_control(context: &Context<Store>, bytes: &[u8]) -> String {
    let control = context.control();
    let checksum = u64::from_be_bytes(bytes[25..33].try_into().unwrap());
    let status = match control.status {
        Status::NoGcYet => r#""No_gc_yet""#.into(),
        Status::Collected(collected) => format!(
            r#"{{"Gced":{{"suffix_start_offset":{},"generation":{},"latest_gc_target_offset":{},"suffix_dead_bytes":{},"mapping_end_poff":{}}}}}"#,
            collected.suffix_start,
            collected.generation,
            collected.target,
            collected.dead,
            collected.mapping_end.unwrap()
        ),
        other => panic!("{other:?}"),
    };
    assert_eq!((control.version, control.upgraded_from, control.trailing), (5, None, 0));
    format!(
        r#"{{"Valid":{{"V5":{{"dict_end_poff":{},"appendable_chunk_poff":{},"checksum":{checksum},"chunk_start_idx":{},"chunk_num":{},"volume_num":{},"status":{status}}}}}}}"#,
        control.dict_end, control.last_chunk_end, control.first_chunk, control.chunks, control.volumes
    )
}

fn our_commit(context: &Context<Store>, commit: &Commit) -> Value {
    let tree = context.tree(commit).unwrap();
    let place = |object: &Object| {
        json!({
            "hash": path::hex(object.hash()), "offset": object.offset(), "length": object.entry_len(),
        })
    };
    assert_eq!(commit.stored, *commit.hash.as_bytes());
    json!({
        "hash": path::hex(commit.hash.as_bytes()), "b58": base58(&commit.stored), "available": true,
        "offset": commit.offset, "length": commit.len, "author": String::from_utf8_lossy(&commit.author),
        "message": String::from_utf8_lossy(&commit.message), "date": commit.date, "parents": 0,
        "root_node": place(&Object::Directory(*tree.root())),
        "pvm_state": place(&tree.get(&["pvm_state"]).unwrap().unwrap()),
    })
}

/// Everything at every path, sorted as theirs is; and contents have their bytes and their hash.
fn our_paths(context: &Context<Store>, commit: &Commit, theirs: &Value) -> Value {
    let tree = context.tree(commit).unwrap();
    let mut walk = tree.walk();
    let mut ours = BTreeMap::new();
    let mut before: Option<Vec<Vec<u8>>> = None;
    while let Some(object) = walk.next() {
        let object = object.unwrap();
        let path = walk.path().to_vec();
        assert!(before.as_ref().is_none_or(|before| *before < path), "the order of names");
        before = Some(path.clone());
        let steps: Vec<String> =
            path.iter().map(|step| step.iter().map(|byte| char::from(*byte)).collect()).collect();
        let mut value = json!({
            "path": steps, "hash": path::hex(object.hash()), "offset": object.offset(),
            "length": object.entry_len(),
        });
        match object {
            Object::Directory(directory) => {
                value["kind"] = "node".into();
                value["children"] = directory.entries.into();
            }
            Object::Contents(contents) => {
                value["kind"] = "contents".into();
                value["size"] = contents.size.into();
                assert_eq!(read(context, &object).len() as u64, contents.size);
            }
        }
        // The way down by names leads to the same.
        assert_eq!(tree.get(&path).unwrap(), Some(object));
        assert_eq!(ours.insert(path, value), None);
    }
    let in_their_order = theirs.as_array().unwrap().iter().map(|theirs| {
        let path: Vec<Vec<u8>> = theirs["path"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| irmin::step(step.as_str().unwrap()))
            .collect();
        ours.remove(&path).unwrap_or_else(|| panic!("we do not have {theirs}"))
    });
    let listed = in_their_order.collect();
    assert_eq!(ours, BTreeMap::new(), "the library does not have these");
    Value::Array(listed)
}

fn read(context: &Context<Store>, object: &Object) -> Vec<u8> {
    let mut bytes = Vec::new();
    let gather = |piece: &[u8]| -> Result<()> {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    context.read_contents(object.contents().unwrap(), gather).unwrap();
    bytes
}

fn hash_of(entry: &Value) -> ContextHash {
    ContextHash::new(path::unhex(entry["hash"].as_str().unwrap()).unwrap())
}

/// Base58Check of a hash as irmin prints it (`Co…`), computed the long way.
fn base58(hash: &[u8; 32]) -> String {
    use rollsnap_tests::fixtures::unhex;
    let mut bytes = [&[79, 199][..], hash].concat();
    let sum = unhex(&sha256(&unhex(&sha256(&bytes))));
    bytes.extend(&sum[..4]);
    let mut digits: Vec<u32> = Vec::new();
    for byte in bytes {
        let mut carry = u32::from(byte);
        for digit in &mut digits {
            carry += *digit << 8;
            *digit = carry % 58;
            carry /= 58;
        }
        while carry > 0 {
            digits.push(carry % 58);
            carry /= 58;
        }
    }
    let alphabet = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    digits.iter().rev().map(|digit| char::from(alphabet[*digit as usize])).collect()
}

/// The nine stores of the other node's library: which commits can be read, and what is in them.
#[test]
fn stores_of_the_other_library() {
    for (name, readable) in [
        ("1_no_gc", &["56d09f19", "e1f1c843"][..]),
        ("2_split", &["56d09f19", "e1f1c843", "f694c763"]),
        ("3_gced", &["f694c763", "58d97818"]),
        ("4_one_commit", &["58d97818"]),
        ("5_gced_twice", &["6fd8011c"]),
        ("7_one_commit_append", &["58d97818", "bd8c2f25"]),
        ("8_written_one_commit", &["429f923b"]),
        ("9_written_append", &["429f923b", "5efe6448"]),
    ] {
        let context = Context::open(irmin::store(name)).unwrap();
        let listed: Vec<Listed> = context.commits(&Silent).unwrap().collect::<Result<_>>().unwrap();
        let available: Vec<&Commit> = listed.iter().filter_map(|listed| listed.available()).collect();
        let short: Vec<String> =
            available.iter().map(|commit| path::hex(commit.hash.as_bytes())[..8].into()).collect();
        assert_eq!(short, readable, "{name}");
        assert!(
            listed.iter().all(|listed| matches!(listed.state, State::Available(_) | State::Collected)),
            "{name}"
        );
        for commit in available {
            for object in context.tree(commit).unwrap().walk() {
                if let object @ Object::Contents(_) = object.unwrap() {
                    read(&context, &object);
                }
            }
        }
        assert_eq!(context.refusals().unwrap(), []);
        assert_eq!(context.remarks().unwrap(), []);
    }
}

/// What the tables of the format description say about single commits of them.
#[test]
fn trees_of_the_other_library() {
    let context = Context::open(irmin::store("2_split")).unwrap();
    let checkout = |hash: &str| {
        let commit = context.checkout(&ContextHash::new(path::unhex(hash).unwrap()), &Silent).unwrap();
        (context.tree(&commit).unwrap(), commit)
    };
    let (tree, first) = checkout("56d09f19824d5477c86d3b0649cd5b60b7673a3ab4a4682f0292cf5a6dc0c8a8");
    assert_eq!(first.hash.to_string(), "SRCo1mjkWQbGJfQavrLRphLuRTVLm9zBJKkbrKXwgQAs3cBVmggm5c");
    assert_eq!((first.offset, first.len, first.date), (127, 59, 0));
    assert_eq!((&*first.author, &*first.message), (&b"Tezos"[..], &b""[..]));
    assert_eq!(
        path::hex(&first.root_hash),
        "94a4549268b6324cd316b9d391e370e1c950b4bc4090ec092836d3d0797a0944"
    );
    let state = tree.get(&["pvm_state"]).unwrap().unwrap();
    assert_eq!(path::hex(state.hash()), "104135165622d08b0c6eac951c9d4fd65109585907bc30ef0617f6c26853c6ba");
    assert_eq!((state.offset(), state.entry_len()), (35, 46));

    let (tree, second) = checkout("e1f1c8432344d991a2f269fe3763590653659ea861e1da8f2d774fb895960351");
    assert_eq!(
        path::hex(&second.root_hash),
        "0fa1cdf3920855095328528add7cc9fd302ff6f909fa682ef17112634f52eaec"
    );
    let get = |tree: &Tree<'_, Store>, path: &str| {
        let path = path::parse(path.as_bytes()).unwrap();
        tree.get(&path).unwrap().map(|object| read(&context, &object))
    };
    let vars = tree.list(&["pvm_state", "vars"]).unwrap().unwrap();
    let names: Vec<String> = vars.iter().map(|(link, _)| path::show_step(&link.name)).collect();
    let mut wanted: Vec<String> = (0..40).map(|number| format!("v{number}")).collect();
    wanted.sort();
    assert_eq!(names, wanted);
    assert_eq!(get(&tree, "pvm_state/vars/v3").unwrap(), b"value-3");
    assert_eq!(get(&tree, "pvm_state/a").unwrap(), b"");
    assert_eq!(get(&tree, "pvm_state/abc").unwrap(), b"x");
    assert_eq!(get(&tree, "pvm_state/abcd").unwrap(), b"y");
    assert_eq!(get(&tree, "pvm_state/abcd/e"), None);
    assert_eq!(get(&tree, "pvm_state/abcde"), None);
    assert_eq!(tree.list(&["pvm_state", "abcd"]).unwrap(), None);

    let (tree, third) = checkout("f694c7632c80717d464d3fdbe123e58c96f798c4307aff407620918142416901");
    assert_eq!(third.message, b"third");
    assert_eq!(get(&tree, "pvm_state/vars/v3").unwrap(), b"changed");
    assert_eq!(get(&tree, "pvm_state/abc"), None);

    // The durable storage, as the kernel sees it.
    let boot = path::parse(b"/kernel/boot.wasm").unwrap();
    let key = tree.key(&boot).unwrap().unwrap();
    assert!(!key.below);
    let value = key.value.unwrap();
    assert_eq!(value.size, 5000);
    let mut bytes = Vec::new();
    tree.read_value(&value, |piece| -> Result<()> {
        bytes.extend_from_slice(piece);
        Ok(())
    })
    .unwrap();
    assert_eq!(bytes, [b'Z'; 5000]);
    let keys = tree.keys(&[]).unwrap().unwrap();
    assert_eq!(keys.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), [b"kernel"]);
    assert_eq!((keys[0].1.value, keys[0].1.below), (None, true));
    assert_eq!(tree.key(&path::parse(b"/kernel/boot").unwrap()).unwrap(), None);
}

/// The index of 3000 commits, 2992 of them in the sorted file.
#[test]
fn an_index_of_two_files() {
    let store = irmin::store("6_index_data");
    let index = Index::load(&store, &Silent).unwrap();
    assert_eq!(index.len(), 3000);
    // Read by other means: 45 bytes each, behind 32 bytes and a table of 64 numbers.
    let data = store.get("index/data");
    let log = store.get("index/log");
    let raw = data[32 + 64 * 8..].chunks(45).chain(log[32..].chunks(45));
    let mut seen = BTreeSet::new();
    for entry in raw {
        let found = index.get(&ContextHash::new(entry[..32].try_into().unwrap())).unwrap();
        assert_eq!(found.offset.to_be_bytes(), entry[32..40]);
        assert_eq!(found.len.to_be_bytes(), entry[40..44]);
        assert_eq!(found.kind, entry[44]);
        seen.insert(found.hash);
    }
    assert_eq!(seen.len(), 3000);
    assert_eq!(index.get(&ContextHash::new([7; 32])), None);
}

/// `log_async` is newer than `log`, and that is newer than `data`; in one file the last entry counts.
#[test]
fn the_newest_entry_counts() {
    let entry = |hash: u8, offset: u64| {
        let mut entry = vec![hash; 32];
        entry.extend(offset.to_be_bytes());
        entry.extend([0, 0, 0, 60, b'D']);
        entry
    };
    let file = |entries: &[Vec<u8>]| {
        let entries = entries.concat();
        let mut file = (entries.len() as u64).to_be_bytes().to_vec();
        file.extend(b"00000001");
        file.extend([0; 16]);
        file.extend(entries);
        file
    };
    let mut store = Store::default();
    *store.edit("index/data") = file(&[entry(1, 10), entry(2, 20), entry(3, 30), entry(4, 40)]);
    *store.edit("index/log") = file(&[entry(2, 21), entry(3, 31), entry(4, 41), entry(4, 42)]);
    *store.edit("index/log_async") = file(&[entry(3, 32)]);
    let index = Index::load(&store, &Silent).unwrap();
    let offsets: Vec<u64> = index.entries().iter().map(|entry| entry.offset).collect();
    assert_eq!(offsets, [10, 21, 32, 42]);
    // A table that is said to be longer than the file, and a length that is no number of entries.
    store.edit("index/data")[24..32].copy_from_slice(&u64::MAX.to_be_bytes());
    assert_eq!(Index::load(&store, &Silent).unwrap_err().code(), Code::ContextIndex);
    *store.edit("index/data") = file(&[vec![0; 44]]);
    assert_eq!(Index::load(&store, &Silent).unwrap_err().code(), Code::ContextIndex);
}

/// Exports of one commit hold what the commit needs, and nothing else: so the objects that we count
/// are the bytes of the prefix.
#[test]
fn a_commit_consists_of_its_export() {
    for name in ["one-tiny", "one-split", "one-from-gc", "4_one_commit", "8_written_one_commit"] {
        let context = Context::open(irmin::store(name)).unwrap();
        let commits: Vec<Listed> = context.commits(&Silent).unwrap().collect::<Result<_>>().unwrap();
        let commit = commits[commits.len() - 1].available().unwrap();
        let stat = context.stat(commit, 2, &mut Silent).unwrap();
        assert_eq!(context.stat(commit, 2, &mut Tight).unwrap(), stat);
        let prefix = context.layout().mapping().prefix_len();
        assert_eq!(stat.objects.bytes, prefix, "{name}");
        let kinds = [stat.contents, stat.directories, stat.inner];
        assert_eq!(kinds.iter().map(|kind| kind.count).sum::<u64>() + 1, stat.objects.count);
        assert_eq!(kinds.iter().map(|kind| kind.bytes).sum::<u64>() + commit.len, stat.objects.bytes);
        // The root and the commit itself are in no subtree.
        let root = context.directory(commit.root).unwrap().len;
        let first: u64 =
            stat.subtrees.iter().filter(|tree| tree.depth == 1).map(|tree| tree.objects.bytes).sum();
        assert_eq!(first + root + commit.len, stat.objects.bytes, "{name}");
        assert_eq!(context.file_facts().prefix_bytes, prefix);
    }
}

/// The same numbers as the dump gives, object by object.
#[test]
fn a_commit_is_counted_as_its_dump_lists_it() {
    for name in ["tiny", "medium", "gc-twice", "one-tiny"] {
        let dump = irmin::dump(name);
        let context = Context::open(irmin::store(name)).unwrap();
        for (hash, paths) in dump["paths"].as_object().unwrap() {
            let commit = context.checkout(&ContextHash::new(path::unhex(hash).unwrap()), &Silent).unwrap();
            let stat = context.stat(&commit, 1, &mut Silent).unwrap();
            assert_eq!(context.stat(&commit, 1, &mut Tight).unwrap(), stat);
            let paths = paths.as_array().unwrap();
            let number = |value: &Value| value.as_u64().unwrap();
            let distinct = |kind: &str| -> BTreeMap<u64, &Value> {
                paths
                    .iter()
                    .filter(|path| path["kind"] == kind)
                    .map(|path| (number(&path["offset"]), path))
                    .collect()
            };
            let bytes = |objects: &BTreeMap<u64, &Value>, field: &str| -> u64 {
                objects.values().map(|object| number(&object[field])).sum()
            };
            let (nodes, contents) = (distinct("node"), distinct("contents"));
            assert_eq!(stat.directories.count, nodes.len() as u64, "{name}");
            assert_eq!(stat.directories.bytes, bytes(&nodes, "length"), "{name}");
            assert_eq!(stat.contents.count, contents.len() as u64, "{name}");
            assert_eq!(stat.contents.bytes, bytes(&contents, "length"), "{name}");
            assert_eq!(stat.content_bytes, bytes(&contents, "size"), "{name}");
            assert_eq!(stat.largest, contents.values().map(|object| number(&object["size"])).max().unwrap());
            let depth = paths.iter().map(|path| path["path"].as_array().unwrap().len()).max().unwrap();
            assert_eq!(stat.depth, depth as u64, "{name}");
            let first: BTreeSet<&str> = paths
                .iter()
                .filter(|path| path["kind"] == "node" && path["path"].as_array().unwrap().len() == 1)
                .map(|path| path["path"][0].as_str().unwrap())
                .collect();
            let ours: BTreeSet<&str> = stat.subtrees.iter().map(|tree| &*tree.path).collect();
            assert_eq!(ours, first, "{name}");
        }
    }
}

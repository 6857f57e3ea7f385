//! Stores of version 4 as Mavkit's own store code wrote and read them: every binding, the chain,
//! and what the node reads or refuses of damaged ones.

#![allow(clippy::std_instead_of_alloc, reason = "a test has all of std")]

use std::collections::BTreeMap;

use rollsnap_core::chain::{Block, Chain, Evaluation, Marks, Stored, Summary, follow};
use rollsnap_core::context::Contexts;
use rollsnap_core::encoding::MessageList;
use rollsnap_core::feedback::Silent;
use rollsnap_core::hash::{BlockHash, CommitmentHash, InboxHash, WitnessHash};
use rollsnap_core::store::v4::{
    Generation, Layout, Record, Singletons, Store, Table, Version, check_version, layout,
};
use rollsnap_core::store::{Gather, Metadata, Rows, Subject, check};
use rollsnap_core::{Code, Place, Problem, ReadAt};
use rollsnap_tests::fixtures::{self, hex, unhex};
use rollsnap_tests::reading;
use serde_json::{Map, Value, json};

type Dir = BTreeMap<String, Vec<u8>>;
type V4<'a> = Store<&'a Vec<u8>>;
type WholeBlock = (Block, Evaluation);

const DIRECTORIES: [&str; 6] =
    ["archive", "failed-gc", "full-gc", "full-gc-merged", "leftovers", "origination"];

fn gunzipped(name: &str) -> Value {
    let text = reading::gunzip(&fixtures::read(&format!("store-v4/{name}.json.gz")), usize::MAX).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// What the node's code read.
fn dump(name: &str) -> Value {
    gunzipped(if name == "leftovers" { "full-gc" } else { name })
}

fn directory(name: &str) -> Dir {
    let file = fixtures::read(&format!("snapshot/{name}.gz"));
    let members = reading::members(&file).into_iter();
    let mut files: Dir = members.map(|(member, content)| (member.name, content)).collect();
    let lpc = dump(name)["singletons"]["lpc"]["raw"].as_str().map(unhex);
    files.extend(lpc.map(|lpc| ("storage/lpc".to_owned(), lpc)));
    files
}

fn data_dir(name: &str) -> Dir {
    let file = fixtures::read(&format!("data-dir/{name}.tar"));
    let mut files = Dir::new();
    for entry in tar::Archive::new(&file[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        if entry.header().entry_type().is_file() {
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            files.insert(path.strip_prefix(name).unwrap()[1..].to_owned(), content);
        }
    }
    files
}

fn open(files: &Dir) -> Result<V4<'_>, Problem> {
    Store::open(&files)
}

fn found<T>(stored: Result<Stored<T>, Problem>) -> Result<Option<T>, String> {
    match stored.map_err(|problem| problem.to_string())? {
        Stored::Found(found) => Ok(Some(found)),
        Stored::Missing => Ok(None),
        Stored::Malformed(why) => Err(why),
    }
}

fn key<const N: usize>(key: &[u8]) -> [u8; N] {
    key.try_into().unwrap()
}

fn header_json((block, evaluation): &WholeBlock) -> Value {
    json!({
        "block_hash": block.hash,
        "level": block.level,
        "predecessor": block.predecessor,
        "commitment_hash": block.commitment,
        "previous_commitment_hash": block.previous_commitment,
        "context": block.context,
        "inbox_witness": evaluation.inbox_witness,
        "inbox_hash": evaluation.inbox_hash,
    })
}

fn body_json((_, evaluation): &WholeBlock) -> Value {
    json!({
        "initial_tick": evaluation.initial_tick.to_string(),
        "num_ticks": evaluation.num_ticks.to_string(),
    })
}

fn commitment_json(commitment: &rollsnap_core::encoding::Commitment) -> Value {
    json!({
        "compressed_state": commitment.compressed_state,
        "inbox_level": commitment.inbox_level,
        "predecessor": commitment.predecessor,
        "number_of_ticks": commitment.number_of_ticks.to_string(),
    })
}

/// Text, header and value of a binding, decoded.
fn decoded(store: &V4<'_>, table: &str, bytes: &[u8], record: &Record) -> (String, Value, Value) {
    match table {
        "l2_blocks" => {
            let hash = BlockHash::new(key(bytes));
            let block = found(store.block(&hash)).unwrap().unwrap();
            (hash.to_string(), header_json(&block), body_json(&block))
        }
        "messages" => {
            let hash = WitnessHash::new(key(bytes));
            let messages = found(store.messages(&hash)).unwrap().unwrap();
            let list = MessageList::parse(&messages.list).unwrap();
            let list: Vec<_> = list.messages().iter().map(|message| hex(message)).collect();
            assert_eq!(messages.kept_with.as_bytes(), &record.header[..]);
            (hash.to_string(), json!(messages.kept_with), json!(list))
        }
        "inboxes" => {
            let hash = InboxHash::new(key(bytes));
            let inbox = found(store.inbox(&hash)).unwrap().unwrap();
            let pointers = inbox.cell.back_pointers.iter().map(|hash| InboxHash::new(*hash));
            let value = json!({
                "level": inbox.level,
                "old_levels_messages": {
                    "index": inbox.cell.index.to_string(),
                    "content": { "hash": inbox.cell.witness, "level": inbox.cell.level },
                    "back_pointers": pointers.collect::<Vec<_>>(),
                },
            });
            (hash.to_string(), json!({}), value)
        }
        _ => {
            let hash = CommitmentHash::new(key(bytes));
            let commitment = found(store.commitment(&hash)).unwrap().unwrap();
            (hash.to_string(), json!({}), commitment_json(&commitment))
        }
    }
}

fn generation_json(store: &V4<'_>, name: &str, table: &Table<&Vec<u8>>, of: usize) -> Value {
    let bindings = table.scan(of).map(|binding| binding.unwrap());
    if name == "levels_to_hashes" {
        let level = |bytes: &[u8]| i32::from_be_bytes(key(bytes));
        let mut levels = Map::new();
        for (bytes, record) in bindings {
            let hash = BlockHash::new(key(&record.header));
            assert_eq!(store.hash_at(level(&bytes)).unwrap(), Some(hash));
            levels.insert(level(&bytes).to_string(), json!(hash));
        }
        return levels.into();
    }
    if name == "commitments_published_at_level" {
        let mut levels = Map::new();
        for (bytes, _) in bindings {
            let hash = CommitmentHash::new(key(&bytes));
            let published = store.published(&hash).unwrap().unwrap();
            let own = published.by_us.unwrap_or(-1);
            let value = json!({ "first_published_at_level": published.first, "published_at_level": own });
            levels.insert(hash.to_string(), value);
        }
        return levels.into();
    }
    let list = bindings.map(|(bytes, record)| {
        let (key, header_json, value_json) = decoded(store, name, &bytes, &record);
        json!({
            "key": key,
            "offset": record.offset,
            "header": hex(&record.header),
            "header_json": header_json,
            "value": hex(&record.value.unwrap()),
            "value_json": value_json,
        })
    });
    sorted(list.collect())
}

/// The order in which an index is listed means nothing.
fn sorted(mut list: Vec<Value>) -> Value {
    list.sort_by_key(|binding| binding["key"].as_str().unwrap().to_owned());
    list.into()
}

/// How the dumps name a generation.
fn label(name: &str, generation: &Generation<&Vec<u8>>) -> String {
    let directory = generation.name().strip_prefix("storage/").unwrap();
    let pure = ["levels_to_hashes", "commitments_published_at_level"].contains(&name);
    if pure { directory.to_owned() } else { format!("{directory}/index") }
}

fn singletons_json(singletons: &Singletons) -> Result<Value, Problem> {
    let protocols = singletons.protocols()?.map(|protocols| {
        let one = |protocol: &rollsnap_core::store::v4::Protocol| {
            json!({
                "level": { "level": protocol.level, "activates": protocol.activates },
                "proto_level": protocol.proto_level,
                "protocol": protocol.hash,
            })
        };
        protocols.iter().map(one).collect::<Vec<_>>()
    });
    let head = singletons.head()?.map(|block| {
        let (mut header, body) = (header_json(&block), body_json(&block));
        header.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        header
    });
    let gc = singletons.gc_levels()?;
    let mode = singletons.history_mode()?.map(|mode| mode.to_string());
    Ok(json!({
        "l2_head": head,
        "last_finalized_level": singletons.finalized_level()?,
        "lcc": singletons.lcc()?.map(|mark| json!({ "commitment": mark.hash, "level": mark.level })),
        "lpc": singletons.lpc()?.as_ref().map(commitment_json),
        "protocols": protocols,
        "gc_levels": gc.map(|levels| {
            json!({ "last_gc_level": levels.last, "first_available_level": levels.first_available })
        }),
        "last_context_split_level": singletons.context_split_level()?,
        "history_mode": mode,
    }))
}

/// The walk as the dumps have it: as far down as blocks are there.
fn chain(store: &V4<'_>) -> Result<Vec<Value>, String> {
    let mut chain = Vec::new();
    let head = store.singletons().head().map_err(|problem| problem.to_string())?;
    let mut next = head.map(|(head, _)| head.hash);
    while let Some(hash) = next.take() {
        let Some((block, evaluation)) = found(store.block(&hash))? else { break };
        let messages = found(store.messages(&evaluation.inbox_witness))?
            .map(|messages| MessageList::parse(&messages.list).unwrap().messages().len());
        let commitment = match &block.commitment {
            Some(hash) => Some(found(store.commitment(hash))?.is_some()),
            None => None,
        };
        let inbox = found(store.inbox(&evaluation.inbox_hash))?.is_some();
        let at_level = store.hash_at(block.level).map_err(|problem| problem.to_string())?;
        chain.push(json!({
            "level": block.level,
            "hash": hash,
            "messages": messages,
            "inbox": inbox,
            "commitment": commitment,
            "level_to_hash": at_level == Some(hash),
        }));
        next = Some(block.predecessor);
    }
    Ok(chain)
}

/// The walk over the chain, and everything that the rules find.
fn walk(files: &Dir) -> (Summary, Vec<Problem>) {
    let metadata = Metadata::parse(&files["metadata"]).unwrap();
    let mut store = open(files).unwrap().with_genesis_level(Some(metadata.genesis_level));
    let head = store.head().unwrap();
    let marks = Marks {
        head: (head.hash, head.level),
        first_available: store.first_available().unwrap(),
        genesis_level: Some(metadata.genesis_level),
        finalized: None,
        lcc: None,
        top_level: store.top_level().unwrap(),
    };
    let mut told = Vec::new();
    let walk = |chain: &mut dyn Chain| follow(chain, marks, None, &mut Silent, |problem| told.push(problem));
    let summary = store.with_chain(walk).unwrap();

    let mut contexts = Contexts::default();
    for (name, content) in files {
        contexts.begin(name);
        contexts.data(content);
        contexts.end();
    }
    let contexts = contexts.complete();
    let subject = Subject {
        metadata: Ok(Some(metadata)),
        store: Ok(&mut store),
        shown: "",
        header: None,
        contexts: Some(&contexts),
    };
    let (problems, _) = check(subject, Gather::PHASE, &mut Silent).unwrap();
    assert_eq!(problems, told);
    (summary, problems)
}

#[test]
fn every_binding_is_what_the_node_reads() {
    for name in DIRECTORIES {
        let (files, mut expected) = (directory(name), dump(name));
        let store = open(&files).unwrap();
        let mut read = Map::new();
        for (table_name, table) in store.tables() {
            let generations = table.generations().iter().enumerate();
            let all: Map<String, Value> = generations
                .map(|(number, of)| {
                    (label(table_name, of), generation_json(&store, table_name, table, number))
                })
                .collect();
            read.insert(table_name.to_owned(), all.into());
        }
        let version = store.recorded_version().unwrap();
        read.insert("version".into(), json!({ "store_version": version.number() }));
        read.insert("singletons".into(), singletons_json(store.singletons()).unwrap());
        read.insert("chain_from_head".into(), chain(&store).unwrap().into());

        let expected = expected.as_object_mut().unwrap();
        // What is read elsewhere: the metadata, and another kind of store.
        assert!(expected.remove("metadata").is_some() && expected.remove("irmin_store").is_some());
        for singleton in expected["singletons"].as_object_mut().unwrap().values_mut() {
            *singleton = singleton.get_mut("json").map_or(Value::Null, Value::take);
        }
        for table in ["l2_blocks", "messages", "inboxes", "commitments"] {
            for generation in expected[table].as_object_mut().unwrap().values_mut() {
                *generation = sorted(generation.as_array().unwrap().clone());
            }
        }
        assert_eq!(read.keys().collect::<Vec<_>>().len(), 9);
        for (key, expected) in expected {
            assert_eq!(&read[key.as_str()], &*expected, "{name}: {key}");
        }
        assert_eq!(store.notices(), [], "{name}");
        assert_eq!(store.misplaced().unwrap(), [], "{name}");
    }
}

/// The blocks are linked in everything but their messages, which lack layer 1's own, so that their
/// witnesses cannot be computed; and layer 1 makes no empty lists.
#[test]
fn chains_hold() {
    for name in DIRECTORIES {
        let (summary, problems) = walk(&directory(name));
        let expected = dump(name);
        let first = expected["singletons"]["gc_levels"]["json"]["first_available_level"].as_i64();
        let chain = expected["chain_from_head"].as_array().unwrap().iter();
        let chain: Vec<_> = chain
            .filter(|block| first.is_none_or(|first| block["level"].as_i64().unwrap() >= first))
            .collect();
        let messages: u64 = chain.iter().map(|block| block["messages"].as_u64().unwrap()).sum();
        let commitments = chain.iter().filter(|block| !block["commitment"].is_null()).count();
        assert_eq!((summary.blocks, summary.messages), (chain.len() as u64, messages), "{name}");
        assert_eq!(summary.commitments, commitments as u64, "{name}");
        let empty = chain.iter().filter(|block| block["messages"] == 0).map(|block| block["level"].clone());
        let (told, at): (Vec<_>, Vec<_>) =
            problems.iter().map(|problem| (problem.code(), level(problem))).unzip();
        assert!(told.iter().all(|code| *code == Code::MessagesForm), "{name}: {problems:?}");
        let origin = dump(name)["metadata"]["genesis_info"]["level"].clone();
        assert_eq!(at, empty.filter(|level| *level != origin).collect::<Vec<_>>(), "{name}");
        assert_eq!(summary.partial_lists, chain.iter().filter(|block| block["messages"] != 0).count() as u64);
    }
}

fn level(problem: &Problem) -> Value {
    match problem.place() {
        Some(Place::Level(level)) => (*level).into(),
        other => panic!("{problem:?}: {other:?}"),
    }
}

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

/// Consistent directories: every block and commitment as it was made, and a chain without a flaw.
#[test]
fn consistent_directories() {
    for name in ["v4-archive", "v4-full"] {
        let files = data_dir(name);
        let expected: Value =
            serde_json::from_slice(&fixtures::read(&format!("data-dir/{name}.expect.json"))).unwrap();
        let store = open(&files).unwrap();
        for (table, count) in expected["counts"].as_object().unwrap() {
            let (_, table) = store.tables().into_iter().find(|(name, _)| name == table).unwrap();
            let all = (0..table.generations().len()).map(|of| table.scan(of).map(Result::unwrap).count());
            assert_eq!(json!(all.sum::<usize>()), *count);
        }
        for block in expected["blocks"].as_array().unwrap() {
            let found = found(store.block(&text(&block["hash"]))).unwrap().unwrap();
            let mut expected = block.as_object().unwrap().clone();
            let hash = expected.remove("hash").unwrap();
            expected.insert("block_hash".into(), hash);
            let mut read = header_json(&found);
            read.as_object_mut().unwrap().extend(body_json(&found).as_object().unwrap().clone());
            let (found, _) = found;
            for (field, value) in read.as_object().unwrap() {
                let same = expected[field] == *value || value.as_str() == Some(&expected[field].to_string());
                assert!(same, "{field}: {value}, not {}", expected[field]);
            }
            assert_eq!(store.hash_at(found.level).unwrap(), Some(found.hash));
        }
        for commitment in expected["commitments"].as_array().unwrap() {
            let found = found(store.commitment(&text(&commitment["hash"]))).unwrap().unwrap();
            for (field, value) in commitment_json(&found).as_object().unwrap() {
                assert_eq!(commitment[field], *value, "{field}");
            }
        }
        let state = store.state().unwrap();
        let levels = &expected["levels"];
        let lpc = state.lpc.unwrap();
        assert_eq!(json!({ "hash": lpc.hash, "level": lpc.level }), expected["lpc"]);
        let lcc = state.lcc.unwrap();
        assert_eq!(json!({ "hash": lcc.hash, "level": lcc.level }), expected["lcc"]);
        assert_eq!(json!(state.finalized.unwrap().level), levels["finalized"]);
        assert_eq!(json!(state.head.unwrap().level), levels["head"]);
        assert_eq!(json!(state.history_mode.unwrap().to_string()), expected["history_mode"]);
        let origin = levels["origin"].as_i64().unwrap() as i32;
        assert_eq!(
            json!(store.with_genesis_level(Some(origin)).first_available().unwrap()),
            levels["first_available"]
        );

        let (summary, problems) = walk(&files);
        assert_eq!(problems, [], "{name}");
        assert_eq!(json!(summary.blocks), expected["counts"]["l2_blocks"]);
        assert_eq!(json!(summary.commitments), expected["counts"]["commitments"]);
        assert_eq!(summary.partial_lists, 0);
    }
}

fn text<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    value.as_str().unwrap().parse().unwrap()
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
    mixed.insert("store.sqlite".into(), vec![]);
    assert!(of(&mixed).unwrap_err().starts_with("[store.version] two stores are in one data directory"));
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

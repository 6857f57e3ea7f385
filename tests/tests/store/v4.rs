//! Stores of version 4 as Mavkit's own store code wrote and read them: every binding, and the chain.

#![allow(clippy::std_instead_of_alloc, reason = "a test has all of std")]

use rollsnap_core::encoding::MessageList;
use rollsnap_core::hash::{BlockHash, CommitmentHash, InboxHash, WitnessHash};
use rollsnap_core::store::Rows;
use rollsnap_core::store::v4::{Record, Table};
use rollsnap_tests::fixtures::{self, hex};
use rollsnap_tests::store_v4::{
    V4, body_json, chain, commitment_json, data_dir, directory, dump, found, header_json, key, label, open,
    singletons_json, text, walk,
};
use serde_json::{Map, Value, json};

const DIRECTORIES: [&str; 6] =
    ["archive", "failed-gc", "full-gc", "full-gc-merged", "leftovers", "origination"];

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
        let commitments = chain.iter().filter(|block| !block["commitment"].is_null()).count();
        // None of the messages is proved: they are invented, without layer 1's own.
        assert_eq!((summary.blocks, summary.messages), (chain.len() as u64, 0), "{name}");
        assert_eq!(summary.commitments, commitments as u64, "{name}");
        assert_eq!(problems, [], "{name}");
        let origin = dump(name)["metadata"]["genesis_info"]["level"].clone();
        let old = chain.iter().filter(|block| block["messages"] != 0 || block["level"] != origin).count();
        assert_eq!(summary.old_lists.map_or(0, |old| old.count), old as u64, "{name}");
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
        assert_eq!(summary.old_lists, None);
    }
}

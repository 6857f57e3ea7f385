//! Every row of the new store is the old one's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rollsnap_tests::cli::{Ground, Tree, dump, expect, members, oracle};
use rollsnap_tests::fixtures::{self, hex};
use rollsnap_tests::reading;
use rollsnap_tests::store_v4;
use serde_json::{Map, Value, json};

use crate::{converted, plant, text};

const DIRECTORIES: [&str; 6] =
    ["archive", "full-gc", "full-gc-merged", "failed-gc", "leftovers", "origination"];

const CONSISTENT: [&str; 2] = ["v4-archive", "v4-full"];

/// A table of a dump as a node looks things up: the fresh generation first, then the newest stale one.
fn merged(dump: &Value, table: &str) -> BTreeMap<String, Value> {
    let number = |label: &str| {
        let rest = label.strip_prefix(table).unwrap().trim_end_matches("/index");
        rest.trim_matches(['/', '.']).parse::<u32>().unwrap_or(u32::MAX)
    };
    let mut generations: Vec<_> = dump[table].as_object().unwrap().iter().collect();
    generations.sort_by_key(|(label, _)| number(label));
    let mut all = BTreeMap::new();
    for (_, generation) in generations {
        match generation {
            Value::Array(bindings) => {
                let bindings = bindings.iter().map(|binding| (text(&binding["key"]), binding.clone()));
                all.extend(bindings);
            }
            Value::Object(bindings) => {
                all.extend(bindings.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
            other => panic!("{other}"),
        }
    }
    all
}

fn number(value: &Value) -> Value {
    value.as_str().map_or(value.clone(), |digits| digits.parse::<i64>().unwrap().into())
}

/// Every row of the new store, by what the real code read of the old one. The state of a block without
/// a commitment is not among it; lists of messages are in hexadecimal.
fn expected(dump: &Value) -> BTreeMap<&'static str, Vec<Value>> {
    let single = |name: &str| &dump["singletons"][name]["json"];
    let first = match single("gc_levels") {
        Value::Null => &dump["metadata"]["genesis_info"]["level"],
        levels => &levels["first_available_level"],
    };
    let first = first.as_i64().unwrap();
    let head = single("l2_head").clone();
    let (messages, inboxes) = (merged(dump, "messages"), merged(dump, "inboxes"));
    let commitments = merged(dump, "commitments");
    let mut tables: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (hash, binding) in merged(dump, "l2_blocks") {
        let (header, body) = (&binding["header_json"], &binding["value_json"]);
        let level = &header["level"];
        if level.as_i64().unwrap() < first {
            continue;
        }
        let mut row = header.as_object().unwrap().clone();
        row.insert("initial_tick".into(), body["initial_tick"].clone());
        row.insert("num_ticks".into(), number(&body["num_ticks"]));
        row.insert("pvm_status".into(), Value::Null);
        let commitment = header["commitment_hash"].as_str().map(|hash| &commitments[hash]["value_json"]);
        let state = commitment.map_or(Value::Null, |commitment| commitment["compressed_state"].clone());
        row.insert("state_hash".into(), state);
        assert_eq!(row["block_hash"], *hash);
        tables.entry("l2_blocks").or_default().push(row.into());
        let (witness, inbox) = (text(&header["inbox_witness"]), text(&header["inbox_hash"]));
        tables.entry("messages").or_default().push(json!({
            "payload_hashes_hash": witness, "inbox_level": level, "message_list": messages[&witness]["value"],
        }));
        // Version (1 byte) and level (4) come before the cell.
        let (cell, value) =
            (&inboxes[&inbox]["value"].as_str().unwrap()[10..], &inboxes[&inbox]["value_json"]);
        tables.entry("inboxes").or_default().push(json!({
            "hash": inbox, "inbox_level": value["level"], "history_proof": format!("x{cell}"),
        }));
    }
    let levels = merged(dump, "levels_to_hashes").into_iter().filter_map(|(level, hash)| {
        let level: i64 = level.parse().unwrap();
        let within = (first..=head["level"].as_i64().unwrap()).contains(&level);
        within.then(|| json!({ "level": level, "block_hash": hash }))
    });
    tables.insert("l2_levels", levels.collect());
    let mut lpc = Value::Null;
    let rows = commitments.iter().map(|(hash, binding)| {
        let mut row = binding["value_json"].as_object().unwrap().clone();
        if binding["value_json"] == *single("lpc") {
            lpc = json!({ "name": "lpc", "value": hash, "level": row["inbox_level"] });
        }
        row.insert("hash".into(), hash.as_str().into());
        row["number_of_ticks"] = number(&row["number_of_ticks"]);
        row.into()
    });
    tables.insert("commitments", rows.collect());
    let rows = merged(dump, "commitments_published_at_level").into_iter().map(|(hash, levels)| {
        let own = &levels["published_at_level"];
        let own = if *own == -1 { &Value::Null } else { own };
        json!({
            "commitment_hash": hash,
            "first_published_at_level": levels["first_published_at_level"],
            "published_at_level": own,
        })
    });
    tables.insert("commitments_published_at_levels", rows.collect());
    let rows = single("protocols").as_array().unwrap().iter().map(|protocol| {
        json!({
            "hash": protocol["protocol"],
            "proto_level": protocol["proto_level"],
            "first_level": protocol["level"]["level"],
            "first_is_activation": i32::from(protocol["level"]["activates"].as_bool().unwrap()),
        })
    });
    tables.insert("protocols", rows.collect());
    tables.insert("rollup_node_state", state(dump, &tables["l2_levels"], lpc));
    let [headers, statuses] = slots(dump);
    tables.insert("dal_slots_headers", headers);
    tables.insert("dal_slots_statuses", statuses);
    tables.insert("outbox_messages", Vec::new());
    let migrations = ["initial", "add_state_hash_and_status", "optional_context"].into_iter().enumerate();
    let migrations = migrations.map(|(id, name)| json!({ "id": id, "name": name }));
    tables.insert("migrations", migrations.collect());
    tables
}

fn state(dump: &Value, levels: &[Value], lpc: Value) -> Vec<Value> {
    let single = |name: &str| &dump["singletons"][name]["json"];
    let mut rows = vec![lpc];
    let mut row = |name: &str, value: &Value, level: &Value| {
        if !(value.is_null() && level.is_null()) {
            rows.push(json!({ "name": name, "value": value, "level": level }));
        }
    };
    let none = &Value::Null;
    row("history_mode", single("history_mode"), none);
    row("l2_head", &single("l2_head")["block_hash"], &single("l2_head")["level"]);
    row("lcc", &single("lcc")["commitment"], &single("lcc")["level"]);
    // A finalized level without a block has no place in the new store.
    if let Some(named) = levels.iter().find(|row| row["level"] == *single("last_finalized_level")) {
        row("finalized_level", &named["block_hash"], &named["level"]);
    }
    row("last_gc_target", none, &single("gc_levels")["first_available_level"]);
    row("last_gc_triggered_at", none, &single("gc_levels")["last_gc_level"]);
    row("last_context_split", none, single("last_context_split_level"));
    rows
}

/// Decoded by hand: behind a length of 4 bytes, 55 bytes a header and 2 a status.
fn slots(dump: &Value) -> [Vec<Value>; 2] {
    let mut rows = [Vec::new(), Vec::new()];
    for (path, value) in dump["irmin_store"]["values"].as_object().unwrap() {
        let block = path.rsplit('/').next().unwrap();
        let value = fixtures::unhex(value.as_str().unwrap());
        if path.starts_with("dal/slot_headers/") {
            for slot in value[4..].chunks(55) {
                rows[0].push(json!({
                    "block_hash": block,
                    "slot_index": slot[6],
                    "published_level": i32::from_be_bytes(slot[2..6].try_into().unwrap()),
                    "slot_commitment": base58check(&[2, 116, 180], &slot[7..]),
                }));
            }
        } else {
            let statuses = value[4..].chunks(2);
            let row = |slot: &[u8]| json!({ "block_hash": block, "slot_index": slot[0], "attested": i32::from(slot[1] == 0) });
            rows[1].extend(statuses.map(row));
        }
    }
    rows
}

fn base58check(prefix: &[u8], payload: &[u8]) -> String {
    oracle(&["base58check", &hex(prefix), &hex(payload)]).as_str().unwrap().to_owned()
}

fn set(rows: &[Value]) -> BTreeSet<String> {
    rows.iter().map(Value::to_string).collect()
}

/// Every row is as expected, the schema is that of a node, and the database is sound.
#[track_caller]
fn assert_store(path: &str, expected: &BTreeMap<&str, Vec<Value>>, what: &str) {
    let mut found = dump(path);
    assert_eq!(found["integrity"], json!(["ok"]), "{what}");
    assert_eq!(found["journal"], "wal", "{what}");
    assert_eq!(&fs::read(path).unwrap()[18..20], [2, 2], "{what}");
    assert_eq!(found["schema"], schema(), "{what}");
    let lists = oracle(&["lists", path])[0].take();
    let tables = found["tables"].as_object_mut().unwrap();
    assert_eq!(tables.len(), expected.len(), "{what}");
    for row in tables["messages"].as_array_mut().unwrap() {
        row["message_list"] = lists[row["payload_hashes_hash"].as_str().unwrap()].clone();
    }
    for row in tables["l2_blocks"].as_array_mut().unwrap() {
        if row["commitment_hash"].is_null() {
            assert!(
                row["state_hash"].as_str().is_none_or(|state| state.starts_with("srs1")),
                "{what}: {row}"
            );
            row["state_hash"] = Value::Null;
        }
    }
    for (table, expected) in expected {
        let found = tables[*table].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{what}: {table}");
        assert_eq!(set(found), set(expected), "{what}: {table}");
    }
}

/// What the migrations of the nodes leave.
fn schema() -> Value {
    let ground = Ground::new();
    ground.unpack("v5-archive", "data");
    dump(&ground.at("data/store.sqlite"))["schema"].take()
}

#[test]
fn every_row_of_every_directory() {
    for name in DIRECTORIES {
        let ground = Ground::new();
        let data = plant(&ground, name);
        let before = Tree::of(data.as_ref());
        let dump = store_v4::dump(name);
        let expected = expected(&dump);
        let levels: Vec<_> = expected["l2_levels"].iter().map(|row| row["level"].as_i64().unwrap()).collect();
        let levels = format!("{} to {}", levels.iter().min().unwrap(), levels.iter().max().unwrap());
        // Their witnesses are labels, so that no check can agree.
        let run = ground.run(&["convert", &data, "-o", "new", "--no-check"]);
        assert!(run.err.contains("Not carried over: the status of the PVM"), "{run}");
        converted(run, &levels);
        assert_store(&ground.at("new/store.sqlite"), &expected, name);
        Tree::of(data.as_ref()).same_as(&before, name);
        let kept = |name: &str| ["metadata", "context", "wasm_2_0_0"].iter().any(|top| name.starts_with(top));
        let mut new = Tree::of(&ground.path("new"));
        new.0.retain(|name, _| kept(name));
        let old = before.clone().only(kept);
        assert_eq!(new.files(), old.files(), "{name}");
        assert!(!ground.path("new/storage").exists());

        // What cannot be computed is all that is not right.
        let verified = ground.run(&["verify", "new", "--json"]);
        let report = verified.json();
        let no = report["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "no");
        let codes: BTreeSet<_> = no.map(|check| check["code"].as_str().unwrap()).collect();
        assert!(
            codes.iter().all(|code| ["messages.witness", "messages.form"].contains(code)),
            "{name}: {codes:?}"
        );
        if name != "origination" {
            let run = ground.run(&["convert", &data, "-o", "other"]).ok();
            assert!(run.err.contains("verify takes them for altered ones in the new store"), "{run}");
        }
    }
}

/// The rows of a consistent directory, by the record of how it was made; and everything agrees.
#[test]
fn consistent_directories() {
    for base in CONSISTENT {
        let ground = Ground::new();
        let data = ground.unpack(base, "data");
        let before = Tree::of(data.as_ref());
        let record = expect(base);
        let levels = format!("{} to {}", record["levels"]["first_available"], record["levels"]["head"]);
        let run = ground.run(&["convert", &data, "-o", "deep/er/new"]);
        assert!(run.err.contains("Not carried over: the status of the PVM at each block"), "{run}");
        // The contexts of these are not what a machine computed, and have no outboxes.
        assert!(run.err.contains("levels of outboxes: no context that is there has them"), "{run}");
        assert_eq!(converted(run, &levels), "deep/er/new");
        Tree::of(data.as_ref()).same_as(&before, base);
        let found = dump(&ground.at("deep/er/new/store.sqlite"));
        assert_eq!((&found["integrity"], &found["schema"]), (&json!(["ok"]), &schema()));
        let tables = &found["tables"];
        let blocks: BTreeMap<_, _> = tables["l2_blocks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (text(&row["block_hash"]), row))
            .collect();
        for block in record["blocks"].as_array().unwrap() {
            let row = blocks[block["hash"].as_str().unwrap()];
            for (field, value) in row.as_object().unwrap() {
                match field.as_str() {
                    "block_hash" => {}
                    "pvm_status" => assert!(value.is_null()),
                    // In the order of levels it stands in the record as text or as a number.
                    "initial_tick" => assert_eq!(number(value), number(&block[field]), "{field}"),
                    _ => assert_eq!(*value, block[field], "{base}: {field}"),
                }
            }
        }
        for (table, count) in record["counts"].as_object().unwrap() {
            let table = match table.as_str() {
                "levels_to_hashes" => "l2_levels",
                "commitments_published_at_level" => "commitments_published_at_levels",
                other => other,
            };
            assert_eq!(json!(tables[table].as_array().unwrap().len()), *count, "{base}: {table}");
        }
        let state: Map<String, Value> = tables["rollup_node_state"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (text(&row["name"]), json!([row["value"], row["level"]])))
            .collect();
        for mark in ["lcc", "lpc"] {
            assert_eq!(state[mark], json!([record[mark]["hash"], record[mark]["level"]]), "{base}");
        }
        assert_eq!(state["history_mode"], json!([record["history_mode"], null]));
        assert_eq!(state["l2_head"][1], record["levels"]["head"]);
        assert_eq!(state["finalized_level"][1], record["levels"]["finalized"]);
        assert_eq!(
            state.get("last_gc_triggered_at").map(|row| &row[1]),
            record["levels"].get("gc_triggered_at").filter(|level| !level.is_null())
        );

        let report = ground.run(&["verify", "deep/er/new", "--json"]).ok().json();
        assert_eq!(report["verdicts"]["consistent"], "yes", "{base}");
        // And it is a data directory like any other.
        ground.run(&["export", "snapshot", "--data-dir", "deep/er/new", "--level", "head"]).ok();
        assert_eq!(members(&ground.at("snapshot"))["header"], record["headers"]["head"]["hex"]);
    }
}

/// Two fixtures hold the same chain in both versions, under other names: whatever is not a hash or made at
/// random is the same, counted from the first level.
#[test]
fn the_same_chain_in_both_versions() {
    for (old, new, mode) in [("archive", "octez-archive", "archive"), ("full-gc", "octez-full", "full")] {
        let ground = Ground::new();
        let data = plant(&ground, old);
        ground.run(&["convert", &data, "-o", "new", "--no-check"]).ok();
        let octez = reading::members(&fixtures::read(&format!("snapshot/{new}.gz")));
        let (_, store) = octez.iter().find(|(member, _)| member.name == "store.sqlite").unwrap();
        fs::write(ground.path("octez.sqlite"), store).unwrap();
        let found = dump(&ground.at("new/store.sqlite"));
        let octez = dump(&ground.at("octez.sqlite"));
        assert_eq!(found["schema"], octez["schema"]);
        let relative = |dump: &Value, table: &str, columns: &[&str]| {
            let levels = dump["tables"]["l2_levels"].as_array().unwrap().iter();
            let first = levels.map(|row| row["level"].as_i64().unwrap()).min().unwrap();
            let rows = dump["tables"][table].as_array().unwrap().iter().map(|row| {
                let value = |column: &&str| match (row[*column].as_i64(), *column) {
                    (Some(level), column) if column.contains("level") && column != "proto_level" => {
                        json!(level - first)
                    }
                    (_, column) if column.ends_with('?') => {
                        json!(!row[column.trim_end_matches('?')].is_null())
                    }
                    (_, column) => row[column].clone(),
                };
                columns.iter().map(value).collect::<Value>().to_string()
            });
            let mut rows: Vec<_> = rows.collect();
            rows.sort();
            rows
        };
        for (table, columns) in [
            ("l2_blocks", &["level", "initial_tick", "num_ticks", "commitment_hash?"][..]),
            ("l2_levels", &["level"]),
            ("messages", &["inbox_level"]),
            ("inboxes", &["inbox_level"]),
            ("commitments", &["inbox_level", "number_of_ticks"]),
            ("commitments_published_at_levels", &["first_published_at_level", "published_at_level"]),
            ("protocols", &["hash", "proto_level", "first_level", "first_is_activation"]),
        ] {
            assert_eq!(relative(&found, table, columns), relative(&octez, table, columns), "{old}: {table}");
        }
        // And every column holds the same kind of value.
        let kind = |value: &Value| match value {
            Value::String(text) if text.starts_with('x') => "blob",
            Value::String(_) => "text",
            Value::Number(_) => "integer",
            _ => "null",
        };
        let kinds = |dump: &Value| {
            let mut kinds = BTreeMap::<String, BTreeSet<&str>>::new();
            for (table, rows) in dump["tables"].as_object().unwrap() {
                for (column, value) in
                    rows.as_array().unwrap().iter().flat_map(|row| row.as_object().unwrap())
                {
                    kinds.entry(format!("{table}.{column}")).or_default().insert(kind(value));
                }
            }
            kinds
        };
        let octez = kinds(&octez);
        for (column, kinds) in kinds(&found) {
            let Some(known) = octez.get(&column) else { continue };
            assert!(kinds.iter().all(|kind| *kind == "null" || known.contains(kind)), "{column}: {kinds:?}");
        }
        assert!(found["tables"]["rollup_node_state"].to_string().contains(mode));
    }
}

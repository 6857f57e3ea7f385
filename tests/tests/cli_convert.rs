//! `convert` as an operator runs it, judged by what Mavkit's own code read of the old stores and by what
//! Python reads of the new ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use rollsnap_tests::cli::{Ground, Holder, Run, Running, Tree, dump, expect, members, oracle, program};
use rollsnap_tests::fixtures::{self, hex};
use rollsnap_tests::reading;
use rollsnap_tests::store_v4;
use serde_json::{Map, Value, json};

const DIRECTORIES: [&str; 6] =
    ["archive", "full-gc", "full-gc-merged", "failed-gc", "leftovers", "origination"];

const CONSISTENT: [&str; 2] = ["v4-archive", "v4-full"];

/// Writes a directory of `store-v4` under its name; its path.
fn plant(ground: &Ground, name: &str) -> String {
    for (file, content) in store_v4::directory(name) {
        let path = ground.path(name).join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    ground.at(name)
}

/// `Converted store version 4 to 5, levels F to H: PATH` must be all there is.
#[track_caller]
fn converted(run: Run, levels: &str) -> String {
    let run = run.ok();
    let start = format!("Converted store version 4 to 5, levels {levels}: ");
    let path = run.text().strip_prefix(&*start).and_then(|text| text.strip_suffix('\n'));
    path.unwrap_or_else(|| panic!("{run}")).to_owned()
}

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

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
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
            let refused = ground.run(&["convert", &data, "-o", "other"]).refused(1, "messages.form");
            assert!(!ground.path("other").exists(), "{refused}");
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
        assert!(run.err.contains("Not carried over: the messages of the outbox"), "{run}");
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

#[test]
fn a_snapshot_becomes_a_snapshot() {
    let ground = Ground::new();
    let old = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    let run = ground.run(&["convert", &old, "-o", "new.snapshot"]);
    assert!(!run.err.contains("Acquiring"), "{run}");
    assert_eq!(converted(run, "800010 to 800029"), "new.snapshot");
    let (before, after) = (members(&old), members(&ground.at("new.snapshot")));
    assert_eq!(before["header"], after["header"]);
    let files = |dump: &Value| -> BTreeMap<String, Value> {
        let rows = dump["members"].as_array().unwrap().iter().cloned();
        rows.map(|row| (text(&row["name"]), row)).collect()
    };
    let (mut before, mut after) = (files(&before), files(&after));
    let store = after.remove("store.sqlite").unwrap();
    assert_eq!(store["mtime"], before["storage/l2_head"]["mtime"]);
    before.retain(|name, _| !name.starts_with("storage/"));
    assert_eq!(before, after);

    let report = ground.run(&["verify", "new.snapshot", "--json"]).ok().json();
    assert_eq!(report["verdicts"]["consistent"], "yes");
    // The operator's own commitment is in no snapshot, and there was none to leave out.
    ground.run(&["import", "new.snapshot", "--data-dir", "node"]).ok();
    let lpc =
        |path: &str| dump(&ground.at(path))["tables"]["rollup_node_state"].to_string().contains("\"lpc\"");
    assert!(!lpc("node/store.sqlite"));

    // From standard input, uncompressed, into a directory; the same content each time.
    let run = ground.run_with(
        &["convert", "-", "-o", ".", "--uncompressed", "--json"],
        &fixtures::read("data-dir/v4-full.head.snapshot.gz"),
    );
    let told = run.ok().json();
    assert_eq!(
        (&told["from_version"], &told["first_level"], &told["head_level"]),
        (&json!(4), &json!(800_010), &json!(800_029))
    );
    assert_eq!(told["tables"][0], json!({ "name": "l2_blocks", "rows": 20 }));
    let path = told["path"].as_str().unwrap();
    assert_eq!(path, "./snapshot-sr1TQo5yibvaU-800029.full.uncompressed");
    let codes: Vec<_> = told["checks"].as_array().unwrap().iter().map(|check| text(&check["code"])).collect();
    assert!(
        codes.iter().any(|code| code == "convert.left-out") && codes.iter().any(|code| code == "chain.block")
    );
    let again = members(&ground.at(path));
    assert_eq!(files(&again), files(&members(&ground.at("new.snapshot"))));

    // A snapshot to a directory, and a directory to a snapshot.
    let run = ground.run(&["convert", &old, "--as", "data-dir", "-o", "dir"]);
    converted(run, "800010 to 800029");
    let data = ground.unpack("v4-full", "data");
    let run = ground.run(&["convert", &data, "--as", "snapshot", "-o", "third", "--fast"]);
    assert!(run.err.contains("Not carried over: the last published commitment, of level 800025"), "{run}");
    converted(run, "800010 to 800029");
    let rows = |path: &str| dump(path)["tables"].take();
    ground.run(&["extract", "third", "-C", "third.d"]).ok();
    assert_eq!(rows(&ground.at("dir/store.sqlite")), rows(&ground.at("third.d/store.sqlite")));
    assert!(!lpc("dir/store.sqlite") && !lpc("third.d/store.sqlite"));
}

/// Lists of messages from before layer 1's own were stored have no witness: they are carried over, and told.
#[test]
fn very_old_lists_of_messages() {
    let ground = Ground::new();
    ground.unpack("v4-archive", "data");
    let (index, values) =
        (ground.path("data/storage/messages/index/index/log"), ground.path("data/storage/messages/data"));
    let (mut entries, old) = (fs::read(&index).unwrap(), fs::read(&values).unwrap());
    let (mut new, mut stripped) = (Vec::new(), 0);
    let length = |bytes: &[u8]| u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
    for entry in entries[32..].chunks_mut(72) {
        let at = u64::from_be_bytes(entry[32..40].try_into().unwrap()) as usize;
        let list = &old[at + 4..][..length(&old[at..])];
        let (mut kept, mut rest) = (Vec::new(), &list[4..]);
        while !rest.is_empty() {
            let (message, after) = rest.split_at(4 + length(rest));
            // Only every third level is that old.
            if new.len() % 3 > 0 || !(message[4] == 0 && (1..=5).contains(&message[5])) {
                kept.extend(message);
            }
            rest = after;
        }
        stripped += usize::from(kept.len() + 4 < list.len() && !kept.is_empty());
        if kept.is_empty() {
            kept = list[4..].to_vec();
        }
        entry[32..40].copy_from_slice(&(new.len() as u64).to_be_bytes());
        new.extend((kept.len() as u32 + 4).to_be_bytes());
        new.extend((kept.len() as u32).to_be_bytes());
        new.extend(kept);
    }
    assert!(stripped > 2, "{stripped}");
    fs::write(index, entries).unwrap();
    fs::write(values, new).unwrap();
    let run = ground.run(&["convert", "data", "-o", "new"]);
    let told = format!("Note: not checked: {stripped} lists of messages, which a very old node stored");
    assert!(run.err.contains(&told), "{run}");
    converted(run, "4000 to 4023");
    assert_eq!(dump(&ground.at("new/store.sqlite"))["tables"]["messages"].as_array().unwrap().len(), 24);
}

#[test]
fn versions_that_are_read() {
    // Messages are kept with their block instead of its predecessor, which nothing looks at here.
    for version in [2, 3] {
        let ground = Ground::new();
        ground.unpack("v4-full", "data");
        fs::write(ground.path("data/storage/version"), format!("{{ \"store_version\": {version} }}"))
            .unwrap();
        let run = ground.run(&["convert", "data", "-o", "new"]).ok();
        assert!(
            run.text()
                .starts_with(&format!("Converted store version {version} to 5, levels 800010 to 800029")),
            "{run}"
        );
        let report = ground.run(&["verify", "new", "--json"]).ok().json();
        assert_eq!(report["verdicts"]["consistent"], "yes");
    }
}

#[test]
fn an_existing_output_is_in_the_way() {
    let ground = Ground::new();
    let data = ground.unpack("v4-full", "data");
    // A file.
    fs::write(ground.path("file"), b"mine").unwrap();
    let before = ground.tree();
    ground.run(&["convert", &data, "--as", "snapshot", "-o", "file"]).refused(4, "output.exists");
    ground.run(&["convert", &data, "-o", "file"]).refused(5, "file");
    ground.tree().same_as(&before, "a file");
    ground.run(&["convert", &data, "--as", "snapshot", "-o", "file", "--force"]).ok();
    // A data directory: its own things stay, as after an import.
    ground.unpack("v4-full", "node");
    fs::write(ground.path("node/wasm_2_0_0/own"), b"mine").unwrap();
    let before = ground.tree();
    ground.run(&["convert", &data, "-o", "node"]).refused(4, "import.populated");
    ground.tree().same_as(&before, "a data directory");
    ground.run(&["convert", &data, "-o", "node", "--force"]).ok();
    let after = ground.tree();
    for kept in ["node/config.json", "node/gc_lock", "node/wasm_2_0_0/own", "node/metadata"] {
        assert_eq!(after.0[kept].content, before.0[kept].content, "{kept}");
    }
    assert!(!ground.path("node/storage").exists() && ground.path("node/store.sqlite").exists());
    // Of another rollup.
    ground.unpack("v4-archive", "other");
    let before = ground.tree();
    ground.run(&["convert", &data, "-o", "other", "--force"]).refused(4, "import.rollup");
    ground.tree().same_as(&before, "another rollup");
    // Itself.
    for output in ["data", "data/new", "."] {
        ground.run(&["convert", "data", "-o", output, "--force"]).refused(2, "into itself");
    }
    ground.run(&["convert", "data", "--as", "snapshot", "-o", "data/new"]).refused(2, "into itself");
    ground.tree().same_as(&before, "itself");
}

#[test]
fn there_must_be_something_to_convert() {
    let ground = Ground::new();
    ground.unpack("v5-full", "five");
    ground.unpack("v4-full", "four");
    ground.snapshot("snapshot/octez-archive.gz");
    fs::create_dir(ground.path("empty")).unwrap();
    fs::write(ground.path("text"), b"nothing of the kind").unwrap();
    ground.unpack("v4-archive", "mixed");
    fs::copy(ground.path("five/store.sqlite"), ground.path("mixed/store.sqlite")).unwrap();
    let before = ground.tree();
    for (source, status, text) in [
        ("five", 4, "the store is of version 5 already"),
        ("octez-archive.gz", 4, "the store is of version 5 already"),
        ("empty", 1, "store.missing"),
        ("text", 3, "header.short"),
        ("missing", 3, "missing"),
        ("mixed", 1, "two stores"),
    ] {
        ground.run(&["convert", source, "-o", "new"]).refused(status, text);
        ground.tree().same_as(&before, source);
    }
    ground.run(&["convert", "four", "-o", "new", "--to", "v4"]).ends(2);
    ground.run(&["convert", "four"]).ends(2);
    for version in [0, 1, 7] {
        fs::write(ground.path("four/storage/version"), format!("{{ \"store_version\": {version} }}"))
            .unwrap();
        let text =
            if version == 7 { "Unsupported store version 7" } else { "does not read stores of version" };
        ground.run(&["convert", "four", "-o", "new"]).refused(1, text);
    }
    assert!(!ground.path("new").exists());
}

/// Whatever is damaged is named, and nothing is left.
#[test]
fn a_damaged_source_is_refused() {
    let ground = Ground::new();
    ground.unpack("v4-archive", "data");
    let before = ground.tree();
    for (file, at, text) in [
        ("storage/l2_blocks/data", 5, "chain.ticks"),
        ("storage/l2_blocks/index/index/log", 60, "chain.block"),
        ("storage/messages/data", 200, "messages.witness"),
        ("storage/inboxes/data", 30, "inbox.hash"),
        ("storage/commitments/data", 20, "commitment.hash"),
        ("storage/levels_to_hashes/index/log", 40, "levels.chain"),
        ("storage/lcc", 3, "mark.lcc"),
        ("storage/protocols", 0, "store.damaged"),
        ("storage/history_mode", 0, "store.damaged"),
        ("storage/irmin_store/store.control", 30, "irmin_store/store.control"),
        ("context/store.0.suffix", 101_900, "context."),
        ("context/index/log", 36, "chain.context"),
    ] {
        let path = ground.path("data").join(file);
        let whole = fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        fs::write(&path, damaged).unwrap();
        let run = ground.run(&["convert", "data", "-o", "new"]);
        assert!([1, 3].contains(&run.status) && run.text().is_empty(), "{file}: {run}");
        assert!(run.err.contains(text), "{file}: {run}");
        assert!(!ground.path("new").exists(), "{file}");
        fs::write(&path, whole).unwrap();
    }
    let snapshot = fixtures::read("data-dir/v4-full.head.snapshot.gz");
    fs::write(ground.path("cut"), &snapshot[..snapshot.len() / 2]).unwrap();
    ground.run(&["convert", "cut", "-o", "new"]).refused(3, "gzip.truncated");
    fs::remove_file(ground.path("cut")).unwrap();
    ground
        .tree()
        .only(|name| !name.starts_with("data/"))
        .same_as(&before.only(|name| !name.starts_with("data/")), "beside the source");
}

/// What is kept about data availability is proved by its hashes; whoever can do without goes on without.
#[test]
fn damaged_slots_can_be_left_out() {
    let ground = Ground::new();
    let data = plant(&ground, "archive");
    let path = ground.path("archive/storage/irmin_store/store.0.suffix");
    let mut suffix = fs::read(&path).unwrap();
    let length = suffix.len();
    suffix[length - 100] ^= 1;
    fs::write(path, suffix).unwrap();
    let run = ground.run(&["convert", &data, "-o", "new", "--no-check"]);
    assert!(run.err.contains("Not carried over: the rest of the slots of data availability"), "{run}");
    run.ok();
    let ground = Ground::new();
    ground.unpack("v4-full", "data");
    fs::remove_file(ground.path("data/storage/irmin_store/store.branches")).unwrap();
    ground.run(&["convert", "data", "-o", "new"]).refused(3, "irmin_store/store.branches");
    assert!(!ground.path("new").exists());
}

#[test]
fn a_node_must_not_run() {
    let ground = Ground::new();
    let data = ground.unpack("v4-full", "data");
    let before = ground.tree();
    let held = Holder::of(&[format!("{data}/lock")]);
    ground.run(&["convert", &data, "-o", "new"]).refused(4, "lock.held");
    drop(held);
    ground.tree().same_as(&before, "a running node");
    // A lock file that was not there does not stay.
    fs::remove_file(ground.path("data/lock")).unwrap();
    ground.run(&["convert", &data, "-o", "new"]).ok();
    assert!(!ground.path("data/lock").exists());
}

#[test]
fn it_can_be_stopped() {
    let ground = Ground::new();
    ground.unpack("v4-full", "data");
    let mut chunk = fs::OpenOptions::new()
        .append(true)
        .open(ground.path("data/wasm_2_0_0/large"))
        .or_else(|_| fs::File::create(ground.path("data/wasm_2_0_0/large")))
        .unwrap();
    for _ in 0..64 {
        std::io::Write::write_all(&mut chunk, &[7; 1 << 20]).unwrap();
    }
    drop(chunk);
    let before = ground.tree();
    for kind in ["data-dir", "snapshot"] {
        let words = ["convert", "data", "-o", "new/out", "--as", kind, "--progress", "json"];
        let mut convert = Running::start(&words, ground.command(&words));
        convert.until("\"Copying data\"");
        let id = rustix::process::Pid::from_raw(convert.id() as i32).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
        convert.end().ends(130);
        ground.tree().same_as(&before, kind);
    }
}

#[test]
fn a_full_disk_changes_nothing() {
    let ground = Ground::new();
    let data = ground.unpack("v4-archive", "data");
    let snapshot = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    let before = ground.tree();
    for words in [
        &["convert", &data, "-o", "new"][..],
        &["convert", &data, "-o", "new", "--as", "snapshot", "--uncompressed"],
        &["convert", &snapshot, "-o", "new"],
        &["convert", &snapshot, "-o", "new", "--as", "data-dir"],
    ] {
        // The first limit is for the context, the second for the store.
        for blocks in ["64", "220"] {
            let script = format!("ulimit -f {blocks}; shift; exec \"$@\"");
            let mut command = Command::new("sh");
            command.args(["-c", &script, "sh", "rollsnap"]).arg(program()).args(words);
            let run = Run::of(words, ground.isolate(&mut command).output().unwrap());
            let run = run.ends(5);
            assert!(run.err.contains("[io.no-space]") && run.out.is_empty(), "{run}");
            ground.tree().same_as(&before, words[0]);
        }
    }
}

/// Nothing of a directory but what a snapshot has goes along.
#[test]
fn what_a_node_keeps_for_itself_stays() {
    let ground = Ground::new();
    let data = ground.unpack("v4-full", "data");
    fs::write(ground.path("data/notes"), b"mine").unwrap();
    ground.run(&["convert", &data, "-o", "new"]).ok();
    let tree = Tree::of(&ground.path("new"));
    let tops: BTreeSet<_> = tree
        .names()
        .iter()
        .filter_map(|name| Path::new(name).iter().next())
        .map(|top| top.to_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        tops.iter().map(String::as_str).collect::<Vec<_>>(),
        ["context", "lock", "metadata", "store.sqlite", "wasm_2_0_0"]
    );
}

/// An operator rescues an old snapshot in one step.
#[test]
fn an_import_converts_on_the_way() {
    let ground = Ground::new();
    let old = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    let run = ground.run(&["import", &old, "--data-dir", "node", "--to", "v5"]);
    assert!(run.err.contains("Not carried over: the status of the PVM"), "{run}");
    assert_eq!(run.ok().text(), "Snapshot successfully imported\n");
    ground.run(&["convert", &old, "--as", "data-dir", "-o", "converted"]).ok();
    let rows = |path: &str| dump(&ground.at(path))["tables"].take();
    assert_eq!(rows("node/store.sqlite"), rows("converted/store.sqlite"));
    assert!(!ground.path("node/storage").exists());
    let report = ground.run(&["verify", "node", "--json"]).ok().json();
    assert_eq!(report["verdicts"]["consistent"], "yes");

    // What is for an Octez node may be taken back to a level, as Mavkit's own import may not.
    ground.run(&["import", &old, "--data-dir", "cut", "--level", "800020"]).ends(4);
    ground.run(&["import", &old, "--data-dir", "cut", "--to", "v5", "--level", "800020"]).ok();
    assert_eq!(rows("cut/store.sqlite")["l2_levels"].as_array().unwrap().len(), 11);

    // Over the directory of a Mavkit node: what the operator published last stays.
    let data = ground.unpack("v4-full", "data");
    let before = ground.tree();
    ground.run(&["import", &old, "--data-dir", &data, "--force", "--to", "v5"]).refused(4, "import.older");
    ground.tree().same_as(&before, "the same level");
    let mut lower = fs::read(ground.path("data/storage/l2_head")).unwrap();
    lower[32..36].copy_from_slice(&800_020i32.to_be_bytes());
    fs::write(ground.path("data/storage/l2_head"), lower).unwrap();
    let run = ground.run(&["import", &old, "--data-dir", &data, "--force", "--to", "v5"]).ok();
    assert!(run.err.contains("last published commitment") && run.err.contains("(level 800025)"), "{run}");
    assert!(rows("data/store.sqlite")["rollup_node_state"].to_string().contains("\"lpc\""));
    assert!(!ground.path("data/storage").exists() && ground.path("data/config.json").exists());

    // There may be nothing to do.
    let five = ground.snapshot("data-dir/v5-archive.head.snapshot.gz");
    let run = ground.run(&["import", &five, "--data-dir", "five", "--to", "v5"]).ok();
    assert!(run.err.contains("Nothing to convert"), "{run}");
    ground.run(&["import", &five, "--data-dir", "six", "--to", "v5", "--format", "mavkit"]).ends(2);
}

/// Contexts that are not there a node has to rebuild, or the store goes back to the one that is there.
#[test]
fn a_compact_snapshot_needs_a_decision() {
    let ground = Ground::new();
    let old = ground.snapshot("snapshot/full-gc-merged-compact.gz");
    // The witnesses of this one are labels.
    for kind in ["snapshot", "data-dir"] {
        let words = ["convert", &old, "-o", "new", "--as", kind, "--no-check"];
        let run = ground.run(&words).refused(4, "rollsnap import --to v5 takes it, with --level 2000035");
        assert!(!ground.path("new").exists(), "{run}");
    }
    let import = ["import", &old, "--to", "v5", "--no-check", "--data-dir"];
    ground.run(&[&import[..], &["back", "--level", "2000035"]].concat()).ok();
    assert_eq!(dump(&ground.at("back/store.sqlite"))["tables"]["l2_levels"].as_array().unwrap().len(), 1);
    ground.run(&[&import[..], &["kept", "--keep-compact"]].concat()).ok();
    assert_eq!(dump(&ground.at("kept/store.sqlite"))["tables"]["l2_levels"].as_array().unwrap().len(), 25);
}

//! What is made of which source, and what goes along.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rollsnap_tests::cli::{Ground, dump, members};
use rollsnap_tests::fixtures;
use serde_json::{Value, json};

use crate::{converted, text};

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

/// Takes layer 1's own messages out of the first lists of a store in files, the origination's included.
fn strip(data: &Path, lists: usize) {
    let (index, values) = (data.join("storage/messages/index/index/log"), data.join("storage/messages/data"));
    let (mut entries, old) = (fs::read(&index).unwrap(), fs::read(&values).unwrap());
    let mut new = Vec::new();
    let length = |bytes: &[u8]| u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
    // A node adds a list with each level.
    for (number, entry) in entries[32..].chunks_mut(72).enumerate() {
        let at = u64::from_be_bytes(entry[32..40].try_into().unwrap()) as usize;
        let list = &old[at + 4..][..length(&old[at..])];
        let (mut kept, mut rest) = (Vec::<u8>::new(), &list[4..]);
        while !rest.is_empty() {
            let (message, after) = rest.split_at(4 + length(rest));
            if number >= lists || !(message[4] == 0 && (1..=5).contains(&message[5])) {
                kept.extend(message);
            }
            rest = after;
        }
        entry[32..40].copy_from_slice(&(new.len() as u64).to_be_bytes());
        new.extend((kept.len() as u32 + 4).to_be_bytes());
        new.extend((kept.len() as u32).to_be_bytes());
        new.extend(kept);
    }
    fs::write(index, entries).unwrap();
    fs::write(values, new).unwrap();
}

/// Lists of messages from before layer 1's own were stored have no witness: they are carried over, and told.
#[test]
fn very_old_lists_of_messages() {
    for (lists, told, status) in [
        (9, "not checked: 8 lists of messages, of levels 4001 to 4008, which a very old node stored", 0),
        // Nothing in the new store shows that it comes from an old one, and that its lists are not altered.
        (24, "not checked: 23 lists of messages, of levels 4001 to 4023, which a very old node stored", 1),
    ] {
        let ground = Ground::new();
        ground.unpack("v4-archive", "data");
        strip(&ground.path("data"), lists);
        let report = ground.run(&["verify", "data", "--json"]).ok().json();
        assert_eq!(report["verdicts"]["consistent"], "unknown");
        let run = ground.run(&["convert", "data", "-o", "new"]);
        assert!(run.err.contains(told), "{run}");
        converted(run, "4000 to 4023");
        assert_eq!(dump(&ground.at("new/store.sqlite"))["tables"]["messages"].as_array().unwrap().len(), 24);
        // A snapshot is made and checked as well.
        let run = ground.run(&["convert", "data", "-o", "made.snapshot", "--as", "snapshot"]).ok();
        assert!(run.err.contains(told), "{run}");
        assert_eq!(run.err.contains("verify takes them for altered ones"), status == 1, "{run}");
        let run = ground.run(&["verify", "made.snapshot", "--json"]);
        assert_eq!(run.status, status, "{run}");
        let verdict = if status == 1 { "no" } else { "unknown" };
        assert_eq!(run.json()["verdicts"]["consistent"], verdict);
    }
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

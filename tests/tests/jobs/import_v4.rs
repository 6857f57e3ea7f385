//! `import` of stores of version 4, with the rules and words of Mavkit; and what happens where the store in
//! place is one of the other family.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rollsnap_tests::cli::{Ground, Tree, expect, failures, members, oracle};
use rollsnap_tests::fixtures;
use rollsnap_tests::l1::{Stub, view};
use rollsnap_tests::store_v4::take_back;
use serde_json::Value;

/// What a snapshot of a data directory is, made by Python; with the header of one of its levels.
fn snapshot_of(ground: &Ground, data: &str, base: &str, level: &str) -> String {
    let (staged, file) = (ground.at("staged"), format!("{data}.{level}.snapshot"));
    oracle(&["stage", data, &staged, "head"]);
    oracle(&["pack", &staged, &file, expect(base)["headers"][level]["hex"].as_str().unwrap()]);
    fs::remove_dir_all(staged).unwrap();
    file
}

/// Every member is there, byte for byte and with its mode, and nothing else.
fn same_as_members(snapshot: &str, root: &str, besides: &[&str]) {
    let tree = Tree::of(Path::new(root));
    let listed = members(snapshot);
    let mut expected: Vec<(&str, &str, u32)> = Vec::new();
    for member in listed["members"].as_array().unwrap() {
        let mode = member["mode"].as_u64().unwrap() as u32 & 0o777 | 0o600;
        expected.push((member["name"].as_str().unwrap(), member["sha256"].as_str().unwrap(), mode));
    }
    expected.sort_unstable();
    let files = tree.0.iter().filter(|(_, entry)| entry.mode & 0o170_000 == 0o100_000);
    let found: Vec<_> = files
        .map(|(name, entry)| (name.as_str(), entry.content.as_str(), entry.mode & 0o777))
        .filter(|(name, ..)| !besides.contains(name) || expected.iter().any(|(member, ..)| member == name))
        .filter(|(name, ..)| *name != "lock")
        .collect();
    assert_eq!(found, expected, "{root}");
}

#[test]
fn into_an_empty_directory() {
    let ground = Ground::new();
    let snapshot = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    let run = ground.run(&["import", &snapshot, "--data-dir", "node"]).ok();
    assert_eq!(run.text(), "Snapshot successfully imported\n");
    same_as_members(&snapshot, &ground.at("node"), &[]);
    let mode = |name: &str| fs::metadata(ground.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("node/storage/l2_head"), 0o600);
    let report = ground.run(&["verify", "--json", "node"]).ok().json();
    assert_eq!(report["verdicts"]["consistent"], "yes");
    let report = ground.run(&["import", "--json", &snapshot, "--data-dir", "other"]).ok().json();
    assert_eq!((&report["head_level"], &report["verdicts"]["intact"]), (&800_029.into(), &"yes".into()));
    ground.run(&["import", &snapshot, "--data-dir", "node"]).refused(4, "is already populated");
    ground
        .run(&["import", &snapshot, "--force", "--data-dir", "node"])
        .refused(6, "The rollup node is already at level 800029 but the snapshot is only for level 800029.");
}

/// Stale stores, small files and leftovers of the old store do not survive in the new one; what the operator
/// published does.
#[test]
fn the_old_store_goes_as_a_whole() {
    let ground = Ground::new();
    let data = ground.unpack("v4-archive", "data");
    let snapshot = snapshot_of(&ground, &data, "v4-archive", "head");
    let node = ground.unpack("v4-archive", "node");
    take_back(Path::new(&node), 4012);
    // What a collection leaves: a stale store, in which a node looks up what it does not find.
    let empty_log = [&[0; 8][..], b"00000001", &[0; 16]].concat();
    for index in ["l2_blocks/1/index/index", "levels_to_hashes.1/index"] {
        let index = format!("{node}/storage/{index}");
        fs::create_dir_all(&index).unwrap();
        fs::write(format!("{index}/log"), &empty_log).unwrap();
    }
    fs::write(format!("{node}/storage/gc_levels"), [0, 0, 15, 170, 0, 0, 15, 165]).unwrap();
    fs::write(format!("{node}/storage/last_context_split_level"), 4009_i32.to_be_bytes()).unwrap();
    // The commitment of level 4010, and one that nobody knows any more.
    let published = |content: &[u8]| fs::write(format!("{node}/storage/lpc"), content).unwrap();
    let commitments = fs::read(format!("{node}/storage/commitments/data")).unwrap();
    let records: Vec<&[u8]> = commitments.chunks_exact(81).map(|record| &record[4..]).collect();
    let of_level = |level: i32| *records.iter().find(|record| record[33..37] == level.to_be_bytes()).unwrap();
    published(of_level(4010));
    let own = fs::read(format!("{node}/storage/lpc")).unwrap();

    let run = ground.run(&["import", &snapshot, "--force", "--data-dir", &node]).ok();
    assert!(run.err.contains("Kept your last published commitment src1"), "{run}");
    same_as_members(&snapshot, &node, &["storage/lpc", "config.json", "gc_lock", "processing_lock"]);
    assert_eq!(fs::read(format!("{node}/storage/lpc")).unwrap(), own);
    let mode = fs::metadata(format!("{node}/storage/lpc")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    ground.run(&["verify", &node]).ok();

    // Above the new head, or not known to a store that covers its level: dropped, and told.
    for (content, told) in [
        (
            [&of_level(4010)[..33], &5000_i32.to_be_bytes(), &of_level(4010)[37..]].concat(),
            "is above the new head 4023",
        ),
        ([&[0; 33][..], &4010_i32.to_be_bytes(), &[0; 40]].concat(), "is not in the imported store"),
    ] {
        fs::remove_dir_all(&node).unwrap();
        ground.unpack("v4-archive", "node");
        take_back(Path::new(&node), 4012);
        published(&content);
        let run = ground.run(&["import", &snapshot, "--force", "--data-dir", &node]).ok();
        assert!(
            run.err.contains("Dropped your last published commitment") && run.err.contains(told),
            "{run}"
        );
        assert!(!Path::new(&format!("{node}/storage/lpc")).exists());
    }
}

/// Older than all that the new store holds: nothing there could contradict it.
#[test]
fn what_was_published_long_ago_is_kept() {
    let ground = Ground::new();
    let snapshot = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    let node = ground.unpack("v4-full", "node");
    let path = |name: &str| format!("{node}/storage/{name}");
    let mut head = fs::read(path("l2_head")).unwrap();
    head[32..36].copy_from_slice(&800_020_i32.to_be_bytes());
    fs::write(path("l2_head"), head).unwrap();
    let content = [&[0; 33][..], &800_005_i32.to_be_bytes(), &[7; 40]].concat();
    fs::write(path("lpc"), &content).unwrap();
    let run = ground.run(&["import", &snapshot, "--force", "--data-dir", &node]).ok();
    assert!(run.err.contains("(level 800005)") && run.err.contains("Kept your last published"), "{run}");
    assert_eq!(fs::read(path("lpc")).unwrap(), content);
}

#[test]
fn history_modes_must_be_equal() {
    let ground = Ground::new();
    let data = ground.unpack("v4-archive", "data");
    let snapshot = snapshot_of(&ground, &data, "v4-archive", "head");
    let node = ground.unpack("v4-archive", "node");
    take_back(Path::new(&node), 4012);
    fs::write(format!("{node}/storage/history_mode"), [1]).unwrap();
    let before = ground.tree();
    for format in [&[][..], &["--format", "mavkit"]] {
        let words = [&["import", &snapshot, "--force", "--data-dir", &node], format].concat();
        ground.run(&words).refused(4, "Cannot import an archive snapshot into a full rollup node.");
        ground.tree().same_as(&before, "refused");
    }
}

#[test]
fn there_is_no_level() {
    let ground = Ground::new();
    let snapshot = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    let before = ground.tree();
    let run = ground.run(&["import", &snapshot, "--data-dir", "node", "--level", "800020"]);
    run.refused(4, "--level takes stores of version 5 back, and the snapshot holds an older one");
    ground.tree().same_as(&before, "refused");
}

#[test]
fn whose_rules_apply_can_be_said() {
    let ground = Ground::new();
    let v4 = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    let v5 = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    let before = ground.tree();
    ground
        .run(&["import", &v4, "--data-dir", "node", "--format", "octez"])
        .refused(1, "Retired store version 4, recover from snapshot");
    ground
        .run(&["import", &v5, "--data-dir", "node", "--format", "mavkit"])
        .refused(1, "the store has version 5, which no Mavkit node reads");
    ground.tree().same_as(&before, "refused");
    ground.run(&["import", &v4, "--data-dir", "node", "--format", "mavkit"]).ok();
    ground.run(&["import", &v5, "--data-dir", "other", "--format", "octez"]).ok();
}

/// The data of the two families on one ground: the same rollup cannot be had of the fixtures, so the metadata
/// of one are given to the other, and its header.
#[test]
fn a_store_of_the_other_family_is_replaced_wholly() {
    let ground = Ground::new();
    let v4 = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    let node = ground.unpack("v5-full", "node");
    let before = ground.tree();
    // The rollup is compared all the same.
    ground
        .run(&["import", &v4, "--force", "--data-dir", &node])
        .refused(4, "The existing rollup node is for sr1");
    ground.tree().same_as(&before, "refused");
    let rollup = expect("v4-full")["rollup_address"].as_str().unwrap().to_owned();
    let told = |name: &str, rollup: &str| {
        let path = format!("{name}/metadata");
        let text = fs::read_to_string(&path).unwrap();
        let old: Value = serde_json::from_str(&text).unwrap();
        fs::write(&path, text.replace(old["rollup_address"].as_str().unwrap(), rollup)).unwrap();
    };
    told(&node, &rollup);
    // And so is the level.
    ground.run(&["import", &v4, "--force", "--data-dir", &node]).refused(4, "is already at level 2000029");
    let db = rusqlite::Connection::open(format!("{node}/store.sqlite")).unwrap();
    db.execute("UPDATE rollup_node_state SET level = 700000 WHERE name = 'l2_head'", []).unwrap();
    // What was published with the one node is known to the other's store.
    let published = expect("v4-full")["commitments"][1].clone();
    let level = i32::try_from(published["inbox_level"].as_i64().unwrap()).unwrap();
    let row = "REPLACE INTO rollup_node_state (name, value, level) VALUES ('lpc', ?1, ?2)";
    db.execute(row, (published["hash"].as_str().unwrap(), level)).unwrap();
    drop(db);
    fs::write(format!("{node}/store.sqlite-shm"), "of the old store").unwrap();
    // Pre-images are the operator's own.
    let own = Tree::of(Path::new(&node)).only(|name| name.starts_with("wasm_2_0_0/"));
    let kept = [&["config.json", "gc_lock", "processing_lock"][..], &own.names()].concat();
    let run = ground.run(&["import", &v4, "--force", "--data-dir", &node]).ok();
    assert!(run.err.contains("Mavkit nodes go on from there, and Octez nodes since v21 do not"), "{run}");
    assert!(run.err.contains("Kept your last published commitment src1"), "{run}");
    same_as_members(&v4, &node, &[&kept[..], &["storage/lpc"]].concat());
    let lpc = fs::read(format!("{node}/storage/lpc")).unwrap();
    let values = fs::read(format!("{node}/storage/commitments/1/data")).unwrap();
    let record = values.chunks_exact(81).find(|record| record[37..41] == level.to_be_bytes());
    assert_eq!(record.map(|record| &record[4..]), Some(&lpc[..]));
    ground.run(&["verify", &node]).ok();

    // And back: from version 4 to 5.
    let v5 = ground.snapshot("data-dir/v5-archive.head.snapshot.gz");
    let node = ground.unpack("v4-archive", "back");
    told(&node, expect("v5-archive")["rollup_address"].as_str().unwrap());
    ground.run(&["import", &v5, "--force", "--data-dir", &node]).refused(4, "is already at level 4023");
    let head = format!("{node}/storage/l2_head");
    let mut bytes = fs::read(&head).unwrap();
    bytes[32..36].copy_from_slice(&900_i32.to_be_bytes());
    fs::write(&head, bytes).unwrap();
    let run = ground.run(&["import", &v5, "--force", "--data-dir", &node]).ok();
    assert!(run.err.contains("Octez nodes since v21 go on from there, and Mavkit nodes do not"), "{run}");
    assert!(!Path::new(&format!("{node}/storage")).exists());
    ground.run(&["verify", &node]).ok();

    // Beginnings of a store, as a node leaves them that refused an import.
    fs::create_dir_all(ground.path("begun/storage/l2_blocks/index")).unwrap();
    fs::write(ground.path("begun/storage/version"), "{ \"store_version\": 4 }").unwrap();
    ground.run(&["import", &v4, "--force", "--data-dir", "begun"]).ok();
    // Two stores in one place: which of them counts has to be said.
    let node = ground.unpack("v4-archive", "mixed");
    take_back(Path::new(&node), 4012);
    fs::write(format!("{node}/store.sqlite"), "something").unwrap();
    let data = ground.unpack("v4-archive", "data");
    let snapshot = snapshot_of(&ground, &data, "v4-archive", "head");
    let words = ["import", &snapshot, "--force", "--data-dir", &node];
    ground.run(&words).refused(4, "two stores are in the data directory");
    ground.run(&[&words[..], &["--format", "mavkit"]].concat()).ok();
    assert!(!Path::new(&format!("{node}/store.sqlite")).exists());
}

#[test]
fn what_a_snapshot_must_not_bring() {
    let ground = Ground::new();
    let data = ground.unpack("v4-archive", "data");
    let header = expect("v4-archive")["headers"]["head"]["hex"].as_str().unwrap().to_owned();
    let refused = |name: &str, status: i32, text: &str, change: &dyn Fn(&Path)| {
        let (staged, file) = (ground.at("staged"), ground.at("snapshot"));
        oracle(&["stage", &data, &staged, "head"]);
        change(Path::new(&staged));
        oracle(&["pack", &staged, &file, &header]);
        fs::remove_dir_all(staged).unwrap();
        let before = ground.tree();
        for words in [&["--data-dir", "node"][..], &["--data-dir", "node", "--no-check"]] {
            let run = ground.run(&[&["import", &file], words].concat());
            assert!(run.err.contains(text), "{name}: {run}");
            assert_eq!(run.status, status, "{run}");
            ground.tree().same_as(&before, name);
        }
    };
    let storage = |root: &Path, name: &str| root.join("storage").join(name);
    refused("lpc", 3, "does not belong in a snapshot", &|root| {
        fs::write(storage(root, "lpc"), [0; 77]).unwrap();
    });
    let report = ground.run(&["verify", "--json", "snapshot"]).ends(1).json();
    assert_eq!(failures(&report), [("snapshot.member".to_owned(), 0)]);
    refused("unversioned", 1, "Unversionned store, cannot produce snapshot.", &|root| {
        fs::remove_file(storage(root, "version")).unwrap();
    });
    refused("version 3", 1, "Incompatible store version v3, expected v4.", &|root| {
        fs::write(storage(root, "version"), "{ \"store_version\": 3 }").unwrap();
    });
    refused("version 9", 1, "Unsupported store version 9", &|root| {
        fs::write(storage(root, "version"), "{ \"store_version\": 9 }").unwrap();
    });
    refused("mixed", 1, "two stores are in one data directory", &|root| {
        let name = ground.at("database");
        let other = ground.path("database/store.sqlite");
        if !other.exists() {
            ground.unpack("v5-archive", "database");
        }
        fs::copy(other, root.join("store.sqlite")).unwrap();
        fs::remove_dir_all(name).unwrap();
    });
    refused("no store", 3, "the snapshot holds no store", &|root| {
        fs::remove_dir_all(root.join("storage")).unwrap();
    });
    refused("no head", 1, "There is no head in the rollup node store", &|root| {
        fs::remove_file(storage(root, "l2_head")).unwrap();
    });
}

#[test]
fn compact_snapshots_are_rebuilt_or_kept_when_told() {
    let ground = Ground::new();
    let snapshot = ground.snapshot("snapshot/archive-compact.gz");
    let before = ground.tree();
    let run = ground.run(&["import", &snapshot, "--data-dir", "node"]);
    let run = run.refused(4, "the protocol of a level is not known");
    assert!(run.err.contains("--keep-compact") && !run.err.contains("--level"), "{run}");
    ground.tree().same_as(&before, "refused");
    let run = ground.run(&["import", &snapshot, "--data-dir", "node", "--keep-compact", "--no-check"]).ok();
    assert!(run.err.contains("Kept compact: there is one context, that of level 1000"), "{run}");
    same_as_members(&snapshot, &ground.at("node"), &[]);

    // One of our own, whose messages are true: with all checks.
    let data = ground.unpack("v4-full", "data");
    ground.run(&["export", "own", "--data-dir", &data, "--compact"]).ok();
    // No machine has a state like that.
    let run = ground.run(&["import", "own", "--data-dir", "true"]).ends(1);
    assert!(run.err.contains("[pvm.state]"), "{run}");
    ground.run(&["import", "own", "--data-dir", "true", "--keep-compact"]).ok();
    same_as_members(&ground.at("own"), &ground.at("true"), &[]);
    let report = ground.run(&["verify", "--json", "true"]).ok().json();
    assert_eq!(report["verdicts"]["consistent"], "yes");
}

/// Every mutant that nodes import: refused with the words of Mavkit, or by what only rollsnap finds.
#[test]
fn every_mutant() {
    let mut seen = 0;
    for entry in fixtures::mutants() {
        let is_v4 = entry["base"].as_str().is_some_and(|base| base.starts_with("v4-"));
        if !is_v4 || entry["command"] != "import" {
            continue;
        }
        seen += 1;
        let id = entry["id"].as_str().unwrap();
        let ground = Ground::new();
        ground.mutants(&[id]);
        let layer_1 = Stub::start(
            &serde_json::from_slice(&fs::read(ground.path(&format!("{id}/l1.json"))).unwrap()).unwrap(),
            &[],
        );
        let before = ground.tree();
        let import = ["import", &format!("{id}/snapshot"), "--data-dir", "node"];
        let run = ground.run(&[&["-E", layer_1.url()], &import[..]].concat());
        if entry["accept"] == true {
            run.ok();
            continue;
        }
        run.refused(1, "");
        ground.tree().same_as(&before, id);
        // Rule P4 comes first where layer 1 is asked, and would say it in other words.
        let run = ground.run(&import).refused(1, "");
        ground.tree().same_as(&before, id);
        let Some(text) = entry["error"]["mavkit"].as_str() else { continue };
        let text = text.trim_start_matches("(?s)");
        let is_said = match text {
            // Values that the node's store cannot read.
            "decod" | "cannot_read_from_store" => run.err.contains("[store.value]"),
            text => text.split("\\w+").all(|part| run.err.contains(part)),
        };
        assert!(is_said, "{text:?}: {run}");
    }
    assert_eq!(seen, 16);
}

#[test]
fn layer_1_is_asked_in_the_words_of_mavkit() {
    let ground = Ground::new();
    let data = ground.unpack("v4-archive", "data");
    let snapshot = snapshot_of(&ground, &data, "v4-archive", "head");
    let node = ground.unpack("v4-archive", "node");
    take_back(Path::new(&node), 4012);
    let head = expect("v4-archive");
    let last =
        head["commitments"].as_array().unwrap().iter().max_by_key(|c| c["inbox_level"].as_i64()).unwrap();
    let mut unpublished = view("v4-archive");
    unpublished["commitments"].as_array_mut().unwrap().retain(|known| known["hash"] != last["hash"]);
    let layer_1 = Stub::start(&unpublished, &[]);
    let before = ground.tree();
    let import = ["-E", layer_1.url(), "import", &snapshot, "--force", "--data-dir"];
    let text = "Last commitment of snapshot is not published on L1.";
    let run = ground.run(&[&import[..], &[&node]].concat()).refused(1, text);
    assert!(run.err.contains("Could not locate commitment"), "{run}");
    // Whose snapshot it is cannot be known yet where nothing is in place, unless the user says so.
    ground.run(&[&import[..], &["new", "--format", "mavkit"]].concat()).refused(1, text);
    ground.run(&[&import[..], &["new"]].concat()).refused(1, "is not published on L1.");
    ground.tree().same_as(&before, "refused");
    // A block of layer 1 at or above the header's level is no hindrance for Mavkit.
    let mut later = view("v4-archive");
    later["savepoint"]["level"] = 4023.into();
    let layer_1 = Stub::start(&later, &[]);
    let run = ground.run(&["-E", layer_1.url(), "import", &snapshot, "--force", "--data-dir", &node]);
    assert!(!run.err.contains("savepoint"), "{run}");
}

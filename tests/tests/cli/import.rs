//! `import` as an operator runs it: round trips, what stays, what goes, what is refused.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use rollsnap_tests::cli::{Ground, Tree, dump, expect, oracle};
use rollsnap_tests::fixtures;
use serde_json::{Value, json};

const DONE: &str = "Snapshot successfully imported\n";

/// What a snapshot carries besides the store.
fn is_carried(name: &str) -> bool {
    name == "metadata" || ["context/", "wasm_2_0_0/"].iter().any(|top| name.starts_with(top))
}

/// Content, mode and time of every carried file.
fn carried(tree: &Tree) -> BTreeMap<String, (String, u32, i128)> {
    let files = tree.files();
    let entry = |name: &str| {
        let entry = &tree.0[name];
        (entry.content.clone(), entry.mode, entry.mtime)
    };
    files.keys().filter(|name| is_carried(name)).map(|name| ((*name).to_owned(), entry(name))).collect()
}

/// All tables, without the last published commitment: it is the operator's own.
fn tables(database: &str) -> Value {
    let mut found = dump(database);
    assert_eq!(found["integrity"], json!(["ok"]), "{database}");
    assert_eq!(found["journal"], "wal", "{database}");
    let state = found["tables"]["rollup_node_state"].as_array_mut().unwrap();
    state.retain(|row| row["name"] != "lpc");
    found["tables"].take()
}

fn state(database: &str, name: &str) -> Option<Value> {
    let found = dump(database);
    found["tables"]["rollup_node_state"].as_array().unwrap().iter().find(|row| row["name"] == name).cloned()
}

/// What an import into a fresh directory may leave besides the data.
fn without_lock(tree: Tree) -> Tree {
    tree.only(|name| name != "lock" && !name.is_empty())
}

/// More files than a batch of the writing thread takes, and one that spans many.
#[test]
fn hundreds_of_pre_images_and_a_large_file_arrive() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    oracle(&["pages", &format!("{data}/wasm_2_0_0"), "3"]);
    let noise: Vec<u8> =
        (0..5_000_000_u32).map(|word| (word.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    fs::write(ground.path("data/context/unknown"), noise).unwrap();
    for (name, mode) in [("context/unknown", 0o640), ("context/store.dict", 0o400), ("metadata", 0o777)] {
        fs::set_permissions(ground.path(&format!("data/{name}")), Permissions::from_mode(mode)).unwrap();
    }
    ground.run(&["export", "snapshot", "--fast", "--no-check", "--level", "head", "--data-dir", &data]).ok();
    let mut wanted = carried(&Tree::of(data.as_ref()));
    assert!(wanted.len() > 700);
    // What an archive tells of times, and what an owner must be able to do with a file.
    for (_, _, mtime) in wanted.values_mut() {
        *mtime -= *mtime % 1_000_000_000;
    }
    wanted.get_mut("context/store.dict").unwrap().1 |= 0o200;
    // What an archive does not decide: who else may write to it.
    wanted.get_mut("metadata").unwrap().1 &= !0o022;
    ground.run(&["import", "snapshot", "--no-check", "--data-dir", "new"]).ok();
    assert_eq!(carried(&Tree::of(&ground.path("new"))), wanted);
    ground.run(&["extract", "snapshot", "-C", "files"]).ok();
    assert_eq!(carried(&Tree::of(&ground.path("files"))), wanted);
}

#[test]
fn an_imported_export_is_the_directory_itself() {
    for base in ["v5-archive", "v5-full", "v5-genesis", "v5-reorg", "v5-sparse"] {
        let ground = Ground::new();
        let data = ground.unpack(base, "data");
        ground.run(&["export", "snapshot", "--level", "head", "--data-dir", &data]).ok();
        let run = ground.run(&["import", "snapshot", "--data-dir", "new/place"]).ok();
        assert_eq!(run.text(), DONE);
        assert!(run.err.contains("not checked: whether the last commitment is published"), "{run}");
        let new = Tree::of(&ground.path("new/place"));
        assert_eq!(carried(&new), carried(&Tree::of(data.as_ref())), "{base}");
        assert_eq!(
            tables(&ground.at("new/place/store.sqlite")),
            tables(&format!("{data}/store.sqlite")),
            "{base}"
        );
        assert_eq!(state(&ground.at("new/place/store.sqlite"), "lpc"), None);
        let tops: Vec<&str> = new.names().into_iter().filter(|name| !name.contains('/')).collect();
        assert!(
            tops.iter()
                .all(|top| ["", "context", "lock", "metadata", "store.sqlite", "wasm_2_0_0"].contains(top)),
            "{tops:?}"
        );
        // The copy is as good a source as the original.
        ground.run(&["export", "again", "--level", "head", "--data-dir", "new/place"]).ok();
        let list = |file: &str| ground.run(&["ls", "--sha256", file]).ok().text().to_owned();
        let no_store = |text: String| {
            text.lines().filter(|line| !line.ends_with("store.sqlite")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(no_store(list("again")), no_store(list("snapshot")));
    }
}

#[test]
fn snapshots_of_the_nodes_are_imported_from_files_and_pipes() {
    let ground = Ground::new();
    for name in ["data-dir/v5-archive.head.snapshot.gz", "data-dir/v5-full.finalized.snapshot.gz"] {
        let bytes = fixtures::read(name);
        let base = &name["data-dir/".len()..name.find('.').unwrap()];
        let level = if base == "v5-full" { "finalized" } else { "head" };
        let data = ground.unpack(base, base);
        let run = ground.run_with(&["import", "-", "--data-dir", &format!("from-pipe-{base}")], &bytes).ok();
        assert_eq!(run.text(), DONE);
        let file = ground.snapshot(name);
        ground.run(&["import", &file, "--data-dir", &format!("from-file-{base}")]).ok();
        let staged = ground.at("staged");
        oracle(&["stage", &data, &staged, level]);
        for from in ["pipe", "file"] {
            let store = ground.at(&format!("from-{from}-{base}/store.sqlite"));
            assert_eq!(tables(&store), tables(&format!("{staged}/store.sqlite")));
            assert_eq!(
                carried(&Tree::of(&ground.path(&format!("from-{from}-{base}")))),
                carried(&Tree::of(data.as_ref()))
            );
        }
    }
}

#[test]
fn an_older_schema_is_imported_as_it_is() {
    let ground = Ground::new();
    let data = ground.unpack("v5-old-schema", "data");
    let header = expect("v5-old-schema")["headers"]["head"]["hex"].as_str().unwrap().to_owned();
    oracle(&["stage", &data, &ground.at("staged"), "head"]);
    oracle(&["pack", &ground.at("staged"), &ground.at("snapshot"), &header]);
    ground.run(&["import", "snapshot", "--data-dir", "new"]).ok();
    assert_eq!(tables(&ground.at("new/store.sqlite")), tables(&format!("{data}/store.sqlite")));
}

#[test]
fn the_store_is_taken_back_to_a_level() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    let snapshot = ground.snapshot("data-dir/v5-archive.head.snapshot.gz");
    for level in ["1000", "1017", "1022", "1023"] {
        let place = format!("at-{level}");
        ground.run(&["import", &snapshot, "--data-dir", &place, "--level", level]).ok();
        oracle(&["stage", &data, &ground.at("staged"), level]);
        assert_eq!(
            tables(&ground.at(&format!("{place}/store.sqlite"))),
            tables(&ground.at("staged/store.sqlite")),
            "{level}"
        );
    }
    for (level, status, text) in [
        ("999", 1, "Requested level 999 is below the first available level 1000."),
        ("1024", 4, "Cannot import a snapshot for level 1023 at level 1024."),
        ("0", 2, "Invalid import level \"0\". Expected a positive integer."),
        ("head", 2, "Invalid import level \"head\". Expected a positive integer."),
        ("+5", 2, "Invalid import level \"+5\". Expected a positive integer."),
    ] {
        ground.run(&["import", &snapshot, "--data-dir", "none", "--level", level]).refused(status, text);
        assert!(!ground.path("none").exists(), "{level}");
    }
}

/// A directory six levels behind the snapshot `ok-i5c-older/snapshot`.
fn behind() -> (Ground, String, String) {
    let ground = Ground::new();
    ground.mutants(&["ok-i5c-older"]);
    let (target, snapshot) = (ground.at("ok-i5c-older/target"), ground.at("ok-i5c-older/snapshot"));
    (ground, target, snapshot)
}

#[test]
fn what_is_the_operators_own_stays() {
    let (ground, target, snapshot) = behind();
    let own = |name: &str| ground.path(&format!("ok-i5c-older/target/{name}"));
    fs::write(own("config.json"), b"{\"mine\": 1}").unwrap();
    fs::write(own("lock"), b"4711").unwrap();
    fs::write(own("wasm_2_0_0/00own"), b"own page").unwrap();
    fs::create_dir_all(own("arith/deep")).unwrap();
    fs::write(own("arith/deep/page"), b"of another machine").unwrap();
    fs::create_dir_all(own("storage/old")).unwrap();
    fs::write(own("storage/version"), b"{ \"store_version\": 5 }").unwrap();
    fs::write(own("storage/old/file"), b"").unwrap();
    fs::write(own("context/store.9.suffix"), b"of the old context").unwrap();
    fs::create_dir(own("logs")).unwrap();
    fs::write(own("logs/today"), b"log").unwrap();
    let before = Tree::of(target.as_ref());
    let lpc = state(&format!("{target}/store.sqlite"), "lpc").unwrap();
    ground.run(&["import", &snapshot, "--data-dir", &target]).refused(4, "is already populated");
    Tree::of(target.as_ref()).same_as(&before, "refused");

    let run = ground.run(&["import", &snapshot, "--force", "--data-dir", &target]).ok();
    let after = Tree::of(target.as_ref());
    for name in [
        "config.json",
        "lock",
        "gc_lock",
        "processing_lock",
        "wasm_2_0_0/00own",
        "arith/deep/page",
        "logs/today",
    ] {
        assert_eq!(after.0.get(name), before.0.get(name), "{name}");
    }
    for name in ["storage", "context/store.9.suffix", "store.sqlite-wal", "store.sqlite-shm"] {
        assert_eq!(after.0.get(name), None, "{name}");
    }
    assert!(!after.names().iter().any(|name| name.contains("rollsnap")), "{:?}", after.names());
    assert_eq!(state(&format!("{target}/store.sqlite"), "lpc"), Some(lpc), "{run}");
    let data = ground.unpack("v5-archive", "data");
    assert_eq!(tables(&format!("{target}/store.sqlite")), tables(&format!("{data}/store.sqlite")));

    // Now it is as new as the snapshot.
    let text = "The rollup node is already at level 1023 but the snapshot is only for level 1023.";
    ground.run(&["import", &snapshot, "--force", "--data-dir", &target]).refused(6, text);
    Tree::of(target.as_ref()).same_as(&after, "refused");
}

#[test]
fn a_last_published_commitment_that_makes_no_sense_any_more_goes() {
    let (ground, target, snapshot) = behind();
    let lpc = state(&format!("{target}/store.sqlite"), "lpc").unwrap();
    let below = (lpc["level"].as_i64().unwrap() - 1).to_string();
    let args = ["--force", "--data-dir", &target, "--level", &below];
    let run = ground.run(&[&["import", &snapshot], &args[..]].concat()).ok();
    assert!(
        run.err
            .contains(&format!("Dropped your last published commitment {}", lpc["value"].as_str().unwrap())),
        "{run}"
    );
    assert_eq!(state(&format!("{target}/store.sqlite"), "lpc"), None);
}

#[test]
fn the_log_of_a_node_that_crashed_goes_with_its_store() {
    let (ground, target, snapshot) = behind();
    // Leaves a write-ahead log that holds a change, as a killed node does.
    let script = "import os, sqlite3, sys\n\
        db = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
        db.execute('PRAGMA journal_mode=wal')\n\
        db.execute('PRAGMA wal_autocheckpoint=0')\n\
        db.execute('UPDATE protocols SET proto_level = 77')\n\
        os._exit(0)\n";
    let store = format!("{target}/store.sqlite");
    assert!(Command::new("python3").args(["-c", script, &store]).status().unwrap().success());
    assert!(fs::metadata(format!("{store}-wal")).unwrap().len() > 0);
    // Whoever reads such a store builds its index of the log anew; that holds no data.
    let look = || Tree::of(target.as_ref()).only(|name| name != "store.sqlite-shm");
    let before = look();
    ground.run(&["import", &snapshot, "--force", "--level", "1024", "--data-dir", &target]).ends(4);
    look().same_as(&before, "a refused import does not touch the log");
    ground.run(&["import", &snapshot, "--force", "--data-dir", &target]).ok();
    let after = Tree::of(target.as_ref());
    assert!(!after.names().iter().any(|name| name.starts_with("store.sqlite-")), "{:?}", after.names());
    let data = ground.unpack("v5-archive", "data");
    assert_eq!(tables(&store), tables(&format!("{data}/store.sqlite")));
}

#[test]
fn a_store_that_cannot_be_read_is_replaced_by_force() {
    let (ground, target, snapshot) = behind();
    let store = format!("{target}/store.sqlite");
    let bytes = fs::read(&store).unwrap();
    for damaged in [&bytes[..bytes.len() / 2], &b"not a database at all, but some text"[..], &[]] {
        fs::write(&store, damaged).unwrap();
        let before = Tree::of(target.as_ref());
        ground.run(&["import", &snapshot, "--data-dir", &target]).refused(4, "is already populated");
        Tree::of(target.as_ref()).same_as(&before, "refused");
        let run = ground.run(&["import", &snapshot, "--force", "--data-dir", &target]).ok();
        assert!(run.err.contains("will be replaced"), "{run}");
        tables(&store);
    }
    // The rollup that it was for still counts.
    fs::write(&store, b"not a database at all, but some text").unwrap();
    let other = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    ground
        .run(&["import", &other, "--force", "--data-dir", &target])
        .refused(4, "The existing rollup node is for ");
}

#[test]
fn an_archive_snapshot_makes_a_full_directory_stay_full() {
    let ground = Ground::new();
    ground.mutants(&["ok-i5-archive-into-full"]);
    let place = |name: &str| ground.at(&format!("ok-i5-archive-into-full/{name}"));
    let run = ground.run(&["import", &place("snapshot"), "--force", "--data-dir", &place("target")]).ok();
    assert!(run.err.contains("stays full"), "{run}");
    assert_eq!(state(&place("target/store.sqlite"), "history_mode").unwrap()["value"], "full");
    // Nothing else of the mode is the old one.
    let data = ground.unpack("v5-archive", "data");
    let (mut found, mut expected) =
        (tables(&place("target/store.sqlite")), tables(&format!("{data}/store.sqlite")));
    for tables in [&mut found, &mut expected] {
        tables["rollup_node_state"].as_array_mut().unwrap().retain(|row| row["name"] != "history_mode");
    }
    assert_eq!(found, expected);
}

#[test]
fn accepted_targets() {
    let ground = Ground::new();
    ground.mutants(&["ok-i1-config"]);
    let (target, snapshot) = (ground.at("ok-i1-config/target"), ground.at("ok-i1-config/snapshot"));
    ground.run(&["import", &snapshot, "--data-dir", &target]).ok();
    assert_eq!(fs::read(format!("{target}/config.json")).unwrap(), b"{}");
    // The default directory, and every option of the nodes.
    let words = [
        "-E",
        "http://127.0.0.1:9",
        "snapshot",
        "import",
        &snapshot,
        "--no-checks",
        "--apply-unsafe-patches",
    ];
    let run = ground.run(&[&words[..], &["--dal-node", "http://127.0.0.1:9"]].concat()).ok();
    assert!(run.err.contains("Note: not checked: header, store, chain and layer 1 (--no-check)\n"), "{run}");
    let home = ground.path("home/.tezos-smart-rollup-node");
    let imported = without_lock(Tree::of(&home));
    let other = without_lock(Tree::of(target.as_ref()));
    assert_eq!(carried(&imported), carried(&other));
    // A directory that is a link.
    fs::create_dir(ground.path("real")).unwrap();
    symlink("real", ground.path("link")).unwrap();
    ground.run(&["import", &snapshot, "--data-dir", "link"]).ok();
    assert!(ground.path("link").symlink_metadata().unwrap().is_symlink());
    assert_eq!(carried(&Tree::of(&ground.path("real"))), carried(&other));
    tables(&ground.at("real/store.sqlite"));
}

#[test]
fn a_linked_context_is_not_orphaned() {
    let (ground, target, snapshot) = behind();
    fs::rename(format!("{target}/context"), ground.path("elsewhere")).unwrap();
    symlink(ground.path("elsewhere"), format!("{target}/context")).unwrap();
    let before = ground.tree();
    let run = ground.run(&["import", &snapshot, "--force", "--data-dir", &target]);
    run.refused(4, "symbolic link");
    ground.tree().same_as(&before, "refused");
}

#[test]
fn json_tells_what_was_imported() {
    let ground = Ground::new();
    let snapshot = ground.snapshot("data-dir/v5-archive.head.snapshot.gz");
    let report =
        ground.run(&["import", &snapshot, "--json", "--data-dir", "new", "--level", "1017"]).ok().json();
    assert_eq!(report["schema"], "rollsnap.report/1");
    assert_eq!((&report["data_dir"], &report["head_level"]), (&json!("new"), &json!(1017)));
    assert_eq!(report["header"]["head_level"], 1023);
    assert_eq!(report["verdicts"]["intact"], "yes");
    let run = ground.run(&["import", &snapshot, "--json", "--data-dir", "new"]).ends(4);
    let report = run.json();
    let check = &report["checks"][0];
    assert_eq!((&check["code"], &check["status"]), (&json!("import.populated"), &json!("unknown")));
    assert!(check["text"].as_str().unwrap().contains("is already populated"), "{check}");
}

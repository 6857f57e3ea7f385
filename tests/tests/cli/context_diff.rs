//! `rollsnap context diff` as an operator runs it: what it says, compared with what `ls` and `cat` show of each state.

use std::collections::BTreeMap;
use std::fs;

use rollsnap_tests::cli::{Ground, Tree};
use rollsnap_tests::irmin;
use serde_json::{Value, json};

/// Every key of a state and its bytes, as `ls` and `cat` show them.
fn keys(ground: &Ground, source: &str, level: &str, below: &str) -> BTreeMap<String, Vec<u8>> {
    let mut keys = BTreeMap::new();
    let mut left = vec![below.to_owned()];
    while let Some(key) = left.pop() {
        let list = ground.run(&["context", "ls", source, &key, "--level", level, "--json", "-q"]).ok().json();
        for row in list["entries"].as_array().unwrap() {
            let name = row["name"].as_str().unwrap();
            let key = format!("{}/{name}", key.trim_end_matches('/'));
            if !row["size"].is_null() {
                let value = ground.run(&["context", "cat", source, &key, "--level", level, "-q"]).ok();
                keys.insert(key.clone(), value.out);
            }
            if row["below"] == true {
                left.push(key);
            }
        }
    }
    keys
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn side(value: Option<&Vec<u8>>, most: usize) -> Value {
    value.map_or(
        Value::Null,
        |value| json!({"size": value.len(), "begins": hex(&value[..value.len().min(most)])}),
    )
}

/// The rows that are expected of two states.
fn rows(
    a: &BTreeMap<String, Vec<u8>>,
    b: &BTreeMap<String, Vec<u8>>,
    most: usize,
) -> BTreeMap<String, Value> {
    let all = a.keys().chain(b.keys());
    let differ = all.filter(|key| a.get(*key) != b.get(*key));
    let row = |key: &String| {
        let (before, after) = (a.get(key), b.get(key));
        let change = match (before, after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        let (before, after) = (side(before, most), side(after, most));
        (key.clone(), json!({"path": key, "change": change, "before": before, "after": after}))
    };
    differ.map(row).collect()
}

fn found(diff: &Value) -> BTreeMap<String, Value> {
    let rows = diff["changes"].as_array().unwrap();
    let found: BTreeMap<String, Value> =
        rows.iter().map(|row| (row["path"].as_str().unwrap().to_owned(), row.clone())).collect();
    assert_eq!(found.len(), rows.len());
    for change in ["added", "removed", "changed"] {
        let count = rows.iter().filter(|row| row["change"] == change).count();
        assert_eq!(diff[change], count, "{change}");
    }
    found
}

#[test]
fn the_keys_that_differ_between_two_levels() {
    let ground = Ground::new();
    let dir = ground.unpack("v5-full", "node");
    let (old, new) = ("2000012", "2000029");
    let before = Tree::of(dir.as_ref());
    let (a, b) = (keys(&ground, &dir, old, "/"), keys(&ground, &dir, new, "/"));
    let wanted = rows(&a, &b, 3);
    assert!(!wanted.is_empty());
    let diff = |words: &[&str]| {
        ground.run(&[&["context", "diff", &dir, "--json", "-q"], words].concat()).ok().json()
    };
    let json = diff(&["--from", old, "--to", new, "--values", "3"]);
    assert_eq!(found(&json), wanted);
    assert_eq!((&json["from"]["level"], &json["to"]["level"]), (&json!(2_000_012), &json!(2_000_029)));
    assert_eq!(json["path"], "/");
    // The head is what it is compared with if nothing else is named, and a commit is named as well as a level.
    assert_eq!(diff(&["--from", old, "--values", "3"]), json);
    let commit = json["from"]["context_hash"].as_str().unwrap();
    assert_eq!(diff(&["--from", commit, "--to", "head", "--values", "3"]), json);
    assert_eq!(diff(&["--from", json["from"]["hash"].as_str().unwrap(), "--values", "3"]), json);
    // The other way round.
    assert_eq!(found(&diff(&["--from", new, "--to", old, "--values", "3"])), rows(&b, &a, 3));
    // Below a key, and of a key alone.
    for below in ["/kernel", "/kernel/boot.wasm", "/state", "/readonly"] {
        let json = diff(&[below, "--from", old, "--values", "3"]);
        let mut wanted = wanted.clone();
        wanted.retain(|key, _| key == below || key.starts_with(&format!("{below}/")));
        assert_eq!(found(&json), wanted, "{below}");
    }
    // Values are shown if they are asked for.
    assert!(diff(&["--from", old])["changes"][0]["after"].get("begins").is_none());
    // The state hashes are those of the commitments and blocks, by the fixture's own word.
    let state = ground.run(&["context", "ls", &dir, "", "--level", old, "--json", "-q"]).ok().json();
    let state = state["entries"].as_array().unwrap().iter().find(|row| row["name"] == "pvm_state").unwrap();
    let hash =
        json["from"]["state_hash"].as_str().unwrap().parse::<rollsnap_core::hash::StateHash>().unwrap();
    assert_eq!(hex(hash.as_bytes()), state["hash"].as_str().unwrap());
    // A state does not differ from itself.
    let same = ground.run(&["context", "diff", &dir, "--from", "head", "-q"]).ok();
    assert!(same.text().ends_with("\nNo difference at /\n"), "{same}");
    assert_eq!(found(&diff(&["--from", old, "--to", old])), BTreeMap::new());
    // For people.
    let text = ground.run(&["context", "diff", &dir, "--from", old, "--values", "3"]).ok();
    for (key, row) in &wanted {
        let line = text.text().lines().find(|line| line.ends_with(&format!("  {key}")));
        assert!(line.unwrap().starts_with(row["change"].as_str().unwrap()), "{text}");
    }
    Tree::of(dir.as_ref()).same_as(&before, "a data directory that was looked at");

    // What cannot be compared.
    let words = |words: &[&str]| ground.run(&[&["context", "diff", &dir], words].concat());
    words(&["/nothing", "--from", old]).refused(2, "neither state has anything at \"/nothing\"");
    words(&["--from", "1"]).refused(1, "no block at level 1");
    words(&["--from", "soon"]).refused(2, "[level.request]");
    words(&["--from", &"0".repeat(64)]).refused(1, "the index does not have it");
    assert!(words(&[]).ends(2).err.contains("--from"));
    words(&["--from", old, "--values", "0"]).ends(2);
}

#[test]
fn two_sources() {
    let ground = Ground::new();
    let dir = ground.unpack("v5-full", "node");
    let file = ground.at("old.snapshot");
    ground.run(&["export", "--data-dir", &dir, "--no-check", "--level", "2000020", &file]).ok();
    // Levels are aligned: the newest that both have.
    let json = ground.run(&["context", "diff", &dir, "--with", &file, "--json", "-q"]).ok().json();
    assert_eq!((&json["from"], found(&json).len()), (&json["to"], 0));
    assert_eq!(json["from"]["level"], 2_000_020);
    // Two levels of two sources are those of one.
    let across =
        ["context", "diff", &file, "--from", "2000015", "--with", &dir, "--to", "head", "--json", "-q"];
    let within = ["context", "diff", &dir, "--from", "2000015", "--json", "-q"];
    let (across, within) = (ground.run(&across).ok().json(), ground.run(&within).ok().json());
    assert_eq!(across, within);
    assert!(!found(&within).is_empty());
    // What one lacks is no difference.
    let late = ["context", "diff", &file, "--from", "2000025", "--with", &dir];
    ground.run(&late).refused(1, "2000025");
    let sparse = ground.unpack("v5-sparse", "other");
    let run = ground.run(&["context", "diff", &dir, "--with", &sparse, "--json", "-q"]);
    assert!(run.status <= 1, "{run}");
    // A compact snapshot has one state.
    let compact = ground.at("compact");
    ground.run(&["export", "--data-dir", &dir, "--no-check", "--compact", "--level", "head", &compact]).ok();
    ground.run(&["context", "diff", &compact, "--from", "2000028", "-q"]).refused(1, "cannot be read");
    let json = ground.run(&["context", "diff", &dir, "--with", &compact, "--json", "-q"]).ok().json();
    assert_eq!((found(&json).len(), json["added"].as_u64()), (0, Some(0)));
}

#[test]
fn trees_and_damage() {
    let ground = Ground::new();
    let dump = irmin::dump("tiny");
    let commits: Vec<&str> =
        dump["commits"].as_array().unwrap().iter().map(|commit| commit["hash"].as_str().unwrap()).collect();
    let dir = irmin::dir("tiny");
    let diff = |dir: &str, path: &str| {
        let words = ["context", "diff", dir, path, "--from", commits[0], "--to", commits[2], "--json"];
        ground.run(&words)
    };
    let run = diff(dir.path().to_str().unwrap(), "").ok();
    let json = run.json();
    let state =
        |commit: &str| dump["commits"].as_array().unwrap().iter().find(|row| row["hash"] == commit).unwrap();
    let hash = json["to"]["state_hash"].as_str().unwrap().parse::<rollsnap_core::hash::StateHash>().unwrap();
    assert_eq!(hex(hash.as_bytes()), state(commits[2])["pvm_state"]["hash"].as_str().unwrap());
    let leaves = |commit: &str| -> BTreeMap<String, (Value, Value)> {
        let paths = dump["paths"][commit].as_array().unwrap().iter().filter(|path| path["kind"] != "node");
        let steps = |path: &Value| -> Vec<Vec<u8>> {
            path["path"].as_array().unwrap().iter().map(|step| irmin::step(step.as_str().unwrap())).collect()
        };
        let show = |path: &Value| rollsnap_core::context::path::show(&steps(path));
        paths.map(|path| (show(path), (path["hash"].clone(), path["size"].clone()))).collect()
    };
    let (a, b) = (leaves(commits[0]), leaves(commits[2]));
    let size = |leaf: Option<&(Value, Value)>| leaf.map_or(Value::Null, |(_, size)| json!({"size": size}));
    let wanted: BTreeMap<String, (Value, Value)> = a
        .keys()
        .chain(b.keys())
        .filter(|path| a.get(*path) != b.get(*path))
        .map(|path| (path.clone(), (size(a.get(path)), size(b.get(path)))))
        .collect();
    let rows: BTreeMap<String, (Value, Value)> = found(&json)
        .into_iter()
        .map(|(path, row)| (path, (row["before"].clone(), row["after"].clone())))
        .collect();
    assert_eq!(rows, wanted);

    // A bit of the newest root, and of what both share: the first is an error, the second nobody reads.
    let mut store = irmin::store("tiny");
    let root = state(commits[2])["root_node"]["offset"].as_u64().unwrap();
    store.edit("store.0.suffix")[usize::try_from(root).unwrap() + 40] ^= 1;
    let damaged = store.to_dir();
    diff(damaged.path().to_str().unwrap(), "").ends(1);
    let mut store = irmin::store("tiny");
    store.edit("store.0.suffix")[34] ^= 1;
    let elsewhere = store.to_dir();
    assert_eq!(diff(elsewhere.path().to_str().unwrap(), "").ok().json(), json);

    // A state without paths, and no context at all.
    fs::create_dir(ground.path("empty")).unwrap();
    ground.run(&["context", "diff", "empty", "--from", "1"]).refused(1, "there is no context");
    ground.run(&["context", "diff", "missing", "--from", "1"]).refused(3, "missing");
}

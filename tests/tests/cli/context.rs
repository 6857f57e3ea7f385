//! `rollsnap context` as an operator runs it. Expected values come from the dumps of the real
//! library, from `sqlite3` and from the fixtures' own files.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use rollsnap_tests::cli::{Ground, Tree};
use rollsnap_tests::irmin;
use serde_json::{Value, json};

/// Level and context of the chain, by `sqlite3`.
fn levels(store: &str) -> BTreeMap<String, i64> {
    let query = "SELECT b.context, l.level FROM l2_levels l JOIN l2_blocks b USING (block_hash) \
                 WHERE b.context IS NOT NULL";
    let output = Command::new("sqlite3").args(["-readonly", store, query]).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |line: &str| {
        let (context, level) = line.split_once('|').unwrap();
        (context.to_owned(), level.parse().unwrap())
    };
    text.lines().map(line).collect()
}

fn numbers(list: &Value, field: &str) -> Vec<i64> {
    list.as_array().unwrap().iter().map(|row| row[field].as_i64().unwrap()).collect()
}

#[test]
fn the_log_of_a_context_alone() {
    let ground = Ground::new();
    for name in irmin::STORES {
        let dir = irmin::dir(name);
        let dump = irmin::dump(name);
        let run = ground.run(&["context", "log", dir.path().to_str().unwrap(), "--json"]).ok();
        assert_eq!(run.err, "");
        let log = run.json();
        assert_eq!(log["checks"], json!([]), "{name}");
        let ours: BTreeMap<&str, (bool, &Value, &Value)> = log["commits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                assert_eq!(row["level"], Value::Null);
                let available = row["state"] == "available";
                assert!(available || row["state"] == "collected");
                (row["hash"].as_str().unwrap(), (available, &row["offset"], &row["length"]))
            })
            .collect();
        let available = dump["commits"].as_array().unwrap().iter();
        let available: BTreeMap<&str, bool> = available
            .map(|commit| (commit["hash"].as_str().unwrap(), commit["available"].as_bool().unwrap()))
            .collect();
        let theirs: BTreeMap<&str, (bool, &Value, &Value)> = dump["index"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                let hash = entry["hash"].as_str().unwrap();
                (hash, (available[hash], &entry["offset"], &entry["length"]))
            })
            .collect();
        assert_eq!(ours, theirs, "{name}");
    }
}

/// The same commits, with their levels, whatever form the context comes in.
#[test]
fn the_log_of_a_node() {
    let ground = Ground::new();
    let dir = ground.unpack("v5-full", "node");
    let levels = levels(&format!("{dir}/store.sqlite"));
    // Only now: who asked for the levels may have left a log.
    let before = Tree::of(dir.as_ref());
    let log = |target: &str| ground.run(&["context", "log", target, "--json"]).ok().json();
    let expected = log(&dir);
    let rows = expected["commits"].as_array().unwrap();
    let known: BTreeMap<String, i64> = rows
        .iter()
        .filter(|row| !row["level"].is_null())
        .map(|row| (row["context_hash"].as_str().unwrap().to_owned(), row["level"].as_i64().unwrap()))
        .collect();
    assert_eq!(known, levels);
    assert_eq!((rows.len(), known.len()), (30, 20));
    assert!(rows.iter().all(|row| (row["state"] == "available") != row["level"].is_null()));
    // The newest first, and each begins where the one before ends.
    let offsets = numbers(&expected["commits"], "offset");
    assert!(offsets.is_sorted_by(|a, b| a > b));
    for pair in rows.windows(2) {
        let end = |row: &Value| row["offset"].as_i64().unwrap() + row["length"].as_i64().unwrap();
        assert_eq!(pair[0]["added_bytes"].as_i64().unwrap(), end(&pair[0]) - end(&pair[1]));
    }
    assert_eq!(log(&format!("{dir}/context")), expected);
    let here =
        ground.command(&["context", "log", ".", "--json"]).current_dir(format!("{dir}/context")).output();
    assert_eq!(serde_json::from_slice::<Value>(&here.unwrap().stdout).unwrap(), expected);
    Tree::of(dir.as_ref()).same_as(&before, "a data directory that was looked at");

    let compressed = ground.at("snapshot.gz");
    let plain = ground.at("snapshot");
    ground.run(&["export", "--data-dir", &dir, "--no-check", "--level", "head", &compressed]).ok();
    ground
        .run(&["export", "--data-dir", &dir, "--no-check", "--level", "head", "--uncompressed", &plain])
        .ok();
    assert_eq!(log(&plain), expected);
    assert_eq!(fs::read_dir(ground.path("tmp")).unwrap().count(), 0);
    let spare = ground.at("spare");
    fs::create_dir(&spare).unwrap();
    let run = ground.run(&["context", "log", &compressed, "--json", "--temp-dir", &spare]).ok();
    assert_eq!(run.json(), expected);
    assert!(run.err.contains("unpacked to") && run.err.contains("free"), "{run}");
    assert_eq!(fs::read_dir(&spare).unwrap().count(), 0);
    let piped = ground.run_with(&["context", "log", "-", "--json", "-q"], &fs::read(&compressed).unwrap());
    assert_eq!(piped.err, "");
    assert_eq!(piped.ok().json(), expected);

    // For people: a row for each commit.
    let text = ground.run(&["context", "log", &plain]).ok();
    assert!(
        text.text().starts_with("irmin-pack, version 5, generation 1: 30 commits, 20 can be read\n"),
        "{text}"
    );
    for (context, level) in levels {
        assert!(text.text().lines().any(|line| line.contains(&format!("{level}  {context}"))), "{text}");
    }
}

/// Every directory of a dump as `ls` lists it, every contents as `cat` prints it, in one commit.
#[test]
fn the_tree_of_a_commit() {
    let ground = Ground::new();
    let dir = irmin::dir("one-tiny");
    let target = dir.path().to_str().unwrap();
    let dump = irmin::dump("one-tiny");
    let (hash, paths) = dump["paths"].as_object().unwrap().iter().next().unwrap();
    let steps = |path: &Value| -> Vec<String> {
        let path = path["path"].as_array().unwrap();
        path.iter()
            .map(|step| rollsnap_core::context::path::show_step(&irmin::step(step.as_str().unwrap())))
            .collect()
    };
    let mut listed: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for path in paths.as_array().unwrap() {
        let mut steps = steps(path);
        let shown = steps.join("/");
        if path["kind"] == "node" {
            listed.entry(shown).or_default();
        } else {
            let run = ground.run(&["context", "cat", target, &shown, "--commit", hash]).ok();
            assert_eq!(run.out.len() as u64, path["size"].as_u64().unwrap(), "{shown}");
        }
        let Some(name) = steps.pop() else { continue };
        let mut entry = json!({"name": name, "hash": path["hash"], "offset": path["offset"]});
        if path["kind"] == "node" {
            entry["kind"] = "directory".into();
            entry["entries"] = path["children"].clone();
        } else {
            entry["kind"] = "contents".into();
            entry["size"] = path["size"].clone();
        }
        listed.entry(steps.join("/")).or_default().push(entry);
    }
    assert!(listed.len() > 20);
    for (path, mut entries) in listed {
        let run = ground.run(&["context", "ls", target, &path, "--commit", &hash[..12], "--json"]).ok();
        let json = run.json();
        assert_eq!(json["commit"]["hash"], *hash);
        assert_eq!(json["path"], path);
        entries.sort_by_key(|entry| {
            rollsnap_core::context::path::parse(entry["name"].as_str().unwrap().as_bytes()).unwrap()
        });
        assert_eq!(json["entries"], Value::Array(entries), "{path}");
    }
    let rows = ground.run(&["context", "ls", target, "-q"]).ok();
    assert_eq!(
        rows.text(),
        "d             1  a923cf8cd07a  outside/\nd            13  49a27d214899  pvm_state/\n"
    );
    assert_eq!(rows.err, "");
}

/// The durable storage, as the kernel sees it.
#[test]
fn durable_keys() {
    let ground = Ground::new();
    let dir = ground.unpack("v5-full", "node");
    let keys = |key: &str| -> Vec<(String, Value, bool)> {
        let json = ground.run(&["context", "ls", &dir, key, "--json", "-q"]).ok().json();
        let rows = json["entries"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| {
                (row["name"].as_str().unwrap().into(), row["size"].clone(), row["below"].as_bool().unwrap())
            })
            .collect()
    };
    assert_eq!(
        keys("/"),
        [
            ("kernel".into(), Value::Null, true),
            ("readonly".into(), Value::Null, true),
            ("state".into(), Value::Null, true),
            ("zero".into(), 0.into(), false),
        ]
    );
    assert_eq!(keys("/kernel"), [("boot.wasm".into(), 5000.into(), false)]);
    assert_eq!(keys("/kernel/boot.wasm"), keys("/kernel"));
    // The value is its chunks, one after the other.
    let whole = ground.run(&["context", "cat", &dir, "/kernel/boot.wasm"]).ok();
    let chunk = |number: u32| {
        let path = format!("pvm_state/durable/kernel/boot.wasm/@/contents/{number}");
        ground.run(&["context", "cat", &dir, &path]).ok().out
    };
    assert_eq!(whole.out, [chunk(0), chunk(1)].concat());
    assert_eq!(whole.out.len(), 5000);
    let length = ground.run(&["context", "cat", &dir, "pvm_state/durable/kernel/boot.wasm/@/length"]).ok();
    assert_eq!(length.out, 5000u64.to_be_bytes());
    assert_eq!(ground.run(&["context", "cat", &dir, "/zero"]).ok().out, b"");
    ground.run(&["context", "cat", &dir, "/kernel"]).refused(2, "has no value, only keys below it");
    ground.run(&["context", "cat", &dir, "/kernel/x"]).refused(2, "nothing at \"/kernel/x\"");
    ground.run(&["context", "cat", &dir, "pvm_state"]).refused(2, "\"pvm_state\" is a directory");
    ground.run(&["context", "cat", &dir, "pvm_state/d0/x"]).refused(2, "nothing at \"pvm_state/d0/x\"");
    ground.run(&["context", "ls", &dir, "nowhere"]).refused(2, "[context.path]");
    ground.run(&["context", "ls", &dir, "\\n"]).refused(2, "is not a path");
}

/// Which commit is meant.
#[test]
fn commits_by_hash_and_by_level() {
    let ground = Ground::new();
    let dir = ground.unpack("v5-sparse", "node");
    let levels = levels(&format!("{dir}/store.sqlite"));
    let commit = |words: &[&str]| {
        let words = [&["context", "ls", &dir, "--json"], words].concat();
        ground.run(&words).ok().json()["commit"].clone()
    };
    for (context, level) in &levels {
        let by_level = commit(&["--level", &level.to_string()]);
        assert_eq!((&by_level["context_hash"], &by_level["level"]), (&json!(context), &json!(level)));
        assert_eq!(by_level["author"], "Tezos");
        assert_eq!(commit(&["--commit", context]), by_level);
        let hex = by_level["hash"].as_str().unwrap();
        assert_eq!(commit(&["--commit", hex]), by_level);
        assert_eq!(commit(&["--commit", &hex[..10].to_uppercase()]), by_level);
    }
    // Blocks between two commitments have no context here; the head may be one of them.
    let newest = levels.values().max().unwrap();
    let query = "SELECT level FROM rollup_node_state WHERE name = 'l2_head'";
    let head = Command::new("sqlite3").args([&format!("{dir}/store.sqlite"), query]).output().unwrap().stdout;
    let head = String::from_utf8(head).unwrap().trim().to_owned();
    assert_ne!(head, newest.to_string());
    assert_eq!(commit(&[])["level"], *newest);
    let words = |word: &str, value: &str| ground.run(&["context", "ls", &dir, word, value]);
    words("--level", &head).refused(1, "has no context");
    words("--level", "head").refused(1, "has no context");
    words("--level", "9999999").refused(1, "no block at level 9999999");
    words("--level", "never").refused(2, "Invalid snapshot level");
    words("--commit", "abc").refused(2, "names no commit");
    words("--commit", "SRCo1").refused(2, "is not a context hash");
    words("--commit", &"00".repeat(32)).refused(1, "the index does not have it");
    words("--commit", "0000000000").refused(1, "no commit whose hash begins with");
    let both = ground.run(&["context", "ls", &dir, "--commit", "abcd", "--level", "1"]).ends(2);
    assert!(both.err.contains("cannot be used with '--level <LEVEL>'"), "{both}");
    // A context alone has no levels, and says so.
    let alone = irmin::dir("gc-nosplit");
    let alone = alone.path().to_str().unwrap();
    ground.run(&["context", "ls", alone, "--level", "1"]).refused(1, "no store that tells");
    let json = ground.run(&["context", "ls", alone, "--json"]).ok().json();
    assert_eq!(json["commit"]["hash"], "b9c1c919d78f4544db52793cd8676729f15fadcf6894ebb24f1aed6243465e10");
    let gone = "b5f5633c8d6382e8256a79c9f19ed23f1f6dd5f232afd023dfaff88b55b1cb5b";
    ground.run(&["context", "ls", alone, "--commit", gone]).refused(1, "collected as garbage");
}

#[test]
fn what_a_commit_consists_of() {
    let ground = Ground::new();
    let dir = irmin::dir("one-split");
    let target = dir.path().to_str().unwrap();
    let stat = ground.run(&["context", "stat", target, "--json"]).ok().json();
    let prefix = irmin::store("one-split").get("store.1.prefix").len();
    assert_eq!(stat["objects"]["bytes"], prefix);
    assert_eq!(stat["files"]["prefix_bytes"], prefix);
    assert_eq!(stat["commit"]["context_hash"].as_str().unwrap().len(), 54);
    let depth = |words: &[&str]| {
        let stat = ground.run(&[&["context", "stat", target, "--json"], words].concat()).ok().json();
        numbers(&stat["subtrees"], "depth").into_iter().max()
    };
    assert_eq!((depth(&["--depth", "0"]), depth(&[]), depth(&["--depth", "4"])), (None, Some(2), Some(4)));
    let text = ground.run(&["context", "stat", target]).ok();
    for line in ["contents  ", "directories  ", "inner parts  ", "Depth:  ", "  pvm_state/", "    durable/"] {
        assert!(text.text().contains(line), "{line}: {text}");
    }
}

#[test]
fn what_is_no_context_is_refused() {
    let ground = Ground::new();
    fs::create_dir(ground.path("empty")).unwrap();
    ground.run(&["context", "log", "empty"]).refused(1, "there is no context");
    ground.run(&["context", "log", "missing"]).refused(3, "missing");
    fs::write(ground.path("text"), "no snapshot").unwrap();
    ground.run(&["context", "log", "text"]).refused(3, "Error");
    // Damage is named, in words and in JSON; what can be read is listed.
    let mut store = irmin::store("tiny");
    store.edit("store.0.suffix")[51_440 + 32] = b'C';
    store.edit("store.9.suffix").push(0);
    let dir = store.to_dir();
    let run = ground.run(&["context", "log", dir.path().to_str().unwrap(), "--json"]).ends(1);
    let log = run.json();
    let states: Vec<&str> =
        log["commits"].as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["damaged", "available", "available"]);
    let codes: Vec<(&str, &str)> = log["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (check["code"].as_str().unwrap(), check["status"].as_str().unwrap()))
        .collect();
    assert_eq!(codes, [("context.leftover", "warning"), ("context.entry", "no")]);
    let text = ground.run(&["context", "log", dir.path().to_str().unwrap()]).ends(1);
    assert!(text.text().contains("damaged") && text.text().contains("store.9.suffix"), "{text}");
    // A snapshot that was cut.
    let cut = ground.snapshot("snapshot/octez-full.uncompressed");
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..100_000]).unwrap();
    ground.run(&["context", "log", &cut]).refused(3, "[tar.truncated]");
    // A context of another kind.
    let riscv = ground.at("riscv");
    fs::create_dir(&riscv).unwrap();
    let name = "01c19856c09173f321ae74102976c3385fbe9cec63cb83b45e6a2d4054353106";
    fs::write(format!("{riscv}/{name}"), "the end").unwrap();
    assert_eq!(ground.run(&["context", "log", &riscv, "--json"]).ok().json()["kind"], "riscv");
    assert_eq!(
        ground.run(&["context", "stat", &riscv, "--json"]).ok().json()["chunks"],
        json!({"count": 1, "bytes": 7})
    );
    ground.run(&["context", "ls", &riscv]).refused(2, "riscv");
}

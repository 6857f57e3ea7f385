//! What is in the way, damaged, in use or stopped changes nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use rollsnap_tests::cli::{Ground, Holder, Run, Running, Tree, program};
use rollsnap_tests::fixtures;

use crate::plant;

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
        ("five", 6, "the store is of version 5 already"),
        ("octez-archive.gz", 6, "the store is of version 5 already"),
        ("empty", 3, "data-dir.none"),
        ("text", 3, "header.foreign"),
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

//! Compact snapshots as an operator makes and meets them: against the one that the real library made of
//! the same data directory, and as the reader in Python (`tests/cli/irmin.py`) sees them.

use std::fs;
use std::path::Path;
use std::process::Command;

use rollsnap::context::{ContextWriter, Flushing};
use rollsnap_core::context::edit;
use rollsnap_core::context::pack::hashing;
use rollsnap_core::feedback::Silent;
use rollsnap_core::hash::ContextHash;
use rollsnap_tests::cli::{Ground, Holder, Run, Tree, expect, members};
use rollsnap_tests::fixtures;
use serde_json::{Value, json};

const FIXTURE: &str = "data-dir/v5-full-compact.finalized.snapshot.gz";

/// The path in `Snapshot exported to PATH`.
#[track_caller]
fn exported(run: Run) -> String {
    let run = run.ok();
    let path = run.text().strip_prefix("Snapshot exported to ").and_then(|text| text.strip_suffix('\n'));
    path.unwrap_or_else(|| panic!("{run}")).to_owned()
}

/// Name, size and hash of the members, as Python reads them.
fn listed(snapshot: &str) -> Vec<Value> {
    let python = members(snapshot);
    let rows = python["members"].as_array().unwrap().iter();
    rows.map(|row| json!([row["name"], row["size"], row["sha256"]])).collect()
}

/// What Python reads in a context, every hash made again.
#[track_caller]
fn judged(context: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cli/irmin.py");
    let output = Command::new("python3").arg(script).arg("dump").arg(context).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice::<Value>(&output.stdout).unwrap()[0].take()
}

fn hexadecimal(context: &Value) -> String {
    let hash: ContextHash = context.as_str().unwrap().parse().unwrap();
    fixtures::hex(hash.as_bytes())
}

/// The record of the block at a level.
fn block(record: &Value, level: &Value) -> Value {
    let blocks = record["blocks"].as_array().unwrap();
    blocks.iter().find(|block| block["level"] == *level && block["canonical"] == true).unwrap().clone()
}

/// The library made `store.2.prefix` and all the others from the same directory.
#[test]
fn the_members_are_those_that_the_real_library_made() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let before = Tree::of(data.as_ref());
    let run = ground.run(&["export", "--data-dir", &data, "--compact", "--dest", "out"]);
    let notes: Vec<&str> = run.err.lines().collect();
    assert_eq!(
        notes[..2],
        ["Acquiring process lock", "Exporting context snapshot with first level 2000010"],
        "{run}"
    );
    assert!(!run.err.contains("GC"), "{run}");
    let path = exported(run);
    assert_eq!(path, "out/snapshot-sr1Njk77He5mS-2000027.full.compact");
    Tree::of(data.as_ref()).same_as(&before, "the source");

    let full = exported(ground.run(&["export", "--data-dir", &data, "--dest", "full"]));
    let store = |rows: &[Value]| rows.iter().find(|row| row[0] == "store.sqlite").unwrap().clone();
    let found = listed(&ground.at(&path));
    assert_eq!(store(&found), store(&listed(&ground.at(&full))));
    // The real library leaves the file of a lock, and its store was packed by another SQLite.
    let without = |rows: Vec<Value>| {
        let own = ["context/index/lock", "store.sqlite"];
        rows.into_iter().filter(|row| !own.contains(&row[0].as_str().unwrap())).collect::<Vec<_>>()
    };
    let expected = without(listed(&ground.snapshot(FIXTURE)));
    assert_eq!(without(found), expected);
    assert!(expected.iter().any(|row| row[0] == "context/store.2.prefix" && row[1] == 49_990));

    // Again, in every form: the same bytes inside.
    let sum = |path: &str| members(&ground.at(path))["sha256"].clone();
    for (option, dest) in [("--compress-on-the-fly", "fly"), ("--uncompressed", "raw")] {
        let again =
            exported(ground.run(&["export", "--data-dir", &data, "--compact", option, "--dest", dest]));
        assert_eq!(sum(&again), sum(&path), "{option}");
        assert_eq!(again.ends_with(".uncompressed"), option == "--uncompressed");
    }
}

#[test]
fn every_directory_at_every_level() {
    for base in ["v5-archive", "v5-full", "v5-genesis", "v5-reorg", "v5-sparse"] {
        let ground = Ground::new();
        let data = ground.unpack(base, "data");
        let record = expect(base);
        let first = block(&record, &record["levels"]["first_available"]);
        for (level, header) in record["headers"].as_object().unwrap() {
            let what = format!("{base} at {level}");
            let words = ["export", "file", "--data-dir", &data, "--compact", "--level", level, "--force"];
            let report = ground.run(&[&words[..], &["--json"]].concat()).ok().json();
            assert_eq!(report["verdicts"]["intact"], "yes", "{what}");
            assert_eq!(report["verdicts"]["consistent"], "yes", "{what}");
            let python = members(&ground.at("file"));
            assert_eq!(python["header"], header["hex"], "{what}");
            ground.run(&["extract", "file", "-C", level]).ok();
            let read = judged(&ground.path(level).join("context"));
            let commit = hexadecimal(&first["context"]);
            assert_eq!(read["commits"].as_array().unwrap().len(), 1, "{what}");
            assert_eq!(read["commits"][0]["hash"], commit, "{what}");
            assert_eq!(read["commits"][0]["author"], record["commit_author"], "{what}");
            // A snapshot whose only context is that of its head lacks nothing.
            let compact = header["head_level"] != first["level"];
            let info = ground.run(&["info", "--full", "file", "--json"]).ok().json();
            let levels = first["level"].as_i64().unwrap() + 1..=header["head_level"].as_i64().unwrap();
            let is_missing = |block: &&Value| {
                let is_named = block["canonical"] == true && block["context"].is_string();
                is_named && levels.contains(&block["level"].as_i64().unwrap())
            };
            let missing = record["blocks"].as_array().unwrap().iter().filter(is_missing).count();
            assert_eq!(
                info["context"],
                json!({"compact": compact, "contexts": 1, "first_level": first["level"], "head_level": header["head_level"], "missing": missing, "second_half": false}),
                "{what}"
            );
            let verified = ground.run(&["verify", "file", "--json"]).ok().json();
            let checks = verified["checks"].as_array().unwrap();
            let named = checks.iter().any(|check| check["code"] == "context.compact");
            assert_eq!(named, compact, "{what}");
        }
    }
}

/// The nodes give both kinds the same name. Neither spelling replaces a full snapshot by that name alone.
#[test]
fn a_compact_snapshot_does_not_take_the_place_of_a_full_one() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let export = |words: &[&str]| ground.run(&[words, &["--data-dir", &data, "--dest", "out"]].concat());
    let full = exported(export(&["export"]));
    assert_eq!(full, "out/snapshot-sr1Njk77He5mS-2000027.full");
    let bytes = fs::read(ground.path(&full)).unwrap();
    assert_eq!(exported(export(&["export", "--compact", "--force"])), format!("{full}.compact"));
    for force in [&[][..], &["--force"]] {
        let run = export(&[&["snapshot", "export", "--compact"], force].concat());
        run.refused(4, "snapshot-sr1Njk77He5mS-2000027.full");
    }
    let run = export(&["snapshot", "export", "--compact", "--force"]);
    assert!(run.err.contains("is not known to be compact") && run.err.contains("--dest"), "{run}");
    assert_eq!(fs::read(ground.path(&full)).unwrap(), bytes);
    // In an empty place it has the name that scripts for nodes expect, and takes the place of another compact one.
    fs::remove_file(ground.path(&full)).unwrap();
    for force in [&[][..], &["--force"]] {
        assert_eq!(exported(export(&[&["snapshot", "export", "--compact"], force].concat())), full);
    }
    // A full one takes its place, and a name that was chosen is a name.
    exported(export(&["export", "--force"]));
    assert_eq!(fs::read(ground.path(&full)).unwrap(), bytes);
    let words = ["snapshot", "export", &full, "--compact", "--force", "--data-dir", &data];
    exported(ground.run(&words));
}

/// What the header cannot tell, the index of the context does, where it comes first or can be reached.
#[test]
fn a_glance_tells_where_it_can() {
    let hint = "Context:         of one level only, as in a compact snapshot";
    let one = |ground: &Ground, file: &str| {
        let run = ground.run(&["info", file]).ok();
        assert!(run.text().starts_with("Valid smart rollup node snapshot.\nFormat: "), "{run}");
        assert!(run.text().ends_with("(rollsnap verify reads all of it)\n"), "{run}");
        let told = ground.run(&["info", "--json", file]).ok().json()["one_context"].clone();
        assert_eq!(run.text().contains(hint), told == true, "{run}");
        told
    };
    let ground = Ground::new();
    let (compact, full) =
        (ground.snapshot(FIXTURE), ground.snapshot("data-dir/v5-full.finalized.snapshot.gz"));
    assert_eq!((one(&ground, &compact), one(&ground, &full)), (json!(true), json!(false)));
    let piped = ground.run_with(&["info", "-"], &fs::read(&compact).unwrap()).ok();
    assert!(piped.text().contains(hint), "{piped}");

    // In another order only what can be reached is looked for.
    const REORDER: &str = "\
import gzip, sys
name, out = sys.argv[1:]
stream = gzip.open(name).read()
members, at = [], 58
while stream[at]:
    end = at + 512 + (int(stream[at + 124:at + 135], 8) + 511) // 512 * 512
    members.append(stream[at:end])
    at = end
members.sort(key=lambda member: member.startswith(b'context/index'))
stream = stream[:58] + b''.join(members) + stream[at:]
open(out, 'wb').write(stream)
gzip.open(out + '.gz', 'wb').write(stream)
";
    for (file, name, is_one) in [(&compact, "c", true), (&full, "f", false)] {
        let output = Command::new("python3").args(["-c", REORDER, file, &ground.at(name)]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(one(&ground, name), json!(is_one), "{name}");
        let packed = format!("{name}.gz");
        assert_eq!(one(&ground, &packed), json!(null), "{name}");
        ground.run(&["index", &packed]).ok();
        assert_eq!(one(&ground, &packed), json!(is_one), "{name}");
    }
}

#[test]
fn a_compact_snapshot_is_named_as_such() {
    let ground = Ground::new();
    let file = ground.snapshot(FIXTURE);
    let bytes = fs::read(&file).unwrap();
    let both = [ground.run(&["info", &file, "--full"]), ground.run_with(&["info", "--full", "-"], &bytes)];
    for run in both {
        let run = run.ok();
        let text = "Context:         compact: that of level 2000010 only; an import rebuilds those up to level 2000027\n";
        assert!(run.text().contains(text), "{run}");
        // The six lines stay the first.
        assert!(run.text().starts_with("Valid smart rollup node snapshot.\nFormat: "), "{run}");
    }
    let run = ground.run(&["verify", &file]).ok();
    assert!(run.text().starts_with("compact full snapshot of sr1Njk77He5mS4vFFm1gBqsepF2xYgNerETD"), "{run}");
    assert!(run.text().contains("warning context.compact "), "{run}");
    let full = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    let run = ground.run(&["info", "--full", &full]).ok();
    assert!(run.text().contains("Context:         full: from level 2000010 to level 2000027\n"), "{run}");
    assert!(!ground.run(&["verify", &full]).ok().text().contains("ompact"));
    // A damaged file tells nothing, and ends with the status of its damage.
    let run = ground.run_with(&["info", "--full", "-"], &bytes[..60_000]).ends(3);
    assert!(run.text().contains(" no      gzip.truncated "), "{run}");
    assert!(run.text().contains("it cannot be told whether it is full or compact"), "{run}");
    assert_eq!(ground.run_with(&["info", "-"], &bytes[..60_000]).status, 0);
}

#[test]
fn an_import_rebuilds_what_is_compact_or_keeps_it_when_told() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let own = exported(ground.run(&["export", "own", "--data-dir", &data, "--compact"]));
    for (at, file) in [ground.snapshot(FIXTURE), ground.at(&own)].iter().enumerate() {
        let node = format!("node-{at}");
        let before = ground.tree();
        // No machine has a state like that: those of `import_compact.rs` are true.
        let run = ground.run(&["import", file, "--data-dir", &node]).ends(1);
        assert!(run.err.contains("[pvm.state]"), "{run}");
        ground.tree().same_as(&before, "refused");

        let run = ground.run(&["import", file, "--data-dir", &node, "--keep-compact"]).ok();
        assert_eq!(run.text(), "Snapshot successfully imported\n");
        assert!(run.err.contains("Kept compact: there is one context, that of level 2000010"), "{run}");
        assert!(run.err.contains("up to level 2000027") && run.err.contains("cannot go on"), "{run}");
        assert!(run.err.contains("Compact snapshot: level 2000027 in "), "{run}");
        for row in listed(file) {
            let (name, sum) = (row[0].as_str().unwrap(), row[2].as_str().unwrap());
            let found = fixtures::sha256(&fs::read(ground.path(&node).join(name)).unwrap());
            assert_eq!(found, sum, "{name}");
        }
        let verified = ground.run(&["verify", &node]).ok();
        assert!(verified.text().contains("warning context.compact "), "{verified}");

        // Taken back to its first level it lacks nothing, and needs no leave.
        let short = format!("short-{at}");
        let run = ground.run(&["import", file, "--data-dir", &short, "--level", "2000010"]).ok();
        assert!(!run.err.contains("ompact"), "{run}");
        let verified = ground.run(&["verify", &short]).ok();
        assert!(!verified.text().contains("ompact"), "{verified}");
        assert!(verified.text().contains("the block at level 2000010 is the only one"), "{verified}");
        ground.run(&["import", file, "--data-dir", &ground.at("x"), "--level", "2000011"]).ends(1);
    }
    // With a full one the option does nothing, which is said.
    let full = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    let run = ground.run(&["import", &full, "--data-dir", "full", "--keep-compact"]).ok();
    assert!(run.err.contains("--keep-compact had no effect: the snapshot is a full one"), "{run}");
}

/// Neither a collection in progress nor a request to stop it concerns a compact export.
#[test]
fn a_garbage_collection_is_not_waited_for() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let locks: Vec<String> = ["gc_lock", "lock"].map(|name| format!("{data}/{name}")).into();
    for lock in &locks {
        fs::write(lock, "").unwrap();
    }
    let holder = Holder::of(&locks);
    let endpoint = rollsnap_tests::l1::closed_port();
    let words = ["export", "f", "--data-dir", &data, "--compact", "--rollup-node-endpoint", &endpoint];
    let run = ground.run(&words);
    drop(holder);
    assert!(!run.err.contains("GC"), "{run}");
    exported(run);
}

#[test]
fn what_stands_in_the_way() {
    let first = &expect("v5-full")["blocks"];
    let first = first.as_array().unwrap().iter().find(|block| block["level"] == 2_000_010).unwrap();
    let hash = first["context"].as_str().unwrap();
    let key = fixtures::unhex(&hexadecimal(&first["context"]));

    // The commit is not in the index.
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let log = ground.path("data/context/index/log");
    let mut index = fs::read(&log).unwrap();
    let place = index.windows(32).position(|window| window == key).unwrap();
    index[place] ^= 1;
    fs::write(&log, &index).unwrap();
    let words = ["export", "f", "--data-dir", &data, "--compact"];
    ground.run(&words).refused(1, &format!("Cannot export context snapshot: unknown context hash {hash}"));
    index[place] ^= 1;
    fs::write(&log, &index).unwrap();

    // One bit of an object of it. (The first object of the prefix: contents.)
    let prefix = ground.path("data/context/store.1.prefix");
    let mut bytes = fs::read(&prefix).unwrap();
    bytes[34] ^= 4;
    fs::write(&prefix, &bytes).unwrap();
    let run = ground.run(&words).ends(1);
    assert!(run.err.contains("[context.hash]") && run.err.contains("at offset "), "{run}");
    assert!(!ground.path("f").exists());
    bytes[34] ^= 4;
    fs::write(&prefix, &bytes).unwrap();

    // What is no file is not waited for.
    let fifo = ground.path("data/context/fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    ground.run(&words).refused(5, "is not a regular file");
    ground.run(&["verify", &data]).ends(5);
    fs::remove_file(fifo).unwrap();

    // What the library leaves in its directory is not shipped, and nothing of ours is left.
    for name in ["store.1.out", "store.control.tmp", "store.9.prefix", "index/log_tmp"] {
        fs::write(ground.path("data/context").join(name), "leftover").unwrap();
    }
    exported(ground.run(&words));
    let names: Vec<String> =
        listed(&ground.at("f")).iter().map(|row| row[0].as_str().unwrap().to_owned()).collect();
    assert!(names.iter().filter(|name| name.starts_with("context/")).count() == 7, "{names:?}");
    let mut left: Vec<_> =
        fs::read_dir(ground.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["data", "f", "home", "tmp"]);
    assert_eq!(fs::read_dir(ground.path("tmp")).unwrap().count(), 0);
}

/// The second half of a state, in a database of its own, goes into full snapshots unread, and a compact one would lack
/// it.
#[test]
fn a_second_half_goes_into_full_snapshots_alone() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    fs::create_dir(ground.path("data/context/nds")).unwrap();
    fs::write(ground.path("data/context/nds/CURRENT"), "MANIFEST-000001\n").unwrap();
    let note = "Note: the context has a second half (NDS), which is not covered\n";
    for more in [&["--no-check", "--force"][..], &["--force"]] {
        let run = ground.run(&[&["export", "full", "--data-dir", &data], more].concat());
        assert_eq!(run.err.matches(note).count(), 1, "{run}");
        exported(run);
    }
    assert!(listed(&ground.at("full")).iter().any(|row| row[0] == "context/nds/CURRENT"));
    for more in [&[][..], &["--no-check"], &["--dry-run"]] {
        let words = [&["export", "compact", "--data-dir", &data, "--compact"], more].concat();
        let run = ground.run(&words).ends(4);
        assert!(run.err.contains("[export.nds] export a full one: leave out --compact"), "{run}");
        assert!(!ground.path("compact").exists());
    }

    // Whoever reads it says so, and nobody vouches for the whole.
    for what in ["full", "data"] {
        let report = ground.run(&["verify", what, "--json"]).ok().json();
        let check = report["checks"].as_array().unwrap().iter().find(|check| check["code"] == "context.nds");
        assert_eq!(check.unwrap()["status"], "unknown", "{report}");
        assert_eq!(report["verdicts"]["consistent"], "unknown", "{report}");
    }
    let line = "Second half:     in a database of its own (context/nds), which rollsnap does not read";
    for words in [&["info", &data][..], &["info", "--full", "full"]] {
        let run = ground.run(words).ok();
        assert!(run.text().contains(line), "{run}");
    }
    assert_eq!(ground.run(&["info", &data, "--json"]).ok().json()["second_half"], true);
    for (node, more) in [("a", &[][..]), ("b", &["--no-check"])] {
        let run = ground.run(&[&["import", "full", "--data-dir", node], more].concat()).ok();
        assert_eq!(run.err.matches(note).count(), 1, "{run}");
        assert!(ground.path(node).join("context/nds/CURRENT").exists());
    }
}

/// Without its directory the marker in the state says that there is one.
#[test]
fn the_marker_of_a_second_half_is_seen() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let store = rusqlite::Connection::open(ground.path("data/store.sqlite")).unwrap();
    let first = "SELECT block_hash, context FROM l2_blocks WHERE level = 2000010";
    let (block, context): (String, String) =
        store.query_row(first, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let dir = rollsnap::dir::Dir::open(&ground.path("data/context")).unwrap();
    let mut writer = ContextWriter::open(&dir, Flushing::ALWAYS).unwrap();
    let (mut state, commit) = writer.state(&context.parse().unwrap(), &Silent).unwrap();
    state.add(&["pvm", "nds_hash"], [7; 32]).unwrap();
    let mut root = edit::Tree::new();
    root.add_tree(&["pvm_state"], state.clone()).unwrap();
    let marked = ContextHash::new(hashing::commit(&root.hash().unwrap(), 0, &commit.author, &[]));
    writer.commit_root(&root, &commit.author, &marked).unwrap();
    writer.close().unwrap();
    let update = "UPDATE l2_blocks SET context = ?1 WHERE block_hash = ?2";
    store.execute(update, [marked.to_string(), block]).unwrap();
    store.close().unwrap();
    let words = ["export", "compact", "--data-dir", &data, "--compact", "--no-check"];
    let run = ground.run(&words).ends(4);
    assert!(run.err.contains("[export.nds]") && run.err.contains("pvm/nds_hash"), "{run}");
    assert!(!ground.path("compact").exists());
}

/// A context of the kind riscv, as Python makes it: two commits that share a chunk.
#[test]
fn riscv_contexts_are_copied_file_by_file() {
    let ground = Ground::new();
    let data = ground.unpack("v5-sparse", "data");
    let script = r#"
import hashlib, json, os, shutil, struct, sys
context = sys.argv[1] + "/context"
shutil.rmtree(context)
os.mkdir(context)
def put(data):
    name = hashlib.blake2b(data, digest_size=32)
    open(context + "/" + name.hexdigest(), "wb").write(data)
    return name.digest()
shared, first, last = put(b"s" * 4096), put(b"first"), put(b"last")
commit = lambda *chunks: put(struct.pack("<Q", len(chunks)) + b"".join(chunks)).hex()
commits = [commit(shared, first), commit(shared, last)]
path = sys.argv[1] + "/metadata"
metadata = json.load(open(path))
metadata["kind"] = "riscv"
json.dump(metadata, open(path, "w"))
print(*commits, shared.hex(), first.hex())
"#;
    let output = Command::new("python3").args(["-c", script, &data]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let [old, new, shared, own] = text.split_whitespace().collect::<Vec<_>>().try_into().unwrap();
    let name = |commit: &str| ContextHash::new(fixtures::unhex(commit).try_into().unwrap()).to_string();
    let store = rusqlite::Connection::open(ground.path("data/store.sqlite")).unwrap();
    store.execute("UPDATE l2_blocks SET context = NULL", []).unwrap();
    for (level, commit) in [(76, old), (102, new)] {
        let update = "UPDATE l2_blocks SET context = ?1 WHERE level = ?2";
        store.execute(update, rusqlite::params![name(commit), level]).unwrap();
    }
    store.close().unwrap();

    let words = ["export", "f", "--data-dir", &data, "--compact", "--level", "head"];
    let run = ground.run(&words);
    assert!(run.err.contains("Exporting context snapshot with first level 76\n"), "{run}");
    exported(run);
    let rows = listed(&ground.at("f"));
    let mut found: Vec<&str> =
        rows.iter().filter_map(|row| row[0].as_str().unwrap().strip_prefix("context/")).collect();
    let mut expected = [old, shared, own];
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let info = ground.run(&["info", "--full", "f", "--json"]).ok().json();
    assert_eq!(
        info["context"],
        json!({"compact": true, "contexts": null, "first_level": 76, "head_level": 102, "missing": 1, "second_half": false})
    );
    let run = ground.run(&["import", "f", "--data-dir", "node", "--no-check"]).ends(4);
    assert!(run.err.contains("[replay.kind]") && run.err.contains("--keep-compact"), "{run}");
    ground.run(&["import", "f", "--data-dir", "node", "--no-check", "--keep-compact"]).ok();

    // A full one holds both.
    exported(ground.run(&["export", "full", "--data-dir", &data, "--level", "head", "--no-check"]));
    let info = ground.run(&["info", "--full", "full", "--json"]).ok().json();
    assert_eq!(info["context"]["compact"], false);
    fs::write(ground.path("data/context").join(own), "other").unwrap();
    ground.run(&["export", "g", "--data-dir", &data, "--compact", "--no-check"]).refused(1, "[context.hash]");
    fs::remove_file(ground.path("data/context").join(own)).unwrap();
    ground
        .run(&["export", "g", "--data-dir", &data, "--compact", "--no-check"])
        .refused(1, "[context.child]");
}

//! `--dry-run`: what is announced is what happens, what would be refused is refused, and nothing is written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use rollsnap_tests::cli::{Ground, Tree, program};
use rustix::process::geteuid;
use serde_json::{Value, json};

/// A ground with everything that the commands below need.
fn ground() -> Ground {
    let ground = Ground::new();
    ground.unpack("v5-full", "data");
    ground.unpack("v4-full", "old");
    ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    // Locks are never made: their absence would be seen.
    for name in ["data", "old"] {
        for lock in ["lock", "gc_lock", "processing_lock"] {
            let _ = fs::remove_file(ground.path(name).join(lock));
        }
    }
    ground
}

fn dry(ground: &Ground, words: &[&str]) -> Value {
    let before = ground.tree();
    let times = |path: &str| fs::metadata(ground.path(path)).unwrap().modified().unwrap();
    let touched = ["data", "old", ".", "tmp"].map(times);
    let json = ground.run(&[words, &["--dry-run", "--json"]].concat()).ok().json();
    let text = ground.run(&[words, &["--dry-run"]].concat()).ok();
    assert!(text.text().ends_with("Nothing was changed\n"), "{text}");
    assert!(text.text().contains("Space:           ") && text.text().contains(" free"), "{text}");
    ground.tree().same_as(&before, "a dry run");
    assert_eq!(touched, ["data", "old", ".", "tmp"].map(times), "not even for a moment: {words:?}");
    assert_eq!(json["schema"], "rollsnap.dry-run/1");
    assert_eq!(json["command"], words[0]);
    json
}

fn size(path: &std::path::Path) -> u64 {
    if path.is_file() {
        return fs::metadata(path).unwrap().len();
    }
    let names = fs::read_dir(path).unwrap();
    names.map(|entry| size(&entry.unwrap().path())).sum()
}

#[test]
fn what_is_announced_is_what_happens() {
    const NEW: &str = "v5-full.finalized.snapshot.gz";
    const OLD: &str = "v4-full.head.snapshot.gz";
    for words in [
        &["export", "out", "--data-dir", "data"][..],
        &["export", "--dest", "new", "--data-dir", "data"],
        &["export", "-o", "new/", "--data-dir", "data", "--level", "head", "--fast"],
        &["export", "out", "--data-dir", "data", "--uncompressed", "--no-vacuum"],
        &["export", "out", "--data-dir", "data", "--compact", "--uncompressed"],
        &["export", "out", "--data-dir", "old", "--uncompressed"],
        &["import", NEW, "--data-dir", "new"],
        &["import", OLD, "--data-dir", "new", "--to", "v5"],
        &["convert", OLD, "-o", "out"],
        &["convert", "old", "-o", "new"],
        &["convert", "--in-place", "old"],
        &["convert", "--in-place", "old", "--remove-old"],
    ] {
        let ground = ground();
        let plan = dry(&ground, words);
        let before = Tree::of(ground.root());
        ground.run(words).ok();
        let after = Tree::of(ground.root());
        let writes = plan["writes"].as_array().unwrap();
        assert!(!writes.is_empty(), "{plan}");
        for write in writes {
            let path = ground.path(write["path"].as_str().unwrap());
            assert_eq!(path.exists(), write["temporary"] == false, "{words:?}: {write}");
            // The old store is linked there, and takes no space again.
            if path.exists() && !path.ends_with("storage.old") {
                let size = size(&path);
                assert!(size >= write["at_least"].as_u64().unwrap(), "{words:?}: {size} {write}");
                assert!(
                    write["at_most"].as_u64().is_none_or(|most| size <= most),
                    "{words:?}: {size} {write}"
                );
            }
        }
        for gone in before.0.keys().filter(|name| !after.0.contains_key(*name)) {
            let announced =
                plan["removes"].as_array().unwrap().iter().chain(plan["replaces"].as_array().unwrap());
            let mut announced = announced.map(|path| path.as_str().unwrap());
            assert!(announced.any(|path| gone.starts_with(path)), "{words:?}: {gone} went: {plan}");
        }
        for read in plan["reads"].as_array().unwrap() {
            assert!(before.0.contains_key(read["path"].as_str().unwrap()), "{read}");
        }
    }
}

#[test]
fn over_what_is_there() {
    let ground = ground();
    let new = "v5-full.finalized.snapshot.gz";
    ground.unpack("v5-full", "node");
    // Taken back by hand, so that the snapshot is newer.
    let python = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); \
                  db.execute(\"UPDATE rollup_node_state SET level = 9 WHERE name = 'l2_head'\"); db.commit()";
    let mut command = Command::new("python3");
    assert!(ground.isolate(command.args(["-c", python, "node/store.sqlite"])).status().unwrap().success());
    let plan = dry(&ground, &["import", new, "--data-dir", "node", "--force"]);
    let replaced: Vec<_> =
        plan["replaces"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    assert_eq!(replaced, ["node/metadata", "node/store.sqlite", "node/context", "node/wasm_2_0_0"]);
    fs::write(ground.path("out"), b"mine").unwrap();
    let plan = dry(&ground, &["export", "out", "--force", "--data-dir", "data"]);
    assert_eq!(plan["replaces"], json!(["out"]));
    let locks: Vec<_> = plan["locks"].as_array().unwrap().iter().map(|lock| lock["path"].clone()).collect();
    assert_eq!(locks, ["data/gc_lock", "data/processing_lock"]);
    // A stream takes the place of temporary files only.
    let plan = dry(&ground, &["export", "-", "--data-dir", "data"]);
    assert!(plan["writes"].as_array().unwrap().iter().all(|write| write["temporary"] == true), "{plan}");
    let plan = dry(&ground, &["convert", "v4-full.head.snapshot.gz", "-o", "-"]);
    assert!(plan["writes"].as_array().unwrap().iter().all(|write| write["temporary"] == true), "{plan}");
}

/// Status and code are those of the job, which then is tried.
#[test]
fn what_would_be_refused_is_refused() {
    const NODE: &str = "
import fcntl, sys
lock = open(sys.argv[1] + '/lock', 'a')
fcntl.lockf(lock, fcntl.LOCK_EX)
print('ready', flush=True)
sys.stdin.read()";
    let ground = ground();
    let new = "v5-full.finalized.snapshot.gz";
    fs::write(ground.path("taken"), b"mine").unwrap();
    ground.unpack("v4-full", "running");
    let mut node = Command::new("python3");
    ground.isolate(node.args(["-c", NODE, "running"]));
    let mut node = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(node.stdout.as_mut().unwrap()), &mut ready)
        .unwrap();
    for words in [
        &["export", "taken", "--data-dir", "data"][..],
        &["export", "x", "--data-dir", "data", "--level", "4711"],
        &["export", "x", "--data-dir", "home"],
        &["export", "x", "--data-dir", "old", "--level", "3"],
        &["export", "x", "--data-dir", "data", "--store-format", "mavkit"],
        &["import", new, "--data-dir", "data"],
        &["import", new, "--data-dir", "data", "--force"],
        &["import", new, "--data-dir", "old", "--force"],
        &["import", "missing", "--data-dir", "x"],
        &["import", "taken", "--data-dir", "x"],
        &["import", new, "--data-dir", "running", "--force"],
        &["convert", "data", "-o", "x"],
        &["convert", "old", "-o", "data"],
        &["convert", "old", "-o", "old/x"],
        &["convert", "v4-full.head.snapshot.gz", "-o", "taken"],
        &["convert", "running", "-o", "x"],
        &["convert", "--in-place", "data"],
        &["convert", "--in-place", "running"],
        &["convert", "--in-place", "taken"],
    ] {
        // The job itself may leave a lock file, which the dry run does not.
        let before = ground.tree();
        let planned = ground.run(&[words, &["--dry-run"]].concat());
        assert_ne!(planned.status, 0, "{planned}");
        ground.tree().same_as(&before, "a refused dry run");
        let done = ground.run(words);
        assert_eq!(planned.status, done.status, "{planned}\n{done}");
        let code =
            |err: &str| err.rsplit('[').next().and_then(|rest| rest.split(']').next()).unwrap().to_owned();
        assert_eq!(code(&planned.err), code(&done.err), "{planned}\n{done}");
        let json = ground.run(&[words, &["--dry-run", "--json"]].concat()).ends(planned.status).json();
        assert_eq!(json["checks"][0]["code"], code(&planned.err), "{json}");
    }
    drop(node.stdin.take());
    node.wait().unwrap();
}

/// Files that are longer than any disk here, and take nothing.
#[test]
fn too_little_space_is_refused_with_figures() {
    const HUGE: u64 = 6 << 40;
    let ground = ground();
    ground.run(&["export", "plain", "--uncompressed", "--data-dir", "data"]).ok();
    fs::File::options().write(true).open(ground.path("plain")).unwrap().set_len(HUGE).unwrap();
    fs::File::create(ground.path("data/context/huge")).unwrap().set_len(HUGE).unwrap();
    fs::File::create(ground.path("old/context/huge")).unwrap().set_len(HUGE).unwrap();
    for words in [
        &["import", "plain", "--data-dir", "new"][..],
        &["export", "out", "--uncompressed", "--data-dir", "data"],
        &["convert", "old", "-o", "new"],
    ] {
        let run = ground.run(&[words, &["--dry-run"]].concat()).refused(5, "there is not enough space in");
        assert!(run.err.contains("at least 6.00 TiB") && run.err.contains(" free"), "{run}");
        assert!(run.err.contains("[io.no-space]"), "{run}");
    }
    // So does the job, before it writes anything of it.
    let run = ground.run(&["export", "out", "--uncompressed", "--data-dir", "data"]).ends(5);
    assert!(run.err.contains("at least 6.00 TiB") && run.err.contains("[io.no-space]"), "{run}");
    fs::copy(ground.path("v5-full.finalized.snapshot.gz"), ground.path("packed")).unwrap();
    fs::File::options().write(true).open(ground.path("packed")).unwrap().set_len(HUGE).unwrap();
    let run = ground.run(&["import", "packed", "--data-dir", "new"]).ends(5);
    assert!(run.err.contains("at least 6.00 TiB") && run.err.contains("[io.no-space]"), "{run}");
    for words in [
        &["import", "plain", "--data-dir", "new"][..],
        &["extract", "plain", "-o", "new"],
        &["extract", "packed", "-o", "new"],
        &["convert", "plain", "-o", "new"],
        &["convert", "old", "-o", "new"],
    ] {
        let run = ground.run(words).ends(5);
        assert!(run.err.contains("at least 6.00 TiB") && run.err.contains("[io.no-space]"), "{run}");
        assert!(!ground.path("new").exists(), "{run}");
    }
    // Compressed it may fit: that is said, and not refused.
    let run = ground.run(&["export", "out", "--data-dir", "data", "--dry-run"]).ok();
    assert!(run.text().contains("that may not suffice"), "{run}");
}

/// A mount without writing, or, where only root may mount, a directory whose mode forbids it. The job says the same.
#[test]
fn a_place_that_may_not_be_written_to_is_refused() {
    let ground = ground();
    let new = "v5-full.finalized.snapshot.gz";
    let is_root = geteuid().is_root();
    fs::create_dir(ground.path("place")).unwrap();
    if !is_root {
        fs::set_permissions(ground.path("place"), fs::Permissions::from_mode(0o555)).unwrap();
    }
    for words in [
        &["export", "place/out", "--data-dir", "data"][..],
        &["export", "-", "--temp-dir", "place", "--data-dir", "data"],
        &["import", new, "--data-dir", "place"],
        &["import", new, "--data-dir", "place/new"],
        &["convert", "old", "-o", "place/new"],
        &["convert", "v4-full.head.snapshot.gz", "-o", "place/out"],
    ] {
        let run = |words: &[&str]| {
            let script = "mount -t tmpfs none place || exit 99; mount -o remount,ro place || exit 99; shift; exec \"$@\"";
            let mut command = Command::new(if is_root { "unshare" } else { "env" });
            if is_root {
                command.args(["--mount", "sh", "-c", script, "sh", "rollsnap"]);
            }
            let output = ground.isolate(command.arg(program()).args(words)).output().unwrap();
            (output.status.code(), String::from_utf8(output.stderr).unwrap())
        };
        let (planned, said) = run(&[words, &["--dry-run"]].concat());
        assert_eq!(planned, Some(5), "{words:?}: {said}");
        assert!(said.contains("[io.permission]") && said.contains("place"), "{words:?}: {said}");
        let (done, said) = run(words);
        assert_eq!(done, Some(5), "{words:?}: {said}");
    }
}

/// What is written down about the size of a new store holds for every store there is.
#[test]
fn the_size_of_a_converted_store_is_no_more_than_announced() {
    let ground = Ground::new();
    ground.snapshot("replay/r4-mavkit.head.snapshot.gz");
    ground.run(&["extract", "r4-mavkit.head.snapshot.gz", "-o", "r4"]).ok();
    for base in ["v4-full", "v4-archive"] {
        ground.unpack(base, base);
    }
    for base in ["v4-full", "v4-archive", "r4"] {
        let old = size(&ground.path(base).join("storage"));
        let plan = ground.run(&["convert", base, "-o", "new", "--dry-run", "--json"]).ok().json();
        let write = &plan["writes"][0];
        let most = write["at_most"].as_u64().unwrap() - write["at_least"].as_u64().unwrap();
        ground.run(&["convert", base, "-o", "new"]).ok();
        let new = size(&ground.path("new/store.sqlite"));
        assert!(new <= most, "{base}: {old} became {new}, and at most {most} was announced");
        fs::remove_dir_all(ground.path("new")).unwrap();
    }
}

/// A conversion in place says what it removes, as its dry run does.
#[test]
fn what_lies_beside_the_new_database_is_removed_in_so_many_words() {
    let ground = ground();
    for name in ["store.sqlite-wal", "store.sqlite-journal"] {
        fs::write(ground.path("old").join(name), b"of another database").unwrap();
    }
    let plan = dry(&ground, &["convert", "--in-place", "old"]);
    let removes = plan["removes"].to_string();
    let run = ground.run(&["convert", "--in-place", "old"]).ok();
    for name in ["store.sqlite-wal", "store.sqlite-journal"] {
        assert!(removes.contains(name) && run.err.contains(name), "{removes}: {run}");
        assert!(!ground.path("old").join(name).exists(), "{name}");
    }
    assert!(!run.err.contains("store.sqlite-shm"), "{run}");
}

/// Where the members of a snapshot can be reached without reading it, more is known than its header: how many there are,
/// and how much they take. What is damaged is left to the job.
#[test]
fn of_a_snapshot_that_can_be_reached_sizes_are_known() {
    let ground = ground();
    ground.run(&["export", "plain", "--uncompressed", "--data-dir", "data"]).ok();
    let members = ground.run(&["ls", "plain", "--json"]).ok().json()["members"].clone();
    let plan = dry(&ground, &["import", "plain", "--data-dir", "node"]);
    assert_eq!(plan["writes"][0]["at_least"], members["bytes"], "{plan}");
    assert_eq!(plan["writes"][0]["at_most"], members["bytes"], "{plan}");
    let told = format!("{} members, ", members["count"]);
    assert!(plan["notes"].to_string().contains(&told), "{plan}");
    ground.run(&["import", "plain", "--data-dir", "node"]).ok();
    let made = size(&ground.path("node"));
    assert!(made.abs_diff(members["bytes"].as_u64().unwrap()) < 64, "{made}: {members}");
    fs::remove_dir_all(ground.path("node")).unwrap();
    // A stream says nothing of what is to come, nor does a file without an index, nor one that is damaged.
    let whole = fs::read(ground.path("plain")).unwrap();
    fs::write(ground.path("cut"), &whole[..whole.len() / 2]).unwrap();
    for name in ["v5-full.finalized.snapshot.gz", "cut"] {
        let plan = dry(&ground, &["import", name, "--data-dir", "node"]);
        assert!(plan["notes"].to_string().contains("Only the header of the snapshot was read"), "{plan}");
    }
    let run = ground.run_with(&["import", "-", "--data-dir", "node", "--dry-run"], &whole).ok();
    assert!(run.text().contains("Only the header of the snapshot was read"), "{run}");
    // The index of the context comes first, and tells of a compact one.
    ground.run(&["export", "compact", "--compact", "--data-dir", "data"]).ok();
    for (name, more, text) in [
        ("compact", &[][..], "the blocks above it would be run again, and their contexts rebuilt"),
        ("compact", &["--keep-compact"], "the others stay missing (--keep-compact)"),
        ("plain", &[], ""),
    ] {
        let plan = dry(&ground, &[&["import", name, "--data-dir", "node"], more].concat());
        let notes = plan["notes"].to_string();
        assert_eq!(notes.contains("the context of one level only"), name == "compact", "{plan}");
        assert!(notes.contains(text), "{plan}");
    }
}

//! `info DATA_DIR`: what a directory says about itself, with nothing changed and no lock taken.

use std::fs;
use std::process::{Command, Stdio};

use rollsnap_tests::cli::{Ground, Tree};
use serde_json::{Value, json};

/// The sizes that another program counts.
fn du(ground: &Ground, paths: &[&str]) -> (u64, u64) {
    const COUNT: &str = "
import os, sys
files = [p for p in sys.argv[1:] if os.path.isfile(p)]
for top in sys.argv[1:]:
    for where, _, names in os.walk(top):
        files += [os.path.join(where, name) for name in names]
print(len(files), sum(os.path.getsize(file) for file in files))";
    let mut python = Command::new("python3");
    let output = ground.isolate(python.args(["-c", COUNT]).args(paths)).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (files, bytes) = text.trim().split_once(' ').unwrap();
    (files.parse().unwrap(), bytes.parse().unwrap())
}

#[test]
fn it_says_what_is_there_and_changes_nothing() {
    let ground = Ground::new();
    for (base, version) in [("v5-full", 5), ("v5-archive", 5), ("v4-full", 4), ("v4-archive", 4)] {
        let data = ground.unpack(base, base);
        let before = Tree::of(data.as_ref());
        let json = ground.run(&["info", &data, "--json"]).ok().json();
        let text = ground.run(&["info", &data]).ok();
        Tree::of(data.as_ref()).same_as(&before, base);
        assert_eq!(json["schema"], "rollsnap.data-dir/1");
        // What the file says, read by another reader of JSON.
        let metadata: Value =
            serde_json::from_slice(&fs::read(ground.path(base).join("metadata")).unwrap()).unwrap();
        for field in ["rollup_address", "kind", "context_version"] {
            assert_eq!(json[field], metadata[field], "{base}: {field}");
        }
        assert_eq!(json["genesis"]["level"], metadata["genesis_info"]["level"]);
        assert_eq!(json["genesis"]["commitment"], metadata["genesis_info"]["commitment_hash"]);
        assert_eq!(json["store"]["version"], version);
        let mode = base.split('-').nth(1).unwrap();
        assert_eq!(json["store"]["history_mode"], mode);
        assert!(text.text().contains(&format!("History mode:    {mode}\n")), "{text}");
        assert!(text.text().contains(&format!("Store:           version {version} (")), "{text}");
        let level = &json["store"]["head_level"];
        assert!(text.text().contains(&format!("Head level:      {level}")), "{text}");
        for (part, names) in [
            ("store", &["store.sqlite", "store.sqlite-wal", "storage"][..]),
            ("context", &["context"]),
            ("pre_images", &["wasm_2_0_0", "arith", "riscv"]),
        ] {
            let paths: Vec<_> = names.iter().map(|name| format!("{data}/{name}")).collect();
            let (files, bytes) = du(&ground, &paths.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(json["sizes"][part], json!({"files": files, "bytes": bytes}), "{base} {part}");
        }
        assert!(text.text().contains("Locks:           free"), "{text}");
        assert!(text.text().contains("Not checked:     what the files hold"), "{text}");
    }
    // Several, of both kinds.
    let snapshot = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    let run = ground.run(&["info", "v5-full", &snapshot, "home"]).ends(3);
    assert!(
        run.text().contains("Valid smart rollup node snapshot.") && run.text().contains("Locks:"),
        "{run}"
    );
    ground.run(&["info", "--full", "v5-full"]).refused(2, "rollsnap verify");
}

/// The database is in use, and the lock is held by a process that another program tells the number of.
#[test]
fn a_node_may_be_at_work() {
    const NODE: &str = "
import fcntl, sqlite3, sys
lock = open(sys.argv[1] + '/lock', 'w')
fcntl.lockf(lock, fcntl.LOCK_EX)
db = sqlite3.connect(sys.argv[1] + '/store.sqlite', isolation_level=None)
db.execute('PRAGMA journal_mode=wal')
db.execute('BEGIN IMMEDIATE')
db.execute('CREATE TABLE IF NOT EXISTS of_the_node (x)')
print('ready', flush=True)
sys.stdin.read()";
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let mut node = Command::new("python3");
    ground.isolate(node.args(["-c", NODE, &data]));
    let mut node = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(node.stdout.as_mut().unwrap()), &mut ready)
        .unwrap();
    let before = Tree::of(data.as_ref()).only(|name| !name.ends_with("-shm"));
    let json = ground.run(&["info", &data, "--json"]).ok().json();
    let text = ground.run(&["info", &data]).ok();
    Tree::of(data.as_ref()).only(|name| !name.ends_with("-shm")).same_as(&before, "beside a node");
    let pid = format!("lock is held by process {} (", node.id());
    assert!(text.text().contains(&pid), "{text}");
    let held: Vec<_> = json["locks"].as_array().unwrap().iter().filter(|lock| lock["held"] == true).collect();
    assert_eq!((held.len(), &held[0]["name"]), (1, &json!("lock")), "{json}");
    drop(node.stdin.take());
    node.wait().unwrap();
}

#[test]
fn what_is_no_data_directory_is_said_in_plain_words() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    fs::create_dir_all(ground.path("other/things")).unwrap();
    fs::create_dir(ground.path("empty")).unwrap();
    let before = ground.tree();
    for (path, status, said) in [
        ("missing", 3, "missing"),
        ("empty", 3, "the directory is empty"),
        ("other", 3, "this is no data directory of a rollup node"),
        (&format!("{data}/context"), 3, "name the directory above it"),
        (&format!("{data}/metadata"), 3, "Error: "),
    ] {
        let run = ground.run(&["info", path]).refused(status, said);
        assert!(!run.err.contains("panicked"), "{run}");
    }
    ground.tree().same_as(&before, "refused");
    // A node that has not begun, and one whose metadata are gone.
    fs::create_dir(ground.path("young")).unwrap();
    fs::copy(ground.path("data/metadata"), ground.path("young/metadata")).unwrap();
    let run = ground.run(&["info", "young"]).ok();
    assert!(run.text().contains("there is no store that can be read") && run.text().contains("sr1"), "{run}");
    fs::remove_file(ground.path("data/metadata")).unwrap();
    ground.run(&["info", &data]).refused(1, "metadata");
}

//! `export` as an operator runs it: every directory of the fixtures at every level, judged by GNU
//! tar, Python and the recorded expectations.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use rollsnap_tests::cli::{Ground, Run, Tree, dump, expect, members, oracle};
use rollsnap_tests::fixtures::sha256;
use serde_json::{Value, json};

const DIRECTORIES: [&str; 5] = ["v5-archive", "v5-full", "v5-genesis", "v5-reorg", "v5-sparse"];

/// Directories that a snapshot takes.
fn is_carried(name: &str) -> bool {
    name == "metadata" || ["context/", "wasm_2_0_0/"].iter().any(|top| name.starts_with(top))
}

/// The path in `Snapshot exported to PATH`, which must be all there is.
#[track_caller]
fn exported(run: Run) -> String {
    let run = run.ok();
    let path = run.text().strip_prefix("Snapshot exported to ").and_then(|text| text.strip_suffix('\n'));
    path.unwrap_or_else(|| panic!("{run}")).to_owned()
}

#[test]
fn every_directory_at_every_level() {
    for base in DIRECTORIES {
        let ground = Ground::new();
        let data = ground.unpack(base, "data");
        let before = Tree::of(data.as_ref());
        let record = expect(base);
        for (level, header) in record["headers"].as_object().unwrap() {
            let what = format!("{base} at {level}");
            let dest = ground.at(&format!("to/{level}"));
            let out = ["--data-dir", &data, "--dest", &dest, "--level", level, "--uncompressed"];
            let path = exported(ground.run(&[&["export"], &out[..]].concat()));
            let address = header["rollup_address"].as_str().unwrap();
            let (at, mode) = (&header["head_level"], header["history_mode"].as_str().unwrap());
            assert_eq!(path, format!("{dest}/snapshot-{}-{at}.{mode}.uncompressed", &address[..13]));
            Tree::of(data.as_ref()).same_as(&before, &what);

            // The archive, as Python reads it.
            let python = members(&path);
            assert_eq!(python["header"], header["hex"], "{what}");
            let rows = python["members"].as_array().unwrap();
            let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
            assert!(names.is_sorted(), "{what}: {names:?}");
            let carried: Vec<&str> = before.files().keys().copied().filter(|name| is_carried(name)).collect();
            assert_eq!(
                names.iter().copied().filter(|name| *name != "store.sqlite").collect::<Vec<_>>(),
                carried
            );
            for row in rows {
                let name = row["name"].as_str().unwrap();
                let entry = &before.0[name];
                assert_eq!(row["mode"], entry.mode & 0o777, "{what}: {name}");
                assert_eq!(row["mtime"], 1_700_000_000, "{what}: {name}");
                if name != "store.sqlite" {
                    assert_eq!(row["sha256"], entry.content, "{what}: {name}");
                }
            }

            // And as GNU tar does.
            let files = ground.at(&format!("files/{level}"));
            fs::create_dir_all(&files).unwrap();
            let script = "tail -c +59 \"$1\" | tar -x -C \"$2\"";
            let tar = Command::new("sh").args(["-ec", script, "sh", &path, &files]).output().unwrap();
            assert!(tar.status.success() && tar.stderr.is_empty(), "{what}: {tar:?}");
            let unpacked = Tree::of(files.as_ref());
            assert_eq!(unpacked.files().keys().copied().collect::<Vec<_>>(), names, "{what}");

            // The store, against the one that Python cuts.
            let staged = ground.at(&format!("staged-{level}"));
            oracle(&["stage", &data, &staged, level]);
            let expected = dump(&format!("{staged}/store.sqlite"));
            let found = dump(&format!("{files}/store.sqlite"));
            assert_eq!(found["tables"], expected["tables"], "{what}");
            assert_eq!(found["schema"], expected["schema"], "{what}");
            assert_eq!(found["integrity"], json!(["ok"]), "{what}");
            assert_eq!((&found["journal"], &found["free_pages"]), (&json!("wal"), &json!(0)), "{what}");
            for (table, rows) in record["counts_after_reset"][level].as_object().unwrap() {
                assert_eq!(found["tables"][table].as_array().unwrap().len() as u64, *rows, "{what}: {table}");
            }
            // What was removed left no trace in the file either. (DAL headers that stay may name a
            // later block.)
            let kept = expected["tables"].to_string();
            let bytes = fs::read(format!("{files}/store.sqlite")).unwrap();
            for block in record["blocks"].as_array().unwrap() {
                let hash = block["hash"].as_str().unwrap();
                if block["level"].as_i64() > at.as_i64() && !kept.contains(hash) {
                    assert!(
                        !bytes.windows(hash.len()).any(|window| window == hash.as_bytes()),
                        "{what}: {hash}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_number_is_a_level_too() {
    let ground = Ground::new();
    let data = ground.unpack("v5-reorg", "data");
    let record = expect("v5-reorg");
    for level in [300, 313, 315, 321] {
        let blocks = record["blocks"].as_array().unwrap();
        let block =
            blocks.iter().find(|block| block["level"] == level && block["canonical"] == true).unwrap();
        let commitment = [&block["commitment_hash"], &block["previous_commitment_hash"]];
        let commitment = commitment.into_iter().find(|hash| !hash.is_null()).unwrap();
        let word = level.to_string();
        let path = exported(ground.run(&["export", "--data-dir", &data, "--level", &word, "--force"]));
        assert_eq!(
            path,
            format!("snapshot-{}-{level}.archive", &record["rollup_address"].as_str().unwrap()[..13])
        );
        let python = members(&ground.at(&path));
        assert_eq!((&python["level"], &python["commitment"]), (&json!(level), commitment));
        assert_eq!(python["compressed"], true);
        let staged = ground.at("staged");
        oracle(&["stage", &data, &staged, &word]);
        ground.run(&["extract", &path, "store.sqlite", "--force", "-C", "out"]).ok();
        let (found, expected) =
            (dump(&ground.at("out/store.sqlite")), dump(&format!("{staged}/store.sqlite")));
        assert_eq!(found["tables"], expected["tables"], "{level}");
    }
    // Words in any case, and the same level as a word and as a number.
    let path =
        exported(ground.run(&["snapshot", "export", "a", "--data-dir", &data, "--level", "FINALIZED"]));
    let again = exported(ground.run(&["export", "b", "--data-dir", &data, "--level", "319"]));
    assert_eq!((path.as_str(), again.as_str()), ("a", "b"));
    assert_eq!(fs::read(ground.path("a")).unwrap(), fs::read(ground.path("b")).unwrap());
}

#[test]
fn all_three_ways_give_the_same_bytes_and_so_does_doing_it_again() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let before = Tree::of(data.as_ref());
    let mut sums = Vec::new();
    let short = "snapshot-sr1Njk77He5mS-2000027.full";
    for (dest, option, name) in [
        ("after", None, short.to_owned()),
        ("after2", None, short.to_owned()),
        ("fly", Some("--compress-on-the-fly"), short.to_owned()),
        ("fly2", Some("--compress-on-the-fly"), short.to_owned()),
        ("plain", Some("--uncompressed"), format!("{short}.uncompressed")),
        ("plain2", Some("--uncompressed"), format!("{short}.uncompressed")),
        ("unread", Some("--no-check"), short.to_owned()),
        ("unread2", Some("--no-checks"), short.to_owned()),
    ] {
        let words = ["snapshot", "export", "--data-dir", &data, "--dest", dest];
        let words: Vec<&str> = words.into_iter().chain(option).collect();
        let path = exported(ground.run(&words));
        assert_eq!(path, format!("{dest}/{name}"));
        assert_eq!(Tree::of(&ground.path(dest)).names(), ["", &name], "nothing else is left");
        let python = members(&ground.at(&path));
        assert_eq!(python["compressed"], option != Some("--uncompressed"));
        sums.push((python["sha256"].clone(), sha256(&fs::read(ground.path(&path)).unwrap())));
        let gzip = Command::new("gzip").args(["-t", "-S", ".full"]).arg(ground.path(&path)).output().unwrap();
        assert_eq!(gzip.status.success(), python["compressed"] == true);
    }
    assert!(sums.iter().all(|(plain, _)| *plain == sums[0].0), "{sums:?}");
    for pair in sums.chunks(2) {
        assert_eq!(pair[0].1, pair[1].1, "twice the same bytes");
    }
    // It is compressed on the fly anyway, and reading the file back changes nothing in it.
    assert_eq!((&sums[0].1, &sums[0].1), (&sums[2].1, &sums[6].1));
    Tree::of(data.as_ref()).same_as(&before, "the source");
}

#[test]
fn the_output_goes_where_it_is_wanted_and_nothing_is_overwritten() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    let export = |words: &[&str]| ground.run(&[&["export", "--data-dir", &data], words].concat());
    assert_eq!(exported(export(&["mine.snapshot"])), "mine.snapshot");
    assert_eq!(exported(export(&["named", "--uncompressed"])), "named", "a named file gets no suffix");
    assert_eq!(members(&ground.at("named"))["compressed"], false);
    let absolute = ground.at("new/dir/file");
    assert_eq!(exported(export(&[&absolute])), absolute);
    assert_eq!(fs::metadata(&absolute).unwrap().permissions().mode() & 0o111, 0);

    fs::write(ground.path("mine.snapshot"), b"precious").unwrap();
    let before = ground.tree();
    export(&["mine.snapshot"]).refused(4, "the output file exists");
    export(&["mine.snapshot", "--no-check", "--compress-on-the-fly"]).refused(4, "mine.snapshot");
    export(&["file", "--dest", "dir"]).refused_by_usage();
    export(&["--uncompressed", "--compress-on-the-fly"])
        .refused(2, "Cannot have both --uncompressed and --compress-on-the-fly");
    export(&["data"]).ends(3);
    symlink("mine.snapshot", ground.path("link")).unwrap();
    export(&["link"]).refused(4, "link");
    export(&["link", "--force"]).refused(4, "symbolic link");
    fs::remove_file(ground.path("link")).unwrap();
    ground.tree().only(|name| !name.is_empty()).same_as(&before, "refused");
    assert_eq!(exported(export(&["mine.snapshot", "--force"])), "mine.snapshot");
    ground.run(&["verify", "mine.snapshot"]).ok();

    // The default name exists.
    let name = exported(export(&[]));
    export(&[]).refused(4, &name);
    exported(export(&["--force"]));
    // A failed export makes no directories.
    export(&["--dest", "made/for/nothing", "--level", "5"])
        .refused(1, "below the first available level 1000.");
    assert!(!ground.path("made").exists());
}

trait ByUsage {
    fn refused_by_usage(self) -> Self;
}

impl ByUsage for Run {
    #[track_caller]
    fn refused_by_usage(self) -> Self {
        let this = self.ends(2);
        assert!(this.err.starts_with("error: ") && this.text().is_empty(), "{this}");
        this
    }
}

#[test]
fn the_default_directory_is_that_of_the_nodes() {
    let ground = Ground::new();
    ground.run(&["export"]).ends(3);
    ground.unpack("v5-archive", "home/.tezos-smart-rollup-node");
    assert_eq!(exported(ground.run(&["export"])), "snapshot-sr1CnSVbNpLGR-1021.archive");
}

#[test]
fn json_tells_what_was_made() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let run = ground.run(&["export", "out", "--data-dir", &data, "--json"]).ok();
    let report = run.json();
    let python = members(&ground.at("out"));
    assert_eq!(report["schema"], "rollsnap.report/1");
    assert_eq!(report["path"], "out");
    assert_eq!(report["header"]["head_level"], python["level"]);
    assert_eq!(report["header"]["last_commitment"], python["commitment"]);
    assert_eq!(report["verdicts"]["intact"], "yes");
    assert_eq!(report["container"]["bytes"], python["length"]);
    assert_eq!(report["container"]["compressed_bytes"], fs::metadata(ground.path("out")).unwrap().len());
    assert_eq!(report["members"]["count"], python["members"].as_array().unwrap().len());
    assert_eq!(report["bytes"], fs::metadata(ground.path("out")).unwrap().len());
    assert!(report["locks_held_ms"].is_u64(), "{report}");
    let phases = report["phases"].as_array().unwrap();
    assert!(phases.iter().all(|phase| phase["ms"].is_u64()), "{report}");
    let names: Vec<&Value> = phases.iter().map(|phase| &phase["name"]).collect();
    // The file is read back while the chain is walked over, and the objects are checked beside both.
    let stages = ["Exporting snapshot", "Checking chain", "Checking snapshot", "Checking context"];
    assert_eq!(names, stages.map(|name| json!(name)).each_ref());
    let l1 =
        report["checks"].as_array().unwrap().iter().find(|check| check["code"] == "l1.commitment").unwrap();
    assert_eq!(l1["status"], "unknown");
    assert!(l1["text"].as_str().unwrap().contains("not checked"));
    let again = ground.run(&["export", "out", "--data-dir", &data, "--json"]).ends(4).json();
    assert_eq!(again["checks"][0]["code"], "output.exists");
}

#[test]
fn links_are_followed_where_that_is_safe() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    let plain = members(&ground.at(&exported(ground.run(&["export", "plain", "--data-dir", &data]))));
    // A context on another disk, and a single file elsewhere.
    fs::rename(ground.path("data/context"), ground.path("context-elsewhere")).unwrap();
    symlink("../context-elsewhere", ground.path("data/context")).unwrap();
    fs::rename(ground.path("data/metadata"), ground.path("metadata-elsewhere")).unwrap();
    symlink(ground.path("metadata-elsewhere"), ground.path("data/metadata")).unwrap();
    symlink("data", ground.path("linked")).unwrap();
    let linked =
        members(&ground.at(&exported(ground.run(&["export", "linked-out", "--data-dir", "linked"]))));
    assert_eq!(linked, plain, "a link's content has the target's size");

    let before = ground.tree();
    let trap = |name: &str, target: &str, text: &str| {
        symlink(target, ground.path(name)).unwrap();
        ground.run(&["export", "out", "--data-dir", &data]).refused(4, text);
        fs::remove_file(ground.path(name)).unwrap();
    };
    trap("context-elsewhere/dangling", "/no/where", "the link leads nowhere");
    trap("context-elsewhere/self", "self", "the link leads back to itself");
    trap("data/wasm_2_0_0/up", "..", "above it");
    let after = ground.tree().only(|name| !["context-elsewhere", "data/wasm_2_0_0"].contains(&name));
    after.same_as(&before.only(|name| !["context-elsewhere", "data/wasm_2_0_0"].contains(&name)), "refused");
}

#[test]
fn files_that_cannot_be_archived_are_named() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    let refused = |name: &str, text: &str| {
        let run = ground.run(&["export", "out", "--data-dir", &data]).refused(4, text);
        assert!(run.err.contains(name), "{run}");
        fs::remove_file(ground.path(&format!("data/{name}"))).unwrap();
        assert!(!ground.path("out").exists());
        assert!(!ground.tree().names().iter().any(|name| name.starts_with(".rollsnap")));
    };
    let fifo = ground.path("data/context/fifo");
    assert!(Command::new("mkfifo").arg(fifo).status().unwrap().success());
    refused("context/fifo", "a FIFO, a socket or a device");
    let long = format!("wasm_2_0_0/{}", "a".repeat(101 - "wasm_2_0_0/".len()));
    fs::write(ground.path(&format!("data/{long}")), b"").unwrap();
    refused(&long, "its name is longer than 100 bytes");
    fs::write(ground.path("data/context/new\nline"), b"").unwrap();
    let run = ground.run(&["export", "out", "--data-dir", &data]).refused(4, "control character");
    assert!(run.err.contains("new\\nline"), "{run}");
    fs::remove_file(ground.path("data/context/new\nline")).unwrap();

    // A name of exactly 100 bytes is the longest; empty directories leave no trace.
    let longest = format!("wasm_2_0_0/{}", "a".repeat(100 - "wasm_2_0_0/".len()));
    fs::write(ground.path(&format!("data/{longest}")), b"x").unwrap();
    fs::create_dir(ground.path("data/riscv")).unwrap();
    fs::write(ground.path("data/logs"), b"not carried").unwrap();
    let python = members(&ground.at(&exported(ground.run(&["export", "out", "--data-dir", &data]))));
    let names: Vec<&Value> = python["members"].as_array().unwrap().iter().map(|row| &row["name"]).collect();
    assert!(names.contains(&&json!(longest)));
    for absent in ["logs", "riscv", "lock", "gc_lock", "processing_lock", "config.json", "store.sqlite-wal"] {
        assert!(!names.contains(&&json!(absent)), "{absent}");
    }
}

#[test]
fn a_store_in_use_is_copied_with_its_log() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    // Rows that are in the write-ahead log only, while another process has the database open.
    let script = "import sqlite3, sys\n\
        db = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
        db.execute('PRAGMA wal_autocheckpoint=0')\n\
        db.execute(\"UPDATE protocols SET proto_level = proto_level + 70\")\n\
        print('open', flush=True)\n\
        sys.stdin.read()\n";
    let mut python = Command::new("python3");
    let store = format!("{data}/store.sqlite");
    python
        .args(["-c", script, &store])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped());
    let mut node = python.spawn().unwrap();
    let mut word = [0; 5];
    std::io::Read::read_exact(node.stdout.as_mut().unwrap(), &mut word).unwrap();
    assert!(Path::new(&format!("{store}-wal")).metadata().unwrap().len() > 0);
    let bytes = fs::read(&store).unwrap();
    let path = exported(ground.run(&["export", "--data-dir", &data, "--level", "head"]));
    assert_eq!(fs::read(&store).unwrap(), bytes, "the export checkpoints nothing");
    ground.run(&["extract", &path, "store.sqlite", "-C", "out"]).ok();
    let found = dump(&ground.at("out/store.sqlite"));
    assert!(
        found["tables"]["protocols"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["proto_level"].as_i64() > Some(70))
    );
    drop(node.stdin.take());
    node.wait().unwrap();
}

/// Nothing is packed, so the database in the snapshot has the pages of the source; the rows are the
/// same, and what an export removes is not there.
#[test]
fn without_vacuum_the_rows_are_the_same() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let lpc = expect("v5-full")["lpc"]["hash"].as_str().unwrap().to_owned();
    let sql = "import sqlite3, sys\n\
               db = sqlite3.connect(sys.argv[1])\n\
               db.execute('CREATE TABLE scratch AS SELECT randomblob(400000)')\n\
               db.execute('DROP TABLE scratch')\n\
               db.commit()\n";
    let store = format!("{data}/store.sqlite");
    assert!(Command::new("python3").args(["-c", sql, &store]).status().unwrap().success());
    let mut stores = Vec::new();
    for (option, name) in [("--no-vacuum", "pages"), ("--uncompressed", "packed")] {
        exported(ground.run(&["export", name, "--data-dir", &data, "--level", "2000020", option]));
        ground.run(&["extract", name, "store.sqlite", "-C", &format!("{name}.d")]).ok();
        stores.push(ground.at(&format!("{name}.d/store.sqlite")));
    }
    let (pages, packed) = (dump(&stores[0]), dump(&stores[1]));
    assert_eq!(pages["tables"], packed["tables"]);
    assert_eq!((&pages["integrity"], &pages["journal"]), (&json!(["ok"]), &json!("wal")));
    assert_eq!(packed["free_pages"], 0);
    assert!(pages["free_pages"].as_u64() > Some(50), "{}", pages["free_pages"]);
    let rows = pages["tables"].to_string();
    for store in &stores {
        let bytes = fs::read(store).unwrap();
        let there = bytes.windows(lpc.len()).any(|window| window == lpc.as_bytes());
        assert_eq!(there, rows.contains(&lpc), "{store}");
    }
}

#[test]
fn absurd_numbers_are_usage_errors() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    let before = ground.tree();
    for words in [
        ["--jobs", "0"],
        ["--jobs", "-1"],
        ["--jobs", "two"],
        ["--jobs", "99999999999999999999999"],
        ["--compression-level", "0"],
        ["--compression-level", "10"],
        ["--compression-level", "-3"],
        ["--compression-level", "256"],
        ["--compression-level", "best"],
        ["--format", "tezos"],
    ] {
        ground.run(&[&["export", "out", "--data-dir", &data], &words[..]].concat()).refused_by_usage();
    }
    ground.tree().same_as(&before, "refused");
    // More threads than anybody has: as many as there is work for.
    exported(ground.run(&["export", "many", "--data-dir", &data, "--jobs", "1000000"]));
    exported(ground.run(&["export", "one", "--data-dir", &data, "--jobs", "1"]));
    assert!(fs::read(ground.path("many")).unwrap() == fs::read(ground.path("one")).unwrap());
}

/// The snapshot is made all the same, and nothing else is left.
#[test]
fn nobody_reads_what_it_says() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    for (words, script) in [
        (&["--json"][..], "\"$@\" | true"),
        (&["--progress", "json"], "\"$@\" 2>&1 >/dev/null | true"),
        (&["--progress", "plain"], "exec \"$@\" >&- 2>&-"),
    ] {
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(rollsnap_tests::cli::program());
        command.args(["export", "out", "--force", "--data-dir", &data]).args(words);
        ground.isolate(&mut command).status().unwrap();
        ground.run(&["verify", "out"]).ok();
        fs::remove_file(ground.path("out")).unwrap();
        assert!(!ground.tree().names().iter().any(|name| name.contains("rollsnap-export")), "{script}");
    }
}

/// Logs of the database and working directories of the others come and go meanwhile.
#[test]
fn several_at_once_from_one_directory_to_one_place() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    for round in 0..8 {
        let names: Vec<_> = (0..4).map(|n| format!("out/{round}.{n}")).collect();
        let words: Vec<_> =
            names.iter().map(|name| ["export", name, "--no-check", "--data-dir", &data]).collect();
        let start = |words: &[&str; 5]| {
            let mut command = ground.command(words);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let running: Vec<_> = words.iter().map(start).collect();
        for (words, export) in words.iter().zip(running) {
            Run::of(words, export.wait_with_output().unwrap()).ok();
        }
        let digests: Vec<_> =
            names.iter().map(|name| sha256(&fs::read(ground.path(name)).unwrap())).collect();
        assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "{round}");
    }
    ground.run(&["verify", "out/0.0"]).ok();
}

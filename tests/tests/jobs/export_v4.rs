//! `export` of stores of version 4, with the rules and words of Mavkit's nodes: against the snapshots
//! that OCaml's own libraries wrote of the same directories.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use rollsnap_tests::cli::{Ground, Holder, Run, Tree, members};
use rollsnap_tests::fixtures::{self, unhex};
use rollsnap_tests::store_v4;
use serde_json::{Value, json};

const NAMES: [&str; 6] = ["archive", "failed-gc", "full-gc", "full-gc-merged", "leftovers", "origination"];

/// Header and archive of a snapshot, as gunzip gives them.
fn plain(ground: &Ground, path: &str) -> Vec<u8> {
    let output = Command::new("gunzip").arg("-c").stdin(fs::File::open(ground.path(path)).unwrap()).output();
    output.unwrap().stdout
}

/// A directory of `store-v4`: GNU tar unpacks its snapshot, and the operator's own file comes back.
fn unpack(ground: &Ground, name: &str) -> String {
    let snapshot = ground.snapshot(&format!("snapshot/{name}.gz"));
    let data = ground.at(name);
    fs::create_dir(&data).unwrap();
    let script = "gunzip -c \"$1\" | tail -c +59 | tar -xp -C \"$2\"";
    assert!(Command::new("sh").args(["-ec", script, "sh", &snapshot, &data]).status().unwrap().success());
    if let Some(lpc) = store_v4::dump(name)["singletons"]["lpc"]["raw"].as_str() {
        fs::write(format!("{data}/storage/lpc"), unhex(lpc)).unwrap();
    }
    data
}

/// The path in `Snapshot exported to PATH`, which must be all there is.
#[track_caller]
fn exported(run: Run) -> String {
    let run = run.ok();
    let path = run.text().strip_prefix("Snapshot exported to ").and_then(|text| text.strip_suffix('\n'));
    path.unwrap_or_else(|| panic!("{run}")).to_owned()
}

/// What a source holds but the lock files, which any export makes where no node has.
fn without_locks(data: &str) -> Tree {
    Tree::of(data.as_ref()).only(|name| !["gc_lock", "processing_lock"].contains(&name))
}

/// Their witnesses are labels, which no check can accept: so they are not checked here.
#[test]
fn the_very_bytes_that_the_real_libraries_wrote() {
    for name in NAMES {
        let ground = Ground::new();
        let data = unpack(&ground, name);
        let before = without_locks(&data);
        let expected = plain(&ground, &format!("{name}.gz"));
        let words = ["export", "--data-dir", &data, "--no-check", "--uncompressed", "--dest", "out"];
        let path = exported(ground.run(&words));
        assert!(fs::read(ground.path(&path)).unwrap() == expected, "{name}");
        without_locks(&data).same_as(&before, name);
        for (option, file) in [(None, "a"), (Some("--compress-on-the-fly"), "b"), (Some("--fast"), "c")] {
            let words = ["snapshot", "export", file, "--data-dir", &data, "--no-check", "--level", "head"];
            let words: Vec<&str> = words.into_iter().chain(option).collect();
            assert_eq!(exported(ground.run(&words)), file);
            assert!(plain(&ground, file) == expected, "{name} {option:?}");
        }
        // The messages are invented, and none of layer 1's own are among them: nothing proves them. The origination has
        // none.
        let run = ground.run(&["export", "checked", "--data-dir", &data]).ok();
        let is_told = run.err.contains("lists of messages, of levels");
        assert_eq!(is_told, name != "origination", "{run}");
    }
}

#[test]
fn a_sound_directory_is_exported_and_checked() {
    for (base, level, mode) in [("v4-full", 800_029, "full"), ("v4-archive", 4023, "archive")] {
        let ground = Ground::new();
        let data = ground.unpack(base, "data");
        let record = rollsnap_tests::cli::expect(base);
        let before = Tree::of(data.as_ref());
        let run = ground.run(&["export", "--data-dir", &data, "--uncompressed", "--json"]);
        let notes: Vec<&str> = run.err.lines().collect();
        assert_eq!(notes[..2], ["Acquiring GC lock", "Acquiring process lock"], "{run}");
        let report = run.ok().json();
        Tree::of(data.as_ref()).same_as(&before, base);
        let path = report["path"].as_str().unwrap();
        let address = record["rollup_address"].as_str().unwrap();
        assert_eq!(record["levels"]["head"], level);
        assert_eq!(path, format!("snapshot-{}-{level}.{mode}.uncompressed", &address[..13]));
        let bytes = fs::read(ground.path(path)).unwrap();
        if base == "v4-full" {
            let real = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
            assert!(bytes == plain(&ground, &real), "the bytes of the real libraries");
        }
        let python = members(&ground.at(path));
        assert_eq!(python["header"], record["headers"]["head"]["hex"]);
        let names: Vec<&str> =
            python["members"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
        let carried = |name: &&str| {
            *name == "metadata"
                || (*name != "storage/lpc"
                    && ["context/", "storage/", "wasm_2_0_0/"].iter().any(|top| name.starts_with(top)))
        };
        let mut expected: Vec<&str> = before.files().keys().copied().filter(carried).collect();
        expected.sort_by_key(|name| name.split('/').collect::<Vec<_>>());
        assert_eq!(names, expected);
        for row in python["members"].as_array().unwrap() {
            let entry = &before.0[row["name"].as_str().unwrap()];
            assert_eq!((&row["sha256"], &row["mode"]), (&json!(entry.content), &json!(entry.mode & 0o777)));
        }

        assert_eq!(report["verdicts"]["intact"], "yes");
        assert_eq!(report["bytes"], bytes.len());
        assert_eq!(report["header"]["head_level"], level);
        assert!(report["locks_held_ms"].is_u64());
        let status = |code: &str| {
            let checks = report["checks"].as_array().unwrap().iter();
            checks
                .filter(|check| check["code"] == code)
                .map(|check| check["status"].clone())
                .collect::<Vec<_>>()
        };
        for code in ["chain.block", "messages.witness", "commitment.chain", "context.hash", "pre-image.hash"]
        {
            assert_eq!(status(code), ["yes"], "{base} {code}: {report}");
        }
        assert_eq!(status("l1.commitment"), ["unknown"]);
    }
}

#[test]
fn layer_1_is_not_asked_and_that_is_said() {
    let ground = Ground::new();
    let data = ground.unpack("v4-archive", "data");
    // Nothing listens there.
    let run = ground.run(&["-E", "http://127.0.0.1:9", "export", "out", "--data-dir", &data]).ok();
    assert!(run.err.contains("--endpoint is not used: an export of version 4 asks nobody"), "{run}");
}

#[test]
fn only_the_head_can_be_had() {
    let ground = Ground::new();
    let data = ground.unpack("v4-archive", "data");
    let before = ground.tree();
    for level in ["finalized", "cemented", "4020", "4023"] {
        let run = ground.run(&["export", "out", "--data-dir", &data, "--level", level]);
        let run = run.refused(2, &format!("--level {level} is not for stores of version 4"));
        assert!(run.err.contains("leave --level away, or say head"), "{run}");
    }
    ground
        .run(&["export", "out", "--data-dir", &data, "--level", "tip"])
        .refused(2, "Invalid snapshot level");
    ground.tree().same_as(&before, "refused");
    exported(ground.run(&["export", "a", "--data-dir", &data, "--level", "HEAD"]));
    exported(ground.run(&["export", "b", "--data-dir", &data, "--format", "mavkit", "--no-vacuum"]));
    assert!(fs::read(ground.path("a")).unwrap() == fs::read(ground.path("b")).unwrap());
}

#[test]
fn other_stores_are_named_and_refused() {
    let ground = Ground::new();
    let old = ground.unpack("v4-archive", "old");
    let new = ground.unpack("v5-archive", "new");
    let version = |text: &str| fs::write(ground.path("old/storage/version"), text).unwrap();
    let refused = |data: &str, format: Option<&str>, text: &str| {
        let before = ground.tree();
        let words = ["export", "out", "--data-dir", data];
        let forced = format.map(|format| ["--format", format]);
        let words: Vec<&str> = words.into_iter().chain(forced.into_iter().flatten()).collect();
        let run = ground.run(&words).refused(1, text);
        assert!(run.err.contains("[store.version]") || run.err.contains("[store.missing]"), "{run}");
        ground.tree().same_as(&before, text);
    };
    refused(&old, Some("octez"), "Retired store version 4, recover from snapshot");
    refused(&new, Some("mavkit"), "the store has version 5, of which no Mavkit node makes a snapshot");
    for number in 0..4 {
        version(&format!("{{ \"store_version\": {number} }}"));
        let text = format!(
            "Incompatible store version v{number}, expected v4. Cannot produce snapshot. Please restart"
        );
        refused(&old, None, &text);
        let text = format!("Retired store version {number}, recover from snapshot");
        refused(&old, Some("octez"), &text);
    }
    for number in ["6", "-1", "44"] {
        version(&format!("{{ \"store_version\": {number} }}"));
        refused(&old, None, &format!("Unsupported store version {number}"));
    }
    version("{ \"store_version\": \"4\" }");
    refused(&old, None, "storage/version");
    fs::remove_file(ground.path("old/storage/version")).unwrap();
    refused(&old, None, "Unversionned store, cannot produce snapshot.");
    version("{ \"store_version\": 4 }");

    // Both in one directory.
    fs::copy(ground.path("new/store.sqlite"), ground.path("old/store.sqlite")).unwrap();
    refused(&old, None, "two stores are in one data directory");
    refused(&old, Some("octez"), "Retired store version 4, recover from snapshot");
    exported(ground.run(&["export", "mine", "--data-dir", &old, "--format", "mavkit"]));
    let names = members(&ground.at("mine"))["members"].to_string();
    assert!(names.contains("storage/l2_head") && !names.contains("sqlite"), "{names}");
    // Neither.
    fs::create_dir(ground.path("none")).unwrap();
    for format in [&[][..], &["--store-format", "octez"], &["--store-format", "mavkit"]] {
        let before = ground.tree();
        let words = [&["export", "out", "--data-dir", "none"], format].concat();
        ground.run(&words).refused(3, "[data-dir.none]");
        ground.tree().same_as(&before, "no store");
    }
}

#[test]
fn the_context_of_the_head_must_be_there() {
    let ground = Ground::new();
    let data = ground.unpack("v4-archive", "data");
    let log = ground.path("data/context/index/log");
    let bytes = fs::read(&log).unwrap();
    // The last entry is that of the head: 32 bytes of hash, and 13 of place.
    let mut altered = bytes.clone();
    altered[bytes.len() - 45] ^= 1;
    fs::write(&log, altered).unwrap();
    let before = ground.tree();
    for option in [None, Some("--no-check")] {
        let words = ["export", "out", "--data-dir", &data].into_iter().chain(option).collect::<Vec<_>>();
        ground.run(&words).refused(1, "Head context cannot be checkouted, won't produce snapshot.");
        ground.tree().same_as(&before, "refused");
    }
}

/// A collection of version 4 moves the files of the store, so even a compact export waits for it.
#[test]
fn a_compact_export_holds_what_the_real_library_made() {
    for (name, level) in [("archive", 1000), ("full-gc-merged", 2_000_035)] {
        let ground = Ground::new();
        let data = unpack(&ground, name);
        let run = ground.run(&["export", "out", "--data-dir", &data, "--compact", "--no-check"]);
        let notes: Vec<&str> = run.err.lines().collect();
        let first = format!("Exporting context snapshot with first level {level}");
        assert_eq!(notes[..3], ["Acquiring GC lock", "Acquiring process lock", &first], "{run}");
        exported(run);
        let real = ground.snapshot(&format!("snapshot/{name}-compact.gz"));
        let listed = |path: &str| {
            let rows = members(path)["members"].as_array().unwrap().clone();
            // The real library leaves the file of a lock.
            let rows = rows.iter().filter(|row| row["name"] != "context/index/lock");
            rows.map(|row| json!([row["name"], row["size"], row["sha256"]])).collect::<Vec<Value>>()
        };
        assert_eq!(listed(&ground.at("out")), listed(&real), "{name}");
    }
    let ground = Ground::new();
    let data = ground.unpack("v4-full", "data");
    let report = ground.run(&["export", "out", "--data-dir", &data, "--compact", "--json"]).ok().json();
    let codes: Vec<&str> =
        report["checks"].as_array().unwrap().iter().map(|check| check["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"context.compact") && codes.contains(&"chain.block"), "{report}");

    let holder = Holder::of(&[format!("{data}/gc_lock")]);
    let words = ["export", "waits", "--data-dir", &data, "--compact"];
    let mut export = rollsnap_tests::cli::Running::start(&words, ground.command(&words));
    export.until("Acquiring GC lock");
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(export.runs() && !ground.path("waits").exists());
    drop(holder);
    export.end().ok();
}

/// What a node would not open is not shipped, and a special file has no place in an archive.
#[test]
fn damage_is_found_before_anything_is_named() {
    let ground = Ground::new();
    let data = ground.unpack("v4-full", "data");
    let before = ground.tree();
    let inboxes = ground.path("data/storage/inboxes/1/data");
    let bytes = fs::read(&inboxes).unwrap();
    fs::write(&inboxes, &bytes[..bytes.len() - 1]).unwrap();
    let run = ground.run(&["export", "out", "--data-dir", &data, "--compress-on-the-fly"]);
    assert!(run.status != 0 && run.err.contains("Error: "), "{run}");
    fs::write(&inboxes, &bytes).unwrap();
    fixtures::read("data-dir/v4-full.tar");
    let stamp = fs::File::options().write(true).open(&inboxes).unwrap();
    stamp.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000)).unwrap();
    assert_eq!(fs::metadata(&inboxes).unwrap().permissions().mode() & 0o777, 0o644);
    ground.tree().same_as(&before, "refused");
    for control in ["store.control", "store.branches"] {
        let path = ground.path("data/storage/irmin_store").join(control);
        fs::rename(&path, path.with_extension("away")).unwrap();
        if control == "store.control" {
            ground.run(&["export", "out", "--data-dir", &data]).refused(3, "irmin_store");
        } else {
            exported(ground.run(&["export", "without-branches", "--data-dir", &data]));
        }
        fs::rename(path.with_extension("away"), &path).unwrap();
    }
    let fifo = ground.path("data/storage/fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    ground.run(&["export", "out", "--data-dir", &data]).refused(4, "a FIFO, a socket or a device");
    assert!(!ground.path("out").exists());
}

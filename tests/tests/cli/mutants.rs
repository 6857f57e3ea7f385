//! Every rule of export and import that this version knows, broken one at a time: the words of the
//! nodes, the exit status, and nothing changed.

use std::fs;
use std::path::Path;

use rollsnap_tests::cli::{Ground, Holder};
use rollsnap_tests::fixtures;
use serde_json::Value;

fn entry(entries: &[Value], id: &str) -> Value {
    entries.iter().find(|entry| entry["id"] == id).unwrap_or_else(|| panic!("no mutant {id}")).clone()
}

fn args(entry: &Value) -> Vec<String> {
    let args = entry["args"].as_array().into_iter().flatten();
    args.map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// The text that the mutant's record demands, if it is one text.
fn text(entry: &Value, dir: &str) -> Option<String> {
    let error = &entry["error"];
    let text = error["octez"].as_str().or(error["mavkit"].as_str())?;
    let exact = entry["match"] != "regex" || !text.starts_with("(?s)");
    exact.then(|| text.replace("<dir>", dir).replace("<target>", dir).replace("(?s)", ""))
}

#[test]
fn rules_before_an_export() {
    let all = fixtures::mutants();
    let status = |id: &str| match id {
        "e7-word" => 2,
        _ => 1,
    };
    // What the records leave open: wording of a JSON library, of SQLite, or of another layout.
    let ours = [
        (
            "e1-v4-version-3",
            "Incompatible store version v3, expected v4. Cannot produce snapshot. Please restart your rollup node \
             to migrate.",
        ),
        ("e2-metadata-v0", "metadata is not JSON of version 1"),
        ("v4-mode-2", "history_mode cannot be decoded: it is neither archive (00) nor full (01)"),
        ("v4-head-cut", "l2_head cannot be decoded: it ends too early"),
        ("v4-head-extra", "l2_head cannot be decoded"),
        ("schema-table", "there is no table l2_levels"),
        ("schema-truncated", "malformed"),
    ];
    let rules = ["E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8"];
    let mut seen = 0;
    for entry in &all {
        let id = entry["id"].as_str().unwrap();
        let ours = ours.iter().find(|(name, _)| *name == id).map(|(_, text)| (*text).to_owned());
        if entry["command"] != "export"
            || (ours.is_none() && !rules.contains(&entry["rule"].as_str().unwrap()))
        {
            continue;
        }
        seen += 1;
        let ground = Ground::new();
        ground.mutants(&[id]);
        let data = ground.at(&format!("{id}/data"));
        let before = ground.tree();
        let args = args(entry);
        let words: Vec<&str> =
            ["export", "--data-dir", &data].into_iter().chain(args.iter().map(String::as_str)).collect();
        let run = ground.run(&words);
        if entry["accept"] == true {
            let run = run.ok();
            assert!(run.text().starts_with("Snapshot exported to "), "{run}");
            continue;
        }
        let text = ours.or_else(|| text(entry, &data)).unwrap_or_else(|| panic!("no text for {id}"));
        let damaged = ["schema-truncated", "schema-table", "v4-mode-2", "v4-head-cut", "v4-head-extra"];
        let status = if damaged.contains(&id) { 3 } else { status(id) };
        run.refused(status, &text);
        ground.tree().same_as(&before, id);
    }
    assert_eq!(seen, 26, "mutants of these rules");
}

/// Runs an import mutant that must be refused, and looks that nothing has changed.
fn refused(entry: &Value, status: i32, ours: Option<&str>) {
    let id = entry["id"].as_str().unwrap();
    let ground = Ground::new();
    ground.mutants(&[id]);
    let (target, snapshot) = (ground.at(&format!("{id}/target")), ground.at(&format!("{id}/snapshot")));
    let before = ground.tree();
    let args = args(entry);
    let words =
        ["import", &snapshot, "--data-dir", &target].into_iter().chain(args.iter().map(String::as_str));
    let words: Vec<&str> = words.collect();
    let held = entry["hold_lock"].as_str().map(|name| Holder::of(&[format!("{target}/{name}")]));
    let run = ground.run(&words);
    drop(held);
    let text = ours
        .map(str::to_owned)
        .or_else(|| text(entry, &target))
        .unwrap_or_else(|| panic!("no text for {id}"));
    run.refused(status, &text);
    // Neither files nor directories nor lock files, nor times.
    ground.tree().same_as(&before, id);
    if !Path::new(&target).exists() {
        let far = ground.at("far/below");
        let words: Vec<&str> = words.iter().map(|word| if *word == target { &far } else { *word }).collect();
        ground.run(&words).ends(status);
        assert!(!ground.path("far").exists(), "{id}");
    }
}

#[test]
fn rules_before_an_import() {
    let all = fixtures::mutants();
    let header = "Error reading snapshot header";
    for (id, status, ours) in [
        ("i1-storage", 4, None),
        ("i1-context", 4, None),
        ("i2-locked", 4, None),
        ("i3-short", 3, Some(header)),
        ("i3-version", 3, Some(header)),
        ("i3-mode", 3, Some(header)),
        ("i4-other-rollup", 4, None),
        ("i4-header-of-other", 4, None),
        ("i5-full-into-archive", 4, None),
        ("i5b-level", 4, None),
        ("i5c-equal", 6, None),
        ("i5c-equal-no-check", 6, None),
    ] {
        refused(&entry(&all, id), status, ours);
    }
}

#[test]
fn a_header_that_lies_is_a_check_that_says_no() {
    let all = fixtures::mutants();
    for (id, text) in [
        ("p1-no-metadata", None),
        ("p2-header-commitment", None),
        (
            "hdr-level",
            Some("The header is for level 1022, but the head of the store in the snapshot is at level 1023."),
        ),
        (
            "hdr-mode",
            Some("The header is for history mode full, but the store in the snapshot is for archive."),
        ),
        ("hdr-address", Some("The header is for rollup sr1PZp36n7oMkvpHmmk6z6S4FdTfwhmJNPSR, but")),
    ] {
        refused(&entry(&all, id), 1, text);
    }
    // Told not to check, an import takes what the nodes take; the rollup is compared all the same.
    let ground = Ground::new();
    ground.mutants(&["hdr-level", "hdr-mode", "hdr-address", "p2-header-commitment"]);
    for id in ["hdr-level", "hdr-mode", "p2-header-commitment"] {
        let run = ground
            .run(&["import", "--no-check", &format!("{id}/snapshot"), "--data-dir", &format!("{id}/new")])
            .ok();
        assert!(
            run.err.contains("Note: not checked: header, store, chain and layer 1 (--no-check)\n"),
            "{run}"
        );
    }
    let words = ["import", "--no-check", "hdr-address/snapshot", "--data-dir", "hdr-address/new"];
    ground.run(&words).refused(1, "The header is for rollup");
    assert!(!ground.path("hdr-address/new").exists());
}

#[test]
fn containers_with_a_fault_are_refused_by_import_and_by_verify() {
    let all = fixtures::mutants();
    let boxes: Vec<&Value> = all.iter().filter(|entry| entry["rule"] == "BOX").collect();
    let expected = [
        ("gz-truncated", "gzip.truncated"),
        ("gz-cut-trailer", "gzip.truncated"),
        ("gz-bad-crc", "gzip.crc"),
        ("gz-bad-isize", "gzip.size"),
        ("gz-bad-crc-late", "tar.trailing"),
        ("gz-two-members", "gzip.members"),
        ("gz-garbage", "gzip.trailing"),
        ("tar-checksum", "tar.checksum"),
        ("tar-traversal", "tar.name-outside"),
        ("tar-traversal-mid", "tar.name-outside"),
        ("tar-absolute", "tar.name-outside"),
        ("tar-duplicate", "tar.duplicate"),
        ("tar-duplicate-same", "tar.duplicate"),
        ("tar-trailing", "tar.trailing"),
        ("tar-no-end", "tar.truncated"),
        ("tar-one-end", "tar.truncated"),
        ("tar-directory", "tar.type"),
        ("tar-symlink", "tar.type"),
        ("tar-config", "snapshot.member"),
        ("tar-lpc-wal", "snapshot.member"),
    ];
    let ids: Vec<&str> = boxes.iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), expected.len(), "{ids:?}");
    let ground = Ground::new();
    ground.mutants(&ids);
    fs::create_dir(ground.path("outside")).unwrap();
    for (id, code) in expected {
        let before = ground.tree();
        let snapshot = ground.at(&format!("{id}/snapshot"));
        let marker = format!("[{code}]");
        for command in [
            ["import", &snapshot, "--data-dir", "outside/target"],
            ["extract", &snapshot, "-C", "outside/target"],
        ] {
            let run = ground.run(&command);
            if code == "snapshot.member" && command[0] == "extract" {
                // Harmless in a directory of its own.
                continue;
            }
            run.refused(3, &marker);
            ground.tree().same_as(&before, id);
        }
        // Its container is whole where a member is only foreign.
        let foreign = code == "snapshot.member";
        let report = ground.run(&["verify", &snapshot, "--json"]).ends(if foreign { 1 } else { 3 }).json();
        let verdicts = if foreign { ["yes", "no"] } else { ["no", "unknown"] };
        assert_eq!([&report["verdicts"]["intact"], &report["verdicts"]["consistent"]], verdicts, "{id}");
        let failing: Vec<&Value> =
            report["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "no").collect();
        assert!(failing.iter().any(|check| check["code"] == code), "{id}: {failing:?}");
        let _ = fs::remove_dir_all(ground.path("outside/target"));
        fs::remove_dir_all(ground.path("outside")).unwrap();
        fs::create_dir(ground.path("outside")).unwrap();
    }
}

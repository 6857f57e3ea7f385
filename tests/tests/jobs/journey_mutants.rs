//! Export and import of every mutant with a layer 1 beside it: refused with the words of the nodes
//! and nothing changed, or accepted where a node accepts it too.

use std::fs;
use std::path::Path;
use std::thread;

use rollsnap_tests::cli::{Ground, Run};
use rollsnap_tests::fixtures;
use rollsnap_tests::l1::Stub;
use serde_json::Value;

/// What no node looks at, or says in the words of a library: our code, and the exit status.
const OURS: &[(&str, &str, i32)] = &[
    ("e2-metadata-v0", "metadata.form", 1),
    ("hdr-level", "header.store", 1),
    ("hdr-mode", "header.store", 1),
    ("inv1-message-bit", "messages.witness", 1),
    ("inv1-message-dropped", "messages.witness", 1),
    ("inv1-messages-emptied", "messages.form", 1),
    ("inv1-message-4097", "messages.form", 1),
    ("inv2-witness", "inbox.witness", 1),
    ("inv2-index", "inbox.index", 1),
    ("inv2-back-pointer", "inbox.back-pointers", 1),
    ("inv2-column", "inbox.level", 1),
    ("inv2-messages-column", "messages.level", 1),
    ("inv3-predecessor", "messages.predecessor", 1),
    ("inv3-timestamp", "messages.timestamp", 1),
    ("inv4-initial-tick", "chain.ticks", 1),
    ("inv4-num-ticks", "chain.ticks", 1),
    ("inv4-zero-ticks", "commitment.ticks", 1),
    ("inv5-skip", "messages.predecessor", 1),
    // The text of P5d, for the recorded state.
    ("inv6-state-hash", "state.hash", 1),
    ("levels-wrong", "levels.chain", 1),
    ("levels-above", "levels.chain", 1),
    ("levels-missing", "levels.chain", 1),
    ("levels-fork", "levels.chain", 1),
    ("finalized-unknown", "mark.finalized", 1),
    ("lcc-other", "mark.lcc", 1),
    ("lcc-above-head", "mark.lcc", 1),
    ("pub-unknown", "published.unknown", 1),
    ("schema-base58", "store.value", 1),
    ("schema-deflate", "store.value", 1),
    ("schema-status", "store.value", 1),
    ("schema-table", "store.damaged", 3),
    ("schema-truncated", "store.damaged", 3),
    ("pre-flip", "pre-image.hash", 1),
    ("pre-big", "pre-image.size", 1),
    ("ctx-empty", "context.head", 1),
    ("ctx-contents", "context.hash", 1),
    ("ctx-contents-hash", "context.hash", 1),
    ("ctx-inode", "context.child", 1),
    ("ctx-commit", "chain.context", 1),
    ("ctx-commit-hash", "context.hash", 1),
    ("ctx-suffix-cut", "context.file", 1),
    ("ctx-checksum", "context.control", 1),
    ("ctx-dict-missing", "context.pvm-state", 1),
    ("ctx-index-cut", "context.index", 1),
];

/// In an object that the head does not need: with `--context head`, import and export look at commits only, and say so.
const NOT_OF_THE_HEAD: &str = "ctx-inode";

/// Only layer 1 tells: without an endpoint they are accepted, with a note.
const ONLY_LAYER_1: [&str; 8] = [
    "e10-predecessor",
    "i5d-savepoint",
    "i6-unpublished",
    "i6-forbidden",
    "p3-level-unpublished",
    "p4-other-lcc",
    "p4-no-commitment",
    "p5c-boot-sector",
];

const NOT_CHECKED: &str =
    "Note: not checked: whether the last commitment is published on layer 1 (no --endpoint)\n";

fn entries() -> Vec<Value> {
    let wanted = |entry: &Value| {
        let base = fixtures::base_of(entry);
        // Versions 4, containers, headers and locks have tests of their own.
        !base.contains("v4")
            && entry["command"] != "verify"
            && entry["rule"] != "BOX"
            && entry["rule"] != "I3"
            && entry["hold_lock"].is_null()
    };
    fixtures::mutants().into_iter().filter(wanted).collect()
}

#[test]
fn every_mutant_with_and_without_layer_1() {
    let entries = entries();
    let (left, right) = entries.split_at(entries.len() / 2);
    thread::scope(|scope| {
        for half in [left, right] {
            scope.spawn(|| half.iter().for_each(check));
        }
    });
    assert!(entries.len() > 80, "{}", entries.len());
}

fn check(entry: &Value) {
    let id = entry["id"].as_str().unwrap();
    let ground = Ground::new();
    ground.mutants(&[id]);
    let view: Value =
        serde_json::from_slice(&fs::read(ground.path(&format!("{id}/l1.json"))).unwrap()).unwrap();
    let switches: Vec<&str> =
        entry["switches"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let stub = Stub::start(&view, &switches);
    let accepted = entry["accept"] == true;
    let only_layer_1 = ONLY_LAYER_1.contains(&id) || id == "p4-no-block";

    let before = ground.tree();
    let run = run(entry, &ground, &["-E", stub.url()]);
    if accepted {
        run.ok();
        return;
    }
    refused(entry, &ground, run, true);
    ground.tree().same_as(&before, id);

    let run = self::run(entry, &ground, &[]);
    if only_layer_1 {
        assert!(run.err.contains(NOT_CHECKED), "{run}");
        run.ok();
        return;
    }
    refused(entry, &ground, run, false);
    ground.tree().same_as(&before, id);
    if id == NOT_OF_THE_HEAD {
        let run = self::run(entry, &ground, &["--context", "head"]).ok();
        assert!(run.err.contains("Note: not checked: the objects of "), "{run}");
    }
}

fn run(entry: &Value, ground: &Ground, more: &[&str]) -> Run {
    let id = entry["id"].as_str().unwrap();
    let place = |name: &str| ground.at(&format!("{id}/{name}"));
    let (data, target, snapshot, out) = (place("data"), place("target"), place("snapshot"), place("out"));
    let job: &[&str] = if entry["command"] == "import" {
        &["import", &snapshot, "--data-dir", &target]
    } else {
        &["export", &out, "--data-dir", &data]
    };
    let args: Vec<&str> = entry["args"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    ground.run(&[job, &args, more].concat())
}

fn refused(entry: &Value, ground: &Ground, run: Run, with_layer_1: bool) {
    let id = entry["id"].as_str().unwrap();
    assert_eq!(run.text(), "", "{run}");
    let (_, error) = run.err.split_once("Error: ").unwrap_or_else(|| panic!("no error: {run}"));
    // Without layer 1 these two are found by another check.
    let elsewhere = match id {
        "p4-unknown-block" if !with_layer_1 => Some("levels.chain"),
        "hdr-address" if !with_layer_1 => Some("header.store"),
        _ => None,
    };
    let ours = OURS.iter().find(|(name, ..)| *name == id);
    if let Some(code) = elsewhere.or(ours.map(|(_, code, _)| code).copied()) {
        assert!(error.contains(&format!("\n  [{code}] ")), "{code}: {run}");
        assert_eq!(run.status, ours.map_or(1, |(.., status)| *status), "{run}");
        return;
    }
    let status = match (id, entry["rule"].as_str().unwrap()) {
        ("i6-forbidden", _) => 5,
        ("e7-word", _) => 2,
        ("i5c-equal" | "i5c-equal-no-check", _) => 6,
        (_, "I1" | "I4" | "I5" | "I5b" | "I5c") => 4,
        _ => 1,
    };
    assert_eq!(run.status, status, "{run}");
    let dir = if entry["command"] == "import" { "target" } else { "data" };
    let dir = ground.at(&format!("{id}/{dir}"));
    assert!(entry["command"] != "export" || !Path::new(&ground.at(&format!("{id}/out"))).exists(), "{run}");
    // The nodes say "is not published" of what their node of layer 1 does not answer; that is no answer.
    let text = match id {
        "i6-forbidden" => "Could not check whether the commitment of the snapshot is published on L1.",
        id => entry["error"]["octez"].as_str().unwrap_or_else(|| panic!("no text for {id}")),
    };
    let text = text.replace("<dir>", &dir).replace("<target>", &dir);
    if entry["match"] == "regex" {
        // Words stand for any hash; the rest is literal.
        let literal = text.trim_start_matches("(?s)").replace("\\w+", "\n").replace('\\', "");
        let mut rest = error;
        for part in literal.split('\n') {
            let (_, after) = rest.split_once(part).unwrap_or_else(|| panic!("{part:?}: {run}"));
            rest = after;
        }
    } else if entry["match"] == "contains" {
        assert!(error.contains(text.lines().next().unwrap()), "{text:?}: {run}");
    } else {
        let mut lines = text.lines();
        assert!(error.starts_with(&format!("{}\n", lines.next().unwrap())), "{text:?}: {run}");
        for line in lines {
            assert!(error.contains(&format!("\n  {line}\n")), "{line:?}: {run}");
        }
    }
}

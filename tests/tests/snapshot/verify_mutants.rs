//! `verify` of every data directory and snapshot of store version 5, sound or broken in one place: the
//! checks that say no are those of the broken rule, and no others.

use std::collections::{BTreeMap, BTreeSet};

use rollsnap_tests::cli::{Ground, failures};
use rollsnap_tests::fixtures;
use rollsnap_tests::verified::{self, Seen};
use serde_json::{Value, json};

const SEEN: Seen<'_> = &[
    ("e1-v5-version-4", &[("store.version", 0)]),
    ("e2-no-metadata-v5", &[("metadata.missing", 0)]),
    ("e2-metadata-v0", &[("metadata.form", 0)]),
    ("e3-context-version", &[("metadata.context-version", 0)]),
    ("e4-new-schema", &[("store.migrations", 0)]),
    ("e5-no-head-v5", &[("store.no-head", 0)]),
    ("e6-no-context", &[("store.no-context", 0)]),
    ("e7-hole", &[("levels.chain", 1018)]),
    ("e8-no-mode-v5", &[("store.no-history-mode", 0)]),
    ("i4-header-of-other", &[("header.store", 0)]),
    ("p1-no-metadata", &[("metadata.missing", 0)]),
    ("p2-header-commitment", &[("header.store", 0)]),
    ("x1-no-metadata", &[("metadata.missing", 0)]),
    ("x2-header-commitment", &[("header.store", 0)]),
    ("p4-unknown-block", &[("levels.chain", 1015)]),
    ("hdr-level", &[("header.store", 0)]),
    ("hdr-mode", &[("header.store", 0)]),
    ("hdr-address", &[("header.store", 0)]),
    ("x3-block-missing", &[("chain.block", 1016)]),
    ("x3-messages-missing", &[("chain.messages", 1016)]),
    ("x3-inbox-missing", &[("chain.inbox", 1016)]),
    // Its publication is still recorded.
    ("x3-commitment-missing", &[("chain.commitment", 1015), ("published.unknown", 1017)]),
    // Its commit is there, but the index does not list it.
    ("x3-context-missing", &[("chain.context", 1016), ("context.index", 0)]),
    // The ticks are part of the hash.
    ("p5a-ticks", &[("commitment.hash", 1015), ("commitment.ticks", 1015)]),
    ("p5d-state", &[("state.hash", 1020)]),
    ("p5e-level", &[("commitment.level", 1020)]),
    ("p5f-previous", &[("commitment.previous", 1020)]),
    // The blocks after 1015 name the commitment before it as well.
    ("p5g-skip", &[("commitment.chain", 1015), ("commitment.previous", 1016)]),
    ("p5h-inbox", &[("inbox.hash", 1016)]),
    ("inv1-message-bit", &[("messages.witness", 1016)]),
    ("inv1-message-dropped", &[("messages.witness", 1016)]),
    ("inv1-messages-emptied", &[("messages.form", 1016)]),
    ("inv1-message-4097", &[("messages.form", 1023)]),
    ("inv2-witness", &[("inbox.witness", 1023)]),
    ("inv2-index", &[("inbox.index", 1023)]),
    ("inv2-back-pointer", &[("inbox.back-pointers", 1023)]),
    ("inv2-column", &[("inbox.level", 1016)]),
    ("inv2-messages-column", &[("messages.level", 1016)]),
    ("inv3-predecessor", &[("messages.predecessor", 1023)]),
    ("inv3-timestamp", &[("messages.timestamp", 1023)]),
    // It neither starts where 1015 ends nor ends where 1017 starts.
    ("inv4-initial-tick", &[("chain.ticks", 1016), ("chain.ticks", 1017)]),
    ("inv4-num-ticks", &[("chain.ticks", 1017)]),
    ("inv4-zero-ticks", &[("commitment.ticks", 1020)]),
    // A block that was left out is missed by everything that links blocks.
    (
        "inv5-skip",
        &[
            ("chain.level", 1023),
            ("chain.ticks", 1023),
            ("inbox.back-pointers", 1023),
            ("inbox.index", 1023),
            ("messages.predecessor", 1023),
        ],
    ),
    ("inv6-state-hash", &[("state.hash", 1015)]),
    ("levels-wrong", &[("levels.chain", 1016)]),
    ("levels-above", &[("levels.chain", 1024)]),
    ("levels-missing", &[("levels.chain", 1016)]),
    ("levels-fork", &[("levels.chain", 315)]),
    ("finalized-unknown", &[("mark.finalized", 1021)]),
    ("lcc-other", &[("mark.lcc", 1010)]),
    ("lcc-above-head", &[("mark.lcc", 1026)]),
    ("pub-unknown", &[("published.unknown", 1023)]),
    ("schema-base58", &[("store.value", 1016)]),
    ("schema-deflate", &[("store.value", 1016)]),
    ("schema-status", &[("store.value", 1022)]),
    ("schema-table", &[("store.damaged", 0)]),
    ("schema-truncated", &[("store.damaged", 0)]),
    ("pre-flip", &[("pre-image.hash", 0)]),
    ("pre-big", &[("pre-image.size", 0)]),
    // The index of commits lacks the head.
    ("ctx-commit-missing", &[("chain.context", 1023), ("context.head", 1023), ("context.index", 0)]),
    ("ctx-contents", &[("context.hash", 0)]),
    ("ctx-contents-hash", &[("context.hash", 0)]),
    ("ctx-inode", &[("context.child", 0)]),
    // A commit with another hash is not the one that block 1016 names.
    ("ctx-commit", &[("chain.context", 1016), ("context.hash", 0)]),
    ("ctx-commit-hash", &[("context.hash", 0)]),
    ("ctx-suffix-cut", &[("context.file", 0)]),
    ("ctx-checksum", &[("context.control", 0)]),
    ("ctx-index-cut", &[("context.index", 0)]),
];

/// Their dictionary is damaged, so that no root has its `pvm_state`; and how many objects do not
/// have their names, or not their hashes.
const NO_STATES: [(&str, &[(&str, usize)]); 2] = [
    ("ctx-dict-missing", &[("context.entry", 256), ("context.hash", 1)]),
    // The root of each of the 26 commits.
    ("p5b-no-pvm-state", &[("context.hash", 26)]),
];

/// Their index of commits is gone: every context is missing.
const NO_CONTEXTS: [&str; 2] = ["x1-head-context", "ctx-empty"];

fn entries() -> Vec<Value> {
    let mutants = fixtures::mutants().into_iter();
    mutants.filter(|entry| !fixtures::base_of(entry).contains("v4") && entry["rule"] != "BOX").collect()
}

fn expected(id: &str) -> Vec<(String, i64)> {
    let mut expected = verified::row(SEEN, id);
    if NO_CONTEXTS.contains(&id) {
        expected.extend((1000..=1023).map(|level| ("chain.context".to_owned(), level)));
        expected.push(("context.head".to_owned(), 1023));
    }
    if let Some((_, objects)) = NO_STATES.iter().find(|(name, _)| *name == id) {
        for (code, count) in *objects {
            expected.extend((0..*count).map(|_| ((*code).to_owned(), 0)));
        }
        expected.extend((1000..=1023).map(|level| ("context.pvm-state".to_owned(), level)));
    }
    expected
}

#[test]
fn each_mutant_is_found_by_its_own_rule_and_by_no_other() {
    let entries = entries();
    let ids: BTreeSet<&str> = entries.iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    for (id, _) in SEEN {
        assert!(ids.contains(id), "no mutant {id}");
    }
    let mut texts = 0;
    let mut kinds = BTreeMap::new();
    for some in entries.chunks(24) {
        let ground = Ground::new();
        ground.mutants(&some.iter().map(|entry| entry["id"].as_str().unwrap()).collect::<Vec<_>>());
        for entry in some.iter().filter(|entry| entry["rule"] != "I3") {
            let id = entry["id"].as_str().unwrap();
            let expected = expected(id);
            // What the record finds in the data alone must be in the table above; I6 and P4 need
            // layer 1.
            let visible =
                entry["self_check"].as_array().unwrap().iter().any(|rule| rule != "I6" && rule != "P4");
            assert_eq!(!expected.is_empty(), visible, "{id}");
            // These are about arguments, the target or layer 1.
            let elsewhere = ["I4", "P4", "E7"].contains(&entry["rule"].as_str().unwrap());
            let sound = expected.is_empty();
            for found in verified::verify(&ground, id) {
                let kind = found.kind;
                assert_eq!(found.failures, expected, "{id}/{kind}");
                assert_eq!(found.run.status, i32::from(!sound), "{id}/{kind}");
                let (intact, consistent) =
                    (if kind == "data" { "unknown" } else { "yes" }, if sound { "yes" } else { "no" });
                let verdicts = json!({"intact": intact, "consistent": consistent, "anchored": "unknown"});
                assert_eq!(found.report["verdicts"], verdicts, "{id}/{kind}");
                let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
                for (code, _) in &expected {
                    *counts.entry(code).or_default() += 1;
                }
                assert_eq!(found.report["failures"], json!(counts), "{id}/{kind}");
                texts += usize::from(!sound && !elsewhere && found.says(entry, "octez"));
                *kinds.entry(kind).or_insert(0) += 1;
            }
        }
    }
    assert!(kinds["data"] > 70 && kinds["snapshot"] > 75, "{kinds:?}");
    assert!(texts > 30, "{texts}");
}

#[test]
fn a_header_that_cannot_be_read_is_damage() {
    let ground = Ground::new();
    ground.mutants(&["i3-short", "i3-version", "i3-mode"]);
    for (id, code) in
        [("i3-short", "header.short"), ("i3-version", "header.version"), ("i3-mode", "header.history-mode")]
    {
        let run = ground.run(&["verify", "--json", &format!("{id}/snapshot")]).ends(3);
        assert_eq!(failures(&run.json()), [(code.to_owned(), 0)], "{run}");
    }
}

#[test]
fn what_is_sound_is_consistent() {
    let ground = Ground::new();
    for base in ["v5-archive", "v5-full", "v5-sparse", "v5-old-schema", "v5-reorg", "v5-genesis"] {
        let report = ground.run(&["verify", "--json", &ground.unpack(base, base)]).ok().json();
        assert_eq!(report["verdicts"]["consistent"], "yes", "{base}");
        assert_eq!(failures(&report), [], "{base}");
    }
    for name in [
        "v5-archive.head.snapshot.gz",
        "v5-full.finalized.snapshot.gz",
        "v5-full-compact.finalized.snapshot.gz",
    ] {
        let snapshot = ground.snapshot(&format!("data-dir/{name}"));
        let report = ground.run(&["verify", "--json", &snapshot]).ok().json();
        let verdicts = json!({"intact": "yes", "consistent": "yes", "anchored": "unknown"});
        assert_eq!(report["verdicts"], verdicts, "{name}");
        assert_eq!(failures(&report), [], "{name}");
        let checks = report["checks"].as_array().unwrap();
        let warned: Vec<_> = checks.iter().filter(|check| check["status"] == "warning").collect();
        let compact = warned.iter().any(|check| check["code"] == "context.compact");
        assert_eq!(compact, name.contains("compact"), "{name}");
        // One is told as one.
        let ends = |words: &str| checks.iter().any(|check| check["text"].as_str().unwrap().ends_with(words));
        assert_eq!(ends("; 1 commit"), compact, "{name}");
        assert_eq!(ends("1 context holds the state of its block"), compact, "{name}");
        // The roots of the fixtures have a second entry.
        assert_eq!(warned.last().unwrap()["code"], "context.root", "{name}");
        assert_eq!(warned.len(), 1 + usize::from(compact), "{name}");
    }
}

/// Made with invented messages (none of layer 1's own, three empty lists): what can be known of
/// them is that, and everything else holds.
#[test]
fn invented_messages_are_all_that_is_wrong() {
    let ground = Ground::new();
    // Levels whose list is empty: there is no witness to compare.
    for (name, empty) in
        [("octez-archive.gz", [3_000_007, 3_000_014, 3_000_021]), ("octez-full.gz", [9021, 9028, 9035])]
    {
        let snapshot = ground.snapshot(&format!("snapshot/{name}"));
        let report = ground.run(&["verify", "--json", &snapshot]).ends(1).json();
        let failures = failures(&report);
        let chain = report["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "no");
        assert_eq!(chain.count(), failures.len());
        let levels = |code: &str| -> BTreeSet<i64> {
            failures.iter().filter(|(found, _)| found == code).map(|(_, level)| *level).collect()
        };
        let (witness, form) = (levels("messages.witness"), levels("messages.form"));
        assert_eq!(failures.len(), witness.len() + form.len(), "{name}: {failures:?}");
        // Every list that is not empty fails both: its witness, and the message that names the
        // predecessor.
        let empty = BTreeSet::from(empty);
        assert!(witness.len() > 10 && form.is_superset(&witness), "{name}: {failures:?}");
        assert_eq!(form.difference(&witness).copied().collect::<BTreeSet<_>>(), empty, "{name}");
    }
}

/// A store of version 5 always has layer 1's own messages.
#[test]
fn a_list_that_lost_its_first_message_was_altered() {
    let ground = Ground::new();
    let data = ground.unpack("v5-archive", "data");
    let db = rusqlite::Connection::open(format!("{data}/store.sqlite")).unwrap();
    let change = |messages: &[&[u8]]| {
        let body: Vec<u8> = messages
            .iter()
            .flat_map(|message| [&(message.len() as u32).to_be_bytes()[..], message].concat())
            .collect();
        let list = [&(body.len() as u32).to_be_bytes()[..], &body].concat();
        // One stored block of raw deflate.
        let len = list.len() as u16;
        let stored = [&[1][..], &len.to_le_bytes(), &(!len).to_le_bytes(), &list].concat();
        let sql = "UPDATE messages SET message_list = ?1 WHERE inbox_level = 1016";
        assert_eq!(db.execute(sql, [stored]), Ok(1));
        ground.run(&["verify", "--json", &data])
    };
    let info = [&[0, 3][..], &[7; 40]].concat();
    for altered in [&[&info[..], b"\x01hello", &[0, 2]][..], &[b"\x01hello", &[0, 2]], &[&info, b"\x01hello"]]
    {
        let report = change(altered).ends(1).json();
        let failures = failures(&report);
        assert!(failures.contains(&("messages.witness".to_owned(), 1016)), "{failures:?}");
    }
    let report = change(&[b"\x01hello", b"\x01world"]).ends(1).json();
    let failures = failures(&report);
    assert!(failures.contains(&("messages.witness".to_owned(), 1016)), "{failures:?}");
}

/// A context without its data directory, sound and with one bit changed.
#[test]
fn a_context_alone() {
    let ground = Ground::new();
    let context = format!("{}/context", ground.unpack("v5-full", "data"));
    for scope in ["all", "head", "none"] {
        let report = ground.run(&["verify", "--json", "--context", scope, &context]).ok().json();
        // Objects that nobody read are no reason for a "yes".
        let expected = if scope == "all" { "yes" } else { "unknown" };
        assert_eq!(report["verdicts"]["consistent"], expected, "{scope}");
        let count = &report["context"]["commits"]["count"];
        assert_eq!(*count, if scope == "all" { json!(20) } else { count.clone() }, "{scope}");
    }
    let file = format!("{context}/store.1.suffix");
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    for scope in ["all", "head"] {
        let run = ground.run(&["verify", "--json", "--context", scope, &context]).ends(1);
        assert_eq!(run.json()["verdicts"]["consistent"], "no", "{scope}: {run}");
    }
}

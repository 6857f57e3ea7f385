//! The tables beside the chain: each rule has a store that breaks it, changed by the `sqlite3` tool or byte by byte, and
//! the engine and the reader without one say the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use rollsnap_tests::cli::Ground;
use serde_json::Value;

use super::in_core::{directory_in_core, failing, failing_in_core};

/// Code and level of what says no.
type Expected<'a> = &'a [(&'a str, i64)];

/// A directory of the fixtures; of those with true states, what their snapshot holds. Its path.
fn unpack(ground: &Ground, base: &str) -> String {
    if !base.starts_with('r') {
        return ground.unpack(base, base);
    }
    let snapshot = ground.snapshot(&format!("replay/{base}.head.snapshot.gz"));
    ground.run(&["extract", &snapshot, "--directory", &ground.at(base)]).ok();
    ground.at(base)
}

/// Runs statements on a database, with the tool of its authors.
fn sqlite3(store: &str, sql: &str) {
    let output = Command::new("sqlite3").args(["-bail", store, sql]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{sql}: {output:?}");
}

/// What both readers say: the checks of the program.
#[track_caller]
fn judge(ground: &Ground, root: &str, what: &str, expected: Expected<'_>) -> Value {
    let run = ground.run(&["verify", root, "--json"]);
    let report = run.json();
    let wanted: BTreeSet<_> =
        expected.iter().map(|(code, level)| ((*code).to_owned(), Some(*level))).collect();
    assert_eq!(failing(&report), wanted, "{what}");
    let verdict = if expected.is_empty() { "yes" } else { "no" };
    assert_eq!(report["verdicts"]["consistent"], verdict, "{what}");
    let in_core = directory_in_core(Path::new(root));
    assert_eq!(failing_in_core(&in_core), wanted, "{what}, in core");
    assert_eq!(serde_json::to_value(in_core).unwrap()["verdicts"]["consistent"], verdict, "{what}, in core");
    report
}

/// The text of the check of a code that says no "no".
fn text(report: &Value, code: &str) -> String {
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["code"] == code && check["status"] != "no");
    check.map_or_else(String::new, |check| check["text"].as_str().unwrap().to_owned())
}

const MUTANTS: &[(&str, &str, Expected<'_>)] = &[
    // Layer 1 announces protocol 2 in the messages of level 1008.
    (
        "v5-archive",
        "UPDATE protocols SET first_level = 1008 WHERE proto_level = 2",
        &[("protocol.level", 1008), ("protocol.level", 1009)],
    ),
    (
        "v5-archive",
        "UPDATE protocols SET first_is_activation = 0 WHERE proto_level = 2",
        &[("protocol.level", 1008)],
    ),
    ("v5-archive", "DELETE FROM protocols WHERE proto_level = 2", &[("protocol.level", 1008)]),
    ("v5-archive", "UPDATE protocols SET proto_level = 1 WHERE proto_level = 2", &[("protocol.order", 1007)]),
    (
        "v5-archive",
        "UPDATE protocols SET first_is_activation = 7 WHERE proto_level = 1",
        &[("store.value", 1000)],
    ),
    (
        "v5-archive",
        "UPDATE protocols SET proto_level = 256 WHERE proto_level = 2",
        &[("store.value", 1007), ("protocol.level", 1008)],
    ),
    (
        "v5-archive",
        "UPDATE dal_slots_headers SET published_level = 1010 WHERE published_level = 1008 AND slot_index = 3",
        &[("slot.level", 1010)],
    ),
    (
        "v5-archive",
        "UPDATE dal_slots_headers SET slot_commitment = 'sh1' WHERE published_level = 1008 AND slot_index = 3",
        &[("store.value", 1009)],
    ),
    (
        "v5-archive",
        "DELETE FROM dal_slots_headers WHERE published_level <= 1004 AND slot_index = 3",
        &[("slot.status", 1001), ("slot.status", 1005)],
    ),
    ("v5-archive", "UPDATE dal_slots_statuses SET attested = 2 WHERE rowid = 1", &[("store.value", 1001)]),
    (
        "v5-archive",
        "UPDATE dal_slots_statuses SET slot_index = 256 WHERE rowid = 1",
        &[("store.value", 1001)],
    ),
    (
        "v5-archive",
        "UPDATE outbox_messages SET executed_messages = '2' WHERE outbox_level = 1005",
        &[("outbox.executed", 1005)],
    ),
    (
        "v5-archive",
        "UPDATE outbox_messages SET outbox_level = 1026 WHERE outbox_level = 1005",
        &[("outbox.level", 1026)],
    ),
    (
        "v5-archive",
        "UPDATE outbox_messages SET outbox_level = 999 WHERE outbox_level = 1005",
        &[("outbox.level", 999)],
    ),
    (
        "v5-archive",
        "UPDATE outbox_messages SET messages = '0x5' WHERE outbox_level = 1005",
        &[("store.value", 1005)],
    ),
    // Bits 0 to 3 are in the state, then 4 as well, and then only 0.
    (
        "r5-full",
        "UPDATE outbox_messages SET messages = '31' WHERE outbox_level = 61021",
        &[("outbox.messages", 61021)],
    ),
    (
        "r5-full",
        "UPDATE outbox_messages SET messages = '1' WHERE outbox_level = 61021",
        &[("outbox.messages", 61021)],
    ),
    (
        "v5-archive",
        "UPDATE commitments_published_at_levels SET first_published_at_level = 1026 \
         WHERE first_published_at_level = 1022",
        &[("published.level", 1026)],
    ),
    (
        "v5-archive",
        "UPDATE rollup_node_state SET level = 1009, \
         value = (SELECT block_hash FROM l2_levels WHERE level = 1009) WHERE name = 'finalized_level'",
        &[("mark.order", 1010)],
    ),
    ("v5-archive", "UPDATE rollup_node_state SET level = 1014 WHERE name = 'lpc'", &[("mark.lpc", 1014)]),
    ("v5-archive", "UPDATE rollup_node_state SET level = 1024 WHERE name = 'lpc'", &[("mark.lpc", 1024)]),
    // Which block a node has begun, or goes over to: no other one, and none that is final.
    (
        "v5-archive",
        "INSERT INTO l2_levels VALUES (1025, 'BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2')",
        &[("levels.chain", 1025)],
    ),
    (
        "v5-archive",
        "INSERT INTO l2_levels SELECT 1024, block_hash FROM l2_levels WHERE level = 1003",
        &[("levels.chain", 1024)],
    ),
    ("v5-archive", "INSERT INTO l2_levels VALUES (1024, 'no hash')", &[("levels.chain", 1024)]),
    (
        "v5-archive",
        "UPDATE l2_levels SET block_hash = (SELECT block_hash FROM l2_levels WHERE level = 1003) WHERE level = 1023",
        &[("levels.chain", 1023)],
    ),
    (
        "v5-archive",
        "UPDATE l2_levels SET block_hash = 'BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2' WHERE level = 1021",
        &[("levels.chain", 1021)],
    ),
    ("v5-archive", "DELETE FROM l2_levels WHERE level = 1022", &[("levels.chain", 1022)]),
    // What the losing branches have left, and no block of the chain refers to.
    (
        "v5-reorg",
        "UPDATE messages SET message_list = (SELECT message_list FROM messages WHERE inbox_level = 302) \
         WHERE inbox_level = 315 AND payload_hashes_hash NOT IN (SELECT inbox_witness FROM l2_blocks AS b \
         JOIN l2_levels AS l ON l.block_hash = b.block_hash)",
        &[("messages.witness", 315)],
    ),
    (
        "v5-reorg",
        "UPDATE inboxes SET history_proof = (SELECT history_proof FROM inboxes WHERE inbox_level = 302) \
         WHERE inbox_level = 315 AND hash NOT IN (SELECT inbox_hash FROM l2_blocks AS b \
         JOIN l2_levels AS l ON l.block_hash = b.block_hash)",
        &[("inbox.hash", 315)],
    ),
    (
        "v5-reorg",
        "UPDATE commitments SET number_of_ticks = number_of_ticks + 1 \
         WHERE hash NOT IN (SELECT coalesce(b.commitment_hash, '') FROM l2_blocks AS b \
         JOIN l2_levels AS l ON l.block_hash = b.block_hash)",
        &[("commitment.hash", 320)],
    ),
];

#[test]
fn each_rule_has_a_store_that_breaks_it() {
    let ground = Ground::new();
    for base in ["v5-archive", "v5-full", "v5-reorg", "r5-full"] {
        let root = unpack(&ground, base);
        let sound = fs::read(format!("{root}/store.sqlite")).unwrap();
        judge(&ground, &root, base, &[]);
        for (_, sql, expected) in MUTANTS.iter().filter(|(of, ..)| *of == base) {
            sqlite3(&format!("{root}/store.sqlite"), sql);
            judge(&ground, &root, sql, expected);
            fs::write(format!("{root}/store.sqlite"), &sound).unwrap();
        }
    }
}

/// What nodes leave where they are killed, after reorganisations and after collections.
#[test]
fn what_nodes_leave_is_sound() {
    let ground = Ground::new();
    for (base, sql) in [
        // They write what they see in a block before the block itself.
        ("v5-archive", "UPDATE outbox_messages SET outbox_level = 1024 WHERE outbox_level = 1005"),
        (
            "v5-archive",
            "INSERT INTO dal_slots_headers SELECT 'BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2', 1, 1024, \
             slot_commitment FROM dal_slots_headers LIMIT 1",
        ),
        (
            "v5-archive",
            "UPDATE commitments_published_at_levels SET first_published_at_level = 1024 \
             WHERE first_published_at_level = 1022",
        ),
        // A collection that was stopped has taken nothing away.
        (
            "v5-archive",
            "INSERT INTO rollup_node_state VALUES ('last_gc_target', NULL, 1010), \
             ('last_gc_triggered_at', NULL, 1020), ('from a newer node', NULL, NULL)",
        ),
        // The node met the rollup under the second protocol: what was before it has not recorded.
        (
            "v5-archive",
            "UPDATE protocols SET first_level = 1010, first_is_activation = 0 WHERE proto_level = 2; \
                        DELETE FROM protocols WHERE proto_level = 1",
        ),
        // No state has the outbox of a level below the first available one, and of two blocks any may be meant.
        ("r5-full", "UPDATE outbox_messages SET messages = '7' WHERE outbox_level = 61001"),
        (
            "r5-dense",
            "INSERT INTO l2_blocks SELECT 'BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2', level, predecessor, \
             commitment_hash, previous_commitment_hash, inbox_witness, inbox_hash, initial_tick, num_ticks, \
             state_hash, pvm_status, context FROM l2_blocks WHERE level = 5001; \
             UPDATE outbox_messages SET messages = '7' WHERE outbox_level = 5001",
        ),
        // They write the level before the block, and before they make another block of that level their head: the
        // one that is named is not there, or beside the chain.
        (
            "v5-archive",
            "INSERT INTO l2_levels VALUES (1024, 'BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2')",
        ),
        (
            "v5-archive",
            "UPDATE l2_levels SET block_hash = 'BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2' WHERE level = 1022",
        ),
        (
            "v5-archive",
            "UPDATE l2_levels SET block_hash = 'BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2' WHERE level = 1023",
        ),
        // Old nodes did not record outboxes.
        ("r5-dense", "DELETE FROM outbox_messages WHERE outbox_level < 5010"),
    ] {
        let root = unpack(&ground, base);
        sqlite3(&format!("{root}/store.sqlite"), sql);
        judge(&ground, &root, sql, &[]);
        fs::remove_dir_all(root).unwrap();
    }
}

/// Rows that a node leaves are told, and what they may hide is not called checked.
#[test]
fn what_killed_nodes_leave_is_told() {
    let ground = Ground::new();
    let root = unpack(&ground, "v5-archive");
    let store = format!("{root}/store.sqlite");
    let sound = fs::read(&store).unwrap();
    let row = "INSERT INTO l2_levels VALUES (1024, 'BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2')";
    sqlite3(&store, row);
    let report = judge(&ground, &root, row, &[]);
    let left =
        report["checks"].as_array().unwrap().iter().find(|check| check["code"] == "levels.left").unwrap();
    assert_eq!((&left["status"], &left["at"]["level"]), (&"warning".into(), &1024.into()), "{left}");
    let run = ground.run(&["verify", &root]).ok();
    assert!(!run.text().contains("do not use this store"), "{run}");
    fs::write(&store, sound).unwrap();

    // A node that did not record the hash of the state did not replace outboxes either.
    for (base, sql, expected, level) in [
        ("r5-full", "UPDATE outbox_messages SET messages = '7' WHERE outbox_level = 61021", "no", 61021),
        ("r5-dense", "UPDATE outbox_messages SET messages = '7' WHERE outbox_level = 5001", "unknown", 5001),
        // Layer 1 may still take the last blocks back.
        ("r5-full", "INSERT OR REPLACE INTO outbox_messages VALUES (61036, '524288', '0')", "unknown", 61036),
    ] {
        let root = unpack(&ground, base);
        sqlite3(&format!("{root}/store.sqlite"), sql);
        let report = ground.run(&["verify", &root, "--json"]).json();
        assert_eq!(report["verdicts"]["consistent"], expected, "{sql}");
        let checks = report["checks"].as_array().unwrap().iter();
        let found: Vec<_> = checks.filter(|check| check["code"] == "outbox.messages").collect();
        let [check] = found[..] else { panic!("{found:?}") };
        assert_eq!((&check["status"], &check["at"]["level"]), (&expected.into(), &level.into()), "{check}");
        let in_core = serde_json::to_value(directory_in_core(Path::new(&root))).unwrap();
        assert_eq!(in_core["verdicts"]["consistent"], expected, "{sql}, in core");
        fs::remove_dir_all(root).unwrap();
    }
}

#[test]
fn files_are_held_against_the_same_rules() {
    let ground = Ground::new();
    let archive = unpack(&ground, "v4-archive");
    let announced = announced(&archive);
    // protocols: length (4) ‖ (level (4) ‖ activates (1) ‖ number (4) ‖ hash (32))*, the newest first.
    let mutants: [(&str, &str, usize, &[u8], Expected<'_>); 4] = [
        (
            &archive,
            "protocols",
            4,
            &4012_i32.to_be_bytes(),
            &[("protocol.level", announced), ("protocol.level", 4013)],
        ),
        (&archive, "protocols", 8, &[0], &[("protocol.level", announced)]),
        (&archive, "protocols", 9, &1_i32.to_be_bytes(), &[("protocol.order", announced - 1)]),
        (&archive, "last_finalized_level", 0, &4009_i32.to_be_bytes(), &[("mark.order", 4010)]),
    ];
    for (root, name, at, bytes, expected) in mutants {
        let path = format!("{root}/storage/{name}");
        let sound = fs::read(&path).unwrap();
        judge(&ground, root, name, &[]);
        fs::write(&path, [&sound[..at], bytes, &sound[at + bytes.len()..]].concat()).unwrap();
        judge(&ground, root, name, expected);
        fs::write(&path, sound).unwrap();
    }
}

/// A node that is killed in a collection leaves such marks. They are strange, and accuse nobody.
#[test]
fn marks_of_a_collection_are_told_as_a_warning() {
    let ground = Ground::new();
    let warned = |root: &str, what: &str, level: i64| {
        let report = judge(&ground, root, what, &[]);
        let warning = report["checks"].as_array().unwrap().iter().find(|check| check["code"] == "mark.gc");
        let warning = warning.unwrap_or_else(|| panic!("{what}: {report}"));
        assert_eq!(
            (&warning["status"], &warning["at"]["level"]),
            (&"warning".into(), &level.into()),
            "{what}"
        );
        assert_eq!(report["verdicts"]["consistent"], "yes", "{what}");
    };
    for (name, level) in [("last_gc_target", 2_000_009), ("last_gc_triggered_at", 2_000_010)] {
        let root = unpack(&ground, "v5-full");
        let sql = format!("UPDATE rollup_node_state SET level = 2000009 WHERE name = '{name}'");
        sqlite3(&format!("{root}/store.sqlite"), &sql);
        warned(&root, name, level);
        fs::remove_dir_all(root).unwrap();
    }
    // Level of the last collection (4) ‖ first available level (4).
    let root = unpack(&ground, "v4-full");
    let path = format!("{root}/storage/gc_levels");
    let sound = fs::read(&path).unwrap();
    fs::write(&path, [&800_009_i32.to_be_bytes(), &sound[4..]].concat()).unwrap();
    warned(&root, "gc_levels", 800_010);
}

/// The level whose messages speak of a migration: one above that of the newest protocol.
fn announced(root: &str) -> i64 {
    let protocols = fs::read(format!("{root}/storage/protocols")).unwrap();
    i64::from(i32::from_be_bytes(protocols[4..8].try_into().unwrap())) + 1
}

/// One line names what nothing proves, whatever there is, and costs no verdict.
#[test]
fn what_is_not_checked_is_told_in_one_line() {
    let ground = Ground::new();
    let reorg = unpack(&ground, "v5-reorg");
    sqlite3(&format!("{reorg}/store.sqlite"), "INSERT INTO rollup_node_state VALUES ('new', 'value', 1)");
    let report = judge(&ground, &reorg, "v5-reorg", &[]);
    let told = text(&report, "store.unproved");
    for part in ["2 hashes of protocols", "18 attestations", "4 blocks off the chain", "1 unknown row"] {
        assert!(told.contains(part), "{told}");
    }
    let told = text(&report, "store.left");
    assert!(told.ends_with("4 lists of messages, 4 inboxes, 1 commitment"), "{told}");
    let genesis = unpack(&ground, "v5-genesis");
    let report = judge(&ground, &genesis, "v5-genesis", &[]);
    assert!(text(&report, "store.unproved").contains("1 hash of a protocol (docs/STORE.md)"));
    assert_eq!(text(&report, "store.left"), "");
    let files = unpack(&ground, "v4-full");
    let report = judge(&ground, &files, "v4-full", &[]);
    assert!(text(&report, "store.unproved").contains("storage/irmin_store"));
}

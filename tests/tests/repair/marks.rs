//! The marks of a store, and its index of levels.

use std::fs;

use rollsnap_tests::cli::Ground;
use rollsnap_tests::fixtures;
use rollsnap_tests::l1::{Stub, closed_port};
use rusqlite::types::Value;

use super::{assert_same, directory, open, sound, sql, tables, wrong};

/// What a chain proves is what was there before.
#[test]
fn marks_are_set_to_what_the_chain_says() {
    let ground = Ground::new();
    let block = "(SELECT block_hash FROM l2_levels WHERE level = 5012)";
    for damage in [
        "DELETE FROM rollup_node_state WHERE name = 'l2_head'".to_owned(),
        "UPDATE rollup_node_state SET value = 'garbage' WHERE name = 'l2_head'".into(),
        "UPDATE rollup_node_state SET level = 5030 WHERE name = 'l2_head'".into(),
        "UPDATE rollup_node_state SET level = NULL WHERE name = 'l2_head'".into(),
        "UPDATE rollup_node_state SET value = x'00ff' WHERE name = 'l2_head'".into(),
        "UPDATE rollup_node_state SET level = 4294967296 WHERE name = 'l2_head'".into(),
        // A crash before the mark of the newest block was written.
        "UPDATE rollup_node_state SET level = 5030, value = \
         (SELECT block_hash FROM l2_levels WHERE level = 5030) WHERE name = 'l2_head'".into(),
        "UPDATE rollup_node_state SET level = 5029, value = \
         (SELECT block_hash FROM l2_levels WHERE level = 5029) WHERE name = 'l2_head'; \
         DELETE FROM l2_levels WHERE level > 5029".into(),
        format!("UPDATE rollup_node_state SET value = {block} WHERE name = 'finalized_level'"),
        "UPDATE rollup_node_state SET value = 'x' WHERE name = 'finalized_level'".into(),
        "UPDATE rollup_node_state SET value = 'src1' WHERE name = 'lcc'".into(),
        "UPDATE rollup_node_state SET value = (SELECT hash FROM commitments WHERE inbox_level = 5005) \
         WHERE name = 'lcc'".into(),
        "UPDATE rollup_node_state SET value = 'lost' WHERE name IN ('l2_head', 'finalized_level', 'lcc', 'lpc')"
            .into(),
    ] {
        let data = directory(&ground, "r5-dense");
        let expected = tables(&data);
        let idle = ground.tree();
        ground.run(&["repair", "head", &data]).ends(6);
        idle.same_as(&ground.tree(), "nothing to do");
        sql(&data, &damage);
        let tree = ground.tree();
        let dry = ground.run(&["repair", "head", &data, "--dry-run"]).ok();
        tree.same_as(&ground.tree(), "a dry run");
        let run = ground.run(&["repair", "head", &data]).ok();
        assert_same(&tables(&data), &expected, &run);
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (dry, done) = (lines(dry.text()), lines(run.text()));
        assert_eq!(dry[..dry.len() - 1], done[..done.len() - 1], "{damage}");
        sound(&ground, &data);
        fs::remove_dir_all(&data).unwrap();
    }
}

/// Marks above the head come down to it.
#[test]
fn marks_above_the_head_come_down() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    sql(&data, "INSERT INTO rollup_node_state VALUES ('lpc', 'lost', 5030)");
    ground.run(&["repair", "head", &data]).ok();
    sql(&data, "UPDATE rollup_node_state SET level = 6000 WHERE name IN ('finalized_level', 'lcc', 'lpc')");
    ground.run(&["repair", "head", &data]).ok();
    let mark = |name: &str| -> (String, i64) {
        let row = "SELECT value, level FROM rollup_node_state WHERE name = ?1";
        open(&data).query_row(row, [name], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    assert_eq!(mark("finalized_level"), mark("l2_head"));
    let last: String = open(&data)
        .query_row("SELECT hash FROM commitments WHERE inbox_level = 5030", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mark("lcc"), (last.clone(), 5030));
    assert_eq!(mark("lpc").0, last);
    sound(&ground, &data);
}

/// The highest block that has all that a node needs to go on from.
#[test]
fn a_block_that_lacks_something_is_no_head() {
    let ground = Ground::new();
    let level = |data: &str| -> i64 {
        let head = "SELECT level FROM rollup_node_state WHERE name = 'l2_head'";
        open(data).query_row(head, [], |row| row.get(0)).unwrap()
    };
    for (damage, expected) in [
        ("DELETE FROM messages WHERE inbox_level = 5031", 5030),
        ("DELETE FROM inboxes WHERE inbox_level = 5031", 5030),
        ("DELETE FROM l2_blocks WHERE level = 5030", 5029),
        ("UPDATE l2_blocks SET context = NULL WHERE level = 5031", 5031),
    ] {
        let data = directory(&ground, "r5-dense");
        sql(&data, damage);
        if expected == 5031 {
            // The node goes back to the last context by itself.
            ground.run(&["repair", "head", &data]).ends(6);
            fs::remove_dir_all(&data).unwrap();
            continue;
        }
        let run = ground.run(&["repair", "head", &data]).ok();
        assert_eq!(level(&data), expected, "{damage}: {run}");
        sound(&ground, &data);
        fs::remove_dir_all(&data).unwrap();
    }
    // The index has forgotten the context of the head.
    let data = directory(&ground, "r5-dense");
    let expected: serde_json::Value =
        serde_json::from_slice(&fixtures::read("replay/r5-dense.expect.json")).unwrap();
    let blocks = expected["blocks"].as_array().unwrap();
    let head = blocks.iter().find(|block| block["level"] == 5031).unwrap();
    let hash = fixtures::unhex(head["context_hex"].as_str().unwrap());
    let path = format!("{data}/context/index/log");
    let mut log = fs::read(&path).unwrap();
    let at = log[32..].chunks(45).position(|entry| entry.starts_with(&hash)).unwrap();
    log.drain(32 + at * 45..77 + at * 45);
    let length = (log.len() - 32) as u64;
    log[..8].copy_from_slice(&length.to_be_bytes());
    fs::write(path, log).unwrap();
    assert_ne!(wrong(&ground, &data), Vec::<String>::new());
    ground.run(&["repair", "head", &data]).ok();
    assert_eq!(level(&data), 5030);
}

#[test]
fn levels_are_written_by_predecessors() {
    let ground = Ground::new();
    for (name, damage, changes) in [
        ("r5-dense", "DELETE FROM l2_levels", 32),
        ("r5-dense", "DELETE FROM l2_levels WHERE level BETWEEN 5003 AND 5007", 5),
        ("r5-dense", "UPDATE l2_levels SET block_hash = 'x' WHERE level = 5010", 1),
        ("r5-dense", "UPDATE l2_levels SET block_hash = x'00' WHERE level = 5000", 1),
        (
            "r5-dense",
            "UPDATE l2_levels SET block_hash = (SELECT block_hash FROM l2_levels WHERE level = 5012) WHERE level = 5011",
            1,
        ),
        ("r5-dense", "INSERT INTO l2_levels VALUES (5032, 'x'), (99999, 'y')", 2),
        ("r5-full", "DELETE FROM l2_levels WHERE level < 61020", 5),
        ("r5-sparse", "DELETE FROM l2_levels WHERE level % 2 = 0", 20),
    ] {
        let data = directory(&ground, name);
        let expected = tables(&data);
        ground.run(&["repair", "levels", &data]).ends(6);
        sql(&data, damage);
        let tree = ground.tree();
        ground.run(&["repair", "levels", &data, "--dry-run"]).ok();
        tree.same_as(&ground.tree(), "a dry run");
        let run = ground.run(&["repair", "levels", &data, "--json"]).ok();
        assert_eq!(run.json()["repaired"].as_array().unwrap().len(), changes, "{damage}");
        assert_same(&tables(&data), &expected, &run);
        sound(&ground, &data);
        fs::remove_dir_all(&data).unwrap();
    }
}

#[test]
fn what_is_refused_changes_nothing() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    for (command, damage, status, code) in [
        // A hole in the chain.
        ("levels", "DELETE FROM l2_blocks WHERE level = 5010", 1, "[chain.block]"),
        // The first blocks of an archive.
        ("head", "DELETE FROM l2_blocks WHERE level < 5012", 1, "[chain.block]"),
        ("head", "DELETE FROM l2_blocks", 1, "[chain.block]"),
    ] {
        sql(&data, damage);
        let tree = ground.tree();
        for words in [&["--dry-run"][..], &[]] {
            let run = ground.run(&[&["repair", command, &data], words].concat());
            assert_eq!((run.status, run.err.contains(code)), (status, true), "{run}");
            tree.same_as(&ground.tree(), code);
        }
    }
}

/// Of two blocks of a level that could both be the head, the index of levels says which; else nobody does.
#[test]
fn blocks_beside_the_chain_are_not_taken_for_the_head() {
    let ground = Ground::new();
    let twin = "INSERT INTO l2_blocks SELECT 'BLARMcFgSdujV2kNYTGc5HzMeU1fVn8wchp8cutW2XqxMBD7R3q', level, predecessor, \
                commitment_hash, previous_commitment_hash, inbox_witness, inbox_hash, initial_tick, num_ticks, state_hash, \
                pvm_status, context FROM l2_blocks WHERE level = 5031";
    let lost = "DELETE FROM rollup_node_state WHERE name = 'l2_head'";
    let data = directory(&ground, "r5-dense");
    let expected = tables(&data)["rollup_node_state"].clone();
    sql(&data, twin);
    // It does not follow the head.
    ground.run(&["repair", "head", &data]).ends(6);
    sql(&data, lost);
    ground.run(&["repair", "head", &data]).ok();
    assert_eq!(tables(&data)["rollup_node_state"], expected);
    sql(&data, &format!("{lost}; DELETE FROM l2_levels WHERE level = 5031"));
    let tree = ground.tree();
    let run = ground.run(&["repair", "head", &data]);
    assert_eq!((run.status, run.err.contains("[repair.head]")), (4, true), "{run}");
    assert!(run.err.contains("at level 5031"), "{run}");
    tree.same_as(&ground.tree(), "refused");
    assert!(!expected.contains(&vec![Value::Null]));
}

/// What layer 1 has cemented by now, where it is asked.
#[test]
fn layer_1_says_what_is_cemented() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-full");
    let mut view: serde_json::Value =
        serde_json::from_slice(&fixtures::read("replay/r5-full.l1.json")).unwrap();
    let lcc = || -> (String, i64) {
        let row = "SELECT value, level FROM rollup_node_state WHERE name = 'lcc'";
        open(&data).query_row(row, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    assert_eq!(lcc().1, 61020);
    let stub = Stub::start(&view, &[]);
    let run = ground.run(&["repair", "head", &data, "--endpoint", stub.url()]).ok();
    let cemented = view["lcc"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(lcc(), (cemented["hash"].as_str().unwrap().to_owned(), 61025), "{run}");
    sound(&ground, &data);
    ground.run(&["repair", "head", &data, "--endpoint", stub.url()]).ends(6);
    // Another commitment than that of the chain: nobody knows which is right.
    let tree = ground.tree();
    let other = view["lcc"][1]["hash"].clone();
    *view["lcc"].as_array_mut().unwrap().last_mut().unwrap().get_mut("hash").unwrap() = other;
    let stub = Stub::start(&view, &[]);
    let run = ground.run(&["repair", "head", &data, "--endpoint", stub.url()]);
    assert_eq!((run.status, run.err.contains("[l1.lcc]")), (1, true), "{run}");
    tree.same_as(&ground.tree(), "refused");
    let run = ground.run(&["repair", "head", &data, "--endpoint", &closed_port()]);
    assert_eq!((run.status, run.err.contains("[l1.unreachable]")), (5, true), "{run}");
    tree.same_as(&ground.tree(), "nobody listens");
}

/// A block that lacks something on the way to a higher one keeps the head where it is.
#[test]
fn a_head_is_not_raised_over_what_is_not_whole() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    sql(
        &data,
        "UPDATE rollup_node_state SET level = 5029, value = \
         (SELECT block_hash FROM l2_levels WHERE level = 5029) WHERE name = 'l2_head'; \
         DELETE FROM l2_levels WHERE level > 5029; DELETE FROM inboxes WHERE inbox_level = 5030",
    );
    ground.run(&["repair", "head", &data]).ends(6);
    sound(&ground, &data);
}

/// Of many changes the first ones are shown, and all are in the JSON.
#[test]
fn many_changes_are_counted() {
    let ground = Ground::new();
    let snapshot = ground.snapshot("replay/r5-long-compact.head.snapshot.gz");
    let data = ground.at("data");
    ground.run(&["import", &snapshot, "--data-dir", &data, "--keep-compact"]).ok();
    let expected = tables(&data);
    sql(&data, "DELETE FROM l2_levels");
    let dry = ground.run(&["repair", "levels", &data, "--dry-run", "--json"]).ok();
    let count = dry.json()["repaired"].as_array().unwrap().len();
    assert_eq!(count, 1500);
    let run = ground.run(&["repair", "levels", &data]).ok();
    assert_eq!(run.text().lines().count(), 202, "{run}");
    assert!(run.text().contains("\n… and 1300 more, which --json lists\n"), "{run}");
    assert_same(&tables(&data), &expected, &run);
}

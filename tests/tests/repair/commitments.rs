//! Commitments that follow from the blocks.

use std::fs;

use rollsnap_tests::cli::{Ground, Holder};

use super::{Tables, assert_same, directory, open, sound, sql, tables, wrong};

const FIRST: &str = "ProxfordYmVfjWnRcgjWH36fW6PArwqykTFzotUxRs6gmTcZDuH";

/// The protocol that a store has met first.
fn protocol(data: &str) -> String {
    let query = "SELECT hash FROM protocols ORDER BY first_level LIMIT 1";
    open(data).query_row(query, [], |row| row.get(0)).unwrap()
}

/// Damages of `l2_blocks` and `commitments` that the blocks themselves make good.
const DAMAGES: [(&str, &str); 8] = [
    // As a node leaves it that missed a commitment: the ones above follow the one before.
    (
        "r5-dense",
        "UPDATE l2_blocks SET commitment_hash = NULL WHERE level = 5015;
         UPDATE l2_blocks SET previous_commitment_hash = (SELECT hash FROM commitments WHERE inbox_level = 5010)
           WHERE level BETWEEN 5016 AND 5020;
         UPDATE rollup_node_state SET level = 5010, value = (SELECT hash FROM commitments WHERE inbox_level = 5010)
           WHERE name = 'lcc';
         DELETE FROM commitments_published_at_levels
           WHERE commitment_hash IN (SELECT hash FROM commitments WHERE inbox_level = 5015);
         DELETE FROM commitments WHERE inbox_level = 5015",
    ),
    // One too many.
    ("r5-dense", "UPDATE l2_blocks SET commitment_hash = (SELECT hash FROM commitments WHERE inbox_level = 5010) WHERE level = 5012"),
    ("r5-dense", "UPDATE commitments SET number_of_ticks = number_of_ticks + 1 WHERE inbox_level = 5025"),
    ("r5-dense", "UPDATE commitments SET compressed_state = (SELECT state_hash FROM l2_blocks WHERE level = 5019) WHERE inbox_level = 5020"),
    ("r5-dense", "UPDATE commitments SET inbox_level = 5021 WHERE inbox_level = 5020"),
    ("r5-dense", "UPDATE l2_blocks SET previous_commitment_hash = (SELECT hash FROM commitments WHERE inbox_level = 5000)"),
    ("r5-sparse", "DELETE FROM commitments WHERE inbox_level > 790"),
    (
        "r5-full",
        "UPDATE l2_blocks SET commitment_hash = NULL WHERE level > 61015;
         DELETE FROM commitments WHERE inbox_level > 61020",
    ),
];

#[test]
fn damaged_commitments_are_as_they_were() {
    let ground = Ground::new();
    for (name, damage) in DAMAGES {
        let data = directory(&ground, name);
        let whole = tables(&data);
        let protocol = protocol(&data);
        let period = if name == "r5-sparse" { "6" } else { "5" };
        let idle = ground.run(&["repair", "commitments", &protocol, &data]);
        assert_eq!(idle.status, 6, "{idle}");
        sql(&data, damage);
        assert_ne!(wrong(&ground, &data), Vec::<String>::new(), "{damage}");
        let tree = ground.tree();
        let words = ["repair", "commitments", &protocol, &data, "--period", period];
        let dry = ground.run(&[&words[..], &["--dry-run"]].concat()).ok();
        tree.same_as(&ground.tree(), damage);
        let run = ground.run(&words).ok();
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (dry, done) = (lines(dry.text()), lines(run.text()));
        assert_eq!(dry[..dry.len() - 1], done[..done.len() - 1], "{run}");
        let mut found = tables(&data);
        // What is wrong by its name is nobody's, and stays without --prune.
        only_named(&mut found);
        let mut expected = whole;
        // Marks and publications are for layer 1 to say.
        for table in ["rollup_node_state", "commitments_published_at_levels"] {
            expected.insert(table.into(), found[table].clone());
        }
        only_named(&mut expected);
        assert_same(&found, &expected, &run);
        ground.run(&[&words[..4], &["--period", period, "--prune"]].concat());
        sound(&ground, &data);
        fs::remove_dir_all(&data).unwrap();
    }
}

/// Forgets the commitments that no block names.
fn only_named(tables: &mut Tables) {
    let named: Vec<_> = tables["l2_blocks"].iter().map(|row| row[3].clone()).collect();
    tables.get_mut("commitments").unwrap().retain(|row| named.contains(&row[0]));
}

/// The lines of the nodes, in their spelling.
#[test]
fn the_spelling_of_the_nodes() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    let hash: String = open(&data)
        .query_row("SELECT hash FROM commitments WHERE inbox_level = 5030", [], |row| row.get(0))
        .unwrap();
    sql(
        &data,
        "UPDATE l2_blocks SET commitment_hash = NULL WHERE level = 5030;
         UPDATE l2_blocks SET commitment_hash = previous_commitment_hash WHERE level = 5027;
         UPDATE l2_blocks SET previous_commitment_hash =
           (SELECT hash FROM commitments WHERE inbox_level = 5020) WHERE level = 5031",
    );
    let run = ground.run(&["repair", "commitments", "for", FIRST, "--data-dir", &data]).ok();
    let expected = format!(
        "Fixing commitments for protocol {FIRST}\n\
         Fixing commitments starting at level 5000\n\
         Removing incorrect commitment for level 5027\n\
         Registering new commitment {hash} for level 5030\n\
         Patching block at level 5031: the commitment before is {hash}, not "
    );
    assert!(run.text().starts_with(&expected), "{run}");
    let ends = "Completed!\nRemoved commitments:   1\nAdded commitments:     1\nPatched blocks:        1\n";
    assert!(run.text().contains(ends), "{run}");
    assert!(
        run.err
            .contains("Levels from one commitment to the next: 5, as the commitments have it that are there"),
        "{run}"
    );
    sound(&ground, &data);
}

/// A period that a protocol changed, and a node that did not hear of it: half as many commitments.
#[test]
fn another_period() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    let second = "PsParisCZo7KAh1Z1smVd9ZMZ1HHn5gkzbM94V3PLCpknFWhUAi";
    // The mark of the last cemented commitment speaks of level 5015, below the protocol.
    let run =
        ground.run(&["repair", "commitments", second, &data, "--period", "3", "--prune", "--json"]).ok();
    let levels = |data: &str| -> Vec<i64> {
        let store = open(data);
        let query = "SELECT level FROM l2_blocks WHERE commitment_hash IS NOT NULL ORDER BY level";
        let mut query = store.prepare(query).unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(levels(&data), [5000, 5005, 5010, 5015, 5018, 5021, 5024, 5027, 5030], "{run}");
    sound(&ground, &data);
    // The commitments that are there lie 3 and 5 levels apart: which it is, somebody must say.
    let run = ground.run(&["repair", "commitments", FIRST, &data]);
    assert_eq!((run.status, run.err.contains("[repair.lacks]")), (4, true), "{run}");
    assert!(run.err.contains("some lie 3 levels apart, others 5"), "{run}");
    // And back.
    ground.run(&["repair", "commitments", FIRST, &data, "--period", "5", "--prune"]).ok();
    assert_eq!(levels(&data), [5000, 5005, 5010, 5015, 5020, 5025, 5030]);
    sound(&ground, &data);
}

#[test]
fn what_is_refused_changes_nothing() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    let no_state = directory(&ground, "r5-sparse");
    sql(&data, "UPDATE commitments SET number_of_ticks = 7 WHERE inbox_level = 5025");
    let level = "SELECT level FROM l2_blocks WHERE commitment_hash IS NOT NULL AND level > 790 ORDER BY level LIMIT 1";
    let level: i64 = open(&no_state).query_row(level, [], |row| row.get(0)).unwrap();
    sql(&no_state, &format!("UPDATE l2_blocks SET state_hash = NULL, context = NULL WHERE level = {level}"));
    let other = "PtNairobiyssHuh87hEhfVBGCVrK3WnS8Z2FT4ymB5tAa4r1nQf";
    let tree = ground.tree();
    for (words, status, code) in [
        (&["repair", "commitments", other, &data][..], 4, "repair.lacks"),
        (&["repair", "commitments", "Proxford", &data], 2, "hash.text"),
        (&["repair", "commitments", FIRST, &data, "--period", "0"], 2, ""),
        (&["repair", "commitments", FIRST, &data, "--period=-5"], 2, ""),
        (&["repair", "commitments", FIRST, &data, "--period", "4294967301"], 2, ""),
        (&["repair", "commitments", "of", FIRST, &data], 2, ""),
        (&["repair", "commitments", FIRST, &data, "-d", &data], 2, "usage"),
        (&["repair", "commitments", &protocol(&no_state), &no_state], 4, "repair.lacks"),
        (&["repair", "commitments", FIRST, &data, "-E", "http://127.0.0.1:9"], 5, "l1.unreachable"),
    ] {
        let run = ground.run(words);
        assert_eq!(run.status, status, "{run}");
        assert!(run.err.contains(code), "{run}");
        tree.same_as(&ground.tree(), &words.join(" "));
    }
    // A period beyond all levels is one of which there is no second commitment, and the marks are for layer 1.
    let run =
        ground.run(&["repair", "commitments", FIRST, &data, "--period", "2147483647", "--dry-run"]).ok();
    assert!(run.text().contains("Removed commitments:   6"), "{run}");
    fs::write(format!("{data}/lock"), "").unwrap();
    let _node = Holder::of(&[format!("{data}/lock")]);
    assert_eq!(ground.run(&["repair", "commitments", FIRST, &data]).status, 4);
}

/// A block that took no tick can have no commitment, and neither can one that takes ticks back.
#[test]
fn ticks_that_make_no_commitment() {
    let ground = Ground::new();
    for (ticks, said) in [
        (
            "initial_tick = (SELECT initial_tick + num_ticks FROM l2_blocks WHERE level = 5005), num_ticks = 0",
            "A 0-tick commitment is impossible",
        ),
        ("initial_tick = '0', num_ticks = 1", "Invalid number of ticks for commitment"),
        (
            "initial_tick = '340282366920938463463374607431768211455', num_ticks = 1",
            "Invalid number of ticks for commitment",
        ),
        ("num_ticks = -9223372036854775808", "Invalid number of ticks for commitment"),
    ] {
        let data = directory(&ground, "r5-dense");
        sql(&data, &format!("UPDATE l2_blocks SET {ticks} WHERE level = 5010"));
        let tree = ground.tree();
        let run = ground.run(&["repair", "commitments", FIRST, &data]);
        assert_eq!((run.status, run.err.contains(said)), (4, true), "{ticks}: {run}");
        tree.same_as(&ground.tree(), ticks);
        fs::remove_dir_all(&data).unwrap();
    }
}

//! Taking a store back to an older level.

use std::fs;

use rollsnap_tests::cli::{Ground, Holder};
use rusqlite::types::Value;
use serde_json::json;

use super::{Tables, assert_same, directory, open, sound, sql, tables, wrong};

/// What of these rows is left at an older level, and the marks that say so.
fn at_level(mut tables: Tables, level: i64, marks: &[(&str, &str, i64)]) -> Tables {
    let gone: Vec<Value> =
        tables["l2_blocks"].iter().filter(|row| number(&row[1]) > level).map(|row| row[0].clone()).collect();
    // The column of the level in each table.
    for (table, column) in [
        ("dal_slots_headers", 2),
        ("inboxes", 1),
        ("messages", 1),
        ("commitments_published_at_levels", 1),
        ("commitments", 2),
        ("outbox_messages", 0),
        ("l2_blocks", 1),
        ("l2_levels", 0),
    ] {
        let rows = tables.get_mut(table).unwrap();
        let count = rows.len();
        rows.retain(|row| number(&row[column]) <= level);
        assert!(rows.len() < count || table == "commitments_published_at_levels", "{table}");
    }
    tables.get_mut("dal_slots_statuses").unwrap().retain(|row| !gone.contains(&row[0]));
    for (name, hash, level) in marks {
        let row = vec![text(name), text(hash), Value::Integer(*level)];
        let rows = tables.get_mut("rollup_node_state").unwrap();
        rows.retain(|row| row[0] != text(name));
        rows.push(row);
        rows.sort_by_key(|row| format!("{row:?}"));
    }
    tables
}

fn number(value: &Value) -> i64 {
    match value {
        Value::Integer(number) => *number,
        other => panic!("{other:?}"),
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn one(data: &str, query: &str) -> String {
    open(data).query_row(query, [], |row| row.get(0)).unwrap()
}

#[test]
fn the_rows_above_go_and_the_marks_follow() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    let before = tables(&data);
    let hash = one(&data, "SELECT block_hash FROM l2_levels WHERE level = 5012");
    let commitment = one(&data, "SELECT hash FROM commitments WHERE inbox_level = 5010");
    let expected = at_level(
        before.clone(),
        5012,
        &[("l2_head", &hash, 5012), ("finalized_level", &hash, 5012), ("lcc", &commitment, 5010)],
    );

    let tree = ground.tree();
    let dry = ground.run(&["repair", "rewind", &data, "--to", "5012", "--dry-run"]).ok();
    tree.same_as(&ground.tree(), "a dry run");
    let backup = ground.at("backup");
    let done = ground.run(&["repair", "rewind", &data, "--to", "5012", "--backup", &backup]).ok();
    assert_same(&tables(&data), &expected, &done);
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (dry, done) = (lines(dry.text()), lines(done.text()));
    assert_eq!(dry[..dry.len() - 1], done[..done.len() - 1]);
    assert_eq!(dry.last().unwrap(), "Nothing was changed");
    let said =
        format!("Took {data} back from level 5031 to 5012, at which the last commitment is {commitment}");
    assert_eq!(*done.last().unwrap(), said);
    sound(&ground, &data);
    // The backup is the store as it was, and nothing lies beside it.
    fs::rename(&backup, format!("{data}/store.sqlite")).unwrap();
    assert_eq!(tables(&data), before);
    assert!(!ground.path("backup-wal").exists());
    sound(&ground, &data);
}

#[test]
fn words_for_levels() {
    let ground = Ground::new();
    for (name, to, level, status) in [
        ("r5-dense", "finalized", 5029, 0),
        ("r5-dense", "LCC", 5015, 0),
        ("r5-dense", "last-committed", 5031, 6),
        ("r5-dense", "last-sound", 5031, 6),
        ("r5-dense", "5031", 5031, 6),
        ("r5-dense", "5000", 5000, 0),
    ] {
        let data = directory(&ground, name);
        let run = ground.run(&["repair", "rewind", "--data-dir", &data, "--to", to, "--json"]);
        assert_eq!(run.status, status, "{run}");
        let head = "SELECT level FROM rollup_node_state WHERE name = 'l2_head'";
        assert_eq!(open(&data).query_row(head, [], |row| row.get::<_, i64>(0)), Ok(level), "{run}");
        let done = run.json();
        assert_eq!(done["repaired"].as_array().unwrap().is_empty(), status == 6, "{run}");
        assert_eq!(done["remaining"], if status == 0 { json!(0) } else { json!(null) }, "{run}");
        sound(&ground, &data);
        fs::remove_dir_all(&data).unwrap();
    }
}

#[test]
fn a_sparse_store_goes_on_from_its_last_context() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-sparse");
    let head = "SELECT level FROM rollup_node_state WHERE name = 'l2_head'";
    let level = |data: &str| open(data).query_row(head, [], |row| row.get::<_, i64>(0)).unwrap();
    let with_context = "SELECT max(level) FROM l2_blocks WHERE context IS NOT NULL AND level < ?1";
    let top = level(&data);
    let committed: i64 = open(&data).query_row(with_context, [top], |row| row.get(0)).unwrap();
    let to = (committed + 1).to_string();
    let run = ground.run(&["repair", "rewind", &data, "--to", &to]).ok();
    let note =
        format!("No context is kept of level {to}: the node goes back to level {committed} when it starts");
    assert!(run.err.contains(&note), "{run}");
    sound(&ground, &data);
    ground.run(&["repair", "rewind", &data, "--to", "last-committed"]).ok();
    assert_eq!(level(&data), committed);
    sound(&ground, &data);
}

#[test]
fn the_last_sound_level_is_below_what_is_damaged_and_no_lower() {
    let ground = Ground::new();
    for (damage, level) in [
        ("UPDATE l2_blocks SET initial_tick = '1' WHERE level = 5024", 5023),
        ("DELETE FROM messages WHERE inbox_level = 5030", 5029),
        ("UPDATE commitments SET number_of_ticks = 7 WHERE inbox_level = 5020", 5019),
        ("DELETE FROM l2_blocks WHERE level = 5017", 5016),
        (
            "DELETE FROM inboxes WHERE inbox_level = 5009; UPDATE l2_blocks SET initial_tick = '1' WHERE level = 5025",
            5008,
        ),
        ("UPDATE rollup_node_state SET level = 5030 WHERE name = 'finalized_level'", 5029),
        ("INSERT INTO l2_levels VALUES (5033, (SELECT block_hash FROM l2_levels WHERE level = 5031))", 5030),
    ] {
        let data = directory(&ground, "r5-dense");
        sql(&data, damage);
        assert_ne!(wrong(&ground, &data), Vec::<String>::new(), "{damage}");
        let run = ground.run(&["repair", "rewind", &data, "--to", "last-sound", "--json"]).ok();
        let head = "SELECT level FROM rollup_node_state WHERE name = 'l2_head'";
        assert_eq!(open(&data).query_row(head, [], |row| row.get::<_, i64>(0)), Ok(level), "{damage}\n{run}");
        assert_eq!(run.json()["remaining"], 0, "{damage}\n{run}");
        sound(&ground, &data);
        fs::remove_dir_all(&data).unwrap();
    }
    // What is of no level goes away at none.
    let data = directory(&ground, "r5-dense");
    sql(&data, "DELETE FROM rollup_node_state WHERE name = 'history_mode'");
    let tree = ground.tree();
    let run = ground.run(&["repair", "rewind", &data, "--to", "last-sound"]);
    assert_eq!(run.status, 4, "{run}");
    assert!(run.err.contains("[repair.level]"), "{run}");
    tree.same_as(&ground.tree(), "refused");
}

#[test]
fn what_is_refused_changes_nothing() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    fs::write(ground.path("there"), "mine").unwrap();
    let tree = ground.tree();
    for (words, status, code) in [
        (&["--to", "5032"][..], 1, "level.unavailable"),
        (&["--to", "4999"], 1, "level.unavailable"),
        (&["--to", "2147483648"], 2, "level.request"),
        (&["--to=-1"], 2, "level.request"),
        (&["--to", "+5010"], 2, "level.request"),
        (&["--to", ""], 2, "level.request"),
        (&["--to", "head"], 2, "level.request"),
        (&["--to", "5010", "--backup", "there"], 4, "output.exists"),
        (&["--to", "5010", "--backup", "nowhere/../.."], 4, ""),
        (&["--to", "5010", "--dry-run", "--backup", "b"], 2, "usage"),
    ] {
        let run = ground.run(&[&["repair", "rewind", &data], words].concat());
        assert_ne!(run.status, 0, "{run}");
        if !code.is_empty() {
            assert_eq!(run.status, status, "{run}");
            assert!(run.err.contains(&format!("[{code}]")), "{run}");
        }
        tree.same_as(&ground.tree(), code);
    }
    let run = ground.run(&["repair", "rewind", &ground.at("none"), "--to", "5010"]);
    assert_eq!(run.status, 3, "{run}");
    tree.same_as(&ground.tree(), "no directory");
    // A node runs.
    fs::write(format!("{data}/lock"), "").unwrap();
    let _node = Holder::of(&[format!("{data}/lock")]);
    let tree = ground.tree();
    for words in [&["--to", "5010"][..], &["--to", "5010", "--dry-run"]] {
        let run = ground.run(&[&["repair", "rewind", &data], words].concat());
        assert_eq!((run.status, run.err.contains("[lock.held]")), (4, true), "{run}");
        tree.same_as(&ground.tree(), "locked");
    }
}

#[test]
fn a_store_that_lacks_migrations() {
    let ground = Ground::new();
    for (name, missing) in [("v5-archive-m1", 1), ("v5-archive-m0", 2)] {
        let data = directory(&ground, "r5-dense");
        let expected = tables(&data);
        let schema = |data: &str| {
            let query = "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)";
            one(data, query)
        };
        let today = schema(&data);
        // As an older node would have written it.
        let state = if missing == 1 { "\n, state_hash VARCHAR(54), pvm_status BLOB" } else { "\n" };
        let copied = if missing == 1 { ", state_hash, pvm_status" } else { "" };
        let columns = "block_hash, level, predecessor, commitment_hash, previous_commitment_hash, context, \
                       inbox_witness, inbox_hash, initial_tick, num_ticks";
        sql(
            &data,
            &format!(
                "ALTER TABLE l2_blocks RENAME TO newer; DROP INDEX idx_l2_blocks_level;
                 CREATE TABLE l2_blocks (\n  block_hash VARCHAR(51) PRIMARY KEY,\n  level INTEGER NOT NULL,
  predecessor VARCHAR(51) NOT NULL ,\n  commitment_hash VARCHAR(54) ,\n  previous_commitment_hash VARCHAR(54) NOT NULL,
  context VARCHAR(54) NOT NULL,\n  inbox_witness VARCHAR(55) NOT NULL,\n  inbox_hash VARCHAR(55) NOT NULL ,
  initial_tick VARCHAR NOT NULL,\n  num_ticks INTEGER NOT NULL{state});
                 INSERT INTO l2_blocks ({columns}{copied}) SELECT {columns}{copied} FROM newer;
                 DROP TABLE newer;
                 CREATE INDEX idx_l2_blocks_level\nON l2_blocks(level);
                 DELETE FROM migrations WHERE id > 2 - {missing}"
            ),
        );
        let tree = ground.tree();
        let run = ground.run(&["repair", "rewind", &data, "--to", "5030"]);
        assert_eq!((run.status, run.err.contains("[repair.migrations]")), (4, true), "{name}: {run}");
        tree.same_as(&ground.tree(), "refused");
        let run = ground.run(&["repair", "rewind", &data, "--to", "5030", "--migrate"]).ok();
        assert_eq!(schema(&data), today, "{run}");
        let rows = tables(&data);
        assert_eq!(rows["migrations"], expected["migrations"]);
        assert_eq!(rows["l2_blocks"].len() + 1, expected["l2_blocks"].len());
        if missing == 1 {
            assert!(rows["l2_blocks"].iter().all(|row| expected["l2_blocks"].contains(row)));
        }
        sound(&ground, &data);
        fs::remove_dir_all(&data).unwrap();
    }
}

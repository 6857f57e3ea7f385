//! `rollsnap levels`: what it says of each level, compared with `sqlite3` and with the fixtures' own words.

use std::fs;
use std::process::Command;

use rollsnap_tests::cli::{Ground, Tree};
use serde_json::{Value, json};

/// The rows of a query, as JSON.
fn query(store: &str, query: &str) -> Vec<Value> {
    let output = Command::new("sqlite3").args(["-readonly", "-json", store, query]).output().unwrap();
    assert!(output.status.success());
    if output.stdout.is_empty() { Vec::new() } else { serde_json::from_slice(&output.stdout).unwrap() }
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_level_of_a_database() {
    let ground = Ground::new();
    for name in ["v5-full", "v5-sparse", "v5-archive", "v5-genesis", "v5-old-schema"] {
        let dir = ground.unpack(name, name);
        let store = format!("{dir}/store.sqlite");
        let expected = query(
            &store,
            "SELECT l.level, l.block_hash AS block, b.predecessor, b.context, b.inbox_hash AS inbox, \
             b.commitment_hash AS \"commitment\", b.num_ticks AS ticks, b.initial_tick, \
             i.inbox_level FROM l2_levels l JOIN l2_blocks b ON b.block_hash = l.block_hash \
             LEFT JOIN inboxes i ON i.hash = b.inbox_hash ORDER BY l.level",
        );
        let mark = |name: &str| {
            let rows = query(&store, &format!("SELECT level FROM rollup_node_state WHERE name = '{name}'"));
            rows.first().and_then(|row| row["level"].as_i64()).unwrap_or(-1)
        };
        let (finalized, cemented) = (mark("finalized_level"), mark("lcc"));
        let first = expected.iter().find(|row| !row["context"].is_null()).map(|row| row["level"].clone());
        let before = Tree::of(dir.as_ref());
        let run = ground.run(&["levels", &dir, "--json", "-q"]).ok();
        let found = lines(run.text());
        assert_eq!(found.len(), expected.len(), "{name}");
        for (found, expected) in found.iter().zip(&expected) {
            for field in
                ["level", "block", "predecessor", "context", "inbox", "commitment", "ticks", "inbox_level"]
            {
                assert_eq!(found[field], expected[field], "{name} {field}");
            }
            let tick = |value: &Value| value.as_str().map_or_else(|| value.to_string(), Into::into);
            assert_eq!(tick(&found["initial_tick"]), tick(&expected["initial_tick"]));
            let level = expected["level"].as_i64().unwrap();
            assert_eq!(found["finalized"], level <= finalized, "{name} {level}");
            assert_eq!(found["cemented"], !expected["commitment"].is_null() && level <= cemented);
            assert_eq!(found["first_context"], first.as_ref() == Some(&expected["level"]));
            assert_eq!((&found["schema"], &found["problem"]), (&json!("rollsnap.level/1"), &Value::Null));
            assert!(found["messages"].is_u64() && found["message_bytes"].is_u64(), "{name}");
        }
        Tree::of(dir.as_ref()).same_as(&before, "a data directory that was looked at");
        // The state of a commitment is that of its level.
        for row in query(&store, "SELECT inbox_level, compressed_state FROM commitments") {
            if let Some(found) = found
                .iter()
                .find(|found| found["level"] == row["inbox_level"] && !found["commitment"].is_null())
            {
                assert_eq!(found["state_hash"], row["compressed_state"], "{name}");
            }
        }
    }
}

#[test]
fn some_levels_of_every_kind_of_store() {
    let ground = Ground::new();
    let dir = ground.unpack("v5-full", "node");
    let all = lines(ground.run(&["levels", &dir, "--json"]).ok().text());
    let numbers =
        |run: &str| -> Vec<i64> { lines(run).iter().map(|row| row["level"].as_i64().unwrap()).collect() };
    let part = ground.run(&["levels", &dir, "--json", "--from", "2000012", "--to", "2000014"]).ok();
    assert_eq!(lines(part.text()), all[2..5]);
    // Bounds that lie outside are those of the store.
    let outside = ground.run(&["levels", &dir, "--json", "--from", "5", "--to", "2147483647"]).ok();
    assert_eq!(lines(outside.text()), all);
    // A snapshot says what its directory says, compressed or not, also through a pipe.
    for word in ["--uncompressed", "--quiet"] {
        let file = ground.at(word);
        ground.run(&["export", "--data-dir", &dir, "--no-check", word, "--level", "2000025", &file]).ok();
        let found = lines(ground.run(&["levels", &file, "--json", "-q"]).ok().text());
        let state = |row: &Value| (row["block"].clone(), row["state_hash"].clone(), row["ticks"].clone());
        assert!(found.iter().map(state).eq(all[..16].iter().map(state)), "{word}");
        let piped = ground.run_with(&["levels", "-", "--json", "-q"], &fs::read(&file).unwrap()).ok();
        assert_eq!(lines(piped.text()), found);
    }
    assert_eq!(fs::read_dir(ground.path("tmp")).unwrap().count(), 0);
    // A store in files.
    let old = ground.unpack("v4-full", "old");
    let found = ground.run(&["levels", &old, "--json"]).ok();
    let found_numbers = numbers(found.text());
    let last = *found_numbers.last().unwrap();
    assert!(found_numbers.iter().copied().eq(found_numbers[0]..=last) && last == 800_029);
    assert!(lines(found.text()).iter().all(|row| row["problem"].is_null()));
    // For people.
    let text = ground.run(&["levels", &dir, "--from", "2000015", "--to", "2000015"]).ok();
    let row = text.text().lines().nth(1).unwrap();
    assert!(row.contains("2000015  B") && row.ends_with("context, commitment, cemented, final"), "{text}");

    // What is not there.
    ground.run(&["levels", &dir, "--from", "2000030"]).refused(1, "[level.unavailable]");
    ground.run(&["levels", &dir, "--from", "2", "--to", "1"]).refused(2, "above that of --to");
    ground.run(&["levels", &dir, "--from", "4000000000"]).refused(2, "no level is above");
    ground.run(&["levels", "nowhere"]).refused(3, "nowhere");
    fs::create_dir(ground.path("empty")).unwrap();
    ground.run(&["levels", "empty"]).refused(1, "[store.missing]");
    // A block that is gone is said, and the levels around it are there.
    let status = Command::new("sqlite3")
        .args([&format!("{dir}/store.sqlite"), "DELETE FROM l2_blocks WHERE level = 2000020"])
        .status();
    assert!(status.unwrap().success());
    let run = ground.run(&["levels", &dir, "--json"]).ends(1);
    let found = lines(run.text());
    assert_eq!(found.len(), all.len());
    let faults: Vec<&Value> =
        found.iter().filter(|row| !row["problem"].is_null()).map(|row| &row["level"]).collect();
    assert_eq!(faults, [2_000_020]);
    assert!(run.err.contains("1 level lacks something"), "{run}");
}

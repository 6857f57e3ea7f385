//! `rollsnap replay`: a line a block, in our spelling and in that of the nodes.

use rollsnap_tests::cli::{Ground, Tree};
use serde_json::json;

use super::directory;

#[test]
fn a_line_a_block() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    let snapshot = ground.at("r5-dense.head.snapshot.gz");
    for target in [&data, &snapshot] {
        let run = ground.run(&["replay", target, "--from", "5003", "--to", "5004"]).ok();
        let lines: Vec<&str> = run.text().lines().collect();
        assert!(lines[0].starts_with("level 5003: 22,000,000,000 ticks, 1 run, context, "), "{run}");
        assert!(lines[1].starts_with("level 5004: 44,000,000,000 ticks, 3 runs, context, "), "{run}");
        assert!(lines[2].starts_with("  yes     replay.blocks        2 of 31 blocks run again: "), "{run}");
        assert!(lines[3].starts_with("2 blocks in "), "{run}");
        assert_eq!(
            (lines.len(), run.err.lines().filter(|line| line.contains("Error")).count()),
            (4, 0),
            "{run}"
        );
    }
    assert_eq!(ground.run(&["replay", &data]).ok().text().lines().count(), 31 + 2);
    assert_eq!(ground.run(&["replay", &data, "--from", "head"]).ok().text().lines().count(), 1 + 2);
    assert_eq!(ground.run(&["replay", &data, "--to", "finalized"]).ok().text().lines().count(), 29 + 2);
}

#[test]
fn as_json() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    let report = ground.run(&["replay", &data, "--from", "5006", "--to", "5006", "--json"]).ok().json();
    let block = &report["blocks"][0];
    let found = json!([block["level"], block["initial_tick"], block["ticks"], block["runs"], block["phase"]]);
    assert_eq!(found, json!([5006, "132000000000", "22000000000", 1, "collect"]));
    assert_eq!(report["verdicts"]["replayed"], "yes");
    assert_eq!(report["schema"], "rollsnap.report/1");
}

#[test]
fn as_the_nodes_spell_it() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    let before = Tree::of(data.as_ref());
    let count = |words: &[&str]| {
        let run = ground.run(&[&["replay"], words, &["--data-dir", &data]].concat()).ok();
        run.text().lines().filter(|line| line.starts_with("level ")).count()
    };
    assert_eq!(count(&["block", "5010"]), 1);
    assert_eq!(count(&["block", "head"]), 1);
    assert_eq!(count(&["block", "BLYUG7j2ZhUEtUHLoA7STJGk1PijSy12Fr2ANJfwYqCBZhirEKk"]), 1);
    assert_eq!(count(&["blocks", "from", "5010", "to", "5013"]), 4);
    before.same_as(&Tree::of(data.as_ref()), "nothing is written");
    for words in [
        &["blocks", "5010", "to", "5013"][..],
        &["blocks", "from", "5013", "to", "5010"],
        &["block", "5010", "--from", "5009"],
        &["block", "x"],
        &["one", "two"],
    ] {
        ground.run(&[&["replay"], words, &["--data-dir", &data]].concat()).ends(2);
    }
    ground.run(&["replay", &data, "--data-dir", &data]).ends(2);
    ground.run(&["replay"]).ends(2);
    ground.run(&["replay", "-"]).refused(2, "name a file");
    ground.run(&["replay", "block", "5032", "--data-dir", &data]).refused(1, "[level.unavailable]");
    ground.run(&["replay", "block", "5000", "--data-dir", &data]).refused(4, "[replay.start]");
    ground.run(&["replay", "nowhere"]).ends(3);
    for (words, status, text) in [
        (&["--from", "5032"][..], 1, "level 5032 is higher than the head level 5031"),
        (&["--from", "5031", "--to", "5030"], 2, "level 5031 is above level 5030"),
        (&["--from", "head", "--to", "5030"], 2, "level 5031 is above level 5030"),
        (&["--to", "5000"], 4, "the first context is that of level 5000"),
        (&["--from", "1", "--to", "2"], 4, "the first context is that of level 5000"),
        (&["--from", "5000", "--to", "5003"], 4, "the first context is that of level 5000"),
    ] {
        ground.run(&[&["replay", &data], words].concat()).refused(status, text);
    }
    // What needs no store is said before a snapshot is unpacked.
    let snapshot = ground.at("r5-dense.head.snapshot.gz");
    for words in [["--from", "5013", "--to", "5010"], ["--from", "5013", "--to", "x"]] {
        let run = ground.run(&[&["replay", &snapshot][..], &words].concat()).ends(2);
        assert!(!run.err.contains("unpacked"), "{run}");
    }
}

/// Each engine comes to the same, and a limit that is too small is no verdict.
#[test]
fn engines_and_limits() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-full");
    for engine in ["auto", "interpreter"] {
        ground.run(&["replay", &data, "--engine", engine, "--replay-jobs", "3"]).ok();
    }
    let run = ground.run(&["replay", &data, "--kernel-memory", "1K", "--json"]).ends(5);
    assert_eq!(run.json()["verdicts"]["replayed"], "unknown", "{run}");
    ground.run(&["replay", &data, "--kernel-timeout", "0"]).ends(2);
    ground.run(&["replay", &data, "--engine", "none"]).ends(2);
}

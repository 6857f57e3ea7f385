//! The verdict *Replayed*: yes, no, not checked, and where it is not asked for.

use rollsnap_tests::cli::{Ground, Run};
use rollsnap_tests::fixtures;
use serde_json::{Value, json};

use super::{checks, directory};

fn verify(ground: &Ground, words: &[&str]) -> Run {
    ground.run(&[&["verify", "--context", "none", "--json"], words].concat())
}

#[test]
fn directories_and_snapshots_that_replay() {
    for (name, blocks, text) in [
        (
            "r5-dense",
            31,
            "31 of 31 blocks run again: states, ticks, outboxes as recorded; 31 contexts, 6 commitments, ",
        ),
        (
            "r5-full",
            22,
            "22 of 22 blocks run again: states, ticks, outboxes as recorded; 22 contexts, 4 commitments, ",
        ),
        (
            "r5-sparse",
            39,
            "39 of 39 blocks run again: states, ticks, outboxes as recorded; 6 contexts, 6 commitments, ",
        ),
        (
            "r4-mavkit",
            25,
            "25 of 25 blocks run again: states, ticks as recorded; 25 contexts, 5 commitments, ",
        ),
    ] {
        let ground = Ground::new();
        let snapshot = ground.snapshot(&format!("replay/{name}.head.snapshot.gz"));
        let data = directory(&ground, name);
        for target in [&snapshot, &data] {
            let run = verify(&ground, &["--replay", "all", "--require", "replayed", target]).ok();
            let report = run.json();
            assert_eq!(report["verdicts"]["replayed"], "yes", "{run}");
            assert_eq!(report["replay"]["blocks"], blocks, "{run}");
            let [(status, said)] = &checks(&run, "replay.blocks")[..] else { panic!("{run}") };
            assert!(status == "yes" && said.starts_with(text), "{said}");
        }
        // Not asked for, it is not there.
        let report = verify(&ground, &[&data]).json();
        assert_eq!((&report["verdicts"]["replayed"], &report["replay"]), (&Value::Null, &Value::Null));
    }
}

/// Of a compact snapshot all blocks behind its one context are run; nothing is written.
#[test]
fn compact_snapshots() {
    for (name, blocks) in
        [("r5-dense", 31), ("r5-sparse", 39), ("r4-mavkit", 25), ("r5-stuck-full", 17), ("r5-long", 1499)]
    {
        let ground = Ground::new();
        let snapshot = ground.snapshot(&format!("replay/{name}-compact.head.snapshot.gz"));
        let before = ground.tree().only(|name| !name.starts_with("home"));
        let report = verify(&ground, &["--replay", "all", &snapshot]).ok().json();
        assert_eq!(report["verdicts"]["replayed"], "yes", "{name}");
        assert_eq!(report["replay"]["blocks"], blocks, "{name}");
        before.same_as(&ground.tree().only(|name| !name.starts_with("home")), name);
    }
}

#[test]
fn some_blocks() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    let sparse = directory(&ground, "r5-sparse");
    for (target, blocks, run, of) in [
        (&data, "last:7", 7, 31),
        (&data, "last:100", 31, 31),
        (&data, "sample:5", 5, 31),
        (&data, "sample:1000", 31, 31),
        (&data, "5010..5012", 3, 31),
        (&data, "5001..5001", 1, 31),
        // From the last context below them on: that of 795.
        (&sparse, "798..800", 5, 39),
    ] {
        let report = verify(&ground, &["--replay", blocks, target]).ok().json();
        assert_eq!(report["verdicts"]["replayed"], "yes", "{blocks}");
        let found = json!([report["replay"]["scope"], report["replay"]["blocks"], report["replay"]["of"]]);
        assert_eq!(found, json!([blocks, run, of]));
    }
    let run = verify(&ground, &["--replay", "5000..5003", &data]).ends(4);
    assert_eq!(run.json()["verdicts"]["replayed"], "unknown");
    assert_eq!(checks(&run, "replay.start").len(), 1, "{run}");
    let run = verify(&ground, &["--replay", "5030..5032", &data]);
    assert_eq!(run.json()["verdicts"]["replayed"], "unknown", "{run}");
    assert_eq!(checks(&run, "level.unavailable").len(), 1, "{run}");
}

/// What only the nodes' interpreter can tell is not checked, and no "no".
#[test]
fn a_machine_that_gets_stuck() {
    let ground = Ground::new();
    for name in ["r5-stuck", "r5-stuck-compact"] {
        let snapshot = ground.snapshot(&format!("replay/{name}.head.snapshot.gz"));
        let run = verify(&ground, &["--replay", "all", &snapshot]).ends(4);
        assert_eq!(run.json()["verdicts"]["replayed"], "unknown", "{run}");
        let text = "not checked to the end: 8 of 17 blocks run again, of 17 that there are";
        assert_eq!(checks(&run, "replay.blocks"), [("unknown".to_owned(), text.to_owned())]);
        let [(status, _)] = &checks(&run, "pvm.refused.trap")[..] else { panic!("{run}") };
        assert_eq!(status, "unknown");
        // The blocks before it do replay.
        let run = verify(&ground, &["--replay", "401..408", &snapshot]).ok();
        assert_eq!(run.json()["verdicts"]["replayed"], "yes");
    }
}

#[test]
fn what_cannot_be_replayed() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    ground.run(&["verify", "--require", "replayed", &data]).refused(2, "replayed needs --replay");
    ground.run(&["verify", "--replay", "some", &data]).ends(2);
    ground.run(&["verify", "--context", "head", "--shard", "1/2", &data]).refused(2, "--shard divides");
    ground.run(&["verify", "--shard", "1/2", "-"]).refused(2, "name a file");
    let alone = ["verify", "--require", "consistent", "--shard", "1/2", &data];
    ground.run(&alone).refused(2, "takes all shares");
    let anchored =
        ["verify", "--require", "anchored", "--endpoint", "http://localhost:1", "--shard", "2/2", &data];
    ground.run(&anchored).refused(2, "the first share");
    ground.run(&["verify", "--replay", "all", "--shard", "3/2", &data]).ends(2);
    ground.run(&["verify", "--replay", "all", "-"]).refused(2, "name a file");
    // A context alone.
    let run = verify(&ground, &["--replay", "all", &format!("{data}/context")]);
    assert_eq!(run.json()["verdicts"]["replayed"], "unknown", "{run}");
    // A file that is cut.
    let whole = fixtures::read("replay/r5-dense.head.snapshot.gz");
    std::fs::write(ground.path("cut"), &whole[..whole.len() - 5]).unwrap();
    let run = verify(&ground, &["--replay", "all", "cut"]).ends(3);
    let verdicts =
        json!({"intact": "no", "consistent": "unknown", "anchored": "unknown", "replayed": "unknown"});
    assert_eq!(run.json()["verdicts"], verdicts, "{run}");
    // On a terminal the answer stands below the others.
    let run = ground.run(&["verify", "--context", "none", "--replay", "last:2", &data]);
    assert!(run.text().contains("\nAnchored:    not checked\nReplayed:    yes\n"), "{run}");
    assert!(run.text().contains("\nReplaying blocks: "), "{run}");
}

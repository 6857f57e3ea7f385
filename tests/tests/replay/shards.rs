//! A replay that several machines share: one report of all says what one machine says.

use std::fs;

use rollsnap_tests::cli::{Ground, Run};
use serde_json::{Value, json};

use super::directory;

/// The reports of all shares, as files.
fn shares(ground: &Ground, target: &str, of: u32, blocks: &str) -> Vec<String> {
    let share = |number: u32| {
        let shard = format!("{number}/{of}");
        let words = ["verify", "--context", "none", "--json", "--replay", blocks, "--shard", &shard, target];
        let run = ground.run(&words);
        let name = ground.at(&format!("share-{number}-{of}-{}.json", blocks.replace(':', "-")));
        fs::write(&name, run.text()).unwrap();
        name
    };
    (1..=of).map(share).collect()
}

pub(super) fn merge(ground: &Ground, files: &[String]) -> Run {
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    ground.run(&[&["report", "merge", "--json"], &files[..]].concat())
}

/// What a report says, but for times.
pub(super) fn said(mut report: Value) -> Value {
    for field in ["advice", "exit_status", "failures", "phases"] {
        report.as_object_mut().unwrap().remove(field);
    }
    let mut checks: Vec<String> = report["checks"].as_array().unwrap().iter().map(Value::to_string).collect();
    checks.sort();
    report["checks"] = json!(checks);
    report
}

#[test]
fn four_shares_say_what_one_run_says() {
    for name in ["r5-dense", "r5-sparse", "r5-long-compact"] {
        let ground = Ground::new();
        let data = directory(&ground, name);
        let one =
            ground.run(&["verify", "--context", "none", "--json", "--replay", "all", &data]).ok().json();
        assert_eq!(one["verdicts"]["replayed"], "yes");
        for of in [1, 4] {
            let mut files = shares(&ground, &data, of, "all");
            files.reverse();
            let merged = merge(&ground, &files).ok().json();
            assert_eq!(said(merged), said(one.clone()), "{name} {of}");
        }
    }
}

#[test]
fn shares_that_do_not_belong_together() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    let files = shares(&ground, &data, 3, "all");
    let refused = |files: &[String], code: &str| {
        let run = merge(&ground, files).ends(4);
        assert_eq!(run.json()["checks"][0]["code"], code, "{run}");
    };
    refused(&files[..2], "report.gap");
    refused(&files[1..], "report.gap");
    refused(&[files[0].clone(), files[2].clone()], "report.gap");
    refused(&[&files[..], &files[1..2]].concat(), "report.overlap");
    // Another division, another scope, another snapshot, no share at all.
    let halves = shares(&ground, &data, 2, "all");
    refused(&[&files[..2], &halves[1..]].concat(), "report.other");
    let last = shares(&ground, &data, 3, "last:5");
    refused(&[&files[..2], &last[2..]].concat(), "report.other");
    let other = directory(&ground, "r5-full");
    let others = shares(&ground, &other, 3, "all");
    fs::rename(&others[2], ground.path("other")).unwrap();
    let mine = shares(&ground, &data, 3, "all");
    refused(&[&mine[..2], &[ground.at("other")]].concat(), "report.other");
    let whole = ground.run(&["verify", "--context", "none", "--json", "--replay", "all", &data]).ok();
    fs::write(ground.path("whole"), whole.text()).unwrap();
    refused(&[ground.at("whole")], "report.share");
    fs::write(ground.path("text"), "no report").unwrap();
    let run = merge(&ground, &[ground.at("text")]).ends(3);
    assert_eq!(run.json()["checks"][0]["code"], "report.form", "{run}");
    merge(&ground, &[ground.at("nothing")]).ends(3);
}

/// A check that says no beside an answer that says yes.
#[test]
fn a_report_that_contradicts_itself() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    let files = shares(&ground, &data, 2, "all");
    let honest: Value = serde_json::from_slice(&fs::read(&files[1]).unwrap()).unwrap();
    for code in ["replay.state", "messages.witness"] {
        let mut forged = honest.clone();
        let check =
            serde_json::json!({"code": code, "status": "no", "at": {"level": 5010}, "text": "it differs"});
        forged["checks"].as_array_mut().unwrap().push(check);
        fs::write(&files[1], serde_json::to_vec(&forged).unwrap()).unwrap();
        let run = merge(&ground, &files).ends(3);
        assert_eq!(run.json()["checks"][0]["code"], "report.form", "{run}");
    }
    fs::write(&files[1], serde_json::to_vec(&honest).unwrap()).unwrap();
    merge(&ground, &files).ok();
}

/// A difference in one share is a difference of all.
#[test]
fn a_no_in_one_share() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    let store = rusqlite::Connection::open(format!("{data}/store.sqlite")).unwrap();
    store.execute("UPDATE l2_blocks SET num_ticks = 7 WHERE level = 5015", []).unwrap();
    drop(store);
    let run = merge(&ground, &shares(&ground, &data, 3, "all")).ends(1);
    let report = run.json();
    assert_eq!(report["verdicts"]["replayed"], "no", "{run}");
    let is_it = |check: &&Value| check["code"] == "replay.ticks";
    assert_eq!(report["checks"].as_array().unwrap().iter().filter(is_it).count(), 1, "{run}");
}

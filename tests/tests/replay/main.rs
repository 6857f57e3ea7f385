//! Blocks that are run again: contexts, states, ticks and outboxes of directories whose contexts are what the nodes'
//! own machine computed.

mod command;
mod divided;
mod library;
mod memory;
mod modified;
mod mutants;
mod shards;
mod verdict;

use rollsnap_tests::cli::{Ground, Run};
use rollsnap_tests::fixtures;
use serde_json::Value;

/// Unpacks a snapshot of `replay/` as a data directory.
fn directory(ground: &Ground, name: &str) -> String {
    let snapshot = ground.snapshot(&format!("replay/{name}.head.snapshot.gz"));
    let data = ground.at(name);
    ground.run(&["extract", &snapshot, "-C", &data]).ok();
    data
}

/// What the makers of a directory say of it.
fn expect(name: &str) -> Value {
    serde_json::from_slice(&fixtures::read(&format!("replay/{name}.expect.json"))).unwrap()
}

/// The checks of a report that have this code: status and text.
fn checks(run: &Run, code: &str) -> Vec<(String, String)> {
    let report = run.json();
    let has_code = |check: &&Value| check["code"] == code;
    let said = |field: &Value| field.as_str().unwrap().to_owned();
    let found = report["checks"].as_array().unwrap().iter().filter(has_code);
    found.map(|check| (said(&check["status"]), said(&check["text"]))).collect()
}

//! `verify` of mutants: what it says of the data directory and of the snapshot that one of them broke.

use serde_json::Value;

use crate::cli::{Ground, Run, failures};

/// Which checks say no of which mutant, and at which level (0 where a check is not about a level).
pub type Seen<'a> = &'a [(&'a str, &'a [(&'a str, i64)])];

/// One of the two was verified.
pub struct Verified {
    /// `data` or `snapshot`.
    pub kind: &'static str,
    /// Where it is.
    pub target: String,
    /// How the command ended.
    pub run: Run,
    /// Its report.
    pub report: Value,
    /// Code and level of what says no.
    pub failures: Vec<(String, i64)>,
}

/// Verifies what there is of the mutant in the directory of its name.
pub fn verify(ground: &Ground, id: &str) -> Vec<Verified> {
    let targets = ["data", "snapshot"].map(|kind| (kind, ground.at(&format!("{id}/{kind}"))));
    let there = targets.into_iter().filter(|(_, target)| std::path::Path::new(target).exists());
    let verified = there.map(|(kind, target)| {
        let run = ground.run(&["verify", "--json", &target]);
        let report = run.json();
        let failures = failures(&report);
        Verified { kind, target, run, report, failures }
    });
    verified.collect()
}

/// The row of a mutant in a table; empty if it has none.
pub fn row(table: Seen<'_>, id: &str) -> Vec<(String, i64)> {
    let row = table.iter().find(|(name, _)| *name == id).map_or(&[][..], |(_, row)| row);
    row.iter().map(|(code, level)| ((*code).to_owned(), *level)).collect()
}

impl Verified {
    /// The text that the record has of these nodes for what is wrong must be the first line of what a check
    /// says. False if they have no exact one.
    #[track_caller]
    pub fn says(&self, entry: &Value, nodes: &str) -> bool {
        let Some(text) = entry["error"][nodes].as_str().filter(|_| entry["match"].is_null()) else {
            return false;
        };
        let text = text.replace("<dir>", &self.target).replace("<target>", &self.target);
        let checks = self.report["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "no");
        let said: Vec<&str> = checks.filter_map(|check| check["text"].as_str()?.lines().next()).collect();
        assert!(said.contains(&&*text), "{}: {text:?} in {said:?}", entry["id"]);
        true
    }
}

//! Every case of `tests/fixtures/pvm`: what the nodes' own machine did, hash for hash.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rollsnap::engine::Limits;
use rollsnap_core::feedback::Silent;
use rollsnap_core::pvm::{LevelOutcome, Machine, StateView};
use rollsnap_core::{Class, Code, Problem};
use rollsnap_tests::engines::{NAMES, engine};
use rollsnap_tests::pvm::{Case, hex};
use serde_json::{Value, json};

/// How many cases there are. A case that is not read proves nothing.
const CASES: usize = 134;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pvm/cases");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), CASES);
    files
}

/// Runs a case; what is not as it must be, and the problem that ended it.
fn run(case: &Case, engine_name: &str) -> (Vec<String>, Option<Problem>) {
    let mut faults = Vec::new();
    let mut machine = case.machine().unwrap();
    if let Some(expect) = &case.genesis {
        faults.extend(compare(case, "genesis", &machine, expect, "tree"));
    }
    let mut engine = engine(engine_name, Limits::default()).unwrap().unwrap();
    let reveal = case.reveal();
    for level in &case.levels {
        let before = machine.tree().clone();
        match machine.level(level.level, &level.messages, &mut *engine, &reveal, &Silent) {
            Err(problem) => {
                // Nothing changed.
                assert_eq!(machine.tree().hash().unwrap(), before.hash().unwrap(), "{}", case.name);
                return (faults, Some(problem));
            }
            Ok(outcome) => {
                if let Some(expect) = &level.expect {
                    let at = level.level.to_string();
                    faults.extend(compare(case, &at, &machine, expect, "tree_changes"));
                    faults.extend(compare_outcome(&at, &outcome, expect));
                }
            }
        }
        if level.commit {
            machine.committed().unwrap();
        }
    }
    (faults, None)
}

/// What the state is, against what it must be. Asks for the hash where the case has one only: to
/// hash has an effect.
fn compare(case: &Case, at: &str, machine: &Machine, expect: &Value, leaves: &str) -> Vec<String> {
    let view = serde_json::to_value(StateView::read(machine.tree()).unwrap()).unwrap();
    let last_level = &view["outbox"]["last_level"];
    let mut found = BTreeMap::from([
        ("current_tick", view["current_tick"].clone()),
        ("phase", view["phase"].clone()),
        ("reboot_counter", json!(view["reboot_counter"].to_string())),
        ("last_top_level_call", view["last_top_level_call"].clone()),
        ("max_nb_ticks", view["max_nb_ticks"].clone()),
        ("output_last_level", json!(last_level.as_i64().map_or("-".to_owned(), |level| level.to_string()))),
        ("output_validity_period", json!(view["outbox"]["validity_period"].to_string())),
    ]);
    if !expect["state_hash"].is_null() {
        let hash = machine.state_hash().unwrap();
        found.insert("state_hash", json!(hex(hash.as_bytes())));
        found.insert("state_hash_srs", json!(hash.to_string()));
    }
    let mut faults: Vec<String> = found
        .iter()
        .filter(|(field, found)| expect[**field] != **found)
        .map(|(field, found)| format!("{at} {field}: {}, not {found}", expect[*field]))
        .collect();
    for (path, text) in expect[leaves].as_object().unwrap() {
        let steps: Vec<&str> = path.split('/').collect();
        let found = machine.tree().find(&steps).unwrap();
        let wanted = text.as_str().map(|text| case.leaf(text).unwrap());
        if found.as_deref() != wanted.as_deref() {
            faults.push(format!("{at} {path}: {text}, not {:?}", found.as_deref().map(hex)));
        }
    }
    faults
}

fn compare_outcome(at: &str, outcome: &LevelOutcome, expect: &Value) -> Vec<String> {
    let outbox = outcome.outbox.as_ref().map(|messages| messages.iter().map(|m| hex(m)).collect::<Vec<_>>());
    let mut faults = Vec::new();
    for (field, found) in [("num_ticks", json!(outcome.num_ticks.to_string())), ("outbox", json!(outbox))] {
        if expect[field] != found {
            faults.push(format!("{at} {field}: {}, not {found}", expect[field]));
        }
    }
    let reveals = expect["reveals"].as_array().cloned().unwrap_or_default();
    if reveals.len() != outcome.revealed.len() {
        faults.push(format!("{at}: {} reveals, not {}", reveals.len(), outcome.revealed.len()));
    }
    for (expect, found) in reveals.iter().zip(&outcome.revealed) {
        let answer = expect["answer"].as_str().unwrap();
        // Long ones stand there by their length only; their hash is the request.
        let same = answer == hex(&found.answer) || answer == format!("({} bytes)", found.answer.len());
        if expect["request"] != hex(&found.request) || !same {
            faults.push(format!("{at} reveal {}: {answer}, not {}", expect["request"], hex(&found.answer)));
        }
    }
    faults
}

/// States, ticks, outboxes, reveals and leaves of every case that can be computed; a refusal with a
/// code of its own of every case that cannot; the nodes' failure where nodes fail. With every engine.
#[test]
fn all_cases() {
    for name in NAMES {
        all_cases_with(name);
    }
}

fn all_cases_with(engine_name: &str) {
    let mut faults = Vec::new();
    let mut counts = BTreeMap::<&str, u32>::new();
    for path in cases() {
        let case = Case::read(&path).unwrap();
        let (mut wrong, problem) = run(&case, engine_name);
        let may_refuse = case.fast.ends_with("refuse");
        match problem {
            Some(problem) if case.raises => {
                *counts.entry("raises").or_default() += 1;
                if problem.code() != Code::PvmRaises {
                    wrong.push(format!("{problem:?}"));
                }
            }
            Some(problem) if may_refuse => {
                *counts.entry("refused").or_default() += 1;
                if problem.code().class() != Class::Refused
                    || !problem.code().as_str().starts_with("pvm.refused.")
                {
                    wrong.push(format!("{problem:?}"));
                }
                if problem.place().is_none() {
                    wrong.push(format!("no level: {problem:?}"));
                }
            }
            Some(problem) => wrong.push(format!("{problem:?}")),
            None if case.fast == "refuse" => wrong.push("not refused".to_owned()),
            None => *counts.entry("computed").or_default() += 1,
        }
        faults.extend(wrong.into_iter().map(|fault| format!("{engine_name} {}: {fault}", case.name)));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert_eq!(counts["raises"], 4);
    assert!(counts["computed"] >= 96, "{counts:?}");
}

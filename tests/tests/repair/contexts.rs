//! Contexts that the store names and the directory lacks: what comes of running the blocks is what the nodes' own machine
//! came to (`replay/*.expect.json`), as a reader in Python finds it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use rollsnap_tests::cli::Ground;
use rollsnap_tests::fixtures;
use serde_json::Value;

use super::{directory, sound, tables};

/// The contexts of the blocks up to a level.
pub(super) fn expected(name: &str, up_to: i64) -> BTreeSet<String> {
    let expected: Value =
        serde_json::from_slice(&fixtures::read(&format!("replay/{name}.expect.json"))).unwrap();
    let blocks: Vec<Value> = match &expected["blocks"] {
        Value::Object(blocks) => blocks.values().cloned().collect(),
        blocks => blocks.as_array().unwrap().clone(),
    };
    let wanted = blocks.iter().filter(|block| block["level"].as_i64().unwrap() <= up_to);
    wanted.filter_map(|block| block["context_hex"].as_str().map(str::to_owned)).collect()
}

/// Those that can be read; every hash and every shape is checked.
pub(super) fn found(data: &str) -> BTreeSet<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cli/irmin.py");
    let output =
        Command::new("python3").arg(script).args(["dump", &format!("{data}/context")]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let dumps: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let commits = dumps[0]["commits"].as_array().unwrap().iter();
    let available = commits.filter(|commit| commit["available"] == true);
    available.map(|commit| commit["hash"].as_str().unwrap().to_owned()).collect()
}

/// A directory with all blocks and the context of the first one alone.
pub(super) fn bare(ground: &Ground, name: &str) -> String {
    let snapshot = ground.snapshot(&format!("replay/{name}-compact.head.snapshot.gz"));
    let data = ground.at(name);
    ground.run(&["import", &snapshot, "--data-dir", &data, "--keep-compact"]).ok();
    data
}

/// Lets the index forget all but its first commits.
fn forget(data: &str, keep: usize) {
    let path = format!("{data}/context/index/log");
    let mut log = fs::read(&path).unwrap();
    log.truncate(32 + keep * 45);
    log[..8].copy_from_slice(&((keep * 45) as u64).to_be_bytes());
    fs::write(path, log).unwrap();
}

#[test]
fn every_context_is_made_again() {
    let ground = Ground::new();
    for name in ["r5-dense", "r5-sparse", "r5-full", "r4-mavkit", "r5-stuck-full"] {
        let data = bare(&ground, name);
        let before = ground.tree();
        let dry = ground.run(&["repair", "contexts", &data, "--dry-run"]).ok();
        before.same_as(&ground.tree(), "a dry run");
        let all = expected(name, i64::MAX);
        assert!(dry.text().contains(&format!("context: {} contexts up to level", all.len() - 1)), "{dry}");
        let run = ground.run(&["repair", "contexts", &data]).ok();
        assert!(run.text().contains("are as recorded"), "{run}");
        assert_eq!(found(&data), all, "{name}");
        sound(&ground, &data);
        ground.run(&["repair", "contexts", &data]).ends(6);
    }
}

/// After a crash the newest ones are lost, or some in the middle; the store stays as it is.
#[test]
fn lost_contexts_are_made_and_the_store_stays() {
    let ground = Ground::new();
    for (name, keep) in [("r5-dense", 31), ("r5-dense", 7), ("r5-sparse", 2), ("r4-mavkit", 20)] {
        let data = directory(&ground, name);
        let all = found(&data);
        let store = (name != "r4-mavkit").then(|| tables(&data));
        forget(&data, keep);
        ground.run(&["repair", "contexts", &data]).ok();
        assert_eq!(found(&data), all, "{name}");
        assert_eq!((name != "r4-mavkit").then(|| tables(&data)), store);
        sound(&ground, &data);
        fs::remove_dir_all(&data).unwrap();
    }
    // One in the middle: only what leads to it is run.
    let data = directory(&ground, "r5-dense");
    let all = found(&data);
    let path = format!("{data}/context/index/log");
    let mut log = fs::read(&path).unwrap();
    log.drain(32 + 5 * 45..32 + 6 * 45);
    let length = (log.len() - 32) as u64;
    log[..8].copy_from_slice(&length.to_be_bytes());
    fs::write(&path, log).unwrap();
    let run = ground.run(&["repair", "contexts", &data]).ok();
    assert!(run.text().contains("1 context up to level 5005; 1 block is run again"), "{run}");
    assert_eq!(found(&data), all);
    // All of them above a level.
    let run = ground.run(&["repair", "contexts", &data, "--from", "5020"]).ok();
    assert!(run.text().contains("11 contexts up to level 5031; 11 blocks are run again"), "{run}");
    assert_eq!(found(&data), all);
    sound(&ground, &data);
}

/// What only a node can compute ends the repair; what came before stays, and the next one goes on from there.
#[test]
fn what_was_made_before_a_block_that_cannot_be_run_stays() {
    let ground = Ground::new();
    let data = bare(&ground, "r5-stuck");
    let run = ground.run(&["repair", "contexts", &data]);
    assert_eq!(run.status, 4, "{run}");
    assert!(run.err.contains("[pvm.refused.trap]") && run.err.contains("at level 409"), "{run}");
    assert!(run.err.contains("8 contexts were made and stay"), "{run}");
    assert_eq!(found(&data), expected("r5-stuck", 408));
    let run = ground.run(&["repair", "contexts", &data]);
    assert_eq!(run.status, 4, "{run}");
    assert!(!run.err.contains("made and stay"), "{run}");
    assert_eq!(found(&data), expected("r5-stuck", 408));
}

#[test]
fn what_is_refused_changes_nothing() {
    let ground = Ground::new();
    type Change = fn(&str);
    let refused: [(Change, i32, &str); 5] = [
        (
            |data| {
                let path = format!("{data}/metadata");
                let text = fs::read_to_string(&path).unwrap().replace("wasm_2_0_0", "arith");
                fs::write(path, text).unwrap();
            },
            4,
            "[replay.kind]",
        ),
        (
            |data| {
                let path = format!("{data}/metadata");
                let text = fs::read_to_string(&path).unwrap().replace("wasm_2_0_0", "riscv");
                fs::write(path, text).unwrap();
            },
            4,
            "[replay.kind]",
        ),
        (
            |data| {
                fs::create_dir(format!("{data}/context/nds")).unwrap();
                fs::write(format!("{data}/context/nds/CURRENT"), "").unwrap();
            },
            4,
            "[pvm.refused.nds]",
        ),
        (|data| forget(data, 0), 4, "[replay.start]"),
        (
            |data| {
                let context = format!("{data}/context");
                fs::rename(&context, format!("{data}/elsewhere")).unwrap();
                std::os::unix::fs::symlink("elsewhere", context).unwrap();
            },
            5,
            "a symbolic link",
        ),
    ];
    for (change, status, code) in refused {
        let data = bare(&ground, "r5-dense");
        change(&data);
        let before = ground.tree();
        for words in [&["--dry-run"][..], &[]] {
            let run = ground.run(&[&["repair", "contexts", &data], words].concat());
            assert_eq!((run.status, run.err.contains(code)), (status, true), "{run}");
            before.same_as(&ground.tree(), code);
        }
        fs::remove_dir_all(&data).unwrap();
    }
    let data = bare(&ground, "r5-dense");
    let before = ground.tree();
    let run = ground.run(&["repair", "contexts", &data, "--from", "4999"]);
    assert_eq!((run.status, run.err.contains("[replay.start]")), (4, true), "{run}");
    before.same_as(&ground.tree(), "below the first");
}

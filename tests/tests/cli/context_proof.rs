//! `rollsnap context prove` and `check-proof` as an operator runs them.

use std::fs;
use std::process::Command;

use rollsnap_tests::cli::{Ground, Tree};
use serde_json::{Value, json};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The state of a level, by the word of its commitment.
fn committed(store: &str) -> Vec<(i64, String)> {
    let query = "SELECT inbox_level, compressed_state FROM commitments ORDER BY inbox_level";
    let output = Command::new("sqlite3").args(["-readonly", store, query]).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |line: &str| {
        let (level, state) = line.split_once('|').unwrap();
        (level.parse().unwrap(), state.to_owned())
    };
    text.lines().map(line).collect()
}

#[test]
fn proofs_for_whoever_knows_a_commitment() {
    let ground = Ground::new();
    let dir = ground.unpack("v5-full", "node");
    let commitments = committed(&format!("{dir}/store.sqlite"));
    let before = Tree::of(dir.as_ref());
    let (level, state) = commitments.last().unwrap();
    let level = level.to_string();
    let file = ground.at("some.proof");
    let keys = ["/kernel/boot.wasm", "/zero", "/nothing", "/kernel", "pvm_state/wasm-version"];
    let words =
        [&["context", "prove", &dir], &keys[..], &["--level", &level, "-o", &file, "--json"]].concat();
    let made = ground.run(&words).ok().json();
    assert_eq!(made["state_hash"], *state);
    assert_eq!(made["commit"]["level"].to_string(), level);
    assert_eq!(made["bytes"], fs::metadata(&file).unwrap().len());
    let answers = |json: &Value| -> Vec<(String, String, Value)> {
        let rows = json["keys"].as_array().unwrap().iter();
        rows.map(|row| {
            let text = |field: &str| row[field].as_str().unwrap().to_owned();
            (text("path"), text("answer"), row["size"].clone())
        })
        .collect()
    };
    let row = |path: &str, answer: &str, size: Value| (path.to_owned(), answer.to_owned(), size);
    let ticks = ground.run(&["context", "cat", &dir, keys[4], "--level", &level, "-q"]).ok().out;
    let expected = [
        row(keys[0], "present", json!(5000)),
        row(keys[1], "present", json!(0)),
        row(keys[2], "absent", Value::Null),
        row(keys[3], "absent", Value::Null),
        row(keys[4], "present", json!(ticks.len())),
    ];
    assert_eq!(answers(&made), expected);

    // Elsewhere, with nothing but the file.
    fs::rename(&dir, ground.path("gone")).unwrap();
    let check = |words: &[&str]| ground.run(&[&["context", "check-proof", &file, "--json"], words].concat());
    let all = check(&[&keys[..], &["--state-hash", state, "--values", "6000"]].concat()).ok().json();
    assert_eq!(answers(&all), expected);
    fs::rename(ground.path("gone"), &dir).unwrap();
    let kernel = ground.run(&["context", "cat", &dir, keys[0], "--level", &level, "-q"]).ok().out;
    assert_eq!(all["keys"][0]["begins"], hex(&kernel));
    assert_eq!(all["keys"][4]["begins"], hex(&ticks));
    // What nobody asked for is shown as well, and of what is left out nothing is said.
    let mut shown = answers(&check(&[]).ok().json());
    shown.sort_by_key(|row| row.0.clone());
    let mut present: Vec<_> = expected.iter().filter(|row| row.1 == "present").cloned().collect();
    present.sort_by_key(|row| row.0.clone());
    assert_eq!(shown, present);
    let hidden = check(&["/state/far", keys[0]]).ends(4);
    assert_eq!(hidden.json()["exit_status"], 4);
    assert_eq!(answers(&hidden.json())[0].1, "hidden");
    // Another state.
    let other = commitments.iter().find(|(_, other)| other != state);
    let other = other.map_or("srs11y1ZCJfeWnHzoX3rAjcTXiphwg8NvqQhvishP3PU68jgSREuk6", |(_, other)| &**other);
    ground.run(&["context", "check-proof", &file, "--state-hash", other]).refused(1, "about another state");
    ground.run(&["context", "check-proof", &file, "--state-hash", "srs1"]).refused(2, "is not a state hash");
    // For people, and through a pipe.
    let bytes = fs::read(&file).unwrap();
    let text = ground.run_with(&["context", "check-proof", "-", "--values", "2"], &bytes).ok();
    assert!(text.text().contains(&format!("holds for state {state}")), "{text}");
    assert!(text.text().contains(&format!("/kernel/boot.wasm\n    {}…\n", hex(&kernel[..2]))), "{text}");
    let piped = [&["context", "prove", &dir], &keys[..], &["--level", &level, "-o", "-", "-q"]].concat();
    assert_eq!(ground.run(&piped).ok().out, bytes);

    // Files that are no proof, or damaged; what is there stays.
    ground.run(&words[..words.len() - 1]).refused(4, "[output.exists]");
    assert_eq!(fs::read(&file).unwrap(), bytes);
    ground.run(&[&words[..], &["--force"]].concat()).ok();
    let damaged = ground.at("damaged");
    let mut changed = bytes.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    fs::write(&damaged, &changed).unwrap();
    let run = ground.run(&["context", "check-proof", &damaged]);
    assert!((run.status == 1 && run.err.contains("[proof.hash]")) || run.status == 3, "{run}");
    fs::write(&damaged, &bytes[..last]).unwrap();
    ground.run(&["context", "check-proof", &damaged]).refused(3, "[proof.malformed]");
    ground
        .run(&["context", "check-proof", &ground.snapshot("data-dir/v5-full.finalized.snapshot.gz")])
        .refused(3, "[proof.malformed]");
    ground.run(&["context", "check-proof", "nowhere"]).refused(3, "nowhere");

    // What cannot be proved.
    let prove = |words: &[&str]| ground.run(&[&["context", "prove", &dir, "-o", "never"], words].concat());
    prove(&["outside/x"]).refused(2, "is not a part of the state");
    prove(&["pvm_state"]).refused(2, "is not a part of the state");
    prove(&["/zero", "--level", "1"]).refused(1, "no block at level 1");
    assert!(prove(&[]).ends(2).err.contains("KEY"));
    assert!(!ground.path("never").exists());
    Tree::of(dir.as_ref()).same_as(&before, "a data directory that was proved of");
}

//! `verify --require`: the exit status for scripts that need certain answers.

use std::fs;

use rollsnap_tests::cli::{Ground, Run};
use rollsnap_tests::fixtures;
use rollsnap_tests::l1::{Stub, view};
use serde_json::Value;

const SOUND: &str = "replay/r5-dense.head.snapshot.gz";

fn verify(ground: &Ground, words: &[&str]) -> Run {
    ground.run(&[&["verify"], words].concat())
}

/// A port that nobody listens on.
const NOBODY: &str = "http://127.0.0.1:1";

#[test]
fn all_that_is_required_holds() {
    let ground = Ground::new();
    let file = ground.snapshot(SOUND);
    let expected: Value = serde_json::from_slice(&fixtures::read("replay/r5-dense.expect.json")).unwrap();
    let last = expected["headers"]["head"]["last_commitment"].as_str().unwrap();
    for words in [
        &["--require", "intact"][..],
        &["--require", "consistent"],
        &["--require", "intact,consistent"],
        &["--require", "intact", "--require", "consistent"],
        &["--require", "anchored,intact,consistent", "--expect-commitment", last],
        // The others may say what they want: nobody can be asked here.
        &["--require", "intact,consistent", "--endpoint", NOBODY],
    ] {
        let run = verify(&ground, &[&[&*file], words].concat()).ok();
        assert!(!run.err.contains("Error"), "{run}");
    }
    // Without it, layer 1 that does not answer is exit status 5.
    verify(&ground, &[&file, "--endpoint", NOBODY]).ends(5);
}

/// What can never be yes is refused before the file is looked at.
#[test]
fn answers_that_cannot_come() {
    let ground = Ground::new();
    for (words, needs) in [
        (&["--require", "anchored"][..], "--endpoint or --expect-commitment"),
        (&["--require", "intact,anchored"], "--endpoint or --expect-commitment"),
        (&["--require", "consistent", "--context", "none"], "--context all"),
        (&["--require", "consistent", "--context", "head"], "--context all"),
        (&["--require", "replayed-in-full"], "[possible values: intact, consistent, anchored, replayed]"),
        (&["--require", ""], "a value is required"),
    ] {
        let run = verify(&ground, &[&["nowhere"], words].concat()).ends(2);
        assert!(run.err.contains(needs), "{words:?}: {run}");
    }
}

#[test]
fn a_no_and_what_it_is_about() {
    let ground = Ground::new();
    let mut bytes = fixtures::read(SOUND);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(ground.path("damaged"), bytes).unwrap();
    let run = verify(&ground, &["damaged", "--require", "intact"]).ends(3);
    assert!(run.err.ends_with("Error: what was required does not hold: Intact: no\n"), "{run}");

    // A pre-image whose content is another one: the file is whole, what is in it does not agree.
    let data = ground.unpack("v5-full", "data");
    let page = fs::read_dir(ground.path("data/wasm_2_0_0")).unwrap().next().unwrap().unwrap().path();
    let mut content = fs::read(&page).unwrap();
    content[0] ^= 1;
    fs::write(&page, content).unwrap();
    ground.run(&["export", "altered", "--no-check", "--data-dir", &data]).ok();
    verify(&ground, &["altered"]).ends(1);
    verify(&ground, &["altered", "--require", "intact"]).ok();
    let run = verify(&ground, &["altered", "--require", "intact,consistent"]).ends(1);
    assert!(run.err.ends_with("Error: what was required does not hold: Consistent: no\n"), "{run}");

    // Another commitment than the one that was expected.
    let file = ground.snapshot(SOUND);
    let other = "src13Sh1mqVEBKiHNU5bLxMo4Ndm6ncuefgdEFPKCKQGAYyvRbCjpZ";
    let words = [&*file, "--require", "anchored", "--expect-commitment", other, "--json"];
    let run = verify(&ground, &words).ends(1);
    assert_eq!(run.json()["verdicts"]["anchored"], "no");
    verify(&ground, &[&file, "--require", "consistent", "--expect-commitment", other]).ok();
}

#[test]
fn what_was_not_checked_is_no_answer() {
    let ground = Ground::new();
    let file = ground.snapshot(SOUND);
    let run = verify(&ground, &[&file, "--require", "anchored", "--endpoint", NOBODY]).ends(5);
    assert!(run.err.ends_with("Error: what was required does not hold: Anchored: not checked\n"), "{run}");
    // The contexts of all blocks but one are missing: nobody can say whether they agree.
    let compact = ground.snapshot("replay/r5-full-compact.head.snapshot.gz");
    let report = verify(&ground, &[&compact, "--json"]).json();
    let status = match report["verdicts"]["consistent"].as_str().unwrap() {
        "yes" => 0,
        "no" => 1,
        _ => 4,
    };
    verify(&ground, &[&compact, "--require", "consistent"]).ends(status);
    // A data directory has no container that could be whole.
    let data = ground.unpack("v5-full", "data");
    verify(&ground, &[&data, "--require", "intact"]).ends(4);
}

/// Each of several files has its say, and the status is that of the first one that does not hold.
#[test]
fn several_files() {
    let ground = Ground::new();
    let sound = ground.snapshot(SOUND);
    let bytes = fixtures::read(SOUND);
    fs::write(ground.path("cut"), &bytes[..bytes.len() / 2]).unwrap();
    fs::write(ground.path("foreign"), b"<html>").unwrap();
    let files = [&*sound, "cut", "missing", "foreign"];
    let run = verify(&ground, &files).ends(3);
    for file in files {
        assert!(run.text().contains(&format!("{file}\n")), "{file}: {run}");
    }
    assert!(run.err.contains("missing"), "{run}");
    verify(&ground, &["missing", &sound]).ends(3);
    verify(&ground, &[&sound, &sound, "--require", "intact,consistent"]).ok();

    for words in [&["verify"][..], &["info"], &["info", "--full"]] {
        let run = ground.run(&[words, &files, &["--json"]].concat());
        let lines: Vec<Value> = run.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let paths: Vec<&str> = lines.iter().map(|line| line["path"].as_str().unwrap()).collect();
        assert_eq!(paths, files, "{run}");
        assert!(lines.iter().all(|line| line["schema"] == "rollsnap.report/1"), "{run}");
        // One alone is what it always was.
        let alone = ground.run(&[words, &[&sound, "--json"]].concat()).json();
        assert_eq!(alone.get("path"), None, "{alone}");
        assert_eq!(lines[0]["verdicts"], alone["verdicts"]);
    }
}

/// A node that has pruned the commitment of a sound old file cannot deny it: that is not checked, never a no.
#[test]
fn what_layer_1_has_forgotten_is_no_answer() {
    let ground = Ground::new();
    let file = ground.snapshot("data-dir/v5-archive.head.snapshot.gz");
    let data = ground.unpack("v5-archive", "data");
    // The header is of level 1023; the store knows that its last commitment was published at level 1022.
    let last = "src13yJ9vETsTqi4dsgNjLJvcaM5BcMAYhNUNNKzEPReB6ddLbwKz9";
    for (target, savepoint, anchored) in
        [(&*file, 1023, "unknown"), (&*file, 1022, "no"), (&*data, 1022, "unknown"), (&*data, 1021, "no")]
    {
        let savepoint = savepoint.to_string();
        let stub = Stub::start(&view("v5-archive"), &["--savepoint", &savepoint, "--unknown", last]);
        let asked = ["--endpoint", stub.url(), target];
        let status = if anchored == "no" { 1 } else { 5 };
        let run = verify(&ground, &[&asked[..], &["--json"]].concat()).ends(status);
        assert_eq!(run.json()["verdicts"]["anchored"], anchored, "{run}");
        let run = verify(&ground, &[&asked[..], &["--require", "anchored"]].concat()).ends(status);
        assert_eq!(run.text().contains("is not published on L1"), anchored == "no", "{run}");
        assert_eq!(run.text().contains("may have forgotten the commitment"), anchored == "unknown", "{run}");
        // What it still knows, it knows.
        let stub = Stub::start(&view("v5-archive"), &["--savepoint", &savepoint]);
        verify(&ground, &["--endpoint", stub.url(), target, "--require", "anchored"]).ok();
    }
}

/// Whatever does not answer is headed as such.
#[test]
fn what_layer_1_does_not_answer_is_not_headed_as_a_no() {
    let ground = Ground::new();
    let file = ground.snapshot("data-dir/v5-archive.head.snapshot.gz");
    for switches in [
        &["--forbid-rollup"][..],
        &["--forbid-levels"],
        &["--garbage", "shell"],
        &["--garbage", "commitment"],
        &["--error-500", "constants"],
        &["--savepoint", "1030", "--pruned", "410"],
    ] {
        let stub = Stub::start(&view("v5-archive"), switches);
        let run = verify(&ground, &["--endpoint", stub.url(), &file]).ends(5);
        assert!(!run.text().contains("is not published"), "{switches:?}: {run}");
        let refused = ground.run(&["-E", stub.url(), "import", &file, "--data-dir", "new"]);
        assert!(
            !refused.err.contains("is not published") && !ground.path("new/metadata").exists(),
            "{refused}"
        );
    }
}

//! `--memory`: what is kept of the input stays within it, and what does not fit is not checked.

use std::process::Command;

use rollsnap_tests::cli::{Ground, Run, Running};
use rollsnap_tests::scale::{Layout, Plan, Shape, StoreVersion, make};

const V5: &str = "data-dir/v5-full.finalized.snapshot.gz";
const V4: &str = "data-dir/v4-full.head.snapshot.gz";

/// The checks of a report with this code.
fn with_code(run: &Run, code: &str) -> Vec<String> {
    let report = run.json();
    let checks = report["checks"].as_array().unwrap();
    let said = checks.iter().filter(|check| check["code"] == code);
    said.map(|check| {
        assert_eq!(check["status"], "unknown", "{run}");
        check["text"].as_str().unwrap().to_owned()
    })
    .collect()
}

#[test]
fn what_does_not_fit_is_not_checked() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(V5);
    let data = ground.unpack("v5-full", "data");
    for words in [
        &["verify", &snapshot, "--json"][..],
        &["verify", &data, "--json"],
        &["verify", &data, "--json", "--context", "head"],
    ] {
        let whole = ground.run(words).ok();
        // The objects of other commits than the head's are not checked there.
        let verdict = if words.contains(&"head") { "unknown" } else { "yes" };
        assert_eq!(whole.json()["verdicts"]["consistent"], verdict, "{whole}");
        assert!(with_code(&whole, "limit.memory").is_empty());
        // More than it needs changes nothing.
        let roomy = ground.run(&[words, &["--memory", "64M"]].concat()).ok();
        assert_eq!(roomy.json()["checks"], whole.json()["checks"]);
        for few in ["0", "1K"] {
            let tight = ground.run(&[words, &["--memory", few]].concat()).ends(5);
            assert_eq!(tight.json()["verdicts"]["consistent"], "unknown", "{tight}");
            let said = with_code(&tight, "limit.memory");
            let bytes = if few == "0" { "more than 0 bytes of memory" } else { "more than 1024 bytes" };
            assert!(said.iter().any(|text| text.contains(bytes)), "{tight}");
            let checks = tight.json()["checks"].clone();
            assert!(checks.as_array().unwrap().iter().all(|check| check["status"] != "no"), "{tight}");
        }
    }
    let people = ground.run(&["verify", &snapshot, "--memory", "1K"]).ends(5);
    assert!(people.text().contains("Intact:      yes"), "{people}");
    assert!(people.text().contains("Consistent:  not checked"), "{people}");
    assert!(people.text().contains("the objects of the context take more than 1024 bytes"), "{people}");
}

/// A command that would have to trust what it could not check does nothing.
#[test]
fn what_does_not_fit_is_not_trusted_either() {
    let ground = Ground::new();
    let (v5, v4) = (ground.snapshot(V5), ground.snapshot(V4));
    let data = ground.unpack("v5-full", "data");
    let before = ground.tree();
    for words in [
        &["import", &v5, "--data-dir", "imported"][..],
        &["import", &v4, "--data-dir", "imported", "--to", "v5"],
        &["convert", &v4, "-o", "converted"],
        &["export", "exported", "--data-dir", &data],
        &["context", "log", &v5],
        &["context", "log", &data],
        &["context", "stat", &v5],
    ] {
        let run = ground.run(&[words, &["--memory", "100"]].concat()).ends(5);
        assert!(run.err.contains("more than 100 bytes of memory"), "{run}");
        assert!(run.err.contains("[limit.memory] the command line allows more with --memory"), "{run}");
        before.same_as(&ground.tree(), "after a refusal");
        ground.run(&[words, &["--memory", "100M"]].concat()).ok();
        for made in ["imported", "converted", "exported"] {
            let path = ground.path(made);
            let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        }
    }
    let run = ground.run(&["context", "log", &v5, "--json", "--memory", "1"]).ends(5);
    assert_eq!(with_code(&run, "limit.memory").len(), 1);
}

#[test]
fn sizes_are_numbers_of_bytes() {
    let ground = Ground::new();
    let snapshot = ground.snapshot(V5);
    for size in ["536870912", "524288K", "512M", "512MiB", "1G", "16GiB", "1T"] {
        ground.run(&["verify", &snapshot, "--memory", size]).ok();
    }
    for size in ["", "lots", "1.5G", "-1", "1 G", "1GB", "99999999999T"] {
        let run = ground.run(&["verify", &snapshot, &format!("--memory={size}")]).ends(2);
        assert!(run.err.contains("--memory"), "{run}");
    }
}

/// Ten times as many objects are checked, exported, imported and counted under a limit of the system that a table of the
/// larger ones alone would exceed.
#[test]
fn memory_does_not_grow_with_objects() {
    // Of data, in KiB: the program takes about half of it, and a table of 1.6 million objects as much again.
    const LIMIT: u64 = 96 << 10;
    let plan =
        |size| Plan { size, seed: 11, shape: Shape::Near, layout: Layout::Chunks, store: StoreVersion::V5 };
    for (size, least) in [(16_000_000, 100_000), (160_000_000, 1_500_000)] {
        let ground = Ground::new();
        let made = make(&ground.path("data"), &plan(size), |_| ()).unwrap();
        assert!(made.context.objects.count > least, "{made:?}");
        let run = |words: &str| {
            let words: Vec<&str> = words.split(' ').chain(["--memory", "12M"]).collect();
            let plain = ground.command(&words);
            let mut limited = Command::new("sh");
            limited.args(["-c", &format!("ulimit -d {LIMIT}; exec \"$0\" \"$@\"")]).arg(plain.get_program());
            ground.isolate(limited.args(&words));
            Running::start(&words, limited).end().ok()
        };
        let verified = run("verify data --json");
        assert_eq!(verified.json()["verdicts"]["consistent"], "yes", "{verified}");
        let objects = serde_json::to_value(made.context.objects).unwrap();
        assert_eq!(verified.json()["context"]["objects"], objects);
        run("export -d data file --level head");
        let verified = run("verify file --json");
        assert_eq!(verified.json()["verdicts"]["consistent"], "yes", "{verified}");
        run("import file -d imported");
        run("export --compact -d imported compact --level head");
        run("context stat data");
    }
}

/// Temporary space that runs out, or is not there, is an answer of its own; nothing is changed.
#[test]
fn temporary_space_that_is_not_there() {
    let ground = Ground::new();
    let size = 16_000_000;
    let plan = Plan { size, seed: 3, shape: Shape::Near, layout: Layout::Chunks, store: StoreVersion::V5 };
    make(&ground.path("data"), &plan, |_| ()).unwrap();
    ground.run(&["export", "-d", "data", "file", "--level", "head", "-q"]).ok();
    let before = ground.tree();
    for target in ["data", "file"] {
        let words = ["verify", target, "--memory", "3M", "--jobs", "1"];
        ground.run(&words).ok();
        // 1 MiB, in blocks of 512 bytes.
        let plain = ground.command(&words);
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -f 2048; exec \"$0\" \"$@\""]).arg(plain.get_program());
        ground.isolate(limited.args(words));
        let full = Running::start(&words, limited).end().ends(5);
        let said = full.to_string();
        assert!(
            said.contains("a temporary file in") && said.contains("iB of it were written, and"),
            "{full}"
        );
        let gone = ground.run(&[&words[..], &["--temp-dir", "nowhere"]].concat()).ends(5);
        assert!(format!("{gone}").contains("nowhere"), "{gone}");
        before.same_as(&ground.tree(), "after a refusal");
    }
}
